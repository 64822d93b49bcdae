/* Counters read outside the trace: they grow evenly between readings, on and on, and stretches add up. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "metrics/measure/counters.h"
#include "parser/error.h"
#include "random.h"
#include "suites.h"

#define NEAR(actual, expected) CHECK(fabs((actual) - (expected)) < 1e-9)

/* A reading of device 0 or 1; `at` is ns or tsc; all four counts are alike. */
struct reading {
    uint64_t at, count;
    uint32_t device;
};

static struct counters *counters_of(const struct reading *readings, size_t n, bool has_tsc)
{
    static const struct counter_device device = {.name = "vif1.0", .domain = 1, .counts = {true, true}};
    struct counters *c = calloc(1, sizeof *c);
    c->has_tsc = has_tsc;
    c->devices_n = 2;
    c->devices = calloc(2, sizeof *c->devices);
    c->devices[0] = c->devices[1] = device;
    c->readings_n = n;
    c->readings = calloc(n + 1, sizeof *c->readings);
    for (size_t i = 0; i < n; i++) {
        struct counter_reading *r = &c->readings[i];
        r->device = readings[i].device;
        *(has_tsc ? &r->tsc : &r->time_ns) = readings[i].at;
        for (unsigned kind = 0; kind < COUNTER_KINDS; kind++)
            r->count[kind] = readings[i].count;
    }
    return c;
}

#define SORTED(has_tsc, ...)                                                                                 \
    sorted((const struct reading[]){__VA_ARGS__},                                                            \
           sizeof((const struct reading[]){__VA_ARGS__}) / sizeof(struct reading), has_tsc)

static struct counters *sorted(const struct reading *readings, size_t n, bool has_tsc)
{
    struct error err = {0};
    struct counters *c = counters_of(readings, n, has_tsc);
    EQUAL(counters_sort(c, &err), 0);
    return c;
}

/* Of device 0, by time_ns. */
static double between(const struct counters *c, uint64_t from_ns, uint64_t to_ns)
{
    return counters_between(c, 0, 0, from_ns, to_ns, NULL);
}

static uint64_t whole(const struct counters *c, uint64_t from_ns, uint64_t to_ns)
{
    return counters_whole_between(c, 0, 0, from_ns, to_ns, NULL);
}

static void between_readings_counts_grow_evenly(void)
{
    struct counters *c = SORTED(false, {100, 1000, 0}, {200, 1100, 0}, {400, 1500, 0});
    NEAR(between(c, 100, 200), 100);
    NEAR(between(c, 100, 101), 1);
    NEAR(between(c, 150, 250), 150); /* 50 of 100, then 50 ns at 2 per ns */
    NEAR(between(c, 250, 251), 2);
    EQUAL(whole(c, 150, 250), 150);
    counters_free(c);
}

static void outside_of_the_readings_nothing_is_counted(void)
{
    struct counters *c = SORTED(false, {100, 1000, 0}, {200, 1100, 0});
    NEAR(between(c, 0, 100), 0);
    NEAR(between(c, 200, 1000), 0);
    NEAR(between(c, 0, 150), 50);
    NEAR(between(c, 150, UINT64_MAX), 50);
    EQUAL(whole(c, 0, UINT64_MAX), 100);
    NEAR(between(c, 150, 150), 0);
    NEAR(between(c, 180, 120), 0);
    counters_free(c);
    c = SORTED(false, {100, 1000, 0}); /* once is not enough to tell */
    EQUAL(whole(c, 0, 200), 0);
    EQUAL(counters_whole_between(c, 1, 0, 0, 200, NULL), 0); /* never read */
    counters_free(c);
}

static void parts_of_events_stay_behind_until_they_are_whole(void)
{
    struct counters *c = SORTED(false, {0, 0, 0}, {10, 3, 0}); /* one in 3.33 ns */
    EQUAL(whole(c, 0, 3), 0);
    EQUAL(whole(c, 0, 4), 1);
    EQUAL(whole(c, 3, 4), 1);
    EQUAL(whole(c, 4, 7), 1);
    EQUAL(whole(c, 7, 10), 1);
    NEAR(between(c, 4, 7), 0.9);
    counters_free(c);
}

