#include "formats/table_layout.h"

#include <stdio.h>
#include <string.h>

#include "metrics/min_max.h"

#define BETWEEN     2  /* columns */
#define WHOLE_USUAL 48 /* columns of text that is not cut */
#define WHOLE_LEAST 16 /* at the end of a line it has at least these: the rest goes to lines below it */

/* ---- which columns ---- */

bool layout_is_shown(const struct table_sheet *s, const struct layout *layout)
{
    return !layout->absent && (s->stacked || !layout->left_out);
}

/* The shown column after `at`, or s->n. */
static size_t next_shown(const struct table_sheet *s, size_t at)
{
    while (++at < s->n && !layout_is_shown(s, &s->layouts[at]))
        ;
    return at;
}

bool layout_is_last(const struct table_sheet *s, size_t at)
{
    return next_shown(s, at) >= s->n;
}

size_t layout_last(const struct table_sheet *s)
{
    size_t last = s->n;
    while (last > 0 && !layout_is_shown(s, &s->layouts[last - 1]))
        last--;
    return last > 0 ? last - 1 : s->n;
}

size_t layout_width(const struct table_sheet *s)
{
    size_t width = 0;
    for (size_t c = 0; c < s->n; c++)
        if (layout_is_shown(s, &s->layouts[c]))
            width += s->layouts[c].width + (width ? BETWEEN : 0);
    return width;
}

/* ---- headings ---- */

/* The characters of a title that name its group: "wait" of "wait p99"; 0: it is in none. */
static size_t group_name(const struct column *column)
{
    const char *space = column->flags & COLUMN_KEY ? NULL : strrchr(column->title, ' ');
    return space ? (size_t)(space - column->title) : 0;
}

static bool is_same_group(const struct column *a, const struct column *b)
{
    size_t n = group_name(a);
    return n > 0 && n == group_name(b) && strncmp(a->title, b->title, n) == 0;
}

static void find_groups(struct table_sheet *s)
{
    struct layout *first = NULL; /* of the last group */
    for (size_t c = 0; c < s->n; c++) {
        struct layout *layout = &s->layouts[c];
        layout->group = 0;
        if (!layout_is_shown(s, layout))
            continue;
        if (!first || !is_same_group(first->column, layout->column))
            first = layout;
        first->group++;
    }
}

/* The unit that all columns of the group which begins at `at` have, or NULL. */
static const char *unit_of_group(const struct table_sheet *s, size_t at)
{
    const char *unit = s->layouts[at].scale.unit;
    size_t n = s->layouts[at].group;
    for (size_t c = at; n > 0; c = next_shown(s, c), n--)
        if (strcmp(s->layouts[c].scale.unit, unit) != 0)
            return NULL;
    return unit;
}

/* The column with which the group of column `at` begins. */
static size_t group_of(const struct table_sheet *s, size_t at)
{
    while (s->layouts[at].group == 0 && at > 0)
        at--;
    return at;
}

/* Appends a text, as far as there is room in a cell that begins at `cell`; returns its end. */
static char *append(const char *cell, char *to, const char *text, size_t n)
{
    size_t room = CELL_BYTES - 1 - (size_t)(to - cell);
    to = mempcpy(to, text, min64(n, room));
    *to = '\0';
    return to;
}

static char *append_unit(const char *cell, char *to, const char *unit)
{
    return *unit ? append(cell, append(cell, to, " ", 1), unit, strlen(unit)) : to;
}

void layout_heading(char one[CELL_BYTES], char two[CELL_BYTES], const struct table_sheet *s, size_t at)
{
    const struct layout *layout = &s->layouts[at];
    const char *title = layout->column->title, *unit = layout->scale.unit;
    const char *space = strrchr(title, ' ');
    size_t first = group_of(s, at);
    const char *of_group = s->layouts[first].group > 1 ? unit_of_group(s, first) : NULL;
    *one = '\0';
    if (layout->group != 0 && space)
        append_unit(one, append(one, one, title, (size_t)(space - title)), of_group ? of_group : "");
    if (space) {
        append_unit(two, append(two, two, space + 1, strlen(space + 1)), of_group ? "" : unit);
    } else if (*unit) {
        append(one, one, title, strlen(title));
        append(two, two, unit, strlen(unit));
    } else {
        append(two, two, title, strlen(title));
    }
}

size_t layout_group_width(const struct table_sheet *s, size_t at)
{
    size_t width = s->layouts[at].width;
    for (size_t n = s->layouts[at].group, c = at; n > 1; n--) {
        c = next_shown(s, c);
        width += BETWEEN + s->layouts[c].width;
    }
    return width;
}

