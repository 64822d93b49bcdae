#include "meter.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/measure/ledger.h"
#include "min_max.h"
#include "metrics/model/population.h"
#include "metrics/model/runstate.h"

struct meter {
    struct meter_options options;
    struct population population;
    struct runstates *runstates;
    struct charging *charging; /* NULL: charges are not accounted */
    struct ledger ledger;
    struct quality quality;
    uint8_t pcpus_wanted[PCPUS_MAX];
    unsigned pcpus_seen;
    bool begun;
};

void meter_wants(bool charges, struct trace_options *trace)
{
    runstates_interest(&trace->interest, charges);
}

struct meter *meter_new(const struct meter_options *options, struct error *err)
{
    if (options->granularities > METER_GRANULARITIES) {
        error_set(err, ERROR_USAGE, "more than %d granularities", METER_GRANULARITIES);
        return NULL;
    }
    struct meter *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(err, ERROR_MEMORY, "no memory");
        return NULL;
    }
    m->options = *options;
    if (options->pcpus_wanted) {
        memcpy(m->pcpus_wanted, options->pcpus_wanted, PCPUS_MAX);
        m->options.pcpus_wanted = m->pcpus_wanted;
    }
    if (!population_init(&m->population) ||
        !(m->runstates = runstates_new(&m->population, &m->quality, options->start_ns)) ||
        !ledger_init(&m->ledger, &m->options, &m->population, &m->quality) ||
        (options->charge.wanted &&
         !(m->charging = charging_new(&options->charge, &m->population, options->start_ns)))) {
        meter_free(m);
        error_set(err, ERROR_MEMORY, "no memory");
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
    runstates_free(m->runstates);
    population_free(&m->population);
    free(m);
}

static int check(const struct meter *m, struct error *err)
{
    if (m->ledger.sink_ended)
        return -1;
    size_t held = population_memory(&m->population) + runstates_memory(m->runstates) + m->ledger.memory +
                  (m->charging ? charging_memory(m->charging) : 0);
    if (m->ledger.out_of_memory || (m->charging && (m->charging->failed || m->charging->queue.failed)))
        return error_set(err, ERROR_MEMORY, "no memory for %zu vCPUs in %zu rows", m->population.vcpus_n,
                         m->ledger.cells_n);
    if (m->options.memory_limit && held > m->options.memory_limit)
        return error_set(err, ERROR_MEMORY,
                         "%zu domains with %zu vCPUs need more than the memory limit (--max-memory)",
                         m->population.incarnations_n, m->population.vcpus_n);
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

/* Books what is settled and closes what is complete. */
static void account(struct meter *m, uint64_t settled_ns)
{
    const struct transition *t;
    uint64_t step_ns = m->charging ? charging_step_ns(m->charging) : 0;
    if (m->charging)
        charging_make_room(m->charging);
    while ((t = runstates_take(m->runstates, settled_ns))) {
        if (is_over(m))
            continue;
        if (m->charging)
            charge(m, t, step_ns);
        else if (t->kind != TRANSITION_IO)
            ledger_book(&m->ledger, t);
    }
    if (m->charging && !is_over(m))
        pass_time(m, settled_ns);
    if (m->charging && !is_over(m)) {
        charging_advance(m->charging, settled_ns);
        book_what_is_safe(m);
        settled_ns = charging_safe(m->charging);
    }
    ledger_advance(&m->ledger, settled_ns);
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

int meter_feed(struct meter *m, const struct event_batch *batch, const struct clock *clock, struct error *err)
{
    if (!m->begun && !batch->has_runstates)
        runstates_use_switches(m->runstates);
    if (!m->begun && m->charging)
        charging_set_clock(m->charging, clock);
    m->begun = true;
    if (m->options.by == BY_PCPU && m->options.granularities > 0 && m->pcpus_seen != batch->pcpus_n) {
        for (unsigned i = 0; i < batch->pcpus_n; i++)
            ledger_add_pcpu(&m->ledger, batch->pcpus[i]);
        m->pcpus_seen = batch->pcpus_n;
    }
    if (batch->end_tsc)
        m->ledger.end_ns = clock_ns(clock, batch->end_tsc);
    for (size_t i = 0; i < batch->n; i++) {
        const struct event *e = &batch->events[i];
        if (!runstates_event(m->runstates, e, clock_ns(clock, e->tsc), clock))
            return error_set(err, ERROR_MEMORY, "no memory for %zu vCPUs", m->population.vcpus_n);
    }
    if (batch->watermark)
        account(m, runstates_settled(m->runstates, clock_ns(clock, batch->watermark)));
    return check(m, err);
}

int meter_finish(struct meter *m, uint64_t end_ns, struct error *err)
{
    runstates_end(m->runstates, end_ns);
    account(m, end_ns);
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

int meter_merge(struct meter *earlier, struct meter *later, uint64_t end_ns, struct error *err)
{
    const struct meter_options *a = &earlier->options, *b = &later->options;
    if (a->by != b->by || a->executions || b->executions || a->granularities != 1 || b->granularities != 1 ||
        a->charge.wanted || b->charge.wanted || a->granularities_ns[0] || b->granularities_ns[0] ||
        a->from_ns || a->to_ns || b->from_ns || b->to_ns)
        return error_set(err, ERROR_USAGE,
                         "only meters of the whole trace by the same subjects can be merged");
    uint64_t join_ns = b->start_ns;
    runstates_end(earlier->runstates, join_ns);
    account(earlier, join_ns);
    ledger_book_all(&earlier->ledger, join_ns);
    runstates_end(later->runstates, end_ns);
    account(later, end_ns);
    ledger_book_all(&later->ledger, end_ns);
    quality_merge(&earlier->quality, &later->quality);
    if (!ledger_join(&earlier->ledger, &earlier->population, &later->ledger, join_ns, end_ns))
        return error_set(err, ERROR_MEMORY, "no memory to merge");
    return check(earlier, err);
}

const struct quality *meter_quality(const struct meter *m)
{
    return &m->quality;
}

uint64_t meter_accounted(const struct meter *m)
{
    return m->ledger.now_ns;
}

uint64_t meter_blind_ns(const struct meter *m, uint16_t pcpu)
{
    return runstates_blind_ns(m->runstates, pcpu);
}

void meter_population(const struct meter *m, size_t *domains, size_t *vcpus)
{
    *domains = *vcpus = 0;
    for (size_t i = 0; i < m->population.incarnations_n; i++) {
        if (m->population.incarnations[i].domain == IDLE_DOMAIN)
            continue;
        ++*domains;
        *vcpus += m->population.incarnations[i].population;
    }
}

void meter_charge_summary(const struct meter *m, struct charge_summary *s)
{
    memset(s, 0, sizeof *s);
    if (m->charging)
        charging_summarise(m->charging, m->ledger.now_ns, s);
}
