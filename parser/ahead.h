/*
 * Reads a trace ahead: a thread decodes and orders, and hands over batches that stay as they are while it reads on. At most
 * AHEAD_BATCHES wait. What comes is what trace_read returns, in the same order, an error too.
 */
#ifndef XENMETER_PARSER_AHEAD_H
#define XENMETER_PARSER_AHEAD_H

#include "trace.h"

struct ahead;

/* Of a trace that is open, which outlives it. NULL: no memory. The thread begins with the second batch. */
struct ahead *ahead_new(struct trace *t);

/* Ends the thread; NULL is allowed. */
void ahead_free(struct ahead *a);

/* As trace_next and trace_settle. */
int ahead_next(struct ahead *a, struct event_batch *batch, struct error *err);
void ahead_settle(struct ahead *a);

/* The clock as it was with the first batch, or at the end. */
const struct clock *ahead_clock(const struct ahead *a);

/*
 * Of the last batch delivered: after ahead_settle, if reading ended with it; the quality while the thread reads, too, if it is asked
 * for meanwhile (trace_options). NULL, false: what the trace says itself holds.
 */
const struct quality *ahead_quality(const struct ahead *a);
bool ahead_summary(const struct ahead *a, struct trace_summary *s);

/* Of the last batch delivered, while the thread reads; false: what the input says holds. */
bool ahead_position(const struct ahead *a, uint64_t *done, uint64_t *size);

#endif
