#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

/* A consumer and how far it is. */
struct attached {
    struct consumer consumer;
    struct meter *meter; /* NULL: it wants no rows */
    bool enough;
    bool charges; /* its rows have charges */
};

struct pipeline {
    struct attached *members;
    size_t n, capacity;
    struct model *model; /* NULL: nobody wants it */
    struct pass pass;
    uint64_t memory_limit;
    bool begun, ended_early;
};

struct pipeline *pipeline_new(uint64_t memory_limit)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (p)
        p->memory_limit = memory_limit;
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        meter_free(p->members[i].meter);
    model_free(p->model);
    free(p->members);
    free(p);
}

int pipeline_add(struct pipeline *p, const struct consumer *consumer, struct error *err)
{
    if (!array_make_room(&p->members, &p->capacity, p->n + 1, sizeof *p->members))
        return error_no_memory(err, "the consumers of the trace");
    bool wants_model = consumer->states || consumer->rows;
    if (wants_model && !p->model && !(p->pass.model = p->model = model_new(0)))
        return error_no_memory(err, "the consumers of the trace");
    if (consumer->states || (consumer->rows && meter_wants_idle(consumer->rows)))
        model_show_idle(p->model);
    struct attached *m = &p->members[p->n];
    *m = (struct attached){.consumer = *consumer, .charges = consumer->rows && consumer->rows->charge.wanted};
    if (consumer->rows && !(m->meter = meter_new(consumer->rows, p->model, err)))
        return -1;
    p->n++;
    return 0;
}

static void add_records(struct event_interest *into, const struct consumer *c)
{
    struct event_interest records = {.raw_some_pcpus = c->pcpus != NULL};
    memcpy(records.raw, c->records, sizeof records.raw);
    if (c->pcpus)
        memcpy(records.raw_pcpus, c->pcpus, sizeof records.raw_pcpus);
    event_interest_add(into, &records);
}

void pipeline_wants(const struct pipeline *p, struct trace_options *trace)
{
    trace->cycles = trace->ends_early = p->n > 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct consumer *c = &p->members[i].consumer;
        trace->cycles = trace->cycles && c->clock == CLOCK_UNUSED;
        trace->ends_early = trace->ends_early && !c->to_the_end;
        trace->asked_meanwhile = trace->asked_meanwhile || c->asks_quality;
        if (c->records)
            add_records(&trace->interest, c);
        if (c->rows)
            meter_wants(c->rows, trace);
    }
    if (p->model)
        model_wants(trace);
}

/* ---- a batch ---- */

/* Whether the member takes part still, given what it answered. */
static int heed(struct attached *m, int answer)
{
    m->enough = m->enough || answer == CONSUMER_HAS_ENOUGH;
    return answer < 0 ? -1 : 0;
}

static int begin(struct pipeline *p, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct attached *m = &p->members[i];
        if (m->meter)
            meter_set_clock(m->meter, p->pass.clock);
        if (m->consumer.begin && heed(m, m->consumer.begin(m->consumer.context, &p->pass, err)) != 0)
            return -1;
    }
    p->begun = true;
    return 0;
}

static int give_batch(struct pipeline *p, const struct event_batch *batch, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct attached *m = &p->members[i];
        const struct consumer *c = &m->consumer;
        if (c->batch && !m->enough && heed(m, c->batch(c->context, &p->pass, batch, err)) != 0)
            return -1;
    }
    return 0;
}

/* The settled transitions, one after the other, to everybody. */
static int give_states(struct pipeline *p)
{
    const struct attached *end = p->members + p->n;
    const struct transition *t;
    while ((t = model_next(p->model)))
        for (struct attached *m = p->members; m < end; m++) {
            const struct consumer *c = &m->consumer;
            if (m->meter)
                meter_take(m->meter, t);
            if (c->state && !m->enough && heed(m, c->state(c->context, &p->pass, t)) != 0)
                return -1;
        }
    return 0;
}

