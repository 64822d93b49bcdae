/* What the JSON document says of driver domains and their charges. */
#ifndef XENMETER_FORMATS_CHARGE_JSON_H
#define XENMETER_FORMATS_CHARGE_JSON_H

#include <jansson.h>

#include "formats/buffer.h"
#include "formats/writer_ops.h"

/* The object of one driver domain in one interval. */
void charge_json_add_idd(struct buffer *b, const struct writer *w, const struct interval *of,
                         const struct charge_idd *idd);

/* The "method" of the document: what was asked for and what came of it. NULL when memory ran out. */
json_t *charge_json_method(const struct charge_schema *schema, const struct charge_summary *summary);

#endif
