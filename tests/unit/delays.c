/* Who had the pCPU that others waited for: by hand, and what holds on random hosts. */
#include "metrics/measure/delays.h"

#include <stdlib.h>
#include <string.h>

#include "random_host.h"
#include "run_program.h"
#include "suites.h"

struct kept_delay {
    struct interval interval;
    struct delay delay;
};

struct kept {
    struct kept_delay *delays;
    size_t n;
    size_t intervals;
};

static int keep(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    struct kept *k = context;
    k->intervals++;
    if (n == 0)
        return 0;
    k->delays = realloc(k->delays, (k->n + n) * sizeof *k->delays);
    if (!k->delays)
        abort();
    for (size_t i = 0; i < n; i++)
        k->delays[k->n++] = (struct kept_delay){*interval, delays[i]};
    return 0;
}

/* The delays, and in the same pass the rows by vCPU. Lengths: up to the first 0; the whole trace comes, too. */
static struct result run_delays(struct trace_bytes *c, struct setup setup, struct kept *kept)
{
    struct delay_options options = {.from_ns = setup.from_ns,
                                    .to_ns = setup.to_ns,
                                    .pcpus_wanted = setup.pcpus_wanted,
                                    .context = kept,
                                    .rows = keep};
    *kept = (struct kept){0};
    while (setup.granularities_ns[options.granularities])
        options.granularities++;
    memcpy(options.granularities_ns, setup.granularities_ns, sizeof setup.granularities_ns);
    options.granularities_ns[options.granularities++] = 0;
    struct delays *d = delays_new(&options);
    const struct consumer consumer = delays_consumer(d);
    setup.by = BY_VCPU;
    setup.beside = &consumer;
    struct result r = run(c, setup);
    EQUAL(r.status, 0);
    delays_free(d);
    return r;
}

/* ---- by hand ---- */

/* One row, and that the longest of its delays ended there. */
static void check_delay(const struct kept *k, uint64_t every, uint64_t at, int victim, enum culprit kind,
                        int culprit, uint64_t delayed_ns, uint64_t count, uint64_t max_ns, uint64_t max_at_ns)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct kept_delay *d = &k->delays[i];
        if (d->interval.granularity_ns != every || d->interval.start_ns != at || d->delay.victim != victim ||
            d->delay.kind != kind || d->delay.culprit != culprit)
            continue;
        EQUAL(d->delay.delayed_ns, delayed_ns);
        EQUAL(d->delay.count, count);
        EQUAL(d->delay.max_ns, max_ns);
        EQUAL(count ? d->delay.max_at_ns : 0, max_at_ns);
        return;
    }
    CHECK(!"the row is there");
}

static struct kept delays_of(struct trace_bytes *c, struct setup setup)
{
    struct kept kept;
    struct result r = run_delays(c, setup, &kept);
    result_free(&r);
    trace_bytes_free(c);
    return kept;
}

/*
 *   p0   domain 1      domain 2   idle  domain 1
 *        0          10          14    15         20 ms
 *   2 waits:  2 .. 10, for 1;  1 waits: 10 .. 15, for 2 and then for nobody
 */
static void who_runs_delays_who_waits(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    mark(&c, 0);
    rec_runstate(&c, 2 * MS, 2, 0, BLOCKED, RUNNABLE);
    replaces(&c, 10 * MS, 1, 0, RUNNABLE, 2, 0);
    stops(&c, 14 * MS, 2, 0, BLOCKED);
    starts(&c, 15 * MS, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct kept k = delays_of(&c, (struct setup){0});
    EQUAL(k.n, 3);
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 8 * MS, 1, 8 * MS, 10 * MS);
    check_delay(&k, 0, 0, 1, CULPRIT_DOMAIN, 2, 4 * MS, 1, 4 * MS, 14 * MS);
    check_delay(&k, 0, 0, 1, CULPRIT_IDLE, -1, 1 * MS, 1, 1 * MS, 15 * MS);
    free(k.delays);
}

/* Domain 2 runs for 50 ms on p0 and waits there: for domain 1, until `end`. */
static void preempt_at_50(struct trace_bytes *c)
{
    trace_bytes_init(c);
    rec_runstate(c, 0, 2, 0, RUNNABLE, RUNNING);
    rec_runstate(c, 50 * MS, 1, 0, BLOCKED, RUNNABLE);
    replaces(c, 50 * MS, 2, 0, RUNNABLE, 1, 0);
}

