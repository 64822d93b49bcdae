/* A program that computes for a while, then sleeps for a while. */
#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/load.h"

struct on_off {
    const struct scenario_load *plan;
    struct sim_task task;
    uint64_t left_ns; /* of the present burst, beyond the work asked for */
    bool began;
};

static uint64_t draw(struct sim_host *host, const struct on_off *o, uint64_t mean_ns)
{
    return o->plan->distribution == 0 ? mean_ns : prng_exponential(&host->rng, mean_ns);
}

/* So much of the burst as there is until the next system call. */
static void work(struct on_off *o)
{
    uint64_t ns = o->plan->syscall_ns && o->plan->syscall_ns < o->left_ns ? o->plan->syscall_ns : o->left_ns;
    o->left_ns -= ns;
    task_work(&o->task, ns, o->task.vcpu->domain->own_cell);
}

static void step(struct sim_host *host, struct sim_task *task)
{
    struct on_off *o = task->context;
    if (o->plan->syscall_ns && o->began)
        emit_system_call(task->vcpu->pcpu);
    if (o->left_ns > 0) {
        work(o);
        return;
    }
    if (o->began) {
        o->began = false;
        task_sleep_until(host, task, task->vcpu->pcpu->clock_ns + draw(host, o, o->plan->off_ns));
        return;
    }
    o->began = true;
    o->left_ns = draw(host, o, o->plan->on_ns);
    work(o);
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct on_off *o = state;
    (void)host;
    o->plan = plan;
    if (!task_init(&o->task, &domain->vcpus[plan->vcpu], TASK_PROGRAM, step, o))
        return false;
    task_wake(&o->task);
    return true;
}

const struct sim_load_ops load_on_off = {.size = sizeof(struct on_off), .create = create};
