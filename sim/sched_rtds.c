/*
 * RTDS (xen/common/sched/rt.c): each vCPU has a budget in each period; one global queue in the order of deadlines, and as many of
 * its first as there are pCPUs run. Who takes extra time gets a new budget as soon as one is used up, one priority level lower
 * each time, so that it never delays a vCPU that has some of its own.
 *
 * Left out: soft affinity and the preference for a vCPU's last pCPU among several idle ones beside trying it first.
 */
#include <stdlib.h>

#include "sim/emit.h"
#include "sim/runq.h"
#include "sim/scheduler_ops.h"

#define BUDGET_LEAST_NS (10 * SIM_US) /* Xen's RTDS_MIN_BUDGET */

struct rtds_vcpu {
    struct runq_node node; /* of the run queue; first, so that it can be had from the node */
    struct sim_vcpu *vcpu;
    struct rtds_state *state;
    struct sim_timer replenish;
    uint64_t period_ns;
    uint64_t deadline_ns; /* 0: it has never woken */
    int64_t budget_ns;    /* of a period */
    int64_t left_ns;      /* of the budget */
    uint64_t burnt_ns;    /* running time up to here has been taken from the budget */
    uint32_t level;       /* 0: its own budget; more: extra time */
    bool extratime;
};

struct rtds_state {
    struct sim_host *host;
    struct runq_node runq; /* runnable ones with budget that do not run, by level and deadline */
    struct rtds_vcpu *vcpus;
};

static struct rtds_vcpu *of_node(struct runq_node *node)
{
    return (struct rtds_vcpu *)(void *)node;
}

static struct rtds_vcpu *of_vcpu(struct rtds_state *s, const struct sim_vcpu *v)
{
    return &s->vcpus[v->index];
}

static bool precedes(const struct rtds_vcpu *a, const struct rtds_vcpu *b)
{
    return a->level != b->level ? a->level < b->level : a->deadline_ns < b->deadline_ns;
}

/* Behind those of the same deadline. One without budget waits for its next period outside of the queue. */
static void insert(struct rtds_state *s, struct rtds_vcpu *r)
{
    struct runq_node *at = runq_first(&s->runq);
    if (r->left_ns <= 0)
        return;
    while (at && !precedes(r, of_node(at)))
        at = runq_next(&s->runq, at);
    runq_insert_before(&r->node, at ? at : &s->runq);
}

/* ---- budgets ---- */

/* The period that now_ns lies in, in step with those before; with a full budget. */
static void begin_period(struct sim_pcpu *on, struct rtds_vcpu *r, uint64_t now_ns)
{
    if (r->deadline_ns == 0)
        r->deadline_ns = now_ns;
    r->deadline_ns += ((now_ns - r->deadline_ns) / r->period_ns + 1) * r->period_ns;
    r->left_ns = r->budget_ns;
    r->level = 0;
    EMIT(on, TRC_RTDS_BUDGET_REPLENISH, vcpu_word(r->vcpu), r->level, (uint32_t)r->deadline_ns,
         (uint32_t)(r->deadline_ns >> 32), (uint32_t)r->left_ns, (uint32_t)(r->left_ns >> 32));
    host_set_timer(on->host, &r->replenish, r->deadline_ns);
}

static void burn(struct sim_pcpu *on, struct rtds_vcpu *r, uint64_t now_ns)
{
    if (now_ns <= r->burnt_ns)
        return;
    uint64_t delta = now_ns - r->burnt_ns;
    r->left_ns -= (int64_t)delta;
    r->burnt_ns = now_ns;
    if (r->left_ns <= 0 && r->extratime) {
        r->left_ns = r->budget_ns;
        r->level++;
    }
    if (r->left_ns < 0)
        r->left_ns = 0;
    EMIT(on, TRC_RTDS_BUDGET_BURN, vcpu_word(r->vcpu), (uint32_t)r->left_ns, (uint32_t)(r->left_ns >> 32),
         (uint32_t)delta, r->level, r->extratime);
}

/* ---- who is to look ---- */

/* The vCPU that runs there and is to be preempted first; an idle pCPU precedes all. NULL: none that r precedes. */
static struct sim_pcpu *pcpu_for(struct rtds_state *s, const struct rtds_vcpu *r)
{
    struct sim_pcpu *worst = NULL;
    for (size_t i = 0; i < s->host->plan->pcpus; i++) {
        struct sim_pcpu *pcpu = &s->host->pcpus[(r->vcpu->pcpu->id + i) % s->host->plan->pcpus];
        if (!vcpu_may_run_on(r->vcpu, pcpu) || pcpu->resched_ns != SIM_NEVER)
            continue;
        if (vcpu_is_idle(pcpu->current))
            return pcpu;
        if (!worst || precedes(of_vcpu(s, worst->current), of_vcpu(s, pcpu->current)))
            worst = pcpu;
    }
    return worst && precedes(r, of_vcpu(s, worst->current)) ? worst : NULL;
}

static void tickle(struct rtds_state *s, struct sim_pcpu *on, const struct rtds_vcpu *r)
{
    struct sim_pcpu *pcpu = r->left_ns > 0 ? pcpu_for(s, r) : NULL;
    if (!pcpu)
        return;
    EMIT(on, TRC_RTDS_TICKLE, pcpu->id);
    pcpu_tickle(on, pcpu);
}

