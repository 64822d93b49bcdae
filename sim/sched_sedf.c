/*
 * SEDF as of Xen 3.0 (xen/common/sched_sedf.c): each vCPU has a slice in each period, the earliest deadline runs first, and
 * what nobody has reserved is left idle but for those that take extra time.
 *
 *   - A vCPU that has used its slice waits for its next period; what it ran too long is carried over into that one.
 *   - One that blocks and wakes before its deadline has lost the rest of the slice (short_block "lose_slice"), or has it still
 *     ("keep_slice"); one that wakes after its deadline begins a period at that moment.
 *   - Extra time is given in quanta of 500 us, to whom has had least of it.
 *
 * A queue for each pCPU; a vCPU never leaves its own.
 */
#include <stdlib.h>

#include "sim/runq.h"
#include "sim/scheduler_ops.h"

#define EXTRA_QUANTUM_NS (500 * SIM_US)
#define SLICE_LEAST_NS   (5 * SIM_US) /* Xen's SLICE_MIN */

struct sedf_vcpu {
    struct runq_node node;  /* of its pCPU's runq or waitq; first, so that it can be had from the node */
    struct runq_node extra; /* of its pCPU's extraq */
    struct sim_vcpu *vcpu;
    uint64_t slice_ns, period_ns;
    uint64_t next_slice_ns; /* from the next period on */
    uint64_t deadline_ns;   /* of the present or next period; 0: it has never woken */
    uint64_t used_ns;       /* of the slice, or carried over from the last one */
    uint64_t extra_ns;      /* extra time that it has had */
    uint64_t began_ns;      /* it has run since, while it runs */
    bool extratime;
    bool runs_extra; /* as it runs, or ran last: in extra time */
};

struct sedf_pcpu {
    struct runq_node runq;   /* in their period, by deadline */
    struct runq_node waitq;  /* their period has not begun, by when it begins */
    struct runq_node extraq; /* runnable ones that take extra time */
};

struct sedf_state {
    struct sim_host *host;
    struct sedf_vcpu *vcpus;
    struct sedf_pcpu *pcpus;
};

static struct sedf_vcpu *of_node(struct runq_node *node)
{
    return (struct sedf_vcpu *)(void *)node;
}

static struct sedf_vcpu *of_extra(struct runq_node *node)
{
    return (struct sedf_vcpu *)(void *)((char *)node - offsetof(struct sedf_vcpu, extra));
}

static uint64_t period_begin(const struct sedf_vcpu *s)
{
    return s->deadline_ns - s->period_ns;
}

static struct sedf_pcpu *queues_of(struct sedf_state *state, const struct sedf_vcpu *s)
{
    return &state->pcpus[s->vcpu->pcpu->id];
}

/* ---- queues ---- */

static void insert_by_deadline(struct runq_node *queue, struct sedf_vcpu *s)
{
    struct runq_node *at = runq_first(queue);
    while (at && of_node(at)->deadline_ns <= s->deadline_ns)
        at = runq_next(queue, at);
    runq_insert_before(&s->node, at ? at : queue);
}

static void insert_by_begin(struct runq_node *queue, struct sedf_vcpu *s)
{
    struct runq_node *at = runq_first(queue);
    while (at && period_begin(of_node(at)) <= period_begin(s))
        at = runq_next(queue, at);
    runq_insert_before(&s->node, at ? at : queue);
}

static void insert_extra(struct sedf_pcpu *q, struct sedf_vcpu *s)
{
    struct runq_node *at = runq_first(&q->extraq);
    if (!s->extratime)
        return;
    while (at && of_extra(at)->extra_ns <= s->extra_ns)
        at = runq_next(&q->extraq, at);
    runq_insert_before(&s->extra, at ? at : &q->extraq);
}

static void insert(struct sedf_pcpu *q, struct sedf_vcpu *s, uint64_t now_ns)
{
    if (s->slice_ns == 0)
        return;
    if (period_begin(s) > now_ns)
        insert_by_begin(&q->waitq, s);
    else
        insert_by_deadline(&q->runq, s);
}

