#include "sim/pcpu.h"

#include "sim/kernel.h"
#include "sim/emit.h"
#include "sim/vcpu_noise.h"

const char *const sim_count_names[SIM_COUNTS] = {"wake_wait_ns", "preempt_wait_ns", "executions",
                                                 "wakes",        "blocks",          "preemptions",
                                                 "yields",       "migrations"};

/*
 * What Xen needs beside the records that it writes, in 50ths of the scenario's `record`: from reading its clock to the
 * scheduler's first own record 0.4 to 2.9 of it, from the last one to the first record of the switch 3 to 5.5.
 */
enum { CLOCK_READ_LEAST = 20, DECISION_LEAST = 150, DECISION_MASK = 127, DECISION_UNIT = 50 };

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Whether others than its guest keep it from running. */
static bool is_held(const struct sim_vcpu *v)
{
    return v->parked || v->paused;
}

static bool idles(const struct sim_pcpu *pcpu)
{
    return pcpu->current == &pcpu->idle;
}

/* ---- the truth ---- */

void vcpu_charge(struct sim_vcpu *v, uint64_t now_ns, uint32_t cell)
{
    struct true_account *truth = &v->pcpu->host->truth;
    if (v->charged_to != CELL_NONE && v->charged_ns < now_ns) {
        true_account_span(truth, v->charged_to, v->charged_ns, now_ns);
        if (v->running)
            v->worked_ns[v->running->kind] += now_ns - v->charged_ns;
    }
    v->charged_ns = now_ns;
    v->charged_to = cell;
}

static void count(const struct sim_vcpu *v, enum sim_count what, uint64_t at_ns)
{
    if (!vcpu_is_idle(v))
        true_account_add(&v->pcpu->host->truth, v->first_count_cell + what, at_ns, 1);
}

/* The time in the present state, up to `at_ns`. */
static void account_state(struct sim_vcpu *v, uint64_t at_ns)
{
    struct sim_host *host = v->pcpu->host;
    if (vcpu_is_idle(v))
        return;
    true_account_span(&host->truth, v->first_state_cell + v->runstate, v->changed_ns, at_ns);
    if (v->runstate == SIM_RUNNABLE && v->came_from == SIM_BLOCKED)
        true_account_span(&host->truth, v->first_count_cell + COUNT_WAKE_WAIT_NS, v->changed_ns, at_ns);
    if (v->runstate == SIM_RUNNABLE && v->came_from == SIM_RUNNING)
        true_account_span(&host->truth, v->first_count_cell + COUNT_PREEMPT_WAIT_NS, v->changed_ns, at_ns);
    if (v->runstate == SIM_RUNNING) {
        v->ran_ns += at_ns - v->changed_ns;
        vcpu_charge(v, at_ns, v->charged_to);
    }
    v->changed_ns = at_ns;
}

void vcpu_close_account(struct sim_vcpu *v, uint64_t end_ns)
{
    if (v->changed_ns < end_ns)
        account_state(v, end_ns);
}

/* It goes over to another state at `at_ns`, by an act on the pCPU `on`; the record of that follows. */
static void leave_state(const struct sim_pcpu *on, struct sim_vcpu *v, uint64_t at_ns, enum sim_runstate to)
{
    const enum sim_runstate from = (enum sim_runstate)v->runstate;
    const struct sim_tap *tap = on->host->tap;
    account_state(v, at_ns);
    v->came_from = (uint8_t)from;
    if (from == SIM_BLOCKED && to == SIM_RUNNABLE)
        count(v, COUNT_WAKES, at_ns);
    else if (from == SIM_RUNNING && to == SIM_BLOCKED)
        count(v, COUNT_BLOCKS, at_ns);
    else if (from == SIM_RUNNING && to == SIM_RUNNABLE && !v->yields)
        count(v, COUNT_PREEMPTIONS, at_ns);
    if (tap)
        tap->change(tap->context, on, v, to, at_ns);
}

/* It runs on the pCPU from `at_ns` on. */
static void count_execution(struct sim_vcpu *v, const struct sim_pcpu *pcpu, uint64_t at_ns)
{
    count(v, COUNT_EXECUTIONS, at_ns);
    if (v->ran_on >= 0 && v->ran_on != (int16_t)pcpu->id)
        count(v, COUNT_MIGRATIONS, at_ns);
    v->ran_on = (int16_t)pcpu->id;
}

/* The pCPU is done with the vCPU: others may work on it. */
static void release(const struct sim_pcpu *pcpu, struct sim_vcpu *v)
{
    v->saved_ns = pcpu->clock_ns + pcpu->host->handover_ns;
}

