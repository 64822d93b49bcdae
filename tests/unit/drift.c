/* Xen's clock and the time stamps go apart somewhere after the frequency was measured. */
#include <stdlib.h>
#include <string.h>

#include "metrics/verdict.h"
#include "random.h"
#include "run_program.h"
#include "suites.h"

#define EVERY_NS (4 * MS) /* a switch, so that runs are as long */
#define SPAN_NS  (20 * S)

/* Where Xen's clock goes faster than the time stamps, and by how much. */
struct stretch_off {
    uint64_t from_ns, to_ns;
    double ppm;
};

/* Two pCPUs switch between a vCPU and the idle one; records come up to 2 us after the switch. */
static struct quality drifting(const struct stretch_off *off, size_t n, bool runstates)
{
    struct trace_bytes c;
    uint64_t random = 5;
    trace_bytes_init(&c);
    c.cycles_per_ns = 2;
    for (uint64_t i = 1; i < SPAN_NS / EVERY_NS; i++) {
        uint64_t now = i * EVERY_NS, ran_ns = EVERY_NS;
        for (size_t k = 0; k < n; k++)
            if (now > off[k].from_ns && now <= off[k].to_ns)
                ran_ns = (uint64_t)((double)EVERY_NS * (1 + off[k].ppm / 1e6));
        for (unsigned p = 0; p < 2; p++) {
            uint64_t recorded = now + random_below(&random, 2000);
            on(&c, p);
            rec_infprev(&c, recorded, i % 2 ? 1 : IDLE, p, ran_ns);
            rec_infnext(&c, recorded + 60, i % 2 ? IDLE : 1, p, 0, 0xffffffff);
            if (!runstates)
                continue;
            rec_runstate(&c, recorded + 300, i % 2 ? 1 : IDLE, p, RUNNING, RUNNABLE);
            rec_runstate(&c, recorded + 340, i % 2 ? IDLE : 1, p, RUNNABLE, RUNNING);
        }
        if (i % 25 == 0)
            sweep(&c);
    }
    struct result r = run(&c, (struct setup){.cpu_hz = -1});
    struct quality q = r.quality;
    result_free(&r);
    trace_bytes_free(&c);
    return q;
}

static enum verdict verdict_of(const struct quality *q)
{
    struct judgement j;
    const struct clock clock = {.cpu_hz = 2e9, .measured = true, .pairs = 20, .error_ppm = 10};
    verdict_judge(&j, q, &clock, SPAN_NS, 2, true);
    return j.verdict;
}

static void clocks_that_go_together_are_not_counted(void)
{
    for (int runstates = 0; runstates < 2; runstates++) {
        struct quality q = drifting(NULL, 0, runstates);
        EQUAL(q.clock_off_ns, 0);
        EQUAL(q.clock_off_ppm, 0);
    }
}

static void what_goes_apart_late_takes_the_good_verdict_away(void)
{
    const struct stretch_off late = {16 * S, SPAN_NS, 7000}, very_late = {19 * S, SPAN_NS, 30000};
    for (int runstates = 0; runstates < 2; runstates++) {
        struct quality q = drifting(&late, 1, runstates);
        CHECK(q.clock_off_ppm > 6900 && q.clock_off_ppm < 7100);
        CHECK(q.clock_off_ns > 4 * S && q.clock_off_ns <= 8 * S);
        CHECK(q.clock_off_at_ns >= 16 * S - EVERY_NS && q.clock_off_at_ns < 19 * S);
        CHECK(verdict_of(&q) == VERDICT_DEGRADED);
        q = drifting(&very_late, 1, runstates);
        CHECK(q.clock_off_ns > 0 && q.clock_off_at_ns >= 18 * S);
        CHECK(verdict_of(&q) != VERDICT_GOOD);
    }
}

static void runs_that_are_all_far_off_are_counted_too(void)
{
    const struct stretch_off half = {10 * S, SPAN_NS, 500000};
    struct quality q = drifting(&half, 1, true);
    CHECK(q.clock_off_ppm > 450000 && q.clock_off_ppm <= 500001);
    CHECK(q.clock_off_ns > 12 * S);
    CHECK(verdict_of(&q) == VERDICT_POOR);
}

/* As on emulated hosts: 6 ms ahead within a second, and back. */
static void a_clock_that_slips_and_comes_back_does_no_harm(void)
{
    const struct stretch_off slip[] = {{8 * S, 9 * S, 6000}, {10 * S, 11 * S, -6000}};
    struct quality q = drifting(slip, 2, true);
    EQUAL(q.clock_off_ns, 0);
}

CU_TestInfo drift_tests[] = {
    TEST(clocks_that_go_together_are_not_counted),
    TEST(what_goes_apart_late_takes_the_good_verdict_away),
    TEST(runs_that_are_all_far_off_are_counted_too),
    TEST(a_clock_that_slips_and_comes_back_does_no_harm),
    CU_TEST_INFO_NULL,
};
