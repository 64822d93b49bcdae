/*
 * The merge is a tournament: a leaf for each stream holds the key of its next event, an inner node the loser (the later
 * one) of the two that met there, and node 0 the winner, which is delivered; its stream's next key then plays its way up
 * again. A key is made so that one comparison, and no branch, decides: where records of many pCPUs interleave nothing
 * could foresee it.
 */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "record_time.h"
#include "runs.h"

/* A key: the cycles since `base`, then the number of the leaf, so that among equals the lower pCPU goes first. */
#define LEAF_BITS 12
#define KEY_CYCLES                                                                                           \
    ((UINT64_MAX >> LEAF_BITS) - 1) /* three weeks at 2.4 GHz; what is later waits for another base */
#define KEY_NONE UINT64_MAX

_Static_assert(PCPUS_MAX <= 1 << LEAF_BITS, "a leaf's number fits into its bits");

struct cursor {
    struct stream *stream;
    const struct event *at, *next, *end; /* `next`: the event after `at` and those attached to it, */
    uint64_t next_key;                   /* and its key, read ahead */
};

bool order_init(struct order *o, struct decoder *d)
{
    *o = (struct order){.decoder = d, .tsc_first = UINT64_MAX, .model_end = UINT64_MAX};
    d->judge = record_time_judge;
    d->judge_context = o;
    o->steps = calloc(PCPUS_MAX, sizeof *o->steps);
    return o->steps != NULL;
}

void order_free(struct order *o)
{
    silences_free(&o->silences);
    free(o->cursors);
    free(o->tree);
    free(o->steps);
    o->cursors = NULL;
    o->tree = NULL;
}

/* ---- how far ---- */

void order_window(struct order *o, struct stream *s, bool ended)
{
    stream_raise_late(s);
    if (ended && s->begun && s->last_tsc > o->tsc_last)
        o->tsc_last = s->last_tsc;
    o->steps[s->pcpu].last.last_tsc = s->last_tsc;
    runs_take(o, s, s->fresh);
    runs_withhold(o, s);
    s->fresh = s->n;
}

/* How long the pCPU, which has written, is silent by the time of `tsc`. */
static uint64_t silence_at(const struct stream *s, uint64_t tsc)
{
    return tsc > s->last_tsc ? tsc - s->last_tsc : 0;
}

/* A sweep is over. A pCPU whose ring was full is not silent: its records are lost. */
static void note_silence(struct stream *s, uint64_t sweep_tsc)
{
    uint64_t silent = s->perhaps_blind ? 0 : silence_at(s, sweep_tsc);
    if (silent > s->longest_silence)
        s->longest_silence = silent;
    s->sweeps++;
}

/* As long as no record of the trace has a time, what is queued is not held back for one. */
static void begin_without_times(struct order *o)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; o->tsc_first == UINT64_MAX && i < d->pcpus_n; i++)
        stream_set_time(d->streams[d->pcpus[i]], 0);
}

int order_sweep(struct order *o)
{
    const struct decoder *d = o->decoder;
    if (o->strangers.windows > 0 || decoder_was_cut(d))
        return 0; /* perhaps another capture begins: then nothing that its windows seem to say is true */
    runs_judge(o, false);
    uint64_t ended = d->sweep - 1;
    uint64_t watermark = o->sweep_max, first = UINT64_MAX;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        const struct step_window *w = &o->steps[s->pcpu].last;
        if (w->sweep == ended && w->first_tsc < first)
            first = w->first_tsc;
        bool writing = s->last_sweep >= ended && !o->steps[s->pcpu].out;
        bool perhaps_blind = s->perhaps_blind && ended - s->last_sweep < BLIND_WAIT_SWEEPS;
        if (s->begun && (writing || perhaps_blind) && s->last_tsc < watermark)
            watermark = s->last_tsc;
        if (step_is_pending(o, s->pcpu, ended) && o->steps[s->pcpu].leap.from < watermark)
            watermark = o->steps[s->pcpu].leap.from;
        if (s->begun)
            note_silence(d->streams[d->pcpus[i]], o->tsc_last);
    }
    o->sweep_max = o->tsc_last;
    silences_sweep(&o->silences, first, o->tsc_last);
    if (watermark > o->watermark)
        o->watermark = watermark;
    o->decoder->earliest_tsc = o->watermark;
    /* The window that shows that the sweep has ended began before that, but nothing of it was decoded. */
    o->decoder->current->earliest_tsc = o->watermark;
    begin_without_times(o);
    return step_blind(o, o->watermark);
}

