#include "sim/kernel.h"

#include <stdlib.h>

#include "sim/pcpu.h"
#include "sim/emit.h"

/* ---- lists ---- */

static void push(struct sim_task_list *list, struct sim_task *task)
{
    task->next = NULL;
    task->queued = true;
    if (list->tail)
        list->tail->next = task;
    else
        list->head = task;
    list->tail = task;
}

static struct sim_task *pop(struct sim_task_list *list)
{
    struct sim_task *task = list->head;
    if (!task)
        return NULL;
    list->head = task->next;
    if (!list->head)
        list->tail = NULL;
    task->queued = false;
    return task;
}

static struct sim_task_list *list_of(struct sim_task *task)
{
    struct sim_vcpu *v = task->vcpu;
    if (task->kind == TASK_INTERRUPT)
        return &v->interrupts;
    if (task->kind == TASK_SOFTIRQ)
        return &v->softirqs;
    if (task->is_low)
        return &v->low;
    return task->kind == TASK_THREAD ? &v->threads : &v->programs;
}

static void take_out(struct sim_task_list *list, struct sim_task *task)
{
    struct sim_task_list rest = {NULL, NULL};
    for (struct sim_task *t = pop(list); t; t = pop(list))
        if (t != task)
            push(&rest, t);
    *list = rest;
}

/* ---- tasks ---- */

/* Xen's timer interrupt hits the pCPU where the vCPU is, or was. */
static void alarm_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct sim_task *task = context;
    struct sim_pcpu *pcpu = task->vcpu->pcpu;
    (void)host;
    pcpu_enter(pcpu, now_ns);
    task_wake(task);
    interrupt_raise(pcpu, task->vcpu->timer_interrupt);
    pcpu_leave(pcpu);
}

bool task_init(struct sim_task *task, struct sim_vcpu *v, enum sim_task_kind kind,
               void (*step)(struct sim_host *, struct sim_task *), void *context)
{
    *task = (struct sim_task){
        .vcpu = v, .step = step, .context = context, .kind = (uint8_t)kind, .cell = v->domain->own_cell};
    task->alarm = (struct sim_timer){.due = alarm_due, .context = task};
    return host_add_timer(v->pcpu->host, &task->alarm);
}

/* What a piece of its kernel's work takes this time: up to so many percent more or less. */
static uint64_t jittered(const struct sim_task *task, uint64_t ns)
{
    double part = task->vcpu->domain->plan->jitter_pct / 100;
    if (part == 0 || task->kind == TASK_PROGRAM)
        return ns;
    double drawn =
        (double)prng_below(&task->vcpu->pcpu->host->rng, (uint64_t)1 << 32) / 2147483648.0 - 1; /* -1 to 1 */
    return (uint64_t)((double)ns * (1 + part * drawn) + 0.5);
}

void task_work(struct sim_task *task, uint64_t ns, uint32_t cell)
{
    task->left_ns = jittered(task, ns);
    task->cell = cell;
    task->active = true;
}

bool task_works_first(struct sim_task *task, uint64_t ns, uint32_t cell)
{
    task->phase = !task->phase;
    if (task->phase)
        task_work(task, ns, cell);
    return task->phase;
}

void task_sleep_until(struct sim_host *host, struct sim_task *task, uint64_t due_ns)
{
    host_set_timer(host, &task->alarm, due_ns);
}

void task_wake(struct sim_task *task)
{
    if (!task->queued)
        push(list_of(task), task);
}

void task_set_low(struct sim_task *thread, bool is_low)
{
    bool queued = thread->queued;
    if (is_low == thread->is_low)
        return;
    if (queued)
        take_out(list_of(thread), thread);
    thread->is_low = is_low;
    if (queued)
        push(list_of(thread), thread);
}

void interrupt_raise(struct sim_pcpu *on, struct sim_task *handler)
{
    task_wake(handler);
    vcpu_kick(on, handler->vcpu);
}

void event_channel_send(struct sim_pcpu *from, struct sim_task *handler)
{
    emit_hypercall(from, HYPERCALL_EVENT_CHANNEL_OP);
    interrupt_raise(from, handler);
}

/* ---- ticks ---- */

/* Kernels with CONFIG_NO_HZ_IDLE: no ticks while the idle loop runs. */
static bool wants_ticks(const struct sim_vcpu *v)
{
    return v->runstate == SIM_RUNNING && v->current && v->current != v->idle;
}

void kernel_start_ticks(struct sim_host *host, struct sim_vcpu *v, uint64_t first_ns)
{
    v->tick_ns = first_ns;
    v->ticks = true;
    host_set_timer(host, &v->tick, first_ns);
}

/*
 * The vCPU runs a task: its ticks, which stopped when one found nothing to interrupt, go on as if they had not. One that is due at this
 * moment is still to come if nothing has happened yet that comes after it.
 */
