#include "charge_tasks.h"

#include "charge_choice.h"
#include "charge_interrupts.h"
#include "charge_shares.h"
#include "charge_softirqs.h"
#include "charge_tally.h"
#include "idle_share.h"
#include "metrics/min_max.h"

static struct task *task_of(struct charging *c, uint32_t vcpu)
{
    return &c->vcpus[vcpu].task;
}

static bool is_thread(const struct task *t)
{
    return !t->idle && t->returns < TASK_USER_RETURNS;
}

/* ---- what a task runs by itself ---- */

/* What gathers it, made if there is nothing yet. NULL: no memory. */
static struct period *whole_of(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    if (t->whole)
        return t->whole;
    if (!charging_append(c, &c->open, vcpu))
        return NULL;
    t->open_at = (uint32_t)c->open.n - 1;
    t->whole = charging_new_period(c, vcpu, c->vcpus[vcpu].slice->from_ns);
    if (!t->whole)
        c->open.n--; /* `open` has those, and only those, that have one */
    return t->whole;
}

/*
 * Whether what is the driver domain's own is so for sure: it is neither spread, nor takes it part in sharing idle time, nor is
 * it compared with CPU times, nor unknown.
 */
static bool own_is_sure(const struct charging *c, uint32_t vcpu)
{
    bool taken = c->options.spread_own || c->options.charge_idle;
    return !taken && !(charging_driver(c, vcpu)->methods & CHARGE_THREADS) && !c->vcpus[vcpu].blind;
}

/* What the slice has before to_ns is idle time. */
static void give_idle(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct period *idle = idle_share_period(c, vcpu);
    if (idle)
        charging_part_slice(c, vcpu, to_ns, idle);
}

/* What tasks before this one left in the slice is the driver domain's own. */
static void give_own(struct charging *c, uint32_t vcpu)
{
    const struct task *t = task_of(c, vcpu);
    uint64_t from_ns = c->vcpus[vcpu].slice->from_ns, to_ns = t->own_to_ns;
    if (to_ns <= from_ns)
        return;
    if (c->options.charge_idle && t->own_idle) {
        give_idle(c, vcpu, to_ns);
        return;
    }
    if (own_is_sure(c, vcpu)) {
        charging_part_own(c, vcpu, to_ns);
        return;
    }
    struct period *own = charging_new_period(c, vcpu, from_ns);
    if (!own)
        return;
    charging_part_slice(c, vcpu, to_ns, own);
    charging_end_period(c, vcpu, own, to_ns);
}

/* What the slice has before to_ns is the task's. */
static void give_to_task(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    give_own(c, vcpu);
    if (to_ns <= c->vcpus[vcpu].slice->from_ns)
        return;
    struct period *whole = whole_of(c, vcpu);
    if (whole)
        charging_part_slice(c, vcpu, to_ns, whole);
}

static void close_whole(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *whole = t->whole;
    if (!whole)
        return;
    whole->of_thread = is_thread(t);
    if (whole->of_thread && whole->io)
        softirq_learn(c, whole);
    if (c->options.charge_idle && t->idle && !whole->io && !whole->partial)
        idle_share_take(c, vcpu, whole);
    whole->references++;
    charging_end_period(c, vcpu, whole, c->now_ns);
    interrupt_follows(c, vcpu, whole);
    charging_release_period(c, whole);
    t->whole = NULL;
    uint32_t last = c->open.at[--c->open.n];
    c->open.at[t->open_at] = last;
    task_of(c, last)->open_at = t->open_at;
}

/* ---- stretches ---- */

static void begin_stretch(struct charging *c, uint32_t vcpu, enum stretch_begin begin)
{
    struct task *t = task_of(c, vcpu);
    t->from_ns = c->now_ns;
    t->timer_ns = 0;
    t->begin = begin;
    interrupt_wakes(c, vcpu, NOBODY);
}

