#include "act/host_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/child.h"
#include "host/io_clock.h"

#define STDERR_BYTES 200
#define WAIT_MS      5

/* A command that runs. */
struct running_command {
    const struct act_command *command;
    struct child child;
    size_t written; /* of its input */
    uint64_t until_ns;
    struct buffer *output;
    size_t output_n;
    char said[STDERR_BYTES + 1]; /* the beginning of its standard error */
    size_t said_n;
};

enum ending { ENDED, TOO_LONG, CANCELLED, TOO_MUCH, BROKEN };

static int start(struct running_command *r, struct error *err)
{
    if (child_start(&r->child, r->command->words, true, SIGKILL, err) != 0)
        return -1;
    fcntl(r->child.to, F_SETFL, O_NONBLOCK);
    fcntl(r->child.from, F_SETFL, O_NONBLOCK);
    return 0;
}

/* ---- while it runs ---- */

/* Takes back the SIGPIPE that a write of this thread raised, which blocks it. */
static void drop_broken_pipe(const sigset_t *broken_pipe)
{
    const struct timespec at_once = {0, 0};
    while (sigtimedwait(broken_pipe, NULL, &at_once) < 0 && errno == EINTR)
        ;
}

/*
 * write(2) that only fails where nobody reads any more: whether SIGPIPE ends the process is the caller's business, in
 * this thread and in others. (A socket with MSG_NOSIGNAL would do as well, but then the command could not open
 * /dev/stdin.) A SIGPIPE that waited before is not ours to take.
 */
static ssize_t write_unsignalled(int fd, const char *bytes, size_t n)
{
    sigset_t broken_pipe, before, waiting;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    sigpending(&waiting);
    ssize_t done = write(fd, bytes, n);
    int why = errno;
    if (done < 0 && why == EPIPE && !sigismember(&waiting, SIGPIPE))
        drop_broken_pipe(&broken_pipe);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return done;
}

/* Writes what its input takes now. */
static void write_input(struct running_command *r)
{
    const char *input = r->command->input ? r->command->input : "";
    size_t n = strlen(input);
    ssize_t done = n > r->written ? write_unsignalled(r->child.to, input + r->written, n - r->written) : 0;
    r->written += done > 0 ? (size_t)done : 0;
    if (r->written == n || (done < 0 && errno != EAGAIN && errno != EINTR))
        child_close(&r->child.to); /* a command need not read its input */
}

/* Reads what there is. False: it was too much. */
static bool read_output(struct running_command *r)
{
    char bytes[4096];
    ssize_t n = read(r->child.from, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        child_close(&r->child.from);
    if (n > 0 && r->output)
        buffer_add(r->output, bytes, (size_t)n);
    r->output_n += n > 0 ? (size_t)n : 0;
    return r->output_n <= COMMAND_OUTPUT_MAX;
}

static void read_errors(struct running_command *r)
{
    char bytes[512];
    ssize_t n = read(r->child.errors, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        child_close(&r->child.errors);
    for (ssize_t i = 0; i < n && r->said_n < STDERR_BYTES; i++)
        r->said[r->said_n++] = bytes[i];
}

/* Waits for its streams until they are closed. */
static enum ending attend(struct running_command *r)
{
    while (r->child.from >= 0 || r->child.errors >= 0) {
        struct pollfd fds[] = {{r->child.from, POLLIN, 0},
                               {r->child.errors, POLLIN, 0},
                               {r->child.to, POLLOUT, 0},
                               {r->command->cancel_fd, POLLIN, 0}};
        uint64_t now = io_clock_ns();
        if (now >= r->until_ns)
            return TOO_LONG;
        int n = poll(fds, 4, (int)((r->until_ns - now) / 1000000u) + 1);
        if (n < 0 && errno != EINTR)
            return BROKEN;
        if (n > 0 && fds[3].revents)
            return CANCELLED;
        if (n > 0 && fds[0].revents && !read_output(r))
            return TOO_MUCH;
        if (n > 0 && fds[1].revents)
            read_errors(r);
        if (n > 0 && fds[2].revents)
            write_input(r);
    }
    return ENDED;
}

/* It has closed its streams, and may go on all the same. */
static enum ending wait_for_end(struct running_command *r, int *status)
{
    for (;;) {
        struct pollfd cancel = {r->command->cancel_fd, POLLIN, 0};
        int ended = child_ended(&r->child, status);
        if (ended != 0)
            return ended > 0 ? ENDED : BROKEN;
        if (io_clock_ns() >= r->until_ns)
            return TOO_LONG;
        if (poll(&cancel, 1, WAIT_MS) > 0)
            return CANCELLED;
    }
}

/* ---- how it ended ---- */

/* The first line of its standard error, fit to be printed. */
static const char *first_line(struct running_command *r)
{
    char *s = r->said;
    s[r->said_n] = '\0';
    s[strcspn(s, "\r\n")] = '\0';
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
            *s = '?';
    return r->said;
}

static int judge_status(struct running_command *r, int status, struct error *err)
{
    const char *name = r->command->words[0], *said = first_line(r);
    const char *verb = r->command->words[1] ? r->command->words[1] : "";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        return error_set(err, ERROR_IO, "%.60s %.40s: ended by signal %d", name, verb, WTERMSIG(status));
    return error_set(err, ERROR_IO, "%.60s %.40s: exit code %d%s%s", name, verb, WEXITSTATUS(status),
                     *said ? ": " : "", said);
}

static int judge(struct running_command *r, enum ending how, int status, struct error *err)
{
    const char *name = r->command->words[0];
    const char *verb = r->command->words[1] ? r->command->words[1] : "";
    switch (how) {
    case ENDED:
        return judge_status(r, status, err);
    case TOO_LONG:
        return error_set(err, ERROR_IO, "%.60s %.40s: has not ended within %.3g s, and was killed", name,
                         verb, (double)r->command->limit_ns / 1e9);
    case CANCELLED:
        return error_set(err, ERROR_IO, "%.60s %.40s: was cancelled", name, verb);
    case TOO_MUCH:
        return error_set(err, ERROR_IO, "%.60s %.40s: prints more than %zu KiB", name, verb,
                         COMMAND_OUTPUT_MAX / 1024);
    default:
        return error_set(err, ERROR_IO, "%.60s %.40s: lost sight of it", name, verb);
    }
}

void command_prepare(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int command_run(const struct act_command *c, struct buffer *output, struct error *err)
{
    struct running_command r = {.command = c, .output = output, .until_ns = io_clock_ns() + c->limit_ns};
    int status = 0;
    if (start(&r, err) != 0)
        return -1;
    enum ending how = attend(&r);
    if (how == ENDED)
        how = wait_for_end(&r, &status);
    child_end(&r.child); /* nothing of it may change the host any more */
    return judge(&r, how, status, err);
}
