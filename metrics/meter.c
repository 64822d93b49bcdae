#include "meter.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/measure/charge_marks.h"
#include "metrics/measure/charging.h"
#include "metrics/measure/ledger.h"
#include "metrics/model/transitions.h"
#include "min_max.h"

#define FOLLOW_AFTER 16 /* slices and transitions: they are in the cache still */

struct meter {
    struct meter_options options;
    const struct model *model;
    struct charging *charging; /* NULL: charges are not accounted */
    struct ledger ledger;
    uint8_t pcpus_wanted[PCPUS_MAX];
    unsigned pcpus_seen;
    uint64_t settled_ns;
    struct transitions held; /* beyond the open interval, until no slice can come that lies in it */
    size_t followed_at;      /* how many slices and transitions waited when the ledger followed last */
};

bool meter_wants_idle(const struct meter_options *options)
{
    return options->bys & 1u << BY_PCPU || options->idle_rows;
}

void meter_wants(const struct meter_options *options, struct trace_options *trace)
{
    trace->interest.io |= options->charge.wanted;
    trace->interest.tasks |= options->charge.wanted && charge_by_task(&options->charge);
    trace->interest.slices |= !options->no_slices;
}

/* Of the charging stage: at once to the ledger, unless that would close an interval that still takes slices. */
static void pass_on(void *context, const struct transition *t)
{
    struct meter *m = context;
    if (t->time_ns < m->ledger.boundary_ns && transitions_count(&m->held) == 0)
        ledger_book(&m->ledger, t);
    else
        transitions_put(&m->held, *t);
}

/* The same of an I/O event. */
static void pass_on_event(void *context, uint64_t time_ns, const struct io_event *h)
{
    struct meter *m = context;
    if (time_ns < m->ledger.boundary_ns && transitions_count(&m->held) == 0)
        ledger_book_event(&m->ledger, time_ns, h);
    else
        transitions_put(&m->held, ledger_event_transition(time_ns, h));
}

/* All intervals end at multiples of this. What is given from outside, or where a part ends, may change at any time. */
static uint64_t grain_ns(const struct meter_options *options)
{
    const struct charge_options *charge = &options->charge;
    uint64_t ns = charge->interval_ns > 0 ? charge->interval_ns : CHARGE_SLICE_NS;
    for (size_t g = 0; g < options->granularities; g++)
        ns = common_divisor(ns, options->granularities_ns[g]);
    ns = common_divisor(common_divisor(ns, options->from_ns), options->to_ns);
    return charge->counters || charge->dom0_trace || options->part ? 1 : ns;
}

struct meter *meter_new(const struct meter_options *options, const struct model *model, struct error *err)
{
    if (options->granularities > METER_GRANULARITIES) {
        error_set(err, ERROR_USAGE, "more than %d granularities", METER_GRANULARITIES);
        return NULL;
    }
    struct meter *m = calloc(1, sizeof *m);
    if (!m) {
        error_no_memory(err, "the meter");
        return NULL;
    }
    m->options = *options;
    m->model = model;
    if (options->pcpus_wanted) {
        memcpy(m->pcpus_wanted, options->pcpus_wanted, PCPUS_MAX);
        m->options.pcpus_wanted = m->pcpus_wanted;
    }
    ledger_init(&m->ledger, &m->options, model_population(model));
    struct charging_sink sink = {.context = m, .transition = pass_on, .event = pass_on_event};
    if (options->charge.wanted &&
        !(m->charging = charging_new(&options->charge, model, &sink, grain_ns(options)))) {
        meter_free(m);
        error_no_memory(err, "the meter");
        return NULL;
    }
    m->ledger.charging = m->charging;
    return m;
}

void meter_free(struct meter *m)
{
    if (!m)
        return;
    ledger_free(&m->ledger);
    charging_free(m->charging);
    transitions_free(&m->held);
    free(m);
}

/* A load of own work was given for a driver domain of which the trace, or its kernel, tells it. */
static int error_own_twice(const struct charging *c, struct error *err)
{
    const struct idd *d = &c->idds[c->own_twice];
    int domain = c->population->incarnations[d->life].domain;
    if (d->measured)
        return error_set(err, ERROR_USAGE,
                         "--own: what domain %d did for itself is in the recording of --dom0-trace: give it "
                         "no load (--own "
                         "0%%)",
                         domain);
    return error_set(
        err, ERROR_USAGE,
        "--own: the trace tells what domain %d did for itself, by its tasks: give it no load (--own 0%%), or "
        "charge it per execution (--charge-per execution)",
        domain);
}

