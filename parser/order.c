#include "order.h"

#include <stdlib.h>
#include <string.h>

void order_free(struct order *o)
{
    free(o->heap);
    o->heap = NULL;
}

uint64_t order_sweep(struct order *o, const struct decoder *d)
{
    uint64_t ended = d->sweep - 1;
    uint64_t watermark = o->sweep_max;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        bool writing = s->last_sweep >= ended;
        bool perhaps_blind = s->perhaps_blind && ended - s->last_sweep < BLIND_WAIT_SWEEPS;
        if (s->begun && (writing || perhaps_blind) && s->last_tsc < watermark)
            watermark = s->last_tsc;
    }
    o->sweep_max = d->tsc_last;
    if (watermark > o->watermark)
        o->watermark = watermark;
    return o->watermark;
}

static inline const struct event *head(const struct stream *s)
{
    return &s->events[s->head];
}

static inline bool before(const struct stream *a, const struct stream *b)
{
    uint64_t x = head(a)->tsc, y = head(b)->tsc;
    return x < y || (x == y && a->pcpu < b->pcpu);
}

static void sift_down(struct order *o, unsigned at)
{
    struct stream **heap = o->heap, *s = heap[at];
    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= o->n)
            break;
        if (child + 1 < o->n && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], s))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = s;
}

int order_begin(struct order *o, const struct decoder *d, uint64_t watermark)
{
    if (o->capacity < d->pcpus_n) {
        struct stream **heap = realloc(o->heap, d->pcpus_n * sizeof(struct stream *));
        if (!heap)
            return -1;
        o->heap = heap;
        o->capacity = d->pcpus_n;
    }
    o->watermark = watermark;
    o->n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        if (s->head < s->n && head(s)->tsc <= watermark)
            o->heap[o->n++] = s;
    }
    for (unsigned i = o->n / 2; i-- > 0;)
        sift_down(o, i);
    return 0;
}

/* How far the top stream may be read before another one's turn comes: its events < limit, or == when it goes first. */
static inline uint64_t turn_limit(const struct order *o, const struct stream *top)
{
    const struct stream *next = o->n > 1 ? o->heap[1] : NULL;
    if (o->n > 2 && before(o->heap[2], next))
        next = o->heap[2];
    if (!next || head(next)->tsc > o->watermark)
        return o->watermark;
    uint64_t limit = head(next)->tsc;
    /* The top is not after `next`, so limit >= 1 whenever `next` goes first among equals. */
    return top->pcpu < next->pcpu ? limit : limit - 1;
}

size_t order_take(struct order *o, struct event *to, size_t room)
{
    size_t taken = 0;
    while (o->n > 0 && taken < room) {
        struct stream *s = o->heap[0];
        uint64_t limit = turn_limit(o, s);
        const struct event *e = &s->events[s->head], *end = &s->events[s->n];
        if ((size_t)(end - e) > room - taken)
            end = e + (room - taken);
        do
            to[taken++] = *e++;
        while (e < end && e->tsc <= limit);
        s->head = (size_t)(e - s->events);
        if (s->head == s->n || head(s)->tsc > o->watermark)
            o->heap[0] = o->heap[--o->n];
        if (o->n > 0)
            sift_down(o, 0);
    }
    return taken;
}
