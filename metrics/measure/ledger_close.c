/* Intervals: closed at their boundaries, handed out as rows. */
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "metrics/min_max.h"

/* Where the measures of granularity g are aggregate. */
static struct measures *aggregate(const struct ledger *l, struct cell *c, size_t g)
{
    return l->options.granularities > 1 ? &c->wide[g] : &c->live;
}

/* Books all time up to now, so that the cells are complete. */
void ledger_book_all(struct ledger *l, uint64_t now_ns)
{
    for (size_t v = 0; v < l->accounts_n; v++)
        if (l->accounts[v].alive)
            ledger_book_time(l, &l->accounts[v], now_ns);
    for (size_t d = 0; d < l->domains_n; d++)
        ledger_book_domain(l, &l->domains[d], now_ns);
    l->now_ns = now_ns;
    if (l->charging)
        ledger_charges_book(l, now_ns);
    if (l->options.granularities <= 1)
        return;
    if (l->charging)
        ledger_charges_gather(l);
    for (size_t i = 0; i < l->cells_n; i++) {
        struct cell *c = l->cells[i];
        for (size_t g = 0; g < l->options.granularities; g++)
            if (!measures_merge(&c->wide[g], &c->live))
                l->out_of_memory = true;
        measures_clear(&c->live);
    }
}

static bool make_rows(struct ledger *l)
{
    if (l->rows_capacity >= l->cells_n)
        return true;
    struct row *rows = realloc(l->rows, l->cells_capacity * sizeof *rows);
    if (!rows) {
        l->out_of_memory = true;
        return false;
    }
    l->rows = rows;
    l->rows_capacity = l->cells_capacity;
    return true;
}

/* Pages of a domain are unmapped, and time is charged to it, after its end, too. */
static bool did_something(const struct measures *m)
{
    uint64_t any = m->executions | (uint64_t)m->charged_ns;
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++)
        any |= m->io[kind];
    return any != 0;
}

static void hand_out(struct ledger *l, const struct interval *interval, size_t rows)
{
    if (!l->sink_ended && l->options.sink.interval(l->options.sink.context, interval, l->rows, rows) != 0)
        l->sink_ended = true;
}

/* Hands out the open interval of granularity g, which ends at end_ns, and begins the next one. */
static void close_interval(struct ledger *l, size_t g, uint64_t end_ns)
{
    struct granularity *gr = &l->granularities[g];
    struct interval interval = {.granularity_ns = gr->length_ns, .start_ns = gr->start_ns, .end_ns = end_ns};
    size_t n = 0;
    if (!make_rows(l))
        return;
    for (size_t i = 0; i < l->cells_n; i++) {
        struct cell *c = l->cells[i];
        struct measures *m = aggregate(l, c, g);
        bool exists = c->birth_ns < end_ns && c->death_ns > gr->start_ns;
        if (!exists && !did_something(m))
            continue;
        if (l->options.by == BY_PCPU)
            m->pcpu_unknown_ns = (int64_t)(end_ns - max64(gr->start_ns, c->birth_ns)) -
                                 m->state_ns[RUNSTATE_RUNNING] - m->idle_ns;
        l->rows[n] = c->row;
        l->rows[n++].measures = m;
    }
    hand_out(l, &interval, n);
    if (l->charging)
        ledger_charges_close(l, g, &interval);
    for (size_t i = 0; i < l->cells_n; i++)
        measures_clear(aggregate(l, l->cells[i], g));
    gr->start_ns = end_ns;
    if (gr->length_ns)
        gr->next_ns = end_ns + gr->length_ns - end_ns % gr->length_ns;
}

static void find_boundary(struct ledger *l)
{
    l->boundary_ns = l->options.to_ns;
    for (size_t g = 0; g < l->options.granularities; g++)
        l->boundary_ns = min64(l->boundary_ns, l->granularities[g].next_ns);
}

/* Reporting begins here: what was booked before is dropped. */
static void begin_reporting(struct ledger *l, uint64_t from_ns)
{
    ledger_book_all(l, from_ns);
    for (size_t i = 0; i < l->cells_n; i++) {
        measures_clear(&l->cells[i]->live);
        for (size_t g = 0; l->options.granularities > 1 && g < l->options.granularities; g++)
            measures_clear(&l->cells[i]->wide[g]);
    }
    if (l->charging)
        ledger_charges_clear(l);
    l->reporting = true;
    find_boundary(l);
}

