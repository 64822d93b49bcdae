/* The table writer's parts: blocks of intervals (table.c), executions and the last lines (table_lines.c). Those of
 * charges are in charge_table.c. */
#ifndef XENMETER_FORMATS_TABLE_H
#define XENMETER_FORMATS_TABLE_H

#include "formats/table_cell.h"
#include "formats/writer_ops.h"

/* One column as it is laid out. Widths only grow, so that the blocks of a long report line up. */
struct layout {
    const struct column *column;
    struct scale scale;
    size_t width;
    bool hidden;
    bool alarmed; /* an alarm column that has had something to show */
};

struct table {
    struct writer base;
    struct layout *layouts; /* of the intervals' columns */
    size_t n;
    struct layout *execution_layouts;
    size_t execution_n;
    struct value *grid; /* of one interval, column after column */
    size_t grid_size;
    struct measures sum;
    size_t dropped;         /* most columns that did not fit */
    bool begun;             /* something stands above */
    size_t execution_lines; /* since their header; 0: the header comes first */
};

enum style { STYLE_HEADER, STYLE_RULE, STYLE_ALARM, STYLE_WARNING, STYLE_END };

/* Switches the style, if the table may use colour. */
void table_style(struct table *t, enum style style);

/* Room for that many values in t->grid; false when memory ran out. */
bool table_grid(struct table *t, size_t values);

/* A cell in its place: padded to its layout's width; the last one ends the line, without trailing spaces. */
void table_cell(struct table *t, const struct layout *layouts, size_t n, size_t at, const char *cell,
                size_t width);

/* The heading lines of the shown columns and the rule under them. */
void table_header(struct table *t, const struct layout *layouts, size_t n);

void table_rule(struct table *t, const struct layout *layouts, size_t n);

/* The line above an interval: "total  0 s - 15.062 s". */
void table_title(struct table *t, const struct interval *of);

/* Makes a layout at least as wide as its heading. */
void table_widen_to_heading(struct layout *layout);

/* Characters of a line. */
size_t table_width(const struct layout *layouts, size_t n);

/* Hides columns from the right until the rest fits; keys stay. */
void table_fit(struct table *t, struct layout *layouts, size_t n);

/* The width of a column in lines that are written before the next is known: what usually occurs. */
size_t table_usual_width(const struct column *column);

int table_begin_executions(struct table *t);
int table_execution(struct writer *w, const struct execution *execution);
int table_end(struct writer *w, const struct report_summary *summary);
void table_release(struct writer *w);

#endif
