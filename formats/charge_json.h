/* What the JSON document says of driver domains and their charges. */
#ifndef XENMETER_FORMATS_CHARGE_JSON_H
#define XENMETER_FORMATS_CHARGE_JSON_H

#include <jansson.h>

#include "formats/buffer.h"
#include "formats/writer_ops.h"

/* The object of driver domain number `group` of the rows: those of its guests are among rows from .. to. */
void charge_json_add_idd(struct buffer *b, const struct writer *w, const struct rows *rows, size_t group,
                         size_t from, size_t to);

/* The "method" of the document: what was asked for and what came of it. NULL when memory ran out. */
json_t *charge_json_method(const struct charge_schema *schema, const struct charge_summary *summary);

#endif