static void adjoining_stretches_add_up(void)
{
    struct counters *c =
        SORTED(false, {7, 5, 0}, {1000, 1234567, 0}, {5013, 1234570, 0}, {7001, 99, 0}, {9000, 700, 0});
    uint64_t random = 1, all = whole(c, 0, 10000);
    EQUAL(all, 1234567 - 5 + 3 + 99 + 601);
    for (unsigned round = 0; round < 100; round++) {
        uint64_t sum = 0;
        double parts = 0;
        for (uint64_t at = 0, next; at < 10000; at = next) {
            next = at + 1 + random_below(&random, 300);
            sum += whole(c, at, next);
            parts += between(c, at, next);
        }
        EQUAL(sum, all);
        CHECK(fabs(parts - (double)all) < 1e-6);
    }
    counters_free(c);
}

static void a_count_that_falls_began_anew_from_0(void)
{
    struct counters *c = SORTED(false, {100, 50, 0}, {200, 80, 0}, {300, 20, 0}, {400, 25, 0});
    EQUAL(whole(c, 100, 200), 30);
    EQUAL(whole(c, 200, 300), 20);
    EQUAL(whole(c, 300, 400), 5);
    NEAR(between(c, 200, 250), 10);
    EQUAL(whole(c, 0, 500), 55);
    EQUAL(counters_sort(c, NULL), 0); /* once more changes nothing */
    EQUAL(whole(c, 0, 500), 55);
    counters_free(c);
}

static void readings_come_in_any_order(void)
{
    struct counters *c =
        SORTED(false, {300, 7, 1}, {200, 90, 0}, {100, 5, 1}, {100, 40, 0}, {300, 100, 0}, {100, 40, 0});
    EQUAL(whole(c, 100, 200), 50);
    EQUAL(whole(c, 200, 300), 10);
    EQUAL(counters_whole_between(c, 1, 0, 0, 300, NULL), 2);
    NEAR(counters_between(c, 1, 0, 100, 200, NULL), 1);
    counters_free(c);
}

static void two_counts_at_one_moment_contradict_each_other(void)
{
    static const struct reading readings[] = {{100, 40, 0}, {200, 50, 0}, {100, 41, 0}};
    struct error err = {0};
    struct counters *c = counters_of(readings, 3, false);
    EQUAL(counters_sort(c, &err), -1);
    EQUAL(err.code, ERROR_FORMAT);
    counters_free(c);
}

static void what_a_device_does_not_count_is_0(void)
{
    struct counters *c = SORTED(false, {100, 0, 0}, {200, 100, 0});
    EQUAL(counters_whole_between(c, 0, 1, 0, 300, NULL), 100);
    EQUAL(counters_whole_between(c, 0, 2, 0, 300, NULL), 0);
    NEAR(counters_between(c, 0, 3, 0, 300, NULL), 0);
    counters_free(c);
}

static void readings_are_lined_up_by_tsc(void)
{
    struct clock clock = {0};
    clock_set(&clock, 1000, 2e9);
    struct counters *c = SORTED(true, {1200, 10, 0}, {1600, 50, 0}); /* 100 ns, 300 ns */
    NEAR(counters_between(c, 0, 0, 0, 1000, &clock), 40);
    NEAR(counters_between(c, 0, 0, 100, 200, &clock), 20);
    EQUAL(counters_whole_between(c, 0, 0, 0, 150, &clock), 10);
    counters_free(c);
}

static void a_reading_before_the_trace_counts_in_proportion(void)
{
    struct clock clock = {0};
    clock_set(&clock, 1000, 2e9);
    struct counters *c = SORTED(true, {800, 0, 0}, {1600, 400, 0}); /* -100 ns, 300 ns: one per ns */
    NEAR(counters_between(c, 0, 0, 0, 300, &clock), 300);
    NEAR(counters_between(c, 0, 0, 0, 50, &clock), 50);
    EQUAL(counters_whole_between(c, 0, 0, 50, 1000, &clock), 250);
    counters_free(c);
    c = SORTED(true, {600, 0, 0}, {800, 400, 0}); /* all before */
    EQUAL(counters_whole_between(c, 0, 0, 0, 1000, &clock), 0);
    counters_free(c);
}

