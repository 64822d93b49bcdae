/* A program that keeps so many requests on its disk. */
#include "sim/disk.h"
#include "sim/kernel.h"
#include "sim/load.h"

struct disk_load {
    const struct scenario_load *plan;
    struct sim_vbd *vbd;
    struct sim_task task;
    struct sim_disk_user user;
    uint32_t asked;   /* requests, modulo 2^32 */
    bool paid;        /* CPU for the next request has been used */
    uint64_t next_ns; /* of a load with a rate: not before */
};

/* Whether the next request is to wait for its time; the task sleeps then. */
static bool is_early(struct sim_host *host, struct disk_load *d)
{
    uint64_t now_ns = d->task.vcpu->pcpu->clock_ns;
    if (d->plan->requests_per_s == 0)
        return false;
    if (now_ns < d->next_ns) {
        task_sleep_until(host, &d->task, d->next_ns);
        return true;
    }
    d->next_ns += (uint64_t)(1e9 / d->plan->requests_per_s);
    return false;
}

/* Whether the next request is one to write; a load of one direction draws no random number. */
static bool writes(struct sim_host *host, const struct scenario_load *plan)
{
    if (plan->reads_pct <= 0 || plan->reads_pct >= 100)
        return plan->reads_pct <= 0;
    return !prng_chance(&host->rng, (uint32_t)(plan->reads_pct * 1e4 + 0.5));
}

static void step(struct sim_host *host, struct sim_task *task)
{
    struct disk_load *d = task->context;
    if (task->vcpu->pcpu->clock_ns < d->plan->start_ns) {
        d->next_ns = d->plan->start_ns;
        task_sleep_until(host, task, d->plan->start_ns);
        return;
    }
    if (d->paid) {
        disk_request(d->vbd, &d->user, (uint32_t)d->plan->request_bytes, writes(host, d->plan));
        d->asked++;
        d->paid = false;
    }
    if (d->asked - d->user.done >= d->plan->depth || disk_room(d->vbd) == 0 || is_early(host, d))
        return;
    d->paid = true;
    task_work(task, d->plan->request_ns, task->vcpu->domain->own_cell);
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct disk_load *d = state;
    d->plan = plan;
    d->user.task = &d->task;
    d->vbd = disk_vbd(host, domain, driver_of(host, plan->driver));
    if (!d->vbd || !task_init(&d->task, &domain->vcpus[0], TASK_PROGRAM, step, d))
        return false;
    task_wake(&d->task);
    return true;
}

static void start(struct sim_host *host, void *state, uint64_t now_ns)
{
    struct disk_load *d = state;
    (void)host;
    d->next_ns = now_ns;
}

const struct sim_load_ops load_disk = {.size = sizeof(struct disk_load), .create = create, .start = start};
