/* What holds in every interval of every trace, tried on random ones. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "random_host.h"
#include "run_program.h"
#include "suites.h"

#define SEEDS 25
#define STEPS 1000

static const enum by kinds[] = {BY_VCPU, BY_DOMAIN, BY_PCPU, BY_DOMAIN_PCPU};

static struct result run_by(struct host *h, enum by by, bool bytewise)
{
    return run(&h->capture, (struct setup){.by = by,
                                           .granularities_ns = {1 * MS * h->scale, 7 * MS * h->scale,
                                                                10 * MS * h->scale, 100 * MS * h->scale},
                                           .executions = true,
                                           .bytewise = bytewise});
}

static bool same_histogram(const struct histogram *a, const struct histogram *b)
{
    return a->count == b->count && a->sum == b->sum && a->min == b->min && a->max == b->max &&
           a->max_at == b->max_at && histogram_percentile(a, 500) == histogram_percentile(b, 500) &&
           histogram_percentile(a, 990) == histogram_percentile(b, 990);
}

static bool same_measures(const struct measures *a, const struct measures *b)
{
    return memcmp(a, b, offsetof(struct measures, run)) == 0 && same_histogram(&a->run, &b->run) &&
           same_histogram(&a->wait, &b->wait) && same_histogram(&a->block, &b->block);
}

static int64_t sum(const int64_t *ns, int n)
{
    int64_t total = 0;
    for (int i = 0; i < n; i++)
        total += ns[i];
    return total;
}

/* ---- each row by itself ---- */

static void every_row_is_as_long_as_its_interval(const struct result *r)
{
    for (size_t i = 0; i < r->rows_n; i++) {
        const struct kept_row *k = &r->rows[i];
        const struct measures *m = &k->measures;
        int64_t length = (int64_t)(k->interval.end_ns - k->interval.start_ns);
        if (r->by == BY_VCPU)
            CHECK(sum(m->state_ns, RUNSTATES) == length);
        if (r->by == BY_DOMAIN)
            CHECK(sum(m->domain_ns, DOMAIN_RUNSTATES) == length);
        if (r->by == BY_PCPU)
            CHECK(m->state_ns[RUNSTATE_RUNNING] + m->idle_ns + m->pcpu_unknown_ns == length);
        for (int s = 0; s < RUNSTATES; s++)
            CHECK(m->state_ns[s] >= 0);
        CHECK(m->idle_ns >= 0 && m->pcpu_unknown_ns >= 0);
        if (r->by != BY_PCPU)
            CHECK((int64_t)(m->wake_wait_ns + m->preempt_wait_ns) <= m->state_ns[RUNSTATE_RUNNABLE]);
    }
}

/* ---- intervals ---- */

static bool within(const struct kept_row *fine, const struct kept_row *coarse)
{
    return fine->interval.start_ns >= coarse->interval.start_ns &&
           fine->interval.end_ns <= coarse->interval.end_ns && fine->row.domain == coarse->row.domain &&
           fine->row.life == coarse->row.life && fine->row.vcpu == coarse->row.vcpu &&
           fine->row.pcpu == coarse->row.pcpu;
}

/* The time that a row is about, but for what was before its subject was seen. */
static int64_t seen_ns(const struct measures *m, enum by by)
{
    return (by == BY_PCPU ? m->state_ns[RUNSTATE_RUNNING] : sum(m->state_ns, RUNSTATES)) + m->idle_ns +
           m->pcpu_unknown_ns - m->before_seen_ns;
}

static void finer_intervals_add_up(const struct result *r, uint64_t fine, uint64_t coarse)
{
    for (size_t i = 0; i < r->rows_n; i++) {
        const struct kept_row *whole = &r->rows[i];
        if (whole->interval.granularity_ns != coarse)
            continue;
        struct measures total;
        measures_init(&total);
        for (size_t k = 0; k < r->rows_n; k++)
            if (r->rows[k].interval.granularity_ns == fine && within(&r->rows[k], whole))
                measures_merge(&total, &r->rows[k].measures);
        EQUAL(seen_ns(&total, r->by), seen_ns(&whole->measures, r->by));
        EQUAL(total.executions, whole->measures.executions);
        CHECK(same_measures(&total, &whole->measures) ||
              total.before_seen_ns < whole->measures.before_seen_ns);
        measures_free(&total);
    }
}

/* ---- kinds of rows ---- */

