#include "top_tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "act/child.h"
#include "parser/thread.h"

#define LOOK_NS   50000000
#define MOVE_MOST (1u << 20)   /* bytes at a time */
#define SHOWN_NS  60000000000u /* how long a new start is reported */

struct top_tracer {
    struct tracer *tracer; /* the thread's, as are: */
    int from;              /* the pipe of the xentrace that runs; -1: there is none */
    int to;                /* the pipe that the reader has: one trace of all that the xentraces write */
    bool any;              /* something came */
    pthread_t thread;
    bool has_thread;
    int fd; /* the reader's end */
    char input[32];
    atomic_int stop, pid;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock: */
    bool started, ended;
    unsigned restarts;
    uint64_t restarted_ns; /* the last time; 0: it was not, or is being waited for */
    struct error error;    /* why it could not be started */
    char failure[160];     /* how the last one ended; empty: none has, but as it was asked to */
};

/* ---- what others ask about ---- */

static void note_start(struct top_tracer *t)
{
    t->pid = tracer_pid(t->tracer);
    pthread_mutex_lock(&t->lock);
    t->restarts += t->started;
    t->restarted_ns = t->started ? io_clock_ns() : 0;
    t->started = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void note_failure(struct top_tracer *t, const char *failure)
{
    t->pid = -1;
    pthread_mutex_lock(&t->lock);
    t->restarted_ns = 0;
    snprintf(t->failure, sizeof t->failure, "%.*s", (int)sizeof t->failure - 1, failure);
    pthread_mutex_unlock(&t->lock);
}

static void note_end(struct top_tracer *t, const struct error *err)
{
    pthread_mutex_lock(&t->lock);
    t->error = *err;
    t->started = t->ended = true;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

/* ---- the thread ---- */

/* Reads what xentrace still writes, as it waits for that, though nobody wants it any more. */
static void drain(int fd)
{
    char bytes[1 << 16];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (poll(&wait, 1, 0) > 0 && read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* Hands on what there is, or waits for that, for at most so long. False: this xentrace's pipe has ended, or the reader's. */
static bool move_bytes(struct top_tracer *t, int most_ms)
{
    struct pollfd from = {.fd = t->from, .events = POLLIN}, to = {.fd = t->to, .events = POLLOUT};
    if (poll(&from, 1, most_ms) <= 0 || poll(&to, 1, most_ms) <= 0)
        return true;
    ssize_t n = splice(t->from, NULL, t->to, NULL, MOVE_MOST, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    t->any |= n > 0;
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* One xentrace, from its start to its end. How that was. */
static enum tracer_state run_once(struct top_tracer *t)
{
    enum tracer_state state;
    bool goes_on = true;
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    while ((state = tracer_check(t->tracer)) == TRACER_RUNNING) {
        if (t->stop) {
            tracer_stop(t->tracer);
            drain(t->from);
        }
        if (goes_on && !t->stop)
            goes_on = move_bytes(t, LOOK_NS / 1000000);
        else
            nanosleep(&pause, NULL);
    }
    while (goes_on && !t->stop && move_bytes(t, LOOK_NS / 1000000)) /* what is left in its pipe */
        ;
    return state;
}

static void wait_for_next(const struct top_tracer *t)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    while (!t->stop && tracer_pause_ns(t->tracer) > 0)
        nanosleep(&pause, NULL);
}

/*
 * One xentrace after the other, as the recorder does: for the reader, what was not recorded in between is a hole in one trace. xentrace
 * gets SIGTERM when this thread ends: the thread lives as long as it does. The first one must give something.
 */
static void *look_after(void *context)
{
    struct top_tracer *t = context;
    struct error err = {0};
    while (!t->stop) {
        t->from = tracer_start(t->tracer, &err);
        if (t->from >= 0) {
            note_start(t);
            bool failed = run_once(t) == TRACER_FAILED;
            close(t->from);
            note_failure(t, failed ? tracer_failure(t->tracer) : "");
        } else {
            note_failure(t, err.message);
        }
        if (!t->any)
            break;
        wait_for_next(t);
    }
    note_end(t, &err);
    child_close(&t->to);
    return NULL;
}

/* ---- from outside ---- */

/* The pipe to the reader; as large as that of xentrace, if it may be. */
static int open_pipe(struct top_tracer *t, struct error *err)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return error_set(err, ERROR_IO, "no pipe for it: %s", strerror(errno));
    t->fd = pipes[0];
    t->to = pipes[1];
    (void)fcntl(t->to, F_SETPIPE_SZ, MOVE_MOST);
    snprintf(t->input, sizeof t->input, "/dev/fd/%d", t->fd);
    return 0;
}

struct top_tracer *top_tracer_new(const char *program, enum tracer_purpose purpose, struct error *err)
{
    struct tracer_options options = tracer_defaults;
    struct top_tracer *t = calloc(1, sizeof *t);
    if (!t) {
        error_no_memory(err, "xentrace");
        return NULL;
    }
    t->fd = t->from = t->to = -1;
    t->pid = -1;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    options.path = program ? program : options.path;
    options.mask = tracer_mask(purpose);
    options.pages = tracer_pages(tracer_pcpus(""));
    if (!(t->tracer = tracer_new(&options, err)) || open_pipe(t, err) != 0) {
        top_tracer_free(t);
        return NULL;
    }
    t->has_thread = thread_begin(&t->thread, "xentrace", look_after, t);
    pthread_mutex_lock(&t->lock);
    while (t->has_thread && !t->started)
        pthread_cond_wait(&t->changed, &t->lock);
    *err = t->error;
    pthread_mutex_unlock(&t->lock);
    if (t->has_thread && err->code == ERROR_NONE)
        return t;
    if (!t->has_thread)
        error_no_memory(err, "xentrace");
    top_tracer_free(t);
    return NULL;
}

const char *top_tracer_input(const struct top_tracer *t)
{
    return t->input;
}

bool top_tracer_failure(struct top_tracer *t, char *to, size_t size)
{
    pthread_mutex_lock(&t->lock);
    bool ended = t->ended;
    if (ended)
        snprintf(to, size, "xentrace has ended: %s", *t->failure ? t->failure : "it was asked to");
    pthread_mutex_unlock(&t->lock);
    return ended;
}

bool top_tracer_remark(struct top_tracer *t, char *to, size_t size)
{
    pthread_mutex_lock(&t->lock);
    bool waits = *t->failure && t->restarted_ns == 0;
    bool any = waits || (t->restarted_ns && io_clock_ns() - t->restarted_ns < SHOWN_NS);
    if (t->ended || waits)
        snprintf(to, size, "xentrace has ended: %s%s", t->failure, t->ended ? "" : "; it is started again");
    else if (any)
        snprintf(to, size, "xentrace was started again (%u): %s", t->restarts, t->failure);
    pthread_mutex_unlock(&t->lock);
    return any;
}

uint64_t top_tracer_cpu_ns(struct top_tracer *t)
{
    clockid_t clock;
    struct timespec time;
    int pid = t->pid;
    if (pid < 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void top_tracer_free(struct top_tracer *t)
{
    if (!t)
        return;
    t->stop = 1;
    if (t->has_thread)
        pthread_join(t->thread, NULL);
    tracer_free(t->tracer);
    child_close(&t->fd);
    child_close(&t->to);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
