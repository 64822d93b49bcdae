#include "delay_book.h"

#include <stdlib.h>

#include "metrics/array.h"
#include "metrics/min_max.h"

void delay_book_init(struct delay_book *b, const struct delay_options *options)
{
    *b = (struct delay_book){.options = *options};
    if (b->options.to_ns == 0)
        b->options.to_ns = UINT64_MAX;
    for (size_t g = 0; g < options->granularities; g++) {
        struct open_interval *o = &b->open[g];
        o->length_ns = options->granularities_ns[g];
        o->start_ns = options->from_ns;
        o->first = o->length_ns ? options->from_ns / o->length_ns : 0;
        o->next_ns = o->length_ns ? (o->first + 1) * o->length_ns : UINT64_MAX;
    }
}

void delay_book_free(struct delay_book *b)
{
    for (size_t g = 0; g < b->options.granularities; g++) {
        delay_sums_free(&b->open[g].sums);
        free(b->open[g].later);
        free(b->open[g].intervals);
    }
    free(b->victims);
    free(b->rows);
}

size_t delay_book_memory(const struct delay_book *b)
{
    size_t memory = b->memory;
    for (size_t g = 0; g < b->options.granularities; g++)
        memory += b->open[g].sums.memory;
    return memory;
}

bool delay_book_make_room(struct delay_book *b, void *items, size_t *capacity, size_t n, size_t size)
{
    return array_make_counted(items, capacity, n, size, &b->memory, &b->failed);
}

/* ---- intervals ---- */

/* The stretch begins in the interval of that number: it is booked when that interval is the open one. */
static void book_later(struct delay_book *b, struct open_interval *o, uint64_t number,
                       const struct delay_stretch *s)
{
    size_t i = (size_t)(number - o->first);
    if (!delay_book_make_room(b, &o->later, &o->later_capacity, o->later_n + 1, sizeof *o->later) ||
        !delay_book_make_room(b, &o->intervals, &o->intervals_capacity, i + 1, sizeof *o->intervals))
        return;
    o->later[o->later_n++] = (struct later_stretch){*s, o->intervals[i]};
    o->intervals[i] = o->later_n;
}

/* Books a stretch that does not begin before the open interval. A delay counts in the interval that its end closes. */
static void book(struct delay_book *b, struct open_interval *o, const struct delay_stretch *s)
{
    if (s->from_ns >= o->next_ns) {
        book_later(b, o, s->from_ns / o->length_ns, s);
        return;
    }
    bool whole = s->to_ns <= o->next_ns, ends = whole && s->ends;
    const struct delay_sum part = {.culprit = s->culprit,
                                   .delayed_ns = min64(s->to_ns, o->next_ns) - s->from_ns,
                                   .count = ends,
                                   .max_ns = ends ? s->to_ns - s->since_ns : 0,
                                   .max_at_ns = ends ? s->to_ns : 0};
    b->failed = b->failed || !delay_sums_add(&o->sums, s->victim, &part);
    if (!whole) {
        struct delay_stretch rest = *s;
        rest.from_ns = o->next_ns;
        book_later(b, o, rest.from_ns / o->length_ns, &rest);
    }
}

/* What was known already of the interval that is open now. */
static void book_waiting(struct delay_book *b, struct open_interval *o)
{
    size_t number = (size_t)(o->start_ns / o->length_ns - o->first);
    if (number >= o->intervals_capacity)
        return;
    for (size_t at = o->intervals[number], next; at; at = next) {
        const struct delay_stretch s = o->later[at - 1].stretch;
        next = o->later[at - 1].next;
        book(b, o, &s);
    }
    o->intervals[number] = 0;
}

void delay_book_add(struct delay_book *b, const struct delay_stretch *stretch)
{
    const struct delay_options *asked = &b->options;
    if (stretch->to_ns <= asked->from_ns || stretch->from_ns >= asked->to_ns)
        return;
    struct delay_stretch s = *stretch;
    s.from_ns = max64(s.from_ns, asked->from_ns);
    s.to_ns = min64(s.to_ns, asked->to_ns);
    s.ends = s.ends && s.to_ns == stretch->to_ns;
    for (size_t g = 0; g < asked->granularities; g++)
        book(b, &b->open[g], &s);
}

/* ---- rows ---- */

