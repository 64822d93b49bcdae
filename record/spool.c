#include "spool.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "metrics/min_max.h"
#include "parser/thread.h"

#define BLOCK        ((size_t)256 << 10)
#define BLOCKS_LEAST 4
#define WAITING_PART 3 /* of the room, at most, waits to be decoded */

struct spool {
    int fd;
    int wake_reader; /* eventfd: there are bytes, or the end */
    int wake_thread; /* eventfd: there is room, or it is to end */
    struct spool_watch watch;
    pthread_t thread;
    bool has_thread;
    uint8_t **blocks; /* a ring: byte `offset` is in block (offset / BLOCK) % blocks_n; NULL: not there */
    size_t blocks_n;
    uint64_t kept_max, waiting_max; /* bytes for decoding, and of them not decoded yet */
    uint8_t *spare;                 /* a block that is free */
    pthread_mutex_t lock;
    /* offsets in the trace, under the lock: */
    uint64_t begin;  /* the first byte of the first block that is there */
    uint64_t keep;   /* wanted from here on */
    uint64_t hold;   /* wanted for copies */
    uint64_t handed; /* where the piece begins that the reader has */
    uint64_t next;   /* the next byte for the reader */
    uint64_t end;    /* bytes read from the pipe */
    uint64_t stalled_ns;
    uint64_t read_at_ns; /* when bytes came last */
    int error;
    bool ended, told_to_end;
};

/* ---- the thread that reads the pipe ---- */

