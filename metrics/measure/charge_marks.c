/* Marks, when they are due: what the kernels of driver domains say of their tasks. See charge_tasks.h. */
#include <string.h>

#include "charge_tasks.h"
#include "charging.h"
#include "metrics/array.h"

/* When the next mark of the queue was. */
static void find_next(const struct charging *c, struct mark_queue *q)
{
    q->next_ns = q->head == q->n ? UINT64_MAX : clock_ns(&c->clock, task_mark_tsc(q->at[q->head]));
}

void tasks_take_marks(struct charging *c, const struct task_marks *marks)
{
    struct mark_queue *q = c->marks && marks->pcpu < PCPUS_MAX ? &c->marks[marks->pcpu] : NULL;
    if (!q || marks->n == 0)
        return;
    if (q->head > 0)
        memmove(q->at, q->at + q->head, (q->n - q->head) * sizeof *q->at);
    q->n -= q->head;
    q->head = 0;
    size_t capacity = q->capacity;
    uint64_t *at = array_reserve(q->at, &q->capacity, q->n + marks->n, sizeof *at);
    if (!at) {
        c->failed = true;
        return;
    }
    c->memory += (q->capacity - capacity) * sizeof *at;
    q->at = at;
    for (size_t i = 0; i < marks->n; i++) {
        while (q->n > 0 && q->at[q->n - 1] > marks->at[i])
            q->n--; /* the pCPU's clock was set back: what it wrote before cannot be distinguished from what comes */
        q->at[q->n++] = marks->at[i];
    }
    find_next(c, q);
}

/* The next mark, which there is, is done with. */
static void pass_mark(const struct charging *c, struct mark_queue *q)
{
    q->head++;
    find_next(c, q);
}

void tasks_skip_marks(struct charging *c, uint16_t pcpu)
{
    struct mark_queue *q = &c->marks[pcpu];
    while (q->next_ns <= c->now_ns)
        pass_mark(c, q);
}

/* A return that ends nothing: a program in user mode makes one system call after the other. */
static inline bool ends_nothing(const struct charging_vcpu *v, enum task_mark mark)
{
    const struct task *t = &v->task;
    const struct period *p = v->period;
    return mark == TASK_RETURNS && t->begin == AT_RETURN && t->returns >= TASK_USER_RETURNS && !t->timer_ns &&
           v->copies == 0 && (!p || (!p->io && !p->arrivals));
}

void tasks_apply_marks(struct charging *c, uint32_t vcpu)
{
    struct mark_queue *q = &c->marks[c->vcpus[vcpu].pcpu];
    uint64_t now_ns = c->now_ns;
    if (charging_is_measured(c, vcpu))
        return;
    if (!charging_by_task(c, vcpu)) {
        charging_see_tasks(c, c->incarnations[c->population->vcpus[vcpu].life].idd);
        tasks_skip_marks(c, c->vcpus[vcpu].pcpu);
        return;
    }
    while (!c->failed && q->next_ns <= now_ns) {
        enum task_mark mark = task_mark_kind(q->at[q->head]);
        c->now_ns = q->next_ns;
        pass_mark(c, q);
        if (ends_nothing(&c->vcpus[vcpu], mark))
            c->vcpus[vcpu].task.from_ns = c->now_ns;
        else
            attribution_mark(c, vcpu, mark);
    }
    c->now_ns = now_ns;
}
