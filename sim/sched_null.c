/*
 * The null scheduler (xen/common/sched/null.c): a pCPU belongs to one vCPU at most, a vCPU that found none free waits for good.
 *
 * Assignment happens when the host is built, in the order of domains and vCPUs: the pinned pCPU, else the free one of the
 * lowest number.
 */
#include <stdlib.h>

#include "sim/emit.h"
#include "sim/scheduler_ops.h"

struct null_state {
    struct sim_host *host;
    struct sim_vcpu **assigned; /* of each pCPU, NULL: nobody */
};

static struct sim_pcpu *free_pcpu(struct null_state *s, const struct sim_vcpu *v)
{
    for (size_t i = 0; i < s->host->plan->pcpus; i++)
        if (!s->assigned[i] && vcpu_may_run_on(v, &s->host->pcpus[i]))
            return &s->host->pcpus[i];
    return NULL;
}

static void *create(struct sim_host *host)
{
    struct null_state *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = host;
    if (!(s->assigned = calloc(host->plan->pcpus, sizeof(struct sim_vcpu *)))) {
        free(s);
        return NULL;
    }
    for (uint32_t i = 0; i < host->vcpu_count; i++) {
        struct sim_pcpu *pcpu = free_pcpu(s, &host->vcpus[i]);
        if (!pcpu)
            continue;
        s->assigned[pcpu->id] = &host->vcpus[i];
        host->vcpus[i].pcpu = pcpu;
    }
    return s;
}

static void destroy(void *state)
{
    struct null_state *s = state;
    free(s->assigned);
    free(s);
}

static void wake(void *state, struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct null_state *s = state;
    if (s->assigned[v->pcpu->id] == v)
        pcpu_tickle(on, v->pcpu);
}

/* There are no queues. */
static void sleep(void *state, struct sim_pcpu *on, struct sim_vcpu *v)
{
    (void)state;
    (void)on;
    (void)v;
}

static struct sim_decision schedule(void *state, struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct null_state *s = state;
    struct sim_vcpu *v = s->assigned[pcpu->id];
    (void)now_ns;
    if (v && v->domain->alive)
        EMIT(pcpu, TRC_NULL_SCHEDULE, pcpu->id << 16, vcpu_word(v));
    else
        EMIT(pcpu, TRC_NULL_SCHEDULE, pcpu->id << 16, UINT32_MAX);
    return (struct sim_decision){v && vcpu_is_runnable(v) ? v : &pcpu->idle, SIM_NEVER};
}

static bool withholds(const void *state, const struct sim_vcpu *v)
{
    const struct null_state *s = state;
    return s->assigned[v->pcpu->id] != v;
}

const struct sim_scheduler_ops scheduler_null = {.name = "null",
                                                 .create = create,
                                                 .destroy = destroy,
                                                 .wake = wake,
                                                 .sleep = sleep,
                                                 .schedule = schedule,
                                                 .withholds = withholds};
