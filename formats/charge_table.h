/* What only a table of charges has: a heading for each driver domain, and at the end how it was charged. */
#ifndef XENMETER_FORMATS_CHARGE_TABLE_H
#define XENMETER_FORMATS_CHARGE_TABLE_H

#include "formats/writer_ops.h"

/* What stands above the rows of a driver domain. */
void charge_table_heading(struct writer *w, const struct interval *of, const struct charge_idd *idd);

/* What stands at the end of the table; `begun`: something stands above. */
void charge_table_end(struct writer *w, bool begun, const struct charge_summary *summary);

#endif