static void resume_ticks(struct sim_host *host, struct sim_vcpu *v)
{
    const uint64_t period_ns = v->domain->plan->tick_ns;
    if (v->ticks || v->tick_ns == 0)
        return;
    if (v->tick_ns < host->loop_ns)
        v->tick_ns += (host->loop_ns - v->tick_ns + period_ns - 1) / period_ns * period_ns;
    if (v->tick_ns == host->loop_ns && host->loop_actor >= v->tick.actor)
        v->tick_ns += period_ns;
    v->ticks = true;
    host_set_timer(host, &v->tick, v->tick_ns);
}

static void tick_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct sim_vcpu *v = context;
    v->tick_ns = now_ns + v->domain->plan->tick_ns;
    v->ticks = wants_ticks(v);
    if (!v->ticks)
        return;
    pcpu_enter(v->pcpu, now_ns);
    interrupt_raise(v->pcpu, v->timer_interrupt);
    pcpu_leave(v->pcpu);
    host_set_timer(host, &v->tick, v->tick_ns);
}

/* ---- tasks and interrupts ---- */

/* Whether somebody waits who goes before the task. */
static bool must_give_way(const struct sim_vcpu *v, const struct sim_task *task)
{
    if (task->is_low)
        return v->threads.head || v->programs.head;
    return task->kind == TASK_PROGRAM && v->threads.head;
}

/* The last handler is done: back to the task, unless one that goes before it was woken meanwhile. */
static void return_from_interrupt(struct sim_vcpu *v)
{
    emit_hypercall(v->pcpu, HYPERCALL_IRET);
    v->in_interrupt = false;
    struct sim_task *current = v->current;
    if (current->active && current != v->idle && must_give_way(v, current)) {
        task_wake(current);
        v->current = NULL;
    }
}

/* Another task: the idle loop if there is none. */
static struct sim_task *switch_task(struct sim_vcpu *v)
{
    struct sim_task *next = pop(&v->threads);
    if (!next)
        next = pop(&v->programs);
    if (!next)
        next = pop(&v->low);
    if (!next)
        next = v->idle;
    if (next != v->current)
        emit_task_switch(v->pcpu);
    if (next != v->idle) {
        v->idle->active = false;
        v->idle->phase = 0;
        resume_ticks(v->pcpu->host, v);
    }
    v->current = next;
    return next;
}

/* ---- softirqs ---- */

/* As Linux has it: about 300 packets, 64 in a poll, before it looks whether a thread waits; and 2 ms at most. */
enum { POLLS_IN_A_ROW = 5, SOFTIRQ_NS = 2000000 };

static bool is_busy(const struct sim_task *task)
{
    return task && task->active;
}

static bool has_turn(const struct sim_vcpu *v)
{
    return v->polls < POLLS_IN_A_ROW || (!v->threads.head && v->pcpu->clock_ns - v->softirq_ns < SOFTIRQ_NS);
}

static void begin_turn(struct sim_vcpu *v)
{
    v->polls = 0;
    v->softirq_ns = v->pcpu->clock_ns;
}

static struct sim_task *next_softirq(struct sim_vcpu *v)
{
    v->polls += v->polls < POLLS_IN_A_ROW;
    return pop(&v->softirqs);
}

/* At the end of an interrupt. NULL: there is none, or the thread has them. */
static struct sim_task *softirq_of_interrupt(struct sim_vcpu *v)
{
    if (!v->softirqs.head || v->ksoftirqd_runs)
        return NULL;
    if (has_turn(v))
        return next_softirq(v);
    v->ksoftirqd_runs = true;
    task_wake(v->ksoftirqd);
    return NULL;
}

/* Of the thread, which runs. NULL: there is none, or other threads have their turn. */
static struct sim_task *softirq_of_thread(struct sim_vcpu *v)
{
    if (is_busy(v->softirq))
        return v->softirq;
    if (v->softirqs.head && (has_turn(v) || !v->threads.head))
        return v->softirq = next_softirq(v);
    if (v->softirqs.head)
        task_wake(v->ksoftirqd);
    v->ksoftirqd_runs = v->softirqs.head != NULL;
    v->softirq = NULL;
    return NULL;
}

static void ksoftirqd_step(struct sim_host *host, struct sim_task *task)
{
    (void)host;
    begin_turn(task->vcpu);
}

/* ---- what runs next ---- */

/* Of handlers, and softirqs on top of the task. NULL: there are none, or no more. */
static struct sim_task *choose_interrupt(struct sim_vcpu *v)
{
    if (v->in_interrupt && is_busy(v->running))
        return v->running;
    if (v->interrupts.head) {
        if (!v->in_interrupt)
            begin_turn(v);
        v->in_interrupt = true;
        emit_privileged(v->pcpu, v->domain->plan->privileged);
        return pop(&v->interrupts);
    }
    struct sim_task *softirq = v->in_interrupt ? softirq_of_interrupt(v) : NULL;
    if (v->in_interrupt && !softirq)
        return_from_interrupt(v);
    return softirq;
}

