/*
 * Credit (xen/common/sched/credit.c): a run queue per pCPU in three priorities, credits by weight every time slice, caps by
 * pausing, a boost for those that wake with credits left, and stealing by pCPUs that have nothing better to do.
 *
 * A credit is 100 us of CPU. Accounting and the decisions are Xen's line by line where they can be seen; what is left out:
 * choosing a pCPU by caches and cores (a vCPU moves by being stolen only), soft affinity, cache-hot delays.
 */
#include <stdlib.h>

#include "sim/emit.h"
#include "sim/runq.h"
#include "sim/scheduler_ops.h"

#define CREDITS_PER_MS      10
#define TICKS_PER_TIMESLICE 3
#define CAP_PCT_MIN         0.01 /* 0 would be no cap */

enum priority { PRIORITY_IDLE = -64, PRIORITY_OVER = -2, PRIORITY_UNDER = -1, PRIORITY_BOOST = 0 };

struct credit_vcpu {
    struct runq_node node; /* first, so that it can be had from the node */
    struct sim_vcpu *vcpu;
    int priority;
    int64_t credit;
    uint64_t burnt_ns; /* running time up to here has been paid for, */
    uint64_t residue;  /* but for this, in parts of a credit: SIM_MS of them */
    bool active;       /* it earns credits */
    bool paused;       /* for its cap; until it continues, which must not boost it */
};

struct credit_domain {
    struct runq_node node; /* of those with active vCPUs; first, so that it can be had from the node */
    const struct scenario_domain *plan;
    double cap_pct; /* of one pCPU; 0: none */
    int64_t active; /* vCPUs that earn */
};

struct credit_pcpu {
    struct runq_node runq;
    struct sim_timer tick;
    struct sim_pcpu *pcpu;
    struct credit_state *state;
};

struct credit_state {
    struct sim_host *host;
    struct credit_vcpu *vcpus;
    struct credit_domain *domains;
    struct credit_pcpu *pcpus;
    struct runq_node earning; /* domains with active vCPUs, in the order in which they are given credits */
    struct sim_timer account;
    int64_t per_timeslice; /* credits of one pCPU */
    int64_t balance;
};

static struct credit_vcpu *of_node(struct runq_node *node)
{
    return (struct credit_vcpu *)(void *)node;
}

static struct credit_vcpu *of_vcpu(struct credit_state *s, const struct sim_vcpu *v)
{
    return &s->vcpus[v->index];
}

static struct credit_domain *domain_of(struct credit_state *s, const struct credit_vcpu *c)
{
    return &s->domains[c->vcpu->domain->index];
}

static int priority_of_current(struct credit_state *s, const struct sim_pcpu *pcpu)
{
    return vcpu_is_idle(pcpu->current) ? PRIORITY_IDLE : of_vcpu(s, pcpu->current)->priority;
}

/* ---- queues ---- */

/* Behind all of its priority; one that yields also behind one of a lower priority. */
static void insert(struct credit_state *s, const struct sim_pcpu *pcpu, struct credit_vcpu *c)
{
    struct runq_node *queue = &s->pcpus[pcpu->id].runq, *at = runq_first(queue);
    while (at && c->priority <= of_node(at)->priority)
        at = runq_next(queue, at);
    if (c->vcpu->yields && at)
        at = runq_next(queue, at);
    runq_insert_before(&c->node, at ? at : queue);
}

/* Priorities have changed: in order again, those of one priority as they were. */
static void sort(struct credit_state *s, const struct sim_pcpu *pcpu)
{
    struct runq_node *queue = &s->pcpus[pcpu->id].runq, all, *node;
    runq_init(&all);
    while ((node = runq_first(queue))) {
        runq_remove(node);
        runq_insert_before(node, &all);
    }
    while ((node = runq_first(&all))) {
        runq_remove(node);
        insert(s, pcpu, of_node(node));
    }
}

static void tickle(struct sim_pcpu *on, struct sim_pcpu *pcpu)
{
    EMIT(on, TRC_CSCHED_TICKLE, pcpu->id);
    pcpu_tickle(on, pcpu);
}

static bool is_idle_for(const struct sim_pcpu *pcpu, const struct sim_vcpu *v)
{
    return vcpu_is_idle(pcpu->current) && pcpu->resched_ns == SIM_NEVER && vcpu_may_run_on(v, pcpu);
}

