#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void check_true(bool condition, const char *what, const char *file, unsigned line)
{
    CU_assertImplementation(condition, line, what, file, "", CU_FALSE);
}

void check_equal(int64_t actual, int64_t expected, const char *what, const char *file, unsigned line)
{
    if (actual == expected) {
        check_true(true, what, file, line);
        return;
    }
    char text[400];
    snprintf(text, sizeof text, "%s is %" PRId64 ", should be %" PRId64, what, actual, expected);
    check_true(false, text, file, line);
}

void check_same_text(const char *actual, const char *expected, const char *file, unsigned line)
{
    bool same = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    if (!same)
        fprintf(stderr, "\n-- is:\n%s\n-- should be:\n%s\n", actual ? actual : "(none)",
                expected ? expected : "(none)");
    check_true(same, "the text", file, line);
}

void check_states(const struct measures *m, const uint64_t expected[RUNSTATES], const char *file,
                  unsigned line)
{
    static const char *const names[RUNSTATES] = {"running", "runnable", "blocked", "offline", "unknown"};
    for (int s = 0; s < RUNSTATES; s++)
        check_equal(m->state_ns[s], (int64_t)expected[s], names[s], file, line);
}
