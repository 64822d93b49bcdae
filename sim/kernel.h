/*
 * kernel.h - what a vCPU runs: a PV guest's kernel, reduced to what a trace shows of it.
 *
 * Tasks (kernel threads, programs, the idle loop) and interrupt handlers are the same kind of thing: a state machine whose
 * step() is called when the work that it asked for is done, at that moment of the vCPU's pCPU. Interrupts run on top of the
 * task, and after them softirqs, as long as they do not run too long or keep a thread waiting that they woke; each vCPU
 * has its own tasks, which do not migrate. Records: stack_switch at each task switch, iret at the end of
 * interrupts, set_singleshot_timer, sched_op block when there is nothing to do.
 */
#ifndef XENMETER_SIM_KERNEL_H
#define XENMETER_SIM_KERNEL_H

#include "sim/host.h"

enum sim_task_kind {
    TASK_INTERRUPT, /* a handler: runs at once, on top of the task */
    TASK_SOFTIRQ, /* runs after handlers, on top of the task; of too many at a time a thread, ksoftirqd, runs the rest */
    TASK_THREAD, /* a kernel thread: runs before programs */
    TASK_PROGRAM /* a program: in turns with others */
};

struct sim_task {
    struct sim_vcpu *vcpu;
    /*
     * The work asked for is done, or the task was woken. Asks for more by task_work(); returns without: the task sleeps until
     * task_wake(). The vCPU runs on v->pcpu, whose clock is now.
     */
    void (*step)(struct sim_host *host, struct sim_task *task);
    void *context;
    struct sim_task *next;  /* in a list of the vCPU */
    uint64_t left_ns;       /* work until step() is called */
    uint32_t cell;          /* for whom it works: as charges of a driver domain; CELL_NONE in guests */
    uint8_t kind;           /* enum sim_task_kind */
    uint8_t phase;          /* of its state machine, its own to use */
    bool queued;            /* in one of the vCPU's lists */
    bool active;            /* it has asked for work, and step() was not called since */
    bool is_low;            /* a thread that runs when neither other threads nor programs want to */
    struct sim_timer alarm; /* wakes the task: task_sleep_until() */
};

/* Makes a task that sleeps. False: no memory. */
bool task_init(struct sim_task *task, struct sim_vcpu *v, enum sim_task_kind kind,
               void (*step)(struct sim_host *, struct sim_task *), void *context);

/* Within step(): so much CPU is wanted for that cell, then step() again. 0 ns: at once. */
void task_work(struct sim_task *task, uint64_t ns, uint32_t cell);

/* Within step(), of what acts once its work is done: the first time asks for the work and returns true, the second time false. */
bool task_works_first(struct sim_task *task, uint64_t ns, uint32_t cell);

/* Within step() of a task that then returns without work: the vCPU's timer wakes it. */
void task_sleep_until(struct sim_host *host, struct sim_task *task, uint64_t due_ns);

/* The thread has low priority, or not. Not within a step. */
void task_set_low(struct sim_task *thread, bool is_low);

/* Within a step() of the same vCPU: the task is to run. */
void task_wake(struct sim_task *task);

/* By an act on the pCPU `on`: the handler is pending on its vCPU. */
void interrupt_raise(struct sim_pcpu *on, struct sim_task *handler);

/* The vCPU runs on `from` and notifies the other end of an event channel: the hypercall, and the handler is pending there. */
void event_channel_send(struct sim_pcpu *from, struct sim_task *handler);

/* Makes the kernel of a vCPU. False: no memory. */
bool kernel_init(struct sim_host *host, struct sim_vcpu *v);
void kernel_free(struct sim_vcpu *v);

/* The vCPU's timer ticks while it runs a task, first at that time. */
void kernel_start_ticks(struct sim_host *host, struct sim_vcpu *v, uint64_t first_ns);

/* The vCPU runs, and its work is done, or it has just been switched in, or an interrupt has arrived. */
void kernel_act(struct sim_host *host, struct sim_vcpu *v);

/* The vCPU was switched in. */
void kernel_resume(struct sim_host *host, struct sim_vcpu *v);

/* Whether interrupts wait to be handled. */
static inline bool kernel_interrupted(const struct sim_vcpu *v)
{
    return v->interrupts.head != NULL && !v->in_interrupt;
}

#endif
