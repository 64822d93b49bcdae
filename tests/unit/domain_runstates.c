/* Xen's six runstates of a domain as a whole, and the seventh: not known. */
#include "metrics/measure/before_seen.h"
#include "run_program.h"
#include "suites.h"

static void two_vcpus_go_through_all_six(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    on(&c, 1);
    mark(&c, 0);
    /* vCPU 0 on pCPU 0, vCPU 1 on pCPU 1; both runnable at first: full contention 10 */
    on(&c, 0);
    starts(&c, 10 * MS, 1, 0); /* running + runnable: concurrency hazard 5 */
    on(&c, 1);
    starts(&c, 15 * MS, 1, 1);         /* full run 20 */
    stops(&c, 35 * MS, 1, 1, BLOCKED); /* partial run 7 */
    on(&c, 0);
    stops(&c, 42 * MS, 1, 0, RUNNABLE); /* partial contention 8 */
    starts(&c, 50 * MS, 1, 0);          /* partial run 1 */
    stops(&c, 51 * MS, 1, 0, OFFLINE);  /* blocked 9 */
    mark(&c, 60 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {40 * MS}});
    const int64_t *ns = ROW(&r, .domain = 1)->domain_ns;
    EQUAL(ns[DOMAIN_FULL_CONTENTION], 10 * MS);
    EQUAL(ns[DOMAIN_CONCURRENCY_HAZARD], 5 * MS);
    EQUAL(ns[DOMAIN_FULL_RUN], 20 * MS);
    EQUAL(ns[DOMAIN_PARTIAL_RUN], 8 * MS);
    EQUAL(ns[DOMAIN_PARTIAL_CONTENTION], 8 * MS);
    EQUAL(ns[DOMAIN_BLOCKED], 9 * MS);
    EQUAL(ns[DOMAIN_UNKNOWN], 0);
    EQUAL(ROW(&r, .every = 40 * MS, .at = 0, .domain = 1)->domain_ns[DOMAIN_PARTIAL_RUN], 5 * MS);
    EQUAL(ROW(&r, .every = 40 * MS, .at = 40 * MS, .domain = 1)->domain_ns[DOMAIN_PARTIAL_RUN], 3 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void one_unknown_vcpu_makes_the_domain_unknown(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 5 * MS, 1, 1);
    mark(&c, 40 * MS);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 5 * MS, 1, 0);
    rec_lost(&c, 30 * MS, 5, 1, 0, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN});
    const int64_t *ns = ROW(&r, .domain = 1)->domain_ns;
    EQUAL(ns[DOMAIN_FULL_CONTENTION], 5 * MS);
    EQUAL(ns[DOMAIN_FULL_RUN], 25 * MS);
    EQUAL(ns[DOMAIN_UNKNOWN], 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_vcpu_of_a_life_that_speaks_later_counts_from_the_start(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0); /* from here on: one runs, the other is blocked */
    rec_runstate(&c, 30 * MS, 1, 1, BLOCKED, RUNNABLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN});
    const int64_t *ns = ROW(&r, .domain = 1)->domain_ns;
    EQUAL(ns[DOMAIN_PARTIAL_CONTENTION], 10 * MS);
    EQUAL(ns[DOMAIN_PARTIAL_RUN], 20 * MS);
    EQUAL(ns[DOMAIN_CONCURRENCY_HAZARD], 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_runstate_follows_from_the_states_of_the_vcpus(void)
{
    static const struct {
        uint32_t in_state[RUNSTATES]; /* running, runnable, blocked, offline, unknown */
        enum domain_runstate expected;
    } cases[] = {
        {{1, 0, 0, 0, 0}, DOMAIN_FULL_RUN},
        {{3, 0, 0, 0, 0}, DOMAIN_FULL_RUN},
        {{0, 2, 0, 0, 0}, DOMAIN_FULL_CONTENTION},
        {{1, 1, 0, 0, 0}, DOMAIN_CONCURRENCY_HAZARD},
        {{1, 1, 5, 1, 0}, DOMAIN_CONCURRENCY_HAZARD},
        {{0, 0, 1, 0, 0}, DOMAIN_BLOCKED},
        {{0, 0, 0, 1, 0}, DOMAIN_BLOCKED},
        {{0, 0, 1, 1, 0}, DOMAIN_BLOCKED},
        {{1, 0, 1, 0, 0}, DOMAIN_PARTIAL_RUN},
        {{1, 0, 0, 1, 0}, DOMAIN_PARTIAL_RUN},
        {{0, 1, 1, 0, 0}, DOMAIN_PARTIAL_CONTENTION},
        {{0, 1, 0, 1, 0}, DOMAIN_PARTIAL_CONTENTION},
        {{1, 1, 1, 1, 1}, DOMAIN_UNKNOWN},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        EQUAL(domain_runstate_of(cases[i].in_state), cases[i].expected);
}

CU_TestInfo domain_runstates_tests[] = {
    TEST(two_vcpus_go_through_all_six),
    TEST(one_unknown_vcpu_makes_the_domain_unknown),
    TEST(a_vcpu_of_a_life_that_speaks_later_counts_from_the_start),
    TEST(the_runstate_follows_from_the_states_of_the_vcpus),
    CU_TEST_INFO_NULL,
};
