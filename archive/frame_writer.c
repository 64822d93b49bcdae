#include "archive/frames.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zstd.h>

#include "parser/crew.h"
#include "archive/frame_layout.h"
#include "formats/output.h"
#include "metrics/array.h"

/*
 * Up to this level zstd looks for matches of 5 bytes and more. Traces are made of 4-byte words: matches of one word
 * make them 3 to 8 % smaller in the same time. Higher levels find them in other ways.
 */
#define SHORT_MATCH_LEVEL 6

/*
 * Up to this level zstd searches in two tables by a hash of the next bytes, one of longer and one of shorter matches; by
 * default of 1.5 MB together. What a trace repeats is near: tables that stay in a core's own cache take half the time, and
 * the result is at most 1 % larger.
 */
#define SMALL_TABLES_LEVEL 3
#define LONG_HASH_LOG      14 /* 64 kB, the only table up to level 2 */
#define SHORT_HASH_LOG     13 /* 32 kB */

/* A frame between frame_writer_put and the sink. */
struct frame_job {
    uint8_t *content; /* NULL once it is compressed */
    size_t n;
    uint8_t *stored; /* room bytes; kept for the next frame here */
    size_t room;
    struct frame_facts facts;
    bool failed; /* because of `why` */
    struct error why;
};

struct frame_writer {
    struct frame_sink sink;
    int level;
    struct crew *crew;
    struct frame_job *jobs; /* by slot */
    size_t slots;
    uint64_t given;     /* frames */
    atomic_bool failed; /* because of `why`, which stays then; nothing more is written */
    struct error why;
    atomic_uint_fast64_t bytes;
    struct frame_facts *facts; /* of the frames written: facts_n of them, the magic included */
    size_t facts_n, facts_capacity;
};

static void fail(struct frame_writer *w, const struct error *why)
{
    w->why = *why;
    atomic_store(&w->failed, true);
}

/* 0, or -1 and the first error if anything has failed. */
static int status_of(const struct frame_writer *w, struct error *err)
{
    bool failed = atomic_load(&w->failed);
    if (failed && err)
        *err = w->why;
    return failed ? -1 : 0;
}

/* ---- writing: by one thread at a time ---- */

static int write_bytes(struct frame_writer *w, const uint8_t *bytes, size_t n, struct error *err)
{
    if (w->sink.write(w->sink.context, bytes, n, err) != 0)
        return -1;
    w->bytes += n;
    return 0;
}

static int write_frame(struct frame_writer *w, const uint8_t *stored, const struct frame_facts *facts,
                       struct error *err)
{
    struct frame_facts *list = array_reserve(w->facts, &w->facts_capacity, w->facts_n + 1, sizeof *list);
    if (!list)
        return error_no_memory(err, "the list of frames");
    w->facts = list;
    if (write_bytes(w, stored, facts->bytes, err) != 0)
        return -1;
    w->facts[w->facts_n++] = *facts;
    return 0;
}

static void finish_job(void *context, size_t slot)
{
    struct frame_writer *w = context;
    struct frame_job *job = &w->jobs[slot];
    struct error why = {0};
    if (atomic_load(&w->failed))
        return;
    if (job->failed)
        fail(w, &job->why);
    else if (write_frame(w, job->stored, &job->facts, &why) != 0)
        fail(w, &why);
}

/* ---- compressing ---- */

static int make_room(struct frame_job *job, size_t n, struct error *err)
{
    if (job->room >= n)
        return 0;
    free(job->stored);
    job->stored = malloc(n);
    job->room = job->stored ? n : 0;
    return job->stored ? 0 : error_no_memory(err, "compression");
}

static void set_parameters(ZSTD_CCtx *zstd, int level)
{
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    if (level <= SHORT_MATCH_LEVEL)
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, 4);
    if (level <= SMALL_TABLES_LEVEL) {
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, LONG_HASH_LOG);
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_chainLog, SHORT_HASH_LOG);
    }
}

/*
 * Every frame gets a new context: the frames that a context compressed before may change its output (zstd promises
 * nothing here), and which thread gets which frame is chance.
 */
