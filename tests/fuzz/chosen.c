#include "tests/fuzz/chosen.h"

#include <string.h>

static bool thorough;

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* NOLINTNEXTLINE(readability-non-const-parameter): the face is libFuzzer's */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    for (int i = 1; i < *argc; i++)
        thorough = thorough || strcmp((*argv)[i], "--thorough") == 0;
    return 0;
}

bool one_of(uint64_t *hash, uint64_t n)
{
    bool chosen = *hash % n == 0;
    *hash /= n;
    return chosen || thorough;
}
