#include "tests/reference/truth.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/pipeline.h"
#include "parser/trace.h"
#include "tests/reference/made_host.h"
#include "tests/reference/reference_sums.h"
#include "tests/reference/timelines.h"
#include "tests/unit/bytes_feed.h"

#define MEMORY_LIMIT (64u << 20)
#define ROWS_MOST    20000
#define CPU_CHANGE   0x0001f003u
#define STATE_MOST   64 /* vCPUs of the program's timeline */

/* What the first byte decides. */
struct reading {
    size_t chunk;         /* bits 0-1: bytes come so many at a time */
    bool ahead;           /* bit 2: on a thread of its own */
    uint64_t interval_ns; /* bits 3-4 */
    enum by by;           /* bits 5-6 */
    bool damaged;         /* bit 7: the capture ends early, or a window is damaged */
};

/* A vCPU's state by the program, as far as it was handed out. */
struct told_state {
    uint64_t since;
    unsigned state;
    bool alive;
};

struct truth {
    struct made_host host;
    struct ref_records records;
    struct ref_host expected;
    struct reading reading;
    struct meter_options rows;
    size_t at[REF_PCPUS]; /* the next record that is expected of each pCPU */
    size_t taken;
    uint64_t last_tsc;
    uint16_t last_pcpu;
    uint64_t rows_n;
    struct told_state told[STATE_MOST];
    char difference[500];
    bool of_states; /* the difference is one of states, or of what follows from them */
};

/* Keeps the first difference. */
static int differs(struct truth *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int differs(struct truth *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!t->difference[0])
        vsnprintf(t->difference, sizeof t->difference, format, args);
    va_end(args);
    return CONSUMER_FAILED;
}

/* ---- records ---- */

static int check_record(struct truth *t, const struct event *e, const struct event *more)
{
    if (e->pcpu >= REF_PCPUS || t->at[e->pcpu] == t->records.of_n[e->pcpu])
        return differs(t, "a record 0x%08x at %" PRIu64 " on pcpu %d that nobody wrote", e->header, e->tsc,
                       e->pcpu);
    const struct ref_record *r = &t->records.of[e->pcpu][t->at[e->pcpu]++];
    uint32_t header = r->number | r->words_n << 28 | (uint32_t)r->timed << 31;
    unsigned here = r->words_n < 4 ? r->words_n : 4;
    if (e->header != header || e->tsc < r->least_tsc || e->tsc > r->tsc)
        return differs(
            t, "pcpu %d: record %zu 0x%08x at %" PRIu64 ", expected 0x%08x at %" PRIu64 " .. %" PRIu64,
            e->pcpu, r->place, e->header, e->tsc, header, r->least_tsc, r->tsc);
    if (memcmp(e->w, r->w, here * sizeof r->w[0]) != 0 || (r->words_n > 4 && !more) ||
        (r->words_n > 4 && memcmp(more->w, r->w + 4, (r->words_n - 4) * sizeof r->w[0]) != 0))
        return differs(t, "pcpu %d: record %zu has other words than were written", e->pcpu, r->place);
    if (e->tsc < t->last_tsc || (e->tsc == t->last_tsc && e->pcpu < t->last_pcpu))
        return differs(t, "pcpu %d: a record at %" PRIu64 " after one of pcpu %d at %" PRIu64, e->pcpu,
                       e->tsc, t->last_pcpu, t->last_tsc);
    t->last_tsc = e->tsc;
    t->last_pcpu = e->pcpu;
    t->taken++;
    return CONSUMER_GOES_ON;
}

static int take_batch(void *context, const struct pass *pass, const struct event_batch *b, struct error *err)
{
    struct truth *t = context;
    (void)pass;
    (void)err;
    for (size_t i = 0; i < b->n; i++) {
        const struct event *e = &b->events[i];
        const struct event *more = i + 1 < b->n && e[1].slot == EVENT_MORE ? e + 1 : NULL;
        if (e->slot < EVENT_SLOTS && e->flags & EVENT_RAW && check_record(t, e, more) != CONSUMER_GOES_ON)
            return CONSUMER_FAILED;
    }
    return CONSUMER_GOES_ON;
}

