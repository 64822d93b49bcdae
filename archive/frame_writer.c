#include "archive/frames.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "archive/frame_layout.h"
#include "metrics/array.h"

/*
 * Up to this level zstd looks for matches of 5 bytes and more. Traces are made of 4-byte words: matches of one word
 * make them 3 to 8 % smaller in the same time. Higher levels find them in other ways.
 */
#define SHORT_MATCH_LEVEL 6

#define THREADS_MAX 64

/* A frame between frame_writer_put and the sink. */
struct job {
    uint8_t *content; /* NULL once it is compressed */
    size_t n;
    uint8_t *stored; /* room bytes; kept for the next frame here */
    size_t room;
    struct frame_facts facts;
    bool done; /* waits to be written */
};

struct frame_writer {
    struct frame_sink sink;
    int level;
    pthread_t threads[THREADS_MAX];
    unsigned threads_n;
    pthread_mutex_t lock;    /* of everything below */
    pthread_cond_t work;     /* a frame waits to be compressed, or no further one comes */
    pthread_cond_t progress; /* a frame was written, or no further one will be */
    struct job *ring;        /* frame i is at i % ring_n; a job's own thread needs no lock */
    uint64_t ring_n;
    uint64_t written, started, given; /* frames, counted from the beginning */
    bool
        writing; /* a thread writes: sink, `facts` and the job `written` belong to that thread until it is done */
    bool quit;
    bool failed; /* because of `why` */
    struct error why;
    uint64_t bytes;
    struct frame_facts *facts; /* of the frames written: facts_n of them, the magic included */
    size_t facts_n, facts_capacity;
};

/* ---- with the lock held ---- */

static void fail(struct frame_writer *w, const struct error *why)
{
    if (!w->failed)
        w->why = *why;
    w->failed = true;
    pthread_cond_broadcast(&w->progress);
}

/* 0, or -1 and the first error if anything has failed. */
static int status_of(const struct frame_writer *w, struct error *err)
{
    if (w->failed && err)
        *err = w->why;
    return w->failed ? -1 : 0;
}

static struct job *job_of(const struct frame_writer *w, uint64_t i)
{
    return &w->ring[i % w->ring_n];
}

/* ---- writing ---- */

/* By the thread that writes, without the lock. */
static int write_frame(struct frame_writer *w, const uint8_t *stored, const struct frame_facts *facts,
                       struct error *err)
{
    struct frame_facts *list = array_reserve(w->facts, &w->facts_capacity, w->facts_n + 1, sizeof *list);
    if (!list)
        return error_no_memory(err, "the list of frames");
    w->facts = list;
    if (w->sink.write(w->sink.context, stored, facts->bytes, err) != 0)
        return -1;
    w->facts[w->facts_n++] = *facts;
    return 0;
}

/*
 * With the lock held: writes the compressed frames that come next, and releases the lock while it writes. If another
 * thread is writing, the frame is left to that thread, which looks again before it stops.
 */
static void write_what_is_due(struct frame_writer *w)
{
    if (w->writing)
        return;
    w->writing = true;
    while (w->written < w->given && job_of(w, w->written)->done && !w->failed && !w->quit) {
        struct job *job = job_of(w, w->written);
        struct error why = {0};
        pthread_mutex_unlock(&w->lock);
        int status = write_frame(w, job->stored, &job->facts, &why);
        pthread_mutex_lock(&w->lock);
        if (status != 0) {
            fail(w, &why);
            break;
        }
        job->done = false;
        w->bytes += job->facts.bytes;
        w->written++;
        pthread_cond_broadcast(&w->progress);
    }
    w->writing = false;
    pthread_cond_broadcast(&w->progress);
}

/* ---- compressing ---- */

static int make_room(struct job *job, size_t n, struct error *err)
{
    if (job->room >= n)
        return 0;
    free(job->stored);
    job->stored = malloc(n);
    job->room = job->stored ? n : 0;
    return job->stored ? 0 : error_no_memory(err, "compression");
}

