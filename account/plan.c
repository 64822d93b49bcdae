#include "account/plan.h"

#include <stdlib.h>

#include "metrics/array.h"

#define SLACK_MOST_NS 1000000000  /* of times of day that are less exact than ACCOUNT_SLACK_NS */
#define COARSE_NS     60000000000 /* intervals that are longer are coarse */
#define PIECES_MOST   100000      /* periods that one capture lies in: eleven years of hours */

struct planning {
    struct plan *plan;
    const struct fleet *fleet;
    const struct account_options *options;
    struct account_period total; /* what all captures have, as far as it is asked for */
};

static struct account_period span_of(const struct recorded *r)
{
    return (struct account_period){r->begin_utc_ns, r->end_utc_ns};
}

/* Where that begins which is read: with `before` in the period before. */
static int64_t first_moment(const struct account_options *o)
{
    if (!o->before || o->granularity == ACCOUNT_TOTAL || o->from_utc_ns <= 0)
        return o->from_utc_ns;
    return account_period_of(o->granularity, o->from_utc_ns - 1).begin_utc_ns;
}

/* The time that all captures have, cut to what is asked for. */
static struct account_period total_of(const struct fleet *f, const struct account_options *o)
{
    struct account_period total = {INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < f->n; i++) {
        const struct account_period p = span_of(&f->captures[i].recorded);
        total.begin_utc_ns = p.begin_utc_ns < total.begin_utc_ns ? p.begin_utc_ns : total.begin_utc_ns;
        total.end_utc_ns = p.end_utc_ns > total.end_utc_ns ? p.end_utc_ns : total.end_utc_ns;
    }
    if (o->from_utc_ns != INT64_MIN)
        total.begin_utc_ns = first_moment(o);
    if (o->to_utc_ns != INT64_MAX)
        total.end_utc_ns = o->to_utc_ns;
    return total;
}

/* The period that a moment of the time asked for is in. */
static struct account_period period_at(const struct planning *x, int64_t utc_ns)
{
    const struct account_options *o = x->options;
    struct account_period p = x->total;
    if (o->granularity != ACCOUNT_TOTAL) {
        p = account_period_of(o->granularity, utc_ns);
        if (utc_ns < o->from_utc_ns && p.end_utc_ns > o->from_utc_ns)
            p.end_utc_ns = o->from_utc_ns;
        if (utc_ns >= o->from_utc_ns && p.begin_utc_ns < o->from_utc_ns)
            p.begin_utc_ns = o->from_utc_ns;
        if (p.end_utc_ns > o->to_utc_ns)
            p.end_utc_ns = o->to_utc_ns;
    }
    for (size_t i = 0; i < o->cuts_n; i++) {
        if (o->cuts[i] <= utc_ns && o->cuts[i] > p.begin_utc_ns)
            p.begin_utc_ns = o->cuts[i];
        if (o->cuts[i] > utc_ns && o->cuts[i] < p.end_utc_ns)
            p.end_utc_ns = o->cuts[i];
    }
    return p;
}

static int add_piece(struct planning *x, const struct plan_piece *piece, struct error *err)
{
    struct plan *p = x->plan;
    if (!array_make_room(&p->pieces, &p->capacity, p->n + 1, sizeof *p->pieces))
        return error_no_memory(err, "the plan of periods");
    p->pieces[p->n++] = *piece;
    p->wanted_n += piece->period.begin_utc_ns >= x->options->from_utc_ns;
    return 0;
}

/* How far its ends may be off. */
static int64_t slack_of(const struct recorded *r)
{
    int64_t slack = r->error_ns < SLACK_MOST_NS ? (int64_t)r->error_ns : SLACK_MOST_NS;
    return slack > ACCOUNT_SLACK_NS ? slack : ACCOUNT_SLACK_NS;
}

static void say(const struct planning *x, const struct fleet_capture *c, const char *what)
{
    if (x->options->finding)
        x->options->finding(x->options->context, ACCOUNT_COARSE, fleet_file(x->fleet, c), what);
}

