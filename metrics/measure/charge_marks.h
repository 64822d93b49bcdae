/* What the kernels of driver domains say of their tasks, until it is due. Part of charging per task (charge_tasks.h). */
#ifndef XENMETER_METRICS_CHARGE_MARKS_H
#define XENMETER_METRICS_CHARGE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "charging_state.h"
#include "parser/decode/task_marks.h"

/* Marks of a pCPU that were not applied yet: [head, n), ascending. */
struct mark_queue {
    uint64_t *at;
    size_t head, n, capacity;
    uint64_t next_ns; /* when at[head] was; UINT64_MAX: there is none */
};

/* False: no memory. */
bool marks_init(struct charging *c);
void marks_free(struct charging *c);

/* The next marks of a pCPU, which lie at or after the next transition. Nothing is done where T is no task. */
void marks_take(struct charging *c, const struct task_marks *marks);

/* Whether there are marks up to now_ns of the vCPU of a driver domain, which may run. */
static inline bool marks_due(const struct charging *c, uint32_t vcpu, uint64_t now_ns)
{
    return c->marks && c->vcpus[vcpu].slice && c->marks[c->vcpus[vcpu].pcpu].next_ns <= now_ns;
}

/* When the next mark of the queue was. */
static inline void marks_find_next(const struct charging *c, struct mark_queue *q)
{
    q->next_ns = q->head == q->n ? UINT64_MAX : clock_ns(&c->clock, task_mark_tsc(q->at[q->head]));
}

/* The next mark of the pCPU, which there is, is done with. */
static inline enum task_mark marks_pass(struct charging *c, uint16_t pcpu)
{
    struct mark_queue *q = &c->marks[pcpu];
    c->empty_cuts = 0;
    enum task_mark mark = task_mark_kind(q->at[q->head++]);
    marks_find_next(c, q);
    return mark;
}

/* A vCPU of a driver domain begins to run on the pCPU: marks up to now are nobody's. */
void marks_skip(struct charging *c, uint16_t pcpu);

#endif
