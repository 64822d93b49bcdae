/* What a format implements. Each keeps its own struct that begins with a struct writer. */
#ifndef XENMETER_FORMATS_WRITER_OPS_H
#define XENMETER_FORMATS_WRITER_OPS_H

#include "formats/buffer.h"
#include "formats/writer.h"

struct writer_ops {
    const char *name;
    size_t size; /* of the format's struct, handed to begin all zero behind the struct writer */
    int (*begin)(
        struct writer *w); /* NULL: nothing to do. -1: the output has failed, or else memory ran out */
    /* Selected rows: all of an interval, or some of a stream (then at least one). Their relation shows columns. */
    int (*rows)(struct writer *w, const struct rows *rows);
    int (*end)(struct writer *w,
               const struct report_summary *summary); /* NULL: the summary has no place in it */
    /* As writer_replace; NULL: a live report's rows are appended. */
    int (*replace)(struct writer *w, const struct report_summary *summary);
    void (*release)(struct writer *w); /* what the struct owns, not the struct; also after a failed begin */
};

struct writer {
    const struct writer_ops *ops;
    struct output *out;
    const struct report_schema *schema;
    struct buffer text;            /* being built; freed by writer_free */
    uint64_t rows;                 /* written */
    struct writer_queue *queue;    /* NULL: rows are written as they come */
    struct selection **selections; /* by number of the relation in the schema's choice */
};

/* Makes the output fail because memory ran out; -1. */
int writer_no_memory(struct writer *w);

/* Writes what is in w->text and empties it. 0, or -1 when memory or the output failed. */
int writer_put_text(struct writer *w);

enum text_style { TEXT_HEADER, TEXT_RULE, TEXT_ALARM, TEXT_WARNING, TEXT_END };

/* Switches the style of the text that follows, if the output may use colour. */
void writer_style(struct writer *w, enum text_style style);

/* What the columns look at, but for the row. */
struct row_view writer_view(const struct writer *w, const struct rows *rows);

/* Whether rows by several subjects are in this report. */
static inline bool writer_has_several(const struct writer *w)
{
    return (w->schema->bys & (w->schema->bys - 1)) != 0;
}

/* The columns that are of no use in this report: COLUMN_SEVERAL, COLUMN_TIMELINES, COLUMN_TIMES, or-ed. */
static inline unsigned writer_useless(const struct writer *w)
{
    return (writer_has_several(w) ? 0 : COLUMN_SEVERAL) | (w->schema->host ? 0 : COLUMN_TIMELINES) |
           (w->schema->moments ? 0 : COLUMN_TIMES);
}

/* A value as text: numbers with the column's digits, `none` where there is none, text through `add_text`. */
void writer_add_value(struct buffer *b, const struct column *column, struct value v, const char *none,
                      void (*add_text)(struct buffer *b, const char *s));

#endif