static int error_lacks_tasks(struct error *err)
{
    return error_set(
        err, ERROR_USAGE,
        "--charge-idle: no driver domain says in this trace when it switches tasks: the mask lacks the "
        "hypercalls stack_switch and iret (xentrace -e 0x32f000), or it is no PV domain; "
        "--dom0-trace FILE (xenmeter io-counts --ftrace) does instead");
}

static int check(const struct meter *m, struct error *err)
{
    const struct population *p = model_population(m->model);
    if (m->ledger.sink_ended)
        return -1;
    if (m->charging && m->charging->own_twice != NOBODY)
        return error_own_twice(m->charging, err);
    if (m->charging && m->charging->idle_untold)
        return error_lacks_tasks(err);
    if (m->ledger.out_of_memory || m->held.failed || (m->charging && m->charging->failed))
        return error_set(err, ERROR_MEMORY, "not enough memory for %zu vCPUs in %zu rows", p->vcpus_n,
                         m->ledger.all_cells_n);
    return 0;
}

/* Nothing more is to be accounted. */
static bool is_over(const struct meter *m)
{
    return m->ledger.done || m->ledger.sink_ended;
}

static size_t waiting(const struct meter *m)
{
    return transitions_count(&m->held) + charging_waiting(m->charging);
}

/*
 * The ledger follows the charging stage: up to where all slices are there, or to the end of the open interval, which
 * still takes slices.
 */
static void follow(struct meter *m)
{
    struct ledger *l = &m->ledger;
    struct run_slice *slice;
    const struct transition *t;
    if (m->charging->failed || m->held.failed)
        return; /* what it has is not complete */
    while ((slice = charging_next_slice(m->charging)))
        ledger_take_slice(l, slice);
    uint64_t safe_ns = charging_safe(m->charging);
    while ((t = transitions_take(&m->held, max64(safe_ns, l->boundary_ns - 1))))
        ledger_book(l, t);
    ledger_advance(l, safe_ns);
    if (transitions_count(&m->held) == 0)
        m->held.head = m->held.n = 0; /* what comes next is in the cache */
    m->followed_at = waiting(m);
}

/* Lets time pass in the charging stage up to until_ns. */
static void pass_time(struct meter *m, uint64_t until_ns)
{
    while (!charging_advance(m->charging, until_ns) && !is_over(m))
        follow(m);
}

void meter_take(struct meter *m, const struct transition *t)
{
    if (is_over(m))
        return;
    if (!m->charging) {
        if (t->kind != TRANSITION_IO)
            ledger_book(&m->ledger, t);
        return;
    }
    if (t->time_ns >= m->charging->cut_ns)
        pass_time(m, t->time_ns);
    charging_take(m->charging, t);
    if (waiting(m) >= m->followed_at + FOLLOW_AFTER)
        follow(m);
}

int meter_advance(struct meter *m, uint64_t settled_ns, struct error *err)
{
    m->settled_ns = settled_ns;
    if (m->charging && !is_over(m)) {
        pass_time(m, settled_ns);
        follow(m);
    } else {
        ledger_advance(&m->ledger, settled_ns);
    }
    return check(m, err);
}

/* The charging stage ends here, and the ledger gets all it has. */
static void end_charging(struct meter *m)
{
    if (!m->charging || is_over(m))
        return;
    charging_end(m->charging);
    follow(m);
}

void meter_set_clock(struct meter *m, const struct clock *clock)
{
    if (m->options.from_tsc) {
        m->options.from_ns = clock_ns(clock, m->options.from_tsc);
        ledger_init(&m->ledger, &m->options, model_population(m->model)); /* nothing was booked yet */
        m->ledger.charging = m->charging;
    }
    if (m->charging)
        charging_set_clock(m->charging, clock);
}