/* Xen waits for a lock while another pCPU is still busy with the vCPU. */
static void wait_for(struct sim_pcpu *pcpu, const struct sim_vcpu *v)
{
    pcpu->clock_ns = later(pcpu->clock_ns, v->saved_ns);
}

/* Xen goes about the vCPU, for a hypercall or an interrupt: the record of that follows. */
static void begin_act(struct sim_pcpu *on, const struct sim_vcpu *v)
{
    emit_nothing(on);
    wait_for(on, v);
}

/* A change outside of a switch: it happens when it is recorded. */
static void change_state(struct sim_pcpu *on, struct sim_vcpu *v, enum sim_runstate to)
{
    wait_for(on, v);
    leave_state(on, v, host_system_time(on->host, on->clock_ns), to);
    emit_runstate(on, v, to);
    release(on, v);
}

/* ---- the pCPU's time ---- */

/* The current vCPU has worked up to now_ns. */
static void work_until(struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct sim_vcpu *v = pcpu->current;
    pcpu->clock_ns = later(pcpu->clock_ns, now_ns);
    if (v->running && !idles(pcpu) && pcpu->clock_ns > pcpu->work_ns) {
        uint64_t worked = pcpu->clock_ns - pcpu->work_ns;
        v->running->left_ns -= worked < v->running->left_ns ? worked : v->running->left_ns;
        v->noise_ns -= v->noise_ns != SIM_NEVER ? (worked < v->noise_ns ? worked : v->noise_ns) : 0;
    }
    pcpu->work_ns = pcpu->clock_ns;
}

void pcpu_enter(struct sim_pcpu *pcpu, uint64_t now_ns)
{
    struct sim_vcpu *v = pcpu->current;
    while (v->noise_ns < SIM_NEVER && v->running && pcpu->clock_ns + v->noise_ns < now_ns) {
        work_until(pcpu, pcpu->clock_ns + v->noise_ns);
        noise_make(v);
        emit_entry(pcpu);
        pcpu->work_ns = pcpu->clock_ns;
    }
    work_until(pcpu, now_ns);
}

static bool must_schedule(const struct sim_pcpu *pcpu)
{
    const struct sim_vcpu *v = pcpu->current;
    return !vcpu_is_runnable(v) || v->yields || pcpu->clock_ns >= pcpu->resched_ns ||
           pcpu->clock_ns >= pcpu->slice_end_ns;
}

static uint64_t next_due(const struct sim_pcpu *pcpu)
{
    const struct sim_task *task = pcpu->current->running;
    if (must_schedule(pcpu))
        return pcpu->clock_ns;
    uint64_t due = pcpu->resched_ns < pcpu->slice_end_ns ? pcpu->resched_ns : pcpu->slice_end_ns;
    if (pcpu->kick_ns < due)
        due = pcpu->kick_ns;
    if (!idles(pcpu)) {
        uint64_t done = pcpu->clock_ns + (task ? task->left_ns : 0);
        due = done < due ? done : due;
    }
    return later(due, pcpu->clock_ns);
}

void pcpu_leave(struct sim_pcpu *pcpu)
{
    if (!must_schedule(pcpu))
        emit_entry(pcpu);
    pcpu->work_ns = pcpu->clock_ns;
    uint64_t due = next_due(pcpu);
    host_set_timer(pcpu->host, &pcpu->timer, due);
}

/* ---- switches ---- */

static void record_switch(struct sim_pcpu *pcpu, const struct sim_vcpu *prev, const struct sim_vcpu *next,
                          uint64_t decided_ns, uint64_t slice_ns)
{
    uint32_t slice = slice_ns == SIM_NEVER ? UINT32_MAX : (uint32_t)slice_ns;
    /* Xen's "was runnable for": in truth the time since it was switched out, blocked time included. */
    uint32_t waited = next->runstate == SIM_RUNNABLE ? (uint32_t)(decided_ns - next->switched_ns) : 0;
    EMIT(pcpu, TRC_SWITCH_INFPREV, prev->domain->id, prev->id, (uint32_t)(decided_ns - prev->switched_ns));
    EMIT(pcpu, TRC_SWITCH_INFNEXT, next->domain->id, next->id, waited, slice);
    EMIT(pcpu, TRC_SWITCH, prev->domain->id, prev->id, next->domain->id, next->id);
}

static enum sim_runstate state_when_out(const struct sim_vcpu *v)
{
    if (v->blocked)
        return SIM_BLOCKED;
    return is_held(v) ? SIM_OFFLINE : SIM_RUNNABLE;
}

