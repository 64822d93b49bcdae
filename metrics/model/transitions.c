#include "transitions.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#define NEAR 64 /* an item so few places before the end is put there, else into the heap */

void transitions_free(struct transitions *q)
{
    free(q->items);
    free(q->heap);
}

static bool make_room(struct transitions *q)
{
    if (q->head == q->n)
        q->head = q->n = 0;
    if (q->n < q->capacity)
        return true;
    if (q->head > q->capacity / 2) {
        memmove(q->items, q->items + q->head, (q->n - q->head) * sizeof *q->items);
        q->n -= q->head;
        q->head = 0;
        return true;
    }
    size_t capacity = q->capacity ? q->capacity * 2 : 8192;
    struct transition *items = realloc(q->items, capacity * sizeof *items);
    if (!items) {
        q->failed = true;
        return false;
    }
    q->items = items;
    q->capacity = capacity;
    return true;
}

static bool earlier(const struct put_back *a, const struct put_back *b)
{
    if (a->transition.time_ns != b->transition.time_ns)
        return a->transition.time_ns < b->transition.time_ns;
    return a->serial < b->serial;
}

static void push(struct transitions *q, struct transition t)
{
    struct put_back *heap = array_reserve(q->heap, &q->heap_capacity, q->heap_n + 1, sizeof *heap);
    if (!heap) {
        q->failed = true;
        return;
    }
    q->heap = heap;
    struct put_back item = {t, q->taken + (q->n - q->head), q->serial++};
    size_t at = q->heap_n++;
    for (; at > 0 && earlier(&item, &q->heap[(at - 1) / 2]); at = (at - 1) / 2)
        q->heap[at] = q->heap[(at - 1) / 2];
    q->heap[at] = item;
}

static void pop(struct transitions *q)
{
    struct put_back last = q->heap[--q->heap_n];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= q->heap_n)
            break;
        if (child + 1 < q->heap_n && earlier(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!earlier(&q->heap[child], &last))
            break;
        q->heap[at] = q->heap[child];
        at = child;
    }
    q->heap[at] = last;
}

/*
 * More than NEAR items are later than any in the heap, which are taken before them. So who is put near the end is later than
 * all in the heap, and moves none of the items among which these have their places.
 */
void transitions_put_back(struct transitions *q, struct transition t)
{
    size_t later = 0;
    if (q->n == q->capacity && !make_room(q))
        return;
    while (later < q->n - q->head && q->items[q->n - 1 - later].time_ns > t.time_ns)
        if (++later > NEAR) {
            push(q, t);
            return;
        }
    struct transition *place = &q->items[q->n++ - later];
    memmove(place + 1, place, later * sizeof *place);
    *place = t;
}

/* Index of the first item later than time_ns. */
static size_t first_after(const struct transitions *q, uint64_t time_ns)
{
    size_t low = q->head, high = q->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (q->items[middle].time_ns > time_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool transitions_remove(struct transitions *q, uint32_t vcpu, uint64_t time_ns, struct transition *t)
{
    for (size_t i = first_after(q, time_ns); i > q->head && q->items[i - 1].time_ns == time_ns; i--) {
        struct transition *item = &q->items[i - 1];
        if (item->vcpu != vcpu || item->kind != TRANSITION_STATE)
            continue;
        *t = *item;
        item->kind = TRANSITION_REMOVED;
        return true;
    }
    return false;
}

uint32_t transitions_runner(const struct transitions *q, uint16_t pcpu, uint64_t time_ns)
{
    for (size_t i = first_after(q, time_ns); i < q->n; i++) {
        const struct transition *t = &q->items[i];
        if (t->kind != TRANSITION_STATE || t->pcpu != pcpu)
            continue;
        if (t->from == RUNSTATE_RUNNING)
            return t->vcpu;
        if (t->to == RUNSTATE_RUNNING)
            break;
    }
    return NOBODY;
}

static void forget_running(struct transition *t, uint16_t pcpu, uint64_t from_ns)
{
    bool state = t->kind == TRANSITION_STATE || t->kind == TRANSITION_APPEAR;
    if (state && t->to == RUNSTATE_RUNNING && t->pcpu == pcpu && t->time_ns >= from_ns)
        t->to = RUNSTATE_UNKNOWN;
}

void transitions_forget_running(struct transitions *q, uint16_t pcpu, uint64_t from_ns)
{
    for (size_t i = q->head; i < q->n; i++)
        forget_running(&q->items[i], pcpu, from_ns);
    for (size_t i = 0; i < q->heap_n; i++)
        forget_running(&q->heap[i].transition, pcpu, from_ns);
}

void transitions_pull_io(struct transitions *q, uint16_t pcpu, uint64_t time_ns)
{
    for (size_t i = first_after(q, time_ns); i < q->n; i++) {
        struct transition *item = &q->items[i];
        if (item->kind != TRANSITION_IO || item->pcpu != pcpu)
            continue;
        struct transition t = *item;
        t.time_ns = time_ns;
        item->kind = TRANSITION_REMOVED;
        transitions_put_back(q, t);
        i = first_after(q, time_ns) - 1; /* items have moved */
    }
}

void transitions_visit(struct transitions *q, uint64_t time_ns, transition_visitor *visit, void *context)
{
    for (size_t i = first_after(q, time_ns); i < q->n; i++)
        visit(context, &q->items[i]);
    for (size_t i = 0; i < q->heap_n; i++)
        if (q->heap[i].transition.time_ns > time_ns)
            visit(context, &q->heap[i].transition);
}

const struct transition *transitions_take_merged(struct transitions *q, uint64_t upto_ns)
{
    const struct transition *next = q->head < q->n ? &q->items[q->head] : NULL;
    if (q->heap_n > 0) {
        const struct put_back *top = &q->heap[0];
        uint64_t time_ns = top->transition.time_ns;
        bool first =
            !next || time_ns < next->time_ns || (time_ns == next->time_ns && top->appended <= q->taken);
        if (first) {
            if (time_ns > upto_ns)
                return NULL;
            q->out = top->transition;
            pop(q);
            return &q->out;
        }
    }
    if (!next || next->time_ns > upto_ns)
        return NULL;
    q->head++;
    q->taken++;
    return next;
}
