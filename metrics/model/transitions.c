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

static void push(struct transitions *q, struct put_back item)
{
    if (!array_make_room(&q->heap, &q->heap_capacity, q->heap_n + 1, sizeof *q->heap)) {
        q->failed = true;
        return;
    }
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
            push(q, (struct put_back){t, q->taken + (q->n - q->head), q->serial++});
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

static void drop_io(struct transition *t)
{
    if (t->kind == TRANSITION_IO)
        t->kind = TRANSITION_REMOVED;
}

void transitions_drop_io(struct transitions *q)
{
    for (size_t i = q->head; i < q->n; i++)
        drop_io(&q->items[i]);
    for (size_t i = 0; i < q->heap_n; i++)
        drop_io(&q->heap[i].transition);
}

/* ---- snapshots ---- */

/* What is in a snapshot of all that wait. */
struct limits {
    uint64_t least_ns;
    size_t vcpus_n, lives_n;
};

/* What `vcpu` and `value` of an I/O record are depends on the record. */
static void io_snapshot(struct snapshot *s, struct transition *t, const struct limits *l)
{
    uint8_t record = t->from;
    SNAPSHOT(s, record, IO_RECORD_IRQ);
    t->from = record & 15;
    SNAPSHOT(s, t->pcpu, PCPUS_MAX - 1);
    bool named = record == IO_RECORD_MAP || record == IO_RECORD_UNMAP || record == IO_RECORD_TRANSFER;
    SNAPSHOT_ID(s, t->vcpu, named ? l->lives_n : l->vcpus_n);
    SNAPSHOT(s, t->value, record == IO_RECORD_WAKE && l->lives_n > 0 ? l->lives_n - 1 : UINT32_MAX);
    s->failed = s->failed || (named && t->vcpu == NOBODY) || (record == IO_RECORD_WAKE && l->lives_n == 0);
}

static void state_snapshot(struct snapshot *s, struct transition *t, const struct limits *l)
{
    uint8_t from = t->from, to = t->to;
    SNAPSHOT_ID(s, t->vcpu, l->vcpus_n);
    SNAPSHOT_ID(s, t->pcpu, PCPUS_MAX);
    SNAPSHOT(s, from, RUNSTATES - 1);
    SNAPSHOT(s, to, RUNSTATES - 1);
    t->from = from & 15;
    t->to = to & 15;
    s->failed = s->failed || t->vcpu == NOBODY;
}

static void transition_snapshot(struct snapshot *s, struct transition *t, const struct limits *l)
{
    struct transition of = *t;
    if (of.kind == TRANSITION_REMOVED)
        of = (struct transition){.time_ns = of.time_ns, .kind = TRANSITION_REMOVED};
    SNAPSHOT_TIME(s, of.time_ns);
    s->failed |= of.time_ns < l->least_ns;
    SNAPSHOT(s, of.kind, TRANSITION_DARK);
    if (of.kind == TRANSITION_APPEAR)
        SNAPSHOT_TIME(s, of.value);
    else if (of.kind != TRANSITION_REMOVED && of.kind != TRANSITION_IO)
        SNAPSHOT(s, of.value, of.kind == TRANSITION_STATE ? RUN_VALUE_MAX : UINT32_MAX);
    if (of.kind < TRANSITION_IO)
        state_snapshot(s, &of, l);
    else if (of.kind == TRANSITION_IO)
        io_snapshot(s, &of, l);
    else if (of.kind != TRANSITION_REMOVED && of.kind != TRANSITION_DARK)
        s->failed = true; /* it is none of the model's */
    if (s->from)
        *t = of;
}

/* How many were in order before it, of those that wait; fewer if some were taken. */
static void put_back_snapshot(struct transitions *q, struct snapshot *s, struct put_back *p,
                              const struct limits *l)
{
    uint64_t after = p->appended > q->taken ? p->appended - q->taken : 0;
    transition_snapshot(s, &p->transition, l);
    SNAPSHOT(s, after, q->n - q->head);
    SNAPSHOT(s, p->serial, INT64_MAX);
    p->appended = q->taken + after;
}

void transitions_snapshot(struct transitions *q, struct snapshot *s, uint64_t least_ns, size_t vcpus_n,
                          size_t lives_n)
{
    const struct transition none = {.vcpu = NOBODY, .pcpu = NO_PCPU};
    const struct limits limits = {least_ns, vcpus_n, lives_n};
    size_t n = snapshot_count(s, q->n - q->head, UINT32_MAX);
    for (size_t i = 0; i < n; i++) {
        struct transition t = none;
        transition_snapshot(s, s->from ? &t : &q->items[q->head + i], &limits);
        if (s->from && !s->failed)
            transitions_put(q, t);
    }
    n = snapshot_count(s, q->heap_n, UINT32_MAX);
    for (size_t i = 0; i < n; i++) {
        struct put_back p = {.transition = none};
        put_back_snapshot(q, s, s->from ? &p : &q->heap[i], &limits);
        if (s->from && !s->failed)
            push(q, p);
    }
    SNAPSHOT(s, q->serial, INT64_MAX);
    s->failed |= q->failed;
}
