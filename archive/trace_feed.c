#include "archive/trace_feed.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"

#define THREADS_MAX 64
#define AHEAD       2 /* decompressed chunks that wait, besides those being decompressed */

/* A chunk to be read. */
struct chunk_place {
    const struct capture *capture;
    const struct member *member;
};

struct slot {
    struct frame_reader reader;
    const uint8_t *bytes; /* of the chunk, in the reader's content */
    size_t n;
    bool done, failed;
    struct error why;
};

struct trace_feed {
    const struct archive *archive;
    const struct frames *frames; /* its */
    struct chunk_place *chunks;
    size_t chunks_n;
    struct slot *slots; /* chunk i goes to slot i % slots_n */
    size_t slots_n;
    pthread_t threads[THREADS_MAX];
    unsigned threads_n;
    pthread_mutex_t lock; /* of what follows, and of `done` in the slots */
    pthread_cond_t filled, emptied;
    size_t begun;   /* chunks that a thread has taken */
    size_t current; /* the chunk that the caller uses, or will use next */
    bool handed;    /* the caller uses chunk `current` */
    bool quit;
    uint64_t stored_done, stored_size; /* bytes of their frames */
};

/* ---- the threads ---- */

static int read_chunk(const struct trace_feed *f, const struct chunk_place *c, struct slot *s)
{
    size_t frame = (size_t)c->capture->first_frame + c->member->frame;
    const struct frame *place = &f->frames->list[frame];
    char path[TAR_NAME_MAX];
    const uint8_t *content = frame_read(f->frames, frame, &s->reader, &s->why);
    if (!content)
        return -1;
    archive_release(f->archive, frame);
    capture_member_path(c->capture, c->member->name, path);
    s->n = c->member->bytes;
    s->bytes =
        member_in_frame(place, content, c->member->at - TAR_BLOCK, path, s->n, c->member->digest, &s->why);
    return s->bytes ? 0 : -1;
}

/* Waits for a free slot and returns the next chunk to decompress; chunks_n: there is none. */
static size_t take_chunk(struct trace_feed *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->quit && f->begun < f->chunks_n && f->begun >= f->current + f->slots_n)
        pthread_cond_wait(&f->emptied, &f->lock);
    size_t i = f->quit || f->begun == f->chunks_n ? f->chunks_n : f->begun++;
    pthread_mutex_unlock(&f->lock);
    return i;
}

static void *decompress(void *context)
{
    struct trace_feed *f = context;
    for (size_t i; (i = take_chunk(f)) < f->chunks_n;) {
        struct slot *s = &f->slots[i % f->slots_n];
        bool failed = read_chunk(f, &f->chunks[i], s) != 0;
        pthread_mutex_lock(&f->lock);
        s->failed = failed;
        s->done = true;
        pthread_cond_broadcast(&f->filled);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

/* ---- the caller's side ---- */

static int next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct trace_feed *f = context;
    pthread_mutex_lock(&f->lock);
    if (f->handed) {
        f->slots[f->current % f->slots_n].done = false;
        f->current++;
        f->handed = false;
        pthread_cond_broadcast(&f->emptied);
    }
    const struct slot *s = &f->slots[f->current % f->slots_n];
    while (f->current < f->chunks_n && !s->done)
        pthread_cond_wait(&f->filled, &f->lock);
    pthread_mutex_unlock(&f->lock);
    if (f->current == f->chunks_n)
        return 0;
    if (s->failed) {
        *err = s->why;
        return -1;
    }
    const struct chunk_place *c = &f->chunks[f->current];
    f->stored_done += f->frames->list[(size_t)c->capture->first_frame + c->member->frame].bytes;
    f->handed = true;
    *bytes = s->bytes;
    *n = s->n;
    return 1;
}

static void position(void *context, uint64_t *done, uint64_t *size)
{
    const struct trace_feed *f = context;
    *done = f->stored_done;
    *size = f->stored_size;
}

struct feed trace_feed_of(struct trace_feed *f)
{
    return (struct feed){.context = f, .next = next, .position = position, .compression = "archive"};
}

/* ---- setting up ---- */

static bool list_chunks(struct trace_feed *f, const struct capture *captures, size_t n, uint32_t chunk)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        most += captures[i].members_n;
    f->chunks = calloc(most + 1, sizeof *f->chunks);
    for (size_t i = 0; f->chunks && i < n; i++)
        for (size_t m = 0; m < captures[i].members_n; m++) {
            const struct member *member = &captures[i].members[m];
            if (member->kind != MEMBER_TRACE || (i == 0 && member->number < chunk))
                continue;
            f->chunks[f->chunks_n++] = (struct chunk_place){&captures[i], member};
            f->stored_size += f->frames->list[(size_t)captures[i].first_frame + member->frame].bytes;
        }
    return f->chunks != NULL;
}

static bool start_threads(struct trace_feed *f, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a file that is truncated while it is read */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (f->threads_n < threads && pthread_create(&f->threads[f->threads_n], NULL, decompress, f) == 0)
        f->threads_n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return f->threads_n > 0;
}

struct trace_feed *trace_feed_new(const struct archive *a, const struct capture *captures, size_t n,
                                  uint32_t chunk, unsigned threads, struct error *err)
{
    struct trace_feed *f = calloc(1, sizeof *f);
    if (!f) {
        error_no_memory(err, "reading the archive");
        return NULL;
    }
    f->archive = a;
    f->frames = archive_frames(a);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->filled, NULL);
    pthread_cond_init(&f->emptied, NULL);
    f->slots_n = threads + AHEAD;
    f->slots = calloc(f->slots_n, sizeof *f->slots);
    if (!f->slots || !list_chunks(f, captures, n, chunk) || !start_threads(f, threads)) {
        trace_feed_free(f);
        error_no_memory(err, "the threads that decompress");
        return NULL;
    }
    return f;
}

void trace_feed_free(struct trace_feed *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->quit = true;
    pthread_cond_broadcast(&f->emptied);
    pthread_mutex_unlock(&f->lock);
    for (unsigned i = 0; i < f->threads_n; i++)
        pthread_join(f->threads[i], NULL);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->filled);
    pthread_cond_destroy(&f->emptied);
    for (size_t i = 0; f->slots && i < f->slots_n; i++)
        frame_reader_free(&f->slots[i].reader);
    free(f->slots);
    free(f->chunks);
    free(f);
}