/* One that has no intervals counts where its middle lies. */
static int add_undivided(struct planning *x, size_t i, struct error *err)
{
    const struct fleet_capture *c = &x->fleet->captures[i];
    const struct account_period span = span_of(&c->recorded);
    int64_t middle = span.begin_utc_ns + (span.end_utc_ns - span.begin_utc_ns) / 2;
    if (!account_period_has(&x->total, middle))
        return 0;
    say(x, c, "it keeps no intervals: it counts, undivided, where its middle lies");
    return add_piece(x, &(struct plan_piece){period_at(x, middle), i, true}, err);
}

/* Of a capture that lies in several periods, or of which only a part counts. */
static int add_divided(struct planning *x, size_t i, int64_t from, int64_t to, struct error *err)
{
    const struct fleet_capture *c = &x->fleet->captures[i];
    unsigned pieces = 0;
    if (c->recorded.shortest_ns > COARSE_NS)
        say(x, c, "its intervals are long; those that lie in two periods count where their middle lies");
    while (from < to) {
        const struct account_period p = period_at(x, from);
        if (++pieces > PIECES_MOST)
            return error_set(err, ERROR_FORMAT, "%.200s: it is longer than can be", fleet_file(x->fleet, c));
        if (add_piece(x, &(struct plan_piece){p, i, false}, err) != 0)
            return -1;
        from = p.end_utc_ns;
    }
    return 0;
}

static int plan_capture(struct planning *x, size_t i, struct error *err)
{
    const struct fleet_capture *c = &x->fleet->captures[i];
    const struct recorded *r = &c->recorded;
    bool all = c->counts_from_tsc == r->from_tsc && c->counts_to_tsc == r->to_tsc;
    int64_t slack = slack_of(r), from = r->begin_utc_ns, to = r->end_utc_ns;
    if (c->counts_from_tsc >= c->counts_to_tsc || from >= to)
        return 0;
    slack = slack < (to - from) / 4 ? slack : (to - from) / 4;
    if (to - slack <= x->total.begin_utc_ns || from + slack >= x->total.end_utc_ns)
        return 0;
    bool inside = from + slack >= x->total.begin_utc_ns && to - slack <= x->total.end_utc_ns;
    from = from + slack > x->total.begin_utc_ns ? from + slack : x->total.begin_utc_ns;
    to = to - slack < x->total.end_utc_ns ? to - slack : x->total.end_utc_ns;
    const struct account_period first = period_at(x, from);
    if (all && inside && r->whole && first.end_utc_ns >= to)
        return add_piece(x, &(struct plan_piece){first, i, true}, err);
    if (r->shortest_ns > 0)
        return add_divided(x, i, from, to, err);
    if (all)
        return add_undivided(x, i, err);
    say(x, c, "other archives have some of its time, and it keeps no intervals: it does not count");
    return 0;
}

static int compare_pieces(const void *a, const void *b)
{
    const struct plan_piece *x = a, *y = b;
    if (x->period.begin_utc_ns != y->period.begin_utc_ns)
        return x->period.begin_utc_ns < y->period.begin_utc_ns ? -1 : 1;
    return (x->capture > y->capture) - (x->capture < y->capture);
}

int plan_make(struct plan *p, const struct fleet *f, const struct account_options *o, struct error *err)
{
    struct planning x = {.plan = p, .fleet = f, .options = o, .total = total_of(f, o)};
    if (x.total.begin_utc_ns >= x.total.end_utc_ns)
        return error_set(err, ERROR_USAGE, "nothing of these archives lies in the time that is asked for");
    for (size_t i = 0; i < f->n; i++)
        if (plan_capture(&x, i, err) != 0)
            return -1;
    if (p->wanted_n == 0)
        return error_set(err, ERROR_USAGE, "nothing of these archives lies in the time that is asked for");
    qsort(p->pieces, p->n, sizeof *p->pieces, compare_pieces);
    return 0;
}

void plan_free(struct plan *p)
{
    free(p->pieces);
    *p = (struct plan){.n = 0};
}
