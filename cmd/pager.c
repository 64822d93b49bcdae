#include "pager.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* The one that runs; where a signal handler finds it. */
static volatile sig_atomic_t running; /* its process id, 0: none */
static int to_pager = -1, own_stderr = -1;

/* Whether the shell would find the first word of the command. Of what is no plain word the shell itself complains. */
static bool is_there(const char *command)
{
    char file[PATH_MAX];
    int n = (int)strcspn(command, " ");
    const char *path = getenv("PATH");
    if (strcspn(command, "\"'$`\\|&;<>()*?[#~=%\n\t") < (size_t)n)
        return true;
    if (memchr(command, '/', (size_t)n)) {
        snprintf(file, sizeof file, "%.*s", n, command);
        return access(file, X_OK) == 0;
    }
    for (size_t length; path && *path; path += length + (path[length] != '\0')) {
        length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%.*s", (int)length, path, n, command);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

/* NULL: none. */
static const char *pager_command(void)
{
    const char *command = getenv("PAGER");
    if (!command)
        command = "less";
    return *command && strcmp(command, "cat") != 0 && is_there(command) ? command : NULL;
}

static void run_pager(const char *command, int from)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(from, STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* For output_page: where the output goes from now on; -1: it stays on the terminal. */
static int begin(void)
{
    int ends[2];
    const char *command = pager_command();
    if (!command || pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    setenv("LESS", "FRX", 0);
    setenv("LV", "-c", 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        run_pager(command, ends[0]);
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return -1;
    }
    to_pager = ends[1];
    if (isatty(STDERR_FILENO)) {
        own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        dup2(to_pager, STDERR_FILENO);
    }
    running = (sig_atomic_t)child;
    return to_pager;
}

void pager_offer(struct output *out, const struct options *o)
{
    if (!o->no_pager && !o->output && !o->live_ns && !o->follow && output_is_terminal(out))
        output_page(out, terminal_height(STDOUT_FILENO), terminal_width(STDOUT_FILENO), begin);
}

bool pager_is_running(void)
{
    return running != 0;
}

void pager_end_in_signal(void)
{
    pid_t child = (pid_t)running;
    if (child == 0)
        return;
    running = 0;
    if (own_stderr >= 0)
        dup2(own_stderr, STDERR_FILENO);
    close(to_pager);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

void pager_end(void)
{
    fflush(stderr);
    pager_end_in_signal();
}
