#include "record/clock_command.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "act/child.h"

#define LINE_BYTES 96                  /* four numbers of 20 digits */
#define TIME_MOST  (UINT64_C(1) << 62) /* sums and differences of times stay within 64 bits */

struct clock_command {
    struct child child;
    bool failed;
};

struct clock_command *clock_command_new(const char *command, struct error *err)
{
    const char *const words[] = {"/bin/sh", "-c", command, NULL};
    struct clock_command *c = calloc(1, sizeof *c);
    if (!c) {
        error_no_memory(err, "the clock");
        return NULL;
    }
    if (child_start(&c->child, words, true, SIGTERM, err) == 0)
        return c;
    free(c);
    return NULL;
}

void clock_command_free(struct clock_command *c)
{
    if (!c)
        return;
    child_end(&c->child);
    free(c);
}

/* A closed pipe is an error of write(2), not the end of this process: a SIGPIPE that it raised is taken back. */
static bool ask(int fd)
{
    const struct timespec at_once = {0, 0};
    sigset_t broken_pipe, before, pending;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    sigpending(&pending);
    bool asked = write(fd, "\n", 1) == 1;
    if (!asked && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&broken_pipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return asked;
}

/* A line, without its end. False: none came in time. */
static bool read_line(int fd, char line[LINE_BYTES])
{
    uint64_t until_ns = io_clock_ns() + CLOCK_COMMAND_LIMIT_NS;
    for (size_t n = 0; n < LINE_BYTES;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        uint64_t now = io_clock_ns();
        if (now >= until_ns)
            return false;
        int ready = poll(&wait, 1, (int)((until_ns - now) / 1000000) + 1);
        ssize_t got = ready > 0 ? read(fd, line + n, 1) : 0;
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (ready > 0 && got == 0)
            return false;
        if (got > 0 && line[n] == '\n') {
            line[n] = '\0';
            return true;
        }
        n += got > 0;
    }
    return false;
}

/* A decimal number below `end`, and the blank or end of the line after it. */
static bool number_at(const char **at, uint64_t end, uint64_t *number)
{
    char *after;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(*at, &after, 10);
    if (errno != 0 || n >= end || (*after != ' ' && *after != '\0'))
        return false;
    *number = n;
    *at = after + (*after == ' ');
    return true;
}

static int read_clock(void *context, struct time_reading *r, struct error *err)
{
    struct clock_command *c = context;
    char line[LINE_BYTES];
    const char *at = line;
    uint64_t before = io_clock_ns(), utc_ns = 0;
    if (c->failed || !ask(c->child.to) || !read_line(c->child.from, line)) {
        c->failed = true;
        return error_set(err, ERROR_IO, "the clock's command does not answer");
    }
    *r = (struct time_reading){.error_ns = 0};
    if (!number_at(&at, TIME_MOST, &utc_ns) || !number_at(&at, TIME_MOST, &r->monotonic_ns) ||
        !number_at(&at, UINT64_MAX, &r->tsc) || (*at && !number_at(&at, TIME_MOST, &r->boot_ns)) || *at) {
        c->failed = true;
        return error_set(err, ERROR_FORMAT,
                         "the clock's command does not answer \"UTC_NS MONOTONIC_NS TSC [BOOT_NS]\"");
    }
    r->utc_ns = (int64_t)utc_ns;
    if (r->boot_ns == 0)
        r->boot_ns = r->monotonic_ns;
    r->error_ns = io_clock_ns() - before;
    return 0;
}

struct time_source clock_command_source(struct clock_command *c)
{
    return (struct time_source){c, read_clock};
}
