/*
 * One run of the program under a plan: what it printed, what it left, how it ended.
 */
#ifndef TESTS_FAULTS_RUN_H
#define TESTS_FAULTS_RUN_H

#include "tests/faults/folder.h"
#include "tests/faults/fault_plan.h"

#define RUN_TEXT 65536 /* so much of what was printed is kept */

struct command {
    char *const *words; /* program and arguments; ends with NULL */
    const char *shim;   /* the library, a whole path */
    const char *input;  /* a file for standard input; NULL: empty */
    bool piped;         /* standard input is a pipe */
    const char *former; /* a folder: files that are there before; NULL: none */
    unsigned seconds;   /* a run may take */
};

struct text {
    size_t n; /* in all, more than is kept if more was printed */
    uint64_t digest;
    char at[RUN_TEXT];
};

struct run {
    int status; /* as of waitpid */
    bool hung;
    struct text out, err;
    struct folder folder;
};

/* Runs the command in FOLDER, which is emptied first. PLAN lies in the memory of PLAN_FD. False: cannot be run. */
bool run_command(struct run *r, const struct command *c, const char *folder, struct fault_plan *plan,
                 int plan_fd);

/* Kills the run that is going on. To be called by the handler of SIGALRM. */
void run_kill(void);

#endif
