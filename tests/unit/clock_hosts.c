/* The frequency of hosts of all kinds: within three times the error that is stated, or not known; never wrong and sure. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "clock_host.h"
#include "suites.h"

#define ANY_HOSTS 400

static bool measure(const struct clock_host *h, uint64_t seed, struct clock *c)
{
    struct clock_probe p = {0};
    *c = (struct clock){0};
    if (!clock_probe_init(&p))
        abort();
    clock_host_run(h, seed, &p);
    bool found = clock_probe_estimate(&p, c);
    clock_probe_free(&p);
    return found;
}

static bool is_right(const struct clock_host *h, const struct clock *c)
{
    return fabs(c->cpu_hz / h->hz - 1) * 1e6 <= 3 * c->error_ppm;
}

static const double every_hz[] = {1e6, 19.2e6, 24e6, 62.5e6, 100e6, 1e9, 1.8e9, 2.4e9, 3.7e9, 6e9};
#define EVERY_HZ(h)                                                                                          \
    for (size_t i = 0; i < sizeof every_hz / sizeof *every_hz && ((h).hz = every_hz[i], true); i++)

/* It is found, it is right, and is sure to so many ppm. */
static void check_sure(const struct clock_host *h, double ppm)
{
    struct clock c;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        CHECK(measure(h, seed, &c));
        CHECK(is_right(h, &c));
        CHECK(3 * c.error_ppm < ppm);
    }
}

static void usual_hosts_are_measured(void)
{
    struct clock_host h = {.lengths = RUNS_SPREAD,
                           .shortest_ns = 50000,
                           .longest_ns = 30000000,
                           .delay_ns = 3000,
                           .pcpus = 2,
                           .runs = 300};
    EVERY_HZ(h)
    check_sure(&h, 300);
    h.lost_every = 20;
    EVERY_HZ(h)
    check_sure(&h, 5000); /* chains of 20 runs and less */
}

/* A burner, and for 200 us between its runs somebody else: the short runs say which of the aliases is right. */
static void short_runs_between_long_ones_unwrap_them(void)
{
    static const uint64_t longest_ns[] = {4300000000, 5000000000, 8600000000, 30000000000};
    struct clock_host h = {
        .lengths = RUNS_TWO, .shortest_ns = 200000, .delay_ns = 2000, .pcpus = 4, .runs = 24};
    for (size_t k = 0; k < sizeof longest_ns / sizeof *longest_ns; k++) {
        h.longest_ns = longest_ns[k];
        EVERY_HZ(h)
        check_sure(&h, 10);
    }
}

/* Runs of 5 s and more, of different lengths: no payload means what it says, and only one frequency fits them all. */
static void runs_that_all_wrapped_are_measured_by_their_differences(void)
{
    struct clock_host h = {.lengths = RUNS_RANDOM,
                           .shortest_ns = 5000000000,
                           .longest_ns = 30000000000,
                           .delay_ns = 3000,
                           .pcpus = 4,
                           .runs = 30};
    struct clock c;
    for (unsigned step = 0; step < 17; step++) {
        h.hz = fmin(100e6 * pow(1.3, step), 6e9);
        CHECK(measure(&h, 7, &c));
        CHECK(is_right(&h, &c));
    }
}

/* All runs last 5 s: 2.4 GHz and its aliases say the same. */
static void runs_of_one_length_that_wrapped_leave_it_unknown(void)
{
    struct clock_host h = {
        .lengths = RUNS_ALIKE, .shortest_ns = 5000000000, .longest_ns = 5000000000, .pcpus = 4, .runs = 60};
    struct clock c;
    h.delay_ns = 1000;
    EVERY_HZ(h)
    CHECK(!measure(&h, 1, &c));
}

/* SWITCH_INFCONT each 10 ms within runs of 20 s. */
static void records_within_runs_measure(void)
{
    struct clock_host h = {.lengths = RUNS_ALIKE,
                           .shortest_ns = 20000000000,
                           .longest_ns = 20000000000,
                           .delay_ns = 3000,
                           .pcpus = 2,
                           .runs = 4,
                           .continues_ns = 10000000};
    EVERY_HZ(h)
    check_sure(&h, 30);
}

static void a_few_runs_say_little(void)
{
    struct clock_host h = {.lengths = RUNS_RANDOM,
                           .shortest_ns = 50000,
                           .longest_ns = 30000000,
                           .delay_ns = 5000,
                           .pcpus = 1,
                           .runs = 4};
    struct clock c;
    EVERY_HZ(h)
    for (uint64_t seed = 1; seed <= 20; seed++)
        CHECK(!measure(&h, seed, &c) || is_right(&h, &c));
}

static void no_host_has_a_wrong_clock_that_is_called_sure(void)
{
    size_t found = 0;
    for (uint64_t seed = 1; seed <= ANY_HOSTS; seed++) {
        struct clock_host h = clock_host_random(seed);
        struct clock c;
        if (!measure(&h, seed, &c))
            continue;
        found++;
        CHECK(is_right(&h, &c));
    }
    CHECK(found > ANY_HOSTS / 2);
}

CU_TestInfo clock_hosts_tests[] = {
    TEST(usual_hosts_are_measured),
    TEST(short_runs_between_long_ones_unwrap_them),
    TEST(runs_that_all_wrapped_are_measured_by_their_differences),
    TEST(runs_of_one_length_that_wrapped_leave_it_unknown),
    TEST(records_within_runs_measure),
    TEST(a_few_runs_say_little),
    TEST(no_host_has_a_wrong_clock_that_is_called_sure),
    CU_TEST_INFO_NULL,
};
