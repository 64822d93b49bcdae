#include "archive/trace_feed.h"

#include <stdlib.h>

#include "parser/crew.h"
#include "archive/tar.h"

#define AHEAD 2 /* decompressed chunks that wait, besides those being decompressed */

/* A chunk to be read. */
struct chunk_place {
    const struct capture *capture;
    const struct member *member;
};

struct chunk_slot {
    const struct chunk_place *place;
    struct frame_reader reader;
    const uint8_t *bytes; /* of the chunk, in the reader's content; NULL: because of `why` */
    struct error why;
};

struct trace_feed {
    const struct frames *frames; /* of the archive */
    struct chunk_place *chunks;
    size_t chunks_n;
    struct chunk_slot *slots;
    size_t slots_n;
    struct crew *crew;
    size_t begun, used; /* chunks that were given to the crew; that the caller does not use any more */
    bool handed;        /* the caller uses chunk `used` */
    uint64_t stored_done, stored_size; /* bytes of their frames */
};

static size_t frame_of(const struct chunk_place *c)
{
    return (size_t)c->capture->first_frame + c->member->frame;
}

/* On one of the crew's threads. */
static void read_chunk(void *context, size_t slot, unsigned thread)
{
    (void)thread;
    const struct trace_feed *f = context;
    struct chunk_slot *s = &f->slots[slot];
    const struct member *m = s->place->member;
    size_t frame = frame_of(s->place);
    char path[TAR_NAME_MAX];
    s->bytes = frame_read(f->frames, frame, &s->reader, &s->why);
    capture_member_path(s->place->capture, m->name, path);
    if (s->bytes)
        s->bytes = member_in_frame(&f->frames->list[frame], s->bytes, m->at - TAR_BLOCK, path, m->bytes,
                                   m->digest, &s->why);
}

static int next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct trace_feed *f = context;
    if (f->handed) {
        crew_release(f->crew);
        f->used++;
        f->handed = false;
    }
    for (; f->begun < f->chunks_n && f->begun - f->used < f->slots_n; f->begun++) {
        f->slots[crew_room(f->crew)].place = &f->chunks[f->begun];
        crew_give(f->crew);
    }
    size_t slot = crew_take(f->crew);
    if (slot == CREW_NONE)
        return 0;
    const struct chunk_slot *s = &f->slots[slot];
    if (!s->bytes) {
        *err = s->why;
        return -1;
    }
    f->stored_done += f->frames->list[frame_of(s->place)].bytes;
    f->handed = true;
    *bytes = s->bytes;
    *n = s->place->member->bytes;
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
            f->chunks[f->chunks_n] = (struct chunk_place){&captures[i], member};
            f->stored_size += f->frames->list[frame_of(&f->chunks[f->chunks_n++])].bytes;
        }
    return f->chunks != NULL;
}

struct trace_feed *trace_feed_new(const struct archive *a, const struct capture *captures, size_t n,
                                  uint32_t chunk, unsigned threads, struct error *err)
{
    struct trace_feed *f = calloc(1, sizeof *f);
    struct crew_jobs jobs = {.name = "unpack", .context = f, .work = read_chunk};
    if (f) {
        f->frames = archive_frames(a);
        f->slots_n = threads + AHEAD;
        f->slots = calloc(f->slots_n, sizeof *f->slots);
    }
    if (f && f->slots && list_chunks(f, captures, n, chunk) &&
        (f->crew = crew_new(&jobs, threads, f->slots_n)))
        return f;
    trace_feed_free(f);
    error_no_memory(err, "the threads that decompress");
    return NULL;
}

void trace_feed_free(struct trace_feed *f)
{
    if (!f)
        return;
    crew_free(f->crew);
    for (size_t i = 0; f->slots && i < f->slots_n; i++)
        frame_reader_free(&f->slots[i].reader);
    free(f->slots);
    free(f->chunks);
    free(f);
}
