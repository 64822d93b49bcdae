/*
 * The log of decisions: lines of JSON, which are only ever added to the end of a file. Each line is one write, so that several
 * threads, or programs, can share the file.
 */
#ifndef XENMETER_ACT_LOG_H
#define XENMETER_ACT_LOG_H

#include <jansson.h>

#include "parser/error.h"

struct act_log;

/* Opens the file, which is made if need be. `controller`: "debt"; `mode`: "advise": they are in every line. NULL with `err` filled. */
struct act_log *log_open(const char *path, const char *controller, const char *mode, struct error *err);

/* Ends the log; NULL is fine. -1 with `err` filled: a line could not be written. */
int log_close(struct act_log *log, struct error *err);

/* Adds a line: time (UTC), controller, mode, and the members of `object`, which it frees. Without a log it only frees. */
void log_add(struct act_log *log, json_t *object);

#endif