/* Who is to look because that vCPU waits: its own pCPU if that idles, else another idle one, else its own if it precedes. */
static void tickle_for(struct credit_state *s, struct sim_pcpu *on, const struct credit_vcpu *c)
{
    struct sim_pcpu *own = c->vcpu->pcpu;
    if (vcpu_is_idle(own->current)) {
        tickle(on, own);
        return;
    }
    for (size_t i = 1; i < s->host->plan->pcpus; i++) {
        struct sim_pcpu *other = &s->host->pcpus[(own->id + i) % s->host->plan->pcpus];
        if (is_idle_for(other, c->vcpu)) {
            tickle(on, other);
            return;
        }
    }
    if (c->priority > priority_of_current(s, own))
        tickle(on, own);
}

/* ---- credits ---- */

static void burn(struct credit_vcpu *c, uint64_t now_ns)
{
    uint64_t ran_ns = now_ns > c->burnt_ns ? now_ns - c->burnt_ns : 0;
    uint64_t parts = ran_ns * CREDITS_PER_MS + c->residue;
    c->credit -= (int64_t)(parts / SIM_MS);
    c->residue = parts % SIM_MS;
    c->burnt_ns += ran_ns;
}

static void put_first(struct credit_state *s, struct credit_domain *d)
{
    struct runq_node *first = runq_first(&s->earning);
    runq_insert_before(&d->node, first ? first : &s->earning);
}

static void start_earning(struct credit_state *s, struct sim_pcpu *on, struct credit_vcpu *c)
{
    c->active = true;
    int64_t active = ++domain_of(s, c)->active;
    if (active == 1)
        put_first(s, domain_of(s, c));
    EMIT(on, TRC_CSCHED_ACCOUNT_START, c->vcpu->domain->id, c->vcpu->id, (uint32_t)active);
}

static void stop_earning(struct credit_state *s, struct sim_pcpu *on, struct credit_vcpu *c)
{
    c->active = false;
    int64_t active = --domain_of(s, c)->active;
    if (active == 0)
        runq_remove(&domain_of(s, c)->node);
    EMIT(on, TRC_CSCHED_ACCOUNT_STOP, c->vcpu->domain->id, c->vcpu->id, (uint32_t)active);
}

static void tick_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct credit_pcpu *p = context;
    struct sim_pcpu *pcpu = p->pcpu;
    pcpu_enter(pcpu, now_ns);
    if (!vcpu_is_idle(pcpu->current)) {
        struct credit_vcpu *c = of_vcpu(p->state, pcpu->current);
        if (c->priority == PRIORITY_BOOST) {
            c->priority = PRIORITY_UNDER;
            emit_vcpu(pcpu, TRC_CSCHED_BOOST_END, c->vcpu);
        }
        burn(c, pcpu->clock_ns);
        if (!c->active)
            start_earning(p->state, pcpu, c);
    }
    sort(p->state, pcpu);
    pcpu_leave(pcpu);
    host_set_timer(host, &p->tick, now_ns + host->plan->timeslice_ns / TICKS_PER_TIMESLICE);
}

/* What the active vCPUs of one accounting period share. */
struct shares {
    int64_t weight_total, weight_left, credits;
    bool wanted; /* a domain could use more than its part */
};

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/*
 * What a domain earns in a time slice; what it may not use, those after it get, so it is put first if others want more.
 * *cap: credits below which a vCPU is paused; 0: none.
 */
static int64_t fair_share(struct credit_state *s, struct credit_domain *d, struct shares *shares,
                          int64_t *cap)
{
    int64_t weight = (int64_t)d->plan->weight * d->active, peak = d->active * s->per_timeslice;
    shares->weight_left -= weight;
    if (s->balance < 0)
        peak += divide_up(-s->balance * weight, shares->weight_total);
    *cap = 0;
    if (d->cap_pct > 0) {
        int64_t most = (int64_t)(d->cap_pct * (double)s->per_timeslice + 99) / 100;
        if (most < 1) /* 0 would mean no cap */
            most = 1;
        peak = most < peak ? most : peak;
        *cap = divide_up(most, d->active);
    }
    int64_t fair = divide_up(shares->credits * weight, shares->weight_total);
    if (fair < peak) {
        shares->wanted = true;
        return fair;
    }
    if (shares->weight_left != 0)
        shares->credits += divide_up((fair - peak) * shares->weight_total, shares->weight_left);
    if (shares->wanted) {
        runq_remove(&d->node);
        put_first(s, d);
    }
    return peak;
}

static void settle_over(struct credit_state *s, struct sim_pcpu *on, struct credit_vcpu *c, int64_t cap)
{
    c->priority = PRIORITY_OVER;
    if (cap != 0 && c->credit < -cap && !c->paused && !c->vcpu->paused) {
        c->paused = true;
        vcpu_park(on, c->vcpu);
    }
    if (c->credit < -s->per_timeslice)
        c->credit = -s->per_timeslice;
}

