/* pCPUs that were never recorded, although vCPUs ran there. */
#include "metrics/model/unseen.h"
#include "run_program.h"
#include "suites.h"

/* A round of 20 ms that begins at t: domain 1 runs 5 ms on pCPU 0; then it is woken, and runs and blocks on another one. */
static void round_at(struct trace_bytes *c, uint64_t t)
{
    rec_runstate(c, t, 1, 0, BLOCKED, RUNNABLE);
    starts(c, t, 1, 0);
    stops(c, t + 5 * MS, 1, 0, BLOCKED);
    rec_runstate(c, t + 10 * MS, 1, 0, BLOCKED, RUNNABLE);
}

/* So many rounds; then 10 ms in which nothing happens. Another domain, that sleeps, is seen at the beginning. */
static void rounds(struct trace_bytes *c, unsigned n)
{
    trace_bytes_init(c);
    on(c, 0);
    rec_runstate(c, 0, 2, 0, RUNNABLE, BLOCKED);
    for (unsigned i = 0; i < n; i++) {
        round_at(c, i * 20 * MS);
        sweep(c);
    }
    mark(c, n * 20 * MS);
}

static void what_happened_on_an_unseen_pcpu_is_unknown_not_runnable(void)
{
    struct trace_bytes c;
    rounds(&c, 40);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    /* each round 5 ms running, 5 blocked (the record before fits), 10 that are contradicted, or end with the trace */
    STATES(m, 40 * 5 * MS, 0, 40 * 5 * MS, 0, 40 * 10 * MS);
    EQUAL(m->doubtful_ns, 40 * 5 * MS);
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.skew_max_ns, 0);
    /* who is off a pCPU may be on that one */
    STATES(ROW(&r, .domain = 2), 0, 0, 800 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 800 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void rows_are_unknown_from_the_start_or_from_when_it_is_known(void)
{
    struct trace_bytes c;
    rounds(&c, 200);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {20 * MS}});
    for (uint64_t at = 0; at < 4 * S; at += 20 * MS)
        STATES(ROW(&r, .every = 20 * MS, .at = at, .domain = 1), 5 * MS, 0, 5 * MS, 0, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
    /* for two seconds it only runs where it is seen */
    trace_bytes_init(&c);
    for (uint64_t t = 0; t < 4 * S; t += 20 * MS) {
        rec_runstate(&c, t, 1, 0, BLOCKED, RUNNABLE);
        starts(&c, t, 1, 0);
        stops(&c, t + 5 * MS, 1, 0, BLOCKED);
        if (t >= 2 * S)
            rec_runstate(&c, t + 10 * MS, 1, 0, BLOCKED, RUNNABLE);
        sweep(&c);
    }
    r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}});
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(ROW(&r, .every = 1 * S, .at = 0, .domain = 1)->doubtful_ns, 0);
    /* over all, what was handed out before is doubtful, too: 15 ms of each of 100 rounds, and 5 of those after */
    CHECK(ROW(&r, .domain = 1)->doubtful_ns >= 100 * 15 * (int64_t)MS);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, r.quality.doubtful_ns);
    CHECK(ROW(&r, .domain = 1)->wait.count < 100); /* the rounds before have no sample */
    /* the trace ends with the last wake, at 3990 ms */
    STATES(ROW(&r, .every = 1 * S, .at = 3 * S, .domain = 1), 250 * MS, 0, 250 * MS, 0, 490 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void who_is_first_seen_late_may_have_run_there_before(void)
{
    struct trace_bytes c;
    rounds(&c, 40);
    rec_runstate(&c, 800 * MS, 3, 0, BLOCKED, RUNNABLE);
    starts(&c, 800 * MS, 3, 0);
    mark(&c, 810 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 3), 10 * MS, 0, 0, 0, 800 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Only pCPU 0 was read, and not all of its window: others may exist, and have run whom it woke. */
static void a_capture_cut_in_its_first_sweep_may_lack_pcpus(void)
{
    for (unsigned missing = 0; missing < 9; missing += 4) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        for (uint64_t t = 0; t < 100 * MS; t += 20 * MS)
            rec_runstate(&c, t, 1, 0, t % (40 * MS) ? RUNNABLE : BLOCKED, t % (40 * MS) ? BLOCKED : RUNNABLE);
        sweep(&c);
        c.file.n -= missing;
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        const struct measures *m = ROW(&r, .domain = 1);
        EQUAL(m->doubtful_ns + m->state_ns[RUNSTATE_UNKNOWN], missing ? r.end_ns : 0);
        EQUAL(r.quality.unseen_pcpus, 0);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

#define TICKLE 0x00022206 /* credit2's: {cpu:u16} */

/* Each round domain 1 runs on pCPU 0, and pCPU `tickled` is woken up for somebody; pCPU 3 writes from `writes_at` on. */
static struct result run_tickles(uint32_t tickled, uint64_t writes_at)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 0; t < 600 * MS; t += 20 * MS) {
        on(&c, 0);
        rec_runstate(&c, t, 1, 0, BLOCKED, RUNNABLE);
        starts(&c, t, 1, 0);
        record(&c, t + 1 * MS, TICKLE, 1, &tickled);
        stops(&c, t + 5 * MS, 1, 0, BLOCKED);
        on(&c, 3);
        if (t >= writes_at)
            rec_continue(&c, t, IDLE, 3);
        sweep(&c);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    trace_bytes_free(&c);
    return r;
}

static void a_pcpu_that_is_woken_up_and_never_writes_is_unseen(void)
{
    struct result r = run_tickles(3, UINT64_MAX);
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns + ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 585 * MS);
    result_free(&r);
    r = run_tickles(3, 20 * MS); /* its first record comes a sweep later */
    EQUAL(r.quality.unseen_pcpus, 0);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 0);
    result_free(&r);
    r = run_tickles(0, UINT64_MAX); /* it is itself that is woken up */
    EQUAL(r.quality.unseen_pcpus, 0);
    result_free(&r);
}

