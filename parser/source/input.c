#include "input.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "content.h"
#include "source.h"
#include "unpack.h"

#define READ_CHUNK (256u << 10) /* bytes of one read from a pipe */
#define MAPPED_VIEW                                                                                          \
    (8u << 20) /* bytes of one view of a mapped file: a truncated file is noticed after so many */
#define FIRST_BUFFER (1u << 20)
#define FEW_BYTES                                                                                            \
    4096 /* so few that are kept move to the buffer's beginning: the memory that bytes are read into stays in the cache */
#define FIRST_FEED_BUFFER 4096 /* a feed may have few bytes; the buffer grows with its pieces */

#define ARCHIVE_NAME     "xenmeter.archive/" /* in a skippable frame */
#define ARCHIVE_NAME_END (8 + sizeof ARCHIVE_NAME - 1)

struct input {
    struct source source;
    /* A buffer with the bytes [begin, end) not yet consumed. Not used for a plain mapped file. */
    uint8_t *buffer;
    size_t capacity, begin, end;
    uint64_t offset; /* of the current position, in the decompressed input */
    bool ended;
    const struct codec *codec; /* NULL: the input is not compressed */
    struct unpacker *unpacker; /* NULL until the first compressed bytes are needed */
    uint8_t *first;            /* the bytes read from a pipe to find its kind */
    size_t first_n;
    struct feed feed;     /* .next NULL: the source is read */
    struct trace_tap tap; /* .bytes NULL: no listener */
    bool tap_failed;
    struct error tap_why;
};

/* An archive is a zstd file, but its content is no capture (xenmeter-archive(5)). */
static bool begins_archive(const uint8_t *bytes, size_t n)
{
    return bytes && n >= ARCHIVE_NAME_END && memcmp(bytes + 8, ARCHIVE_NAME, strlen(ARCHIVE_NAME)) == 0;
}

/* Makes room for `more` bytes after `end`. */
static int reserve(struct input *in, size_t more, struct error *err)
{
    size_t kept = in->end - in->begin;
    if (in->begin > 0 && (kept <= FEW_BYTES || in->capacity - in->end < more)) {
        memmove(in->buffer, in->buffer + in->begin, kept);
        in->begin = 0;
        in->end = kept;
    }
    if (in->capacity - in->end >= more)
        return 0;
    size_t capacity = in->capacity ? in->capacity : in->feed.next ? FIRST_FEED_BUFFER : FIRST_BUFFER;
    while (capacity - in->end < more)
        capacity *= 2;
    uint8_t *buffer = realloc(in->buffer, capacity);
    if (!buffer)
        return error_no_memory(err, "the input");
    in->buffer = buffer;
    in->capacity = capacity;
    return 0;
}

/* Appends the next bytes of the unpacker or the feed. */
static int fill_pieces(struct input *in, struct error *err)
{
    const uint8_t *bytes;
    size_t n;
    bool fed = in->feed.next != NULL;
    if (!fed && !in->unpacker &&
        !(in->unpacker = unpack_begin(in->codec, &in->source, in->first, in->first_n, err)))
        return -1;
    int status =
        fed ? in->feed.next(in->feed.context, &bytes, &n, err) : unpack_next(in->unpacker, &bytes, &n, err);
    if (status <= 0) {
        in->ended = status == 0;
        return status;
    }
    if (reserve(in, n, err) != 0)
        return -1;
    memcpy(in->buffer + in->end, bytes, n);
    in->end += n;
    return 0;
}

static int fill_plain(struct input *in, size_t missing, struct error *err)
{
    if (reserve(in, missing > READ_CHUNK ? missing : READ_CHUNK, err) != 0)
        return -1;
    size_t room = in->capacity - in->end;
    ssize_t got = source_read(&in->source, in->buffer + in->end, room < READ_CHUNK ? room : READ_CHUNK, err);
    if (got < 0)
        return -1;
    in->end += (size_t)got;
    in->ended = got == 0;
    return 0;
}

static int view_mapped(struct input *in, size_t need, struct view *view, struct error *err)
{
    struct source *s = &in->source;
    if (source_check(s, err) != 0)
        return -1;
    uint64_t rest = s->size - s->position;
    size_t wanted = need > MAPPED_VIEW ? need : MAPPED_VIEW;
    view->data = s->map + s->position;
    view->n = rest < wanted ? (size_t)rest : wanted;
    view->offset = s->position;
    view->end = view->n == rest;
    return 0;
}

