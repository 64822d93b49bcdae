/*
 * Fuzz target: the whole road from the bytes of a capture to the rows of a report.
 *
 * The first byte of an input says how it is read and what is asked for (see struct choice); the rest is the capture,
 * so `tail -c +2 INPUT` is a file for xenmeter. What must hold whatever the bytes are is checked at every row, and
 * a violation aborts; a ledger of debts takes part in the pass (debts.h). One input of eight, by its hash, is read by
 * consumers drawn from the hash, too (mixture.h); of another one of four the intervals are joined as pieces (joins.h).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/pipeline.h"
#include "metrics/verdict.h"
#include "parser/trace.h"
#include "tests/fuzz/debts.h"
#include "tests/fuzz/joins.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/store.h"
#include "tests/unit/mixture.h"

#define MEMORY_LIMIT (64u << 20)
#define ROWS_MOST    2000 /* a capture of a few bytes can claim to last for years: enough is seen by then */

/* What the first byte of an input decides. */
struct choice {
    enum by by;        /* bits 0-1; the second meter has the next one */
    bool pipe;         /* bit 2: through a pipe, not a mapped file */
    bool cpu_hz_given; /* bit 3 */
    bool part;         /* bit 4: only a part of the time */
    bool executions;   /* bit 5 */
    bool some_pcpus;   /* bit 6: only the even pCPUs */
    bool fine;         /* bit 7: short intervals too */
};

static struct choice choose(uint8_t byte)
{
    return (struct choice){.by = byte & 3,
                           .pipe = byte >> 2 & 1,
                           .cpu_hz_given = byte >> 3 & 1,
                           .part = byte >> 4 & 1,
                           .executions = byte >> 5 & 1,
                           .some_pcpus = byte >> 6 & 1,
                           .fine = byte >> 7 & 1};
}

/* What all rows of one granularity add up to. */
struct sums {
    uint64_t granularity_ns;
    uint64_t next_ns; /* where the next interval must begin */
    bool begun;
    int64_t state_ns[RUNSTATES], before_seen_ns;
    int64_t all_ns; /* but for what was before it was seen */
    uint64_t executions, wakes, preemptions;
};

/* What all charges of one granularity add up to. */
struct charge_sums {
    uint64_t running_ns, charged_ns, own_ns, unattributed_ns, notified;
};

struct report {
    enum by by;
    bool some_pcpus;
    struct sums sums[METER_GRANULARITIES];
    struct charge_sums charges[METER_GRANULARITIES];
    size_t granularities;
    uint64_t rows;
    bool enough;
    struct meter_options options;
    struct joins *joins; /* of the shortest intervals; NULL: none */
    struct output *output;
    struct writer *writer;
    struct column_choice choice;
};

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

static void report_close(struct report *r)
{
    writer_free(r->writer);
    output_abort(r->output);
    choice_free(&r->choice);
}

