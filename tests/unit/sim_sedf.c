/* SEDF by its face, at moments of the test's own choice: what a late decision, and an allowance from outside, change. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sim/scheduler_ops.h"
#include "sim/simulation.h"
#include "suites.h"

#define MS ((uint64_t)1000000)

struct bench {
    struct scenario *plan;
    struct simulation *simulation;
    struct sim_host *host;
    struct sim_pcpu *pcpu;
    struct sim_vcpu *vcpu;
};

static int take_nothing(void *context, const void *bytes, size_t n)
{
    (void)context;
    (void)bytes;
    (void)n;
    return 0;
}

/* Domain 1 has 10 ms of 100 ms, and wakes at 0. */
static struct bench begin(void)
{
    static const char text[] = "{ \"duration_s\": 1, \"host\": { \"scheduler\": \"sedf\" },"
                               "  \"domains\": [ { \"id\": 1, \"slice_ms\": 10, \"period_ms\": 100 } ] }";
    static const struct simulation_sink sink = {.write = take_nothing};
    struct bench b = {.plan = scenario_read(text, strlen(text), "", 0, NULL)};
    CU_ASSERT_FATAL(b.plan != NULL);
    b.simulation = simulation_new(b.plan, &sink, NULL);
    CU_ASSERT_FATAL(b.simulation != NULL);
    b.host = simulation_host(b.simulation);
    b.pcpu = &b.host->pcpus[0];
    b.vcpu = &b.host->vcpus[0];
    b.vcpu->blocked = false;
    b.vcpu->runstate = SIM_RUNNABLE;
    b.host->scheduler->wake(b.host->scheduler_state, b.pcpu, b.vcpu);
    return b;
}

static void end(struct bench *b)
{
    simulation_free(b->simulation);
    scenario_free(b->plan);
}

/* The pCPU decides at that time and does what was decided. Returns whether the vCPU runs, and in *slice_ns how long. */
static bool decides(struct bench *b, uint64_t now_ns, uint64_t *slice_ns)
{
    struct sim_decision d = b->host->scheduler->schedule(b->host->scheduler_state, b->pcpu, now_ns);
    b->pcpu->current = d.next;
    *slice_ns = d.slice_ns;
    return d.next == b->vcpu;
}

static void what_a_vcpu_ran_too_long_is_taken_from_its_next_slice(void)
{
    struct bench b = begin();
    uint64_t slice_ns;
    CHECK(decides(&b, 0, &slice_ns));
    EQUAL(slice_ns, 10 * MS);
    CHECK(!decides(&b, 13 * MS, &slice_ns)); /* 3 ms late; it sleeps until its next period */
    EQUAL(slice_ns, 87 * MS);
    CHECK(decides(&b, 100 * MS, &slice_ns));
    EQUAL(slice_ns, 7 * MS);
    CHECK(!decides(&b, 107 * MS, &slice_ns));
    CHECK(decides(&b, 200 * MS, &slice_ns));
    EQUAL(slice_ns, 10 * MS);
    end(&b);
}

static void an_overrun_of_more_than_a_slice_costs_a_whole_period(void)
{
    struct bench b = begin();
    uint64_t slice_ns;
    CHECK(decides(&b, 0, &slice_ns));
    CHECK(!decides(&b, 24 * MS, &slice_ns)); /* its slices of 0 and of 100 ms, and 4 ms of that of 200 ms */
    EQUAL(slice_ns, 176 * MS);
    CHECK(decides(&b, 200 * MS, &slice_ns));
    EQUAL(slice_ns, 6 * MS);
    end(&b);
}

static void a_missed_deadline_gives_a_fresh_slice(void)
{
    struct bench b = begin();
    uint64_t slice_ns;
    CHECK(decides(&b, 95 * MS, &slice_ns));
    EQUAL(slice_ns, 10 * MS);
    CHECK(decides(&b, 102 * MS, &slice_ns)); /* 3 ms are left, but the deadline was at 100 ms */
    EQUAL(slice_ns, 10 * MS);
    CHECK(!decides(&b, 112 * MS, &slice_ns));
    EQUAL(slice_ns, 88 * MS);
    end(&b);
}

