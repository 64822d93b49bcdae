/* Intervals: closed at their boundaries, handed out as the rows of each by that is asked for. */
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "metrics/min_max.h"

/* ---- begin and end ---- */

static bool divides(const struct granularity *fine, const struct granularity *coarse)
{
    return coarse->length_ns == 0 || (fine->length_ns > 0 && coarse->length_ns % fine->length_ns == 0);
}

/* Which granularity feeds which. */
static void plan_feeding(struct ledger *l)
{
    size_t n = l->options.granularities, by_live = 0;
    size_t *order = l->finest_first;
    for (size_t g = 0; g < n; g++) {
        size_t at = g; /* the whole trace, of length 0, comes last */
        for (; at > 0 && l->granularities[order[at - 1]].length_ns - 1 > l->granularities[g].length_ns - 1;
             at--)
            order[at] = order[at - 1];
        order[at] = g;
    }
    for (size_t i = 0; i < n; i++) {
        struct granularity *gr = &l->granularities[order[i]];
        gr->fed_by = FED_BY_LIVE;
        for (size_t k = 0; k < i; k++)
            if (divides(&l->granularities[order[k]], gr))
                gr->fed_by = order[k];
        by_live += gr->fed_by == FED_BY_LIVE;
    }
    if (by_live == 1)
        l->granularities[order[0]].fed_by = IS_LIVE;
}

/* Where the interval of that length ends that begins at start_ns. */
static uint64_t interval_end(const struct ledger *l, uint64_t length_ns, uint64_t start_ns)
{
    uint64_t origin_ns = l->options.part ? l->options.from_ns : 0;
    return length_ns ? start_ns + length_ns - (start_ns - origin_ns) % length_ns : UINT64_MAX;
}

void ledger_init(struct ledger *l, const struct meter_options *options, const struct population *population)
{
    memset(l, 0, sizeof *l);
    l->options = *options;
    l->options.idle_rows = options->idle_rows && ledger_wants(l, BY_DOMAIN_PCPU);
    l->population = population;
    l->end_ns = UINT64_MAX;
    if (l->options.to_ns == 0)
        l->options.to_ns = UINT64_MAX;
    l->reporting = options->from_ns == 0;
    l->live_ns = options->from_ns;
    l->boundary_ns = l->options.to_ns;
    for (size_t g = 0; g < options->granularities; g++) {
        struct granularity *gr = &l->granularities[g];
        gr->length_ns = options->granularities_ns[g];
        gr->start_ns = options->from_ns;
        gr->next_ns = interval_end(l, gr->length_ns, gr->start_ns);
        if (gr->next_ns < l->boundary_ns)
            l->boundary_ns = gr->next_ns;
    }
    if (!l->reporting)
        l->boundary_ns = options->from_ns;
    plan_feeding(l);
}

void ledger_free(struct ledger *l)
{
    ledger_charges_free(l);
    for (size_t i = 0; i < l->all_cells_n; i++) {
        struct cell *c = l->all_cells[i];
        measures_free(&c->live);
        for (size_t g = 0; c->wide && g < l->options.granularities; g++)
            measures_free(&c->wide[g]);
        free(c->wide);
        free(c);
    }
    for (int by = 0; by < BYS; by++) {
        for (size_t i = 0; i < l->subjects[by].n; i++) {
            measures_free(&l->subjects[by].list[i]->sum);
            free(l->subjects[by].list[i]);
        }
        free(l->subjects[by].list);
    }
    for (size_t i = 0; i < l->domains_n; i++)
        free(l->domains[i].where.at);
    free(l->all_cells);
    free(l->accounts);
    free(l->domains);
    free(l->where.at);
    free(l->rows);
}

/* ---- intervals ---- */

/* Books all time up to now, so that the cells are complete. */
static void book_all(struct ledger *l, uint64_t now_ns)
{
    for (size_t v = 0; v < l->accounts_n; v++)
        if (l->accounts[v].alive)
            ledger_book_time(l, &l->accounts[v], now_ns);
    for (size_t d = 0; d < l->domains_n; d++)
        ledger_book_domain(&l->domains[d], now_ns);
    l->now_ns = now_ns;
    if (l->charging)
        ledger_charges_book(l, now_ns);
    if (l->charging && l->options.granularities > 1)
        ledger_charges_gather(l);
}

