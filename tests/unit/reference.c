/*
 * The program against a slow reference (tests/reference/): made captures, other ones in each run. REFERENCE_SEED=N repeats
 * those of a run that failed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "random.h"
#include "suites.h"
#include "tests/reference/truth.h"

#define CAPTURES   60
#define BYTES_MOST 1500

static uint64_t seed_of_run(void)
{
    struct timespec now;
    const char *given = getenv("REFERENCE_SEED");
    clock_gettime(CLOCK_REALTIME, &now);
    return given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* `recorded` goes into the byte that decides what is recorded: these bits of it. */
static void compare_captures(const char *what, uint8_t bits, uint8_t recorded)
{
    static uint8_t bytes[BYTES_MOST];
    uint64_t seed = seed_of_run(), random = seed;
    for (unsigned i = 0; i < CAPTURES; i++) {
        size_t n = 10 + random_below(&random, BYTES_MOST - 10);
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)random64(&random);
        bytes[2] = (uint8_t)((bytes[2] & ~bits) | recorded);
        const char *difference = truth_difference(bytes, n);
        CHECK(difference == NULL);
        if (difference) {
            printf("\n%s, REFERENCE_SEED=%" PRIu64 ", capture %u: %s\n", what, seed, i, difference);
            return;
        }
    }
}

static void records_states_and_sums_are_those_of_the_reference(void)
{
    compare_captures("changes of state", 0x07, 0x06);
}

static void the_same_without_changes_of_state(void)
{
    compare_captures("switches", 0x07, 0x00);
}

static void records_and_what_they_prove_are_the_same_where_others_are_lost(void)
{
    compare_captures("losses", 0x07, 0x07);
}

CU_TestInfo reference_tests[] = {
    TEST(records_states_and_sums_are_those_of_the_reference),
    TEST(the_same_without_changes_of_state),
    TEST(records_and_what_they_prove_are_the_same_where_others_are_lost),
    CU_TEST_INFO_NULL,
};
