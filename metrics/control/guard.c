#include "metrics/control/guard.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/control/guard_book.h"
#include "metrics/control/guard_words.h"
#include "metrics/measure/adding.h"

/* Of a row of the meter. */
struct guard_seen {
    int32_t domain;
    uint32_t life;
    uint64_t all_ns, unknown_ns; /* doubtful included */
};

struct guard {
    struct guard_options options;
    struct guard_book book;
    uint64_t blocks;
    struct interval whole;
    bool begun; /* a window was handed out */
    struct guard_seen *seen;
    size_t seen_n, seen_capacity;
    struct guard_row *rows;
    uint32_t *row_pairs;
    size_t rows_n, rows_capacity, row_pairs_capacity;
};

struct guard *guard_new(const struct guard_options *options)
{
    struct guard *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->options = *options;
    if (guard_book_init(&g->book, &g->options))
        return g;
    guard_free(g);
    return NULL;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    guard_book_free(&g->book);
    free(g->seen);
    free(g->rows);
    free(g->row_pairs);
    free(g);
}

bool guard_take_policy(struct guard *g, const struct guard_policy *policy)
{
    if (!guard_book_take_policy(&g->book, policy))
        return false;
    g->options.policy = policy;
    return true;
}

const struct subject *guard_missing(const struct guard *g)
{
    return guard_book_missing(&g->book);
}

uint64_t guard_blocks(const struct guard *g)
{
    return g->blocks;
}

/* The pair's row in the window. NULL: no memory. */
static struct guard_row *row_of(struct guard *g, struct guard_pair *p)
{
    if (p->row)
        return &g->rows[p->row - 1];
    size_t n = g->rows_n + 1;
    if (!array_make_room(&g->rows, &g->rows_capacity, n, sizeof *g->rows) ||
        !array_make_room(&g->row_pairs, &g->row_pairs_capacity, n, sizeof *g->row_pairs))
        return NULL;
    const struct guard_account *a = &g->book.accounts[p->account];
    g->rows[g->rows_n] = (struct guard_row){.domain = a->domain,
                                            .life = a->life,
                                            .driver_domain = p->driver,
                                            .driver_life = p->driver_life,
                                            .limit = p->limit ? p->limit->limit : (struct cpu_share){0, 1},
                                            .average_ns = NS_UNKNOWN,
                                            .windows = 1};
    g->row_pairs[g->rows_n] = (uint32_t)(p - g->book.pairs);
    p->row = (uint32_t)++g->rows_n;
    return &g->rows[g->rows_n - 1];
}

/* ---- the window ---- */

static const struct guard_seen *seen_of(const struct guard *g, int32_t domain, uint32_t life)
{
    for (size_t i = 0; i < g->seen_n; i++)
        if (g->seen[i].domain == domain && g->seen[i].life == life)
            return &g->seen[i];
    return NULL;
}

/* What the window is worth as evidence about that driver domain. */
static int take_driver(struct guard *g, const struct charge_idd *idd)
{
    const struct guard_seen *s = seen_of(g, idd->domain, idd->life);
    struct guard_driver *d = guard_book_driver(&g->book, idd->domain, idd->life);
    if (!d)
        return -1;
    d->there = true;
    d->unattributed_ns = idd->unattributed_ns;
    d->unknown_ns = s ? s->unknown_ns : 0;
    d->all_ns = s ? s->all_ns : 0;
    d->lossy = s && s->unknown_ns > cpu_share_ns(g->options.policy->max_lost, s->all_ns);
    d->worst = NONE;
    d->worst_ns = 0;
    return 0;
}

/* Kinds of I/O to which a charge may be due: a tenth of it, or more. Grants and notifications may be either's. */
static void find_io(bool io[GUARD_IOS], const struct charge_guest *guest)
{
    const double *by = guest->charged_by_ns;
    double network = by[IO_TX] + by[IO_RX] + by[IO_COPY] + by[IO_TRANSFER], disk = by[IO_READ] + by[IO_WRITE];
    double either = (double)guest->charged_ns - network - disk, tenth = (double)guest->charged_ns / 10;
    io[GUARD_NETWORK] |= network + either >= tenth;
    io[GUARD_DISK] |= disk + either >= tenth;
}