static bool report_open(struct report *r, const struct choice *c, enum by by, const char *format)
{
    static uint8_t even_pcpus[PCPUS_MAX];
    for (size_t i = 0; i < PCPUS_MAX; i += 2)
        even_pcpus[i] = 1;
    struct error err = {0};
    bool rows_by_pcpu = by == BY_PCPU || by == BY_DOMAIN_PCPU;
    *r = (struct report){
        .by = by, .some_pcpus = c->some_pcpus && !rows_by_pcpu, .granularities = c->fine ? 4 : 2};
    r->options = (struct meter_options){
        .bys = 1u << by,
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
    static const struct relation *const relations[] = {&relation_rows, &relation_executions};
    r->output = output_open("/dev/null", &err);
    MUST(r->output, "%s", err.message);
    MUST(choice_make(&r->choice, relations, 1 + c->executions, NULL, NULL, false, &err) == 0, "%s",
         err.message);
    struct report_schema schema = {.name = "report",
                                   .choice = &r->choice,
                                   .bys = 1u << by,
                                   .granularities_ns = granularities_ns,
                                   .granularities = r->granularities};
    static struct report_schema kept[2];
    struct report_schema *lasting = &kept[strcmp(format, "csv") == 0];
    *lasting = schema;
    r->writer = writer_new(format, r->output, lasting, &err);
    MUST(r->writer, "%s", err.message);
    return true;
}

static void report_end(struct report *r, struct trace *trace, const struct pipeline *pipeline, size_t at)
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

/* ---- the road ---- */

static struct trace *open_trace(const char *path, const struct choice *c, const struct pipeline *pipeline)
{
    struct error err = {0};
    struct trace_options options = {.cpu_hz = c->cpu_hz_given ? 2.4e9 : 0, .memory_limit = MEMORY_LIMIT};
    pipeline_wants(pipeline, &options);
    struct trace *trace = trace_open(path, &options, &err);
    MUST(trace || err.code != ERROR_NONE, "no trace and no reason");
    return trace;
}

/* Feeds both reports; true when the end was reached without an error. */
static bool read_trace(struct trace *trace, struct pipeline *pipeline, const struct report *reports)
{
    struct error err = {0};
    struct event_batch batch;
    uint64_t last = 0, watermark = 0;
    int status;
    while ((status = trace_next(trace, &batch, &err)) > 0) {
        const struct clock *clock = trace_clock(trace);
        if (clock->cpu_hz <= 0)
            return false; /* the command says so and ends */
        for (size_t i = 0; i < batch.n; i++) {
            MUST(batch.events[i].tsc >= last, "event at %" PRIu64 " after %" PRIu64, batch.events[i].tsc,
                 last);
            last = batch.events[i].tsc;
            MUST(last <= batch.watermark || !(batch.events[i].flags & EVENT_MODEL),
                 "event at %" PRIu64 " beyond the watermark %" PRIu64, last, batch.watermark);
        }
        MUST(batch.watermark >= watermark, "the watermark goes back");
        watermark = batch.watermark;
        if (pipeline_feed(pipeline, &batch, clock, &err) != 0) {
            MUST(reports[0].enough || reports[1].enough || err.code != ERROR_NONE, "ended without a reason");
            return false;
        }
    }
    MUST(status == 0 || err.code != ERROR_NONE, "failed without a reason");
    return status == 0;
}

/* Reads the trace to its end and ends both reports; false if that cannot be. */
static bool read_whole(struct trace *trace, struct pipeline *pipeline, struct report *reports)
{
    struct error err = {0};
    struct trace_summary s;
    if (!read_trace(trace, pipeline, reports))
        return false;
    trace_summarise(trace, &s);
    if (pipeline_end(pipeline, clock_ns(trace_clock(trace), s.tsc_last), &err) != 0) {
        MUST(reports[0].enough || reports[1].enough || err.code != ERROR_NONE, "ended without a reason");
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        check_sums(&reports[i]);
        check_charges(&reports[i]);
        report_end(&reports[i], trace, pipeline, i);
    }
    return true;
}

static void run(const char *path, const struct choice *c, uint64_t hash)
{
    struct report reports[2];
    struct joins joins;
    struct error err = {0};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    report_open(&reports[0], c, c->by, "csv");
    report_open(&reports[1], c, (c->by + 1) & 3, "json");
    for (int i = 0; i < 2; i++) {
        const struct consumer rows = {.rows = &reports[i].options};
        MUST(pipeline && pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    }
    joins_open(&joins, hash);
    if ((hash >> 8 & 3) == 0)
        reports[0].joins = &joins;
    struct debts debts;
    debts_open(&debts, (uint64_t)c->by | (uint64_t)c->executions << 2 | (uint64_t)c->fine << 3);
    debts.meter.from_ns = reports[0].options.from_ns;
    debts.meter.to_ns = reports[0].options.to_ns;
    const struct consumer ledger = debts_consumer(&debts);
    MUST(pipeline_add(pipeline, &ledger, &err) == 0, "%s", err.message);
    struct trace *trace = open_trace(path, c, pipeline);
    bool whole = trace && read_whole(trace, pipeline, reports);
    if (whole && reports[0].joins)
        joins_check(&joins);
    /* The same time runs by domain, vCPU, pCPU and domain on a pCPU. */
    if (whole && reports[0].some_pcpus == reports[1].some_pcpus)
        MUST(reports[0].sums[0].state_ns[RUNSTATE_RUNNING] == reports[1].sums[0].state_ns[RUNSTATE_RUNNING],
             "running by %s %" PRId64 " ns, by %s %" PRId64 " ns", by_names[reports[0].by],
             reports[0].sums[0].state_ns[RUNSTATE_RUNNING], by_names[reports[1].by],
             reports[1].sums[0].state_ns[RUNSTATE_RUNNING]);
    report_close(&reports[0]);
    report_close(&reports[1]);
    joins_close(&joins);
    pipeline_free(pipeline);
    debts_close(&debts);
    trace_close(trace);
}

/* One input of eight is also read by consumers drawn from its own bytes: all in one pass, and each alone. */
static void run_mixture(const uint8_t *data, size_t n, const struct choice *c)
{
    char path[STORE_PATH];
    uint64_t hash = XXH3_64bits(data, n);
    if (hash & 7)
        return;
    int fd = store_capture(data, n, false, path);
    const struct mixture_trace trace = {.path = path,
                                        .cpu_hz = c->cpu_hz_given ? 2.4e9 : 0,
                                        .unit_ns = 7777777,
                                        .end_ns = 1500000000,
                                        .memory_limit = MEMORY_LIMIT,
                                        .lines_most = ROWS_MOST};
    const char *difference = mixture_difference(hash, &trace);
    MUST(!difference, "%s", difference);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct choice c = choose(data[0]);
    char path[STORE_PATH];
    int fd = store_capture(data + 1, n - 1, c.pipe, path);
    run(path, &c, XXH3_64bits(data, n));
    close(fd);
    run_mixture(data + 1, n - 1, &c);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    return mutate(data, n, room, seed);
}
