/* A CPU hog: on each vCPU a program that never stops. */
#include <stdlib.h>

#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/load.h"

#define CHUNK_NS 1000000000u /* work asked for at a time; it makes no difference to the trace */

struct hog {
    const struct scenario_load *plan;
    struct sim_task *tasks;
};

static void step(struct sim_host *host, struct sim_task *task)
{
    const struct hog *hog = task->context;
    uint64_t call_ns = hog->plan->syscall_ns;
    (void)host;
    if (call_ns)
        emit_system_call(task->vcpu->pcpu);
    task_work(task, call_ns ? call_ns : CHUNK_NS, task->vcpu->domain->own_cell);
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct hog *hog = state;
    (void)host;
    hog->plan = plan;
    if (!(hog->tasks = calloc(domain->plan->vcpus, sizeof *hog->tasks)))
        return false;
    for (size_t i = 0; i < domain->plan->vcpus; i++) {
        if (!task_init(&hog->tasks[i], &domain->vcpus[i], TASK_PROGRAM, step, hog))
            return false;
        task_wake(&hog->tasks[i]);
    }
    return true;
}

static void destroy(void *state)
{
    struct hog *hog = state;
    free(hog->tasks);
}

const struct sim_load_ops load_hog = {.size = sizeof(struct hog), .create = create, .destroy = destroy};