void meter_take_batch(struct meter *m, const struct event_batch *batch, const struct clock *clock)
{
    if (m->options.bys & 1u << BY_PCPU && m->options.granularities > 0 && m->pcpus_seen != batch->pcpus_n)
        for (unsigned i = 0; i < batch->pcpus_n; i++)
            meter_take(m, &(struct transition){
                              .time_ns = m->settled_ns, .kind = TRANSITION_PCPU, .pcpu = batch->pcpus[i]});
    m->pcpus_seen = batch->pcpus_n;
    if (batch->end_tsc)
        m->ledger.end_ns = clock_ns(clock, batch->end_tsc);
    if (!m->charging)
        return;
    charging_make_room(m->charging);
    for (unsigned i = 0; i < batch->marks_n && !is_over(m); i++)
        marks_take(m->charging, &batch->marks[i]);
}

int meter_finish(struct meter *m, uint64_t end_ns, struct error *err)
{
    if (meter_advance(m, end_ns, err) != 0)
        return -1;
    end_charging(m);
    if (check(m, err) != 0)
        return -1; /* no rows of what is not complete */
    ledger_finish(&m->ledger, end_ns, true);
    return check(m, err);
}

bool meter_end_at(struct meter *m, uint64_t to_ns)
{
    return ledger_end_at(&m->ledger, to_ns);
}

bool meter_is_over(const struct meter *m)
{
    return is_over(m);
}

int meter_stop(struct meter *m, struct error *err)
{
    end_charging(m);
    if (check(m, err) != 0)
        return -1;
    ledger_finish(&m->ledger, m->ledger.now_ns, false);
    return check(m, err);
}

uint64_t meter_vcpu_ns(const struct meter *m)
{
    return m->ledger.vcpu_ns;
}

uint64_t meter_unknown_ns(const struct meter *m)
{
    return m->ledger.unknown_ns;
}

uint64_t meter_doubtful_ns(const struct meter *m)
{
    return m->ledger.doubtful_ns;
}

size_t meter_memory(const struct meter *m)
{
    return m->ledger.memory + m->held.capacity * sizeof *m->held.items +
           (m->charging ? charging_memory(m->charging) : 0);
}

uint64_t meter_accounted(const struct meter *m)
{
    return m->ledger.now_ns;
}

struct meter *meter_new_saver(const struct charge_options *charge, const struct model *model,
                              struct error *err)
{
    static const uint8_t no_pcpus[PCPUS_MAX];
    static const struct charge_options none;
    const struct meter_options options = {.bys = (1u << BYS) - 1,
                                          .charge = charge ? *charge : none,
                                          .granularities = 1,
                                          .idle_rows = true,
                                          .from_ns = UINT64_MAX,
                                          .pcpus_wanted = no_pcpus};
    return meter_new(&options, model, err);
}

void meter_snapshot(struct meter *m, struct snapshot *s)
{
    m->settled_ns = model_settled(m->model);
    ledger_snapshot(&m->ledger, s, model_shows_idle(m->model));
}

/* The ledger, which hands nothing out, takes the slices that have their shares; others wait for these behind them. */
static void take_closed(struct meter *m)
{
    struct charging *c = m->charging;
    size_t left = c->done_head;
    for (size_t i = c->done_head; i < c->done_n; i++)
        if (c->done[i]->period->closed)
            ledger_take_slice(&m->ledger, c->done[i]);
        else
            c->done[left++] = c->done[i];
    c->done_n = left;
}

bool meter_save_charges(struct meter *m, struct snapshot *s, uint64_t tsc)
{
    if (!m->charging)
        return false;
    take_closed(m);
    return charging_snapshot(m->charging, s, tsc);
}

bool meter_restore_charges(struct meter *m, const struct snapshot *s, uint64_t tsc)
{
    struct snapshot part = *s;
    return !m->charging || (charging_snapshot(m->charging, &part, tsc) && snapshot_is_read(&part));
}

void meter_charge_summary(const struct meter *m, struct charge_summary *s)
{
    memset(s, 0, sizeof *s);
    if (m->charging)
        charging_summarise(m->charging, m->ledger.now_ns, s);
    s->ran_ns = m->ledger.idds_ran_ns;
    s->unattributed_ns = m->ledger.idds_unattributed_ns;
    s->mixed_ns = m->ledger.idds_doubt_ns[DOUBT_MIXED];
    s->unmarked_ns = m->ledger.idds_doubt_ns[DOUBT_UNMARKED];
}
