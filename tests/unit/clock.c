/* The frequency of the tsc, measured from what SWITCH_INFPREV says in ns; cycles to ns. */
#include <math.h>

#include "metrics/verdict.h"
#include "random.h"
#include "run_program.h"
#include "suites.h"

/*
 * Context switches on two pCPUs for 3 s: runs of 50 us to 8 ms, as Xen measures them with its own clock; the record
 * is written 0.3 to 3 us after the clock was read. Every `long_every`th run lasts 5 s (0: none).
 */
static void switches(struct trace_bytes *c, double hz, unsigned long_every)
{
    uint64_t random = 1;
    c->cycles_per_ns = hz / 1e9;
    for (unsigned p = 0; p < 2; p++) {
        on(c, p);
        mark(c, 0);
        uint64_t now = 0;
        for (unsigned i = 1; now < 3 * S + (long_every ? 300 * S : 0) && i < 3000; i++) {
            uint64_t run = 50 * US + random_below(&random, 7950 * US);
            if (long_every && i % long_every == 0)
                run = 5 * S; /* 705 032 704 in the payload */
            now += run;
            uint64_t delay = 300 + random_below(&random, 2700);
            rec_infprev(c, now + delay, i % 2 ? 1 : IDLE, i % 2 ? 0 : p, run);
            rec_infnext(c, now + delay + 200, i % 2 ? IDLE : 1, i % 2 ? p : 0, 0, 0xffffffff);
            if (i % 2)
                stops(c, now + delay + 400, 1, 0, BLOCKED);
        }
    }
}

static void measures_to_100_ppm(double hz, unsigned long_every)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    switches(&c, hz, long_every);
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    CHECK(r.clock.measured);
    CHECK(r.clock.pairs > 0);
    CHECK(fabs(r.clock.cpu_hz / hz - 1) < 100e-6);
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_frequency_is_measured_within_100_ppm(void)
{
    measures_to_100_ppm(24e6, 0); /* Arm */
    measures_to_100_ppm(1e9, 0);
    measures_to_100_ppm(2.4e9, 0);
    measures_to_100_ppm(5e9, 0);
}

static void a_run_longer_than_its_payload_can_tell_does_no_harm(void)
{
    measures_to_100_ppm(24e6, 50);
    measures_to_100_ppm(2.4e9, 50);
    measures_to_100_ppm(5e9, 7);
}

static enum verdict verdict_of(const struct clock *clock)
{
    static struct quality q;
    struct judgement j;
    q.records = 1000;
    verdict_judge(&j, &q, clock, 12 * S, 2, true);
    return j.verdict;
}

