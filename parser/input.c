#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define READ_CHUNK   (256u << 10) /* asked of a pipe at once */
#define MAPPED_VIEW  (8u << 20)   /* shown of a mapped file at once: bounds how far its size is trusted */
#define MAPPED_KEEP  (4u << 20)   /* read pages are given back in steps of this */
#define FIRST_BUFFER (1u << 20)

static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

/* Bytes as stored: read from a descriptor, or mapped. */
struct source {
    int fd;
    bool mapped;
    bool ended;
    const uint8_t *map;
    uint64_t size;     /* of a regular file, else 0 */
    uint64_t position; /* stored bytes handed on */
    uint64_t released; /* mapped pages before this were given back */
    const volatile sig_atomic_t *stop;
    const sigset_t *wait_mask;
};

struct input {
    struct source source;
    /* A buffer with the bytes [begin, end) not yet consumed. Not used for a plain mapped file. */
    uint8_t *buffer;
    size_t capacity, begin, end;
    uint64_t offset; /* in the decompressed input, of the current position */
    bool ended;
    /* Decompression. */
    ZSTD_DStream *zstd;
    uint8_t *packed; /* what was read and not yet decompressed; not used when mapped */
    size_t packed_begin, packed_end;
    size_t frame_hint; /* 0: between frames */
};

static bool begins_compressed(const uint8_t *bytes, size_t n)
{
    if (!bytes || n < 4)
        return false;
    /* A skippable frame (0x184d2a5?) may come first, as in some seekable files. */
    return memcmp(bytes, zstd_magic, 4) == 0 ||
           ((bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d && bytes[3] == 0x18);
}

/* Reads up to n bytes; 0 at the end, -1 on error. */
static ssize_t source_read(struct source *s, uint8_t *to, size_t n, struct error *err)
{
    for (;;) {
        if (s->stop) {
            struct pollfd wait = {.fd = s->fd, .events = POLLIN};
            if (!*s->stop)
                ppoll(&wait, 1, NULL, s->wait_mask);
            if (*s->stop) {
                s->ended = true;
                return 0;
            }
        }
        ssize_t got = read(s->fd, to, n);
        if (got >= 0) {
            s->position += (uint64_t)got;
            s->ended = got == 0;
            return got;
        }
        if (errno != EINTR)
            return error_set(err, ERROR_IO, "cannot read: %s", strerror(errno));
    }
}

/* Gives pages that were read back to the system, so that a large file does not count as memory in use. */
static void source_release(struct source *s)
{
    uint64_t upto = s->position & ~(uint64_t)(MAPPED_KEEP - 1);
    if (upto > s->released) {
        madvise((void *)(uintptr_t)(s->map + s->released), upto - s->released, MADV_DONTNEED);
        s->released = upto;
    }
}

/* A file that is cut while it is read would kill us with SIGBUS: look at its size before each large step. */
static int source_check(const struct source *s, struct error *err)
{
    struct stat st;
    if (fstat(s->fd, &st) == 0 && (uint64_t)st.st_size < s->size)
        return error_set_at(err, ERROR_IO, (uint64_t)st.st_size, "the file was cut short while it was read");
    return 0;
}

static int open_source(struct source *s, const char *path, struct error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    s->fd = standard_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    struct stat st;
    if (fstat(s->fd, &st) != 0)
        return error_set(err, ERROR_IO, "cannot look at it: %s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERROR_IO, "is a directory, not a capture");
    if (!S_ISREG(st.st_mode) || (standard_input && lseek(s->fd, 0, SEEK_CUR) != 0))
        return 0; /* a pipe, or a file that somebody has begun to read */
    if (st.st_size == 0)
        return 0; /* empty, or one of /proc's files whose size is not known: reading tells */
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, s->fd, 0);
    if (map == MAP_FAILED)
        return 0; /* some file systems cannot map: read instead */
    madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
    s->mapped = true;
    s->map = map;
    s->size = (uint64_t)st.st_size;
    return 0;
}

/* Makes room for `more` bytes behind `end`. */
static int reserve(struct input *in, size_t more, struct error *err)
{
    if (in->begin > 0 && in->begin == in->end)
        in->begin = in->end = 0;
    if (in->capacity - in->end >= more)
        return 0;
    if (in->begin > 0) {
        memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->begin = 0;
        if (in->capacity - in->end >= more)
            return 0;
    }
    size_t capacity = in->capacity ? in->capacity : FIRST_BUFFER;
    while (capacity - in->end < more)
        capacity *= 2;
    uint8_t *buffer = realloc(in->buffer, capacity);
    if (!buffer)
        return error_set_at(err, ERROR_MEMORY, in->offset, "no memory for %zu bytes of input", capacity);
    in->buffer = buffer;
    in->capacity = capacity;
    return 0;
}

/* Decompresses a piece of what there is into the buffer. */
static int fill_compressed(struct input *in, struct error *err)
{
    struct source *s = &in->source;
    ZSTD_inBuffer from = {0};
    if (s->mapped) {
        if (source_check(s, err) != 0)
            return -1;
        from.src = s->map + s->position;
        from.size = s->size - s->position < READ_CHUNK ? (size_t)(s->size - s->position) : READ_CHUNK;
        s->ended = from.size == 0;
    } else {
        if (in->packed_begin == in->packed_end && !s->ended) {
            ssize_t got = source_read(s, in->packed, READ_CHUNK, err);
            if (got < 0)
                return -1;
            in->packed_begin = 0;
            in->packed_end = (size_t)got;
        }
        from.src = in->packed + in->packed_begin;
        from.size = in->packed_end - in->packed_begin;
    }
    if (from.size == 0 && s->ended && in->frame_hint == 0) {
        in->ended = true;
        return 0;
    }
    ZSTD_outBuffer to = {in->buffer + in->end, in->capacity - in->end, 0};
    size_t status = ZSTD_decompressStream(in->zstd, &to, &from);
    if (ZSTD_isError(status)) {
        uint64_t at = in->offset + (in->end - in->begin) + to.pos;
        return error_set_at(err, ERROR_FORMAT, at,
                            "the zstd compression is damaged here (offset after "
                            "decompression): %s",
                            ZSTD_getErrorName(status));
    }
    in->frame_hint = status;
    in->end += to.pos;
    if (s->mapped) {
        s->position += from.pos;
        source_release(s);
    } else {
        in->packed_begin += from.pos;
    }
    if (s->ended && from.pos == 0 && to.pos == 0)
        in->ended = true; /* cut in the middle of a frame: frame_hint tells */
    return 0;
}

static int fill_plain(struct input *in, struct error *err)
{
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
    if (in->source.mapped && !in->zstd)
        return view_mapped(in, need, view, err);
    while (in->end - in->begin < need && !in->ended) {
        size_t missing = need - (in->end - in->begin);
        if (reserve(in, missing > READ_CHUNK ? missing : READ_CHUNK, err) != 0)
            return -1;
        if ((in->zstd ? fill_compressed(in, err) : fill_plain(in, err)) != 0)
            return -1;
    }
    view->data = in->buffer + in->begin;
    view->n = in->end - in->begin;
    view->offset = in->offset;
    view->end = in->ended;
    return 0;
}

void input_consume(struct input *in, size_t n)
{
    in->offset += n;
    if (in->source.mapped && !in->zstd) {
        in->source.position += n;
        source_release(&in->source);
    } else {
        in->begin += n;
    }
}

/* Looks at the first bytes, and sets up decompression if they say so. */
static int begin(struct input *in, struct error *err)
{
    struct view view;
    if (input_view(in, 4, &view, err) != 0)
        return -1;
    if (view.n == 0)
        return error_set(err, ERROR_FORMAT, "is empty: there is nothing in it to report");
    if (!begins_compressed(view.data, view.n))
        return 0;
    ZSTD_DStream *zstd = ZSTD_createDStream();
    if (!zstd)
        return error_set(err, ERROR_MEMORY, "no memory to decompress");
    in->zstd = zstd;
    /* 128 MiB windows (zstd --long=27) are the largest that stay inside our bounds. */
    ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, 27);
    in->frame_hint = 0;
    if (!in->source.mapped) {
        /* What was read as plain bytes is the beginning of the compressed ones. */
        in->packed = malloc(READ_CHUNK);
        if (!in->packed)
            return error_set(err, ERROR_MEMORY, "no memory to decompress");
        in->packed_end = in->end - in->begin;
        memcpy(in->packed, in->buffer + in->begin, in->packed_end);
        in->begin = in->end = 0;
        in->ended = false;
    }
    return 0;
}