static int take_guest(struct guard *g, const struct charge_idd *idd, const struct charge_guest *guest)
{
    const struct controlled_life *m = guard_book_member(&g->book, guest->domain, guest->life);
    if (!m)
        return -1;
    if (m->account == NO_ACCOUNT)
        return 0;
    struct guard_pair *p = guard_book_pair(&g->book, m->account, idd);
    if (!p)
        return -1;
    if (!p->limit || guest->charged_ns == 0)
        return 0;
    struct guard_row *row = row_of(g, p);
    if (!row)
        return -1;
    row->charged_ns = add_count(row->charged_ns, guest->charged_ns);
    row->measured_ns = add_count(row->measured_ns, guest->measured_ns);
    row->certain_ns = add_count(row->certain_ns, guest->certain_ns);
    row->inferred_ns = row->charged_ns - row->measured_ns - row->certain_ns;
    find_io(row->io, guest);
    return 0;
}

static int take_all(struct guard *g, const struct charge_idd *idds, size_t n)
{
    for (size_t i = 0; i < g->seen_n; i++)
        if (!guard_book_member(&g->book, g->seen[i].domain, g->seen[i].life))
            return -1;
    for (size_t i = 0; i < g->book.drivers_n; i++)
        g->book.drivers[i].there = false;
    for (size_t i = 0; i < n; i++) {
        if (take_driver(g, &idds[i]) != 0)
            return -1;
        for (size_t k = 0; k < idds[i].guests_n; k++)
            if (take_guest(g, &idds[i], &idds[i].guests[k]) != 0)
                return -1;
    }
    for (size_t i = 0; i < g->book.pairs_n; i++)
        if ((g->book.pairs[i].state.held || g->book.pairs[i].state.watched) && !row_of(g, &g->book.pairs[i]))
            return -1;
    return 0;
}

/* ---- decisions ---- */

/* The rule's outcome; who is to be held is settled when all of them have one. */
static void judge(struct guard *g, struct guard_pair *p, struct guard_row *row, uint64_t length_ns)
{
    const struct guard_policy *policy = g->options.policy;
    struct guard_driver *d = guard_book_driver(&g->book, p->driver, p->driver_life);
    uint64_t limit_ns = cpu_share_ns(p->limit->limit, length_ns);
    row->unattributed_ns = d->there ? d->unattributed_ns : 0;
    row->unknown_ns = d->there ? d->unknown_ns : 0;
    row->driver_ns = d->there ? d->all_ns : 0;
    const struct guard_evidence e = {.length_ns = length_ns,
                                     .charged_ns = row->charged_ns,
                                     .sure_ns = row->measured_ns + row->certain_ns,
                                     .unknown_ns = add_count(row->unattributed_ns, row->unknown_ns),
                                     .whole = length_ns == policy->window_ns,
                                     .lossy = d->there && d->lossy};
    row->held_ns = p->state.held ? length_ns : 0;
    row->outcome = guard_state_take(&p->state, policy, p->limit->limit, &e);
    if (row->outcome.decision != GUARD_BLOCK)
        return;
    if (row->charged_ns - limit_ns > d->worst_ns) {
        d->worst = (uint32_t)(p - g->book.pairs);
        d->worst_ns = row->charged_ns - limit_ns;
    }
}

/*
 * Guests that are never acted on: that one is over its limit is only shown. One that is held, and turns out to be a driver
 * domain, is let back.
 */
static bool is_exempt(const struct guard *g, struct guard_pair *p, const struct charge_idd *idds, size_t n,
                      struct guard_row *row)
{
    const struct guard_account *a = &g->book.accounts[p->account];
    bool driver = is_driver_domain(a->domain, idds, n);
    if (!a->exempt && !driver)
        return false;
    bool over = row->charged_ns > cpu_share_ns(p->limit->limit, g->options.policy->window_ns);
    enum guard_decision decision = p->state.held ? GUARD_RELEASE : over ? GUARD_EXEMPT : GUARD_PASS;
    row->outcome = (struct guard_outcome){decision, driver ? WHY_DRIVER : WHY_POLICY};
    p->state = (struct guard_state){0};
    return true;
}