/* Adds the measures of what feeds others to those. */
static void feed(struct ledger *l, struct cell *c, size_t from, const struct measures *m)
{
    for (size_t g = 0; g < l->options.granularities; g++)
        if (l->granularities[g].fed_by == from && !measures_merge(&c->wide[g], m))
            l->out_of_memory = true;
}

/* All intervals that end at end_ns, or `all`, are complete but for what others feed them. */
static void complete(struct ledger *l, uint64_t end_ns, bool all)
{
    bool apart = l->granularities[l->finest_first[0]].fed_by == FED_BY_LIVE;
    book_all(l, end_ns);
    for (size_t i = 0; l->options.granularities > 1 && i < l->all_cells_n; i++) {
        struct cell *c = l->all_cells[i];
        if (apart) {
            feed(l, c, FED_BY_LIVE, &c->live);
            measures_clear(&c->live);
        }
        for (size_t k = 0; k < l->options.granularities; k++) {
            size_t g = l->finest_first[k];
            if (all || l->granularities[g].next_ns == end_ns)
                feed(l, c, g, ledger_measures(l, c, g));
        }
    }
    l->live_ns = end_ns;
}

static void doubt(struct measures *m)
{
    m->doubtful_ns =
        m->state_ns[RUNSTATE_RUNNABLE] + m->state_ns[RUNSTATE_BLOCKED] + m->state_ns[RUNSTATE_OFFLINE];
    histogram_clear(&m->wait);
    histogram_clear(&m->block);
}

/* All the time up to now_ns was dark: in rows that are still open what vCPUs did off a pCPU is doubtful, and no sample. */
static void doubt_past(struct ledger *l, uint64_t now_ns)
{
    for (size_t v = 0; v < l->accounts_n; v++) {
        struct account *a = &l->accounts[v];
        if (a->alive)
            ledger_book_time(l, a, now_ns);
        a->doubtful |= !a->idle && a->state != RUNSTATE_RUNNING;
    }
    for (size_t i = 0; i < l->all_cells_n; i++) {
        struct cell *c = l->all_cells[i];
        doubt(&c->live);
        for (size_t g = 0; c->wide && g < l->options.granularities; g++)
            doubt(&c->wide[g]);
    }
    l->doubtful_ns = l->vcpu_ns - l->ran_ns - l->unknown_ns;
}

static bool make_rows(struct ledger *l, size_t n)
{
    return ledger_reserve(l, &l->rows, &l->rows_capacity, n, sizeof *l->rows);
}

/* ---- rows ---- */

/* Pages of a domain are unmapped, and time is charged to it, after its end, too. */
static bool did_something(const struct measures *m)
{
    uint64_t any = m->executions | (uint64_t)m->charged_ns;
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++)
        any |= m->io[kind];
    return any != 0;
}

/* Adds up the cells of the subjects that have several. */
static void sum_cells(struct ledger *l, enum by by, size_t g)
{
    for (size_t i = 0; i < l->all_cells_n; i++) {
        struct cell *c = l->all_cells[i];
        struct ledger_subject *s = c->of[by];
        if (!s || s->only)
            continue;
        const struct measures *m = ledger_measures(l, c, g);
        if (by == BY_PCPU && c->idle_row) /* its executions and the like are those of its own row */
            s->sum.idle_ns += m->idle_ns;
        else if (!measures_merge(&s->sum, m))
            l->out_of_memory = true;
    }
}

/* A pCPU's row is about what ran there, and not about those that wait for it or were there last. */
static void complete_pcpu(const struct ledger_subject *s, struct measures *m, const struct interval *interval)
{
    for (int state = 0; state < RUNSTATES; state++)
        m->state_ns[state] *= state == RUNSTATE_RUNNING;
    m->wake_wait_ns = m->preempt_wait_ns = 0;
    m->doubtful_ns = 0;
    m->before_seen_ns = (int64_t)(max64(s->seen_ns, interval->start_ns) - interval->start_ns);
    m->pcpu_unknown_ns =
        (int64_t)(interval->end_ns - interval->start_ns) - m->state_ns[RUNSTATE_RUNNING] - m->idle_ns;
}

