#include "tests/fuzz/report.h"

#include <inttypes.h>
#include <string.h>

#include "metrics/verdict.h"
#include "tests/fuzz/must.h"

#define ROWS_MOST 600 /* a capture of a few bytes can claim to last for years: enough is seen by then */

/* ---- what must hold ---- */

static int64_t total(const int64_t *parts, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += parts[i];
    return sum;
}

static void check_row(const struct report *r, const struct interval *interval, const struct row *row)
{
    const struct measures *m = row->measures;
    int64_t length = (int64_t)(interval->end_ns - interval->start_ns);
    int64_t states = total(m->state_ns, RUNSTATES);
    int64_t most = length * row->vcpus;
    bool settled = r->by != BY_DOMAIN_PCPU; /* there vCPUs come and go, and count where they were first */
    MUST(!settled || row->vcpus > 0 || states == 0, "%" PRId64 " ns of no vCPU", states);
    for (int s = 0; s < RUNSTATES; s++)
        MUST(m->state_ns[s] >= 0, "state %d: %" PRId64 " ns", s, m->state_ns[s]);
    MUST(!settled || states <= most, "domain %d vcpu %d pcpu %d: states sum to %" PRId64 " of %" PRId64 " ns",
         row->domain, row->vcpu, row->pcpu, states, most);
    if (r->by == BY_PCPU) {
        int64_t sum = m->state_ns[RUNSTATE_RUNNING] + m->idle_ns + m->pcpu_unknown_ns;
        MUST(sum == length,
             "pcpu %d: running %" PRId64 " + idle %" PRId64 " + unknown %" PRId64 " of %" PRId64 " ns",
             row->pcpu, m->state_ns[RUNSTATE_RUNNING], m->idle_ns, m->pcpu_unknown_ns, length);
        MUST(m->pcpu_unknown_ns >= 0, "pcpu %d: unknown %" PRId64 " ns", row->pcpu, m->pcpu_unknown_ns);
    }
    if (r->by == BY_DOMAIN) {
        int64_t domain = total(m->domain_ns, DOMAIN_RUNSTATES);
        MUST(domain <= length, "domain %d: domain runstates sum to %" PRId64 " of %" PRId64 " ns",
             row->domain, domain, length);
    }
    if (!r->some_pcpus && r->by != BY_PCPU)
        MUST(m->wake_wait_ns + m->preempt_wait_ns <= (uint64_t)m->state_ns[RUNSTATE_RUNNABLE],
             "domain %d vcpu %d: waited %" PRIu64 " + %" PRIu64 " of %" PRId64 " ns runnable", row->domain,
             row->vcpu, m->wake_wait_ns, m->preempt_wait_ns, m->state_ns[RUNSTATE_RUNNABLE]);
    if (r->by == BY_DOMAIN_PCPU)
        MUST(m->state_ns[RUNSTATE_RUNNING] <= length,
             "domain %d ran for %" PRId64 " of %" PRId64 " ns on pcpu %d", row->domain,
             m->state_ns[RUNSTATE_RUNNING], length, row->pcpu);
}

static void add_row(struct sums *s, const struct measures *m)
{
    for (int i = 0; i < RUNSTATES; i++)
        s->state_ns[i] += m->state_ns[i];
    s->all_ns += total(m->state_ns, RUNSTATES) + m->idle_ns + m->pcpu_unknown_ns - m->before_seen_ns;
    s->before_seen_ns += m->before_seen_ns;
    s->executions += m->executions;
    s->wakes += m->wakes;
    s->preemptions += m->preemptions;
}

static struct sums *sums_of(struct report *r, uint64_t granularity_ns)
{
    for (size_t g = 0; g < r->granularities; g++)
        if (r->sums[g].granularity_ns == granularity_ns)
            return &r->sums[g];
    MUST(false, "an interval of %" PRIu64 " ns, which nobody asked for", granularity_ns);
}