static int compare_victims(const void *a, const void *b, void *population)
{
    const struct population *p = population;
    const struct vcpu_identity *x = &p->vcpus[*(const uint32_t *)a], *y = &p->vcpus[*(const uint32_t *)b];
    const struct incarnation *i = &p->incarnations[x->life], *k = &p->incarnations[y->life];
    int order = life_compare(i->domain, i->number, k->domain, k->number);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int compare_culprits(const void *a, const void *b)
{
    const struct delay *x = a, *y = b;
    int order = (x->kind > y->kind) - (x->kind < y->kind);
    return order ? order : life_compare(x->culprit, x->culprit_life, y->culprit, y->culprit_life);
}

static struct delay row_of(const struct population *p, uint32_t victim, const struct delay_sum *sum)
{
    const struct vcpu_identity *vcpu = &p->vcpus[victim];
    const struct incarnation *v = &p->incarnations[vcpu->life], *c = NULL;
    if (sum->culprit >= CULPRIT_LIFE)
        c = &p->incarnations[sum->culprit - CULPRIT_LIFE];
    return (struct delay){.victim = v->domain,
                          .victim_life = v->number,
                          .victim_vcpu = vcpu->id,
                          .kind = c                               ? CULPRIT_DOMAIN
                                  : sum->culprit == CULPRIT_IDLES ? CULPRIT_IDLE
                                                                  : CULPRIT_UNKNOWN,
                          .culprit = c ? c->domain : -1,
                          .culprit_life = c ? c->number : 0,
                          .delayed_ns = sum->delayed_ns,
                          .count = sum->count,
                          .max_ns = sum->max_ns,
                          .max_at_ns = sum->max_at_ns};
}

/* The rows of the open interval, ordered; its sums are forgotten. Returns how many rows there are. */
static size_t make_rows(struct delay_book *b, const struct population *p, struct delay_sums *sums)
{
    size_t n = 0, victims_n = 0;
    if (!delay_book_make_room(b, &b->rows, &b->rows_capacity, sums->pairs, sizeof *b->rows) ||
        !delay_book_make_room(b, &b->victims, &b->victims_capacity, sums->victims_n, sizeof *b->victims))
        return 0;
    for (uint32_t v = 0; v < sums->victims_n; v++)
        if (sums->victims[v].n > 0)
            b->victims[victims_n++] = v;
    if (victims_n > 0)
        qsort_r(b->victims, victims_n, sizeof *b->victims, compare_victims, (void *)p);
    for (size_t i = 0; i < victims_n; i++) {
        const struct victim_sums *v = &sums->victims[b->victims[i]];
        size_t first = n;
        for (uint32_t slot = 0; slot < v->capacity; slot++)
            if (v->slots[slot].culprit != NO_CULPRIT)
                b->rows[n++] = row_of(p, b->victims[i], &v->slots[slot]);
        qsort(b->rows + first, n - first, sizeof *b->rows, compare_culprits);
        delay_sums_forget(sums, b->victims[i]);
    }
    return n;
}

/* Hands out the open interval, which ends at end_ns, and begins the next one. */
static void close_interval(struct delay_book *b, const struct population *p, struct open_interval *o,
                           uint64_t end_ns)
{
    const struct interval interval = {
        .granularity_ns = o->length_ns, .start_ns = o->start_ns, .end_ns = end_ns};
    size_t n = make_rows(b, p, &o->sums);
    if (b->failed)
        return;
    if (!b->sink_ended && b->options.rows(b->options.context, &interval, b->rows, n) != 0)
        b->sink_ended = true;
    o->start_ns = end_ns;
    if (o->length_ns) {
        o->next_ns = end_ns - end_ns % o->length_ns + o->length_ns;
        book_waiting(b, o);
    }
}

void delay_book_finish(struct delay_book *b, const struct population *p, uint64_t end_ns, bool complete)
{
    if (delay_book_is_closed(b))
        return;
    for (int whole = 0; whole < 2; whole++)
        for (size_t g = 0; g < b->options.granularities; g++) {
            struct open_interval *o = &b->open[g];
            bool partial = o->length_ns ? complete && o->start_ns < end_ns : true;
            if ((o->length_ns == 0) == whole && partial && end_ns >= b->options.from_ns)
                close_interval(b, p, o, end_ns);
        }
    b->over = true;
}

void delay_book_hand_out(struct delay_book *b, const struct population *p, uint64_t until_ns)
{
    size_t n = b->options.granularities;
    while (!b->failed && !b->sink_ended) {
        uint64_t next_ns = UINT64_MAX;
        for (size_t g = 0; g < n; g++)
            next_ns = min64(next_ns, b->open[g].next_ns);
        if (next_ns > until_ns || next_ns > b->options.to_ns)
            break;
        for (size_t g = 0; g < n; g++)
            if (b->open[g].next_ns == next_ns)
                close_interval(b, p, &b->open[g], next_ns);
    }
    for (size_t g = 0; g < n; g++) {
        struct open_interval *o = &b->open[g];
        o->later_n = 0;
        o->first = o->length_ns ? o->start_ns / o->length_ns : 0;
    }
    if (until_ns >= b->options.to_ns)
        delay_book_finish(b, p, b->options.to_ns, true);
}
