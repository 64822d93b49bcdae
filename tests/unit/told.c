#include "told.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- noting ---- */

static struct told *append(struct told_calls *r, enum what what)
{
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 64;
        r->items = realloc(r->items, r->capacity * sizeof *r->items);
        if (!r->items)
            abort();
    }
    r->items[r->n] = (struct told){.what = what};
    return &r->items[r->n++];
}

static void *room(size_t n, size_t size)
{
    void *items = calloc(n + 1, size);
    if (!items)
        abort();
    return items;
}

static int note_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct told *t = append(context, INTERVAL);
    t->interval = *interval;
    t->n = n;
    t->rows = room(n, sizeof *t->rows);
    t->measures = room(n, sizeof *t->measures);
    for (size_t i = 0; i < n; i++) {
        t->rows[i] = rows[i];
        measures_init(&t->measures[i]);
        CHECK(measures_merge(&t->measures[i], rows[i].measures));
    }
    return 0;
}

static int note_execution(void *context, const struct execution *execution)
{
    append(context, EXECUTION)->execution = *execution;
    return 0;
}

static int note_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct told *t = append(context, CHARGES);
    size_t guests = 0;
    t->interval = *interval;
    t->n = n;
    t->idds = room(n, sizeof *t->idds);
    for (size_t i = 0; i < n; i++)
        guests += idds[i].guests_n;
    t->guests = room(guests, sizeof *t->guests);
    guests = 0;
    for (size_t i = 0; i < n; i++) {
        t->idds[i] = idds[i];
        t->idds[i].guests = &t->guests[guests];
        for (size_t g = 0; g < idds[i].guests_n; g++)
            t->guests[guests++] = idds[i].guests[g];
    }
    return 0;
}

static int note_before_seen(void *context, const struct before_seen *s)
{
    append(context, BEFORE_SEEN)->before_seen = *s;
    return 0;
}

struct meter_sink told_sink(struct told_calls *r)
{
    return (struct meter_sink){r, note_interval, note_execution, note_charges, note_before_seen};
}

static void forget(struct told *t)
{
    for (size_t k = 0; t->measures && k < t->n; k++)
        measures_free(&t->measures[k]);
    free(t->rows);
    free(t->measures);
    free(t->idds);
    free(t->guests);
}

void told_forget(struct told_calls *r)
{
    for (size_t i = 0; i < r->n; i++)
        forget(&r->items[i]);
    free(r->items);
    *r = (struct told_calls){0};
}

void told_only(struct told_calls *r, enum by by)
{
    size_t left = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct told *t = &r->items[i];
        bool other = (t->what == INTERVAL && t->interval.by != by) ||
                     (t->what == BEFORE_SEEN && t->before_seen.by != by);
        if (other)
            forget(t);
        else
            r->items[left++] = *t;
    }
    r->n = left;
}

/* ---- whether two were told the same ---- */

bool same_interval(const struct interval *a, const struct interval *b)
{
    return a->granularity_ns == b->granularity_ns && a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->by == b->by;
}

bool same_histogram(const struct histogram *a, const struct histogram *b)
{
    unsigned x = 0, y = 0;
    uint64_t of_x, of_y;
    if (a->count != b->count || a->sum != b->sum || a->min != b->min || a->max != b->max ||
        a->max_at != b->max_at)
        return false;
    for (; histogram_next_bucket(a, &x, &of_x); x++, y++)
        if (!histogram_next_bucket(b, &y, &of_y) || x != y || of_x != of_y)
            return false;
    return !histogram_next_bucket(b, &y, &of_y);
}

static bool same_rows(const struct told *a, const struct told *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct row *x = &a->rows[i], *y = &b->rows[i];
        const struct measures *m = &a->measures[i], *k = &b->measures[i];
        if (x->domain != y->domain || x->life != y->life || x->vcpu != y->vcpu || x->pcpu != y->pcpu ||
            x->vcpus != y->vcpus || memcmp(m, k, offsetof(struct measures, run)) != 0 ||
            !same_histogram(&m->run, &k->run) || !same_histogram(&m->wait, &k->wait) ||
            !same_histogram(&m->block, &k->block))
            return false;
    }
    return true;
}

/* Sums of fractions, added in another order. */
static bool nearly(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(a));
}

static bool same_guest(const struct charge_guest *a, const struct charge_guest *b)
{
    bool same = a->domain == b->domain && a->life == b->life && a->charged_ns == b->charged_ns &&
                a->measured_ns == b->measured_ns && a->certain_ns == b->certain_ns &&
                memcmp(a->events, b->events, sizeof a->events) == 0 &&
                memcmp(a->counted, b->counted, sizeof a->counted) == 0 &&
                memcmp(a->inferred, b->inferred, sizeof a->inferred) == 0 &&
                nearly(a->charged_inferred_ns, b->charged_inferred_ns) &&
                nearly(a->charged_measured_ns, b->charged_measured_ns);
    for (int kind = 0; kind < IO_KINDS; kind++)
        same = same && nearly(a->charged_by_ns[kind], b->charged_by_ns[kind]);
    return same;
}

static bool same_charges(const struct told *a, const struct told *b)
{
    for (size_t i = 0; i < a->n; i++) {
        struct charge_idd x = a->idds[i], y = b->idds[i];
        if (x.guests_n != y.guests_n)
            return false;
        for (size_t g = 0; g < x.guests_n; g++)
            if (!same_guest(&x.guests[g], &y.guests[g]))
                return false;
        x.guests = y.guests = NULL;
        if (memcmp(&x, &y, sizeof x) != 0)
            return false;
    }
    return true;
}

static bool same_execution(const struct execution *a, const struct execution *b)
{
    return a->domain == b->domain && a->life == b->life && a->vcpu == b->vcpu && a->pcpu == b->pcpu &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->blocked_before_ns == b->blocked_before_ns && a->waited_ns == b->waited_ns &&
           a->wait_kind == b->wait_kind && a->ran_ns == b->ran_ns && a->allocated_ns == b->allocated_ns &&
           a->io_total == b->io_total && a->end == b->end;
}

static bool same_before_seen(const struct before_seen *a, const struct before_seen *b)
{
    return row_compare(&a->row, &b->row) == 0 && a->row.vcpus == b->row.vcpus && a->by == b->by &&
           a->state == b->state && a->from_ns == b->from_ns && a->seen_ns == b->seen_ns &&
           a->idle == b->idle && a->first == b->first && a->driver_domain == b->driver_domain;
}

static bool same_told(const struct told *a, const struct told *b)
{
    if (a->what != b->what || a->n != b->n || !same_interval(&a->interval, &b->interval))
        return false;
    if (a->what == EXECUTION)
        return same_execution(&a->execution, &b->execution);
    if (a->what == BEFORE_SEEN)
        return same_before_seen(&a->before_seen, &b->before_seen);
    return a->what == CHARGES ? same_charges(a, b) : same_rows(a, b);
}

long told_difference(const struct told_calls *a, const struct told_calls *b)
{
    size_t i = 0;
    while (i < a->n && i < b->n && same_told(&a->items[i], &b->items[i]))
        i++;
    return i == a->n && i == b->n ? -1 : (long)i;
}

size_t told_before_seen(const struct told_calls *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; r->items[i].measures && k < r->items[i].n; k++)
            n += r->items[i].measures[k].before_seen_ns > 0;
    return n;
}
