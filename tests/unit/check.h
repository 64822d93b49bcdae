/* Checks that say which numbers differed. A failed check does not end its test. */
#ifndef XENMETER_TESTS_UNIT_CHECK_H
#define XENMETER_TESTS_UNIT_CHECK_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdint.h>

#include "metrics/measure/measures.h"

#define EQUAL(actual, expected)                                                                              \
    check_equal((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)
#define CHECK(condition) check_true(condition, #condition, __FILE__, __LINE__)
/* Texts, or NULL; shows both when they differ. */
#define SAME_TEXT(actual, expected) check_same_text(actual, expected, __FILE__, __LINE__)

/* ns in each state. */
#define STATES(measures, running, runnable, blocked, offline, unknown)                                       \
    check_states(measures, (const uint64_t[]){running, runnable, blocked, offline, unknown}, __FILE__,       \
                 __LINE__)

void check_equal(int64_t actual, int64_t expected, const char *what, const char *file, unsigned line);
void check_true(bool condition, const char *what, const char *file, unsigned line);
void check_same_text(const char *actual, const char *expected, const char *file, unsigned line);
void check_states(const struct measures *m, const uint64_t expected[RUNSTATES], const char *file,
                  unsigned line);

/* A row of a suite's table. */
#define TEST(f)                                                                                              \
    {                                                                                                        \
#f, f                                                                                                \
    }

#endif
