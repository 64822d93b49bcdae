#include "record/disk_writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/output.h"
#include "metrics/min_max.h"
#include "parser/thread.h"

/* Bytes that wait, or, without any, a sync. */
struct disk_job {
    struct disk_job *next;
    size_t n;
    uint8_t bytes[];
};

struct disk {
    struct disk_target to;
    size_t queue_bytes;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct disk_job *first, **last; /* the queue */
    bool busy;                      /* the thread works on a job that is not in the queue any more */
    bool ending;
    uint64_t begun_ns; /* when that job began */
    struct disk_state state;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the thread ---- */

static struct disk_job *take_job(struct disk *d)
{
    struct disk_job *job = d->first;
    d->first = job->next;
    if (!d->first)
        d->last = &d->first;
    d->busy = true;
    d->begun_ns = now_ns();
    return job;
}

static void note_done(struct disk *d, const struct disk_job *job, const struct error *why)
{
    struct disk_state *s = &d->state;
    s->longest_ns = max64(s->longest_ns, now_ns() - d->begun_ns);
    s->waiting -= job->n;
    if (why) {
        s->failed = true;
        s->why = *why;
    } else if (job->n > 0) {
        s->written += job->n;
    } else {
        s->syncs++;
    }
    d->busy = false;
}

static void drop_queue(struct disk *d)
{
    while (d->first) {
        struct disk_job *job = d->first;
        d->first = job->next;
        d->state.waiting -= job->n;
        free(job);
    }
    d->last = &d->first;
}

static void *work(void *context)
{
    struct disk *d = context;
    pthread_mutex_lock(&d->lock);
    while (!d->ending) {
        if (!d->first) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        struct disk_job *job = take_job(d);
        struct error why = {0};
        pthread_mutex_unlock(&d->lock);
        int status = job->n > 0 ? d->to.write(d->to.context, job->bytes, job->n, &why)
                                : d->to.sync(d->to.context, &why);
        pthread_mutex_lock(&d->lock);
        note_done(d, job, status != 0 ? &why : NULL);
        free(job);
        if (d->state.failed)
            drop_queue(d);
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---- who writes ---- */

/* The lock is held. */
static int status_of(const struct disk *d, struct error *err)
{
    if (d->state.failed)
        *err = d->state.why;
    return d->state.failed ? -1 : 0;
}

/* Waits for room. The lock is held. */
static void wait_for_room(struct disk *d, size_t n)
{
    uint64_t begun_ns = 0;
    while (n > 0 && !d->state.failed && d->state.waiting > 0 && d->state.waiting + n > d->queue_bytes) {
        if (begun_ns == 0)
            begun_ns = now_ns();
        pthread_cond_wait(&d->changed, &d->lock);
    }
    if (begun_ns > 0)
        d->state.stalled_ns += now_ns() - begun_ns;
}

static int give(struct disk *d, const uint8_t *bytes, size_t n, struct error *err)
{
    struct disk_job *job = malloc(sizeof *job + n);
    if (!job)
        return error_no_memory(err, "the queue of the archive");
    job->next = NULL;
    job->n = n;
    if (n > 0)
        memcpy(job->bytes, bytes, n);
    pthread_mutex_lock(&d->lock);
    wait_for_room(d, n);
    int status = status_of(d, err);
    if (status == 0) {
        *d->last = job;
        d->last = &job->next;
        d->state.waiting += n;
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
    if (status != 0)
        free(job);
    return status;
}

static int sink_write(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    return n > 0 ? give(context, bytes, n, err) : 0;
}

struct frame_sink disk_sink(struct disk *d)
{
    return (struct frame_sink){d, sink_write};
}

int disk_sync(struct disk *d, struct error *err)
{
    return give(d, NULL, 0, err);
}

int disk_finish(struct disk *d, struct error *err)
{
    pthread_mutex_lock(&d->lock);
    while (!d->state.failed && (d->first || d->busy))
        pthread_cond_wait(&d->changed, &d->lock);
    int status = status_of(d, err);
    pthread_mutex_unlock(&d->lock);
    return status;
}

struct disk_state disk_state(struct disk *d)
{
    pthread_mutex_lock(&d->lock);
    struct disk_state s = d->state;
    if (d->busy)
        s.longest_ns = max64(s.longest_ns, now_ns() - d->begun_ns);
    pthread_mutex_unlock(&d->lock);
    return s;
}

/* ---- an output ---- */

static int sync_output(void *context, struct error *err)
{
    struct output *out = context;
    if (output_sync(out) == 0)
        return 0;
    *err = *output_failure(out);
    return -1;
}

struct disk_target disk_target_of(struct output *out)
{
    return (struct disk_target){out, frame_sink_to(out).write, sync_output};
}

/* ---- beginning and end ---- */

struct disk *disk_new(const struct disk_target *to, size_t queue_bytes, struct error *err)
{
    struct disk *d = calloc(1, sizeof *d);
    if (!d) {
        error_no_memory(err, "writing the archive");
        return NULL;
    }
    d->to = *to;
    d->queue_bytes = queue_bytes;
    d->last = &d->first;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    if (thread_begin(&d->thread, "disk", work, d))
        return d;
    error_no_memory(err, "a thread to write the archive on");
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->ending = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    drop_queue(d);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
