#include "sim/toolstack.h"

#include "sim/driver.h"
#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/pcpu.h"

/* From DOM_ADD until the domain runs, from its last moment until DOM_REM, and until it is looked at again. */
#define BUILD_NS 3000000u
#define RETRY_NS 100000u

enum fate { FATE_CREATE, FATE_UNPAUSE, FATE_KILL, FATE_BURY };

/* Where the toolstack runs: in the first driver domain, if there is one. */
static struct sim_pcpu *toolstack_pcpu(struct sim_host *host)
{
    return host->driver_count > 0 ? host->drivers[0].domain->vcpus[0].pcpu : &host->pcpus[0];
}

static void next_step(struct sim_host *host, struct sim_domain *d, enum fate step, uint64_t due_ns)
{
    d->fate_step = step;
    host_set_timer(host, &d->fate, due_ns);
}

static void tell_life(const struct sim_host *host, const struct sim_domain *d)
{
    if (host->tap)
        host->tap->life(host->tap->context, d);
}

/* A domain is there, or gone. */
static void record_life(struct sim_pcpu *on, enum trace_event event, const struct sim_domain *d)
{
    if (!trace_layout_counts_vcpus(&on->host->layout)) {
        EMIT(on, event, d->id);
        return;
    }
    for (size_t i = 0; i < d->plan->vcpus; i++)
        emit_vcpu(on, event, &d->vcpus[i]);
}

static void create(struct sim_host *host, struct sim_domain *d, struct sim_pcpu *on)
{
    EMIT(on, TRC_DOM0_DOM_ADD, d->id);
    d->alive = true;
    d->born_ns = host_system_time(host, on->clock_ns);
    tell_life(host, d);
    record_life(on, TRC_DOM_ADD, d);
    for (size_t i = 0; i < d->plan->vcpus; i++)
        d->vcpus[i].changed_ns = d->vcpus[i].switched_ns = d->born_ns;
    next_step(host, d, FATE_UNPAUSE, on->clock_ns + BUILD_NS);
}

/* ---- xl pause ---- */

/* Whether it runs, as far as the toolstack is concerned. */
static bool is_running(const struct sim_domain *d)
{
    return d->alive && d->fate_step != FATE_UNPAUSE && d->fate_step != FATE_BURY;
}

static void pauser_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct sim_domain *d = context;
    struct sim_pcpu *on = toolstack_pcpu(host);
    pcpu_enter(on, now_ns);
    bool running = is_running(d), pauses = running && !d->paused;
    for (size_t i = 0; running && i < d->plan->vcpus; i++)
        (pauses ? vcpu_pause : vcpu_unpause)(on, &d->vcpus[i]);
    d->paused = pauses;
    uint64_t mean_ns = pauses ? d->plan->pause_ns : d->plan->pause_every_ns;
    host_set_timer(host, &d->pauser, on->clock_ns + prng_skewed(&host->rng, mean_ns));
    pcpu_leave(on);
}

/* ---- xl create, xl destroy ---- */

/* Its kernel boots: each vCPU begins with an interrupt of its timer. */
static void unpause(struct sim_host *host, struct sim_domain *d, struct sim_pcpu *on)
{
    toolstack_start_loads(host, d, on->clock_ns);
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        struct sim_vcpu *v = &d->vcpus[i];
        task_wake(v->timer_interrupt);
        vcpu_unpause(on, v);
        kernel_start_ticks(host, v, on->clock_ns + d->plan->tick_ns);
    }
    next_step(host, d, FATE_KILL, d->plan->destroyed_ns);
}

/* No vCPU runs any more after this, and each ends offline: one that is blocked is woken as its event channels close. */
static void kill(struct sim_host *host, struct sim_domain *d, struct sim_pcpu *on)
{
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        vcpu_pause(on, &d->vcpus[i]);
        if (d->vcpus[i].runstate == SIM_BLOCKED)
            vcpu_wake(on, &d->vcpus[i]);
    }
    next_step(host, d, FATE_BURY, on->clock_ns + SCENARIO_DEATH_NS);
}

/* Later, while a vCPU is still about to be descheduled. */
static void bury(struct sim_host *host, struct sim_domain *d, struct sim_pcpu *on)
{
    bool ready = true;
    for (size_t i = 0; i < d->plan->vcpus; i++) {
        struct sim_vcpu *v = &d->vcpus[i];
        if (v->runstate == SIM_BLOCKED)
            vcpu_wake(on, v);
        ready &= v->runstate == SIM_OFFLINE && v->saved_ns <= on->clock_ns;
    }
    if (!ready) {
        next_step(host, d, FATE_BURY, on->clock_ns + RETRY_NS);
        return;
    }
    EMIT(on, TRC_DOM0_DOM_REM, d->id);
    for (size_t i = 0; i < d->plan->vcpus && host->scheduler->remove; i++)
        host->scheduler->remove(host->scheduler_state, on, &d->vcpus[i]);
    d->died_ns = host_system_time(host, on->clock_ns);
    for (size_t i = 0; i < d->plan->vcpus; i++)
        vcpu_close_account(&d->vcpus[i], d->died_ns);
    record_life(on, TRC_DOM_REM, d);
    d->alive = false;
    tell_life(host, d);
}

static void fate_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    static void (*const steps[])(struct sim_host *, struct sim_domain *,
                                 struct sim_pcpu *) = {create, unpause, kill, bury};
    struct sim_domain *d = context;
    struct sim_pcpu *on = toolstack_pcpu(host);
    pcpu_enter(on, now_ns);
    steps[d->fate_step](host, d, on);
    pcpu_leave(on);
}

bool toolstack_init(struct sim_host *host, struct sim_domain *d)
{
    d->pauser = (struct sim_timer){.due = pauser_due, .context = d};
    if (d->plan->pause_every_ns && !host_add_timer(host, &d->pauser))
        return false;
    if (d->alive && d->plan->destroyed_ns == SIM_NEVER)
        return true;
    d->fate = (struct sim_timer){.due = fate_due, .context = d};
    return host_add_timer(host, &d->fate);
}

void toolstack_begin(struct sim_host *host)
{
    for (size_t i = 0; i < host->plan->domain_count; i++) {
        struct sim_domain *d = &host->domains[i];
        if (d->plan->pause_every_ns)
            host_set_timer(host, &d->pauser, prng_skewed(&host->rng, d->plan->pause_every_ns));
        if (!d->fate.due)
            continue;
        if (d->alive)
            next_step(host, d, FATE_KILL, d->plan->destroyed_ns);
        else
            next_step(host, d, FATE_CREATE, d->plan->created_ns);
    }
}

void toolstack_start_loads(struct sim_host *host, struct sim_domain *d, uint64_t now_ns)
{
    for (size_t i = 0; i < d->load_count; i++)
        if (d->loads[i].ops->start)
            d->loads[i].ops->start(host, d->loads[i].state, now_ns);
}