static int check_memory(const struct pipeline *p, struct error *err)
{
    size_t held = model_memory(p->model);
    for (const struct attached *m = p->members; m < p->members + p->n; m++) {
        held += m->meter ? meter_memory(m->meter) : 0;
        held += m->consumer.memory ? m->consumer.memory(m->consumer.context) : 0;
    }
    if (p->memory_limit == 0 || held <= p->memory_limit)
        return 0;
    const struct population *who = model_population(p->model);
    return error_set(err, ERROR_MEMORY,
                     "%zu domains with %zu vCPUs need more than the memory limit (--max-memory)",
                     who->incarnations_n, who->vcpus_n);
}

static int settle(struct pipeline *p, uint64_t settled_ns, struct error *err)
{
    p->pass.settled_ns = settled_ns;
    if (give_states(p) != 0)
        return -1;
    for (size_t i = 0; i < p->n; i++) {
        struct attached *m = &p->members[i];
        const struct consumer *c = &m->consumer;
        if (m->meter && meter_advance(m->meter, settled_ns, err) != 0)
            return -1;
        if (c->settled && !m->enough && heed(m, c->settled(c->context, &p->pass, settled_ns, err)) != 0)
            return -1;
    }
    return check_memory(p, err);
}

int pipeline_feed(struct pipeline *p, const struct event_batch *batch, const struct clock *clock,
                  struct error *err)
{
    p->pass.clock = clock;
    p->pass.pcpus = batch->pcpus;
    p->pass.pcpus_n = batch->pcpus_n;
    p->pass.traits = batch->traits;
    if (!p->begun && begin(p, err) != 0)
        return -1;
    if (give_batch(p, batch, err) != 0)
        return -1;
    if (!p->model)
        return 0;
    if (model_take(p->model, batch, clock, err) != 0)
        return -1;
    for (size_t i = 0; i < p->n; i++)
        if (p->members[i].meter)
            meter_take_batch(p->members[i].meter, batch, clock);
    return settle(p, model_settle(p->model, batch, clock), err);
}

/* ---- in the middle of a trace ---- */

static int by_beginning(const void *a, const void *b, void *view)
{
    const struct vcpu_view *vcpus = ((const struct model_view *)view)->vcpus;
    uint32_t v = *(const uint32_t *)a, w = *(const uint32_t *)b;
    if (vcpus[v].since_ns != vcpus[w].since_ns)
        return vcpus[v].since_ns < vcpus[w].since_ns ? -1 : 1;
    return (v > w) - (v < w);
}

/* What lasts: who is in which state since when, and pCPUs that are blind. */
static void give_lasting(struct pipeline *p, const struct consumer *c, const uint32_t *order, size_t n)
{
    const struct model_view *view = model_view(p->model);
    struct transition t = {.time_ns = view->dark.since_ns,
                           .value = DARK_BEGINS,
                           .vcpu = NOBODY,
                           .pcpu = NO_PCPU,
                           .kind = TRANSITION_DARK};
    for (unsigned i = 0; i < view->dark.blind; i++)
        c->state(c->context, &p->pass, &t);
    for (size_t i = 0; i < n; i++) {
        const struct vcpu_view *v = &view->vcpus[order[i]];
        t = (struct transition){.time_ns = v->since_ns,
                                .value = v->since_ns,
                                .vcpu = order[i],
                                .pcpu = v->pcpu,
                                .kind = TRANSITION_APPEAR,
                                .from = RUNSTATE_UNKNOWN,
                                .to = v->state & 15};
        if (v->alive)
            c->state(c->context, &p->pass, &t);
    }
}

static int restore_states(struct pipeline *p, struct error *err)
{
    const struct model_view *view = model_view(p->model);
    size_t n = model_population(p->model)->vcpus_n;
    uint32_t *order = malloc((n + 1) * sizeof *order);
    if (!order)
        return error_no_memory(err, "the states of vCPUs");
    for (uint32_t v = 0; v < n; v++)
        order[v] = v;
    qsort_r(order, n, sizeof *order, by_beginning, (void *)(uintptr_t)view);
    for (size_t i = 0; i < p->n; i++)
        if (p->members[i].consumer.state && !p->members[i].consumer.restore)
            give_lasting(p, &p->members[i].consumer, order, n);
    free(order);
    return 0;
}

/*
 * Restores the meters from the rest, each from the same, and from the part of charges; one that is dropped checks it, too, as
 * there may be none.
 */
