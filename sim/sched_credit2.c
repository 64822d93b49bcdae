/*
 * Credit2 (xen/common/sched/credit2.c): one run queue in the order of credits, which running burns by weight; when the first
 * in line has none left, everybody gets the same amount. Caps are budgets that each domain has per 10 ms.
 *
 * Left out: several run queues and balancing between them (all pCPUs share one, as those of one socket do), soft affinity,
 * hyperthreads.
 */
#include <stdlib.h>

#include "sim/credit2_load.h"
#include "sim/emit.h"
#include "sim/runq.h"
#include "sim/scheduler_ops.h"

#define CREDIT_INIT_NS          10000000
#define CREDIT_MIN_NS           (-CREDIT_INIT_NS)
#define CARRYOVER_NS            500000
#define MIGRATE_RESIST_NS       500000
#define MIGRATE_COMPENSATION_NS 50000
#define TICKLE_TOLERANCE_NS     50000 /* of the ratelimit */
#define MIN_TIMER_NS            500000
#define MAX_TIMER_NS            CREDIT_INIT_NS
#define BUDGET_PERIOD_NS        10000000
#define IDLE_CREDIT             (CREDIT_MIN_NS - 1)
#define NO_BUDGET               INT32_MIN /* in records: of a domain without a cap */

struct credit2_vcpu {
    struct runq_node node; /* first, so that it can be had from the node */
    struct sim_vcpu *vcpu;
    struct credit2_domain *domain;
    struct credit2_load load;
    int64_t credit;    /* ns, of the highest weight */
    int64_t residue;   /* of the division by the weight */
    int64_t budget;    /* ns of its domain's cap that it has taken */
    uint64_t burnt_ns; /* running time up to here has been paid for */
    int64_t weight;
    uint32_t tickled; /* the pCPU that is to pick it up; UINT32_MAX: any */
};

struct credit2_domain {
    struct credit2_state *state;
    const struct sim_domain *domain;
    int64_t total;  /* ns of budget per period; 0: no cap */
    int64_t budget; /* not taken yet */
    struct sim_timer replenish;
};

struct credit2_state {
    struct sim_host *host;
    struct runq_node runq;
    struct credit2_load load;
    struct credit2_vcpu *vcpus;
    struct credit2_domain *domains;
    int64_t max_weight;
};

static struct credit2_vcpu *of_node(struct runq_node *node)
{
    return (struct credit2_vcpu *)(void *)node;
}

static struct credit2_vcpu *of_vcpu(struct credit2_state *s, const struct sim_vcpu *v)
{
    return &s->vcpus[v->index];
}

static bool is_capped(const struct credit2_vcpu *c)
{
    return c->domain->total > 0;
}

/* ---- credits and budgets ---- */

static void burn(struct credit2_state *s, struct sim_pcpu *on, struct credit2_vcpu *c, uint64_t now_ns)
{
    if (now_ns <= c->burnt_ns)
        return;
    int64_t delta = (int64_t)(now_ns - c->burnt_ns);
    int64_t weighted = delta * s->max_weight + c->residue;
    c->credit -= weighted / c->weight;
    c->residue = weighted % c->weight;
    if (c->credit < CREDIT_MIN_NS)
        c->credit = CREDIT_MIN_NS;
    if (is_capped(c))
        c->budget -= delta;
    c->burnt_ns = now_ns;
    EMIT(on, TRC_CSCHED2_CREDIT_BURN, vcpu_word(c->vcpu), (uint32_t)c->credit,
         is_capped(c) ? (uint32_t)c->budget : (uint32_t)NO_BUDGET, (uint32_t)delta);
}