/* ---- states ---- */

static const struct ref_vcpu *expected_vcpu(const struct truth *t, uint32_t domain, uint32_t id)
{
    for (size_t i = 0; i < t->expected.vcpus_n; i++)
        if (t->expected.vcpus[i].domain == domain && t->expected.vcpus[i].id == id)
            return &t->expected.vcpus[i];
    return NULL;
}

/* The program says that a vCPU was in a state in [from, to). */
static int check_state(struct truth *t, const struct ref_vcpu *v, unsigned state, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < v->pieces_n; i++) {
        const struct ref_piece *p = &v->pieces[i];
        uint64_t a = p->from > from ? p->from : from, b = p->to < to ? p->to : to;
        if (a < b && !(p->states & REF_IS(state)))
            return differs(t,
                           "d%uv%u: state %u in %" PRIu64 " .. %" PRIu64 ", expected of 0x%x in %" PRIu64
                           " .. %" PRIu64,
                           v->domain, v->id, state, from, to, p->states, p->from, p->to);
    }
    return CONSUMER_GOES_ON;
}

static const struct ref_vcpu *vcpu_of(const struct truth *t, const struct pass *pass, uint32_t number)
{
    const struct population *p = model_population(pass->model);
    const struct vcpu_identity *v = &p->vcpus[number];
    return expected_vcpu(t, p->incarnations[v->life].domain, v->id);
}

static int take_state(void *context, const struct pass *pass, const struct transition *c)
{
    struct truth *t = context;
    if ((c->kind != TRANSITION_APPEAR && c->kind != TRANSITION_STATE) || t->reading.damaged)
        return CONSUMER_GOES_ON;
    t->of_states = true;
    const struct ref_vcpu *v = vcpu_of(t, pass, c->vcpu);
    if (c->vcpu >= STATE_MOST || !v)
        return differs(t, "vCPU number %u, which is in no record", c->vcpu);
    struct told_state *told = &t->told[c->vcpu];
    uint64_t since = c->kind == TRANSITION_APPEAR ? c->value : c->time_ns;
    if (told->alive && told->state != c->from && t->expected.by_runstates && t->expected.losses_n == 0)
        return differs(t, "d%uv%u leaves state %d at %" PRIu64 ", but was in %u", v->domain, v->id, c->from,
                       c->time_ns, told->state);
    if (told->alive && check_state(t, v, told->state, told->since, since) != CONSUMER_GOES_ON)
        return CONSUMER_FAILED;
    *told = (struct told_state){since, c->to, true};
    t->of_states = false;
    return CONSUMER_GOES_ON;
}

static int take_end(void *context, const struct pass *pass, struct error *err)
{
    struct truth *t = context;
    (void)err;
    if (t->reading.damaged)
        return CONSUMER_GOES_ON;
    if (pass->end_ns != t->expected.length)
        return differs(t, "the trace ends at %" PRIu64 ", expected %" PRIu64, pass->end_ns,
                       t->expected.length);
    for (uint32_t i = 0; i < STATE_MOST; i++) {
        const struct told_state *told = &t->told[i];
        const struct ref_vcpu *v = told->alive ? vcpu_of(t, pass, i) : NULL;
        if (v && check_state(t, v, told->state, told->since, pass->end_ns) != CONSUMER_GOES_ON)
            return CONSUMER_FAILED;
    }
    return CONSUMER_GOES_ON;
}

/* ---- sums ---- */

static int check_samples(struct truth *t, const char *what, const struct histogram *h,
                         const struct ref_samples *s)
{
    bool same =
        h->count == s->count && h->sum == s->sum && (s->count == 0 || (h->min == s->min && h->max == s->max));
    if (same || t->expected.losses_n > 0)
        return 0;
    return differs(t, "%s: %" PRIu64 " samples, sum %" PRIu64 ", expected %" PRIu64 ", sum %" PRIu64, what,
                   h->count, h->sum, s->count, s->sum);
}