static int restore_meters(struct pipeline *p, const struct snapshot *s, const struct snapshot *charges,
                          uint64_t tsc, struct error *err)
{
    struct meter *checker = meter_new_saver(NULL, p->model, err);
    struct snapshot rest = *s;
    if (!checker)
        return -1;
    meter_snapshot(checker, &rest);
    bool fine = snapshot_is_read(&rest);
    meter_free(checker);
    for (size_t i = 0; i < p->n && fine; i++) {
        const struct consumer *c = &p->members[i].consumer;
        rest = *s;
        if (c->restore)
            fine = c->restore(c->context, s, charges, tsc);
        if (!p->members[i].meter || !fine)
            continue;
        meter_snapshot(p->members[i].meter, &rest);
        fine = !rest.failed && meter_restore_charges(p->members[i].meter, charges, tsc);
    }
    return fine ? 0 : error_set(err, ERROR_FORMAT, "a damaged snapshot");
}

static bool wants_charges(const struct pipeline *p)
{
    bool wanted = false;
    for (size_t i = 0; i < p->n; i++)
        wanted = wanted || p->members[i].charges;
    return wanted;
}

int pipeline_restore(struct pipeline *p, const void *bytes, size_t n, uint64_t tsc, const struct clock *clock,
                     struct error *err)
{
    struct snapshot s, charges;
    snapshot_read(&s, bytes, n, clock_ns(clock, tsc));
    charges = snapshot_take_part(&s);
    p->pass.clock = clock;
    if (begin(p, err) != 0)
        return -1;
    if (!p->model)
        return 0;
    model_restore(p->model, &s, wants_charges(p));
    charges.now_ns = model_settled(p->model);
    (void)snapshot_take_part(&charges); /* of who reads the trace */
    if (restore_meters(p, &s, &charges, tsc, err) != 0)
        return -1;
    p->pass.settled_ns = model_settled(p->model);
    return restore_states(p, err) == 0 ? check_memory(p, err) : -1;
}

bool pipeline_restore_pasts(const void *bytes, size_t n, struct io_pasts *pasts)
{
    struct snapshot s, charges, part;
    snapshot_read(&s, bytes, n, 0);
    charges = snapshot_take_part(&s);
    part = snapshot_take_part(&charges);
    io_pasts_read(&part, pasts);
    return !s.failed && !charges.failed && snapshot_is_read(&part);
}

/* ---- the end ---- */

bool pipeline_is_over(const struct pipeline *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct attached *m = &p->members[i];
        bool rows_done = m->meter && meter_is_over(m->meter) && !m->consumer.batch && !m->consumer.state;
        if (m->consumer.to_the_end || !(m->enough || rows_done))
            return false;
    }
    return p->n > 0;
}

bool pipeline_ended_early(const struct pipeline *p)
{
    return p->ended_early;
}

static int check_span(const struct pipeline *p, uint64_t end_ns, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        uint64_t from_ns = p->members[i].consumer.from_ns;
        if (from_ns > 0 && from_ns >= end_ns && p->pass.clock->cpu_hz > 0)
            return error_set(err, ERROR_USAGE,
                             "the time asked for begins at %.9g s, but the trace ends at %.9g s",
                             (double)from_ns / 1e9, (double)end_ns / 1e9);
    }
    return 0;
}

int pipeline_end(struct pipeline *p, uint64_t end_ns, struct error *err)
{
    p->pass.end_ns = p->pass.settled_ns = end_ns;
    if (p->model) {
        if (model_end(p->model, end_ns, err) != 0 || give_states(p) != 0)
            return -1;
    }
    for (size_t i = 0; i < p->n; i++) {
        struct attached *m = &p->members[i];
        const struct consumer *c = &m->consumer;
        if (m->meter && meter_finish(m->meter, end_ns, err) != 0)
            return -1;
        if (c->end && heed(m, c->end(c->context, &p->pass, err)) != 0)
            return -1;
    }
    return p->model ? check_memory(p, err) : 0;
}