/* Whether the effect of an action at the driver domain is still awaited. */
static void await(struct guard *g, struct guard_driver *d, uint64_t length_ns)
{
    d->busy = false;
    if (d->awaited == NONE)
        return;
    const struct guard_state *s = &g->book.pairs[d->awaited].state;
    d->awaited_ns = add_count(d->awaited_ns, length_ns);
    d->busy = s->held && !s->effect_seen && d->awaited_ns < g->options.policy->settle_ns;
    if (!d->busy)
        d->awaited = NONE;
}

/* By how many steps a guest that is held for this I/O is let back: all its actions must have a number. */
static unsigned steps_for(const struct guard_policy *policy, const bool io[GUARD_IOS])
{
    for (int i = 0; i < GUARD_IOS; i++)
        if (io[i] && *policy->actions[i] && !guard_action_has_number(policy->actions[i]))
            return 0;
    return policy->steps;
}

static void hold(struct guard *g, struct guard_pair *p, struct guard_row *row, uint64_t length_ns)
{
    struct guard_driver *d = guard_book_driver(&g->book, p->driver, p->driver_life);
    const struct guard_evidence e = {.length_ns = length_ns, .charged_ns = row->charged_ns};
    guard_state_hold(&p->state, &e, steps_for(g->options.policy, row->io));
    p->held_domain = row->domain;
    p->held_life = row->life;
    memcpy(p->io, row->io, sizeof p->io);
    d->awaited = (uint32_t)(p - g->book.pairs);
    d->awaited_ns = 0;
}

/* Of those that are to be held only one at each driver domain is, and none while an effect is awaited. */
static void settle(struct guard *g, struct guard_pair *p, struct guard_row *row, uint64_t length_ns)
{
    const struct guard_driver *d = guard_book_driver(&g->book, p->driver, p->driver_life);
    if (row->outcome.decision != GUARD_BLOCK)
        return;
    if (d->busy)
        row->outcome = (struct guard_outcome){GUARD_WAIT, WHY_AWAITED};
    else if (d->worst != (uint32_t)(p - g->book.pairs))
        row->outcome = (struct guard_outcome){GUARD_WAIT, WHY_FURTHER};
    else
        hold(g, p, row, length_ns);
}

/* It is held, but the domain that was acted on has gone: its successor is acted on, too. */
static void follow(struct guard_pair *p, struct guard_row *row)
{
    if (!p->state.held || row->outcome.decision != GUARD_HOLD ||
        (p->held_domain == row->domain && p->held_life == row->life))
        return;
    p->held_domain = row->domain;
    p->held_life = row->life;
    row->outcome = (struct guard_outcome){GUARD_BLOCK, WHY_MADE_ANEW};
}

/* A new policy has no limit for it: a guest that is held is let back. */
static bool is_unlimited(struct guard_pair *p, struct guard_row *row)
{
    if (p->limit)
        return false;
    row->outcome = (struct guard_outcome){p->state.held ? GUARD_RELEASE : GUARD_PASS, WHY_NO_LIMIT};
    p->state = (struct guard_state){0};
    return true;
}

static void decide(struct guard *g, const struct charge_idd *idds, size_t n, uint64_t length_ns)
{
    for (size_t i = 0; i < g->rows_n; i++) {
        struct guard_pair *p = &g->book.pairs[g->row_pairs[i]];
        if (!is_unlimited(p, &g->rows[i]) && !is_exempt(g, p, idds, n, &g->rows[i]))
            judge(g, p, &g->rows[i], length_ns);
    }
    for (size_t i = 0; i < g->book.drivers_n; i++)
        await(g, &g->book.drivers[i], length_ns);
    for (size_t i = 0; i < g->rows_n; i++)
        settle(g, &g->book.pairs[g->row_pairs[i]], &g->rows[i], length_ns);
}

