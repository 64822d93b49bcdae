/* program.h - runs xenmeter on bytes, and reads the JSON that it prints. */
#ifndef XENMETER_TESTS_HOSTS_PROGRAM_H
#define XENMETER_TESTS_HOSTS_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host_plan.h"

struct program {
    const char *path;
    bool has_doubtful; /* its reports have a column doubtful_ns */
};

struct answer {
    int status;         /* its exit status; 128 + signal; -1: it could not be run */
    json_t *report;     /* NULL: it printed none */
    char message[1024]; /* the beginning of its standard error */
};

/* Asks the program which columns it has. Returns false when it cannot be run. */
bool program_probe(struct program *program, const char *path);

/* report, by all kinds of rows and both granularities, with the frequency given. */
void program_report(const struct program *program, const struct plan *plan, const void *bytes, size_t n,
                    struct answer *answer);
void answer_free(struct answer *answer);

#endif