/* A period ends. Who runs may have to give way to an earlier deadline; who waits is queued by its new one. */
static void replenish_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct rtds_vcpu *r = context;
    struct sim_vcpu *v = r->vcpu;
    struct sim_pcpu *pcpu = v->pcpu;
    (void)host;
    pcpu_enter(pcpu, now_ns);
    if (v->runstate == SIM_RUNNING) {
        burn(pcpu, r, pcpu->clock_ns);
        begin_period(pcpu, r, now_ns);
        pcpu_tickle(pcpu, pcpu);
    } else if (vcpu_is_runnable(v)) {
        runq_remove(&r->node);
        begin_period(pcpu, r, now_ns);
        insert(r->state, r);
        tickle(r->state, pcpu, r);
    }
    pcpu_leave(pcpu);
}

/* ---- the face ---- */

static void destroy(void *opaque)
{
    struct rtds_state *s = opaque;
    free(s->vcpus);
    free(s);
}

static bool init_vcpu(struct rtds_state *s, struct sim_vcpu *v)
{
    const struct scenario_domain *d = v->domain->plan;
    struct rtds_vcpu *r = of_vcpu(s, v);
    *r = (struct rtds_vcpu){.vcpu = v,
                            .state = s,
                            .period_ns = d->period_ns,
                            .budget_ns = (int64_t)d->budget_ns,
                            .extratime = d->extratime};
    r->replenish = (struct sim_timer){.due = replenish_due, .context = r};
    return host_add_timer(s->host, &r->replenish);
}

static void *create(struct sim_host *host)
{
    struct rtds_state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = host;
    runq_init(&s->runq);
    s->vcpus = calloc((size_t)host->vcpu_count + 1, sizeof *s->vcpus);
    bool fine = s->vcpus != NULL;
    for (uint32_t i = 0; fine && i < host->vcpu_count; i++)
        fine = init_vcpu(s, &host->vcpus[i]);
    if (fine)
        return s;
    destroy(s);
    return NULL;
}

static void wake(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct rtds_state *s = opaque;
    struct rtds_vcpu *r = of_vcpu(s, v);
    if (on->clock_ns >= r->deadline_ns)
        begin_period(on, r, on->clock_ns);
    insert(s, r);
    tickle(s, on, r);
}

/* The first in the queue that may run on this pCPU. */
static struct rtds_vcpu *pick(struct rtds_state *s, const struct sim_pcpu *pcpu)
{
    struct runq_node *node = runq_first(&s->runq);
    while (node && !vcpu_may_run_on(of_node(node)->vcpu, pcpu))
        node = runq_next(&s->runq, node);
    return node ? of_node(node) : NULL;
}

static struct sim_decision schedule(void *opaque, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct rtds_state *s = opaque;
    struct sim_vcpu *v = pcpu->current;
    struct rtds_vcpu *current = vcpu_is_idle(v) ? NULL : of_vcpu(s, v), *next = pick(s, pcpu);
    EMIT(pcpu, TRC_RTDS_SCHEDULE, pcpu->id | (uint32_t)!current << 28);
    if (current)
        burn(pcpu, current, now_ns);
    bool stays = current && vcpu_is_runnable(v) && current->left_ns > 0;
    if (stays && (!next || precedes(current, next)))
        next = current;
    if (!next)
        return (struct sim_decision){&pcpu->idle, SIM_NEVER};
    runq_remove(&next->node);
    EMIT(pcpu, TRC_RTDS_RUNQ_PICK, vcpu_word(next->vcpu), (uint32_t)next->deadline_ns,
         (uint32_t)(next->deadline_ns >> 32), (uint32_t)next->left_ns, (uint32_t)(next->left_ns >> 32));
    next->burnt_ns = now_ns;
    return (struct sim_decision){next->vcpu, (uint64_t)next->left_ns};
}

static void sleep(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    (void)on;
    runq_remove(&of_vcpu(opaque, v)->node);
}

/* Xen's context_saved: only now may other pCPUs have it. */
static void switched_out(void *opaque, struct sim_pcpu *pcpu, struct sim_vcpu *v)
{
    struct rtds_state *s = opaque;
    if (!vcpu_is_runnable(v))
        return;
    insert(s, of_vcpu(s, v));
    tickle(s, pcpu, of_vcpu(s, v));
}

static bool withholds(const void *opaque, const struct sim_vcpu *v)
{
    const struct rtds_state *s = opaque;
    return s->vcpus[v->index].left_ns <= 0;
}

/* The budget that is left of the present period stays. */
static void set_allowance(void *opaque, const struct sim_domain *d, uint64_t part_ns, uint64_t of_ns)
{
    struct rtds_state *s = opaque;
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        struct rtds_vcpu *r = of_vcpu(s, &d->vcpus[i]);
        r->budget_ns = (int64_t)allowance_in_period(d, part_ns, of_ns, r->period_ns, BUDGET_LEAST_NS);
    }
}

const struct sim_scheduler_ops scheduler_rtds = {.name = "rtds",
                                                 .create = create,
                                                 .destroy = destroy,
                                                 .wake = wake,
                                                 .sleep = sleep,
                                                 .schedule = schedule,
                                                 .switched_out = switched_out,
                                                 .withholds = withholds,
                                                 .set_allowance = set_allowance};