static void a_long_delay_is_one_and_counts_where_it_ends(void)
{
    struct trace_bytes c;
    preempt_at_50(&c);
    replaces(&c, 250 * MS, 1, 0, BLOCKED, 2, 0);
    mark(&c, 320 * MS);
    struct kept k = delays_of(&c, (struct setup){.granularities_ns = {100 * MS}});
    check_delay(&k, 100 * MS, 0, 2, CULPRIT_DOMAIN, 1, 50 * MS, 0, 0, 0);
    check_delay(&k, 100 * MS, 100 * MS, 2, CULPRIT_DOMAIN, 1, 100 * MS, 0, 0, 0);
    check_delay(&k, 100 * MS, 200 * MS, 2, CULPRIT_DOMAIN, 1, 50 * MS, 1, 200 * MS, 250 * MS);
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 200 * MS, 1, 200 * MS, 250 * MS);
    EQUAL(k.n, 4);
    EQUAL(k.intervals, 5);
    free(k.delays);
}

static void a_delay_that_ends_at_a_tick_counts_before_it(void)
{
    struct trace_bytes c;
    preempt_at_50(&c);
    replaces(&c, 100 * MS, 1, 0, BLOCKED, 2, 0);
    mark(&c, 220 * MS);
    struct kept k = delays_of(&c, (struct setup){.granularities_ns = {100 * MS}});
    check_delay(&k, 100 * MS, 0, 2, CULPRIT_DOMAIN, 1, 50 * MS, 1, 50 * MS, 100 * MS);
    EQUAL(k.n, 2);
    free(k.delays);
}

/* Domain 3 runs on p1 up to 230 ms, where domain 2 follows: it waited there since the last tick, on p0 before it. */
static void migrate_at_230(struct trace_bytes *c)
{
    preempt_at_50(c);
    on(c, 1);
    mark(c, 0);
    rec_runstate(c, 0, 3, 0, BLOCKED, RUNNABLE);
    starts(c, 0, 3, 0);
    replaces(c, 230 * MS, 3, 0, BLOCKED, 2, 0);
    mark(c, 260 * MS);
    on(c, 0);
    stops(c, 260 * MS, 1, 0, BLOCKED);
}

static void a_wait_belongs_to_the_pcpu_of_its_dispatch_since_the_last_tick(void)
{
    struct trace_bytes c;
    migrate_at_230(&c);
    struct kept k = delays_of(&c, (struct setup){0});
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 150 * MS, 1, 150 * MS, 200 * MS);
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 3, 30 * MS, 1, 30 * MS, 230 * MS);
    EQUAL(k.n, 2);
    free(k.delays);
}

static void only_waits_for_the_pcpus_asked_for(void)
{
    static uint8_t wanted[PCPUS_MAX];
    struct trace_bytes c;
    for (unsigned p = 0; p < 2; p++) {
        memset(wanted, 0, sizeof wanted);
        wanted[p] = 1;
        migrate_at_230(&c);
        struct kept k = delays_of(&c, (struct setup){.pcpus_wanted = wanted});
        EQUAL(k.n, 1);
        if (p == 0)
            check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 150 * MS, 1, 150 * MS, 200 * MS);
        else
            check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 3, 30 * MS, 1, 30 * MS, 230 * MS);
        free(k.delays);
    }
}

/* Domain 2 never ran: where it waits is known at its dispatch only, and not for what a tick settled before. */
static void who_had_it_is_unknown_where_the_pcpu_is(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    mark(&c, 0);
    rec_runstate(&c, 40 * MS, 2, 0, BLOCKED, RUNNABLE);
    replaces(&c, 130 * MS, 1, 0, BLOCKED, 2, 0);
    mark(&c, 150 * MS);
    struct kept k = delays_of(&c, (struct setup){0});
    check_delay(&k, 0, 0, 2, CULPRIT_UNKNOWN, -1, 60 * MS, 1, 60 * MS, 100 * MS);
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 30 * MS, 1, 30 * MS, 130 * MS);
    EQUAL(k.n, 2);
    free(k.delays);
}

