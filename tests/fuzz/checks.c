/* What the helpers of the unit tests check is a finding here. */
#include <inttypes.h>
#include <string.h>

#include "tests/fuzz/must.h"
#include "tests/unit/check.h"

void check_equal(int64_t actual, int64_t expected, const char *what, const char *file, unsigned line)
{
    MUST(actual == expected, "%s:%u: %s is %" PRId64 ", expected %" PRId64, file, line, what, actual,
         expected);
}

void check_true(bool condition, const char *what, const char *file, unsigned line)
{
    MUST(condition, "%s:%u: %s", file, line, what);
}

void check_same_text(const char *actual, const char *expected, const char *file, unsigned line)
{
    bool same = actual && expected ? strcmp(actual, expected) == 0 : actual == expected;
    MUST(same, "%s:%u: \"%s\", expected \"%s\"", file, line, actual ? actual : "", expected ? expected : "");
}
