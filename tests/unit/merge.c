/* Measures and quality of two pieces become those of both. */
#include <string.h>

#include "check.h"
#include "parser/quality.h"
#include "suites.h"

/* Measures whose every field is told apart by `n`. */
static void fill(struct measures *m, int64_t n)
{
    measures_init(m);
    for (int s = 0; s < RUNSTATES; s++)
        m->state_ns[s] = n + s;
    for (int s = 0; s < DOMAIN_RUNSTATES; s++)
        m->domain_ns[s] = n * 2 + s;
    m->idle_ns = n * 3;
    m->pcpu_unknown_ns = n * 4;
    uint64_t u = (uint64_t)n;
    m->wake_wait_ns = u * 5;
    m->preempt_wait_ns = u * 6;
    m->executions = u * 7;
    m->wakes = u * 8;
    m->blocks = u * 9;
    m->yields = u * 10;
    m->preemptions = u * 11;
    m->migrations = u * 12;
    m->allocated_ns = u * 13;
    m->allocated_slices = u * 14;
    m->allocated_min_ns = (uint32_t)u;
    m->allocated_max_ns = (uint32_t)u * 2;
    histogram_add(&m->run, u, 1);
    histogram_add(&m->wait, u, 2);
    histogram_add(&m->block, u, 3);
}

static void every_measure_adds(void)
{
    struct measures a, b;
    fill(&a, 100);
    fill(&b, 1000);
    CHECK(measures_merge(&a, &b));
    for (int s = 0; s < RUNSTATES; s++)
        EQUAL(a.state_ns[s], 1100 + 2 * s);
    for (int s = 0; s < DOMAIN_RUNSTATES; s++)
        EQUAL(a.domain_ns[s], 2200 + 2 * s);
    EQUAL(a.idle_ns, 3300);
    EQUAL(a.pcpu_unknown_ns, 4400);
    EQUAL(a.wake_wait_ns, 5500);
    EQUAL(a.preempt_wait_ns, 6600);
    EQUAL(a.executions, 7700);
    EQUAL(a.wakes, 8800);
    EQUAL(a.blocks, 9900);
    EQUAL(a.yields, 11000);
    EQUAL(a.preemptions, 12100);
    EQUAL(a.migrations, 13200);
    EQUAL(a.allocated_ns, 14300);
    EQUAL(a.allocated_slices, 15400);
    EQUAL(a.allocated_min_ns, 100);
    EQUAL(a.allocated_max_ns, 2000);
    EQUAL(a.run.count, 2);
    EQUAL(a.wait.sum, 1100);
    EQUAL(a.block.max_at, 3);
    measures_free(&a);
    measures_free(&b);
}

static void empty_measures_change_nothing(void)
{
    struct measures a, b, empty;
    fill(&a, 100);
    measures_init(&empty);
    CHECK(measures_merge(&a, &empty));
    EQUAL(a.executions, 700);
    EQUAL(a.allocated_min_ns, 100);
    measures_init(&b);
    CHECK(measures_merge(&b, &a));
    EQUAL(b.executions, 700);
    EQUAL(b.allocated_min_ns, 100);
    EQUAL(b.allocated_max_ns, 200);
    measures_clear(&b);
    EQUAL(b.executions, 0);
    EQUAL(b.allocated_min_ns, UINT32_MAX);
    EQUAL(b.run.count, 0);
    measures_free(&a);
    measures_free(&b);
}

static void late_corrections_may_be_negative(void)
{
    struct measures a, late;
    fill(&a, 100);
    measures_init(&late);
    late.pcpu_unknown_ns = -400;
    late.state_ns[RUNSTATE_RUNNING] = 400;
    measures_merge(&a, &late);
    EQUAL(a.pcpu_unknown_ns, 0);
    EQUAL(a.state_ns[RUNSTATE_RUNNING], 500);
    measures_free(&a);
}

static struct quality a, b;

static void quality_adds_and_keeps_the_extremes(void)
{
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    a = (struct quality){.bytes = 1,
                         .records = 2,
                         .windows = 3,
                         .sweeps = 4,
                         .lost_records = 5,
                         .lost_markers = 6,
                         .truncated_bytes = 7,
                         .tsc_backwards = 8,
                         .tsc_implausible = 9,
                         .blind_ns = 10,
                         .blind_late_ns = 11,
                         .unknown_ns = 12,
                         .inconsistent = 13,
                         .inconsistent_at_ns = 1400,
                         .skew_max_ns = 15,
                         .ignored_records = 16};
    b = a;
    b.inconsistent_at_ns = 900;
    b.skew_max_ns = 77;
    a.events[EVENT_WAKE].forms[10] = 3;
    b.events[EVENT_WAKE].forms[10] = 4;
    quality_merge(&a, &b);
    EQUAL(a.bytes, 2);
    EQUAL(a.records, 4);
    EQUAL(a.windows, 6);
    EQUAL(a.sweeps, 8);
    EQUAL(a.lost_records, 10);
    EQUAL(a.lost_markers, 12);
    EQUAL(a.truncated_bytes, 14);
    EQUAL(a.tsc_backwards, 16);
    EQUAL(a.tsc_implausible, 18);
    EQUAL(a.blind_ns, 20);
    EQUAL(a.blind_late_ns, 22);
    EQUAL(a.unknown_ns, 24);
    EQUAL(a.inconsistent, 26);
    EQUAL(a.inconsistent_at_ns, 900);
    EQUAL(a.skew_max_ns, 77);
    EQUAL(a.ignored_records, 32);
    EQUAL(a.events[EVENT_WAKE].forms[10], 7);
}