static int compress(const struct frame_writer *w, struct frame_job *job, struct error *err)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (!zstd || make_room(job, ZSTD_compressBound(job->n), err) != 0) {
        ZSTD_freeCCtx(zstd);
        return error_no_memory(err, "compression");
    }
    set_parameters(zstd, w->level);
    size_t bytes = ZSTD_compress2(zstd, job->stored, job->room, job->content, job->n);
    ZSTD_freeCCtx(zstd);
    if (ZSTD_isError(bytes))
        return error_set(err, ERROR_MEMORY, "cannot compress: %s", ZSTD_getErrorName(bytes));
    job->facts = frame_facts_of(job->stored, (uint32_t)bytes, (uint32_t)job->n);
    return 0;
}

static void do_job(void *context, size_t slot, unsigned thread)
{
    (void)thread;
    struct frame_writer *w = context;
    struct frame_job *job = &w->jobs[slot];
    job->failed = !atomic_load(&w->failed) && compress(w, job, &job->why) != 0;
    free(job->content);
    job->content = NULL;
}

/* ---- the caller's side ---- */

int64_t frame_writer_put(struct frame_writer *w, uint8_t *content, size_t n, struct error *err)
{
    assert(n >= 1 && n <= FRAME_CONTENT_MAX);
    struct frame_job *job = &w->jobs[crew_room(w->crew)];
    if (w->given + 2 >= FRAMES_MAX && status_of(w, err) == 0) { /* with the magic and the seal */
        struct error why;
        error_set(&why, ERROR_IO, "there are more frames than an archive may have");
        crew_drain(w->crew);
        fail(w, &why);
    }
    if (status_of(w, err) != 0) {
        free(content);
        return -1;
    }
    job->content = content;
    job->n = n;
    crew_give(w->crew);
    return (int64_t)++w->given;
}

int64_t frame_writer_copy(struct frame_writer *w, const struct frames *from, size_t i, struct error *err)
{
    const struct frame *frame = &from->list[i];
    const uint8_t *stored = from->file + frame->offset;
    struct error why = {0};
    if (frame_writer_drain(w, err) != 0)
        return -1;
    if (frame_check(from, i, &why) == 0) {
        struct frame_facts facts = frame_facts_of(stored, frame->bytes, frame->content);
        if (write_frame(w, stored, &facts, &why) == 0)
            return (int64_t)++w->given;
    }
    fail(w, &why);
    return status_of(w, err);
}

int frame_writer_drain(struct frame_writer *w, struct error *err)
{
    crew_drain(w->crew);
    return status_of(w, err);
}

int frame_writer_finish(struct frame_writer *w, struct error *err)
{
    struct error why = {0};
    size_t bytes;
    if (frame_writer_drain(w, err) != 0)
        return -1;
    uint8_t *ends = frame_ends(w->facts, w->facts_n, &bytes);
    if (!ends)
        error_no_memory(&why, "the list of frames");
    if (!ends || write_bytes(w, ends, bytes, &why) != 0)
        fail(w, &why);
    free(ends);
    return status_of(w, err);
}

uint64_t frame_writer_bytes(const struct frame_writer *w)
{
    return w->bytes;
}

/* ---- beginning and end ---- */

static int write_output(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct output *out = context;
    if (output_write(out, bytes, n) == 0 && output_flush(out) == 0)
        return 0;
    *err = *output_failure(out);
    return -1;
}

struct frame_sink frame_sink_to(struct output *out)
{
    return (struct frame_sink){out, write_output};
}

static int start(struct frame_writer *w, unsigned threads, struct error *err)
{
    struct frame_facts magic = frame_facts_of(frame_magic, ARCHIVE_MAGIC_BYTES, 0);
    struct crew_jobs jobs = {"compress", w, do_job, finish_job};
    w->jobs = calloc(w->slots, sizeof *w->jobs);
    if (!w->jobs)
        return error_no_memory(err, "compression");
    if (write_frame(w, frame_magic, &magic, err) != 0)
        return -1;
    w->crew = crew_new(&jobs, threads, w->slots);
    return w->crew ? 0 : error_no_memory(err, "a thread to compress on");
}

struct frame_writer *frame_writer_new(const struct frame_sink *sink, int level, unsigned threads,
                                      struct error *err)
{
    struct frame_writer *w = calloc(1, sizeof *w);
    if (!w) {
        error_no_memory(err, "compression");
        return NULL;
    }
    w->sink = *sink;
    w->level = level;
    w->slots = (size_t)threads + 1;
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
    crew_free(w->crew);
    for (size_t i = 0; w->jobs && i < w->slots; i++) {
        free(w->jobs[i].content);
        free(w->jobs[i].stored);
    }
    free(w->jobs);
    free(w->facts);
    free(w);
}
