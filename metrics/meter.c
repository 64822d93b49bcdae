#include "meter.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/measure/ledger.h"
#include "min_max.h"

struct meter {
    struct meter_options options;
    const struct model *model;
    struct charging *charging; /* NULL: charges are not accounted */
    struct ledger ledger;
    uint8_t pcpus_wanted[PCPUS_MAX];
    unsigned pcpus_seen;
};

void meter_wants(const struct meter_options *options, struct trace_options *trace)
{
    trace->want_io = trace->want_io || options->charge.wanted;
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
    const struct population *population = model_population(model);
    if (!ledger_init(&m->ledger, &m->options, population) ||
        (options->charge.wanted &&
         !(m->charging = charging_new(&options->charge, population, options->start_ns)))) {
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
    free(m);
}

static int check(const struct meter *m, struct error *err)
{
    const struct population *p = model_population(m->model);
    if (m->ledger.sink_ended)
        return -1;
    if (m->ledger.out_of_memory || (m->charging && (m->charging->failed || m->charging->queue.failed)))
        return error_set(err, ERROR_MEMORY, "not enough memory for %zu vCPUs in %zu rows", p->vcpus_n,
                         m->ledger.cells_n);
    return 0;
}

/* Gives the ledger what the charging stage has for it, as far as it may go. */
static void book_what_is_safe(struct meter *m)
{
    struct ledger *l = &m->ledger;
    const struct transition *t;
    struct run_slice *slice;
    while ((slice = charging_next_slice(m->charging)))
        ledger_take_slice(l, slice);
    if (!charging_is_ahead(m->charging))
        return;
    /* An interval is not closed before all slices that began in it are there. */
    uint64_t safe_ns = charging_safe(m->charging);
    while ((t = charging_next(m->charging, max64(safe_ns, l->boundary_ns - min64(l->boundary_ns, 1)))))
        ledger_book(l, t);
}

/* Nothing more is to be accounted. */
static bool is_over(const struct meter *m)
{
    return m->ledger.done || m->ledger.sink_ended;
}

/* Lets time pass in the charging stage up to until_ns; the ledger follows in steps. */
static void pass_time(struct meter *m, uint64_t until_ns)
{
    struct charging *c = m->charging;
    uint64_t step_ns = charging_step_ns(c);
    while (until_ns - min64(until_ns, c->now_ns) > step_ns && !c->failed && !is_over(m)) {
        charging_advance(c, c->now_ns + step_ns);
        book_what_is_safe(m);
        ledger_advance(&m->ledger, charging_safe(c));
    }
}

/* One settled transition on its way through the charging stage. */
static void charge(struct meter *m, const struct transition *t, uint64_t step_ns)
{
    struct charging *c = m->charging;
    if (t->time_ns > c->now_ns + step_ns)
        pass_time(m, t->time_ns);
    if (is_over(m))
        return;
    bool direct = charging_passes(c, t, m->ledger.boundary_ns);
    if (!direct) {
        direct = charging_take(c, t, m->ledger.boundary_ns);
        if (direct && t->time_ns >= m->ledger.boundary_ns)
            book_what_is_safe(m); /* the slices of the intervals that it closes */
    }
    if (direct)
        ledger_book(&m->ledger, t);
    if (c->done_n || charging_is_ahead(c))
        book_what_is_safe(m);
}

void meter_take(struct meter *m, const struct transition *t)
{
    if (is_over(m))
        return;
    if (m->charging)
        charge(m, t, charging_step_ns(m->charging));
    else if (t->kind != TRANSITION_IO)
        ledger_book(&m->ledger, t);
}

int meter_advance(struct meter *m, uint64_t settled_ns, struct error *err)
{
    if (m->charging && !is_over(m))
        pass_time(m, settled_ns);
    if (m->charging && !is_over(m)) {
        charging_advance(m->charging, settled_ns);
        book_what_is_safe(m);
        settled_ns = charging_safe(m->charging);
    }
    ledger_advance(&m->ledger, settled_ns);
    return check(m, err);
}

/* The charging stage ends here, and the ledger gets all it has. */
static void end_charging(struct meter *m, uint64_t end_ns)
{
    if (!m->charging || is_over(m))
        return;
    charging_end(m->charging, end_ns);
    book_what_is_safe(m);
    ledger_advance(&m->ledger, end_ns);
}

void meter_set_clock(struct meter *m, const struct clock *clock)
{
    if (m->charging)
        charging_set_clock(m->charging, clock);
}

void meter_take_batch(struct meter *m, const struct event_batch *batch, const struct clock *clock)
{
    if (m->options.by == BY_PCPU && m->options.granularities > 0 && m->pcpus_seen != batch->pcpus_n) {
        for (unsigned i = 0; i < batch->pcpus_n; i++)
            ledger_add_pcpu(&m->ledger, batch->pcpus[i]);
        m->pcpus_seen = batch->pcpus_n;
    }
    if (batch->end_tsc)
        m->ledger.end_ns = clock_ns(clock, batch->end_tsc);
    if (m->charging)
        charging_make_room(m->charging);
}

int meter_finish(struct meter *m, uint64_t end_ns, struct error *err)
{
    if (meter_advance(m, end_ns, err) != 0)
        return -1;
    end_charging(m, end_ns);
    ledger_finish(&m->ledger, end_ns, true);
    return check(m, err);
}

bool meter_is_over(const struct meter *m)
{
    return is_over(m);
}

int meter_stop(struct meter *m, struct error *err)
{
    end_charging(m, m->charging ? m->charging->now_ns : 0);
    ledger_finish(&m->ledger, m->ledger.now_ns, false);
    return check(m, err);
}

uint64_t meter_unknown_ns(const struct meter *m)
{
    return m->ledger.unknown_ns;
}

size_t meter_memory(const struct meter *m)
{
    return m->ledger.memory + (m->charging ? charging_memory(m->charging) : 0);
}

uint64_t meter_accounted(const struct meter *m)
{
    return m->ledger.now_ns;
}

void meter_charge_summary(const struct meter *m, struct charge_summary *s)
{
    memset(s, 0, sizeof *s);
    if (m->charging)
        charging_summarise(m->charging, m->ledger.now_ns, s);
}