/* Rows of `parts` that belong to a row of `whole` sum up to it. */
static void parts_add_up(const struct result *parts, const struct result *whole)
{
    for (size_t i = 0; i < whole->rows_n; i++) {
        const struct kept_row *w = &whole->rows[i];
        struct measures total;
        measures_init(&total);
        for (size_t k = 0; k < parts->rows_n; k++) {
            const struct kept_row *p = &parts->rows[k];
            if (p->interval.granularity_ns == w->interval.granularity_ns &&
                p->interval.start_ns == w->interval.start_ns && p->row.domain == w->row.domain)
                measures_merge(&total, &p->measures);
        }
        CHECK(memcmp(total.state_ns, w->measures.state_ns, sizeof total.state_ns) == 0);
        EQUAL(total.executions, w->measures.executions);
        EQUAL(total.wakes, w->measures.wakes);
        EQUAL(total.blocks, w->measures.blocks);
        EQUAL(total.yields, w->measures.yields);
        EQUAL(total.preemptions, w->measures.preemptions);
        EQUAL(total.migrations, w->measures.migrations);
        CHECK(same_histogram(&total.run, &w->measures.run));
        CHECK(same_histogram(&total.wait, &w->measures.wait));
        measures_free(&total);
    }
}

static int64_t running_in(const struct result *r, uint64_t granularity_ns, uint64_t start_ns)
{
    int64_t total = 0;
    for (size_t i = 0; i < r->rows_n; i++)
        if (r->rows[i].interval.granularity_ns == granularity_ns && r->rows[i].interval.start_ns == start_ns)
            total += r->rows[i].measures.state_ns[RUNSTATE_RUNNING];
    return total;
}

static void pcpus_ran_what_vcpus_ran(const struct result *pcpus, const struct result *vcpus)
{
    for (size_t i = 0; i < pcpus->rows_n; i++) {
        const struct interval *in = &pcpus->rows[i].interval;
        if (i == 0 || pcpus->rows[i - 1].interval.start_ns != in->start_ns)
            EQUAL(running_in(pcpus, in->granularity_ns, in->start_ns),
                  running_in(vcpus, in->granularity_ns, in->start_ns));
    }
}

static void executions_ran_what_vcpus_ran(const struct result *r)
{
    uint64_t ran = 0;
    for (size_t i = 0; i < r->executions_n; i++)
        ran += r->executions[i].ran_ns;
    EQUAL(ran, running_in(r, 0, 0));
}

/* ---- charges ---- */

static void every_ns_of_a_driver_domain_is_charged(const struct result *r)
{
    for (size_t i = 0; i < r->idds_n; i++) {
        const struct kept_idd *k = &r->idds[i];
        uint64_t guests = 0;
        for (size_t g = 0; g < k->idd.guests_n; g++)
            guests += k->idd.guests[g].charged_ns;
        EQUAL(guests, k->idd.charged_ns);
        EQUAL(k->idd.charged_ns + k->idd.own_ns + k->idd.unattributed_ns, k->idd.running_ns);
        const struct measures *m = ROW(r, .every = k->interval.granularity_ns, .at = k->interval.start_ns,
                                       .domain = k->idd.domain, .life = k->idd.life);
        EQUAL(k->idd.running_ns, m->state_ns[RUNSTATE_RUNNING]);
        EQUAL(k->idd.executions, m->executions);
    }
}

