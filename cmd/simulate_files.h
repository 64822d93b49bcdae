/* The files that xenmeter simulate writes: all of them, or none. */
#ifndef XENMETER_CMD_SIMULATE_FILES_H
#define XENMETER_CMD_SIMULATE_FILES_H

#include "cli.h"
#include "formats/output.h"

enum simulated_file { FILE_TRACE, FILE_TRUTH, FILE_LEDGER, FILE_DECISIONS, FILE_COUNTS, SIMULATED_FILES };

struct simulated_files {
    const char *const *names; /* SIMULATED_FILES of them; NULL: not wanted, or (the trace) standard output */
    struct output *outputs[SIMULATED_FILES]; /* NULL: not open */
};

/*
 * -1 with `err` filled: two of the names are one file, however it is named, or one is empty, or one of `inputs` (n of them, NULL:
 * none). Devices such as /dev/null take several.
 */
int simulated_files_check(const char *const names[SIMULATED_FILES], const char *const *inputs, size_t n,
                          struct error *err);

/* Opens those that are wanted. EXIT_DONE, or EXIT_ERROR and a message. simulated_files_abort in both cases. */
int simulated_files_open(struct simulated_files *files, struct error *err);

/* The first one beside the trace that could not be written; SIMULATED_FILES: none. */
enum simulated_file simulated_files_failed(const struct simulated_files *files);

/*
 * The trace takes its place first. The bytes of the others are flushed before, so that a full disk leaves none of them. EXIT_DONE,
 * or EXIT_ERROR and a message.
 */
int simulated_files_commit(struct simulated_files *files);

/* Nobody reads the trace any more; what else is wanted has no end then. EXIT_DONE if nothing is, else EXIT_ERROR and a message. */
int simulated_files_unread(const struct simulated_files *files);

/* What is not committed is removed. */
void simulated_files_abort(struct simulated_files *files);

#endif