/* Everybody gets credits, twice as many if `next` would have none else; those of current vCPUs are paid up first. */
static void reset_credits(struct credit2_state *s, struct sim_pcpu *on, const struct credit2_vcpu *next,
                          uint64_t now_ns)
{
    int64_t more = next->credit == CREDIT_MIN_NS ? 2 * CREDIT_INIT_NS : CREDIT_INIT_NS;
    for (uint32_t i = 0; i < s->host->vcpu_count; i++) {
        if (!s->host->vcpus[i].domain->alive)
            continue;
        struct credit2_vcpu *c = &s->vcpus[i];
        if (c->vcpu->runstate == SIM_RUNNING && c->vcpu->pcpu->current == c->vcpu && c->vcpu->pcpu != on) {
            burn(s, on, c, now_ns);
            if (is_capped(c) && c->budget <= 0)
                pcpu_tickle(on, c->vcpu->pcpu);
        }
        int64_t before = c->credit;
        c->credit += more;
        if (c->credit > CREDIT_INIT_NS + CARRYOVER_NS)
            c->credit = CREDIT_INIT_NS + CARRYOVER_NS;
        EMIT(on, TRC_CSCHED2_CREDIT_RESET, vcpu_word(c->vcpu), (uint32_t)before, (uint32_t)c->credit);
    }
}

/*
 * Whether the vCPU has budget, or can take its quota of what its domain has; what it has run too long is paid back first.
 * If not, it is parked: not runnable until its domain has budget again. No record says so.
 */
static bool grab_budget(struct sim_pcpu *on, struct credit2_vcpu *c)
{
    struct credit2_domain *d = c->domain;
    if (!is_capped(c) || c->budget > 0)
        return true;
    int64_t quota = d->total / (int64_t)d->domain->plan->vcpus;
    quota = quota > MIN_TIMER_NS ? quota : MIN_TIMER_NS;
    d->budget += c->budget;
    c->budget = 0;
    if (d->budget > 0) {
        c->budget = d->budget < quota ? d->budget : quota;
        d->budget -= c->budget;
        return true;
    }
    c->vcpu->parked = true;
    if (runq_has(&c->node)) {
        runq_remove(&c->node);
        credit2_load_change(on, &d->state->load, &c->load, c->vcpu, -1);
    }
    return false;
}

/* ---- queue ---- */

static void insert(struct credit2_state *s, struct sim_pcpu *on, struct credit2_vcpu *c)
{
    struct runq_node *at = runq_first(&s->runq);
    uint32_t position = 0;
    for (; at && of_node(at)->credit >= c->credit; at = runq_next(&s->runq, at))
        position++;
    runq_insert_before(&c->node, at ? at : &s->runq);
    EMIT(on, TRC_CSCHED2_RUNQ_POS, vcpu_word(c->vcpu), position);
}

static bool is_idle_for(const struct sim_pcpu *pcpu, const struct credit2_vcpu *c)
{
    return vcpu_is_idle(pcpu->current) && pcpu->resched_ns == SIM_NEVER && vcpu_may_run_on(c->vcpu, pcpu);
}

/* An idle pCPU for it: the one that it ran on, else another. NULL: none. */
static struct sim_pcpu *idle_pcpu(struct credit2_state *s, const struct credit2_vcpu *c)
{
    for (size_t i = 0; i < s->host->plan->pcpus; i++) {
        struct sim_pcpu *pcpu = &s->host->pcpus[(c->vcpu->pcpu->id + i) % s->host->plan->pcpus];
        if (is_idle_for(pcpu, c))
            return pcpu;
    }
    return NULL;
}

/* How much better it would be there than what runs; 0 or less: it is not, or what runs is within its ratelimit. */
static int64_t score(struct credit2_state *s, struct sim_pcpu *on, const struct credit2_vcpu *c,
                     struct sim_pcpu *pcpu)
{
    if (vcpu_is_idle(pcpu->current) || pcpu->resched_ns != SIM_NEVER || !vcpu_may_run_on(c->vcpu, pcpu) ||
        on->clock_ns + TICKLE_TOLERANCE_NS <= pcpu->current->switched_ns + s->host->plan->ratelimit_ns)
        return 0;
    struct credit2_vcpu *current = of_vcpu(s, pcpu->current);
    burn(s, on, current, on->clock_ns);
    int64_t better = c->credit - current->credit - (c->vcpu->pcpu != pcpu ? MIGRATE_RESIST_NS : 0);
    EMIT(on, TRC_CSCHED2_TICKLE_CHECK, vcpu_word(current->vcpu), (uint32_t)current->credit, (uint32_t)better);
    return better;
}