/* At 5 GHz a ns has five cycles: what came within one ns came at its beginning. */
static void readings_within_one_ns_are_a_step(void)
{
    struct clock clock = {0};
    clock_set(&clock, 0, 5e9);
    struct counters *c = SORTED(true, {5, 0, 0}, {7, 7, 0}, {15, 11, 0}); /* 1 ns, 1 ns, 3 ns */
    EQUAL(counters_whole_between(c, 0, 0, 0, 1, &clock), 7);
    EQUAL(counters_whole_between(c, 0, 0, 1, 2, &clock), 2);
    EQUAL(counters_whole_between(c, 0, 0, 0, 4, &clock), 11);
    counters_free(c);
}

static void the_largest_numbers_do_not_overflow(void)
{
    struct counters *c = SORTED(false, {0, 0, 0}, {1ull << 62, UINT64_MAX, 0});
    EQUAL(whole(c, 0, 1ull << 61), INT64_MAX); /* (2^64 - 1) / 2, rounded down */
    CHECK(whole(c, 0, UINT64_MAX) == UINT64_MAX);
    counters_free(c);
    c = SORTED(false, {0, 5, 0}, {10, UINT64_MAX, 0}, {20, 3, 0}, {30, 9, 0}); /* goes on no further */
    CHECK(whole(c, 0, 30) == UINT64_MAX - 5);
    counters_free(c);
    struct clock clock = {0};
    clock_set(&clock, 1ull << 63, 1e3); /* a ms per cycle: both readings are farther away than ns can tell */
    c = SORTED(true, {0, 0, 0}, {UINT64_MAX, 1000, 0});
    EQUAL(counters_whole_between(c, 0, 0, 0, INT64_MAX, &clock), 500);
    counters_free(c);
}

/* 20 readings of a device, each 500 ms and up to 1 ms late, of a tsc that runs at this frequency; without a time if 0. */
static struct counters *timed_readings(double hz, bool times)
{
    static struct reading readings[20];
    for (uint64_t i = 0; i < 20; i++)
        readings[i] = (struct reading){1000 + (uint64_t)((double)(i * 500000000) * hz / 1e9), i, 0};
    struct counters *c = counters_of(readings, 20, true);
    for (uint64_t i = 0; times && i < 20; i++)
        c->readings[i].time_ns = 7000000000 + i * 500000000 + i * i * i % 1000000;
    struct error err = {0};
    EQUAL(counters_sort(c, &err), 0);
    return c;
}

static void readings_with_a_tsc_and_a_time_tell_the_frequency(void)
{
    double hz = 0, error_ppm = 0;
    struct counters *c = timed_readings(2.4e9, true);
    CHECK(counters_frequency(c, &hz, &error_ppm));
    CHECK(fabs(hz / 2.4e9 - 1) * 1e6 <= 3 * error_ppm);
    CHECK(error_ppm < 10);
    counters_free(c);
    c = timed_readings(2.4e9, false);
    CHECK(!counters_frequency(c, &hz, &error_ppm));
    counters_free(c);
    c = SORTED(true, {1200, 10, 0}, {1600, 50, 0});
    CHECK(!counters_frequency(c, &hz, &error_ppm));
    counters_free(c);
    c = SORTED(false, {1200, 10, 0}, {1600, 50, 0});
    CHECK(!counters_frequency(c, &hz, &error_ppm));
    counters_free(c);
}

CU_TestInfo counters_tests[] = {
    TEST(readings_with_a_tsc_and_a_time_tell_the_frequency),
    TEST(between_readings_counts_grow_evenly),
    TEST(outside_of_the_readings_nothing_is_counted),
    TEST(parts_of_events_stay_behind_until_they_are_whole),
    TEST(adjoining_stretches_add_up),
    TEST(a_count_that_falls_began_anew_from_0),
    TEST(readings_come_in_any_order),
    TEST(two_counts_at_one_moment_contradict_each_other),
    TEST(what_a_device_does_not_count_is_0),
    TEST(readings_are_lined_up_by_tsc),
    TEST(a_reading_before_the_trace_counts_in_proportion),
    TEST(readings_within_one_ns_are_a_step),
    TEST(the_largest_numbers_do_not_overflow),
    CU_TEST_INFO_NULL,
};