/* The deadline has passed before the slice was used up: a new period, in step with the old ones. */
static void renew(struct sedf_vcpu *s, uint64_t now_ns)
{
    s->deadline_ns += ((now_ns - s->deadline_ns) / s->period_ns + 1) * s->period_ns;
    s->slice_ns = s->next_slice_ns;
    s->used_ns = 0;
}

/* Periods begin; deadlines that have passed are replaced. */
static void update_queues(struct sedf_pcpu *q, uint64_t now_ns)
{
    struct runq_node *node;
    while ((node = runq_first(&q->waitq)) && period_begin(of_node(node)) <= now_ns) {
        runq_remove(node);
        insert_by_deadline(&q->runq, of_node(node));
    }
    while ((node = runq_first(&q->runq)) && of_node(node)->deadline_ns <= now_ns) {
        runq_remove(node);
        renew(of_node(node), now_ns);
        insert(q, of_node(node), now_ns);
    }
}

/* ---- the face ---- */

static void init_vcpu(struct sedf_state *state, struct sim_vcpu *v, size_t *next)
{
    const struct scenario_domain *d = v->domain->plan;
    struct sedf_vcpu *s = &state->vcpus[v->index];
    if (v->pin < 0)
        v->pcpu = &state->host->pcpus[(*next)++ % state->host->plan->pcpus];
    *s = (struct sedf_vcpu){.vcpu = v,
                            .slice_ns = d->slice_ns,
                            .next_slice_ns = d->slice_ns,
                            .period_ns = d->period_ns,
                            .extratime = d->extratime};
}

static void destroy(void *opaque)
{
    struct sedf_state *state = opaque;
    free(state->vcpus);
    free(state->pcpus);
    free(state);
}

static void *create(struct sim_host *host)
{
    struct sedf_state *state = calloc(1, sizeof *state);
    size_t next = 0;
    if (!state)
        return NULL;
    state->host = host;
    state->vcpus = calloc(host->vcpu_count, sizeof *state->vcpus);
    state->pcpus = calloc(host->plan->pcpus, sizeof *state->pcpus);
    if (!state->vcpus || !state->pcpus) {
        destroy(state);
        return NULL;
    }
    for (size_t i = 0; i < host->plan->pcpus; i++) {
        runq_init(&state->pcpus[i].runq);
        runq_init(&state->pcpus[i].waitq);
        runq_init(&state->pcpus[i].extraq);
    }
    for (uint32_t i = 0; i < host->vcpu_count; i++)
        init_vcpu(state, &host->vcpus[i], &next);
    return state;
}

/* When it woke: before its deadline, or after it. */
static void unblock(const struct sedf_state *state, struct sedf_vcpu *s, uint64_t now_ns)
{
    if (s->deadline_ns == 0 || now_ns >= s->deadline_ns) {
        s->deadline_ns = now_ns + s->period_ns;
        s->slice_ns = s->next_slice_ns;
        s->used_ns = 0;
    } else if (state->host->plan->short_block == 0) {
        s->deadline_ns += s->period_ns;
        s->slice_ns = s->next_slice_ns;
        s->used_ns = 0;
    }
}

/* Whether the pCPU is to decide anew because that vCPU woke. */
static bool should_decide(const struct sedf_state *state, const struct sim_pcpu *pcpu,
                          const struct sedf_vcpu *s)
{
    if (pcpu->current == &pcpu->idle)
        return true;
    return s->slice_ns > 0 &&
           (period_begin(s) < pcpu->slice_end_ns || state->vcpus[pcpu->current->index].runs_extra);
}

static void wake(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct sedf_state *state = opaque;
    struct sedf_vcpu *s = &state->vcpus[v->index];
    unblock(state, s, on->clock_ns);
    insert(queues_of(state, s), s, on->clock_ns);
    insert_extra(queues_of(state, s), s);
    if (should_decide(state, v->pcpu, s))
        pcpu_tickle(on, v->pcpu);
}

