#include "metrics/control/guard_rule.h"

#include "metrics/measure/adding.h"
#include "parser/order/clock.h"

const char *const guard_decision_names[] = {"pass", "block", "hold", "release", "wait", "exempt", NULL};

static uint64_t longer(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool over(const struct guard_policy *p, struct cpu_share limit, const struct guard_evidence *e)
{
    uint64_t limit_ns = cpu_share_ns(limit, e->length_ns);
    return e->charged_ns > add_count(limit_ns, cpu_share_ns(p->hysteresis, limit_ns));
}

static bool within_average(const struct guard_state *s, struct cpu_share limit)
{
    return s->sum_ns <= cpu_share_ns(limit, s->elapsed_ns);
}

static void forget(struct guard_state *s)
{
    s->watched = s->held = false;
    s->sum_ns = s->elapsed_ns = s->quiet_ns = 0;
}

/* What it did not use counts for no longer than it is remembered. */
static void bound_savings(struct guard_state *s, struct cpu_share limit, uint64_t remembered_ns)
{
    uint128 used_ns = ((uint128)s->sum_ns * limit.of + limit.part - 1) / limit.part;
    uint128 most_ns = used_ns + remembered_ns;
    if (s->elapsed_ns > most_ns)
        s->elapsed_ns = (uint64_t)most_ns;
}

static void keep_average(struct guard_state *s, const struct guard_evidence *e)
{
    s->sum_ns = add_count(s->sum_ns, e->charged_ns);
    s->elapsed_ns = add_count(s->elapsed_ns, e->length_ns);
}

static struct guard_outcome let_back(struct guard_state *s, enum guard_why why)
{
    s->held = false;
    s->quiet_ns = 0;
    if (why != WHY_AVERAGE)
        forget(s);
    return (struct guard_outcome){GUARD_RELEASE, why};
}

/* Up while there is room, down while both the average and the window are over the limit. True: the step is another one. */
static bool take_step(struct guard_state *s, struct cpu_share limit, const struct guard_evidence *e)
{
    uint64_t limit_ns = cpu_share_ns(limit, e->length_ns), charged_ns = e->charged_ns;
    unsigned before = s->step;
    if (within_average(s, limit))
        s->step += charged_ns <= limit_ns && s->step < s->steps;
    else
        for (; charged_ns > limit_ns && s->step > 0; charged_ns /= 2)
            s->step--;
    return s->step != before;
}

/* A held guest in a window that is no evidence. */
static struct guard_outcome take_unsure(struct guard_state *s, const struct guard_policy *p)
{
    if (s->held_ns >= p->max_hold_ns)
        return let_back(s, s->effect_seen ? WHY_MAX_HOLD : WHY_NO_EFFECT);
    if (s->unsure_ns >= p->stale_ns)
        return let_back(s, WHY_STALE);
    return (struct guard_outcome){GUARD_HOLD, WHY_LOSSY};
}

static struct guard_outcome take_held(struct guard_state *s, const struct guard_policy *p,
                                      struct cpu_share limit, const struct guard_evidence *e)
{
    s->held_ns = add_count(s->held_ns, e->length_ns);
    if (e->lossy)
        return take_unsure(s, p);
    keep_average(s, e);
    bool came_down = e->whole && e->charged_ns <= cpu_share_ns(limit, e->length_ns);
    bool first = came_down && !s->effect_seen;
    s->effect_seen = s->effect_seen || came_down;
    if (s->held_ns >= p->window_ns && s->step == s->steps && within_average(s, limit))
        return let_back(s, WHY_AVERAGE);
    if (s->held_ns >= p->max_hold_ns)
        return let_back(s, s->effect_seen ? WHY_MAX_HOLD : WHY_NO_EFFECT);
    if (e->whole && take_step(s, limit, e))
        return (struct guard_outcome){GUARD_HOLD, WHY_STEP};
    return (struct guard_outcome){GUARD_HOLD, first ? WHY_EFFECT : WHY_AVERAGE};
}

/* A free guest that was over its limit before, in a window in which it is not. */
static void take_quiet(struct guard_state *s, const struct guard_policy *p, struct cpu_share limit,
                       const struct guard_evidence *e)
{
    uint64_t remembered_ns = longer(p->probation_ns, s->held_ns);
    keep_average(s, e);
    bound_savings(s, limit, remembered_ns);
    s->quiet_ns = add_count(s->quiet_ns, e->length_ns);
    if (s->quiet_ns >= remembered_ns)
        forget(s);
}

static struct guard_outcome take_free(struct guard_state *s, const struct guard_policy *p,
                                      struct cpu_share limit, const struct guard_evidence *e)
{
    bool is_over = over(p, limit, e);
    if (e->lossy)
        return is_over ? (struct guard_outcome){GUARD_WAIT, WHY_LOSSY}
                       : (struct guard_outcome){GUARD_PASS, WHY_WITHIN};
    if (is_over && e->whole && e->unknown_ns > e->charged_ns)
        return (struct guard_outcome){GUARD_WAIT, WHY_UNKNOWN};
    if (is_over && e->whole && e->sure_ns < cpu_share_ns(p->min_certain, e->charged_ns))
        return (struct guard_outcome){GUARD_WAIT, WHY_UNCERTAIN};
    if (!is_over || !e->whole) {
        if (s->watched)
            take_quiet(s, p, limit, e);
        return (struct guard_outcome){GUARD_PASS, e->whole ? WHY_WITHIN : WHY_SHORT};
    }
    bool known = s->watched, again = known && s->held_ns > 0;
    s->held_ns = known ? s->held_ns : 0;
    s->watched = true;
    s->quiet_ns = 0;
    keep_average(s, e);
    if (known && within_average(s, limit))
        return (struct guard_outcome){GUARD_PASS, WHY_AVERAGE};
    return (struct guard_outcome){GUARD_BLOCK, again ? WHY_AGAIN : WHY_OVER};
}

struct guard_outcome guard_state_take(struct guard_state *s, const struct guard_policy *p,
                                      struct cpu_share limit, const struct guard_evidence *e)
{
    s->unsure_ns = e->lossy ? add_count(s->unsure_ns, e->length_ns) : 0;
    return s->held ? take_held(s, p, limit, e) : take_free(s, p, limit, e);
}

void guard_state_hold(struct guard_state *s, const struct guard_evidence *e, unsigned steps)
{
    s->held = true;
    s->held_ns = 0;
    s->before_ns = e->charged_ns;
    s->effect_seen = false;
    s->steps = steps;
    s->step = 0;
}