void ledger_advance(struct ledger *l, uint64_t now_ns)
{
    while (!l->done && !l->sink_ended && l->boundary_ns <= now_ns && l->boundary_ns < l->end_ns) {
        uint64_t boundary = l->boundary_ns;
        if (!l->reporting) {
            begin_reporting(l, boundary);
            continue;
        }
        if (boundary >= l->options.to_ns) {
            ledger_finish(l, l->options.to_ns, true);
            return;
        }
        ledger_book_all(l, boundary);
        for (size_t g = 0; g < l->options.granularities; g++)
            if (l->granularities[g].next_ns == boundary)
                close_interval(l, g, boundary);
        find_boundary(l);
    }
    if (!l->done)
        l->now_ns = max64(l->now_ns, now_ns);
}

void ledger_finish(struct ledger *l, uint64_t end_ns, bool partial)
{
    if (l->done)
        return;
    end_ns = min64(end_ns, l->options.to_ns);
    if (partial)
        for (uint32_t v = 0; v < l->accounts_n; v++)
            if (l->accounts[v].alive && l->accounts[v].state == RUNSTATE_RUNNING)
                ledger_end_execution(l, v, end_ns, EXECUTION_TRACE_END);
    if (!l->reporting) {
        l->done = true; /* the trace ended before the part asked for */
        return;
    }
    ledger_book_all(l, end_ns);
    for (size_t g = 0; partial && g < l->options.granularities; g++)
        if (l->granularities[g].length_ns && l->granularities[g].start_ns < end_ns)
            close_interval(l, g, end_ns);
    for (size_t g = 0; g < l->options.granularities; g++)
        if (!l->granularities[g].length_ns)
            close_interval(l, g, end_ns);
    l->done = true;
}

/* ---- what was known too late ---- */

/* Adds `ns` of one state to a row's measures. */
void ledger_add_state(const struct ledger *l, const struct account *a, struct measures *m,
                      enum runstate state, uint64_t ns, bool first_of_domain)
{
    if (a->idle) {
        if (state == RUNSTATE_RUNNING)
            m->idle_ns += (int64_t)ns;
        return;
    }
    if (l->options.by == BY_PCPU && state != RUNSTATE_RUNNING)
        return;
    m->state_ns[state] += (int64_t)ns;
    if (l->options.by == BY_DOMAIN && first_of_domain) {
        uint32_t alone[RUNSTATES] = {0};
        alone[state] = 1;
        m->domain_ns[ledger_domain_state(alone)] += (int64_t)ns;
    }
}

/*
 * All the time so far the domain had one more vCPU, in `state`: its runstates change accordingly. Possible only where
 * nothing was handed out yet: for the whole trace, not for its intervals.
 */
void ledger_add_to_domain_runstates(struct measures *m, enum runstate state)
{
    static const uint32_t members[DOMAIN_RUNSTATES][RUNSTATES] = {
        [DOMAIN_FULL_RUN] = {[RUNSTATE_RUNNING] = 1},
        [DOMAIN_FULL_CONTENTION] = {[RUNSTATE_RUNNABLE] = 1},
        [DOMAIN_CONCURRENCY_HAZARD] = {[RUNSTATE_RUNNING] = 1, [RUNSTATE_RUNNABLE] = 1},
        [DOMAIN_BLOCKED] = {[RUNSTATE_BLOCKED] = 1},
        [DOMAIN_PARTIAL_RUN] = {[RUNSTATE_RUNNING] = 1, [RUNSTATE_BLOCKED] = 1},
        [DOMAIN_PARTIAL_CONTENTION] = {[RUNSTATE_RUNNABLE] = 1, [RUNSTATE_BLOCKED] = 1},
        [DOMAIN_UNKNOWN] = {[RUNSTATE_UNKNOWN] = 1},
    };
    int64_t moved[DOMAIN_RUNSTATES] = {0};
    for (int s = 0; s < DOMAIN_RUNSTATES; s++) {
        uint32_t with[RUNSTATES];
        memcpy(with, members[s], sizeof with);
        with[state]++;
        moved[ledger_domain_state(with)] += m->domain_ns[s];
    }
    memcpy(m->domain_ns, moved, sizeof moved);
}