static void sleep(void *opaque, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct sedf_state *state = opaque;
    (void)on;
    runq_remove(&state->vcpus[v->index].node);
    runq_remove(&state->vcpus[v->index].extra);
}

/* What the vCPU ran is accounted; it goes back to where it belongs. */
static void deschedule(struct sedf_state *state, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct sedf_vcpu *s = &state->vcpus[pcpu->current->index];
    struct sedf_pcpu *q = &state->pcpus[pcpu->id];
    uint64_t ran_ns = now_ns - s->began_ns;
    s->began_ns = now_ns;
    runq_remove(&s->node);
    runq_remove(&s->extra);
    if (s->runs_extra)
        s->extra_ns += ran_ns;
    else
        s->used_ns += ran_ns;
    while (!s->runs_extra && s->slice_ns > 0 && s->used_ns >= s->slice_ns) {
        s->used_ns -= s->slice_ns;
        s->deadline_ns += s->period_ns;
        s->slice_ns = s->next_slice_ns;
    }
    if (!vcpu_is_runnable(s->vcpu))
        return;
    insert(q, s, now_ns);
    insert_extra(q, s);
}

/* Nobody is in its period until the next one begins at end_ns: extra time, or none. */
static struct sim_decision decide_extra(struct sedf_pcpu *q, struct sim_pcpu *pcpu, uint64_t now_ns,
                                        uint64_t end_ns)
{
    struct runq_node *node = runq_first(&q->extraq);
    uint64_t left_ns = end_ns == SIM_NEVER ? SIM_NEVER : end_ns - now_ns;
    if (!node || left_ns < EXTRA_QUANTUM_NS)
        return (struct sim_decision){&pcpu->idle, left_ns};
    struct sedf_vcpu *s = of_extra(node);
    s->runs_extra = true;
    s->began_ns = now_ns;
    return (struct sim_decision){s->vcpu, EXTRA_QUANTUM_NS};
}

static struct sim_decision schedule(void *opaque, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct sedf_state *state = opaque;
    struct sedf_pcpu *q = &state->pcpus[pcpu->id];
    if (pcpu->current != &pcpu->idle)
        deschedule(state, pcpu, now_ns);
    update_queues(q, now_ns);
    struct runq_node *first = runq_first(&q->runq), *waiting = runq_first(&q->waitq);
    uint64_t next_ns = waiting ? period_begin(of_node(waiting)) : SIM_NEVER;
    if (!first)
        return decide_extra(q, pcpu, now_ns, next_ns);
    struct sedf_vcpu *s = of_node(first);
    uint64_t end_ns = now_ns + s->slice_ns - s->used_ns;
    s->runs_extra = false;
    s->began_ns = now_ns;
    return (struct sim_decision){s->vcpu, (end_ns < next_ns ? end_ns : next_ns) - now_ns};
}

static bool withholds(const void *opaque, const struct sim_vcpu *v)
{
    const struct sedf_state *state = opaque;
    const struct sedf_vcpu *s = &state->vcpus[v->index];
    return !s->extratime && (s->slice_ns == 0 || period_begin(s) > v->pcpu->clock_ns);
}

static void set_allowance(void *opaque, const struct sim_domain *d, uint64_t part_ns, uint64_t of_ns)
{
    struct sedf_state *state = opaque;
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        struct sedf_vcpu *s = &state->vcpus[d->vcpus[i].index];
        s->next_slice_ns = allowance_in_period(d, part_ns, of_ns, s->period_ns, SLICE_LEAST_NS);
    }
}

const struct sim_scheduler_ops scheduler_sedf = {.name = "sedf",
                                                 .create = create,
                                                 .destroy = destroy,
                                                 .wake = wake,
                                                 .sleep = sleep,
                                                 .schedule = schedule,
                                                 .withholds = withholds,
                                                 .set_allowance = set_allowance};
