/* A CPU hog: on each vCPU a program that never stops. */
#include <stdlib.h>

#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/pcpu.h"

#define CHUNK_NS 1000000000u /* work asked for at a time; it makes no difference to the trace */

/* A program of a hog. */
struct hog_program {
    const struct scenario_load *plan;
    struct sim_task task;
    uint64_t asked_ns;      /* work asked for last; 0: none yet */
    uint64_t until_call_ns; /* work until it calls its kernel */
    uint64_t until_yield_ns;
};

struct hog {
    struct hog_program *programs;
};

/*
 * Of something that the program does every so often (0: never): how much more work it takes until the next time, after worked_ns
 * more were done. *due: this is a time.
 */
static uint64_t next_in(uint64_t *until_ns, uint64_t every_ns, uint64_t worked_ns, bool *due)
{
    if (every_ns == 0)
        return CHUNK_NS;
    *due = *until_ns > 0 && *until_ns <= worked_ns;
    *until_ns = *until_ns > worked_ns ? *until_ns - worked_ns : every_ns;
    return *until_ns;
}

static void step(struct sim_host *host, struct sim_task *task)
{
    struct hog_program *p = task->context;
    bool calls = false, yields = false;
    uint64_t call_ns = next_in(&p->until_call_ns, p->plan->syscall_ns, p->asked_ns, &calls);
    uint64_t yield_ns = next_in(&p->until_yield_ns, p->plan->yield_ns, p->asked_ns, &yields);
    (void)host;
    if (calls)
        emit_system_call(task->vcpu->pcpu);
    p->asked_ns = call_ns < yield_ns ? call_ns : yield_ns;
    task_work(task, p->asked_ns, task->vcpu->domain->own_cell);
    if (yields)
        vcpu_yield(task->vcpu);
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct hog *hog = state;
    (void)host;
    if (!(hog->programs = calloc(domain->plan->vcpus, sizeof *hog->programs)))
        return false;
    for (size_t i = 0; i < domain->plan->vcpus; i++) {
        struct hog_program *p = &hog->programs[i];
        p->plan = plan;
        if (!task_init(&p->task, &domain->vcpus[i], TASK_PROGRAM, step, p))
            return false;
        task_wake(&p->task);
    }
    return true;
}

static void destroy(void *state)
{
    struct hog *hog = state;
    free(hog->programs);
}

const struct sim_load_ops load_hog = {.size = sizeof(struct hog), .create = create, .destroy = destroy};