static void the_first_inconsistency_of_either_piece_is_the_first(void)
{
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    b.inconsistent = 1;
    b.inconsistent_at_ns = 500;
    quality_merge(&a, &b); /* the first has none: its 0 is no time */
    EQUAL(a.inconsistent_at_ns, 500);
    memset(&b, 0, sizeof b);
    quality_merge(&a, &b);
    EQUAL(a.inconsistent, 1);
    EQUAL(a.inconsistent_at_ns, 500);
}

static void places_of_damage_are_kept_as_long_as_there_is_room(void)
{
    const uint64_t apart = 1000000;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    for (uint64_t i = 0; i < 5; i++) {
        quality_skip(&a, i * apart, 10, "a");
        quality_skip(&b, (100 + i) * apart, 20, "b");
    }
    quality_merge(&a, &b);
    EQUAL(a.skipped_places, 10);
    EQUAL(a.skipped_bytes, 150);
    EQUAL(a.places[4].offset, 4 * apart);
    EQUAL(a.places[5].offset, 100 * apart);
    EQUAL(a.places[7].offset, 102 * apart);
    for (uint64_t i = 0; i < 20; i++)
        quality_skip(&b, (200 + i) * apart, 1, "more");
    EQUAL(b.skipped_places, 25);
    quality_merge(&a, &b);
    EQUAL(a.skipped_places, 35);
    EQUAL(a.places[7].offset, 102 * apart);
}

static void windows_skipped_one_after_the_other_are_one_place(void)
{
    static const char what[] = "of another time";
    memset(&a, 0, sizeof a);
    quality_skip(&a, 1000, 500, what);
    quality_skip(&a, 1512, 488, what); /* behind a window header */
    quality_skip(&a, 2012, 100, "something else");
    EQUAL(a.skipped_places, 2);
    EQUAL(a.skipped_bytes, 1088);
    EQUAL(a.places[0].offset, 1000);
    EQUAL(a.places[0].bytes, 1000);
    EQUAL(a.places[1].bytes, 100);
}

static void unrecognised_events_merge_by_number(void)
{
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    for (uint32_t i = 0; i < 40; i++) {
        quality_unrecognised(&a, 0x100 + i, 12);
        quality_unrecognised(&b, 0x100 + 20 + i, 16); /* half of them the same */
        quality_unrecognised(&b, 0x1000 + i, 4);
    }
    EQUAL(b.unrecognised_kinds, QUALITY_UNRECOGNISED);
    EQUAL(b.unrecognised_other, 16);
    quality_merge(&a, &b);
    EQUAL(a.unrecognised_kinds, QUALITY_UNRECOGNISED);
    uint64_t records = a.unrecognised_other;
    for (unsigned i = 0; i < a.unrecognised_kinds; i++) {
        records += a.unrecognised[i].records;
        if (a.unrecognised[i].event == 0x100 + 25) {
            EQUAL(a.unrecognised[i].records, 2);
            EQUAL(a.unrecognised[i].bytes, 28);
        }
    }
    EQUAL(records, 120); /* none is lost */
}

static void a_form_tells_the_bytes_of_its_records(void)
{
    EQUAL(event_form_bytes(0, 1), 4);
    EQUAL(event_form_bytes(7, 1), 32);
    EQUAL(event_form_bytes(8, 1), 12);
    EQUAL(event_form_bytes(15, 3), 120);
}

CU_TestInfo merge_tests[] = {
    TEST(every_measure_adds),
    TEST(empty_measures_change_nothing),
    TEST(late_corrections_may_be_negative),
    TEST(quality_adds_and_keeps_the_extremes),
    TEST(the_first_inconsistency_of_either_piece_is_the_first),
    TEST(places_of_damage_are_kept_as_long_as_there_is_room),
    TEST(windows_skipped_one_after_the_other_are_one_place),
    TEST(unrecognised_events_merge_by_number),
    TEST(a_form_tells_the_bytes_of_its_records),
    CU_TEST_INFO_NULL,
};