static bool in_order(const struct row *a, const struct row *b)
{
    if (a->domain != b->domain)
        return a->domain < b->domain;
    if (a->life != b->life)
        return a->life < b->life;
    if (a->vcpu != b->vcpu)
        return a->vcpu < b->vcpu;
    return a->pcpu < b->pcpu;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct report *r = context;
    struct sums *s = sums_of(r, interval->granularity_ns);
    MUST(interval->start_ns <= interval->end_ns, "interval %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    MUST(!s->begun || interval->start_ns == s->next_ns, "interval at %" PRIu64 ", expected %" PRIu64,
         interval->start_ns, s->next_ns);
    s->begun = true;
    s->next_ns = interval->end_ns;
    for (size_t i = 0; i < n; i++) {
        check_row(r, interval, &rows[i]);
        add_row(s, rows[i].measures);
        MUST(i == 0 || in_order(&rows[i - 1], &rows[i]), "rows %zu and %zu are out of order", i - 1, i);
    }
    if (r->joins && s == &r->sums[r->granularities - 1])
        joins_take_rows(r->joins, rows, n);
    if (r->writer)
        MUST(writer_rows(r->writer, &(struct rows){&relation_rows, r->by, interval, rows, n, NULL, 0}) == 0,
             "writing to /dev/null failed");
    r->rows += n + 1;
    r->enough = r->enough || r->rows > ROWS_MOST;
    return r->enough ? -1 : 0;
}

static int take_execution(void *context, const struct execution *e)
{
    struct report *r = context;
    MUST(e->start_ns <= e->end_ns, "execution %" PRIu64 " .. %" PRIu64, e->start_ns, e->end_ns);
    MUST(e->ran_ns <= e->end_ns - e->start_ns, "ran %" PRIu64 " ns in %" PRIu64, e->ran_ns,
         e->end_ns - e->start_ns);
    if (r->writer)
        MUST(writer_rows(r->writer, &(struct rows){&relation_executions, 0, NULL, e, 1, NULL, 0}) == 0,
             "writing to /dev/null failed");
    return 0;
}

/* All granularities account for the same time and the same happenings. */
static void check_sums(const struct report *r)
{
    const struct sums *whole = &r->sums[0];
    for (size_t g = 1; g < r->granularities; g++) {
        const struct sums *s = &r->sums[g];
        MUST(s->all_ns == whole->all_ns, "granularity %" PRIu64 ": %" PRId64 " ns, %" PRId64 " ns over all",
             s->granularity_ns, s->all_ns, whole->all_ns);
        MUST(s->before_seen_ns <= whole->before_seen_ns, "more before it was seen than over all");
        bool same = s->before_seen_ns == whole->before_seen_ns && r->by != BY_PCPU;
        for (int i = 0; same && i < RUNSTATES; i++)
            MUST(s->state_ns[i] == whole->state_ns[i],
                 "state %d: %" PRId64 " ns at granularity %" PRIu64 ", %" PRId64 " ns over all", i,
                 s->state_ns[i], s->granularity_ns, whole->state_ns[i]);
        /* What happens in the very instant the trace ends, at a boundary, has no interval to belong to. */
        if (whole->next_ns % s->granularity_ns == 0)
            continue;
        MUST(s->executions == whole->executions && s->wakes == whole->wakes &&
                 s->preemptions == whole->preemptions,
             "granularity %" PRIu64 ": %" PRIu64 " executions, %" PRIu64 " over all", s->granularity_ns,
             s->executions, whole->executions);
    }
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct report *r = context;
    size_t g = 0;
    while (r->sums[g].granularity_ns != interval->granularity_ns)
        g++;
    for (size_t i = 0; i < n; i++) {
        const struct charge_idd *d = &idds[i];
        uint64_t charged = 0;
        for (size_t k = 0; k < d->guests_n; k++) {
            charged += d->guests[k].charged_ns;
            r->charges[g].notified += d->guests[k].events[IO_NOTIFY];
            MUST(d->guests[k].domain != d->domain || d->guests[k].life != d->life, "domain %d charges itself",
                 d->domain);
        }
        MUST(charged == d->charged_ns, "guests of domain %d are charged %" PRIu64 " of %" PRIu64 " ns",
             d->domain, charged, d->charged_ns);
        MUST(d->charged_ns + d->own_ns + d->unattributed_ns == d->running_ns,
             "domain %d: %" PRIu64 " + %" PRIu64 " + %" PRIu64 " of %" PRIu64 " ns", d->domain, d->charged_ns,
             d->own_ns, d->unattributed_ns, d->running_ns);
        r->charges[g].running_ns += d->running_ns;
        r->charges[g].charged_ns += d->charged_ns;
        r->charges[g].own_ns += d->own_ns;
        r->charges[g].unattributed_ns += d->unattributed_ns;
    }
    if (r->joins && g == r->granularities - 1)
        joins_take_charges(r->joins, idds, n);
    return 0;
}