/* Both runstate changes are dated at the instant when the scheduler read its clock. */
static void switch_to(struct sim_pcpu *pcpu, struct sim_vcpu *next, uint64_t decided_ns, uint64_t slice_ns)
{
    struct sim_host *host = pcpu->host;
    struct sim_vcpu *prev = pcpu->current;
    record_switch(pcpu, prev, next, decided_ns, slice_ns);
    leave_state(pcpu, prev, decided_ns, state_when_out(prev));
    prev->yields = false;
    emit_runstate(pcpu, prev, state_when_out(prev));
    leave_state(pcpu, next, decided_ns, SIM_RUNNING);
    count_execution(next, pcpu, decided_ns);
    emit_runstate(pcpu, next, SIM_RUNNING);
    next->charged_ns = decided_ns;
    prev->switched_ns = next->switched_ns = decided_ns;
    pcpu->current = next;
    next->pcpu = pcpu;
    pcpu->ring.current_domain = next->domain->id;
    pcpu->ring.current_vcpu = next->id;
    pcpu->clock_ns += host->plan->switch_cost_ns;
    if (!vcpu_is_idle(prev) && host->scheduler->switched_out)
        host->scheduler->switched_out(host->scheduler_state, pcpu, prev);
    release(pcpu, prev);
    release(pcpu, next);
    pcpu->work_ns = pcpu->clock_ns;
    if (!vcpu_is_idle(next))
        kernel_resume(host, next);
}

static void record_continue(struct sim_pcpu *pcpu, uint64_t decided_ns, uint64_t slice_ns)
{
    const struct sim_vcpu *v = pcpu->current;
    uint32_t slice = slice_ns == SIM_NEVER ? UINT32_MAX : (uint32_t)slice_ns;
    EMIT(pcpu, TRC_SWITCH_INFCONT, v->domain->id, v->id, (uint32_t)(decided_ns - v->switched_ns), slice);
    EMIT(pcpu, TRC_CONTINUE_RUNNING, vcpu_word(v));
}

/* Xen works on the pCPU without a record: `least` 50ths of `record`, and up to DECISION_MASK more. */
static void work_unrecorded(struct sim_pcpu *pcpu, uint64_t least)
{
    struct sim_host *host = pcpu->host;
    pcpu->clock_ns +=
        (least + (prng_next(&host->rng) & DECISION_MASK)) * host->plan->record_ns / DECISION_UNIT;
}

/* The scheduler's moment: asks it, and does what it says. */
static void schedule(struct sim_pcpu *pcpu)
{
    struct sim_host *host = pcpu->host;
    uint64_t decided_ns = host_system_time(host, pcpu->clock_ns);
    pcpu->resched_ns = SIM_NEVER;
    work_unrecorded(pcpu, CLOCK_READ_LEAST);
    struct sim_decision d = host->scheduler->schedule(host->scheduler_state, pcpu, decided_ns);
    work_unrecorded(pcpu, DECISION_LEAST);
    pcpu->slice_end_ns = d.slice_ns == SIM_NEVER ? SIM_NEVER : decided_ns + d.slice_ns;
    if (d.next == pcpu->current) {
        pcpu->current->yields = false;
        record_continue(pcpu, decided_ns, d.slice_ns);
        return;
    }
    /* Another pCPU may have woken it, or left it, while this one was already deciding: Xen waits for a lock before it reads its clock. */
    if (d.next->changed_ns > decided_ns) {
        pcpu->clock_ns += d.next->changed_ns - decided_ns;
        decided_ns = d.next->changed_ns;
    }
    wait_for(pcpu, d.next);
    if (host->plan->record_ns == 0) /* the switch is decided on when it happens */
        decided_ns = later(host_system_time(host, pcpu->clock_ns), decided_ns);
    switch_to(pcpu, d.next, decided_ns, d.slice_ns);
}

void pcpu_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct sim_pcpu *pcpu = context;
    pcpu_enter(pcpu, now_ns);
    struct sim_vcpu *v = pcpu->current;
    bool kicked = pcpu->clock_ns >= pcpu->kick_ns;
    if (kicked)
        pcpu->kick_ns = SIM_NEVER;
    if (!idles(pcpu) && (kicked || !v->running || v->running->left_ns == 0))
        kernel_act(host, v);
    if (must_schedule(pcpu))
        schedule(pcpu);
    pcpu_leave(pcpu);
}

/* ---- what wakes and stops vCPUs ---- */

