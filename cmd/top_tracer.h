/*
 * xentrace for `top`: started, looked after, started again when it has ended, and ended, on a thread of its own (record/tracer.h).
 * What the one and the next record is one trace, which lacks what happened in between.
 */
#ifndef XENMETER_CMD_TOP_TRACER_H
#define XENMETER_CMD_TOP_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "record/tracer.h"

struct top_tracer;

/* Starts it; program NULL: "xentrace". NULL with `err` filled: it cannot be started. */
struct top_tracer *top_tracer_new(const char *program, enum tracer_purpose purpose, struct error *err);

/* The name of a file from which its records can be read. */
const char *top_tracer_input(const struct top_tracer *t);

/* Why it has ended and is not started again, as nothing came of it; false: it runs, or will. */
bool top_tracer_failure(struct top_tracer *t, char *to, size_t size);

/* That it has ended, or was started again within the last minute, and how it had ended; false: there is nothing to report. */
bool top_tracer_remark(struct top_tracer *t, char *to, size_t size);

/* CPU time that it has used; 0: not known. */
uint64_t top_tracer_cpu_ns(struct top_tracer *t);

/* Ends it, while its records are still being read, and waits for that: some seconds at most. NULL is fine. */
void top_tracer_free(struct top_tracer *t);

#endif