/* A thread's time, as its kernel counts it, goes on while interrupts are handled on top of it. */
static void count_interrupt(struct charging *c, uint32_t vcpu, uint64_t ns)
{
    struct period *whole = c->threads && is_thread(task_of(c, vcpu)) ? whole_of(c, vcpu) : NULL;
    if (whole)
        whole->interrupted_ns += ns;
}

/* The stretch, or its part before to_ns, is no part of the task: it goes to `period`. */
static void part_apart(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *period)
{
    struct task *t = task_of(c, vcpu);
    give_to_task(c, vcpu, t->from_ns);
    count_interrupt(c, vcpu, to_ns - t->from_ns);
    charging_part_slice(c, vcpu, to_ns, period);
    t->from_ns = to_ns;
}

/* The same, and it is charged by itself: by what `period` gathered. */
static void charge_apart(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *period)
{
    period->from_ns = task_of(c, vcpu)->from_ns;
    part_apart(c, vcpu, to_ns, period);
    charging_end_period(c, vcpu, period, to_ns);
}

/* The same by what happened in the stretch. */
static void charge_by_events(struct charging *c, uint32_t vcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct period *period = v->period;
    v->period = NULL;
    charge_apart(c, vcpu, c->now_ns, period);
}

/* The stretch, or its part before to_ns, is the driver domain's own. Of the idle loop and of programs the rest is, too. */
static void charge_own(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct task *t = task_of(c, vcpu);
    if (is_thread(t) && to_ns > t->from_ns) {
        struct period *own = charging_new_period(c, vcpu, t->from_ns);
        if (own)
            charge_apart(c, vcpu, to_ns, own);
    }
    t->from_ns = to_ns;
}

/*
 * The stretch, or its part before to_ns, is the timer's interrupt: the driver domain's own, or idle time that is shared out.
 * That of the idle loop is with the rest of it.
 */
static void charge_timer(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct task *t = task_of(c, vcpu);
    if (!c->options.charge_idle || t->idle || to_ns <= t->from_ns) {
        charge_own(c, vcpu, to_ns);
        return;
    }
    give_to_task(c, vcpu, t->from_ns);
    count_interrupt(c, vcpu, to_ns - t->from_ns);
    give_idle(c, vcpu, to_ns);
    t->from_ns = to_ns;
}

/* What happened in the stretch is the task's. */
static void merge_into_task(struct charging *c, uint32_t vcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct period *whole = whole_of(c, vcpu);
    if (whole)
        charging_merge_period(c, whole, v->period);
    v->task.from_ns = c->now_ns;
}

/* The stretch is an interrupt without any record. */
static void charge_unexplained(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *waits = (t->by_sibling && t->begin != AT_ARRIVAL) || c->now_ns == t->from_ns
                               ? NULL
                               : interrupt_waits(c, vcpu, t->from_ns);
    if (waits)
        part_apart(c, vcpu, c->now_ns, waits);
    else
        charge_own(c, vcpu, c->now_ns);
}

/* Whether the interrupt that ends has woken the vCPU from its idle loop. */
static bool woke_idle(const struct task *t)
{
    return t->idle && t->begin == AT_WAKE;
}

/* An interrupt without I/O has ended. */
static void interrupt_ends(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *p = c->vcpus[vcpu].period;
    if (t->timer_ns) {
        charge_timer(c, vcpu, c->now_ns);
        return;
    }
    if (woke_idle(t))
        interrupt_learn_entry(c, vcpu, c->now_ns - t->from_ns);
    if (!p || !p->arrivals) {
        t->from_ns += woke_idle(t) ? interrupt_entry(c, vcpu, c->now_ns - t->from_ns) : 0;
        charge_unexplained(c, vcpu);
        return;
    }
    p->half_own = woke_idle(t) && !c->options.charge_idle;
    charge_by_events(c, vcpu);
}