/* ---- times ---- */

/* Brings the times of a stream into order. Time 0 is where the trace begins; a loss after it that began before begins there, too. */
static void settle(const struct order *o, struct stream *s)
{
    stream_settle(s);
    bool known = order_beginning_is_known(o);
    uint64_t beginning = o->tsc_first < s->first_tsc ? o->tsc_first : s->first_tsc;
    bool untimed = known && s->head < s->n && s->events[s->head].tsc == 0;
    for (size_t i = s->head; untimed && i < s->n && s->events[i].tsc < beginning; i++)
        s->events[i].tsc = beginning;
}

/* ---- the end ---- */

#define BUSY_SWEEPS 4 /* a pCPU that wrote in so many sweeps in a row, */
#define BUSY_BYTES                                                                                           \
    2048 /* so much at least in a time as long as the last sweep, does not fall silent in that one, */
#define BUSY_FACTOR    2 /* for longer by this factor than ever before */
#define TALKING_SWEEPS 8 /* nor does one become silent for longer by this factor than it ever was */
#define TALKING_FACTOR 8 /* in so many sweeps or more */

/* Whether the pCPU, of which nothing was read in the last sweep, would have written in it. */
static bool lacks_window(const struct order *o, const struct stream *s, double last)
{
    uint64_t silent = silence_at(s, o->tsc_last);
    bool busy = s->last_sweep + 1 == o->decoder->sweep && s->sweeps_in_row >= BUSY_SWEEPS &&
                s->least_bytes * last >= BUSY_BYTES && silent / BUSY_FACTOR > s->longest_silence;
    bool talking = s->sweeps >= TALKING_SWEEPS && silent / TALKING_FACTOR > s->longest_silence;
    return (int)s->pcpu > o->decoder->last_pcpu && s->begun && (busy || talking);
}

/*
 * Whether the input ends in the middle of a sweep, though at the end of a window: the windows of pCPUs that always write
 * are missing. A capture that ended orderly may have a short last sweep, in which pCPUs have nothing to write.
 */
static bool lacks_windows(const struct order *o)
{
    const struct decoder *d = o->decoder;
    if (d->sweep <= BUSY_SWEEPS || o->sweep_max <= o->tsc_first || o->tsc_last <= o->sweep_max)
        return false;
    double usual = (double)(o->sweep_max - o->tsc_first) / (double)(d->sweep - 1);
    double last = (double)(o->tsc_last - o->sweep_max) / usual;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        if (lacks_window(o, d->streams[d->pcpus[i]], last))
            return true;
    return false;
}

/*
 * Up to when all records of a pCPU are there, in an input that was cut. Of those read in the last sweep: up to the last
 * record of any pCPU that was read before. Of the others: up to the watermark. A ring that was full says no more.
 */
static uint64_t complete_until(const struct order *o, const struct stream *s, uint64_t *read_before)
{
    const struct decoder *d = o->decoder;
    if ((int)s->pcpu > d->last_pcpu)
        return s->last_tsc > o->watermark ? s->last_tsc : o->watermark;
    if (s->last_sweep == d->sweep && s->last_tsc > *read_before)
        *read_before = s->last_tsc;
    return (int)s->pcpu == d->last_pcpu || s->perhaps_blind ? s->last_tsc : *read_before;
}

/* The model gets no more of the stream than up to `end`, by the times with which events are delivered. */
static void end_for_model(const struct order *o, struct stream *s, uint64_t end)
{
    settle(o, s);
    for (size_t i = s->n; i-- > s->head && s->events[i].tsc > end;)
        s->events[i].flags &= (uint8_t)~EVENT_MODEL;
}

/*
 * What the model gets ends: for its sake, where the input was cut, or where the last record is that it is given. The time of
 * pCPUs that are not used is blind up to there.
 */
static int end_model(struct order *o)
{
    const struct decoder *d = o->decoder;
    o->used_last = runs_used_last(o);
    if (o->used_last < o->tsc_last && o->used_last < o->model_end)
        o->model_end = o->used_last;
    if (step_blind(o, o->tsc_last < o->model_end ? o->tsc_last : o->model_end) != 0)
        return -1;
    for (unsigned i = 0; o->model_end < UINT64_MAX && i < d->pcpus_n; i++)
        end_for_model(o, d->streams[d->pcpus[i]], o->model_end);
    return 0;
}

