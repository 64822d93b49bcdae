/*
 * A capture cut in two and merged again (meter_merge) is the capture: every measure, every histogram, at any cut, by
 * every subject.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "metrics/meter.h"
#include "suites.h"

#define CUTS     19
#define ROWS_MAX 64

/* A whole capture in memory. */
struct recording {
    struct event *events;
    size_t n;
    struct trace *trace; /* kept open for its clock */
    const uint16_t *pcpus;
    unsigned pcpus_n;
    uint64_t end_ns;
};

static bool record(struct recording *r, const char *path)
{
    struct trace_options options = {0};
    struct error err;
    struct event_batch batch;
    size_t capacity = 0;
    memset(r, 0, sizeof *r);
    meter_wants(false, &options);
    r->trace = trace_open(path, &options, &err);
    if (!r->trace)
        return false;
    while (trace_next(r->trace, &batch, &err) > 0) {
        if (r->n + batch.n > capacity) {
            capacity = 2 * (r->n + batch.n);
            struct event *events = realloc(r->events, capacity * sizeof *events);
            if (!events)
                return false;
            r->events = events;
        }
        if (batch.n)
            memcpy(r->events + r->n, batch.events, batch.n * sizeof *batch.events);
        r->n += batch.n;
        r->pcpus = batch.pcpus;
        r->pcpus_n = batch.pcpus_n;
    }
    if (!r->events)
        return false;
    struct trace_summary summary;
    trace_summarise(r->trace, &summary);
    r->end_ns = clock_ns(trace_clock(r->trace), summary.tsc_last);
    return true;
}

static void forget(struct recording *r)
{
    trace_close(r->trace);
    free(r->events);
}

/* The rows of a finished meter, copied. */
struct rows {
    struct row row[ROWS_MAX];
    struct measures measures[ROWS_MAX];
    size_t n;
};

static int keep_rows(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct rows *kept = context;
    (void)interval;
    for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
        kept->row[i] = rows[i];
        measures_init(&kept->measures[i]);
        measures_merge(&kept->measures[i], rows[i].measures);
    }
    kept->n = n;
    return 0;
}

static void free_rows(struct rows *rows)
{
    for (size_t i = 0; i < rows->n && i < ROWS_MAX; i++)
        measures_free(&rows->measures[i]);
}

static struct meter *new_meter(enum by by, uint64_t start_ns, struct rows *rows)
{
    struct meter_options options = {.by = by, .granularities = 1, .start_ns = start_ns};
    options.sink = (struct meter_sink){rows, keep_rows, NULL, NULL};
    struct error err;
    return meter_new(&options, &err);
}

static void feed(struct meter *m, const struct recording *r, size_t from, size_t to)
{
    struct error err;
    for (size_t at = from; at < to; at += 1000) {
        size_t end = at + 1000 < to ? at + 1000 : to;
        struct event_batch batch = {.events = r->events + at,
                                    .n = end - at,
                                    .pcpus = r->pcpus,
                                    .pcpus_n = r->pcpus_n,
                                    .has_runstates = true,
                                    .watermark = r->events[end - 1].tsc};
        CHECK(meter_feed(m, &batch, trace_clock(r->trace), &err) == 0);
    }
}

static bool same_histogram(const struct histogram *a, const struct histogram *b)
{
    bool same = a->count == b->count && a->sum == b->sum && a->min == b->min && a->max == b->max &&
                a->max_at == b->max_at;
    for (unsigned q = 1; same && a->count && q <= 1000; q++)
        same = histogram_percentile(a, q) == histogram_percentile(b, q);
    return same;
}

static bool same_measures(const struct measures *a, const struct measures *b)
{
    return memcmp(a->state_ns, b->state_ns, sizeof a->state_ns) == 0 && a->idle_ns == b->idle_ns &&
           a->pcpu_unknown_ns == b->pcpu_unknown_ns &&
           memcmp(a->domain_ns, b->domain_ns, sizeof a->domain_ns) == 0 &&
           a->wake_wait_ns == b->wake_wait_ns && a->preempt_wait_ns == b->preempt_wait_ns &&
           a->executions == b->executions && a->wakes == b->wakes && a->blocks == b->blocks &&
           a->yields == b->yields && a->preemptions == b->preemptions && a->migrations == b->migrations &&
           a->allocated_ns == b->allocated_ns && a->allocated_slices == b->allocated_slices &&
           a->allocated_min_ns == b->allocated_min_ns && a->allocated_max_ns == b->allocated_max_ns &&
           same_histogram(&a->run, &b->run) && same_histogram(&a->wait, &b->wait) &&
           same_histogram(&a->block, &b->block);
}

static bool same_rows(const struct rows *a, const struct rows *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n && i < ROWS_MAX; i++)
        same = a->row[i].domain == b->row[i].domain && a->row[i].life == b->row[i].life &&
               a->row[i].vcpu == b->row[i].vcpu && a->row[i].pcpu == b->row[i].pcpu &&
               a->row[i].vcpus == b->row[i].vcpus && same_measures(&a->measures[i], &b->measures[i]);
    return same;
}

static uint64_t time_of(const struct recording *r, size_t event)
{
    if (!r->events)
        return 0; /* not reached: record() would have failed */
    return clock_ns(trace_clock(r->trace), r->events[event].tsc);
}

