/* The costs of events, from the sums of all equations, and their errors, from those of parts. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "weight_sums.h"

#define INFLATION_MAX 100  /* of a variance: kinds that move together more than that are not told apart */
#define TOGETHER_PART 0.1  /* of a cost that rests on such kinds: more leaves it unknown */
#define PART_MIN      0.01 /* of a kind's events: what has fewer shows nothing when it is left out */
#define ERROR_PART    0.5  /* of a cost: with a larger error it is uncertain */
#define WEIGHT_MOST   1e6  /* that --weights takes */

/* ---- kinds that cannot be told apart ---- */

/* cost[from] = ratio * cost[into], applied in this order. */
struct joint {
    unsigned from, into;
    double ratio;
};

/* How the costs of a layer are found. */
struct cost_plan {
    unsigned kinds;
    struct joint joints[IO_KINDS];
    unsigned joints_n;
};

static void apply_joint(struct normal_equations *e, const struct joint *j)
{
    for (unsigned k = 0; k < UNKNOWNS_MAX; k++)
        e->aa[j->into][k] += j->ratio * e->aa[j->from][k];
    for (unsigned k = 0; k < UNKNOWNS_MAX; k++)
        e->aa[k][j->into] += j->ratio * e->aa[k][j->from];
    e->ay[j->into] += j->ratio * e->ay[j->from];
}

/* The kind of the plan that others tell most of; IO_KINDS: none too much. */
static unsigned least_separate(const struct normal_equations *e, unsigned kinds)
{
    double most = INFLATION_MAX;
    unsigned worst = IO_KINDS;
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        if (kinds & KIND_BIT(kind) && least_squares_inflation(e, kinds, kind) > most) {
            most = least_squares_inflation(e, kinds, kind);
            worst = kind;
        }
    return worst;
}

/* The other kind that moves most like this one. */
static unsigned nearest_to(const struct normal_equations *e, unsigned kinds, unsigned kind)
{
    double most = -1;
    unsigned nearest = IO_KINDS;
    for (unsigned k = 0; k < IO_KINDS; k++) {
        double cosine =
            k != kind && kinds & KIND_BIT(k) ? e->aa[k][kind] / sqrt(e->aa[k][k] * e->aa[kind][kind]) : -1;
        if (cosine > most) {
            most = cosine;
            nearest = k;
        }
    }
    return nearest;
}

static struct cost_plan plan_of(const struct normal_equations *equations, unsigned kinds)
{
    struct normal_equations e = *equations;
    struct cost_plan p = {.kinds = kinds};
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        if (!(e.aa[kind][kind] > 0))
            p.kinds &= ~KIND_BIT(kind);
    for (unsigned from; (from = least_separate(&e, p.kinds)) < IO_KINDS;) {
        unsigned into = nearest_to(&e, p.kinds, from);
        struct joint *j = &p.joints[p.joints_n++];
        *j = (struct joint){from, into, charge_default_weights[from] / charge_default_weights[into]};
        apply_joint(&e, j);
        p.kinds &= ~KIND_BIT(from);
    }
    return p;
}

static void solve_layer(const struct cost_plan *p, const struct normal_equations *equations, double *cost)
{
    struct normal_equations e = *equations;
    for (unsigned i = 0; i < p->joints_n; i++)
        apply_joint(&e, &p->joints[i]);
    least_squares_solve(&e, p->kinds, cost);
    for (unsigned i = p->joints_n; i-- > 0;)
        cost[p->joints[i].from] = p->joints[i].ratio * cost[p->joints[i].into];
}

/* ---- costs ---- */

struct solution {
    const struct weight_fit *fit;
    unsigned kinds; /* with enough events */
    struct cost_plan plans[LAYER_ALL];
    double cost[UNKNOWNS_MAX];
    double together[UNKNOWNS_MAX]; /* the part of it that rests on kinds which are not told apart */
    unsigned with[IO_KINDS];       /* such a kind; IO_KINDS: none */
};

/* The costs, by the sums of all equations or of some of them. */
static void costs_of(const struct solution *s, const struct weight_sums *sums, double *cost)
{
    double part[UNKNOWNS_MAX];
    memset(cost, 0, UNKNOWNS_MAX * sizeof *cost);
    for (int layer = 0; layer < LAYER_ALL; layer++) {
        solve_layer(&s->plans[layer], &sums->layers[layer], part);
        for (unsigned kind = 0; kind < UNKNOWNS_MAX; kind++)
            cost[kind] += part[kind];
    }
}

static void find_together(struct solution *s)
{
    double part[UNKNOWNS_MAX];
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        s->with[kind] = IO_KINDS;
    for (int layer = 0; layer < LAYER_ALL; layer++) {
        const struct cost_plan *p = &s->plans[layer];
        bool counted[IO_KINDS] = {false};
        solve_layer(p, &s->fit->all.layers[layer], part);
        for (unsigned i = 0; i < p->joints_n; i++) {
            const unsigned ends[2] = {p->joints[i].from, p->joints[i].into};
            for (unsigned end = 0; end < 2; end++) {
                s->together[ends[end]] += counted[ends[end]] ? 0 : part[ends[end]];
                counted[ends[end]] = true;
                s->with[ends[end]] = ends[1 - end];
            }
        }
    }
}

static void solve(struct solution *s, const struct weight_fit *f)
{
    *s = (struct solution){.fit = f};
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        s->kinds |= f->all.events[kind] >= FIT_EVENTS_MIN ? KIND_BIT(kind) : 0;
    for (int layer = 0; layer < LAYER_ALL; layer++)
        s->plans[layer] = plan_of(&f->all.layers[layer], s->kinds & kinds_of_layer[layer]);
    costs_of(s, &f->all, s->cost);
    find_together(s);
}

