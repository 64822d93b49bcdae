/* guard_log.h - windows in the log of decisions: what a guard decided in each, and on which evidence, so that it can be decided anew. */
#ifndef XENMETER_CMD_GUARD_LOG_H
#define XENMETER_CMD_GUARD_LOG_H

#include <jansson.h>

#include "metrics/control/guard.h"
#include "parser/error.h"

#define GUARD_LOG_LINE_MAX (1u << 20) /* bytes */
#define GUARD_LOG_ROWS_MAX 4096
#define GUARD_LOG_NAME     128

/* What a line of the log says of a window: "event" is "window". */
struct guard_log_window {
    struct interval interval;
    size_t n;
    struct guard_row *rows;        /* owned */
    char (*names)[GUARD_LOG_NAME]; /* owned; of each row's guest; "": not known */
};

/* The rows of a window for the log; names by `name_of`. NULL: no memory. The caller owns it. */
json_t *guard_log_write(const struct interval *interval, const struct guard_row *rows, size_t n,
                        domain_name_of name_of, const void *names);

/*
 * Reads a line of n bytes. 1: a window (guard_log_free); 0: another line of a log, `w` is untouched; -1 with `err`
 * filled: no line of a log,
 * or a window that cannot be.
 */
int guard_log_read(struct guard_log_window *w, const char *line, size_t n, struct error *err);
void guard_log_free(struct guard_log_window *w);

#endif