/* Who is to look because that vCPU waits. */
static void tickle(struct credit2_state *s, struct sim_pcpu *on, struct credit2_vcpu *c)
{
    struct sim_pcpu *best = idle_pcpu(s, c);
    struct sim_pcpu *best_pcpu = NULL;
    int64_t best_score = 0;
    EMIT(on, TRC_CSCHED2_TICKLE_NEW, vcpu_word(c->vcpu), c->vcpu->pcpu->id, (uint32_t)c->credit);
    for (size_t i = 0; !best && i < s->host->plan->pcpus; i++) {
        int64_t here = score(s, on, c, &s->host->pcpus[i]);
        if (here > best_score) {
            best_score = here;
            best_pcpu = &s->host->pcpus[i];
        }
    }
    best = best ? best : best_pcpu;
    if (!best)
        return;
    c->tickled = best->id;
    EMIT(on, TRC_CSCHED2_TICKLE, best->id);
    pcpu_tickle(on, best);
}

/* It is runnable and does not run: in line. */
static void enqueue(struct credit2_state *s, struct sim_pcpu *on, struct credit2_vcpu *c)
{
    insert(s, on, c);
    tickle(s, on, c);
}

/* It wants a pCPU, as it did not before. */
static void arrive(struct credit2_state *s, struct sim_pcpu *on, struct credit2_vcpu *c)
{
    credit2_load_change(on, &s->load, &c->load, c->vcpu, +1);
    enqueue(s, on, c);
}

/* Those that wait for budget of the domain are in line again, if it has any. By an act on the pCPU `on`. */
static void unpark(const struct credit2_domain *d, struct sim_pcpu *on)
{
    for (size_t i = 0; i < d->domain->plan->vcpus && d->budget > 0; i++) {
        struct credit2_vcpu *c = of_vcpu(d->state, &d->domain->vcpus[i]);
        if (!c->vcpu->parked)
            continue;
        c->vcpu->parked = false;
        if (!c->vcpu->blocked && !c->vcpu->paused)
            arrive(d->state, on, c);
    }
}

static void replenish_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct credit2_domain *d = context;
    d->budget += d->total;
    if (d->budget > d->total)
        d->budget = d->total;
    struct sim_pcpu *pcpu = d->domain->vcpus[0].pcpu;
    pcpu_enter(pcpu, now_ns);
    unpark(d, pcpu);
    pcpu_leave(pcpu);
    host_set_timer(host, &d->replenish, now_ns + BUDGET_PERIOD_NS);
}

/* ---- the face ---- */

static void destroy(void *opaque)
{
    struct credit2_state *s = opaque;
    free(s->vcpus);
    free(s->domains);
    free(s);
}

static bool init_domain(struct credit2_state *s, struct credit2_domain *d, const struct sim_domain *domain)
{
    int64_t weight = (int64_t)domain->plan->weight;
    *d = (struct credit2_domain){
        .state = s, .domain = domain, .total = (int64_t)(domain->plan->cap_pct * BUDGET_PERIOD_NS / 100)};
    d->budget = d->total;
    d->replenish = (struct sim_timer){.due = replenish_due, .context = d};
    s->max_weight = weight > s->max_weight ? weight : s->max_weight;
    for (size_t i = 0; i < domain->plan->vcpus; i++)
        *of_vcpu(s, &domain->vcpus[i]) = (struct credit2_vcpu){.vcpu = &domain->vcpus[i],
                                                               .domain = d,
                                                               .credit = CREDIT_INIT_NS,
                                                               .weight = weight,
                                                               .tickled = UINT32_MAX};
    return host_add_timer(s->host, &d->replenish);
}