/* A part of the trace has its part of a delay, and the delay itself if it ends there. */
static void a_part_of_the_trace(void)
{
    struct trace_bytes c;
    preempt_at_50(&c);
    replaces(&c, 250 * MS, 1, 0, BLOCKED, 2, 0);
    mark(&c, 320 * MS);
    struct kept k = delays_of(&c, (struct setup){.from_ns = 70 * MS, .to_ns = 240 * MS});
    check_delay(&k, 0, 70 * MS, 2, CULPRIT_DOMAIN, 1, 170 * MS, 0, 0, 0);
    free(k.delays);
    preempt_at_50(&c);
    replaces(&c, 250 * MS, 1, 0, BLOCKED, 2, 0);
    mark(&c, 320 * MS);
    k = delays_of(&c, (struct setup){.from_ns = 240 * MS});
    check_delay(&k, 0, 240 * MS, 2, CULPRIT_DOMAIN, 1, 10 * MS, 1, 200 * MS, 250 * MS);
    free(k.delays);
}

/* Two vCPUs of domain 1 in turn: two delays, and the longer one is the longest. */
static void each_run_is_a_delay(void)
{
    struct trace_bytes c;
    preempt_at_50(&c);
    rec_runstate(&c, 60 * MS, 1, 1, BLOCKED, RUNNABLE);
    replaces(&c, 60 * MS, 1, 0, BLOCKED, 1, 1);
    replaces(&c, 65 * MS, 1, 1, BLOCKED, 2, 0);
    mark(&c, 70 * MS);
    struct kept k = delays_of(&c, (struct setup){0});
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 15 * MS, 2, 10 * MS, 60 * MS);
    EQUAL(k.n, 1);
    free(k.delays);
}

/* Nothing happens on the pCPU for an hour: its seconds are handed out all the same, and the delay goes on. */
static void a_long_silence(void)
{
    struct trace_bytes c;
    preempt_at_50(&c);
    replaces(&c, 3600 * S + 50 * MS, 1, 0, BLOCKED, 2, 0);
    mark_seconds(&c, 1, 3600 * S);
    struct kept k = delays_of(&c, (struct setup){.granularities_ns = {S}});
    EQUAL(k.intervals, 3602);
    check_delay(&k, S, 1800 * S, 2, CULPRIT_DOMAIN, 1, S, 0, 0, 0);
    check_delay(&k, S, 3600 * S, 2, CULPRIT_DOMAIN, 1, 50 * MS, 1, 3600 * S, 3600 * S + 50 * MS);
    check_delay(&k, 0, 0, 2, CULPRIT_DOMAIN, 1, 3600 * S, 1, 3600 * S, 3600 * S + 50 * MS);
    free(k.delays);
}

/* ---- what always holds ---- */

/* All delays of the row's vCPU in the row's interval. */
static uint64_t delayed(const struct kept *k, const struct kept_row *row)
{
    uint64_t ns = 0;
    for (size_t i = 0; i < k->n; i++) {
        const struct kept_delay *d = &k->delays[i];
        if (d->interval.granularity_ns == row->interval.granularity_ns &&
            d->interval.start_ns == row->interval.start_ns && d->delay.victim == row->row.domain &&
            d->delay.victim_life == row->row.life && d->delay.victim_vcpu == row->row.vcpu)
            ns += d->delay.delayed_ns;
    }
    return ns;
}

/* Time before a vCPU was seen is in its rows, but in no delay: nobody was known to wait. */
static void delays_are_the_runnable_time(const struct result *r, const struct kept *k)
{
    for (size_t i = 0; i < r->rows_n; i++) {
        const struct measures *m = &r->rows[i].measures;
        int64_t ns = (int64_t)delayed(k, &r->rows[i]), runnable_ns = m->state_ns[RUNSTATE_RUNNABLE];
        CHECK(ns <= runnable_ns && ns >= runnable_ns - m->before_seen_ns);
    }
}

static bool same_pair(const struct delay *a, const struct delay *b)
{
    return a->victim == b->victim && a->victim_life == b->victim_life && a->victim_vcpu == b->victim_vcpu &&
           a->kind == b->kind && a->culprit == b->culprit && a->culprit_life == b->culprit_life;
}

static bool same(const struct kept_delay *a, const struct kept_delay *b)
{
    return a->interval.granularity_ns == b->interval.granularity_ns &&
           a->interval.start_ns == b->interval.start_ns && a->interval.end_ns == b->interval.end_ns &&
           same_pair(&a->delay, &b->delay) && a->delay.delayed_ns == b->delay.delayed_ns &&
           a->delay.count == b->delay.count && a->delay.max_ns == b->delay.max_ns &&
           a->delay.max_at_ns == b->delay.max_at_ns;
}

