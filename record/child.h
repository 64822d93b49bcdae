/*
 * A program that runs beside the recorder, in a process group of its own, with pipes at its standard streams. It gets SIGTERM when
 * the thread that started it ends, and so when this process dies, whatever of.
 */
#ifndef XENMETER_RECORD_CHILD_H
#define XENMETER_RECORD_CHILD_H

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
 * Starts it; `words`: ended by NULL, the first one is found by PATH. 0; -1 with `err` filled: no pipe, no process, or the program
 * cannot be run.
 */
int child_start(struct child *c, const char *const *words, bool with_input, struct error *err);

/* Whether it has ended: *status is waitpid's. What it started may go on. */
bool child_ended(struct child *c, int *status);

/* Sends the signal to all of its group. */
void child_signal(const struct child *c, int signal);

/* Kills what is left of it, waits for that, and closes the descriptors that are still in it. */
void child_end(struct child *c);

#endif
