#include "tests/faults/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

static volatile sig_atomic_t running, killed;

void run_kill(void)
{
    if (running)
        kill(-running, SIGKILL);
    killed = 1;
}

/* A child that writes the file into the pipe; the run reads its other end. */
static int feed(const char *path)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        char bytes[4096];
        ssize_t n;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        close(ends[0]);
        while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0 && write(ends[1], bytes, (size_t)n) == n)
            continue;
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static _Noreturn void become(const struct command *c, const char *folder, const int files[3], int plan_fd)
{
    char number[16];
    setpgid(0, 0);
    snprintf(number, sizeof number, "%d", plan_fd);
    setenv("FAULTS_FD", number, 1);
    setenv("LD_PRELOAD", c->shim, 1);
    fcntl(plan_fd, F_SETFD, 0);
    for (int i = 0; i < 3; i++)
        dup2(files[i], i);
    if (chdir(folder) == 0)
        execv(c->words[0], c->words);
    _exit(127);
}

static bool keep(struct text *t, int fd)
{
    static char bytes[1 << 16];
    ssize_t n;
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    t->n = 0;
    while ((n = pread(fd, bytes, sizeof bytes, (off_t)t->n)) > 0) {
        size_t room = t->n < RUN_TEXT - 1 ? RUN_TEXT - 1 - t->n : 0;
        memcpy(t->at + (RUN_TEXT - 1 - room), bytes, (size_t)n < room ? (size_t)n : room);
        XXH3_64bits_update(state, bytes, (size_t)n);
        t->n += (size_t)n;
    }
    t->at[t->n < RUN_TEXT ? t->n : RUN_TEXT - 1] = '\0';
    t->digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return n == 0;
}

static bool wait_for(struct run *r, pid_t child, unsigned seconds)
{
    killed = 0;
    running = child;
    alarm(seconds);
    while (waitpid(child, &r->status, 0) < 0 && errno == EINTR)
        continue;
    alarm(0);
    running = 0;
    r->hung = killed;
    kill(-child, SIGKILL); /* what it started and left */
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    return true;
}

bool run_command(struct run *r, const struct command *c, const char *folder, struct fault_plan *plan,
                 int plan_fd)
{
    int files[3] = {c->input && c->piped ? feed(c->input)
                                         : open(c->input ? c->input : "/dev/null", O_RDONLY | O_CLOEXEC),
                    open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                    open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    plan->calls = plan->faults = 0;
    plan->call[0] = plan->path[0] = '\0';
    plan->frames[0] = 0;
    bool fine = folder_reset(folder, c->former) && files[0] >= 0 && files[1] >= 0 && files[2] >= 0;
    pid_t child = fine ? fork() : -1;
    if (child == 0)
        become(c, folder, files, plan_fd);
    setpgid(child, child);
    fine = child > 0 && wait_for(r, child, c->seconds) && keep(&r->out, files[1]) &&
           keep(&r->err, files[2]) && folder_look(&r->folder, folder);
    for (int i = 0; i < 3; i++)
        if (files[i] >= 0)
            close(files[i]);
    return fine;
}