/* The next interval of granularity g, from *at on, that was handed out already. False: there is no further one. */
static bool next_late(const struct ledger *l, size_t g, uint64_t *at, struct interval *interval)
{
    const struct granularity *gr = &l->granularities[g];
    if (gr->length_ns == 0 || *at >= gr->start_ns || l->sink_ended)
        return false;
    uint64_t begun = *at - *at % gr->length_ns;
    *interval =
        (struct interval){gr->length_ns, max64(begun, l->options.from_ns), begun + gr->length_ns, true};
    *at = interval->end_ns;
    return true;
}

static void hand_out_late(struct ledger *l, const struct cell *c, const struct interval *interval,
                          const struct measures *m)
{
    if (!make_rows(l))
        return;
    l->rows[0] = c->row;
    l->rows[0].vcpus = 1;
    l->rows[0].measures = m;
    hand_out(l, interval, 1);
}

void ledger_add_pcpu(struct ledger *l, uint16_t pcpu)
{
    if (l->pcpu_cells[pcpu])
        return;
    const struct cell *c = ledger_pcpu_cell(l, pcpu);
    for (size_t g = 0; c && l->reporting && !l->done && g < l->options.granularities; g++) {
        struct interval interval;
        for (uint64_t at = max64(c->birth_ns, l->options.from_ns); next_late(l, g, &at, &interval);) {
            struct measures m;
            measures_init(&m);
            m.pcpu_unknown_ns = (int64_t)(interval.end_ns - interval.start_ns);
            hand_out_late(l, c, &interval, &m);
            measures_free(&m);
        }
    }
}

/* The same for granularity g only, of which a part may still be in what all granularities share. */
static void backfill_domain_runstates(const struct ledger *l, struct cell *c, size_t g, enum runstate state)
{
    struct measures *m = aggregate(l, c, g);
    ledger_add_to_domain_runstates(m, state);
    if (m == &c->live)
        return;
    struct measures shared;
    memcpy(shared.domain_ns, c->live.domain_ns, sizeof shared.domain_ns);
    ledger_add_to_domain_runstates(&shared, state);
    for (int s = 0; s < DOMAIN_RUNSTATES; s++)
        m->domain_ns[s] += shared.domain_ns[s] - c->live.domain_ns[s];
}

void ledger_backfill(struct ledger *l, uint32_t vcpu, enum runstate state, uint64_t from_ns, uint64_t to_ns,
                     bool first_of_domain)
{
    struct account *a = &l->accounts[vcpu];
    from_ns = max64(from_ns, l->options.from_ns);
    if (from_ns >= to_ns || !l->reporting)
        return;
    if (state == RUNSTATE_UNKNOWN && !a->idle)
        l->unknown_ns += to_ns - from_ns;
    if (!a->cell || (l->options.pcpus_wanted && (a->pcpu == NO_PCPU || !l->options.pcpus_wanted[a->pcpu])))
        return;
    uint32_t idd = l->charging && state == RUNSTATE_RUNNING ? charging_idd_of(l->charging, a->life) : NOBODY;
    bool shown = l->options.by != BY_PCPU || state == RUNSTATE_RUNNING;
    for (size_t g = 0; shown && g < l->options.granularities; g++) {
        struct interval interval;
        for (uint64_t at = from_ns, start = at; next_late(l, g, &at, &interval); start = at) {
            struct measures late;
            measures_init(&late);
            ledger_add_state(l, a, &late, state, interval.end_ns - start, first_of_domain);
            if (l->options.by == BY_PCPU)
                late.pcpu_unknown_ns = -late.state_ns[RUNSTATE_RUNNING] - late.idle_ns;
            hand_out_late(l, a->cell, &interval, &late);
            measures_free(&late);
            if (idd != NOBODY)
                ledger_charges_late(l, idd, &interval, interval.end_ns - start);
        }
        struct measures *m = aggregate(l, a->cell, g);
        if (l->granularities[g].length_ns == 0 && !first_of_domain && l->options.by == BY_DOMAIN && !a->idle)
            backfill_domain_runstates(l, a->cell, g, state);
        uint64_t open = max64(from_ns, l->granularities[g].start_ns);
        if (open < to_ns)
            ledger_add_state(l, a, m, state, to_ns - open, first_of_domain);
        if (open < to_ns && idd != NOBODY)
            ledger_charges_backfill(l, idd, g, to_ns - open);
    }
}