/* A handler with I/O has ended. */
static void charge_handler(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *p = c->vcpus[vcpu].period;
    if (woke_idle(t))
        t->from_ns += interrupt_entry(c, vcpu, c->now_ns - t->from_ns);
    if (t->begin >= AT_WAKE) {
        interrupt_learn(c, p, t->from_ns);
    } else if (t->begin < AT_RESUME && (!is_thread(t) || t->unmapped)) {
        t->from_ns = interrupt_began(c, p, t->from_ns);
        p->estimated = true;
    }
    charge_by_events(c, vcpu);
}

/* The stretch ends with an iret. */
static void end_by_return(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *p = c->vcpus[vcpu].period;
    bool io = p && p->io, interrupt = t->begin >= AT_RESUME;
    if (t->timer_ns && !interrupt)
        t->from_ns = t->timer_ns; /* the task's before */
    else if (t->timer_ns && io)
        charge_timer(c, vcpu, t->timer_ns);
    if (io)
        charge_handler(c, vcpu);
    else if (interrupt || t->timer_ns)
        interrupt_ends(c, vcpu);
    else if (t->returns < TASK_USER_RETURNS)
        t->returns++;
}

/* The stretch ends as the task stops, or switches, or is interrupted. */
static void end_by_task(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *p = c->vcpus[vcpu].period;
    if (p && p->io && is_thread(t))
        merge_into_task(c, vcpu);
    else if (p && p->io)
        charge_by_events(c, vcpu);
    else
        t->from_ns = c->now_ns;
}

static void end_stretch(struct charging *c, uint32_t vcpu, bool by_return)
{
    struct task *t = task_of(c, vcpu);
    /* The switch is the task's: of the idle loop the driver domain's own. It may be recorded after this. */
    t->from_ns = min64(t->from_ns + t->switch_ns, c->now_ns);
    t->switch_ns = 0;
    if (by_return)
        end_by_return(c, vcpu);
    else
        end_by_task(c, vcpu);
    t->unmapped = false;
}

/* What the guests' notifications were for is over. */
static void forget_arrivals(struct charging *c, uint32_t vcpu)
{
    struct period *p = c->vcpus[vcpu].period;
    if (p && p->arrivals)
        charging_clear_period(c, p);
}

/* ---- running ---- */

void tasks_begin(struct charging *c, uint32_t vcpu, uint32_t switch_ns)
{
    struct task *t = task_of(c, vcpu);
    t->own_to_ns = c->now_ns;
    begin_stretch(c, vcpu, t->slept ? AT_WAKE : AT_RESUME);
    t->switch_ns = switch_ns;
    t->slept = t->polls = t->whole_turn = false;
}

void tasks_stop(struct charging *c, uint32_t vcpu, bool slept, bool lost)
{
    struct task *t = task_of(c, vcpu);
    end_stretch(c, vcpu, false);
    give_own(c, vcpu);
    struct period *whole = whole_of(c, vcpu);
    if (!whole)
        return;
    whole->partial = whole->partial || lost;
    charging_end_slice(c, vcpu, whole);
    if (slept && !t->polls) {
        t->idle = t->slept = true;
        close_whole(c, vcpu);
        interrupt_sleeps(c, vcpu);
        t->by_sibling = false;
        idle_share_end(c, vcpu);
    }
    if (lost)
        tasks_forget(c, vcpu);
}

void tasks_forget(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    close_whole(c, vcpu);
    interrupt_ends_waiting(c, vcpu);
    idle_share_end(c, vcpu);
    forget_arrivals(c, vcpu);
    t->returns = 0;
    t->idle = t->slept = t->polls = t->unmapped = false;
}

void tasks_end_stretch(struct charging *c, uint32_t vcpu)
{
    end_stretch(c, vcpu, false);
    give_to_task(c, vcpu, c->now_ns);
}