/*
 * Rings that were full when tracing ended: their pCPUs wrote nothing since, and no record reports what they lost. Only where
 * others did so is it known how large a full ring is. And pCPUs whose last records are damaged. -1 when there is no memory.
 */
static int end_full_rings(struct order *o)
{
    struct decoder *d = o->decoder;
    for (unsigned i = 0; d->model && i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        bool lost = s->old_lost || (d->rings_fill && s->perhaps_blind);
        if (!s->begun || !lost || s->last_tsc >= o->tsc_last)
            continue;
        if (!stream_reserve(s, 2))
            return -1;
        /* It may have been silent for so long that it was waited for no longer: the watermark has passed its last record. */
        uint64_t at = s->last_tsc > o->watermark ? s->last_tsc : o->watermark;
        stream_insert_blind(s, at, s->last_tsc, o->tsc_last, 0, UINT32_MAX);
        d->queued += 2;
        s->fresh = s->n;
    }
    return 0;
}

int order_end(struct order *o, bool cut)
{
    const struct decoder *d = o->decoder;
    uint64_t end = UINT64_MAX, read_before = o->watermark;
    if (!step_end(o))
        return -1;
    cut |= d->quality->truncated_bytes > 0; /* as may be known now only */
    runs_judge(o, true);
    for (unsigned i = 0; i < d->pcpus_n && (cut || (cut = lacks_windows(o))); i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        uint64_t until = complete_until(o, s, &read_before);
        if (s->begun && until < end)
            end = until;
    }
    o->first_sweep_cut = cut && d->sweep == 1;
    if (!cut && end_full_rings(o) != 0)
        return -1;
    if (cut)
        o->model_end = end > o->watermark ? end : o->watermark;
    if (o->tsc_last < o->watermark)
        o->tsc_last = o->watermark;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        stream_set_time(d->streams[d->pcpus[i]], o->tsc_last);
    o->watermark = UINT64_MAX;
    return end_model(o);
}

int order_use_clock(struct order *o, const struct clock *clock)
{
    o->clock = clock;
    silences_use_clock(&o->silences, clock);
    runs_take_queued(o);
    bool end = o->watermark == UINT64_MAX;
    runs_judge(o, end);
    /* What a clock that is found to have been set hides is blind before anything of it is delivered. */
    return end ? end_model(o) : step_blind(o, o->watermark);
}

/* ---- the merge ---- */

/* The key of an event of the leaf; none at the end of its events, or beyond the horizon. */
static inline uint64_t key_of(const struct order *o, const struct event *e, const struct event *end,
                              uint64_t leaf)
{
    if (e >= end || e->tsc > o->horizon)
        return KEY_NONE;
    return (e->tsc - o->base) << LEAF_BITS | leaf;
}

