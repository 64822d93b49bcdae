/* How single records are written: text to read and to grep, CSV, JSON lines. Each format implements dump_writer_ops. */
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
 * Begins a dump. `tsc`: times are told in cycles, as the trace has them. NULL with `err` filled for an unknown format or
 * when memory ran out. The output stays the caller's.
 */
struct dump_writer *dump_writer_new(const char *format, struct output *out, bool tsc, struct error *err);

/* One record. 0, or -1 when the output failed. */
int dump_writer_record(struct dump_writer *w, const struct dump_record *r);

/* Hands what was written so far to the output. 0 or -1. */
int dump_writer_flush(struct dump_writer *w);

/* Frees the writer; what was not flushed is gone. NULL is fine. */
void dump_writer_free(struct dump_writer *w);

#endif
