#include "parser/crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "parser/thread.h"

struct crew {
    struct crew_jobs jobs;
    size_t slots;
    pthread_t threads[CREW_THREADS_MAX];
    unsigned threads_n;
    pthread_mutex_t lock;              /* of everything below */
    unsigned numbered;                 /* threads that have their number */
    pthread_cond_t work;               /* a job waits, or no further one comes */
    pthread_cond_t progress;           /* a job is done or finished */
    uint64_t finished, started, given; /* jobs, counted from the beginning: job i is in slot i % slots */
    bool finishing;                    /* a thread finishes jobs: it looks for further ones before it stops */
    bool quit;
    bool done[]; /* by slot: it waits to be finished */
};

static size_t slot_of(const struct crew *c, uint64_t job)
{
    return (size_t)(job % c->slots);
}

/* ---- the threads ---- */

/* With the lock held, which is released meanwhile: finishes the jobs that come next, unless another thread does. */
static void finish_what_is_due(struct crew *c)
{
    if (c->finishing || !c->jobs.finish)
        return;
    c->finishing = true;
    while (c->finished < c->given && c->done[slot_of(c, c->finished)] && !c->quit) {
        size_t slot = slot_of(c, c->finished);
        pthread_mutex_unlock(&c->lock);
        c->jobs.finish(c->jobs.context, slot);
        pthread_mutex_lock(&c->lock);
        c->done[slot] = false;
        c->finished++;
        pthread_cond_broadcast(&c->progress);
    }
    c->finishing = false;
    pthread_cond_broadcast(&c->progress);
}

static void *work(void *context)
{
    struct crew *c = context;
    pthread_mutex_lock(&c->lock);
    unsigned thread = c->numbered++;
    for (;;) {
        while (!c->quit && c->started == c->given)
            pthread_cond_wait(&c->work, &c->lock);
        if (c->quit)
            break;
        size_t slot = slot_of(c, c->started++);
        pthread_mutex_unlock(&c->lock);
        c->jobs.work(c->jobs.context, slot, thread);
        pthread_mutex_lock(&c->lock);
        c->done[slot] = true;
        pthread_cond_broadcast(&c->progress);
        finish_what_is_due(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void start_threads(struct crew *c, unsigned threads)
{
    while (c->threads_n < threads && thread_begin(&c->threads[c->threads_n], c->jobs.name, work, c))
        c->threads_n++;
}

struct crew *crew_new(const struct crew_jobs *jobs, unsigned threads, size_t slots)
{
    assert(threads >= 1 && threads <= CREW_THREADS_MAX);
    struct crew *c = calloc(1, sizeof *c + slots * sizeof *c->done);
    if (!c)
        return NULL;
    c->jobs = *jobs;
    c->slots = slots;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->progress, NULL);
    start_threads(c, threads);
    if (c->threads_n > 0)
        return c;
    crew_free(c);
    return NULL;
}

void crew_free(struct crew *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->quit = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->threads_n; i++)
        pthread_join(c->threads[i], NULL);
    pthread_cond_destroy(&c->progress);
    pthread_cond_destroy(&c->work);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- the caller's side ---- */

size_t crew_room(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->given - c->finished >= c->slots)
        pthread_cond_wait(&c->progress, &c->lock);
    pthread_mutex_unlock(&c->lock);
    return slot_of(c, c->given);
}

void crew_give(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->given++;
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
}

void crew_drain(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->finishing || c->finished < c->given)
        pthread_cond_wait(&c->progress, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

size_t crew_take(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    size_t slot = c->finished < c->given ? slot_of(c, c->finished) : CREW_NONE;
    while (slot != CREW_NONE && !c->done[slot])
        pthread_cond_wait(&c->progress, &c->lock);
    pthread_mutex_unlock(&c->lock);
    return slot;
}

void crew_release(struct crew *c)
{
    pthread_mutex_lock(&c->lock);
    c->done[slot_of(c, c->finished)] = false;
    c->finished++;
    pthread_mutex_unlock(&c->lock);
}
