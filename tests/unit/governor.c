/* How often and how far something may be changed on a host. */
#include "act/governor.h"

#include "check.h"

#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)
#define TOP    600000u

/* Judges a wish of domain 3; *level as governor_judge. */
static int judge(struct governor *g, uint64_t at_ns, uint64_t wish, uint64_t *level)
{
    *level = wish;
    return governor_judge(g, 3, at_ns, level, TOP, false);
}

static void the_first_wish_is_set_however_near_the_top(void)
{
    const struct governor_limits limits = {.step_ppm = 50000};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, TOP - 1, &level) == GOVERN_SET);
    CHECK(judge(g, SECOND, TOP - 1, &level) == GOVERN_KEEP);
    governor_free(g);
}

static void small_steps_are_held_but_for_the_one_to_the_top(void)
{
    const struct governor_limits limits = {.step_ppm = 50000};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, TOP - 60000, &level) == GOVERN_SET);
    CHECK(judge(g, SECOND, TOP - 10001, &level) == GOVERN_HOLD_STEP);
    CHECK(judge(g, 2 * SECOND, TOP - 10000, &level) == GOVERN_SET);
    CHECK(judge(g, 3 * SECOND, TOP, &level) == GOVERN_SET);
    governor_free(g);
}

static void changes_of_a_guest_are_the_dwell_time_apart(void)
{
    const struct governor_limits limits = {.dwell_ns = 2 * SECOND};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, SECOND, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, 3 * SECOND - 1, 400000, &level) == GOVERN_HOLD_DWELL);
    CHECK(judge(g, 3 * SECOND, 400000, &level) == GOVERN_SET);
    level = 100000;
    CHECK(governor_judge(g, 4, 3 * SECOND, &level, TOP, false) == GOVERN_SET); /* another guest */
    governor_free(g);
}

static void an_hour_has_so_many_actions(void)
{
    const struct governor_limits limits = {.actions = 2};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, SECOND, 400000, &level) == GOVERN_SET);
    CHECK(judge(g, HOUR - 1, 300000, &level) == GOVERN_HOLD_ACTIONS);
    CHECK(judge(g, HOUR, 300000, &level) == GOVERN_SET); /* the first one is an hour ago */
    CHECK(judge(g, HOUR + 1, 200000, &level) == GOVERN_HOLD_ACTIONS);
    CHECK(judge(g, HOUR + SECOND, 200000, &level) == GOVERN_SET);
    for (uint64_t i = 3; i < 100; i++) { /* the list of times is used again and again */
        CHECK(judge(g, i * HOUR, 100000 + i * 1000, &level) == GOVERN_SET);
        CHECK(judge(g, i * HOUR + 1, 500000, &level) == GOVERN_SET);
        CHECK(judge(g, i * HOUR + 2, 90000, &level) == GOVERN_HOLD_ACTIONS);
    }
    governor_free(g);
}

static void nothing_is_set_below_the_least(void)
{
    const struct governor_limits limits = {.least_ppm = 50000};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, 1, &level) == GOVERN_SET);
    EQUAL(level, 50000);
    CHECK(judge(g, SECOND, 49999, &level) == GOVERN_KEEP);
    governor_free(g);
}

/* A-B-A-B-A: the second B takes back the change to A, and so on. */
static void flaps_in_a_row_freeze_at_the_laxer_level(void)
{
    const struct governor_limits limits = {.flaps = 3};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, 1, 400000, &level) == GOVERN_SET);
    CHECK(judge(g, 2, 520000, &level) == GOVERN_SET); /* within a quarter of the swing: one */
    CHECK(judge(g, 3, 400000, &level) == GOVERN_SET); /* two */
    CHECK(judge(g, 4, 500000, &level) == GOVERN_FREEZE);
    EQUAL(level, 500000);
    CHECK(judge(g, 5, 300000, &level) == GOVERN_HOLD_FROZEN);
    governor_forget(g, 3);
    CHECK(judge(g, 6, 300000, &level) == GOVERN_SET);
    governor_free(g);
}

static void a_freeze_while_tightening_keeps_what_is_in_force(void)
{
    const struct governor_limits limits = {.flaps = 2};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    CHECK(judge(g, 0, 400000, &level) == GOVERN_SET);
    CHECK(judge(g, 1, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, 2, 400000, &level) == GOVERN_SET);
    CHECK(judge(g, 3, 500000, &level) == GOVERN_FREEZE);
    EQUAL(level, 500000);
    governor_free(g);
    g = governor_new(&limits);
    CHECK(judge(g, 0, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, 1, 400000, &level) == GOVERN_SET);
    CHECK(judge(g, 2, 500000, &level) == GOVERN_SET);
    CHECK(judge(g, 3, 400000, &level) == GOVERN_FREEZE);
    EQUAL(level, 500000);
    governor_free(g);
}

static void small_or_one_way_changes_are_no_flaps(void)
{
    const struct governor_limits limits = {.flaps = 2};
    struct governor *g = governor_new(&limits);
    uint64_t level;
    for (uint64_t i = 0; i < 20; i++) /* swings of 4.9 % */
        CHECK(judge(g, i, i % 2 ? 400000 : 449000, &level) == GOVERN_SET);
    for (uint64_t i = 0; i < 8; i++) /* down and down */
        CHECK(judge(g, 20 + i, 390000 - i * 40000, &level) == GOVERN_SET);
    governor_free(g);
}

static void losses_hold_then_release_and_never_tighten(void)
{
    const struct governor_limits limits = {.flaps = 0};
    struct governor *g = governor_new(&limits);
    uint64_t level = 100000;
    CHECK(judge(g, 0, 500000, &level) == GOVERN_SET);
    level = 100000;
    CHECK(governor_judge(g, 3, 1, &level, TOP, true) == GOVERN_HOLD_LOSSY);
    CHECK(governor_judge(g, 3, 2, &level, TOP, true) == GOVERN_HOLD_LOSSY);
    CHECK(governor_judge(g, 3, 3, &level, TOP, true) == GOVERN_RELEASE);
    CHECK(governor_judge(g, 3, 4, &level, TOP, true) == GOVERN_HOLD_LOSSY);
    CHECK(judge(g, 5, 500000, &level) == GOVERN_SET); /* good again */
    level = 100000;
    CHECK(governor_judge(g, 3, 6, &level, TOP, true) == GOVERN_HOLD_LOSSY);
    CHECK(judge(g, 7, 500000, &level) == GOVERN_KEEP);
    governor_free(g);
}

CU_TestInfo governor_tests[] = {TEST(the_first_wish_is_set_however_near_the_top),
                                TEST(small_steps_are_held_but_for_the_one_to_the_top),
                                TEST(changes_of_a_guest_are_the_dwell_time_apart),
                                TEST(an_hour_has_so_many_actions),
                                TEST(nothing_is_set_below_the_least),
                                TEST(flaps_in_a_row_freeze_at_the_laxer_level),
                                TEST(a_freeze_while_tightening_keeps_what_is_in_force),
                                TEST(small_or_one_way_changes_are_no_flaps),
                                TEST(losses_hold_then_release_and_never_tighten),
                                CU_TEST_INFO_NULL};