static void *create(struct sim_host *host)
{
    struct credit2_state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = host;
    runq_init(&s->runq);
    s->vcpus = calloc(host->vcpu_count, sizeof *s->vcpus);
    s->domains = calloc(host->plan->domain_count, sizeof *s->domains);
    bool fine = s->vcpus && s->domains;
    for (size_t i = 0; fine && i < host->plan->domain_count; i++)
        fine = init_domain(s, &s->domains[i], &host->domains[i]);
    if (fine)
        return s;
    destroy(s);
    return NULL;
}

static void start(void *opaque)
{
    struct credit2_state *s = opaque;
    /* Without a cap, too: one may be set later. */
    for (size_t i = 0; i < s->host->plan->domain_count; i++)
        host_set_timer(s->host, &s->domains[i].replenish, BUDGET_PERIOD_NS);
}

static void wake(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct credit2_state *s = opaque;
    arrive(s, on, of_vcpu(s, v));
}

/* A vCPU that another pCPU was asked to pick up, and has not looked yet. */
static bool is_promised(const struct credit2_state *s, const struct credit2_vcpu *c,
                        const struct sim_pcpu *pcpu)
{
    return c->tickled != UINT32_MAX && c->tickled != pcpu->id &&
           s->host->pcpus[c->tickled].resched_ns != SIM_NEVER;
}

static bool is_ratelimited(const struct credit2_state *s, const struct sim_vcpu *v, uint64_t now_ns)
{
    return vcpu_is_runnable(v) && !v->yields && now_ns - v->switched_ns < s->host->plan->ratelimit_ns;
}

/* The current vCPU if it is within its ratelimit, else the first in line if that precedes it; NULL: nobody. */
static struct credit2_vcpu *candidate(struct credit2_state *s, struct sim_pcpu *pcpu,
                                      struct credit2_vcpu *current, uint64_t now_ns)
{
    if (current && is_ratelimited(s, current->vcpu, now_ns)) {
        EMIT(pcpu, TRC_CSCHED2_RATELIMIT, vcpu_word(current->vcpu),
             (uint32_t)(now_ns - current->vcpu->switched_ns));
        return current;
    }
    bool stays = current && vcpu_is_runnable(current->vcpu), yields = stays && current->vcpu->yields;
    int64_t credit = stays ? current->credit : IDLE_CREDIT;
    for (struct runq_node *node = runq_first(&s->runq); node; node = runq_next(&s->runq, node)) {
        struct credit2_vcpu *c = of_node(node);
        EMIT(pcpu, TRC_CSCHED2_RUNQ_CAND_CHECK, vcpu_word(c->vcpu));
        if (!vcpu_may_run_on(c->vcpu, pcpu) || is_promised(s, c, pcpu))
            continue;
        if (c->vcpu->pcpu != pcpu && credit + MIGRATE_RESIST_NS > c->credit)
            continue;
        if ((yields || c->credit > credit) && grab_budget(pcpu, c))
            return c;
        break; /* as Xen does, even if the vCPU was only found to have no budget */
    }
    return stays ? current : NULL;
}

/* How long it may run: until its credit is that of the next in line, within its budget, and then within bounds. */
static uint64_t run_time(const struct credit2_state *s, const struct sim_pcpu *pcpu,
                         const struct credit2_vcpu *c, uint64_t now_ns)
{
    const struct runq_node *first = runq_first(&s->runq);
    const struct credit2_vcpu *waiting = (const struct credit2_vcpu *)(const void *)first;
    uint64_t ran_ns = pcpu->current == c->vcpu ? now_ns - c->vcpu->switched_ns : 0;
    int64_t limit = (int64_t)s->host->plan->ratelimit_ns - (int64_t)ran_ns;
    int64_t least = limit > MIN_TIMER_NS ? limit : MIN_TIMER_NS;
    int64_t credit = waiting && waiting->credit > 0 ? c->credit - waiting->credit : c->credit;
    int64_t time = credit > 0 ? credit * c->weight / s->max_weight : 0;
    if (is_capped(c) && c->budget < time)
        time = c->budget;
    return (uint64_t)(time < least ? least : time > MAX_TIMER_NS ? MAX_TIMER_NS : time);
}