static int check_counts(struct truth *t, const struct measures *m, const struct ref_sums *s)
{
    const struct {
        const char *name;
        uint64_t is, expected;
    } counts[] = {{"executions", m->executions, s->executions},
                  {"wakes", m->wakes, s->wakes},
                  {"blocks", m->blocks, s->blocks},
                  {"preemptions", m->preemptions, s->preemptions},
                  {"migrations", m->migrations, s->migrations}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts && t->expected.losses_n == 0; i++)
        if (counts[i].is != counts[i].expected)
            return differs(t, "%" PRIu64 " %s, expected %" PRIu64, counts[i].is, counts[i].name,
                           counts[i].expected);
    if (check_samples(t, "runs", &m->run, &s->run) != 0 || check_samples(t, "waits", &m->wait, &s->wait) != 0)
        return -1;
    return check_samples(t, "blocks", &m->block, &s->block);
}

static int check_times(struct truth *t, const struct measures *m, const struct ref_sums *s)
{
    for (unsigned i = 0; i < REF_STATES; i++)
        if (m->state_ns[i] < (int64_t)s->least[i] || m->state_ns[i] > (int64_t)s->most[i])
            return differs(t, "state %u: %" PRId64 " ns, expected %" PRIu64 " to %" PRIu64, i, m->state_ns[i],
                           s->least[i], s->most[i]);
    return 0;
}

/* Whether the program can have known of the vCPU when it handed out an interval. */
static bool was_seen(const struct ref_vcpu *v, const struct interval *in)
{
    return v->changes_n > 0 && (in->granularity_ns == 0 || v->changes[0].at < in->end_ns);
}

/* Counts are what happened, or lower bounds where records were lost. */
static int check_bounds(struct truth *t, const struct measures *m, const struct made_vcpu *k)
{
    if (m->executions <= k->executions && m->wakes <= k->wakes && m->blocks <= k->blocks)
        return 0;
    return differs(t,
                   "executions %" PRIu64 " wakes %" PRIu64 " blocks %" PRIu64 ", but there were %" PRIu64
                   " %" PRIu64 " %" PRIu64,
                   m->executions, m->wakes, m->blocks, k->executions, k->wakes, k->blocks);
}

/* A row against what the host knows of itself. */
static int check_truth(struct truth *t, const struct interval *in, const struct row *row)
{
    for (unsigned i = 0; i < t->host.vcpus && in->granularity_ns == 0 && row->vcpu >= 0; i++) {
        const struct made_vcpu *k = &t->host.vcpu[i];
        if ((int32_t)k->dom != row->domain || (int32_t)k->vcpu != row->vcpu)
            continue;
        for (int s = 0; s < 4 && t->expected.by_runstates && t->expected.losses_n == 0; s++)
            if ((int64_t)k->ns[s] != row->measures->state_ns[s])
                return differs(t, "state %d: %" PRId64 " ns, but it was %" PRIu64, s,
                               row->measures->state_ns[s], k->ns[s]);
        return check_bounds(t, row->measures, k);
    }
    return 0;
}

/* The vCPUs of a row by domain or vCPU. */
static int check_guest_row(struct truth *t, const struct interval *in, const struct row *row)
{
    struct ref_sums s = {0};
    uint32_t vcpus = 0, seen = 0;
    uint64_t yields = 0;
    for (size_t i = 0; i < t->expected.vcpus_n; i++) {
        const struct ref_vcpu *v = &t->expected.vcpus[i];
        if ((int32_t)v->domain != row->domain || (row->vcpu >= 0 && (int32_t)v->id != row->vcpu) ||
            v->changes_n == 0)
            continue;
        ref_sums_add(&s, v, in->start_ns, in->end_ns, -1);
        yields += v->yields;
        vcpus++;
        seen += was_seen(v, in);
    }
    if (row->vcpus < seen || row->vcpus > vcpus)
        return differs(t, "%u vCPUs, expected %u to %u", row->vcpus, seen, vcpus);
    if (vcpus != row->vcpus)
        return 0;
    if (check_times(t, row->measures, &s) != 0)
        return -1;
    if (in->granularity_ns == 0 && t->expected.losses_n == 0 && row->measures->yields != yields)
        return differs(t, "%" PRIu64 " yields, expected %" PRIu64, row->measures->yields, yields);
    if (t->expected.by_runstates && check_counts(t, row->measures, &s) != 0)
        return -1;
    return check_truth(t, in, row);
}