static void a_given_frequency_is_used_and_checked(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    switches(&c, 2.4e9, 0);
    struct result r = run(&c, (struct setup){.cpu_hz = 2e9});
    CHECK(!r.clock.measured);
    CHECK(r.clock.cpu_hz == 2e9);
    CHECK(fabs(r.clock.check_hz / 2.4e9 - 1) < 100e-6); /* but contradicted */
    CHECK(verdict_of(&r.clock) == VERDICT_POOR);
    result_free(&r);
    r = run(&c, (struct setup){.cpu_hz = 2.397e9});
    CHECK(verdict_of(&r.clock) == VERDICT_DEGRADED);
    result_free(&r);
    r = run(&c, (struct setup){.cpu_hz = 2.399e9}); /* rounded */
    CHECK(r.clock.check_pairs > 0 && verdict_of(&r.clock) == VERDICT_GOOD);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Every second domain 1 stops for 1 ms: each of 30 sweeps has two switches, and says nothing alone. */
static void a_given_frequency_is_checked_on_a_quiet_host_too(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    c.cycles_per_ns = 2.4;
    on(&c, 0);
    for (unsigned i = 1; i <= 30; i++) {
        for (unsigned idle = 0; idle < 2; idle++) {
            uint64_t t = i * S + idle * MS;
            rec_infprev(&c, t, idle ? IDLE : 1, 0, idle ? 1 * MS : 999 * MS);
            rec_infnext(&c, t + 200, idle ? 1 : IDLE, 0, 0, UINT32_MAX);
            rec_runstate(&c, t + 400, 1, 0, idle ? RUNNABLE : RUNNING, idle ? RUNNING : BLOCKED);
        }
        sweep(&c);
    }
    struct result r = run(&c, (struct setup){.cpu_hz = 2.424e9});
    CHECK(fabs(r.clock.check_hz / 2.4e9 - 1) < 100e-6);
    CHECK(verdict_of(&r.clock) == VERDICT_DEGRADED);
    result_free(&r);
    r = run(&c, (struct setup){.cpu_hz = 2.4e9});
    CHECK(r.clock.check_pairs > 0 && verdict_of(&r.clock) == VERDICT_GOOD);
    result_free(&r);
    trace_bytes_free(&c);
}

static void without_switches_the_frequency_is_not_invented(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    CHECK(!r.clock.measured);
    CHECK(r.clock.cpu_hz == 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/*
 * Core scheduling: two units share a core of two pCPUs, and each switch is written by the pCPU that decided it, now one, now
 * the other. In neither ring does a run end that began there.
 */
static void a_core_whose_pcpus_take_turns_is_measured(void)
{
    struct trace_bytes c;
    uint64_t random = 5, now = 0;
    trace_bytes_init(&c);
    c.cycles_per_ns = 2.4;
    for (unsigned i = 0; i < 300; i++) {
        uint64_t run = 1 * MS + random_below(&random, 9 * MS);
        now += run;
        on(&c, i % 2);
        rec_infprev(&c, now + 300, 1 + i % 3, 0, run);
        rec_infnext(&c, now + 330, 1 + (i + 1) % 3, 0, 0, 0xffffffff);
        rec_runstate(&c, now + 600, 1 + i % 3, 0, RUNNING, RUNNABLE);
        rec_runstate(&c, now + 630, 1 + (i + 1) % 3, 0, RUNNABLE, RUNNING);
        if (i % 20 == 19)
            sweep(&c);
    }
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    CHECK(fabs(r.clock.cpu_hz / 2.4e9 - 1) < 1e-6);
    CHECK(verdict_of(&r.clock) == VERDICT_GOOD);
    result_free(&r);
    trace_bytes_free(&c);
}

static void how_sure_the_frequency_is_decides(void)
{
    struct clock clock = {.cpu_hz = 2e9, .measured = true, .pairs = 100, .error_ppm = 300};
    CHECK(verdict_of(&clock) == VERDICT_GOOD);
    clock.error_ppm = 400; /* three of them: 0.12 % */
    CHECK(verdict_of(&clock) == VERDICT_DEGRADED);
    clock.error_ppm = 4000;
    CHECK(verdict_of(&clock) == VERDICT_POOR);
    clock = (struct clock){.cpu_hz = 0};
    CHECK(verdict_of(&clock) == VERDICT_POOR);
    clock = (struct clock){.cpu_hz = 2e9, .host_hz = 2.0008e9, .host_error_ppm = 10};
    CHECK(verdict_of(&clock) == VERDICT_GOOD); /* 400 ppm: NTP does as much */
    clock.host_hz = 2.002e9;
    CHECK(verdict_of(&clock) == VERDICT_DEGRADED);
    clock.host_hz = 2.1e9;
    CHECK(verdict_of(&clock) == VERDICT_POOR);
}

static void lost_records_break_the_chain_of_switches(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    c.cycles_per_ns = 2;
    on(&c, 0);
    mark(&c, 0);
    uint64_t now = 0;
    for (unsigned i = 0; i < 600; i++) {
        uint64_t run = (4 + i % 3) * MS;
        now += run;
        rec_infprev(&c, now, i % 2 ? 1 : IDLE, 0, run);
        if (i % 10 == 9) { /* three switches in the dark */
            rec_lost(&c, now + 15 * MS + 10 * US, 9, 1, 0, now + 1 * MS);
            now += 15 * MS;
        }
    }
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    CHECK(fabs(r.clock.cpu_hz / 2e9 - 1) < 1e-6);
    CHECK(r.clock.spread_ppm < 1);
    CHECK(r.clock.error_ppm < 100); /* the chains are 50 ms long */
    result_free(&r);
    trace_bytes_free(&c);
}

static void old_infprev_measures_as_well(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    c.cycles_per_ns = 3;
    on(&c, 0);
    mark(&c, 0);
    for (uint64_t i = 1, now = 0; i < 600; i++) {
        uint64_t run = (4 + i % 3) * MS;
        now += run;
        rec_infprev_old(&c, now, i % 2 ? 1 : IDLE, run);
    }
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    CHECK(fabs(r.clock.cpu_hz / 3e9 - 1) < 1e-6);
    result_free(&r);
    trace_bytes_free(&c);
}

static void cycles_become_ns_exactly_and_in_order(void)
{
    struct clock c = {0};
    clock_set(&c, 1000, 2.5e9);
    EQUAL(clock_ns(&c, 1000), 0);
    EQUAL(clock_ns(&c, 0), 0); /* before the start */
    EQUAL(clock_ns(&c, 1000 + 5), 2);
    EQUAL(clock_ns(&c, 1000 + 4), 1);
    EQUAL(clock_ns(&c, 1000 + 2500000000), 1000000000);
    EQUAL(clock_ns(&c, 1000 + 2500000000ull * 86400 * 365), 86400ull * 365 * 1000000000);
    clock_set(&c, 0, 24e6);
    EQUAL(clock_ns(&c, 24), 1000);
    EQUAL(clock_ns(&c, 1), 41);
    clock_set(&c, 0, 1e9);
    static const uint64_t far[] = {1, 999, 1ull << 32, 1ull << 53, 1ull << 62};
    for (unsigned i = 0; i < 5; i++)
        EQUAL(clock_ns(&c, far[i]), far[i]);
    clock_set(&c, 0, 2595918170);
    uint64_t last = 0;
    for (uint64_t tsc = 1; tsc < 1ull << 62; tsc += tsc / 3 + 1) {
        uint64_t ns = clock_ns(&c, tsc);
        CHECK(ns >= last);
        CHECK(ns <= clock_ns(&c, tsc + 1));
        last = ns;
    }
}

/* Two pCPUs switch every 5 ms; after `change_ns` the tsc runs faster by so many ppm. */
static struct clock measure_changing(uint64_t change_ns, double faster_ppm)
{
    struct trace_bytes c;
    uint64_t random = 3;
    trace_bytes_init(&c);
    c.cycles_per_ns = 2;
    for (uint64_t i = 1, end = 12 * S / (5 * MS); i < end; i++) {
        uint64_t now = i * 5 * MS, later = now > change_ns ? now - change_ns : 0;
        for (unsigned p = 0; p < 2; p++) {
            on(&c, p);
            uint64_t recorded =
                now + random_below(&random, 2000) + (uint64_t)((double)later * faster_ppm / 1e6);
            rec_infprev(&c, recorded, i % 2 ? 1 : IDLE, p, 5 * MS);
            rec_infnext(&c, recorded + 60, i % 2 ? IDLE : 1, p, 0, 0xffffffff);
            rec_runstate(&c, recorded + 300, 1, p, i % 2 ? RUNNING : RUNNABLE, i % 2 ? RUNNABLE : RUNNING);
        }
        if (i % 20 == 0)
            sweep(&c);
    }
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    struct clock clock = r.clock;
    result_free(&r);
    trace_bytes_free(&c);
    return clock;
}

static void later_records_check_the_frequency(void)
{
    struct clock steady = measure_changing(0, 0), changed = measure_changing(4 * S, 800);
    CHECK(steady.check_pairs >= 8 && steady.difference_ppm < 20);
    CHECK(verdict_of(&steady) == VERDICT_GOOD);
    CHECK(fabs(changed.cpu_hz / 2e9 - 1) < 50e-6); /* fixed at the beginning */
    CHECK(changed.difference_ppm > 600 &&
          changed.difference_ppm < 850); /* a part of what checks is unchanged */
    CHECK(verdict_of(&changed) == VERDICT_DEGRADED);
}

CU_TestInfo clock_tests[] = {
    TEST(the_frequency_is_measured_within_100_ppm),
    TEST(a_run_longer_than_its_payload_can_tell_does_no_harm),
    TEST(a_given_frequency_is_used_and_checked),
    TEST(a_given_frequency_is_checked_on_a_quiet_host_too),
    TEST(without_switches_the_frequency_is_not_invented),
    TEST(a_core_whose_pcpus_take_turns_is_measured),
    TEST(how_sure_the_frequency_is_decides),
    TEST(lost_records_break_the_chain_of_switches),
    TEST(old_infprev_measures_as_well),
    TEST(cycles_become_ns_exactly_and_in_order),
    TEST(later_records_check_the_frequency),
    CU_TEST_INFO_NULL,
};