static void check_charges(const struct report *r)
{
    for (size_t g = 1; g < r->granularities; g++) {
        const struct charge_sums *a = &r->charges[0], *b = &r->charges[g];
        /* What a driver domain ran before it was seen is unattributed. */
        MUST(a->charged_ns == b->charged_ns && a->own_ns == b->own_ns &&
                 a->unattributed_ns >= b->unattributed_ns,
             "granularity %" PRIu64 ": running %" PRIu64 " charged %" PRIu64 " own %" PRIu64
             ", over all %" PRIu64 " %" PRIu64 " %" PRIu64,
             r->sums[g].granularity_ns, b->running_ns, b->charged_ns, b->own_ns, a->running_ns, a->charged_ns,
             a->own_ns);
    }
}

/* ---- one report ---- */

static const uint64_t granularities_ns[] = {0, 1000000000, 100000000, 7777777};

void report_close(struct report *r)
{
    writer_free(r->writer);
    output_abort(r->output);
    choice_free(&r->columns);
}

/* To /dev/null: that it can be written is seen. */
static void open_writer(struct report *r, const char *format)
{
    static const struct relation *const relations[] = {&relation_rows, &relation_executions};
    struct error err = {0};
    r->output = output_open("/dev/null", &err);
    MUST(r->output, "%s", err.message);
    MUST(choice_make(&r->columns, relations, 1 + r->options.executions, NULL, NULL, false, &err) == 0, "%s",
         err.message);
    r->schema = (struct report_schema){.name = "report",
                                       .choice = &r->columns,
                                       .bys = 1u << r->by,
                                       .granularities_ns = granularities_ns,
                                       .granularities = r->granularities};
    r->writer = writer_new(format, r->output, &r->schema, &err);
    MUST(r->writer, "%s", err.message);
}

void report_open(struct report *r, const struct report_choice *c, const char *format)
{
    static uint8_t even_pcpus[PCPUS_MAX];
    for (size_t i = 0; i < PCPUS_MAX; i += 2)
        even_pcpus[i] = 1;
    bool rows_by_pcpu = c->by == BY_PCPU || c->by == BY_DOMAIN_PCPU;
    *r = (struct report){
        .by = c->by, .some_pcpus = c->some_pcpus && !rows_by_pcpu, .granularities = c->fine ? 4 : 2};
    r->options = (struct meter_options){
        .bys = 1u << c->by,
        .granularities = r->granularities,
        .executions = c->executions,
        .from_ns = c->part ? 3333333 : 0,
        .to_ns = c->part ? 1500000000 : 0,
        .pcpus_wanted = r->some_pcpus ? even_pcpus : NULL,
        .charge = {.wanted = true, .interval_ns = c->fine ? 2345678 : 0, .spread_own = c->executions},
        .sink = {r, take_interval, take_execution, take_charges, NULL},
    };
    for (size_t g = 0; g < r->granularities; g++)
        r->sums[g].granularity_ns = r->options.granularities_ns[g] = granularities_ns[g];
    memcpy(r->options.charge.weights, charge_default_weights, sizeof r->options.charge.weights);
    if (format)
        open_writer(r, format);
}

static void end_writer(struct report *r, struct trace *trace, const struct pipeline *pipeline, size_t at)
{
    struct error err = {0};
    struct quality quality;
    pipeline_quality(pipeline, trace, &quality);
    quality.unknown_ns = meter_unknown_ns(pipeline_meter(pipeline, at));
    struct report_summary summary = {.clock = *trace_clock(trace), .quality = &quality};
    struct judgement judgement;
    trace_summarise(trace, &summary.trace);
    summary.end_ns = meter_accounted(pipeline_meter(pipeline, at));
    verdict_judge(&judgement, &quality, &summary.clock, clock_ns(&summary.clock, summary.trace.tsc_last),
                  summary.trace.pcpus, summary.trace.has_runstates);
    summary.judgement = &judgement;
    struct writer *writer = r->writer;
    struct output *output = r->output;
    r->writer = NULL;
    r->output = NULL;
    MUST(writer_end(writer, &summary) == 0, "the report could not be ended");
    MUST(output_commit(output, &err) == 0, "%s", err.message);
}

void report_end(struct report *r, struct trace *trace, const struct pipeline *pipeline, size_t at)
{
    check_sums(r);
    check_charges(r);
    if (r->writer)
        end_writer(r, trace, pipeline, at);
}
