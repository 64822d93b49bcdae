#include "act/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/io_clock.h"

#define REAP_WAIT_NS 5000000
#define REAP_MAX_NS  2000000000u /* what is killed and does not end until then is stuck in the kernel */

enum { IN, OUT, ERRORS, FAILED, PIPES };

void child_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipes(int pipes[PIPES][2])
{
    for (int i = 0; i < PIPES; i++) {
        child_close(&pipes[i][0]);
        child_close(&pipes[i][1]);
    }
}

/* ---- the child ---- */

/* Signals as a program expects them: nothing ignored, nothing blocked. */
static void reset_signals(void)
{
    sigset_t none;
    const struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const char *const *words, pid_t parent, int orphaned, int pipes[PIPES][2])
{
    int in = pipes[IN][0] >= 0 ? pipes[IN][0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
    setpgid(0, 0);
    reset_signals();
    prctl(PR_SET_PDEATHSIG, orphaned);
    if (getppid() == parent && in >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(pipes[OUT][1], STDOUT_FILENO) >= 0 && dup2(pipes[ERRORS][1], STDERR_FILENO) >= 0)
        execvp(words[0], (char *const *)(uintptr_t)words);
    int why = errno;
    ssize_t ignored = TEMP_FAILURE_RETRY(write(pipes[FAILED][1], &why, sizeof why));
    (void)ignored;
    _exit(127);
}

/* ---- starting it ---- */

static int open_pipes(int pipes[PIPES][2], bool with_input)
{
    for (int i = with_input ? IN : OUT; i < PIPES; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0)
            return -1;
    return 0;
}

/* Why the program did not become the command; 0: it did. */
static int failure_of(int fd)
{
    int why = 0;
    ssize_t n;
    do
        n = read(fd, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

/* Keeps this process' ends. */
static int keep_ends(struct child *c, int pipes[PIPES][2])
{
    c->to = pipes[IN][1];
    c->from = pipes[OUT][0];
    c->errors = pipes[ERRORS][0];
    pipes[IN][1] = pipes[OUT][0] = pipes[ERRORS][0] = -1;
    fcntl(c->errors, F_SETFL, O_NONBLOCK);
    child_close(&pipes[FAILED][1]);
    int why = failure_of(pipes[FAILED][0]);
    close_pipes(pipes);
    return why;
}

int child_start(struct child *c, const char *const *words, bool with_input, int orphaned, struct error *err)
{
    int pipes[PIPES][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    pid_t parent = getpid();
    *c = CHILD_NONE;
    if (open_pipes(pipes, with_input) != 0) {
        error_set(err, ERROR_IO, "%.100s: no pipe for it: %s", words[0], strerror(errno));
        close_pipes(pipes);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(words, parent, orphaned, pipes);
    if (pid < 0) {
        error_set(err, ERROR_IO, "%.100s: no process for it: %s", words[0], strerror(errno));
        close_pipes(pipes);
        return -1;
    }
    setpgid(pid, pid); /* whichever of the two is first */
    c->pid = pid;
    int why = keep_ends(c, pipes);
    if (why == 0)
        return 0;
    child_end(c);
    return error_set(err, ERROR_IO, "%.100s: cannot be run: %s", words[0], strerror(why));
}

/* ---- its end ---- */

int child_ended(const struct child *c, int *status)
{
    siginfo_t info = {.si_pid = 0};
    /* It stays a zombie until child_end: its group can be signalled until then. */
    if (TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT)) != 0)
        return -1;
    if (info.si_pid != c->pid)
        return 0;
    *status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
    return 1;
}

void child_signal(const struct child *c, int signal)
{
    if (c->pid > 0)
        kill(-c->pid, signal);
}

void child_end(struct child *c)
{
    const struct timespec pause = {0, REAP_WAIT_NS};
    uint64_t until_ns = io_clock_ns() + REAP_MAX_NS;
    if (c->pid > 0) {
        pid_t pid;
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        while (((pid = waitpid(-c->pid, NULL, WNOHANG)) >= 0 || errno == EINTR) && io_clock_ns() < until_ns)
            if (pid == 0)
                nanosleep(&pause, NULL);
    }
    child_close(&c->to);
    child_close(&c->from);
    child_close(&c->errors);
    c->pid = -1;
}