static void settle_under(struct credit_state *s, struct sim_pcpu *on, struct credit_vcpu *c)
{
    c->priority = PRIORITY_UNDER;
    if (c->paused) {
        vcpu_unpark(on, c->vcpu);
        c->paused = false;
    }
    if (c->credit > s->per_timeslice) {
        stop_earning(s, on, c);
        c->credit /= 2;
    }
}

static void settle_domain(struct credit_state *s, struct sim_pcpu *on, struct credit_domain *d,
                          struct shares *shares, int64_t *balance)
{
    int64_t cap;
    int64_t earned = divide_up(fair_share(s, d, shares, &cap), d->active);
    const struct sim_domain *domain = &s->host->domains[d - s->domains];
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        struct credit_vcpu *c = of_vcpu(s, &domain->vcpus[i]);
        if (!c->active)
            continue;
        c->credit += earned;
        if (c->credit < 0)
            settle_over(s, on, c, cap);
        else
            settle_under(s, on, c);
        *balance += c->credit;
    }
}

static void account(struct credit_state *s, struct sim_pcpu *on)
{
    struct shares shares = {.credits = s->per_timeslice * (int64_t)s->host->plan->pcpus};
    int64_t balance = 0;
    for (size_t i = 0; i < s->host->plan->domain_count; i++)
        shares.weight_total += (int64_t)s->domains[i].plan->weight * s->domains[i].active;
    if (shares.weight_total == 0) { /* nobody earns */
        s->balance = 0;
        return;
    }
    if (s->balance < 0)
        shares.credits -= s->balance;
    shares.weight_left = shares.weight_total;
    for (struct runq_node *node = runq_first(&s->earning), *next; node; node = next) {
        next = runq_next(&s->earning, node);
        settle_domain(s, on, (struct credit_domain *)(void *)node, &shares, &balance);
    }
    s->balance = balance;
}

static void account_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct credit_state *s = context;
    pcpu_enter(&host->pcpus[0], now_ns);
    account(s, &host->pcpus[0]);
    pcpu_leave(&host->pcpus[0]);
    host_set_timer(host, &s->account, now_ns + host->plan->timeslice_ns);
}

/* ---- the face ---- */

static void destroy(void *opaque)
{
    struct credit_state *s = opaque;
    free(s->vcpus);
    free(s->domains);
    free(s->pcpus);
    free(s);
}

static bool init_pcpus(struct credit_state *s)
{
    bool fine = true;
    for (size_t i = 0; i < s->host->plan->pcpus && fine; i++) {
        struct credit_pcpu *p = &s->pcpus[i];
        runq_init(&p->runq);
        p->pcpu = &s->host->pcpus[i];
        p->state = s;
        p->tick = (struct sim_timer){.due = tick_due, .context = p};
        fine = host_add_timer(s->host, &p->tick);
    }
    s->account = (struct sim_timer){.due = account_due, .context = s};
    return fine && host_add_timer(s->host, &s->account);
}

static void *create(struct sim_host *host)
{
    struct credit_state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = host;
    runq_init(&s->earning);
    s->per_timeslice = (int64_t)(host->plan->timeslice_ns / SIM_MS) * CREDITS_PER_MS;
    s->vcpus = calloc(host->vcpu_count, sizeof *s->vcpus);
    s->domains = calloc(host->plan->domain_count, sizeof *s->domains);
    s->pcpus = calloc(host->plan->pcpus, sizeof *s->pcpus);
    if (!s->vcpus || !s->domains || !s->pcpus || !init_pcpus(s)) {
        destroy(s);
        return NULL;
    }
    for (size_t i = 0; i < host->plan->domain_count; i++)
        s->domains[i] = (struct credit_domain){.plan = &host->plan->domains[i],
                                               .cap_pct = host->plan->domains[i].cap_pct};
    for (uint32_t i = 0; i < host->vcpu_count; i++)
        s->vcpus[i] = (struct credit_vcpu){.vcpu = &host->vcpus[i], .priority = PRIORITY_UNDER};
    return s;
}

static void start(void *opaque)
{
    struct credit_state *s = opaque;
    for (size_t i = 0; i < s->host->plan->pcpus; i++)
        host_set_timer(s->host, &s->pcpus[i].tick, s->host->plan->timeslice_ns / TICKS_PER_TIMESLICE);
    host_set_timer(s->host, &s->account, s->host->plan->timeslice_ns);
}

/* One that continues after a pause for its cap is not boosted. */
static bool deserves_boost(struct credit_state *s, const struct credit_vcpu *c)
{
    int boost = domain_of(s, c)->plan->boost;
    if (c->paused || boost == BOOST_NEVER || c->priority == PRIORITY_BOOST)
        return false;
    return boost == BOOST_ALWAYS || c->priority == PRIORITY_UNDER;
}

