#include "charge_marks.h"

#include <stdlib.h>
#include <string.h>

bool marks_init(struct charging *c)
{
    c->marks = calloc(PCPUS_MAX, sizeof *c->marks);
    for (size_t p = 0; c->marks && p < PCPUS_MAX; p++)
        c->marks[p].next_ns = UINT64_MAX;
    return c->marks != NULL;
}

void marks_free(struct charging *c)
{
    for (size_t p = 0; c->marks && p < PCPUS_MAX; p++)
        free(c->marks[p].at);
    free(c->marks);
}

void marks_take(struct charging *c, const struct task_marks *marks)
{
    struct mark_queue *q = c->marks && marks->pcpu < PCPUS_MAX ? &c->marks[marks->pcpu] : NULL;
    if (!q || marks->n == 0)
        return;
    if (q->head > 0)
        memmove(q->at, q->at + q->head, (q->n - q->head) * sizeof *q->at);
    q->n -= q->head;
    q->head = 0;
    if (!charging_make_space(c, &q->at, &q->capacity, q->n + marks->n, sizeof *q->at))
        return;
    for (size_t i = 0; i < marks->n; i++) {
        while (q->n > 0 && q->at[q->n - 1] > marks->at[i])
            q->n--; /* the pCPU's clock was set back: what it wrote before cannot be distinguished from what comes */
        q->at[q->n++] = marks->at[i];
    }
    marks_find_next(c, q);
}

void marks_skip(struct charging *c, uint16_t pcpu)
{
    while (c->marks && c->marks[pcpu].next_ns <= c->now_ns)
        marks_pass(c, pcpu);
}
