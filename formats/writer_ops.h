/* What a format implements. Each keeps its own struct that begins with a struct writer. */
#ifndef XENMETER_FORMATS_WRITER_OPS_H
#define XENMETER_FORMATS_WRITER_OPS_H

#include "formats/buffer.h"
#include "formats/writer.h"

struct writer_ops {
    const char *name;
    size_t size; /* of the format's struct, handed to begin all zero behind the struct writer */
    int (*begin)(struct writer *w);
    /* Either one record at a time, of whatever kind, */
    int (*record)(struct writer *w, const struct record_view *view);
    /* or what makes up an interval together. */
    int (*interval)(struct writer *w, const struct interval *interval, const struct row *rows, size_t n);
    int (*execution)(struct writer *w, const struct execution *execution);
    int (*charges)(struct writer *w, const struct interval *interval, const struct charge_idd *idds,
                   size_t n);
    int (*end)(struct writer *w, const struct report_summary *summary);
    void (*release)(struct writer *w); /* what the struct owns, not the struct; also after a failed begin */
};

struct writer {
    const struct writer_ops *ops;
    struct output *out;
    const struct report_schema *schema;
    struct buffer text; /* being built; freed by writer_free */
};

extern const struct writer_ops table_writer;
extern const struct writer_ops charge_table_writer; /* "table" where the schema is one of charges */
extern const struct writer_ops csv_writer;
extern const struct writer_ops json_writer;
extern const struct writer_ops jsonl_writer;
extern const struct writer_ops xenmon_writer;

/* Makes the output fail because memory ran out; -1. */
int writer_no_memory(struct writer *w);

/* Writes what is in w->text and empties it. 0, or -1 when memory or the output failed. */
int writer_put_text(struct writer *w);

/* What the columns look at. */
struct record_view view_of_row(const struct writer *w, const struct interval *interval,
                               const struct row *row);
struct record_view view_of_execution(const struct writer *w, const struct execution *execution);
struct record_view view_of_charge(const struct writer *w, const struct interval *interval,
                                  const struct charge_row *charge);

/* How many rows of charges a driver domain has in this report. */
size_t charge_rows_shown(const struct writer *w, const struct charge_idd *idd);

/* A value as text: numbers with the column's digits, `none` where there is none, text through `add_text`. */
void writer_add_value(struct buffer *b, const struct column *column, struct value v, const char *none,
                      void (*add_text)(struct buffer *b, const char *s));

#endif