static void an_allowance_takes_the_place_of_the_slice_from_the_next_period_on(void)
{
    struct bench b = begin();
    uint64_t slice_ns;
    CHECK(decides(&b, 0, &slice_ns));
    b.host->scheduler->set_allowance(b.host->scheduler_state, b.vcpu->domain, 4 * MS, 100 * MS);
    CHECK(decides(&b, 5 * MS, &slice_ns));
    EQUAL(slice_ns, 5 * MS); /* this period is as it was */
    CHECK(!decides(&b, 10 * MS, &slice_ns));
    CHECK(decides(&b, 100 * MS, &slice_ns));
    EQUAL(slice_ns, 4 * MS);
    b.host->scheduler->set_allowance(b.host->scheduler_state, b.vcpu->domain, 500 * MS, 100 * MS);
    CHECK(!decides(&b, 104 * MS, &slice_ns));
    CHECK(decides(&b, 200 * MS, &slice_ns));
    EQUAL(slice_ns, 100 * MS); /* no more than the period */
    end(&b);
}

static void an_allowance_of_nothing_does_not_starve_a_vcpu(void)
{
    struct bench b = begin();
    uint64_t slice_ns;
    CHECK(decides(&b, 0, &slice_ns));
    b.host->scheduler->set_allowance(b.host->scheduler_state, b.vcpu->domain, 0, 100 * MS);
    CHECK(!decides(&b, 10 * MS, &slice_ns));
    CHECK(decides(&b, 100 * MS, &slice_ns));
    EQUAL(slice_ns, 5000);
    end(&b);
}

/* The truth's running time of domain 1 in that second. */
static uint64_t ran_ns(const json_t *truth, size_t second)
{
    const json_t *amounts = json_array_get(json_object_get(truth, "seconds"), second);
    const json_t *domain = json_array_get(json_object_get(amounts, "domains"), 0);
    const json_t *vcpu = json_array_get(json_object_get(domain, "vcpus"), 0);
    return (uint64_t)json_integer_value(json_object_get(vcpu, "running_ns"));
}

static void an_allowance_is_set_after_its_delay(void)
{
    static const char text[] =
        "{ \"duration_s\": 3, \"host\": { \"scheduler\": \"sedf\" }, \"trace\": { \"sweep_ms\": 50 },"
        "  \"domains\": [ { \"id\": 1, \"slice_ms\": 10, \"period_ms\": 100, \"loads\": [ { \"type\": "
        "\"hog\" } ] } ] }";
    static const struct simulation_sink sink = {.write = take_nothing};
    struct scenario *plan = scenario_read(text, strlen(text), "", 0, NULL);
    CU_ASSERT_FATAL(plan != NULL);
    struct simulation *s = simulation_new(plan, &sink, NULL);
    CU_ASSERT_FATAL(s != NULL);
    /* The sweep at 50 ms. During its slices at 0.9 s and 1.9 s it is allowed 6 % and 20 % from the next period on. */
    EQUAL(simulation_step(s, NULL), 1);
    EQUAL(simulation_allow(s, 1, 20, 100, 1853 * MS, NULL), 0);
    EQUAL(simulation_allow(s, 1, 6, 100, 855 * MS, NULL), 0);
    EQUAL(simulation_run(s, NULL), 0);
    json_t *truth = simulation_truth(s);
    CHECK(ran_ns(truth, 0) / MS == 100 || ran_ns(truth, 0) / MS == 99);
    CHECK(ran_ns(truth, 1) / MS == 60 || ran_ns(truth, 1) / MS == 59);
    CHECK(ran_ns(truth, 2) / MS >= 190 && ran_ns(truth, 2) / MS <= 200); /* to the last record */
    json_decref(truth);
    simulation_free(s);
    scenario_free(plan);
}

CU_TestInfo sim_sedf_tests[] = {
    TEST(what_a_vcpu_ran_too_long_is_taken_from_its_next_slice),
    TEST(an_overrun_of_more_than_a_slice_costs_a_whole_period),
    TEST(a_missed_deadline_gives_a_fresh_slice),
    TEST(an_allowance_takes_the_place_of_the_slice_from_the_next_period_on),
    TEST(an_allowance_of_nothing_does_not_starve_a_vcpu),
    TEST(an_allowance_is_set_after_its_delay),
    CU_TEST_INFO_NULL,
};
