/* Writes single records as text, CSV or JSON lines. Each format implements dump_writer_ops. */
#ifndef XENMETER_FORMATS_DUMP_WRITER_H
#define XENMETER_FORMATS_DUMP_WRITER_H

#include <limits.h>
#include <stdbool.h>

#include "formats/output.h"
#include "metrics/measure/dump.h"
#include "metrics/relation/moments.h"
#include "parser/error.h"

struct dump_writer;

/* Format names, the default first, ended by NULL. */
extern const char *const dump_formats[];

#define DUMP_SEVERAL_EVENTS UINT_MAX

/* What is known of the records that will come. */
struct dump_schema {
    bool tsc; /* times are written in cycles, as in the trace */
    /* Times of day stand beside ns from the trace's start, in text in their place; NULL: none. Asked from several threads. */
    const struct moments *moments;
    const struct own_events *own; /* a user's own events, which the records may be of; NULL: none */
    unsigned
        slot; /* all are of the event in this slot (own_event_slot): CSV has its fields as columns; or DUMP_SEVERAL_EVENTS */
};

/*
 * Begins a dump; event_fields_init was called. NULL with `err` filled: unknown format, or no memory. The output stays the
 * caller's, and so does what the schema, which is copied, points to.
 */
struct dump_writer *dump_writer_new(const char *format, struct output *out, const struct dump_schema *schema,
                                    struct error *err);

/*
 * From now on lines are made on so many threads, 1 to 64, and written in the order of the records: the output is the caller's again
 * after dump_writer_flush. Without memory or a thread for it the caller's thread makes them, as before.
 */
void dump_writer_use_threads(struct dump_writer *w, unsigned threads);

/* One record, which is copied. 0, or -1 when the output has failed. */
int dump_writer_record(struct dump_writer *w, const struct dump_record *r);

/* Passes all lines so far to the output. 0 or -1. */
int dump_writer_flush(struct dump_writer *w);

/* Frees the writer and drops lines not flushed. NULL is allowed. */
void dump_writer_free(struct dump_writer *w);

#endif
