#include "hidden.h"

/*
 * Where only switches are traced, a vCPU that a wake is the first to name is taken for one that was blocked: no record
 * says that it was runnable before, or that a pause from before the trace was over. That is so until it runs.
 */
static bool is_guess(const struct plan *plan, const struct view *v, const struct truth_vcpu *t, uint64_t from)
{
    size_t i = truth_at(t, v->first_tsc);
    if (plan->mix != 4 || t->changes[i].state == RUNSTATE_RUNNING)
        return false;
    while (i < t->n && t->changes[i].state != RUNSTATE_RUNNING)
        i++;
    return i == t->n || from <= t->changes[i].tsc;
}

static bool is_lost(const struct view *v, const struct truth_change *c)
{
    for (size_t i = 0; i < v->gaps.n; i++) {
        const struct gap *g = &v->gaps.items[i];
        bool there = g->pcpu == ALL_PCPUS || g->pcpu == c->pcpu;
        if (there && c->tsc >= g->from && c->tsc <= g->to)
            return true;
    }
    return c->tsc < v->first_tsc || c->tsc > v->last_tsc;
}

static bool is_paused(const struct truth_change *c)
{
    return c->state == RUNSTATE_OFFLINE;
}

/* Whether change number i, and those around it up to a pause before them and one after them, are all lost. */
static bool is_hidden_break(const struct view *v, const struct truth_vcpu *t, size_t i)
{
    size_t first = i, last = i;
    while (first > 0 && is_lost(v, &t->changes[first]) && !is_paused(&t->changes[first - 1]))
        first--;
    while (last < t->n && is_lost(v, &t->changes[last]) && !is_paused(&t->changes[last]))
        last++;
    return first > 0 && last < t->n && is_lost(v, &t->changes[first]) && is_lost(v, &t->changes[last]);
}

/*
 * A pause whose beginning and end are both lost, or not in the trace. METRICS.md 1: outside of blind windows nothing is doubtful,
 * so a pause of which no record tells cannot be within what is reported, however long it lasts; nor a break in one.
 */
static bool has_hidden_pause(const struct view *v, const struct truth_vcpu *t, uint64_t from, uint64_t to)
{
    for (size_t i = truth_at(t, from); i < t->n && t->changes[i].tsc < to; i++) {
        bool ends = i + 1 < t->n && !is_lost(v, &t->changes[i + 1]);
        if (is_paused(&t->changes[i]) ? !ends && is_lost(v, &t->changes[i]) : is_hidden_break(v, t, i))
            return true;
    }
    return false;
}

/*
 * Records may be lost without a report: what the next record of the vCPU says of the time before, back to its last one before
 * that, may be wrong.
 */
static bool is_misreported(const struct view *v, const struct truth_vcpu *t, uint64_t to)
{
    uint64_t last = 0;
    for (size_t i = 0; i < v->changes_n; i++) {
        const struct seen_change *c = &v->changes[i];
        if (c->domain != t->domain || c->vcpu != t->vcpu || c->tsc < t->born_tsc || c->tsc > t->died_tsc)
            continue;
        if (c->tsc >= v->unreported_tsc)
            return to > last;
        last = c->tsc;
    }
    return false;
}

bool is_hidden(const struct plan *plan, const struct view *v, const struct truth_vcpu *t, uint64_t from,
               uint64_t to)
{
    return is_guess(plan, v, t, from) || has_hidden_pause(v, t, from, to) || is_misreported(v, t, to);
}