static void few_contradictions_prove_nothing(void)
{
    struct trace_bytes c;
    rounds(&c, 3); /* two of them */
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 0);
    EQUAL(r.quality.inconsistent, 2);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* All vCPUs contradict at once: another capture was joined on, and none of them does so again. */
static void one_contradiction_of_each_vcpu_proves_nothing(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint32_t vcpu = 0; vcpu < 8; vcpu++)
        rec_runstate(&c, 1 * MS, 1, vcpu, RUNNABLE, BLOCKED);
    for (uint32_t vcpu = 0; vcpu < 8; vcpu++)
        rec_runstate(&c, 9 * MS, 1, vcpu, OFFLINE, RUNNABLE);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 0);
    EQUAL(r.quality.inconsistent, 8);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Five vCPUs in turn are woken, and woken again though nobody saw them run: of each of them it is rare. */
static void contradictions_of_many_vcpus_prove_it_when_one_has_two(void)
{
    for (unsigned rounds_n = 2; rounds_n <= 3; rounds_n++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        for (uint64_t t = 0; t < rounds_n * 50 * MS; t += 10 * MS)
            rec_runstate(&c, t, 1, (uint32_t)(t / (10 * MS) % 5), BLOCKED, RUNNABLE);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        EQUAL(r.quality.unseen_pcpus, rounds_n == 3);
        EQUAL(r.quality.inconsistent, rounds_n == 3 ? 0 : 5);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* pCPU 2 wrote nothing before: who is switched out there ran there all the time, unread pCPUs or not. */
static void who_ran_on_a_recorded_pcpu_did_not_run_elsewhere(void)
{
    struct trace_bytes c;
    rounds(&c, 40);
    on(&c, 2);
    stops(&c, 805 * MS, 3, 0, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 1);
    STATES(ROW(&r, .domain = 3), 805 * MS, 0, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 3)->doubtful_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Numbers 0, 2, 4, 6, as with smt=off, and idle pCPUs that wrote once: all was recorded. */
static void missing_numbers_are_no_proof(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned pcpu = 0; pcpu < 8; pcpu += 2) {
        on(&c, pcpu);
        rec_continue(&c, 0, IDLE, pcpu);
    }
    for (uint64_t t = 0; t < 1 * S; t += 20 * MS) {
        on(&c, t / (20 * MS) % 2 ? 2 : 6);
        rec_runstate(&c, t, 1, 0, BLOCKED, RUNNABLE);
        starts(&c, t, 1, 0);
        stops(&c, t + 5 * MS, 1, 0, BLOCKED);
        sweep(&c);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 0);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 0);
    EQUAL(r.quality.pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* pCPU 0's dispatch seems to come before the wake on pCPU 1, whose clock is 4 us ahead. */
static void clocks_that_are_apart_are_no_proof(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 1 * MS; t < 400 * MS; t += 20 * MS) {
        on(&c, 1);
        rec_runstate(&c, t + 4 * US, 1, 0, BLOCKED, RUNNABLE);
        on(&c, 0);
        starts(&c, t + 1 * US, 1, 0);
        stops(&c, t + 5 * MS, 1, 0, BLOCKED);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 0);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/*
 * A vCPU runs 5 ms on pCPU 0 and 5 ms on pCPU 1 by turns; from 2 s on pCPU 1's stamps are 12 ms late, and no SWITCH_INFPREV shows
 * it. Each switch to pCPU 0 contradicts what went before. What is known of the vCPU is no more than that.
 */
static void records_that_contradict_each_other_all_the_time_are_not_relied_on(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 1 * MS; t < 4 * S; t += 10 * MS) {
        uint64_t late = t > 2 * S ? 12 * MS : 0;
        on(&c, 0);
        starts(&c, t, 1, 0);
        stops(&c, t + 5 * MS, 1, 0, RUNNABLE);
        on(&c, 1);
        starts(&c, t + 5 * MS + late, 1, 0);
        stops(&c, t + 10 * MS + late, 1, 0, RUNNABLE);
        if (t % (100 * MS) > 90 * MS)
            sweep(&c);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    int64_t unsure_ns = m->doubtful_ns + m->state_ns[RUNSTATE_UNKNOWN];
    CHECK(r.quality.inconsistent >= 16);
    EQUAL(r.quality.unseen_pcpus, 0);
    CHECK(m->state_ns[RUNSTATE_RUNNING] - m->doubtful_ns <= 4000 * 1000000LL); /* the truth: 4 s */
    CHECK(m->state_ns[RUNSTATE_RUNNING] + unsure_ns >= 3990 * 1000000LL);
    CHECK(unsure_ns > 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The wake is on pCPU 1, whose clock is 4 us ahead, and before it the vCPU was runnable, or slept, on an unread one. */
static void a_wake_that_comes_after_its_dispatch_is_late_with_an_unread_pcpu_too(void)
{
    struct trace_bytes c;
    rounds(&c, 40);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t t = 800 * MS + i * 10 * MS;
        on(&c, 1);
        if (i == 0)
            rec_runstate(&c, t, 1, 0, BLOCKED, RUNNABLE);
        rec_runstate(&c, t + 5 * MS + 4 * US, 1, 0, BLOCKED, RUNNABLE);
        on(&c, 0);
        starts(&c, t + 5 * MS + 1 * US, 1, 0);
        stops(&c, t + 7 * MS + 1 * US, 1, 0, BLOCKED);
        sweep(&c);
    }
    mark(&c, 820 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 40 * 5 * MS + 2 * 2 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Long after its dispatch, it is woken by pCPU 1, whose clock is 4 us behind, before pCPU 0 says that it blocked. */
static void who_runs_where_that_is_recorded_is_not_unknown_for_a_contradiction(void)
{
    struct trace_bytes c;
    rounds(&c, 40);
    on(&c, 0);
    starts(&c, 801 * MS, 1, 0);
    stops(&c, 803 * MS, 1, 0, BLOCKED);
    starts(&c, 803 * MS + 2 * US, 1, 0);
    stops(&c, 804 * MS, 1, 0, BLOCKED);
    on(&c, 1);
    rec_runstate(&c, 803 * MS - 3 * US, 1, 0, BLOCKED, RUNNABLE);
    sweep(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.unseen_pcpus, 1);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 40 * 5 * MS + 3 * MS - 5 * US);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Of two vCPUs' contradictions the first one was none. A loss explains what is left, once. */
static void a_record_that_came_late_takes_its_own_contradiction_back(void)
{
    static struct unseen u = {.records = 10, .enough_ns = UNSEEN_NEVER};
    for (uint32_t vcpu = 1; vcpu <= 2; vcpu++)
        unseen_note(&u, &(struct unexplained){.at_ns = vcpu * MS, .vcpu = vcpu, .state = RUNSTATE_RUNNABLE},
                    RUNSTATE_BLOCKED, true);
    unseen_note(&u, &(struct unexplained){.at_ns = 3 * MS, .vcpu = 1, .state = RUNSTATE_RUNNING},
                RUNSTATE_BLOCKED, true);
    EQUAL(u.proofs, 2);
    EQUAL(u.others, 1);
    CHECK(unseen_take_back(&u, 1));
    EQUAL(u.others, 0);
    CHECK(unseen_take_back(&u, 1));
    EQUAL(u.proofs, 1);
    CHECK(!unseen_take_back(&u, 1));
    unseen_explain(&u, &u.unexplained[1]);
    unseen_reconsider(&u);
    EQUAL(u.proofs, 0);
    CHECK(!unseen_take_back(&u, 2));
}

CU_TestInfo unseen_tests[] = {
    TEST(a_record_that_came_late_takes_its_own_contradiction_back),
    TEST(what_happened_on_an_unseen_pcpu_is_unknown_not_runnable),
    TEST(rows_are_unknown_from_the_start_or_from_when_it_is_known),
    TEST(who_is_first_seen_late_may_have_run_there_before),
    TEST(a_pcpu_that_is_woken_up_and_never_writes_is_unseen),
    TEST(few_contradictions_prove_nothing),
    TEST(one_contradiction_of_each_vcpu_proves_nothing),
    TEST(contradictions_of_many_vcpus_prove_it_when_one_has_two),
    TEST(a_wake_that_comes_after_its_dispatch_is_late_with_an_unread_pcpu_too),
    TEST(who_runs_where_that_is_recorded_is_not_unknown_for_a_contradiction),
    TEST(who_ran_on_a_recorded_pcpu_did_not_run_elsewhere),
    TEST(missing_numbers_are_no_proof),
    TEST(clocks_that_are_apart_are_no_proof),
    TEST(records_that_contradict_each_other_all_the_time_are_not_relied_on),
    TEST(a_capture_cut_in_its_first_sweep_may_lack_pcpus),
    CU_TEST_INFO_NULL,
};