/* Told to stop: what is complete is handed out, the rest is dropped. */
static int stop(struct pipeline *p, struct error *err)
{
    p->ended_early = true;
    for (size_t i = 0; i < p->n; i++) {
        struct attached *m = &p->members[i];
        const struct consumer *c = &m->consumer;
        if (m->meter && meter_stop(m->meter, err) != 0)
            return -1;
        if (c->stop && !m->enough && heed(m, c->stop(c->context, &p->pass, err)) != 0)
            return -1;
    }
    return 0;
}

/* ---- the loop ---- */

/* Whether those who want ns can have them. */
static int check_clock(const struct pipeline *p, const struct trace *trace, struct error *err)
{
    struct trace_summary s;
    trace_summarise(trace, &s);
    if (trace_clock(trace)->cpu_hz > 0 || s.tsc_last == s.tsc_first)
        return 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->members[i].consumer.clock == CLOCK_NEEDED)
            return error_set(
                err, ERROR_USAGE,
                "the tsc frequency cannot be told from this trace (no SWITCH_INFPREV records that tell it): "
                "give it with --cpu-hz, as \"xl info\" or \"xl dmesg\" (Detected ... MHz) has it%s",
                p->members[i].consumer.clock_advice ? p->members[i].consumer.clock_advice : "");
    return 0;
}

static bool is_piped(const struct trace *trace)
{
    uint64_t done, size;
    trace_position(trace, &done, &size);
    return size == 0;
}

static bool told_to_stop(const struct pipeline_control *control)
{
    return control->stop && *control->stop;
}

/* Told to stop, with a batch that nobody gets any more. */
static int stop_before(struct pipeline *p, struct trace *trace, const struct event_batch *batch,
                       struct error *err)
{
    trace_settle(trace);
    p->pass.clock = trace_clock(trace);
    p->pass.pcpus = batch->pcpus;
    p->pass.pcpus_n = batch->pcpus_n;
    return stop(p, err);
}

static int run(struct pipeline *p, struct trace *trace, const struct pipeline_control *control,
               struct error *err)
{
    struct event_batch batch;
    int status;
    while ((status = trace_next(trace, &batch, err)) > 0) {
        if (told_to_stop(control) && (control->stop_at_once || !is_piped(trace)))
            return stop_before(p, trace, &batch, err);
        if (!p->begun && check_clock(p, trace, err) != 0)
            return -1;
        if (pipeline_feed(p, &batch, trace_clock(trace), err) != 0)
            return -1;
        if (pipeline_is_over(p)) {
            p->ended_early = true;
            return 0;
        }
        if (control->progress)
            control->progress(control->progress_context, trace);
    }
    if (status < 0)
        return -1;
    struct trace_summary s;
    trace_summarise(trace, &s);
    p->pass.clock = trace_clock(trace);
    uint64_t end_ns = clock_ns(p->pass.clock, s.tsc_last);
    if (!told_to_stop(control) && check_span(p, end_ns, err) != 0)
        return -1;
    return pipeline_end(p, end_ns, err);
}

int pipeline_run(struct pipeline *p, struct trace *trace, const struct pipeline_control *control,
                 struct error *err)
{
    int status = run(p, trace, control, err);
    trace_settle(trace);
    if (status != 0 && err->code == ERROR_NONE)
        error_no_memory(err, "the rows");
    return status;
}

/* ---- what is known of it ---- */

const struct meter *pipeline_meter(const struct pipeline *p, size_t at)
{
    return p->members[at].meter;
}

bool pipeline_end_rows_at(struct pipeline *p, size_t at, uint64_t to_ns)
{
    return meter_end_at(p->members[at].meter, to_ns);
}

void pipeline_count_from(struct pipeline *p, uint64_t from_ns)
{
    if (p->model)
        model_count_from(p->model, from_ns);
}

void pipeline_count_to(struct pipeline *p, uint64_t to_ns)
{
    if (p->model)
        model_count_to(p->model, to_ns);
}

const struct pass *pipeline_pass(const struct pipeline *p)
{
    return &p->pass;
}

void pipeline_quality(const struct pipeline *p, struct trace *trace, struct quality *quality)
{
    *quality = *trace_quality(trace);
    if (p->model)
        quality_merge(quality, model_quality(p->model), 0);
}

const struct quality *pipeline_states_quality(const struct pipeline *p)
{
    return p->model ? model_quality(p->model) : NULL;
}