static int check_part(struct truth *t, const char *what, int64_t is, const struct ref_sums *least,
                      const struct ref_sums *most)
{
    if (is >= (int64_t)least->least[REF_RUNNING] && is <= (int64_t)most->most[REF_RUNNING])
        return 0;
    return differs(t, "%s %" PRId64 " ns, expected %" PRIu64 " to %" PRIu64, what, is,
                   least->least[REF_RUNNING], most->most[REF_RUNNING]);
}

/* Who ran on a pCPU. */
static int check_pcpu_row(struct truth *t, const struct interval *in, const struct row *row)
{
    struct ref_sums guests = {0}, idle = {0}, seen_guests = {0}, seen_idle = {0};
    const struct measures *m = row->measures;
    int64_t length = (int64_t)(in->end_ns - in->start_ns), running = m->state_ns[REF_RUNNING];
    for (size_t i = 0; i < t->expected.vcpus_n; i++) {
        const struct ref_vcpu *v = &t->expected.vcpus[i];
        bool is_idle = v->domain == REF_IDLE;
        ref_sums_add(is_idle ? &idle : &guests, v, in->start_ns, in->end_ns, row->pcpu);
        if (was_seen(v, in))
            ref_sums_add(is_idle ? &seen_idle : &seen_guests, v, in->start_ns, in->end_ns, row->pcpu);
    }
    if (running + m->idle_ns + m->pcpu_unknown_ns != length)
        return differs(t, "running, idle and unknown are not %" PRId64 " ns", length);
    if (check_part(t, "running", running, &seen_guests, &guests) != 0)
        return -1;
    return idle.most[REF_RUNNING] > 0 ? check_part(t, "idle", m->idle_ns, &seen_idle, &idle) : 0;
}

static int take_rows(void *context, const struct interval *in, const struct row *rows, size_t n)
{
    struct truth *t = context;
    char what[sizeof t->difference];
    t->of_states = true;
    t->rows_n += n + 1;
    /* A loss may be reported after intervals were handed out that it lies in. */
    if (t->reading.damaged || t->rows_n > ROWS_MOST || (t->expected.losses_n > 0 && in->granularity_ns > 0))
        return 0;
    for (size_t i = 0; i < n; i++) {
        int status = in->by == BY_PCPU ? check_pcpu_row(t, in, &rows[i]) : check_guest_row(t, in, &rows[i]);
        if (status == 0)
            continue;
        memcpy(what, t->difference, sizeof what);
        snprintf(t->difference, sizeof t->difference,
                 "%" PRIu64 " .. %" PRIu64 " domain %d vcpu %d pcpu %d: %.400s", in->start_ns, in->end_ns,
                 rows[i].domain, rows[i].vcpu, rows[i].pcpu, what);
        return -1;
    }
    t->of_states = false;
    return 0;
}

/* ---- both ---- */

static struct reading reading_of(uint8_t byte)
{
    static const size_t chunks[] = {SIZE_MAX, 4096, 61, 4};
    static const uint64_t intervals_ns[] = {0, 1000000000, 7777777, 1000000};
    static const enum by bys[] = {BY_VCPU, BY_DOMAIN, BY_PCPU, BY_VCPU};
    return (struct reading){.chunk = chunks[byte & 3],
                            .ahead = byte >> 2 & 1,
                            .interval_ns = intervals_ns[byte >> 3 & 3],
                            .by = bys[byte >> 5 & 3],
                            .damaged = byte >> 7 & 1};
}