/* ---- errors ---- */

/* What costs become when one of n parts is left out. */
struct jackknife {
    unsigned n[IO_KINDS];
    double sum[IO_KINDS], squares[IO_KINDS];
};

static void leave_out(struct jackknife *j, const struct solution *s, const struct weight_sums *part)
{
    struct weight_sums rest = s->fit->all;
    double cost[UNKNOWNS_MAX];
    bool any = false;
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        any |= part->events[kind] > 0;
    if (!any)
        return;
    weight_sums_merge(&rest, part, -1);
    costs_of(s, &rest, cost);
    for (unsigned kind = 0; kind < IO_KINDS; kind++) {
        if (rest.events[kind] < FIT_EVENTS_MIN || part->events[kind] < PART_MIN * s->fit->all.events[kind])
            continue;
        double off = cost[kind] - s->cost[kind];
        j->n[kind]++;
        j->sum[kind] += off;
        j->squares[kind] += off * off;
    }
}

/* The standard error by n parts; 0: there are fewer than two. */
static double error_of(const struct jackknife *j, unsigned kind)
{
    double n = j->n[kind];
    if (n < 2)
        return 0;
    double scatter = j->squares[kind] - j->sum[kind] * j->sum[kind] / n;
    return scatter > 0 ? sqrt((n - 1) / n * scatter) : 0;
}

static void errors_of(const struct solution *s, double *error)
{
    struct jackknife blocks = {.n = {0}}, guests = {.n = {0}};
    for (unsigned b = 0; b < FIT_BLOCKS; b++)
        leave_out(&blocks, s, &s->fit->blocks[b]);
    for (unsigned g = 0; g < FIT_GROUPS; g++)
        leave_out(&guests, s, &s->fit->groups[g]);
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        error[kind] = fmax(error_of(&blocks, kind), error_of(&guests, kind));
}

/* ---- the result ---- */

static enum fit_state state_of(const struct solution *s, unsigned kind, double error)
{
    if (!(s->kinds & KIND_BIT(kind)))
        return s->fit->all.events[kind] > 0 ? FIT_FEW : FIT_NO_EVENTS;
    if (!(s->cost[kind] > 0))
        return FIT_NEGATIVE;
    if (s->together[kind] > TOGETHER_PART * s->cost[kind])
        return FIT_TOGETHER;
    return error > ERROR_PART * s->cost[kind] ? FIT_UNCERTAIN : FIT_KNOWN;
}

/* Weights are costs in a unit in which all events together weigh what they do by default: kinds without cost keep theirs. */
static double unit_of(const struct solution *s)
{
    double cost = 0, weight = 0, most = 0;
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        if (s->kinds & KIND_BIT(kind)) {
            cost += s->cost[kind] * s->fit->all.events[kind];
            weight += charge_default_weights[kind] * s->fit->all.events[kind];
            most = fmax(most, s->cost[kind]);
        }
    return fmax(cost / weight, most / WEIGHT_MOST);
}

static void describe(struct fitted_weight *w, const struct solution *s, unsigned kind, const double *error)
{
    double unit = unit_of(s), events = s->fit->all.events[kind];
    *w = (struct fitted_weight){.kind = (enum io_kind)kind,
                                .state = state_of(s, kind, error[kind]),
                                .with = (enum io_kind)s->with[kind],
                                .events = (uint64_t)events,
                                .weight = s->kinds & KIND_BIT(kind) ? s->cost[kind] / unit : -1};
    if (!fit_has_cost(w))
        return;
    w->cost_ns = s->cost[kind];
    w->error_ns = error[kind];
    w->explained_pct = 100 * w->cost_ns * events / s->fit->driver_ns;
}

static int check(const struct weight_fit *f, const struct solution *s, struct error *err)
{
    double cost = 0;
    if (f->intervals < FIT_INTERVALS_MIN)
        return error_set(err, ERROR_USAGE,
                         "--fit: measured times cover %" PRIu64
                         " whole intervals, at least %d are needed: record "
                         "longer, or take shorter intervals (-g)",
                         f->intervals, FIT_INTERVALS_MIN);
    if (2 * f->without_reading > f->intervals)
        return error_set(
            err, ERROR_USAGE,
            "--fit: CPU times were read less often than once in an interval: take longer ones (-g), "
            "of two readings or more");
    if (!s->kinds)
        return error_set(err, ERROR_USAGE,
                         "--fit: there are fewer than %d events of each kind in the %" PRIu64
                         " intervals that "
                         "measured times cover",
                         FIT_EVENTS_MIN, f->intervals);
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        cost += s->cost[kind];
    return cost > 0 ? 0
                    : error_set(err, ERROR_USAGE,
                                "--fit: the measured time does not grow with the events of any kind");
}

int weight_fit_solve(const struct weight_fit *f, struct fitted_weights *result, struct error *err)
{
    struct solution s;
    double error[IO_KINDS];
    solve(&s, f);
    if (check(f, &s, err) != 0)
        return -1;
    errors_of(&s, error);
    *result = (struct fitted_weights){
        .intervals = f->intervals, .driver_ns = f->driver_ns, .guests_ns = f->guests_ns};
    for (unsigned kind = 0; kind < IO_KINDS; kind++) {
        if (f->kinds & KIND_BIT(kind))
            describe(&result->kinds[result->n++], &s, kind, error);
        result->explained_ns += s.cost[kind] * f->all.events[kind];
    }
    const struct normal_equations *all = &f->all.layers[LAYER_ALL];
    result->residual_pct = 100 * sqrt(least_squares_rest(all, s.cost) / all->yy);
    return 0;
}