/* The thread of softirqs is on the CPU, and neither over nor in line behind others. */
static bool is_ksoftirqds_turn(const struct sim_vcpu *v)
{
    const struct sim_task *current = v->current;
    return current && current == v->ksoftirqd && v->ksoftirqd_runs && !current->queued;
}

static struct sim_task *choose(struct sim_vcpu *v)
{
    struct sim_task *next = choose_interrupt(v);
    if (!next && is_ksoftirqds_turn(v))
        next = softirq_of_thread(v);
    if (next)
        return next;
    bool others = v->threads.head || v->programs.head || v->low.head;
    if (v->current && v->current->active && (v->current != v->idle || !others))
        return v->current;
    return switch_task(v);
}

#define STEPS_MAX 2000000u /* of a vCPU's tasks one after the other, none of which takes time */

/* Runs what is next until something takes time, or the vCPU leaves its pCPU. */
static void dispatch(struct sim_host *host, struct sim_vcpu *v)
{
    unsigned steps = 0;
    while (!v->blocked && !v->yields && !host->stands_still) {
        host->stands_still = ++steps > STEPS_MAX;
        struct sim_task *task = choose(v);
        vcpu_charge(v, v->pcpu->clock_ns, task->cell);
        v->running = task;
        if (task->active && task->left_ns > 0)
            return;
        task->active = false;
        task->step(host, task);
        if (task->active)
            vcpu_charge(v, v->pcpu->clock_ns, task->cell);
    }
    if (v->blocked)
        v->running = NULL;
}

void kernel_act(struct sim_host *host, struct sim_vcpu *v)
{
    dispatch(host, v);
    v->pcpu->work_ns = v->pcpu->clock_ns;
}

void kernel_resume(struct sim_host *host, struct sim_vcpu *v)
{
    if (wants_ticks(v))
        resume_ticks(host, v);
    if (!v->running || kernel_interrupted(v))
        kernel_act(host, v);
}

/* ---- the tasks that every kernel has ---- */

static void idle_step(struct sim_host *host, struct sim_task *idle)
{
    (void)host;
    struct sim_vcpu *v = idle->vcpu;
    if (task_works_first(idle, v->domain->plan->idle_ns, v->domain->own_cell))
        return;
    emit_hypercall_command(v->pcpu, HYPERCALL_VCPU_OP, VCPUOP_SET_SINGLESHOT_TIMER);
    vcpu_block(v);
}

/* Programs take turns when the timer interrupts one of them. */
static void take_turns(struct sim_vcpu *v)
{
    struct sim_task *current = v->current;
    if (current && current != v->idle && current->kind == TASK_PROGRAM && current->active &&
        v->programs.head) {
        task_wake(current);
        v->current = v->idle;
    }
}

static void timer_step(struct sim_host *host, struct sim_task *timer)
{
    (void)host;
    struct sim_vcpu *v = timer->vcpu;
    if (task_works_first(timer, v->domain->plan->timer_ns, v->domain->own_cell))
        return;
    emit_hypercall_command(v->pcpu, HYPERCALL_VCPU_OP, VCPUOP_SET_SINGLESHOT_TIMER);
    take_turns(v);
}

/* An interrupt from another vCPU of the domain: a thread was made runnable. */
static void reschedule_step(struct sim_host *host, struct sim_task *task)
{
    (void)host;
    task_works_first(task, task->vcpu->domain->plan->interrupt_ns, task->vcpu->domain->own_cell);
}

bool kernel_init(struct sim_host *host, struct sim_vcpu *v)
{
    v->idle = calloc(1, sizeof *v->idle);
    v->timer_interrupt = calloc(1, sizeof *v->timer_interrupt);
    v->reschedule = calloc(1, sizeof *v->reschedule);
    v->ksoftirqd = calloc(1, sizeof *v->ksoftirqd);
    v->tick = (struct sim_timer){.due = tick_due, .context = v};
    if (!v->idle || !v->timer_interrupt || !v->reschedule || !v->ksoftirqd || !host_add_timer(host, &v->tick))
        return false;
    v->current = v->idle;
    return task_init(v->idle, v, TASK_PROGRAM, idle_step, NULL) &&
           task_init(v->timer_interrupt, v, TASK_INTERRUPT, timer_step, NULL) &&
           task_init(v->reschedule, v, TASK_INTERRUPT, reschedule_step, NULL) &&
           task_init(v->ksoftirqd, v, TASK_THREAD, ksoftirqd_step, NULL);
}

void kernel_free(struct sim_vcpu *v)
{
    free(v->idle);
    free(v->timer_interrupt);
    free(v->reschedule);
    free(v->ksoftirqd);
}