static void read_it(struct truth *t)
{
    static bool all_slots[EVENT_SLOTS];
    static struct quality quality;
    struct error err = {0};
    struct bytes_feed memory = {
        .at = t->host.capture.file.data, .n = t->host.capture.file.n, .piece = t->reading.chunk};
    const struct feed feed = bytes_feed_of(&memory);
    const struct pipeline_control control = {0};
    memset(all_slots, true, sizeof all_slots);
    t->rows = (struct meter_options){.bys = 1u << t->reading.by,
                                     .granularities_ns = {0, t->reading.interval_ns},
                                     .granularities = t->reading.interval_ns ? 2 : 1,
                                     .sink = {t, take_rows, NULL, NULL, NULL}};
    const struct consumer consumer = {.context = t,
                                      .records = all_slots,
                                      .states = true,
                                      .rows = &t->rows,
                                      .batch = take_batch,
                                      .state = take_state,
                                      .end = take_end};
    struct trace_options options = {
        .cpu_hz = 1e9, .memory_limit = MEMORY_LIMIT, .feed = &feed, .ahead = t->reading.ahead};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    if (!pipeline || pipeline_add(pipeline, &consumer, &err) != 0)
        abort();
    pipeline_wants(pipeline, &options);
    struct trace *trace = trace_open("made", &options, &err);
    if (!trace || pipeline_run(pipeline, trace, &control, &err) != 0)
        differs(t, "the pass failed: %s", err.message);
    else if (t->taken != t->records.n)
        differs(t, "%zu records of %zu", t->taken, t->records.n);
    if (trace)
        pipeline_quality(pipeline, trace, &quality);
    /* What contradicts itself as records were lost may look like clocks that differ, until the loss is reported. */
    bool skewed = t->expected.losses_n > 0 && quality.skew_max_ns > 0;
    if (t->of_states && skewed)
        t->difference[0] = '\0';
    pipeline_free(pipeline);
    trace_close(trace);
}

/* Of a capture that is cut: the first window's header and record, at least, are left. */
static void cut_short(struct bytes *file, size_t where)
{
    size_t least = 12 + 16 + 4;
    if (file->n > least)
        file->n = least + (file->n - least) * where / 65536;
}

/* From a record on a window holds nothing but zeros, which are no record; its first record stays, so that its time is known. */
static struct ref_damage spoil_window(const struct ref_records *whole, struct bytes *file, size_t where)
{
    size_t at = whole->n * where / 65536, from = SIZE_MAX, to = file->n;
    struct ref_record *by_place = calloc(whole->n, sizeof *by_place);
    if (!by_place)
        abort();
    for (size_t i = 0; i < whole->n; i++)
        by_place[whole->at[i].place] = whole->at[i];
    if (at >= 2 && by_place[at].number != CPU_CHANGE && by_place[at - 1].number != CPU_CHANGE)
        from = by_place[at].offset;
    for (size_t i = at; i < whole->n && to == file->n; i++)
        if (by_place[i].number == CPU_CHANGE)
            to = by_place[i].offset;
    free(by_place);
    if (from == SIZE_MAX)
        return (struct ref_damage){0};
    memset(file->data + from, 0, to - from);
    return (struct ref_damage){from, to};
}

static struct ref_damage do_damage(const struct ref_records *whole, struct bytes *file, const uint8_t *how)
{
    size_t where = how[1] * 256u + how[2];
    if (how[0] & 1)
        return spoil_window(whole, file, where);
    cut_short(file, where);
    return (struct ref_damage){0};
}

const char *truth_difference(const uint8_t *bytes, size_t n)
{
    static struct truth t;
    const struct ref_damage none = {0};
    if (n < 1 + MADE_HEAD_BYTES)
        return NULL;
    memset(&t, 0, sizeof t);
    t.reading = reading_of(bytes[0]);
    made_host_run(&t.host, bytes + 1, n - 1);
    struct bytes *file = &t.host.capture.file;
    ref_records_read(&t.records, file->data, file->n, none);
    if (t.reading.damaged) {
        const struct ref_damage damage = do_damage(&t.records, file, bytes + n - 3);
        ref_records_free(&t.records);
        ref_records_read(&t.records, file->data, file->n, damage);
    }
    ref_host_make(&t.expected, &t.records);
    read_it(&t);
    ref_host_free(&t.expected);
    ref_records_free(&t.records);
    made_host_free(&t.host);
    return t.difference[0] ? t.difference : NULL;
}