static void wake(int event_fd)
{
    uint64_t one = 1;
    while (write(event_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void drain(int event_fd)
{
    uint64_t events;
    while (read(event_fd, &events, sizeof events) < 0 && errno == EINTR)
        ;
}

static uint8_t **block_at(struct spool *s, uint64_t offset)
{
    return &s->blocks[offset / BLOCK % s->blocks_n];
}

/* Gives up the first block. */
static void drop_block(struct spool *s)
{
    uint8_t **b = block_at(s, s->begin);
    if (s->spare)
        free(*b);
    else
        s->spare = *b;
    *b = NULL;
    s->begin += BLOCK;
}

static bool is_full(const struct spool *s)
{
    return s->end - s->begin >= s->blocks_n * BLOCK;
}

/* Blocks that nobody wants any more; and, if the ring is full, those that are only kept or held. */
static void make_room(struct spool *s)
{
    uint64_t used = min64(s->handed, s->next) / BLOCK * BLOCK;
    uint64_t keep = s->end > s->kept_max ? max64(s->keep, s->end - s->kept_max) : s->keep;
    while (s->begin + BLOCK <= min64(min64(keep, s->hold), used))
        drop_block(s);
    if (is_full(s) && s->begin < used)
        drop_block(s);
}

/* Where the next bytes go; NULL: there is no room, or no memory. What waits leaves room for what is kept. */
static uint8_t *room(struct spool *s, size_t *n)
{
    make_room(s);
    if (is_full(s) || s->end - s->next >= s->waiting_max)
        return NULL;
    uint8_t **b = block_at(s, s->end);
    if (!*b) {
        *b = s->spare ? s->spare : malloc(BLOCK);
        s->spare = NULL;
    }
    size_t at = s->end % BLOCK;
    *n = BLOCK - at;
    return *b ? *b + at : NULL;
}

/* Waits until the pipe (if `pipe`) or the event is readable. Whether the pipe is. */
static bool wait_for_pipe(const struct spool *s, bool pipe)
{
    struct pollfd fds[] = {{.fd = s->wake_thread, .events = POLLIN}, {.fd = s->fd, .events = POLLIN}};
    poll(fds, pipe ? 2 : 1, -1);
    if (fds[0].revents)
        drain(s->wake_thread);
    return fds[1].revents != 0;
}

/* What is read goes on from `to`; false: it was the end. */
static bool read_more(struct spool *s, uint8_t *to, size_t room_bytes)
{
    ssize_t n = read(s->fd, to, room_bytes);
    int error = n < 0 ? errno : 0;
    pthread_mutex_lock(&s->lock);
    s->end += n > 0 ? (uint64_t)n : 0;
    if (n > 0)
        s->read_at_ns = io_clock_ns();
    if (n == 0 || (n < 0 && error != EINTR && error != EAGAIN)) {
        s->ended = true;
        s->error = error;
    }
    bool more = !s->ended;
    pthread_mutex_unlock(&s->lock);
    return more;
}

static void *read_pipe(void *context)
{
    struct spool *s = context;
    uint64_t stalled_at = 0;
    for (;;) {
        size_t n = 0;
        pthread_mutex_lock(&s->lock);
        uint8_t *to = room(s, &n);
        if (to && stalled_at) {
            s->stalled_ns += io_clock_ns() - stalled_at;
            stalled_at = 0;
        }
        s->ended |= s->told_to_end;
        bool ended = s->ended;
        pthread_mutex_unlock(&s->lock);
        if (ended)
            break;
        if (!to && !stalled_at)
            stalled_at = io_clock_ns();
        if (!wait_for_pipe(s, to != NULL))
            continue;
        if (!read_more(s, to, n))
            break;
        wake(s->wake_reader);
    }
    wake(s->wake_reader);
    return NULL;
}

/* ---- the reader ---- */

/* The next piece: 1; 0: nothing is there yet; -1: nothing follows. */
static int take(struct spool *s, const uint8_t **bytes, size_t *n)
{
    pthread_mutex_lock(&s->lock);
    s->handed = s->next;
    bool any = s->next < s->end;
    if (any) {
        size_t at = s->next % BLOCK;
        *n = (size_t)min64(BLOCK - at, s->end - s->next);
        *bytes = *block_at(s, s->next) + at;
        s->next += *n;
    }
    bool over = !any && s->ended;
    pthread_mutex_unlock(&s->lock);
    wake(s->wake_thread); /* the piece before is free */
    return any ? 1 : over ? -1 : 0;
}

static int next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct spool *s = context;
    const struct timespec tick = {0, SPOOL_TICK_NS};
    int status;
    (void)err;
    while ((status = take(s, bytes, n)) == 0) {
        struct pollfd fd = {.fd = s->wake_reader, .events = POLLIN};
        s->watch.tick(s->watch.context);
        if (ppoll(&fd, 1, &tick, s->watch.wait_mask) > 0)
            drain(s->wake_reader);
    }
    return status > 0;
}

static void position(void *context, uint64_t *done, uint64_t *size)
{
    struct spool *s = context;
    pthread_mutex_lock(&s->lock);
    *done = s->next;
    *size = 0;
    pthread_mutex_unlock(&s->lock);
}

struct feed spool_feed(struct spool *s, uint64_t offset)
{
    pthread_mutex_lock(&s->lock);
    s->handed = s->next = max64(offset, s->begin);
    s->keep = min64(s->keep, s->next);
    pthread_mutex_unlock(&s->lock);
    return (struct feed){.context = s, .next = next, .position = position, .compression = "none"};
}

void spool_keep(struct spool *s, uint64_t offset)
{
    pthread_mutex_lock(&s->lock);
    s->keep = offset;
    pthread_mutex_unlock(&s->lock);
    wake(s->wake_thread);
}

void spool_hold(struct spool *s, uint64_t offset)
{
    pthread_mutex_lock(&s->lock);
    s->hold = offset;
    pthread_mutex_unlock(&s->lock);
    wake(s->wake_thread);
}

bool spool_copy(struct spool *s, uint64_t offset, uint8_t *to, size_t n)
{
    pthread_mutex_lock(&s->lock);
    bool there = offset >= s->begin && offset <= s->end && n <= s->end - offset;
    for (size_t part; there && n > 0; offset += part, to += part, n -= part) {
        size_t at = offset % BLOCK;
        part = (size_t)min64(n, BLOCK - at);
        memcpy(to, *block_at(s, offset) + at, part);
    }
    pthread_mutex_unlock(&s->lock);
    return there;
}

uint64_t spool_kept(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t begin = s->begin;
    pthread_mutex_unlock(&s->lock);
    return begin;
}

void spool_end(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    s->told_to_end = true;
    pthread_mutex_unlock(&s->lock);
    wake(s->wake_thread);
}

struct spool_state spool_state(struct spool *s)
{
    pthread_mutex_lock(&s->lock);
    struct spool_state state = {.bytes = s->end,
                                .waiting = s->end - s->next,
                                .stalled_ns = s->stalled_ns,
                                .read_at_ns = s->read_at_ns,
                                .error = s->error,
                                .ended = s->ended};
    pthread_mutex_unlock(&s->lock);
    return state;
}

/* ---- the whole ---- */

struct spool *spool_new(int fd, size_t bytes_max, size_t held_max, const struct spool_watch *watch,
                        struct error *err)
{
    struct spool *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        error_no_memory(err, "the trace that waits");
        return NULL;
    }
    s->fd = fd;
    s->watch = *watch;
    s->keep = UINT64_MAX; /* nothing, until a reader begins */
    s->hold = UINT64_MAX;
    s->blocks_n = max64(bytes_max / BLOCK, BLOCKS_LEAST);
    s->kept_max = s->blocks_n * BLOCK;
    s->waiting_max = s->kept_max / WAITING_PART;
    s->blocks_n += held_max / BLOCK;
    s->blocks = calloc(s->blocks_n, sizeof *s->blocks);
    s->wake_reader = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->wake_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&s->lock, NULL);
    s->has_thread = s->blocks && s->wake_reader >= 0 && s->wake_thread >= 0 &&
                    thread_begin(&s->thread, "pipe", read_pipe, s);
    if (s->has_thread)
        return s;
    spool_free(s);
    error_no_memory(err, "the trace that waits");
    return NULL;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    if (s->has_thread) {
        spool_end(s);
        pthread_join(s->thread, NULL);
    }
    for (size_t i = 0; s->blocks && i < s->blocks_n; i++)
        free(s->blocks[i]);
    free(s->blocks);
    free(s->spare);
    pthread_mutex_destroy(&s->lock);
    close(s->fd);
    if (s->wake_reader >= 0)
        close(s->wake_reader);
    if (s->wake_thread >= 0)
        close(s->wake_thread);
    free(s);
}