static void charges_add_up(const struct result *r, uint64_t fine, uint64_t coarse)
{
    for (size_t i = 0; i < r->idds_n; i++) {
        const struct kept_idd *whole = &r->idds[i];
        if (whole->interval.granularity_ns != coarse)
            continue;
        struct charge_idd sum = {0};
        struct charge_guest guests[16] = {{0}};
        for (size_t k = 0; k < r->idds_n; k++) {
            const struct kept_idd *part = &r->idds[k];
            if (part->interval.granularity_ns != fine || part->idd.domain != whole->idd.domain ||
                part->interval.start_ns < whole->interval.start_ns ||
                part->interval.end_ns > whole->interval.end_ns)
                continue;
            sum.running_ns += part->idd.running_ns;
            sum.own_ns += part->idd.own_ns;
            sum.unattributed_ns += part->idd.unattributed_ns;
            sum.io_free_executions += part->idd.io_free_executions;
            for (size_t g = 0; g < whole->idd.guests_n; g++) {
                const struct charge_guest *from = find_guest(&part->idd, whole->guests[g].domain);
                guests[g].charged_ns += from->charged_ns;
                guests[g].measured_ns += from->measured_ns;
                guests[g].certain_ns += from->certain_ns;
                for (int e = 0; e < IO_KINDS; e++)
                    guests[g].events[e] += from->events[e];
            }
        }
        const struct measures *m = ROW(r, .every = coarse, .at = whole->interval.start_ns,
                                       .domain = whole->idd.domain, .life = whole->idd.life);
        uint64_t before_ns = whole->idd.running_ns - sum.running_ns; /* it was seen */
        CHECK(before_ns <= (uint64_t)m->before_seen_ns);
        EQUAL(sum.own_ns, whole->idd.own_ns);
        EQUAL(sum.unattributed_ns + before_ns, whole->idd.unattributed_ns);
        EQUAL(sum.io_free_executions, whole->idd.io_free_executions);
        for (size_t g = 0; g < whole->idd.guests_n; g++) {
            EQUAL(guests[g].charged_ns, whole->guests[g].charged_ns);
            EQUAL(guests[g].measured_ns, whole->guests[g].measured_ns);
            EQUAL(guests[g].certain_ns, whole->guests[g].certain_ns);
            CHECK(memcmp(guests[g].events, whole->guests[g].events, sizeof guests[g].events) == 0);
        }
    }
}

#define LOG_DEVICES  8
#define LOG_READINGS 20

/* CPU times at random moments of the host's time, and beyond: of domains 0 to 3 in the driver domains 0 and 2. */
struct random_log {
    struct counters counters;
    struct counter_device devices[LOG_DEVICES];
    struct counter_reading readings[LOG_DEVICES * LOG_READINGS];
};

static const struct counters *make_random_log(struct random_log *log, uint64_t seed, uint64_t length_ns)
{
    static const char *const names[] = {"softirq", "guest-rx", "blkback", "guest-rx"};
    size_t n = 0;
    struct error err;
    for (uint32_t d = 0; d < LOG_DEVICES; d++) {
        struct counter_device *device = &log->devices[d];
        *device = (struct counter_device){.domain = (uint16_t)(d / 2), .idd = d % 2 ? 2 : 0};
        device->counts[COUNTER_CPU] = true;
        snprintf(device->name, sizeof device->name, "%s", names[d / 2]);
        uint64_t at_ns = random_below(&seed, length_ns / 4), ns = 0;
        for (int i = 0; i < LOG_READINGS; i++) {
            struct counter_reading *r = &log->readings[n++];
            *r = (struct counter_reading){.time_ns = at_ns, .device = d};
            r->count[COUNTER_CPU] = ns;
            uint64_t step_ns = 1 + random_below(&seed, length_ns / 10);
            at_ns += step_ns;
            ns += random_below(&seed, 3) ? random_below(&seed, step_ns) : 0;
        }
    }
    log->counters = (struct counters){
        .devices = log->devices, .devices_n = LOG_DEVICES, .readings = log->readings, .readings_n = n};
    EQUAL(counters_sort(&log->counters, &err), 0);
    return &log->counters;
}

/* What the charges of a guest rest on is no more than they are. Returns how much was measured. */
static double charges_have_their_grounds(const struct result *r)
{
    double measured = 0;
    for (size_t i = 0; i < r->idds_n; i++)
        for (size_t g = 0; g < r->idds[i].idd.guests_n; g++) {
            const struct charge_guest *guest = &r->idds[i].guests[g];
            double grounds = guest->charged_measured_ns;
            for (int kind = 0; kind < IO_KINDS; kind++)
                grounds += guest->charged_by_ns[kind];
            CHECK(grounds <= (double)guest->charged_ns * (1 + 1e-6) + 1);
            CHECK(guest->measured_ns + guest->certain_ns <= guest->charged_ns);
            CHECK(guest->charged_inferred_ns >= 0 && guest->charged_measured_ns >= 0);
            measured += guest->charged_measured_ns;
        }
    return measured;
}

