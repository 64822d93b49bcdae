#include "idle_share.h"

#include <stdlib.h>

#include "charge_shares.h"

struct idle_group {
    struct pooled in_pool;
    struct period *idle;    /* gathers idle time, with a reference; NULL: there was none */
    uint32_t awaited;       /* periods whose shares are not final, and one while the group is open */
    struct share_sums sums; /* of the rest of the group */
};

/* ---- groups ---- */

static struct idle_group *group_of(struct charging *c, uint32_t vcpu)
{
    struct idle_group *g = c->vcpus[vcpu].idle_group;
    if (g)
        return g;
    g = pool_take(&c->groups, sizeof *g, &c->memory);
    c->failed = c->failed || !g;
    if (!g)
        return NULL;
    g->idle = NULL;
    g->awaited = 1;
    g->sums.n = 0;
    c->groups_open++;
    return c->vcpus[vcpu].idle_group = g;
}

void idle_share_free(struct charging *c)
{
    struct idle_group *g;
    while ((g = pool_remove(&c->groups))) {
        free(g->sums.at);
        free(g);
    }
}

/* ---- what is in them ---- */

struct period *idle_share_period(struct charging *c, uint32_t vcpu)
{
    const struct run_slice *slice = c->vcpus[vcpu].slice;
    struct idle_group *g = group_of(c, vcpu);
    if (g && !g->idle)
        g->idle = charging_new_period(c, vcpu, slice ? slice->from_ns : c->now_ns);
    return g ? g->idle : NULL;
}

void idle_share_take(struct charging *c, uint32_t vcpu, struct period *p)
{
    struct period *idle = p->first ? idle_share_period(c, vcpu) : NULL;
    if (!idle)
        return;
    for (struct run_slice *s = p->first; s; s = s->next_waiting) {
        s->period = idle;
        s->offset_ns = idle->ran_ns;
        idle->ran_ns += s->to_ns - s->from_ns;
        idle->references++;
        p->references--;
    }
    if (idle->first)
        idle->last->next_waiting = p->first;
    else
        idle->first = p->first;
    idle->last = p->last;
    p->first = p->last = NULL;
    p->ran_ns = 0;
}

void idle_share_join(struct charging *c, uint32_t vcpu, struct period *p)
{
    p->group = group_of(c, vcpu);
    if (p->group)
        p->group->awaited++;
}

/* ---- shares ---- */

/* Those of the idle time: in proportion to the rest of the group, which is final. */
static void share(struct charging *c, struct idle_group *g)
{
    struct period *idle = g->idle;
    for (size_t i = 0; i < g->sums.n && !c->failed; i++)
        if (g->sums.at[i].ns > 0)
            charging_add_weight(c, idle, g->sums.at[i].to, g->sums.at[i].ns);
    if (idle->shares_n == 0)
        charging_share_own(c, idle);
    if (c->failed)
        return;
    charging_set_weights(c, idle);
    idle->closed = true;
    charging_pass_on_slices(c, idle);
}

/* One that was awaited is there. */
static void arrived(struct charging *c, struct idle_group *g)
{
    if (--g->awaited > 0)
        return;
    if (g->idle) {
        share(c, g);
        charging_release_period(c, g->idle);
    }
    pool_give(&c->groups, &g->in_pool);
}

void idle_share_settle(struct charging *c, struct period *p)
{
    struct idle_group *g = p->group;
    double sum = charging_sum_weights(p);
    for (size_t i = 0; i < p->shares_n && p->ran_ns > 0; i++)
        charging_add_sum(c, &g->sums, p->shares[i].to, (double)p->ran_ns * (double)p->weights[i] / sum);
    p->group = NULL;
    arrived(c, g);
}

void idle_share_end(struct charging *c, uint32_t vcpu)
{
    struct idle_group *g = c->vcpus[vcpu].idle_group;
    if (!g)
        return;
    c->groups_open--;
    c->vcpus[vcpu].idle_group = NULL;
    arrived(c, g);
}
