/* What the JSON formats share: rows as text, and the objects about the trace and its quality. */
#ifndef XENMETER_FORMATS_JSON_TEXT_H
#define XENMETER_FORMATS_JSON_TEXT_H

#include <jansson.h>

#include "formats/buffer.h"
#include "formats/writer_ops.h"

/* A JSON string of any bytes, null for NULL; what is not UTF-8 becomes U+FFFD. */
json_t *json_of_text(const char *s);
void json_add_text(struct buffer *b, const char *s);

/*
 * Adds a value, whose reference they take over; NULL: its allocation failed. An object or list becomes NULL when an
 * allocation fails, and stays NULL.
 */
void json_put(json_t **object, const char *key, json_t *value);
void json_append(json_t **list, json_t *value);

/* `"name":value` of one column; `first` leaves out the comma before it. */
void json_add_member(struct buffer *b, const struct column *column, const struct row_view *view, bool first);

/* The members of one row: the chosen columns that are not the same for all rows of an interval. */
void json_add_row(struct buffer *b, const struct shown *shown, const struct row_view *view, bool first);

/* The "trace" and "quality" objects of the document, NULL when memory ran out. The caller owns them. */
json_t *json_of_trace(const struct report_summary *summary);
json_t *json_of_quality(const struct report_summary *summary);

/* ---- what a document says of driver domains and their charges (charge_json.c) ---- */

/* The object of driver domain number `group` of the rows: those of its guests are among rows from .. to. */
void charge_json_add_idd(struct buffer *b, const struct writer *w, const struct rows *rows, size_t group,
                         size_t from, size_t to);

/* The "method" of the document: what was asked for and what came of it. NULL when memory ran out. */
json_t *charge_json_method(const struct charge_schema *schema, const struct charge_summary *summary);

/* The "fit" of a document of weights: how much it rests on and how good it is. NULL when memory ran out. */
json_t *charge_json_fit(const struct fitted_weights *fit);

/* One of two captures that are compared: its file, trace and quality, and what its noise is estimated from. */
json_t *json_of_compared(const struct compared *of);

#endif