static void charges_hold_with(bool loses, bool skewed, bool logged, struct charge_options options)
{
    static struct host h;
    static struct random_log log;
    double measured = 0;
    unsigned held = 0;
    static uint8_t idds[65536] = {1, 0, 1}; /* domains 0 and 2 drive, also each other */
    options.wanted = true;
    options.idds = idds;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        host_run(&h, seed, STEPS, loses, skewed);
        uint64_t ms = 1 * MS * h.scale;
        options.counters = logged ? make_random_log(&log, seed, h.now) : NULL;
        struct result r = run(&h.capture, (struct setup){.by = BY_DOMAIN,
                                                         .granularities_ns = {1 * ms, 7 * ms, 10 * ms},
                                                         .charge = options});
        bool refused = options.charge_idle && r.status != 0; /* no driver domain's tasks were told apart */
        EQUAL(r.status, refused ? -1 : 0);
        held += !refused;
        every_ns_of_a_driver_domain_is_charged(&r);
        charges_add_up(&r, 1 * ms, 10 * ms);
        charges_add_up(&r, 10 * ms, 0);
        charges_add_up(&r, 7 * ms, 0);
        measured += charges_have_their_grounds(&r);
        result_free(&r);
        host_free(&h);
        counters_free_index(&log.counters);
        log.counters.begins = NULL;
    }
    CHECK((measured > 0) == logged);
    CHECK(held > SEEDS / 2);
}

static void charges_add_up_to_running(void)
{
    charges_hold_with(false, false, false, (struct charge_options){0});
    charges_hold_with(false, true, false, (struct charge_options){.spread_own = true});
}

static void charges_add_up_when_charged_by_interval(void)
{
    charges_hold_with(false, false, false, (struct charge_options){.interval_ns = 5 * MS});
    charges_hold_with(false, false, false,
                      (struct charge_options){.interval_ns = 30 * MS, .spread_own = true});
}

static void charges_add_up_when_records_are_lost(void)
{
    charges_hold_with(true, true, false, (struct charge_options){0});
    charges_hold_with(true, false, false, (struct charge_options){.interval_ns = 5 * MS});
}

static void charges_add_up_where_threads_were_measured(void)
{
    charges_hold_with(false, false, true, (struct charge_options){0});
    charges_hold_with(true, true, true, (struct charge_options){.spread_own = true});
    charges_hold_with(false, false, true, (struct charge_options){.interval_ns = 3 * MS});
}

static void charges_add_up_where_own_work_is_given(void)
{
    static const struct own_load own[] = {{0, 200000}, {2, 1100000}};
    const struct charge_options given = {.own = own, .own_n = 2, .per_execution = true};
    charges_hold_with(false, false, false, given);
    charges_hold_with(true, true, false, given);
    charges_hold_with(true, false, true, given);
    charges_hold_with(false, true, true,
                      (struct charge_options){.own = own, .own_n = 2, .interval_ns = 3 * MS});
}

static void charges_add_up_where_idle_time_is_shared(void)
{
    const struct charge_options shared = {.charge_idle = true};
    charges_hold_with(false, false, false, shared);
    charges_hold_with(true, true, false, (struct charge_options){.charge_idle = true, .spread_own = true});
    charges_hold_with(false, false, true, shared);
    charges_hold_with(true, false, true, shared);
}

static void hold_for(bool loses, bool skewed)
{
    static struct host h;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        host_run(&h, seed, STEPS, loses, skewed);
        struct result by[4];
        uint64_t ms = 1 * MS * h.scale;
        for (unsigned i = 0; i < 4; i++) {
            struct result *r = &by[kinds[i]];
            *r = run_by(&h, kinds[i], false);
            EQUAL(r->status, 0);
            EQUAL(r->quality.skipped_bytes, 0);
            every_row_is_as_long_as_its_interval(r);
            finer_intervals_add_up(r, 1 * ms, 10 * ms);
            finer_intervals_add_up(r, 10 * ms, 100 * ms);
            finer_intervals_add_up(r, 100 * ms, 0);
            finer_intervals_add_up(r, 7 * ms, 0);
        }
        parts_add_up(&by[BY_VCPU], &by[BY_DOMAIN]);
        parts_add_up(&by[BY_DOMAIN_PCPU], &by[BY_DOMAIN]);
        pcpus_ran_what_vcpus_ran(&by[BY_PCPU], &by[BY_VCPU]);
        executions_ran_what_vcpus_ran(&by[BY_VCPU]);
        if (!skewed)
            EQUAL(by[BY_VCPU].quality.inconsistent, 0);
        if (!loses)
            EQUAL(by[BY_VCPU].quality.blind_ns, 0);
        CHECK(by[BY_VCPU].quality.skew_max_ns <= (skewed ? 4 * US : 0));
        for (unsigned i = 0; i < 4; i++)
            result_free(&by[i]);
        host_free(&h);
    }
}

