/* The simulated host beside its schedulers: its clock, interrupts between pCPUs, pauses, and who follows it. */
#include <stdlib.h>

#include "sim/host.h"
#include "sim/simulation.h"
#include "sim_run.h"
#include "suites.h"

#define HOG "'loads': [ { 'type': 'hog' } ]"
#define MS  1000000

/* ---- its clock ---- */

static int count_bytes(void *context, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)context += n;
    return 0;
}

static void system_time_advances_with_a_slow_counter(void)
{
    /* 24 MHz: a tick each 41 2/3 ns, at 0, 41.67 (42), 83.33 (84), 125 ns. */
    const struct scenario plan = {.cpu_hz = 24000000};
    const struct sim_host host = {
        .plan = &plan, .slow_tick_ns = 42, .cycles_per_ns = ((uint64_t)24 << 48) / 1000 + 1};
    EQUAL(host_system_time(&host, 0), 0);
    EQUAL(host_system_time(&host, 41), 0);
    EQUAL(host_system_time(&host, 42), 42);
    EQUAL(host_system_time(&host, 83), 42);
    EQUAL(host_system_time(&host, 84), 84);
    EQUAL(host_system_time(&host, 125), 125);
    EQUAL(host_tsc(&host, 125) - host_tsc(&host, 0), 3);
}

static void a_timer_of_a_slow_counter_is_due_at_a_tick(void)
{
    /* 1 MHz: what takes 2.5 us ends after 3. */
    struct scenario *plan =
        sim_scenario("10", ", 'instant': true",
                     "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_ns': 2500, 'off_us': 40 } ] }");
    const struct simulation_sink sink = {.context = &(size_t){0}, .write = count_bytes};
    plan->cpu_hz = 1000000;
    struct simulation *s = simulation_new(plan, &sink, NULL);
    CU_ASSERT_FATAL(s != NULL);
    const struct sim_host *host = simulation_host(s);
    EQUAL(host->handover_ns, 1000);
    EQUAL(simulation_run(s, NULL), 0);
    EQUAL(host->vcpus[0].changed_ns % 1000, 0);
    CHECK(host->vcpus[0].changed_ns > 9 * MS);
    simulation_free(s);
    scenario_free(plan);
}

static void acts_of_an_instant_host_take_no_time(void)
{
    struct sim_run r =
        sim_run("20", ", 'instant': true",
                "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_us': 3000, 'off_us': 5000 } ] }");
    CHECK(r.count >= 2);
    /* The next holder of a vCPU's lock has it a tick later, here 1 ns: it runs so long after it was woken. */
    EQUAL(r.spans[0].from_ns, 1);
    EQUAL(r.spans[0].to_ns, 3 * MS + 1);
    EQUAL(r.spans[1].from_ns, 8 * MS + 2);
    EQUAL(r.spans[1].to_ns, 11 * MS + 2);
    sim_run_end(&r);
}

/* ---- interrupts between pCPUs ---- */

static void a_vcpu_that_is_parked_from_afar_runs_until_then(void)
{
    /* pCPU 0 accounts at 30 ms: what ran on pCPU 1 has -300 + 60 credits, less than its cap of 20 % allows. */
    struct sim_run r = sim_run("100", ", 'scheduler': 'credit', 'pcpus': 2",
                               "{ 'id': 1, 'pin': 1, 'cap_pct': 20, " HOG " }");
    RAN(&r, 1, 0, 30000);
    sim_run_end(&r);
}

/* ---- blocks ---- */

static void count_event(void *context, const struct sim_pcpu *pcpu, enum trace_event event, uint64_t at_ns,
                        const uint32_t *words, unsigned count)
{
    uint64_t *counts = context;
    (void)pcpu;
    (void)at_ns;
    (void)words;
    (void)count;
    counts[event]++;
}

static void ignore_change(void *context, const struct sim_pcpu *on, const struct sim_vcpu *v,
                          enum sim_runstate to, uint64_t at_ns)
{
    (void)context;
    (void)on;
    (void)v;
    (void)to;
    (void)at_ns;
}

static void a_block_that_an_interrupt_overtakes_is_none(void)
{
    /* Half of the blocks fail: two for each sleep, which ends with another wake. Each time the scheduler goes on with it. */
    uint64_t counts[TRC_EVENT_COUNT] = {0};
    const struct sim_tap tap = {counts, count_event, ignore_change, NULL};
    const struct simulation_sink sink = {.context = &(size_t){0}, .write = count_bytes};
    struct scenario *plan =
        sim_scenario("1000", "",
                     "{ 'id': 1, 'block_race_pct': 50, 'timer_us': 1, 'loads': [ { 'type': "
                     "'on_off', 'on_us': 300, 'off_us': 700 } ] }");
    struct simulation *s = simulation_new(plan, &sink, NULL);
    CU_ASSERT_FATAL(s != NULL);
    simulation_follow(s, &tap);
    EQUAL(simulation_run(s, NULL), 0);
    uint64_t slept = counts[TRC_RUNSTATE_CHANGE + SIM_RUNNING * 4 + SIM_BLOCKED],
             woken = counts[TRC_RUNSTATE_CHANGE + SIM_BLOCKED * 4 + SIM_RUNNABLE];
    WITHIN(slept, 900, 1001);
    WITHIN(counts[TRC_BLOCK], slept * 17 / 10, slept * 23 / 10);
    EQUAL(counts[TRC_WAKE] - woken, counts[TRC_BLOCK] - slept);
    WITHIN(counts[TRC_CONTINUE_RUNNING], counts[TRC_BLOCK] - slept, counts[TRC_BLOCK] - slept + 50);
    simulation_free(s);
    scenario_free(plan);
}

/* ---- xl pause ---- */