struct input *input_open(const char *path, struct error *err)
{
    struct input *in = calloc(1, sizeof *in);
    if (!in) {
        error_set(err, ERROR_MEMORY, "no memory");
        return NULL;
    }
    if (open_source(&in->source, path, err) != 0 || begin(in, err) != 0) {
        input_close(in);
        return NULL;
    }
    return in;
}

void input_stop_on(struct input *in, const volatile sig_atomic_t *stop, const sigset_t *wait_mask)
{
    in->source.stop = stop;
    in->source.wait_mask = wait_mask;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    if (in->source.mapped)
        munmap((void *)(uintptr_t)in->source.map, in->source.size);
    if (in->source.fd >= 0)
        close(in->source.fd);
    ZSTD_freeDStream(in->zstd);
    free(in->packed);
    free(in->buffer);
    free(in);
}

void input_position(const struct input *in, uint64_t *done, uint64_t *size)
{
    *done = in->source.position;
    *size = in->source.size;
}

const char *input_compression(const struct input *in)
{
    return in->zstd ? "zstd" : "none";
}

bool input_cut_short(const struct input *in)
{
    return in->zstd && in->ended && in->frame_hint != 0;
}

size_t input_memory(const struct input *in)
{
    return in->capacity + (in->packed ? READ_CHUNK : 0) + (in->zstd ? ZSTD_sizeof_DStream(in->zstd) : 0);
}