static void wake(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct credit_state *s = opaque;
    struct credit_vcpu *c = of_vcpu(s, v);
    if (deserves_boost(s, c)) {
        c->priority = PRIORITY_BOOST;
        emit_vcpu(on, TRC_CSCHED_BOOST_START, v);
    }
    insert(s, v->pcpu, c);
    tickle_for(s, on, c);
}

static void sleep(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    (void)on;
    struct credit_state *s = opaque;
    runq_remove(&of_vcpu(s, v)->node);
}

static void remove_vcpu(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct credit_state *s = opaque;
    if (of_vcpu(s, v)->active)
        stop_earning(s, on, of_vcpu(s, v));
}

/* The first waiting vCPU of another pCPU that precedes `priority` and may run here; NULL: none. */
static struct credit_vcpu *steal(struct credit_state *s, struct sim_pcpu *pcpu, int priority)
{
    for (size_t i = 1; i < s->host->plan->pcpus; i++) {
        struct sim_pcpu *peer = &s->host->pcpus[(pcpu->id + i) % s->host->plan->pcpus];
        struct runq_node *queue = &s->pcpus[peer->id].runq, *node = runq_first(queue);
        if (vcpu_is_idle(peer->current))
            continue;
        for (; node && of_node(node)->priority > priority; node = runq_next(queue, node))
            if (vcpu_may_run_on(of_node(node)->vcpu, pcpu)) {
                EMIT(pcpu, TRC_CSCHED_STOLEN, peer->id, of_node(node)->vcpu->domain->id,
                     of_node(node)->vcpu->id);
                return of_node(node);
            }
    }
    return NULL;
}

/* The next of this pCPU's queue, or one of another's if that precedes one without credits. NULL: nobody. */
static struct credit_vcpu *choose(struct credit_state *s, struct sim_pcpu *pcpu)
{
    struct runq_node *first = runq_first(&s->pcpus[pcpu->id].runq);
    struct credit_vcpu *own = first ? of_node(first) : NULL;
    int priority = own ? own->priority : PRIORITY_IDLE;
    if (priority > PRIORITY_OVER)
        return own;
    struct credit_vcpu *stolen = steal(s, pcpu, priority);
    return stolen ? stolen : own;
}

static bool is_ratelimited(const struct credit_state *s, const struct sim_vcpu *v, uint64_t now_ns)
{
    return vcpu_is_runnable(v) && !v->yields && now_ns - v->switched_ns < s->host->plan->ratelimit_ns;
}

static struct sim_decision schedule(void *opaque, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct credit_state *s = opaque;
    struct sim_vcpu *current = pcpu->current;
    EMIT(pcpu, TRC_CSCHED_SCHEDULE, pcpu->id | (uint32_t)vcpu_is_idle(current) << 24);
    if (!vcpu_is_idle(current)) {
        burn(of_vcpu(s, current), now_ns);
        if (is_ratelimited(s, current, now_ns)) {
            uint64_t ran_ns = now_ns - current->switched_ns;
            EMIT(pcpu, TRC_CSCHED_RATELIMIT, vcpu_word(current), (uint32_t)ran_ns);
            return (struct sim_decision){current, s->host->plan->ratelimit_ns - ran_ns};
        }
        if (vcpu_is_runnable(current))
            insert(s, pcpu, of_vcpu(s, current));
    }
    struct credit_vcpu *next = choose(s, pcpu);
    if (!next)
        return (struct sim_decision){&pcpu->idle, SIM_NEVER};
    runq_remove(&next->node);
    if (next->vcpu != current)
        next->burnt_ns = now_ns;
    return (struct sim_decision){next->vcpu, s->host->plan->timeslice_ns};
}

/* The next accounting goes by the new cap, which is not rounded to whole per cent as xl does. */
static void set_allowance(void *opaque, const struct sim_domain *d, uint64_t part_ns, uint64_t of_ns)
{
    struct credit_state *s = opaque;
    double pct = 100 * (double)part_ns / (double)of_ns;
    s->domains[d->index].cap_pct = pct > CAP_PCT_MIN ? pct : CAP_PCT_MIN;
}

const struct sim_scheduler_ops scheduler_credit = {.name = "credit",
                                                   .create = create,
                                                   .destroy = destroy,
                                                   .start = start,
                                                   .wake = wake,
                                                   .sleep = sleep,
                                                   .remove = remove_vcpu,
                                                   .schedule = schedule,
                                                   .set_allowance = set_allowance};
