#include "ring.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct ring {
    size_t slots;
    pthread_mutex_t lock;     /* of everything below */
    pthread_cond_t filled;    /* the taker waits for a slot */
    pthread_cond_t emptied;   /* the giver waits for room */
    uint64_t given, released; /* slots, counted from the beginning: slot i % slots */
    size_t room_wanted;       /* the giver waits until so many slots are free; 0: it does not wait */
    bool taker_waits, taken;  /* `taken`: slot `released` is in use */
    bool ended, cancelled;
};

struct ring *ring_new(size_t slots)
{
    assert(slots >= 1);
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->slots = slots;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, NULL);
    pthread_cond_init(&r->emptied, NULL);
    return r;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    pthread_cond_destroy(&r->emptied);
    pthread_cond_destroy(&r->filled);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- the giver ---- */

static size_t room(const struct ring *r)
{
    return r->slots - (size_t)(r->given - r->released);
}

/* With the lock held: waits until at least `wanted` slots are free. */
static void wait_for_room(struct ring *r, size_t wanted)
{
    while (room(r) < wanted && !r->cancelled) {
        r->room_wanted = wanted;
        pthread_cond_wait(&r->emptied, &r->lock);
    }
    r->room_wanted = 0;
}

size_t ring_room(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    if (room(r) == 0) /* waits for half of them: threads that wake each other for every slot are slow */
        wait_for_room(r, (r->slots + 1) / 2);
    size_t slot = r->cancelled ? RING_NONE : (size_t)(r->given % r->slots);
    pthread_mutex_unlock(&r->lock);
    return slot;
}

static void wake_taker(struct ring *r)
{
    if (r->taker_waits)
        pthread_cond_signal(&r->filled);
}

void ring_give(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->given++;
    wake_taker(r);
    pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    wake_taker(r);
    pthread_mutex_unlock(&r->lock);
}

void ring_wait_empty(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    wait_for_room(r, r->slots);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the taker ---- */

size_t ring_take(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    assert(!r->taken);
    while (r->given == r->released && !r->ended && !r->cancelled) {
        r->taker_waits = true;
        pthread_cond_wait(&r->filled, &r->lock);
    }
    r->taker_waits = false;
    r->taken = r->given > r->released && !r->cancelled;
    size_t slot = r->taken ? (size_t)(r->released % r->slots) : RING_NONE;
    pthread_mutex_unlock(&r->lock);
    return slot;
}

void ring_release(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    assert(r->taken);
    r->taken = false;
    r->released++;
    if (r->room_wanted && room(r) >= r->room_wanted)
        pthread_cond_signal(&r->emptied);
    pthread_mutex_unlock(&r->lock);
}

/* ---- either ---- */

void ring_cancel(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->cancelled = true;
    pthread_cond_signal(&r->filled);
    pthread_cond_signal(&r->emptied);
    pthread_mutex_unlock(&r->lock);
}
