#include "idle_share.h"

#include <stdlib.h>

#include "apportion.h"
#include "charging.h"
#include "metrics/array.h"

struct idle_group {
    struct period *idle; /* gathers idle time, with a reference; NULL: there was none */
    uint32_t awaited;    /* periods whose shares are not final, and one while the group is open */
    struct idle_sum {
        uint32_t to; /* as struct share has it */
        double ns;
    } * sums; /* of the rest of the group */
    size_t sums_n, sums_capacity;
    struct idle_group *next_free, *next_made;
};

/* ---- groups ---- */

static struct idle_group *new_group(struct charging *c)
{
    struct idle_group *g = c->free_groups;
    if (g) {
        c->free_groups = g->next_free;
    } else {
        g = calloc(1, sizeof *g);
        if (!g) {
            c->failed = true;
            return NULL;
        }
        c->memory += sizeof *g;
        g->next_made = c->groups_made;
        c->groups_made = g;
    }
    g->idle = NULL;
    g->awaited = 1;
    g->sums_n = 0;
    c->groups_open++;
    return g;
}

static struct idle_group *group_of(struct charging *c, uint32_t vcpu)
{
    struct task *t = &c->vcpus[vcpu].task;
    return t->group ? t->group : (t->group = new_group(c));
}

void idle_share_free(struct charging *c)
{
    while (c->groups_made) {
        struct idle_group *next = c->groups_made->next_made;
        free(c->groups_made->sums);
        free(c->groups_made);
        c->groups_made = next;
    }
}

/* ---- what is in them ---- */

struct period *idle_share_period(struct charging *c, uint32_t vcpu)
{
    struct idle_group *g = group_of(c, vcpu);
    if (g && !g->idle)
        g->idle =
            charging_new_period(c, vcpu, c->vcpus[vcpu].slice ? c->vcpus[vcpu].slice->from_ns : c->now_ns);
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

static void add(struct charging *c, struct idle_group *g, uint32_t to, double ns)
{
    size_t i = 0, before = g->sums_capacity;
    while (i < g->sums_n && g->sums[i].to != to)
        i++;
    struct idle_sum *sums = array_reserve(g->sums, &g->sums_capacity, i + 1, sizeof *sums);
    if (!sums) {
        c->failed = true;
        return;
    }
    c->memory += (g->sums_capacity - before) * sizeof *sums;
    g->sums = sums;
    if (i == g->sums_n)
        sums[g->sums_n++] = (struct idle_sum){.to = to};
    sums[i].ns += ns;
}

/* ---- shares ---- */

/* Those of the idle time: in proportion to the rest of the group, which is final. */
static void share(struct charging *c, struct idle_group *g)
{
    struct period *idle = g->idle;
    for (size_t i = 0; i < g->sums_n && !c->failed; i++)
        if (g->sums[i].ns > 0)
            charging_add_weight(c, idle, g->sums[i].to, g->sums[i].ns);
    if (idle->shares_n == 0)
        charging_share_own(c, idle);
    if (c->failed || idle->shares_n == 0)
        return;
    apportion_scale(c->real_weights, idle->weights, idle->shares_n);
    idle->closed = true;
    for (struct run_slice *s = idle->first; s && !c->failed; s = s->next_waiting)
        c->failed = !charging_append_done(c, s);
    idle->first = idle->last = NULL;
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
    g->next_free = c->free_groups;
    c->free_groups = g;
}

void idle_share_settle(struct charging *c, struct period *p)
{
    struct idle_group *g = p->group;
    double sum = 0;
    for (size_t i = 0; i < p->shares_n; i++)
        sum += (double)p->weights[i];
    for (size_t i = 0; i < p->shares_n && p->ran_ns > 0; i++)
        add(c, g, p->shares[i].to, (double)p->ran_ns * (double)p->weights[i] / sum);
    p->group = NULL;
    arrived(c, g);
}

void idle_share_end(struct charging *c, uint32_t vcpu)
{
    struct task *t = &c->vcpus[vcpu].task;
    if (!t->group)
        return;
    c->groups_open--;
    arrived(c, t->group);
    t->group = NULL;
}
