#include "serve_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/io_clock.h"

#define NS_PER_S     1000000000u
#define LOOK_NS      50000000u   /* at xentrace, while it ends */
#define ENDS_NS      1000000000u /* how long it may take to end by itself when its pipe has ended */
#define FIFO_LOOK_NS 500000000u  /* whether it is still there under its name */
#define FIFO_PAUSE_NS                                                                                        \
    200000000u /* before a FIFO is opened again: whoever writes nothing is not waited for at full speed */

int serve_source_init(struct serve_source *s, const char *path, const struct tracer_options *tracer,
                      struct error *err)
{
    struct stat st;
    s->path = path;
    s->is_live = true;
    if (!path) {
        s->tracer = tracer_new(tracer, err);
        return s->tracer ? 0 : -1;
    }
    bool standard = strcmp(path, "-") == 0;
    if ((standard ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    s->is_fifo = !standard && S_ISFIFO(st.st_mode);
    s->is_live = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    return 0;
}

void serve_source_free(struct serve_source *s)
{
    tracer_free(s->tracer);
    s->tracer = NULL;
}

bool serve_source_goes_on(const struct serve_source *s)
{
    return s->tracer || s->is_fifo;
}

static bool stopped(const struct serve_source *s)
{
    return *s->stop != 0;
}

/* False: asked to stop. */
static bool wait_ns(const struct serve_source *s, uint64_t ns)
{
    uint64_t end_ns = io_clock_ns() + ns;
    for (uint64_t now_ns; !stopped(s) && (now_ns = io_clock_ns()) < end_ns;) {
        struct timespec left = {(time_t)((end_ns - now_ns) / NS_PER_S), (long)((end_ns - now_ns) % NS_PER_S)};
        ppoll(NULL, 0, &left, s->wait_mask);
    }
    return !stopped(s);
}

/* Waits until there is something to read, or nobody writes any more; `look`: at most so long. poll's answer; 0 also when asked to stop. */
static int wait_for_bytes(const struct serve_source *s, int fd, const struct timespec *look)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n = -1;
    while (!stopped(s) && (n = ppoll(&wait, 1, look, s->wait_mask)) < 0 && errno == EINTR)
        ;
    return stopped(s) ? 0 : n;
}

/* Makes it standard input, and closes it. */
static int become_input(int fd, struct error *err)
{
    int status = dup2(fd, STDIN_FILENO);
    if (fd != STDIN_FILENO)
        close(fd);
    return status >= 0 ? 0 : error_set(err, ERROR_IO, "cannot read it: %s", strerror(errno));
}

/* Whether the path leads to something else than what is open, or to nothing. */
static bool is_replaced(const struct serve_source *s, int fd)
{
    struct stat st, opened;
    return stat(s->path, &st) != 0 || fstat(fd, &opened) != 0 || st.st_dev != opened.st_dev ||
           st.st_ino != opened.st_ino;
}

/* The FIFO of that path, when somebody writes to it. -1: asked to stop, with `err` empty, or there is none. */
static int open_fifo(struct serve_source *s, struct error *err)
{
    const struct timespec look = {.tv_nsec = FIFO_LOOK_NS};
    struct stat st;
    while (!stopped(s)) {
        int fd = open(s->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), n = 0;
        if (fd < 0 && errno != ENOENT)
            return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
        s->is_fifo = fd < 0 || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
        if (!s->is_fifo) { /* a file would be read, and counted, again and again */
            close(fd);
            return error_set(err, ERROR_IO, "it was a FIFO, and is none any more");
        }
        if (fd < 0) { /* whoever removed it may make it anew */
            wait_ns(s, FIFO_LOOK_NS);
            continue;
        }
        while (!stopped(s) && (n = wait_for_bytes(s, fd, &look)) == 0 && !is_replaced(s, fd))
            ;
        if (n > 0)
            return fd;
        close(fd);
    }
    return -1;
}

static int next_from_fifo(struct serve_source *s, struct error *err)
{
    int fd = open_fifo(s, err);
    if (fd < 0)
        return err->code == ERROR_NONE ? 0 : -1;
    fcntl(fd, F_SETFL, 0); /* from now on reading waits */
    return become_input(fd, err) == 0 ? 1 : -1;
}

static int next_from_xentrace(struct serve_source *s, struct error *err)
{
    if (!wait_ns(s, tracer_pause_ns(s->tracer)))
        return 0;
    int fd = tracer_start(s->tracer, err);
    if (fd < 0 || become_input(fd, err) != 0)
        return -1;
    return wait_for_bytes(s, STDIN_FILENO, NULL) != 0;
}

int serve_source_next(struct serve_source *s, const char **input, struct error *err)
{
    *input = s->is_live ? "-" : s->path;
    if (s->tracer)
        return next_from_xentrace(s, err);
    if (s->is_fifo)
        return next_from_fifo(s, err);
    return s->is_live ? wait_for_bytes(s, STDIN_FILENO, NULL) != 0 : 1;
}

/* Reads what there is, without waiting for more. */
static void drain(int fd)
{
    static char bytes[1 << 16];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (poll(&wait, 1, 0) > 0 && read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void end_xentrace(struct serve_source *s)
{
    enum tracer_state state;
    const struct timespec look = {.tv_nsec = LOOK_NS};
    uint64_t begun_ns = io_clock_ns();
    while ((state = tracer_check(s->tracer)) == TRACER_RUNNING) {
        if (stopped(s) || io_clock_ns() - begun_ns > ENDS_NS)
            tracer_stop(s->tracer);
        drain(STDIN_FILENO);
        nanosleep(&look, NULL);
    }
    if (state == TRACER_FAILED)
        complain("xentrace has ended: %s", tracer_failure(s->tracer));
}

void serve_source_end(struct serve_source *s)
{
    if (s->tracer)
        end_xentrace(s);
    if (!serve_source_goes_on(s))
        return;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        dup2(fd, STDIN_FILENO);
    if (fd > STDIN_FILENO)
        close(fd);
    if (s->is_fifo)
        wait_ns(s, FIFO_PAUSE_NS);
}