/* What is shown of the decision, and added up. */
static void finish_row(struct guard *g, struct guard_pair *p, struct guard_row *row)
{
    const struct guard_driver *d = guard_book_driver(&g->book, p->driver, p->driver_life);
    const struct guard_pair *awaited = d->awaited != NONE ? &g->book.pairs[d->awaited] : NULL;
    const struct guard_words words = {
        .policy = g->options.policy, .state = &p->state, .other = awaited ? awaited->held_domain : -1};
    follow(p, row);
    row->blocks = row->outcome.decision == GUARD_BLOCK && row->outcome.why != WHY_MADE_ANEW;
    g->blocks += row->blocks;
    if (row->outcome.decision == GUARD_RELEASE || row->outcome.decision == GUARD_HOLD ||
        row->outcome.why == WHY_MADE_ANEW)
        memcpy(row->io, p->io, sizeof row->io);
    row->step = p->state.held ? p->state.step : 0;
    guard_words_write(row, &words);
    guard_row_add(&p->total, row);
    p->row = 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct guard_row *x = a, *y = b;
    int order = life_compare(x->domain, x->life, y->domain, y->life);
    return order ? order : life_compare(x->driver_domain, x->driver_life, y->driver_domain, y->driver_life);
}

static void finish_rows(struct guard *g, const struct interval *interval)
{
    g->whole.start_ns = g->begun ? g->whole.start_ns : interval->start_ns;
    g->whole.end_ns = interval->end_ns;
    g->begun = true;
    for (size_t i = 0; i < g->rows_n; i++)
        finish_row(g, &g->book.pairs[g->row_pairs[i]], &g->rows[i]);
    if (g->rows_n > 1)
        qsort(g->rows, g->rows_n, sizeof *g->rows, compare_rows);
}

/* ---- what the meter hands out ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct guard *g = context;
    (void)interval;
    if (!array_make_room(&g->seen, &g->seen_capacity, n + 1, sizeof *g->seen))
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct measures *m = rows[i].measures;
        struct guard_seen *seen = &g->seen[i];
        *seen = (struct guard_seen){.domain = rows[i].domain, .life = rows[i].life};
        for (int state = 0; state < RUNSTATES; state++)
            seen->all_ns = add_count(seen->all_ns, (uint64_t)m->state_ns[state]);
        seen->unknown_ns = add_count((uint64_t)m->state_ns[RUNSTATE_UNKNOWN], (uint64_t)m->doubtful_ns);
    }
    g->seen_n = n;
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct guard *g = context;
    g->rows_n = 0;
    if (take_all(g, idds, n) != 0)
        return -1;
    decide(g, idds, n, interval->end_ns - interval->start_ns);
    finish_rows(g, interval);
    return g->options.rows(g->options.context, interval, g->rows, g->rows_n);
}

void guard_wants(struct guard *g, struct meter_options *meter)
{
    meter->bys = 1u << BY_DOMAIN;
    meter->granularities_ns[0] = g->options.policy->window_ns;
    meter->granularities = 1;
    meter->no_slices = true;
    meter->charge.wanted = true;
    meter->sink = (struct meter_sink){g, take_interval, NULL, take_charges, NULL};
}

const struct guard_row *guard_totals(struct guard *g, struct interval *whole, size_t *n)
{
    if (!array_make_room(&g->rows, &g->rows_capacity, g->book.pairs_n + 1, sizeof *g->rows))
        return NULL;
    *n = 0;
    for (size_t i = 0; i < g->book.pairs_n; i++)
        if (g->book.pairs[i].total.domain >= 0)
            g->rows[(*n)++] = g->book.pairs[i].total;
    if (*n > 1)
        qsort(g->rows, *n, sizeof *g->rows, compare_rows);
    *whole = g->whole;
    return g->rows;
}

size_t guard_memory(const struct guard *g)
{
    return guard_book_memory(&g->book) + g->seen_capacity * sizeof *g->seen +
           g->rows_capacity * sizeof *g->rows + g->row_pairs_capacity * sizeof *g->row_pairs;
}