#define PAUSED_HOG "{ 'id': 1, 'pin': 1, 'pause_ms': 5, 'pause_every_ms': 20, " HOG " }"

static void a_paused_domain_is_offline(void)
{
    /* 25 ms a round on the average: 40 pauses of 5 ms in a second, and 800 ms of running. */
    struct sim_run r = sim_run("1000", ", 'pcpus': 2", PAUSED_HOG);
    WITHIN(sim_truth(&r, 1, "offline_ns"), 120 * MS, 280 * MS);
    WITHIN(sim_truth(&r, 1, "runnable_ns"), 0, MS);
    WITHIN(sim_truth(&r, 1, "running_ns"), 600 * MS, 880 * MS);
    WITHIN(r.count, 25, 60);
    sim_run_end(&r);
}

static void a_pause_leaves_a_sleeper_asleep_until_it_is_woken(void)
{
    /* It wakes once, at the beginning, and then sleeps: no pause is seen. */
    struct sim_run r =
        sim_run("200", ", 'pcpus': 2", "{ 'id': 1, 'pin': 1, 'pause_ms': 5, 'pause_every_ms': 20 }");
    WITHIN(sim_truth(&r, 1, "blocked_ns"), 100 * MS, 200 * MS);
    EQUAL(sim_truth(&r, 1, "offline_ns"), 0);
    sim_run_end(&r);
}

static void what_dies_while_it_is_paused_stays_dead(void)
{
    struct sim_run r =
        sim_run("200", ", 'pcpus': 2",
                "{ 'id': 1, 'destroyed_ms': 100, 'pause_ms': 50, 'pause_every_ms': 5, " HOG " }");
    int64_t lived = sim_truth(&r, 1, "running_ns") + sim_truth(&r, 1, "runnable_ns") +
                    sim_truth(&r, 1, "offline_ns") + sim_truth(&r, 1, "blocked_ns");
    WITHIN(lived, 105 * MS, 106 * MS);
    for (size_t i = 0; i < r.count; i++)
        CHECK(r.spans[i].to_ns < 101 * MS);
    sim_run_end(&r);
}

/* ---- who follows it ---- */

struct follower {
    uint64_t wakes, changes, lives;
    uint64_t last_ns; /* of the vCPU's last change */
    bool goes_back;
};

static void follow_record(void *context, const struct sim_pcpu *pcpu, enum trace_event event, uint64_t at_ns,
                          const uint32_t *words, unsigned count)
{
    struct follower *f = context;
    (void)pcpu;
    (void)at_ns;
    (void)words;
    (void)count;
    f->wakes += event == TRC_WAKE;
}

static void follow_change(void *context, const struct sim_pcpu *on, const struct sim_vcpu *v,
                          enum sim_runstate to, uint64_t at_ns)
{
    struct follower *f = context;
    (void)on;
    if (vcpu_is_idle(v))
        return;
    f->goes_back |= at_ns < f->last_ns || v->runstate == to;
    f->last_ns = at_ns;
    f->changes++;
}

static void follow_life(void *context, const struct sim_domain *d)
{
    struct follower *f = context;
    f->lives++;
    CHECK(d->alive ? d->born_ns >= 10 * MS : d->died_ns >= 65 * MS);
}

static uint64_t wakes_in_trace(const struct sim_host *host)
{
    uint64_t n = 0;
    for (size_t i = 0; i < host->plan->pcpus; i++)
        n += host->pcpus[i].ring.count[TRC_WAKE];
    return n;
}

static void a_host_that_is_followed_writes_no_trace_and_does_the_same(void)
{
    const char domains[] =
        "{ 'id': 1, 'created_ms': 10, 'destroyed_ms': 60, 'pause_ms': 1, 'pause_every_ms': 10, "
        "'loads': [ { 'type': 'on_off', 'on_us': 200, 'off_us': 300, 'distribution': "
        "'exponential' } ] }";
    struct follower f = {0};
    const struct sim_tap tap = {&f, follow_record, follow_change, follow_life};
    uint64_t wakes[2];
    size_t bytes[2] = {0};
    for (int followed = 0; followed < 2; followed++) {
        const struct simulation_sink sink = {.context = &bytes[followed], .write = count_bytes};
        struct scenario *plan = sim_scenario("100", "", domains);
        struct simulation *s = simulation_new(plan, &sink, NULL);
        CU_ASSERT_FATAL(s != NULL);
        if (followed)
            simulation_follow(s, &tap);
        EQUAL(simulation_run(s, NULL), 0);
        wakes[followed] = wakes_in_trace(simulation_host(s));
        simulation_free(s);
        scenario_free(plan);
    }
    CHECK(bytes[0] > 0 && wakes[0] > 50);
    EQUAL(bytes[1], 0);
    EQUAL(wakes[1], 0);
    EQUAL(f.wakes, wakes[0]);
    EQUAL(f.lives, 2);
    CHECK(f.changes > 4 * 50);
    CHECK(!f.goes_back);
}

CU_TestInfo sim_host_tests[] = {
    TEST(system_time_advances_with_a_slow_counter),
    TEST(a_timer_of_a_slow_counter_is_due_at_a_tick),
    TEST(acts_of_an_instant_host_take_no_time),
    TEST(a_vcpu_that_is_parked_from_afar_runs_until_then),
    TEST(a_block_that_an_interrupt_overtakes_is_none),
    TEST(a_paused_domain_is_offline),
    TEST(a_pause_leaves_a_sleeper_asleep_until_it_is_woken),
    TEST(what_dies_while_it_is_paused_stays_dead),
    TEST(a_host_that_is_followed_writes_no_trace_and_does_the_same),
    CU_TEST_INFO_NULL,
};
