#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char columns[] =
    "domain,life,vcpu,pcpu,vcpus,running_ns,runnable_ns,blocked_ns,offline_ns,unknown_ns,before_seen_ns,"
    "idle_ns,executions,run_max_ns,wait_max_ns,block_max_ns,wakes,blocks,yields,preemptions,migrations";

struct feeder {
    int fd;
    const char *bytes;
    size_t n;
};

static bool write_bytes(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0)
            return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

static void *feed(void *context)
{
    const struct feeder *f = context;
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    (void)!write_bytes(f->fd, f->bytes, f->n); /* the program may leave early */
    close(f->fd);
    return NULL;
}

/* Standard input, output and error of a child. */
static int spawn(char *const *arguments, const int fds[3])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    int error = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int scratch_file(void)
{
    return memfd_create("hosts", MFD_CLOEXEC);
}

/* Reads the whole file and appends a 0. NULL: no memory. */
static char *read_file(int fd, size_t *n)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (!text)
        return NULL;
    ssize_t got = pread(fd, text, (size_t)size, 0);
    *n = got < 0 ? 0 : (size_t)got;
    text[*n] = '\0';
    return text;
}

static int standard_input(bool piped, struct feeder *feeder)
{
    int fds[2];
    if (piped) {
        if (pipe2(fds, O_CLOEXEC) != 0)
            return -1;
        feeder->fd = fds[1];
        return fds[0];
    }
    int fd = scratch_file();
    if (fd >= 0 && (!write_bytes(fd, feeder->bytes, feeder->n) || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void collect(struct answer *answer, int out, int err)
{
    size_t n;
    char *text = read_file(out, &n);
    answer->report = text ? json_loadb(text, n, 0, NULL) : NULL;
    free(text);
    text = read_file(err, &n);
    snprintf(answer->message, sizeof answer->message, "%s", text ? text : "");
    free(text);
}

static void run(char *const *arguments, bool piped, const void *bytes, size_t n, struct answer *answer)
{
    struct feeder feeder = {-1, bytes, n};
    const int fds[3] = {standard_input(piped, &feeder), scratch_file(), scratch_file()};
    pthread_t thread;
    *answer = (struct answer){.status = -1};
    bool ready = fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0;
    bool feeds = ready && piped && pthread_create(&thread, NULL, feed, &feeder) == 0;
    if (ready && feeds == piped) {
        answer->status = spawn(arguments, fds);
        collect(answer, fds[1], fds[2]);
    }
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (feeds)
        pthread_join(thread, NULL);
}

bool program_probe(struct program *program, const char *path)
{
    const int fds[3] = {scratch_file(), scratch_file(), scratch_file()};
    char command[] = "report", option[] = "--columns=help";
    char *const arguments[] = {(char *)path, command, option, NULL};
    size_t n;
    *program = (struct program){.path = path};
    int status = spawn(arguments, fds);
    char *text = read_file(fds[1], &n);
    program->has_doubtful = text && strstr(text, "doubtful_ns");
    free(text);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    return status == 0;
}

void program_report(const struct program *program, const struct plan *plan, const void *bytes, size_t n,
                    struct answer *answer)
{
    char granularity[64], wanted[sizeof columns + 32], hz[64];
    char command[] = "report", by[] = "--by=domain,vcpu,pcpu,domain-pcpu", format[] = "--format=json",
         input[] = "-";
    snprintf(granularity, sizeof granularity, "--granularity=total,%lldus", (long long)plan->granularity_us);
    snprintf(wanted, sizeof wanted, "--columns=%s%s", columns, program->has_doubtful ? ",doubtful_ns" : "");
    snprintf(hz, sizeof hz, "--cpu-hz=%lld", (long long)plan->khz * 1000);
    char *const arguments[] = {
        (char *)program->path, command, by, format, granularity, wanted, hz, input, NULL};
    run(arguments, plan->piped, bytes, n, answer);
}

void answer_free(struct answer *answer)
{
    json_decref(answer->report);
}