/* The event after this one and those attached to it. */
static inline const struct event *next_of(const struct event *e, const struct event *end)
{
    do
        e++;
    while (e < end && e->slot >= EVENT_ATTACHED);
    return e;
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

/* The latest tsc of events that are final. What no time of the trace is known for by now is so at time 0. */
static uint64_t last_final(const struct order *o)
{
    return o->ready > 0 ? o->ready - 1 : 0;
}

/* Sets up the tournament of the streams' first events. */
static void begin(struct order *o)
{
    const struct decoder *d = o->decoder;
    bool can_deliver = order_can_deliver(o) && (o->ready > 0 || o->tsc_first == UINT64_MAX);
    uint64_t last = last_final(o);
    o->n = 0;
    o->base = UINT64_MAX;
    for (unsigned i = 0; can_deliver && i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        if (s->head == s->n || s->events[s->head].tsc > last)
            continue;
        const struct event *head = s->events + s->head, *end = s->events + s->n;
        if (head->tsc < o->base)
            o->base = head->tsc;
        o->cursors[o->n++] = (struct cursor){.stream = s, .at = head, .next = next_of(head, end), .end = end};
    }
    bool near = o->n == 0 || last - o->base < KEY_CYCLES;
    const struct hole *hole = silences_hole(&o->silences);
    o->horizon = near ? last : o->base + KEY_CYCLES;
    if (hole && hole->to <= o->horizon)
        o->horizon = hole->to - 1;
    o->leaves = o->n > 0 ? 1 : 0;
    while (o->leaves < o->n)
        o->leaves *= 2;
    memset(o->tree, 0, o->leaves * sizeof *o->tree);
    /* Whoever comes first to an inner node waits there: 0 loses to nobody, and goes up until the tree is full. */
    for (unsigned leaf = 0; leaf < o->leaves; leaf++) {
        uint64_t key = KEY_NONE;
        if (leaf < o->n) {
            struct cursor *c = &o->cursors[leaf];
            key = key_of(o, c->at, c->end, leaf);
            c->next_key = key_of(o, c->next, c->end, leaf);
        }
        o->tree[0] = replay(o->tree, o->leaves, leaf, key);
    }
}

/* Before when nothing is to be decided any more of what has arrived. */
static uint64_t decided_until(const struct order *o)
{
    const struct decoder *d = o->decoder;
    uint64_t until = o->watermark;
    if (o->clock && d->model && until < UINT64_MAX) {
        uint64_t decided = runs_silence_decided(o);
        until = decided < until ? decided : until;
    }
    for (unsigned i = 0; o->watermark < UINT64_MAX && i < d->pcpus_n; i++) {
        uint64_t decided = runs_decided(o, d->pcpus[i], d->sweep - 1);
        until = decided < until ? decided : until;
    }
    return until;
}

int order_begin(struct order *o)
{
    const struct decoder *d = o->decoder;
    unsigned leaves = 1;
    while (leaves < d->pcpus_n)
        leaves *= 2;
    if (make_room(o, leaves) != 0)
        return -1;
    uint64_t ready = decided_until(o);
    o->ready = ready > o->ready ? ready : o->ready;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        settle(o, d->streams[d->pcpus[i]]);
    if (o->clock) /* what ends after the model does is no hole of the result */
        silences_settle(&o->silences, d, o->clock, o->ready < o->model_end ? o->ready : o->model_end);
    begin(o);
    return o->no_memory || o->silences.no_memory ? -1 : 0;
}

/* The same as order_take, up to the horizon. */
static size_t take(struct order *o, struct event *to, size_t room)
{
    size_t taken = 0;
    uint64_t winner = o->leaves > 0 ? o->tree[0] : KEY_NONE;
    while (winner != KEY_NONE && taken < room) {
        uint64_t leaf = winner & ((1u << LEAF_BITS) - 1);
        struct cursor *c = &o->cursors[leaf];
        const struct event *next = c->next;
        __builtin_prefetch(next + 16); /* across pages, where the hardware does not */
        to[taken++] = *c->at;
        while (++c->at < next)
            to[taken++] = *c->at;
        winner = replay(o->tree, o->leaves, leaf, c->next_key);
        c->next = next_of(next, c->end);
        c->next_key = key_of(o, c->next, c->end, leaf);
    }
    if (o->leaves > 0)
        o->tree[0] = winner;
    for (unsigned leaf = 0; leaf < o->n; leaf++) {
        struct cursor *c = &o->cursors[leaf];
        c->stream->head = (size_t)(c->at - c->stream->events);
    }
    return taken;
}

/* All before a hole's end was delivered, if there is one: it is delivered, and counted. Returns the events of it. */
static size_t take_hole(struct order *o, struct event *to)
{
    const struct hole *hole = silences_hole(&o->silences);
    struct quality *q = o->decoder->quality;
    if (!hole || o->horizon != hole->to - 1)
        return 0;
    uint64_t from_ns = clock_ns(o->clock, hole->from);
    if (q->holes++ == 0)
        q->hole_at_ns = from_ns;
    q->hole_ns += clock_ns(o->clock, hole->to) - from_ns;
    *to = (struct event){.tsc = hole->to,
                         .slot = EVENT_HOLE,
                         .flags = EVENT_MODEL,
                         .w = {(uint32_t)hole->from, (uint32_t)(hole->from >> 32)}};
    silences_hole_delivered(&o->silences);
    o->decoder->queued += o->decoder->model;
    return o->decoder->model;
}

size_t order_take(struct order *o, struct event *to, size_t room)
{
    size_t taken = take(o, to, room);
    while (taken < room && o->horizon < last_final(o)) {
        taken += take_hole(o, to + taken);
        begin(o);
        taken += take(o, to + taken, room - taken);
    }
    return taken;
}
