#include "unpack.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "parser/thread.h"

#define READ_CHUNK (256u << 10) /* compressed bytes of one step */
#define CHUNK      (256u << 10) /* decompressed bytes of a block */
#define CHUNKS     8            /* blocks decompressed ahead at most, the one in use included */

struct unpacked_block {
    uint8_t *bytes;
    size_t n;
};

struct unpacker {
    struct source *source;
    pthread_t thread;
    pthread_mutex_t lock; /* of the fields up to `failed` */
    pthread_cond_t filled, emptied;
    struct unpacked_block ring[CHUNKS]; /* blocks [taken, made) have bytes; the first may be in use */
    uint64_t taken, made;               /* counted from the beginning, at index % CHUNKS */
    bool ended, failed;                 /* no block follows; `failed`: because of `why` */
    bool quit;                          /* the thread must end */
    bool in_use;                        /* the chunk `taken` is the caller's for now */
    struct error why;
    /* the thread's own */
    const struct codec *codec;
    void *decoder;   /* the codec's */
    uint8_t *packed; /* bytes read and not yet decompressed; not used when mapped */
    size_t packed_begin, packed_end;
    enum codec_status status; /* of the last step */
    uint64_t offset;          /* decompressed so far */
};

/* ---- the thread ---- */

/* Gives the next compressed bytes; none at the end. -1 with `why` filled. */
static int look(struct unpacker *u, struct codec_step *step)
{
    struct source *s = u->source;
    *step = (struct codec_step){0};
    if (s->mapped) {
        if (source_check(s, &u->why) != 0)
            return -1;
        uint64_t left = s->size - s->position;
        step->from = s->map + s->position;
        step->n = left < READ_CHUNK ? (size_t)left : READ_CHUNK;
        s->ended = step->n == 0;
        return 0;
    }
    if (u->packed_begin == u->packed_end && !s->ended) {
        ssize_t got = source_read(s, u->packed, READ_CHUNK, &u->why);
        if (got < 0)
            return -1;
        u->packed_begin = 0;
        u->packed_end = (size_t)got;
    }
    step->from = u->packed + u->packed_begin;
    step->n = u->packed_end - u->packed_begin;
    return 0;
}

/* True if the next read may block. */
static bool would_wait(const struct unpacker *u)
{
    return !u->source->mapped && u->packed_begin == u->packed_end;
}

/* Fills the block; stops early rather than wait for more bytes. 1; 0 at the end; -1 with `why` filled. */
static int fill(struct unpacker *u, struct unpacked_block *chunk)
{
    chunk->n = 0;
    for (;;) {
        struct codec_step step;
        if (look(u, &step) != 0)
            return -1;
        if (step.n == 0 && u->source->ended && u->status == CODEC_BETWEEN)
            return 0;
        size_t offered = step.n, before = chunk->n;
        step.to = chunk->bytes + chunk->n;
        step.room = CHUNK - chunk->n;
        const char *why = NULL;
        u->status = u->codec->step(u->decoder, &step, &why);
        chunk->n = CHUNK - step.room;
        if (u->status == CODEC_DAMAGED)
            return error_set_at(&u->why, ERROR_FORMAT, u->offset + chunk->n,
                                "the %s compression is damaged here (offset after decompression): %s",
                                u->codec->name, why);
        if (u->source->mapped)
            source_advance(u->source, offered - step.n);
        else
            u->packed_begin += offered - step.n;
        if (u->source->ended && step.n == offered && chunk->n == before)
            return 0; /* in the middle of a member, if the status says so */
        if (chunk->n == CHUNK || (chunk->n > 0 && would_wait(u)))
            return 1;
    }
}

/* Waits for a free block; NULL: the thread must end. */
static struct unpacked_block *next_empty(struct unpacker *u)
{
    pthread_mutex_lock(&u->lock);
    while (u->made - u->taken >= CHUNKS && !u->quit)
        pthread_cond_wait(&u->emptied, &u->lock);
    struct unpacked_block *chunk = u->quit ? NULL : &u->ring[u->made % CHUNKS];
    pthread_mutex_unlock(&u->lock);
    return chunk;
}

static void *decompress(void *context)
{
    struct unpacker *u = context;
    int status = 1;
    while (status > 0) {
        struct unpacked_block *chunk = next_empty(u);
        if (!chunk)
            return NULL;
        status = fill(u, chunk);
        u->offset += chunk->n;
        pthread_mutex_lock(&u->lock);
        u->made += chunk->n > 0;
        u->ended = status <= 0;
        u->failed = status < 0;
        pthread_cond_signal(&u->filled);
        pthread_mutex_unlock(&u->lock);
    }
    return NULL;
}

/* ---- the caller's side ---- */

static void release(struct unpacker *u)
{
    for (int i = 0; i < CHUNKS; i++)
        free(u->ring[i].bytes);
    free(u->packed);
    u->codec->close(u->decoder);
    free(u);
}

static bool make_room(struct unpacker *u, size_t first_n)
{
    bool room = source_make_wakeable(u->source);
    for (int i = 0; i < CHUNKS; i++)
        room = (u->ring[i].bytes = malloc(CHUNK)) && room;
    u->decoder = u->codec->open();
    if (!u->source->mapped)
        u->packed = malloc(first_n > READ_CHUNK ? first_n : READ_CHUNK);
    return room && u->decoder && (u->source->mapped || u->packed);
}

struct unpacker *unpack_begin(const struct codec *codec, struct source *source, const uint8_t *first,
                              size_t first_n, struct error *err)
{
    struct unpacker *u = calloc(1, sizeof *u);
    if (!u) {
        error_no_memory(err, "decompression");
        return NULL;
    }
    u->codec = codec;
    u->source = source;
    if (!make_room(u, first_n)) {
        release(u);
        error_no_memory(err, "decompression");
        return NULL;
    }
    if (first_n > 0)
        memcpy(u->packed, first, first_n);
    u->packed_end = first_n;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->filled, NULL);
    pthread_cond_init(&u->emptied, NULL);
    if (!thread_begin(&u->thread, "unpack", decompress, u)) {
        release(u);
        error_no_memory(err, "a thread that decompresses");
        return NULL;
    }
    return u;
}

void unpack_end(struct unpacker *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    u->quit = true; /* the thread may wait for a block, or for a pipe */
    pthread_cond_signal(&u->emptied);
    pthread_mutex_unlock(&u->lock);
    source_wake(u->source);
    pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->filled);
    pthread_cond_destroy(&u->emptied);
    pthread_mutex_destroy(&u->lock);
    release(u);
}

int unpack_next(struct unpacker *u, const uint8_t **bytes, size_t *n, struct error *err)
{
    pthread_mutex_lock(&u->lock);
    if (u->in_use) {
        u->in_use = false;
        u->taken++;
        pthread_cond_signal(&u->emptied);
    }
    while (u->taken == u->made && !u->ended)
        pthread_cond_wait(&u->filled, &u->lock);
    int status = u->taken < u->made ? 1 : u->failed ? -1 : 0;
    if (status > 0) {
        const struct unpacked_block *chunk = &u->ring[u->taken % CHUNKS];
        *bytes = chunk->bytes;
        *n = chunk->n;
        u->in_use = true;
    } else if (status < 0) {
        *err = u->why;
    }
    pthread_mutex_unlock(&u->lock);
    return status;
}

bool unpack_cut_short(const struct unpacker *u)
{
    return u->status == CODEC_INSIDE;
}