void tasks_end_periods(struct charging *c)
{
    while (c->open.n > 0 && !c->failed) {
        uint32_t vcpu = c->open.at[c->open.n - 1];
        close_whole(c, vcpu);
        idle_share_end(c, vcpu);
    }
    interrupts_end_waiting(c);
    for (size_t i = 0; i < c->running.n && c->groups_open > 0; i++)
        idle_share_end(c, c->running.at[i]);
}

/* ---- what hypercalls tell ---- */

/*
 * All that the task ran in this slice is surely the driver domain's own: it goes on with the next task's, as far as that is
 * own, too, so that a slice is not cut more often than whose it is changes.
 */
static bool left_nothing(const struct charging *c, uint32_t vcpu)
{
    const struct charging_vcpu *v = &c->vcpus[vcpu];
    const struct task *t = &v->task;
    return !t->whole && !v->blind && (!is_thread(t) || charging_driver(c, vcpu)->awaiting.n == 0);
}

void tasks_switched(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    if (!c->vcpus[vcpu].slice)
        return;
    end_stretch(c, vcpu, false);
    if (left_nothing(c, vcpu)) {
        if (c->options.charge_idle && t->own_idle != t->idle)
            give_own(c, vcpu);
        t->own_idle = t->idle;
        t->own_to_ns = c->now_ns;
    } else {
        give_to_task(c, vcpu, c->now_ns);
        close_whole(c, vcpu);
    }
    forget_arrivals(c, vcpu);
    interrupt_next_task(c, vcpu);
    t->returns = 0;
    t->idle = false;
    t->whole_turn = true;
    t->turn_ns = c->now_ns;
    begin_stretch(c, vcpu, AT_SWITCH);
}

void tasks_returned(struct charging *c, uint32_t vcpu)
{
    if (!c->vcpus[vcpu].slice)
        return;
    end_stretch(c, vcpu, true);
    forget_arrivals(c, vcpu);
    task_of(c, vcpu)->by_sibling = false;
    begin_stretch(c, vcpu, AT_RETURN);
}

void tasks_timer_set(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    const struct period *p = c->vcpus[vcpu].period;
    if (!c->vcpus[vcpu].slice || t->timer_ns)
        return;
    if (p && p->io) {
        end_stretch(c, vcpu, t->begin >= AT_WAKE);
        begin_stretch(c, vcpu, AT_ARRIVAL);
    }
    t->timer_ns = c->now_ns;
}

void tasks_interrupted(struct charging *c, uint32_t vcpu)
{
    const struct task *t = task_of(c, vcpu);
    if (!c->vcpus[vcpu].slice || t->begin >= AT_WAKE)
        return;
    end_stretch(c, vcpu, false);
    begin_stretch(c, vcpu, AT_ARRIVAL);
}

void tasks_polls(struct charging *c, uint32_t vcpu)
{
    task_of(c, vcpu)->polls = true;
}

void tasks_arrived(struct charging *c, uint32_t vcpu, uint32_t pair)
{
    tasks_interrupted(c, vcpu);
    charging_tally_arrival(c, vcpu, pair);
}

void tasks_sibling_sent(struct charging *c, uint32_t vcpu)
{
    task_of(c, vcpu)->by_sibling = true;
}

void tasks_unmapped_none(struct charging *c, uint32_t vcpu)
{
    task_of(c, vcpu)->unmapped = true;
}

void tasks_received(struct charging *c, uint32_t vcpu)
{
    struct task *t = task_of(c, vcpu);
    struct period *p = charging_period(c, vcpu);
    if (!p)
        return;
    if (p->received == 0) {
        p->lead_known = t->whole_turn;
        p->lead_ns = c->now_ns - t->turn_ns;
    }
    t->whole_turn = false;
    p->received += p->received < UINT32_MAX;
}

bool tasks_end_copies(const struct charging *c, uint32_t vcpu)
{
    const struct task *t = &c->vcpus[vcpu].task;
    return !is_thread(t) || t->begin >= AT_WAKE;
}