/*
 * Every frame gets a new context: the frames that a context compressed before may change its output (zstd promises
 * nothing here), and which thread gets which frame is chance.
 */
static int compress(const struct frame_writer *w, struct job *job, struct error *err)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (!zstd || make_room(job, ZSTD_compressBound(job->n), err) != 0) {
        ZSTD_freeCCtx(zstd);
        return error_no_memory(err, "compression");
    }
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, w->level);
    if (w->level <= SHORT_MATCH_LEVEL)
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, 4);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    size_t bytes = ZSTD_compress2(zstd, job->stored, job->room, job->content, job->n);
    ZSTD_freeCCtx(zstd);
    if (ZSTD_isError(bytes))
        return error_set(err, ERROR_MEMORY, "cannot compress: %s", ZSTD_getErrorName(bytes));
    job->facts = frame_facts_of(job->stored, (uint32_t)bytes, (uint32_t)job->n);
    free(job->content);
    job->content = NULL;
    return 0;
}

/* With the lock held: waits for a frame that no thread compresses yet. NULL: there will be none. */
static struct job *next_job(struct frame_writer *w)
{
    for (;;) {
        if (w->started <
            w->written) /* copies need no compression, and may be written before any thread looks */
            w->started = w->written;
        while (w->started < w->given && job_of(w, w->started)->done)
            w->started++;
        if (w->quit)
            return NULL;
        if (w->started < w->given && !w->failed)
            return job_of(w, w->started++);
        pthread_cond_wait(&w->work, &w->lock);
    }
}