void layout_label(char to[CELL_BYTES], const struct layout *layout)
{
    const char *unit = layout->scale.unit;
    snprintf(to, CELL_BYTES, "%s%s%s", layout->column->title, *unit ? " " : "", unit);
}

/* ---- widths ---- */

static size_t instant_width(const struct layout *layout)
{
    bool seconds = layout->scale.times == TIMES_RELATIVE || layout->scale.times == TIMES_TSC;
    return strlen(seconds ? "1234." : "12:34:56.") + layout->scale.digits;
}

size_t layout_usual_cells(const struct layout *layout, uint64_t shortest_ns)
{
    const struct column *column = layout->column;
    char cell[CELL_BYTES];
    size_t width = column->unit == UNIT_INSTANT   ? instant_width(layout)
                   : column->unit == UNIT_PERCENT ? strlen("100.00")
                   : column->flags & COLUMN_NAME  ? CELL_TEXT_MAX
                   : column->flags & COLUMN_WHOLE ? WHOLE_USUAL
                                                  : 0;
    struct value usual = {.type = VALUE_INTEGER, .integer = 100000000}; /* 100 ms */
    if (column->unit == UNIT_NS && shortest_ns)
        usual.integer = (int64_t)min64(shortest_ns, INT64_MAX);
    if (column->unit == UNIT_NS || column->unit == UNIT_NS_EACH)
        width = cell_of(cell, column, &layout->scale, usual) + (column->scalar.type == SCALAR_I64);
    for (const char *const *word = column->words; word && *word; word++)
        width = max64(width, strlen(*word));
    return width;
}

/* The width that the column's cells and the part of its heading that is its own take. */
static void set_width(const struct table_sheet *s, size_t at, struct layout *layout)
{
    char one[CELL_BYTES], two[CELL_BYTES];
    size_t cells = layout->cells;
    if (layout->scale.most && cells > layout->scale.most)
        cells = layout->scale.most;
    layout_heading(one, two, s, at);
    layout->width = max64(cells, max64(layout->group == 1 ? strlen(one) : 0, strlen(two)));
}

/* A group has room for its name. */
static void widen_group(struct table_sheet *s, size_t at)
{
    char one[CELL_BYTES], two[CELL_BYTES];
    size_t last = at, width = layout_group_width(s, at);
    layout_heading(one, two, s, at);
    for (size_t n = s->layouts[at].group; n > 1; n--)
        last = next_shown(s, last);
    if (width < strlen(one))
        s->layouts[last].width += strlen(one) - width;
}

/* Text that is not cut, and to the right of which nothing stands, takes what room there is. */
static void narrow_last(struct table_sheet *s, size_t width)
{
    for (size_t c = 0; c < s->n; c++) {
        struct layout *layout = &s->layouts[c];
        if (!(layout->column->flags & COLUMN_WHOLE) || !layout_is_shown(s, layout) || !layout_is_last(s, c))
            continue;
        size_t least = min64(layout->width, WHOLE_LEAST), others = layout_width(s) - layout->width;
        layout->width = min64(layout->width, max64(least, width > others ? width - others : 0));
    }
}

/* Whether the shown columns, with the widths that it sets, are too wide. */
static bool is_too_wide(struct table_sheet *s, unsigned width)
{
    find_groups(s);
    for (size_t c = 0; c < s->n; c++)
        if (layout_is_shown(s, &s->layouts[c]))
            set_width(s, c, &s->layouts[c]);
    for (size_t c = 0; c < s->n; c++)
        if (s->layouts[c].group > 1)
            widen_group(s, c);
    if (width)
        narrow_last(s, width);
    return width && layout_width(s) > width;
}

void layout_fit(struct table_sheet *s, unsigned width, bool given)
{
    const unsigned stay = COLUMN_KEY | COLUMN_KEEP;
    if (s->stacked)
        return;
    bool too_wide = is_too_wide(s, width);
    for (size_t c = s->n; c-- > 1 && too_wide && !given;) {
        struct layout *layout = &s->layouts[c];
        if (!layout_is_shown(s, layout) || layout->column->flags & stay)
            continue;
        layout->left_out = true;
        too_wide = is_too_wide(s, width);
    }
    for (size_t c = 0; c < s->n && too_wide && !given; c++)
        if (s->layouts[c].column->flags & COLUMN_NAME) {
            s->layouts[c].scale.most = CELL_NAME_MIN;
            too_wide = is_too_wide(s, width);
        }
    s->stacked = too_wide;
}