/* The vCPU runs next. If nobody has credit left, everybody gets some; one from another pCPU gets some for its caches. */
static struct sim_decision run_next(struct credit2_state *s, struct sim_pcpu *pcpu, struct credit2_vcpu *next,
                                    uint64_t now_ns)
{
    runq_remove(&next->node);
    EMIT(pcpu, TRC_CSCHED2_RUNQ_CANDIDATE, vcpu_word(next->vcpu), next->tickled, (uint32_t)next->credit);
    struct runq_node *first = runq_first(&s->runq);
    if (next->credit <= 0 && (!first || of_node(first)->credit <= 0)) {
        reset_credits(s, pcpu, next, now_ns);
        credit2_load_of_runq(pcpu, &s->load, 0);
    }
    next->tickled = UINT32_MAX;
    next->burnt_ns = now_ns;
    if (next->vcpu->pcpu != pcpu)
        next->credit += MIGRATE_COMPENSATION_NS;
    return (struct sim_decision){next->vcpu, run_time(s, pcpu, next, now_ns)};
}

static struct sim_decision schedule(void *opaque, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct credit2_state *s = opaque;
    bool idle = vcpu_is_idle(pcpu->current);
    struct credit2_vcpu *current = idle ? NULL : of_vcpu(s, pcpu->current);
    EMIT(pcpu, TRC_CSCHED2_SCHEDULE, pcpu->id, (uint32_t)idle << 8);
    if (!idle) {
        burn(s, pcpu, current, now_ns);
        (void)grab_budget(pcpu, current); /* or it is parked */
    }
    struct credit2_vcpu *next = candidate(s, pcpu, current, now_ns);
    if (next)
        return run_next(s, pcpu, next, now_ns);
    EMIT(pcpu, TRC_CSCHED2_RUNQ_CANDIDATE, vcpu_word(&pcpu->idle), UINT32_MAX, (uint32_t)IDLE_CREDIT);
    credit2_load_unchanged(pcpu, &s->load);
    return (struct sim_decision){&pcpu->idle, SIM_NEVER};
}

/* Xen's context_saved: only now may other pCPUs have it. */
static void sleep(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct credit2_state *s = opaque;
    struct credit2_vcpu *c = of_vcpu(s, v);
    if (!runq_has(&c->node))
        return;
    runq_remove(&c->node);
    credit2_load_change(on, &s->load, &c->load, v, -1);
}

static void switched_out(void *opaque, struct sim_pcpu *pcpu, struct sim_vcpu *v)
{
    struct credit2_state *s = opaque;
    struct credit2_vcpu *c = of_vcpu(s, v);
    bool returns = is_capped(c) && c->budget > 0;
    if (returns) { /* others of the domain may use it */
        c->domain->budget += c->budget;
        c->budget = 0;
    }
    if (vcpu_is_runnable(v))
        enqueue(s, pcpu, c);
    else
        credit2_load_change(pcpu, &s->load, &c->load, v, -1);
    if (returns)
        unpark(c->domain, pcpu);
}

static bool withholds(const void *opaque, const struct sim_vcpu *v)
{
    (void)opaque;
    return v->parked;
}

/* The next replenishment goes by the new cap; a domain that had none has its first budget at once. */
static void set_allowance(void *opaque, const struct sim_domain *domain, uint64_t part_ns, uint64_t of_ns)
{
    struct credit2_state *s = opaque;
    struct credit2_domain *d = &s->domains[domain->index];
    uint64_t total = (uint64_t)((uint128)part_ns * BUDGET_PERIOD_NS / of_ns),
             least = domain->plan->vcpus * SIM_US;
    int64_t before = d->total;
    d->total = (int64_t)(total > least ? total : least);
    d->budget = before ? d->budget : d->total;
}

const struct sim_scheduler_ops scheduler_credit2 = {.name = "credit2",
                                                    .create = create,
                                                    .destroy = destroy,
                                                    .start = start,
                                                    .wake = wake,
                                                    .sleep = sleep,
                                                    .schedule = schedule,
                                                    .switched_out = switched_out,
                                                    .withholds = withholds,
                                                    .set_allowance = set_allowance};
