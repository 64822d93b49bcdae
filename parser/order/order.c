/*
 * The merge is a tournament: a leaf for each stream holds the key of its next event, an inner node the loser (the later
 * one) of the two that met there, and node 0 the winner, which is handed on; its stream's next key then plays its way up
 * again. A key is made so that one comparison, and no branch, decides: where records of many pCPUs interleave nothing
 * could foresee it.
 */
#include "order.h"

#include <stdlib.h>
#include <string.h>

/* A key: the cycles since `base`, then the number of the leaf, so that among equals the lower pCPU goes first. */
#define LEAF_BITS 12
#define KEY_CYCLES                                                                                           \
    ((UINT64_MAX >> LEAF_BITS) - 1) /* three weeks at 2.4 GHz; what is later still comes last */
#define KEY_NONE UINT64_MAX

_Static_assert(PCPUS_MAX <= 1 << LEAF_BITS, "a leaf's number fits into its bits");

struct cursor {
    struct stream *stream;
    const struct event *at, *end;
    uint64_t next_key; /* of the event behind `at`, read ahead */
};

void order_free(struct order *o)
{
    free(o->cursors);
    free(o->tree);
    o->cursors = NULL;
    o->tree = NULL;
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

/* The key of an event of the leaf; none at the end of its events, or behind the watermark. */
static inline uint64_t key_of(const struct order *o, const struct event *e, const struct event *end,
                              uint64_t leaf)
{
    if (e >= end || e->tsc > o->watermark)
        return KEY_NONE;
    uint64_t cycles = e->tsc > o->base ? e->tsc - o->base : 0;
    return (cycles < KEY_CYCLES ? cycles : KEY_CYCLES) << LEAF_BITS | leaf;
}

/* A key plays its way up from its leaf; returns the winner of all. */
static inline uint64_t replay(uint64_t *tree, unsigned leaves, uint64_t leaf, uint64_t key)
{
    for (uint64_t node = (leaf + leaves) / 2; node > 0; node /= 2) {
        uint64_t other = tree[node];
        tree[node] = other > key ? other : key;
        key = other > key ? key : other;
    }
    return key;
}

static int make_room(struct order *o, unsigned leaves)
{
    if (o->capacity >= leaves)
        return 0;
    struct cursor *cursors = realloc(o->cursors, leaves * sizeof *cursors);
    if (cursors)
        o->cursors = cursors;
    uint64_t *tree = realloc(o->tree, leaves * sizeof *tree);
    if (tree)
        o->tree = tree;
    if (!cursors || !tree)
        return -1;
    o->capacity = leaves;
    return 0;
}

/* Events that lie beyond a later one move back to it. */
static void move_back(struct stream *s, struct quality *q)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = s->n; i-- > s->head;) {
        if (s->events[i].tsc > least) {
            s->events[i].tsc = least;
            q->tsc_implausible++;
        }
        least = s->events[i].tsc;
    }
    s->pulled_back = false;
}

int order_begin(struct order *o, const struct decoder *d, uint64_t watermark)
{
    unsigned n = 0, leaves = 1;
    while (leaves < d->pcpus_n)
        leaves *= 2;
    if (make_room(o, leaves) != 0)
        return -1;
    o->watermark = watermark;
    o->base = UINT64_MAX;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        if (s->pulled_back)
            move_back(s, d->quality);
        if (s->head == s->n)
            continue;
        const struct event *head = s->events + s->head;
        if (head->tsc > watermark)
            continue;
        if (head->tsc < o->base)
            o->base = head->tsc;
        o->cursors[n++] = (struct cursor){.stream = s, .at = head, .end = s->events + s->n};
    }
    o->n = n;
    o->leaves = n > 0 ? 1 : 0;
    while (o->leaves < n)
        o->leaves *= 2;
    for (unsigned node = 0; node < o->leaves; node++)
        o->tree[node] = 0;
    /* Whoever comes first to an inner node waits there: 0 loses to nobody, and goes up until the tree is full. */
    for (unsigned leaf = 0; leaf < o->leaves; leaf++) {
        uint64_t key = KEY_NONE;
        if (leaf < n) {
            struct cursor *c = &o->cursors[leaf];
            key = key_of(o, c->at, c->end, leaf);
            c->next_key = key_of(o, c->at + 1, c->end, leaf);
        }
        o->tree[0] = replay(o->tree, o->leaves, leaf, key);
    }
    return 0;
}

size_t order_take(struct order *o, struct event *to, size_t room)
{
    if (o->leaves == 0)
        return 0;
    size_t taken = 0;
    uint64_t winner = o->tree[0];
    while (winner != KEY_NONE) {
        uint64_t leaf = winner & ((1u << LEAF_BITS) - 1);
        struct cursor *c = &o->cursors[leaf];
        if (taken >= room && c->at->slot != EVENT_MORE)
            break;
        to[taken++] = *c->at++;
        winner = replay(o->tree, o->leaves, leaf, c->next_key);
        c->next_key = key_of(o, c->at + 1, c->end, leaf);
    }
    o->tree[0] = winner;
    for (unsigned leaf = 0; leaf < o->n; leaf++) {
        struct cursor *c = &o->cursors[leaf];
        c->stream->head = (size_t)(c->at - c->stream->events);
    }
    return taken;
}