/* An interrupt from another pCPU arrives then: whatever it is about, the pCPU does not know before. */
static void interrupt_at(const struct sim_pcpu *pcpu, uint64_t due_ns)
{
    if (due_ns < timeline_due(&pcpu->host->timeline, pcpu->timer.actor))
        host_set_timer(pcpu->host, &pcpu->timer, due_ns);
}

void pcpu_tickle(struct sim_pcpu *on, struct sim_pcpu *pcpu)
{
    uint64_t due = on->clock_ns + (on == pcpu ? 0 : on->host->plan->ipi_ns);
    if (due >= pcpu->resched_ns)
        return;
    pcpu->resched_ns = due;
    if (on != pcpu)
        interrupt_at(pcpu, due);
}

void vcpu_wake(struct sim_pcpu *on, struct sim_vcpu *v)
{
    struct sim_host *host = on->host;
    begin_act(on, v);
    emit_vcpu(on, TRC_WAKE, v);
    v->blocked = false;
    if (v->runstate < SIM_BLOCKED)
        return;
    if (is_held(v)) {
        if (v->runstate == SIM_BLOCKED)
            change_state(on, v, SIM_OFFLINE);
        return;
    }
    change_state(on, v, SIM_RUNNABLE);
    host->scheduler->wake(host->scheduler_state, on, v);
}

void vcpu_kick(struct sim_pcpu *on, struct sim_vcpu *v)
{
    if (v->blocked) {
        vcpu_wake(on, v);
        return;
    }
    if (v->runstate != SIM_RUNNING)
        return;
    struct sim_pcpu *pcpu = v->pcpu;
    uint64_t due = on->clock_ns + (on == pcpu ? 0 : on->host->plan->ipi_ns);
    if (due >= pcpu->kick_ns)
        return;
    pcpu->kick_ns = due;
    if (on != pcpu)
        interrupt_at(pcpu, due);
}

/* The timer of the vCPU interrupts it after Xen has recorded the block and before the scheduler decides: the scheduler finds the vCPU runnable. */
static bool is_overtaken(const struct sim_vcpu *v)
{
    const double pct = v->domain->plan->block_race_pct;
    return pct > 0 && prng_chance(&v->pcpu->host->rng, (uint32_t)(pct * 10000));
}

void vcpu_block(struct sim_vcpu *v)
{
    emit_halt(v->pcpu);
    begin_act(v->pcpu, v);
    emit_vcpu(v->pcpu, TRC_BLOCK, v);
    v->blocked = true;
    if (!is_overtaken(v))
        return;
    interrupt_raise(v->pcpu, v->timer_interrupt);
    pcpu_tickle(v->pcpu, v->pcpu);
}

void vcpu_yield(struct sim_vcpu *v)
{
    emit_hypercall_command(v->pcpu, HYPERCALL_SCHED_OP, SCHEDOP_YIELD);
    begin_act(v->pcpu, v);
    emit_vcpu(v->pcpu, TRC_YIELD, v);
    count(v, COUNT_YIELDS, v->pcpu->clock_ns);
    v->yields = true;
}

/* Xen's vcpu_sleep_nosync: the vCPU is held from now on. */
static void hold(struct sim_pcpu *on, struct sim_vcpu *v)
{
    begin_act(on, v);
    emit_vcpu(on, TRC_SLEEP, v);
    if (v->runstate == SIM_RUNNING) {
        pcpu_tickle(on, v->pcpu);
        return;
    }
    if (v->runstate == SIM_RUNNABLE) {
        change_state(on, v, SIM_OFFLINE);
        on->host->scheduler->sleep(on->host->scheduler_state, on, v);
    }
}

/* One of those who held it does not any more. */
static void let_go(struct sim_pcpu *on, struct sim_vcpu *v)
{
    if (!v->domain->alive)
        return;
    begin_act(on, v);
    emit_vcpu(on, TRC_WAKE, v);
    if (!vcpu_is_runnable(v) || v->runstate < SIM_BLOCKED)
        return;
    change_state(on, v, SIM_RUNNABLE);
    on->host->scheduler->wake(on->host->scheduler_state, on, v);
}

void vcpu_park(struct sim_pcpu *on, struct sim_vcpu *v)
{
    v->parked = true;
    hold(on, v);
}

void vcpu_unpark(struct sim_pcpu *on, struct sim_vcpu *v)
{
    v->parked = false;
    let_go(on, v);
}

void vcpu_pause(struct sim_pcpu *on, struct sim_vcpu *v)
{
    v->paused = true;
    hold(on, v);
}

void vcpu_unpause(struct sim_pcpu *on, struct sim_vcpu *v)
{
    v->paused = false;
    let_go(on, v);
}