/* The first event from `least` on before which no pCPU is in the middle of a context switch: its two records are one moment. */
static size_t between_switches(const struct recording *r, size_t least)
{
    static bool switching[PCPUS_MAX];
    unsigned n = 0;
    memset(switching, 0, sizeof switching);
    for (size_t i = 0; i < r->n; i++) {
        const struct event *e = &r->events[i];
        if (i >= least && n == 0 && e->slot != EVENT_SLICE)
            return i;
        if (e->slot != EVENT_RUNSTATE_CHANGE)
            continue;
        n -= switching[e->pcpu];
        switching[e->pcpu] = (e->header >> 8 & 3) == 0;
        n += switching[e->pcpu];
    }
    return r->n;
}

static void check_cuts(const char *path, enum by by)
{
    static struct rows whole, joined;
    struct recording r;
    struct error err;
    CU_ASSERT_TRUE_FATAL(record(&r, path));
    struct meter *m = new_meter(by, 0, &whole);
    feed(m, &r, 0, r.n);
    CHECK(meter_finish(m, r.end_ns, &err) == 0);
    CHECK(whole.n > 1);
    for (size_t i = 1; i <= CUTS; i++) {
        size_t cut = between_switches(&r, r.n * i / (CUTS + 1));
        struct meter *earlier = new_meter(by, 0, &joined);
        struct meter *later = new_meter(by, time_of(&r, cut), &joined);
        feed(earlier, &r, 0, cut);
        feed(later, &r, cut, r.n);
        CHECK(meter_merge(earlier, later, r.end_ns, &err) == 0);
        CHECK(meter_finish(earlier, r.end_ns, &err) == 0);
        CHECK(same_rows(&whole, &joined));
        free_rows(&joined);
        meter_free(earlier);
        meter_free(later);
    }
    free_rows(&whole);
    meter_free(m);
    forget(&r);
}

/* Three pieces, joined from the front and from the back. */
static void check_three(const char *path, enum by by)
{
    static struct rows left, right;
    struct recording r;
    struct error err;
    CU_ASSERT_TRUE_FATAL(record(&r, path));
    size_t one = between_switches(&r, r.n / 3), two = between_switches(&r, 2 * r.n / 3);
    for (int from_back = 0; from_back < 2; from_back++) {
        struct rows *rows = from_back ? &right : &left;
        struct meter *a = new_meter(by, 0, rows), *b = new_meter(by, time_of(&r, one), rows);
        struct meter *c = new_meter(by, time_of(&r, two), rows);
        feed(a, &r, 0, one);
        feed(b, &r, one, two);
        feed(c, &r, two, r.n);
        if (from_back) {
            CHECK(meter_merge(b, c, r.end_ns, &err) == 0);
            CHECK(meter_merge(a, b, r.end_ns, &err) == 0);
        } else {
            CHECK(meter_merge(a, b, time_of(&r, two), &err) == 0);
            CHECK(meter_merge(a, c, r.end_ns, &err) == 0);
        }
        CHECK(meter_finish(a, r.end_ns, &err) == 0);
        meter_free(a);
        meter_free(b);
        meter_free(c);
    }
    CHECK(same_rows(&left, &right));
    free_rows(&left);
    free_rows(&right);
    forget(&r);
}

static void a_capture_cut_in_two_merges_by_domain(void)
{
    check_cuts("fixtures/cpu-credit2.xt.zst", BY_DOMAIN);
    check_cuts("fixtures/pvh-credit2.xt.zst", BY_DOMAIN);
}

static void a_capture_cut_in_two_merges_by_vcpu(void)
{
    check_cuts("fixtures/mixed-credit.xt.zst", BY_VCPU);
    check_cuts("fixtures/membuf-credit2.xt.zst", BY_VCPU);
}

static void a_capture_cut_in_two_merges_by_pcpu(void)
{
    check_cuts("fixtures/cpu-credit2.xt.zst", BY_PCPU);
    check_cuts("fixtures/mixed-credit.xt.zst", BY_PCPU);
}

static void merging_is_associative(void)
{
    check_three("fixtures/cpu-credit2.xt.zst", BY_DOMAIN);
    check_three("fixtures/mixed-credit.xt.zst", BY_VCPU);
    check_three("fixtures/pvh-credit2.xt.zst", BY_PCPU);
}

static void meters_of_intervals_do_not_merge(void)
{
    struct rows rows;
    struct error err;
    struct meter_options options = {.granularities = 1, .granularities_ns = {1000000}};
    options.sink = (struct meter_sink){&rows, keep_rows, NULL, NULL};
    struct meter *a = meter_new(&options, &err), *b = meter_new(&options, &err);
    CHECK(meter_merge(a, b, 5, &err) == -1);
    EQUAL(err.code, ERROR_USAGE);
    meter_free(a);
    meter_free(b);
}

CU_TestInfo cuts_tests[] = {
    TEST(a_capture_cut_in_two_merges_by_domain), TEST(a_capture_cut_in_two_merges_by_vcpu),
    TEST(a_capture_cut_in_two_merges_by_pcpu),   TEST(merging_is_associative),
    TEST(meters_of_intervals_do_not_merge),      CU_TEST_INFO_NULL,
};
