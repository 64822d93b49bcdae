/* Writes single records as text, CSV or JSON lines. Each format implements dump_writer_ops. */
#ifndef XENMETER_FORMATS_DUMP_WRITER_H
#define XENMETER_FORMATS_DUMP_WRITER_H

#include <stdbool.h>

#include "formats/output.h"
#include "metrics/measure/dump.h"
#include "parser/error.h"

struct dump_writer;

/* Format names, the default first, ended by NULL. */
extern const char *const dump_formats[];

/*
 * Begins a dump. `tsc`: times are written in cycles, as in the trace. `own`: a user's own events, which the records may
 * be of; NULL: none. NULL with `err` filled: unknown format, or no memory. The output stays the caller's.
 */
struct dump_writer *dump_writer_new(const char *format, struct output *out, bool tsc,
                                    const struct own_events *own, struct error *err);

/* One record. 0, or -1 when the output failed. */
int dump_writer_record(struct dump_writer *w, const struct dump_record *r);

/* Passes all lines so far to the output. 0 or -1. */
int dump_writer_flush(struct dump_writer *w);

/* Frees the writer and drops lines not flushed. NULL is allowed. */
void dump_writer_free(struct dump_writer *w);

#endif
