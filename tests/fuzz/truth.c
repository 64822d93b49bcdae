/*
 * Fuzz target: made captures, read by the program and by the reference (tests/reference/truth.h). The bytes decide what a host
 * does and what of it is recorded, so every input is a whole capture.
 */
#include "tests/fuzz/must.h"
#include "tests/reference/truth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *difference = truth_difference(data, n);
    MUST(!difference, "%s", difference);
    return 0;
}