static void sums_hold_in_every_interval(void)
{
    hold_for(false, false);
}

static void sums_hold_when_records_are_lost(void)
{
    hold_for(true, false);
}

static void sums_hold_when_clocks_differ(void)
{
    hold_for(false, true);
}

static void sums_hold_when_records_are_lost_and_clocks_differ(void)
{
    hold_for(true, true);
}

/* ---- against the truth ---- */

static void a_complete_trace_gives_the_truth(void)
{
    static struct host h;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        host_run(&h, seed, STEPS, false, false);
        struct result r = run_by(&h, BY_VCPU, false), p = run_by(&h, BY_PCPU, false);
        EQUAL(r.end_ns, h.now);
        EQUAL(r.quality.unknown_ns, 0);
        for (unsigned v = 0; v < h.vcpus; v++) {
            const struct host_vcpu *k = &h.vcpu[v];
            EQUAL(HAS_ROW(&r, .domain = (int)k->dom, .vcpu = (int)k->vcpu), k->hypercalls_seen);
            if (!k->hypercalls_seen)
                continue;
            const struct measures *m = ROW(&r, .domain = (int)k->dom, .vcpu = (int)k->vcpu);
            STATES(m, k->ns[RUNNING], k->ns[RUNNABLE], k->ns[BLOCKED], k->ns[OFFLINE], 0);
            EQUAL(m->executions, k->executions);
            EQUAL(m->wakes, k->wakes);
            EQUAL(m->blocks, k->blocks);
            EQUAL(m->yields, k->yields);
            EQUAL(m->migrations, k->migrations);
        }
        for (unsigned i = 0; i < h.pcpus; i++) {
            if (!h.scheduled[i])
                continue;
            EQUAL(ROW(&p, .pcpu = (int)i)->state_ns[RUNSTATE_RUNNING], h.ran_ns[i]);
            EQUAL(ROW(&p, .pcpu = (int)i)->pcpu_unknown_ns, 0);
        }
        result_free(&r);
        result_free(&p);
        host_free(&h);
    }
}

/* ---- the way in ---- */

/* Without the bytes between the members. */
static bool same_execution(const struct execution *a, const struct execution *b)
{
    return memcmp(a, b, offsetof(struct execution, wait_kind)) == 0 && a->wait_kind == b->wait_kind &&
           a->ran_ns == b->ran_ns && a->allocated_ns == b->allocated_ns && a->io_total == b->io_total &&
           a->end == b->end;
}

static void one_byte_at_a_time_gives_the_same_rows(void)
{
    static struct host h;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        host_run(&h, seed, 600, seed % 2, seed % 3 == 0);
        struct result a = run_by(&h, kinds[seed % 4], false), b = run_by(&h, kinds[seed % 4], true);
        EQUAL(a.rows_n, b.rows_n);
        for (size_t i = 0; i < a.rows_n && i < b.rows_n; i++) {
            CHECK(memcmp(&a.rows[i].interval, &b.rows[i].interval, sizeof a.rows[i].interval) == 0);
            CHECK(same_measures(&a.rows[i].measures, &b.rows[i].measures));
        }
        EQUAL(a.executions_n, b.executions_n);
        for (size_t i = 0; i < a.executions_n && i < b.executions_n; i++)
            CHECK(same_execution(&a.executions[i], &b.executions[i]));
        CHECK(memcmp(&a.quality, &b.quality, sizeof a.quality) == 0);
        result_free(&a);
        result_free(&b);
        host_free(&h);
    }
}

CU_TestInfo invariants_tests[] = {
    TEST(sums_hold_in_every_interval),
    TEST(sums_hold_when_records_are_lost),
    TEST(sums_hold_when_clocks_differ),
    TEST(sums_hold_when_records_are_lost_and_clocks_differ),
    TEST(charges_add_up_to_running),
    TEST(charges_add_up_when_charged_by_interval),
    TEST(charges_add_up_when_records_are_lost),
    TEST(charges_add_up_where_threads_were_measured),
    TEST(charges_add_up_where_own_work_is_given),
    TEST(charges_add_up_where_idle_time_is_shared),
    TEST(a_complete_trace_gives_the_truth),
    TEST(one_byte_at_a_time_gives_the_same_rows),
    CU_TEST_INFO_NULL,
};