/* Finer intervals of each length add up to the whole. */
static void intervals_add_up(const struct kept *k, uint64_t length_ns)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct kept_delay *whole = &k->delays[i];
        struct delay sum = {0};
        for (size_t j = 0; j < k->n && whole->interval.granularity_ns == 0; j++) {
            const struct delay *d = &k->delays[j].delay;
            if (k->delays[j].interval.granularity_ns != length_ns || !same_pair(d, &whole->delay))
                continue;
            sum.delayed_ns += d->delayed_ns;
            sum.count += d->count;
            sum.max_ns = d->max_ns > sum.max_ns ? d->max_ns : sum.max_ns;
        }
        if (whole->interval.granularity_ns == 0) {
            EQUAL(sum.delayed_ns, whole->delay.delayed_ns);
            EQUAL(sum.count, whole->delay.count);
            EQUAL(sum.max_ns, whole->delay.max_ns);
        }
    }
}

/* No delay is longer than all of them, and none is without time in the whole. */
static void the_whole_has_its_longest(const struct kept *k)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->delays[i].interval.granularity_ns == 0)
            CHECK(k->delays[i].delay.max_ns <= k->delays[i].delay.delayed_ns);
}

static void on_random_hosts(void)
{
    static struct host h;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct kept file, pipe;
        host_run(&h, seed, 600, seed % 2, seed % 3 == 0);
        struct setup setup = {.granularities_ns = {MS * h.scale, 7 * MS * h.scale, 100 * MS, 150 * MS}};
        struct result r = run_delays(&h.capture, setup, &file);
        CHECK(file.n > 0 || h.vcpus == 1);
        delays_are_the_runnable_time(&r, &file);
        for (size_t g = 0; g < 4; g++)
            intervals_add_up(&file, setup.granularities_ns[g]);
        the_whole_has_its_longest(&file);
        result_free(&r);
        if (seed % 4 == 0) {
            setup.bytewise = true;
            r = run_delays(&h.capture, setup, &pipe);
            EQUAL(pipe.n, file.n);
            for (size_t i = 0; i < pipe.n && i < file.n; i++)
                CHECK(same(&pipe.delays[i], &file.delays[i]));
            result_free(&r);
            free(pipe.delays);
        }
        free(file.delays);
        host_free(&h);
    }
}

static void parts_of_random_hosts(void)
{
    static struct host h;
    static uint8_t pcpus[PCPUS_MAX] = {1, 0, 1};
    for (uint64_t seed = 50; seed < 70; seed++) {
        struct kept all, one, other;
        host_run(&h, seed, 400, seed % 2, false);
        struct setup setup = {.granularities_ns = {3 * MS}, .from_ns = h.now / 3, .to_ns = h.now / 2};
        struct result r = run_delays(&h.capture, setup, &all);
        delays_are_the_runnable_time(&r, &all);
        intervals_add_up(&all, 3 * MS);
        result_free(&r);
        setup.pcpus_wanted = pcpus;
        r = run_delays(&h.capture, setup, &one);
        result_free(&r);
        for (unsigned p = 0; p < PCPUS_MAX; p++)
            pcpus[p] = !pcpus[p];
        r = run_delays(&h.capture, setup, &other);
        result_free(&r);
        uint64_t sums[3] = {0};
        const struct kept *parts[] = {&all, &one, &other};
        for (size_t part = 0; part < 3; part++)
            for (size_t i = 0; i < parts[part]->n; i++)
                if (parts[part]->delays[i].delay.kind != CULPRIT_UNKNOWN)
                    sums[part] += parts[part]->delays[i].delay.delayed_ns;
        EQUAL(sums[1] + sums[2], sums[0]);
        free(all.delays);
        free(one.delays);
        free(other.delays);
        host_free(&h);
    }
}

CU_TestInfo delays_tests[] = {
    TEST(who_runs_delays_who_waits),
    TEST(a_long_delay_is_one_and_counts_where_it_ends),
    TEST(a_delay_that_ends_at_a_tick_counts_before_it),
    TEST(a_wait_belongs_to_the_pcpu_of_its_dispatch_since_the_last_tick),
    TEST(only_waits_for_the_pcpus_asked_for),
    TEST(who_had_it_is_unknown_where_the_pcpu_is),
    TEST(a_part_of_the_trace),
    TEST(each_run_is_a_delay),
    TEST(a_long_silence),
    TEST(on_random_hosts),
    TEST(parts_of_random_hosts),
    CU_TEST_INFO_NULL,
};