static void *work(void *context)
{
    struct frame_writer *w = context;
    struct job *job;
    pthread_mutex_lock(&w->lock);
    while ((job = next_job(w))) {
        struct error why = {0};
        pthread_mutex_unlock(&w->lock);
        int status = compress(w, job, &why);
        pthread_mutex_lock(&w->lock);
        job->done = status == 0;
        if (status != 0)
            fail(w, &why);
        write_what_is_due(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the caller's side ---- */

/*
 * With the lock held: waits for room for a frame. NULL with `err` filled if anything has failed. Other threads do not
 * see the job yet; `*index` is its index.
 */
static struct job *new_job(struct frame_writer *w, int64_t *index, struct error *err)
{
    while (w->given - w->written >= w->ring_n && !w->failed)
        pthread_cond_wait(&w->progress, &w->lock);
    if (w->given + 2 >= FRAMES_MAX) { /* with the magic and the seal */
        struct error why;
        error_set(&why, ERROR_IO, "there are more frames than an archive may have");
        fail(w, &why);
    }
    *index = (int64_t)w->given + 1;
    return status_of(w, err) == 0 ? job_of(w, w->given) : NULL;
}

int64_t frame_writer_put(struct frame_writer *w, uint8_t *content, size_t n, struct error *err)
{
    int64_t index;
    assert(n >= 1 && n <= FRAME_CONTENT_MAX);
    pthread_mutex_lock(&w->lock);
    struct job *job = new_job(w, &index, err);
    if (job) {
        job->content = content;
        job->n = n;
        job->done = false;
        w->given++;
        pthread_cond_signal(&w->work);
    }
    pthread_mutex_unlock(&w->lock);
    if (!job)
        free(content);
    return job ? index : -1;
}

static int copy(struct job *job, const struct frames *from, size_t i, struct error *err)
{
    const struct frame *frame = &from->list[i];
    if (frame_check(from, i, err) != 0 || make_room(job, frame->bytes, err) != 0)
        return -1;
    memcpy(job->stored, from->file + frame->offset, frame->bytes);
    job->facts = frame_facts_of(job->stored, frame->bytes, frame->content);
    return 0;
}

int64_t frame_writer_copy(struct frame_writer *w, const struct frames *from, size_t i, struct error *err)
{
    int64_t index;
    pthread_mutex_lock(&w->lock);
    struct job *job = new_job(w, &index, err);
    pthread_mutex_unlock(&w->lock);
    if (!job)
        return -1;
    struct error why = {0};
    int status = copy(job, from, i, &why); /* only the caller makes jobs: no thread sees this one yet */
    pthread_mutex_lock(&w->lock);
    if (status == 0) {
        job->done = true;
        w->given++;
        write_what_is_due(w);
    } else {
        fail(w, &why);
    }
    status = status_of(w, err);
    pthread_mutex_unlock(&w->lock);
    return status == 0 ? index : -1;
}

int frame_writer_drain(struct frame_writer *w, struct error *err)
{
    pthread_mutex_lock(&w->lock);
    while (w->writing || (w->written < w->given && !w->failed))
        pthread_cond_wait(&w->progress, &w->lock);
    int status = status_of(w, err);
    pthread_mutex_unlock(&w->lock);
    return status;
}

/* Waits until every frame is written. */
static int write_ends(struct frame_writer *w, struct error *err)
{
    size_t bytes;
    uint8_t *ends = frame_ends(w->facts, w->facts_n, &bytes);
    if (!ends)
        return error_no_memory(err, "the list of frames");
    int status = w->sink.write(w->sink.context, ends, bytes, err);
    free(ends);
    if (status == 0)
        w->bytes += bytes;
    return status;
}

int frame_writer_finish(struct frame_writer *w, struct error *err)
{
    if (frame_writer_drain(w, err) != 0)
        return -1;
    struct error why = {0};
    pthread_mutex_lock(&w->lock);
    if (write_ends(w, &why) != 0)
        fail(w, &why);
    int status = status_of(w, err);
    pthread_mutex_unlock(&w->lock);
    return status;
}

uint64_t frame_writer_bytes(const struct frame_writer *w)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)&w->lock; /* reading under the lock changes nothing else */
    pthread_mutex_lock(lock);
    uint64_t bytes = w->bytes;
    pthread_mutex_unlock(lock);
    return bytes;
}

/* ---- beginning and end ---- */

/* The threads block all signals: handlers run in the caller's threads. */
static bool start_threads(struct frame_writer *w, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->threads_n < threads && pthread_create(&w->threads[w->threads_n], NULL, work, w) == 0)
        w->threads_n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->threads_n == threads;
}

static int start(struct frame_writer *w, unsigned threads, struct error *err)
{
    w->ring = calloc(w->ring_n, sizeof *w->ring);
    if (!w->ring)
        return error_no_memory(err, "compression");
    struct frame_facts magic = frame_facts_of(frame_magic, ARCHIVE_MAGIC_BYTES, 0);
    if (write_frame(w, frame_magic, &magic, err) != 0)
        return -1;
    w->bytes = ARCHIVE_MAGIC_BYTES;
    return start_threads(w, threads) ? 0 : error_set(err, ERROR_MEMORY, "no thread to compress on");
}

struct frame_writer *frame_writer_new(const struct frame_sink *sink, int level, unsigned threads,
                                      struct error *err)
{
    struct frame_writer *w = calloc(1, sizeof *w);
    if (!w) {
        error_no_memory(err, "compression");
        return NULL;
    }
    assert(threads >= 1 && threads <= THREADS_MAX);
    w->sink = *sink;
    w->level = level;
    w->ring_n = (uint64_t)threads + 1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->progress, NULL);
    if (start(w, threads, err) != 0) {
        frame_writer_free(w);
        return NULL;
    }
    return w;
}

void frame_writer_free(struct frame_writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->quit = true;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->threads_n; i++)
        pthread_join(w->threads[i], NULL);
    for (uint64_t i = 0; w->ring && i < w->ring_n; i++) {
        free(w->ring[i].content);
        free(w->ring[i].stored);
    }
    pthread_cond_destroy(&w->progress);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w->ring);
    free(w->facts);
    free(w);
}
