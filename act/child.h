/*
 * A program that this process has started, in a process group of its own, with pipes at its standard streams. It gets a signal when
 * the thread that started it ends, and so when this process dies, whatever of.
 */
#ifndef XENMETER_ACT_CHILD_H
#define XENMETER_ACT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "parser/error.h"

/* All -1 (CHILD_NONE): there is none. The descriptors are closed on exec, and by child_end. */
struct child {
    pid_t pid;
    int to;     /* its standard input, if one was wanted; else that is /dev/null */
    int from;   /* its standard output */
    int errors; /* its standard error; reading it does not block */
};
#define CHILD_NONE                                                                                           \
    (struct child)                                                                                           \
    {                                                                                                        \
        -1, -1, -1, -1                                                                                       \
    }

/*
 * Starts it; `words`: ended by NULL, the first one is found by PATH; `orphaned`: the signal that it gets when the thread ends. 0; -1
 * with `err` filled: no pipe, no process, or the program cannot be run.
 */
int child_start(struct child *c, const char *const *words, bool with_input, int orphaned, struct error *err);

/*
 * 1: it has ended, *status is waitpid's, and what it started may go on; 0: it runs; -1: that is not known, as this process' children
 * are not kept until it asks (SIGCHLD is ignored).
 */
int child_ended(const struct child *c, int *status);

/* Sends the signal to all of its group. */
void child_signal(const struct child *c, int signal);

/* Closes one of the descriptors, which is -1 then. */
void child_close(int *fd);

/*
 * Kills what is left of it and of what it started, waits for that, and closes the descriptors that are still in it. What its children
 * started is this process' to wait for: see command_prepare (act/host_command.h).
 */
void child_end(struct child *c);

#endif