/* Hands out the rows of one by. */
static void hand_out(struct ledger *l, size_t g, const struct interval *interval)
{
    const struct subjects *all = &l->subjects[interval->by];
    size_t n = 0;
    if (!make_rows(l, all->n))
        return;
    sum_cells(l, interval->by, g);
    for (size_t i = 0; i < all->n; i++) {
        struct ledger_subject *s = all->list[i];
        struct measures *m = s->only ? ledger_measures(l, s->only, g) : &s->sum;
        bool exists = s->birth_ns < interval->end_ns && s->death_ns > interval->start_ns;
        if (interval->by == BY_PCPU)
            complete_pcpu(s, m, interval);
        if (!exists && !did_something(m))
            continue;
        l->rows[n] = s->row;
        l->rows[n++].measures = m;
    }
    if (ledger_hands_out(l) && l->options.sink.interval(l->options.sink.context, interval, l->rows, n) != 0)
        l->sink_ended = true;
    for (size_t i = 0; i < all->n; i++)
        if (!all->list[i]->only)
            measures_clear(&all->list[i]->sum);
}

/* Hands out the open interval of granularity g, which ends at end_ns, and begins the next one. */
static void close_interval(struct ledger *l, size_t g, uint64_t end_ns)
{
    struct granularity *gr = &l->granularities[g];
    struct interval interval = {.granularity_ns = gr->length_ns, .start_ns = gr->start_ns, .end_ns = end_ns};
    for (interval.by = 0; interval.by < BYS; interval.by++)
        if (l->options.bys & 1u << interval.by)
            hand_out(l, g, &interval);
    interval.by = BY_DOMAIN;
    if (l->charging)
        ledger_charges_close(l, g, &interval);
    for (size_t i = 0; i < l->all_cells_n; i++)
        measures_clear(ledger_measures(l, l->all_cells[i], g));
    gr->start_ns = end_ns;
    gr->next_ns = interval_end(l, gr->length_ns, end_ns);
}

static void find_boundary(struct ledger *l)
{
    l->boundary_ns = l->options.to_ns;
    for (size_t g = 0; g < l->options.granularities; g++)
        l->boundary_ns = min64(l->boundary_ns, l->granularities[g].next_ns);
}

bool ledger_end_at(struct ledger *l, uint64_t to_ns)
{
    if (l->done || to_ns <= l->now_ns || to_ns <= l->options.from_ns)
        return false;
    l->options.to_ns = to_ns;
    if (l->reporting)
        find_boundary(l);
    return true;
}

/* Reporting begins here: what was booked before is dropped. */
static void begin_reporting(struct ledger *l, uint64_t from_ns)
{
    book_all(l, from_ns);
    for (size_t i = 0; i < l->all_cells_n; i++)
        measures_clear(&l->all_cells[i]->live); /* nothing was fed with it */
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
        complete(l, boundary, false);
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
    end_ns = min64(max64(end_ns, l->now_ns), l->options.to_ns); /* records may contradict the end */
    if (partial)
        for (uint32_t v = 0; v < l->accounts_n; v++)
            if (l->accounts[v].alive && l->accounts[v].state == RUNSTATE_RUNNING)
                ledger_end_execution(l, v, end_ns, EXECUTION_TRACE_END);
    if (!l->reporting) {
        l->done = true; /* the trace ended before the part asked for */
        return;
    }
    complete(l, end_ns, true);
    for (size_t g = 0; partial && g < l->options.granularities; g++)
        if (l->granularities[g].length_ns && l->granularities[g].start_ns < end_ns)
            close_interval(l, g, end_ns);
    for (size_t g = 0; g < l->options.granularities; g++)
        if (!l->granularities[g].length_ns)
            close_interval(l, g, end_ns);
    l->done = true;
}

static void change_dark(struct ledger *l, const struct transition *t)
{
    dark_clock_change(&l->dark, t->value != DARK_ENDS, t->time_ns);
    if (t->value == DARK_ALL_ALONG)
        doubt_past(l, t->time_ns);
}

void ledger_book(struct ledger *l, const struct transition *t)
{
    if (t->time_ns >= l->boundary_ns)
        ledger_advance(l, t->time_ns);
    if (l->done)
        return;
    if (t->kind != TRANSITION_DARK) {
        ledger_book_change(l, t);
        return;
    }
    l->now_ns = t->time_ns;
    change_dark(l, t);
}