int input_view(struct input *in, size_t need, struct view *view, struct error *err)
{
    if (in->tap_failed) {
        *err = in->tap_why;
        return -1;
    }
    if (in->source.mapped && !in->codec)
        return view_mapped(in, need, view, err);
    while (in->end - in->begin < need && !in->ended) {
        size_t missing = need - (in->end - in->begin);
        if ((in->feed.next || in->codec ? fill_pieces(in, err) : fill_plain(in, missing, err)) != 0)
            return -1;
    }
    view->data = in->buffer ? in->buffer + in->begin : NULL; /* a feed may have no bytes */
    view->n = in->end - in->begin;
    view->offset = in->offset;
    view->end = in->ended;
    return 0;
}

void input_consume(struct input *in, size_t n)
{
    in->offset += n;
    if (in->tap.bytes && n > 0 && !in->tap_failed) {
        bool mapped = in->source.mapped && !in->codec;
        const uint8_t *bytes = mapped ? in->source.map + in->source.position : in->buffer + in->begin;
        in->tap_failed = in->tap.bytes(in->tap.context, bytes, n, &in->tap_why) != 0;
    }
    if (in->source.mapped && !in->codec) {
        source_advance(&in->source, n);
    } else {
        in->begin += n;
    }
}

/* Examines the first bytes, and sets up decompression if they are compressed. */
static int begin(struct input *in, struct error *err)
{
    struct view view;
    if (input_view(in, CODEC_MAGIC_BYTES, &view, err) != 0)
        return -1;
    if (view.n == 0)
        return error_set(err, ERROR_FORMAT, "is empty: there is nothing in it to report");
    const struct codec *codec = codec_of(view.data, view.n);
    if (!codec)
        return 0;
    if (input_view(in, ARCHIVE_NAME_END, &view, err) != 0)
        return -1;
    if (begins_archive(view.data, view.n))
        return error_set(
            err, ERROR_FORMAT,
            "is an archive, where a capture is wanted (through a pipe an archive comes as \"-\")");
    if (!codec->open)
        return error_set(err, ERROR_FORMAT,
                         "compressed by %s, and this xenmeter was built without %s: decompress it first: "
                         "%s -dc FILE | xenmeter report -",
                         codec->name, codec->package, codec->name);
    in->codec = codec;
    if (in->source.mapped)
        return 0;
    /* The bytes read so far are the beginning of the compressed ones. */
    in->first_n = in->end - in->begin;
    in->first = malloc(in->first_n + 1); /* never 0 bytes */
    if (!in->first)
        return error_no_memory(err, "decompression");
    memcpy(in->first, in->buffer + in->begin, in->first_n);
    in->begin = in->end = 0;
    in->ended = false;
    return 0;
}

struct input *input_open(const char *path, struct error *err)
{
    struct input *in = calloc(1, sizeof *in);
    if (!in) {
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    if (source_open(&in->source, path, err) != 0 || begin(in, err) != 0) {
        input_close(in);
        return NULL;
    }
    return in;
}

struct input *input_open_feed(const struct feed *feed, struct error *err)
{
    struct input *in = calloc(1, sizeof *in);
    if (!in) {
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    in->source.fd = -1;
    in->feed = *feed;
    return in;
}

void input_tap(struct input *in, const struct trace_tap *tap)
{
    in->tap = *tap;
}

void input_stop_on(struct input *in, const atomic_int *stop, const sigset_t *wait_mask)
{
    in->source.stop = stop;
    in->source.wait_mask = wait_mask;
}

bool input_make_wakeable(struct input *in)
{
    return in->source.mapped || in->feed.next || source_make_wakeable(&in->source);
}

void input_wake(const struct input *in)
{
    source_wake(&in->source);
}

void input_close(struct input *in)
{
    if (!in)
        return;
    unpack_end(in->unpacker);
    source_close(&in->source);
    free(in->first);
    free(in->buffer);
    free(in);
}

void input_position(const struct input *in, uint64_t *done, uint64_t *size)
{
    if (in->feed.next) {
        in->feed.position(in->feed.context, done, size);
        return;
    }
    *done = in->source.position;
    *size = in->source.size;
}

const char *input_compression(const struct input *in)
{
    if (in->feed.next)
        return in->feed.compression;
    return in->codec ? in->codec->name : "none";
}

int input_check_content(struct input *in, struct error *err)
{
    struct view view;
    if (input_view(in, CONTENT_BYTES, &view, err) != 0)
        return -1;
    if (view.n == 0 && in->codec)
        return error_set(err, ERROR_FORMAT, "is empty: there is nothing in its %s compression%s",
                         in->codec->name, input_cut_short(in) ? ", which is cut short" : "");
    return content_check(view.data, view.n < CONTENT_BYTES ? view.n : CONTENT_BYTES, input_compression(in),
                         err);
}

bool input_cut_short(const struct input *in)
{
    return in->unpacker && in->ended && unpack_cut_short(in->unpacker);
}
