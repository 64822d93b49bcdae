/* The relation of fitted weights: what one event of each kind costs the driver domains (metrics/measure/weight_fit.h). */
#include <math.h>

#include "metrics/measure/weight_fit.h"
#include "metrics/relation/relation_table.h"

static const char *const state_words[] = {[FIT_KNOWN] = "known",       [FIT_UNCERTAIN] = "uncertain",
                                          [FIT_NEGATIVE] = "negative", [FIT_TOGETHER] = "together",
                                          [FIT_FEW] = "few",           [FIT_NO_EVENTS] = "no events",
                                          [FIT_STATES] = NULL};

static const struct fitted_weight *of(const struct row_view *v)
{
    return v->row;
}

/* A value that there is of known costs only. */
static struct value known_ns(const struct row_view *v, double ns)
{
    return fit_has_cost(of(v)) ? integer(llround(ns)) : none();
}

static struct value kind(const struct row_view *v)
{
    return text(io_weight_names[of(v)->kind]);
}

static struct value cost(const struct row_view *v)
{
    return known_ns(v, of(v)->cost_ns);
}

static struct value error(const struct row_view *v)
{
    return known_ns(v, of(v)->error_ns);
}

static struct value explained(const struct row_view *v)
{
    return fit_has_cost(of(v)) ? decimal(of(v)->explained_pct) : none();
}

static struct value weight(const struct row_view *v)
{
    return of(v)->weight >= 0 ? decimal(of(v)->weight) : none();
}

static struct value with(const struct row_view *v)
{
    return of(v)->state == FIT_TOGETHER ? text(io_weight_names[of(v)->with]) : none_but("");
}

static const struct column columns[] = {
    {COLUMN_HEAD(kind, "kind", NONE, 0, KEY | LEFT | TEXT, L, "the kind of event, as --weights has it"),
     .get = kind},
    {COLUMN_HEAD(cost_ns, "one costs", NS_COST, 0, 0, L,
                 "what one event costs the driver domain; empty: not known"),
     .get = cost},
    {COLUMN_HEAD(error_ns, "+-", NS_COST, 0, 0, L, "one standard error of cost_ns"), .get = error},
    {COLUMN_HEAD(events, "events", COUNT, 0, 0, L, "events in the intervals that were used"),
     COLUMN_MEMBER(struct fitted_weight, events, U64, NOT)},
    {COLUMN_HEAD(explained_pct, "explained", PERCENT, 3, 0, L,
                 "cost_ns * events, of the time that the driver domains ran"),
     .get = explained},
    {COLUMN_HEAD(weight, "weight", COUNT, 6, 0, L,
                 "for --weights, in units of the default weights; empty: the default weight holds"),
     .get = weight},
    {COLUMN_HEAD(state, "state", NONE, 0, LEFT, L,
                 "known; uncertain: the error is more than half of the cost; negative: no cost above 0 fits; "
                 "together: its events come with those of another kind, "
                 "which is in `with`; few: fewer than 20 events; no events"),
     COLUMN_MEMBER(struct fitted_weight, state, NAME, NOT), .words = state_words},
    {COLUMN_HEAD(with, "with", NONE, 0, LEFT | TEXT, L, "the kind whose events come with its own"),
     .get = with},
};

const struct relation relation_fitted_weights = {
    .name = "weights",
    .title = "fitted weights (--fit)",
    .table = "weights",
    .none = "no weights\n",
    .row_size = sizeof(struct fitted_weight),
    .own_times = true,
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
};
