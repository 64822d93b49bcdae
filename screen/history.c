#include "screen/history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/io_clock.h"

struct history {
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the cursor, or woken */
    struct second *ring[HISTORY_SECONDS];
    size_t first, n;
    size_t detailed; /* of the n seconds, the first that has details */
    size_t bytes, limit;
    size_t points; /* of all seconds */
    uint64_t cursor_ns;
    struct watched watched;
    struct history_status status;
};

struct history *history_new(size_t details_bytes)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->moved, NULL);
    h->limit = details_bytes;
    h->watched = (struct watched){.domain = -1, .vcpu = -1};
    return h;
}

static struct second **slot(struct history *h, size_t at)
{
    return &h->ring[(h->first + at) % HISTORY_SECONDS];
}

static void forget_all(struct history *h)
{
    for (size_t i = 0; i < h->n; i++)
        second_free(*slot(h, i));
    h->first = h->n = h->detailed = h->bytes = h->points = 0;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    forget_all(h);
    pthread_cond_destroy(&h->moved);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* ---- who adds ---- */

static void forget_first(struct history *h)
{
    struct second *s = *slot(h, 0);
    h->bytes -= s->bytes;
    h->points -= s->points_n;
    second_free(s);
    h->first = (h->first + 1) % HISTORY_SECONDS;
    h->n--;
    h->detailed -= h->detailed > 0;
}

static void drop_details(struct history *h)
{
    while (h->bytes > h->limit && h->n - h->detailed > HISTORY_DETAILS) {
        struct second *s = *slot(h, h->detailed++);
        h->bytes -= s->bytes;
        second_drop_details(s);
    }
}

void history_add(struct history *h, struct second *s)
{
    pthread_mutex_lock(&h->lock);
    bool later = h->n == 0 || s->start_ns >= (*slot(h, h->n - 1))->end_ns;
    if (later) {
        while (h->n == HISTORY_SECONDS || (h->points + s->points_n > HISTORY_POINTS && h->n > HISTORY_MINUTE))
            forget_first(h);
        *slot(h, h->n++) = s;
        h->bytes += s->bytes;
        h->points += s->points_n;
        drop_details(h);
        s->arrived_ns = h->status.touched_ns = io_clock_ns();
        h->status.changes++;
    } else {
        second_free(s);
    }
    pthread_mutex_unlock(&h->lock);
}

void history_set_state(struct history *h, enum source_state state, const char *why)
{
    pthread_mutex_lock(&h->lock);
    h->status.state = state;
    snprintf(h->status.why, sizeof h->status.why, "%s", why ? why : "");
    h->status.changes++;
    pthread_mutex_unlock(&h->lock);
}

void history_touch(struct history *h)
{
    pthread_mutex_lock(&h->lock);
    h->status.touched_ns = io_clock_ns();
    pthread_mutex_unlock(&h->lock);
}

void history_wait(struct history *h, uint64_t lead_ns, const atomic_int *stop)
{
    pthread_mutex_lock(&h->lock);
    while (!*stop && h->n > 0 && (*slot(h, h->n - 1))->end_ns > h->cursor_ns + lead_ns)
        pthread_cond_wait(&h->moved, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

struct watched history_watched(struct history *h)
{
    pthread_mutex_lock(&h->lock);
    struct watched watched = h->watched;
    pthread_mutex_unlock(&h->lock);
    return watched;
}

/* ---- the viewer ---- */

void history_clear(struct history *h)
{
    pthread_mutex_lock(&h->lock);
    forget_all(h);
    h->status.touched_ns = 0;
    h->status.changes++;
    pthread_mutex_unlock(&h->lock);
}

void history_set_cursor(struct history *h, uint64_t ns)
{
    pthread_mutex_lock(&h->lock);
    h->cursor_ns = ns;
    pthread_cond_broadcast(&h->moved);
    pthread_mutex_unlock(&h->lock);
}

void history_wake(struct history *h)
{
    pthread_mutex_lock(&h->lock);
    pthread_cond_broadcast(&h->moved);
    pthread_mutex_unlock(&h->lock);
}

void history_watch(struct history *h, struct watched watched)
{
    pthread_mutex_lock(&h->lock);
    h->watched = watched;
    pthread_mutex_unlock(&h->lock);
}

void history_status(struct history *h, struct history_status *s)
{
    pthread_mutex_lock(&h->lock);
    *s = h->status;
    s->seconds = h->n;
    s->bytes = h->bytes;
    s->first_ns = h->n ? (*slot(h, 0))->start_ns : 0;
    s->last_ns = h->n ? (*slot(h, h->n - 1))->end_ns : 0;
    pthread_mutex_unlock(&h->lock);
}

void history_lock(struct history *h)
{
    pthread_mutex_lock(&h->lock);
}

void history_unlock(struct history *h)
{
    pthread_mutex_unlock(&h->lock);
}

size_t history_count(const struct history *h)
{
    return h->n;
}

const struct second *history_second(const struct history *h, size_t at)
{
    return h->ring[(h->first + at) % HISTORY_SECONDS];
}

const struct second *history_at(const struct history *h, uint64_t ns, size_t *at)
{
    size_t low = 0, high = h->n; /* seconds before `low` end by then, those from `high` on do not */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history_second(h, middle)->end_ns <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    *at = low - 1;
    return history_second(h, *at);
}

uint64_t history_next(struct history *h, uint64_t ns)
{
    uint64_t end_ns = 0;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n && !end_ns; i++)
        if (history_second(h, i)->start_ns >= ns)
            end_ns = history_second(h, i)->end_ns;
    pthread_mutex_unlock(&h->lock);
    return end_ns;
}
