/* The table, below the lines about the host. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "screen/screen.h"

#define CELL_LEAST  6
#define NAME_NARROW 12 /* of names, where the screen has less than */
#define WIDE        100
#define GRAPH_LEAST 8
#define GRAPH_MOST  60

/* What is drawn of the sheet now. */
struct drawing {
    struct screen *screen;
    struct canvas *canvas;
    unsigned y;        /* of the first line of headings */
    unsigned lines;    /* of rows */
    unsigned headings; /* lines */
    unsigned x, end;   /* where the next column goes, and where the last one ends at most */
    size_t rows;       /* that are drawn, from screen->top on */
    bool both;         /* two spans side by side */
    enum span only;    /* else this one */
    unsigned left_out; /* columns for which there is no room */
};

/* ---- widths ---- */

static unsigned *width_of(struct screen *s, const struct sheet_column *column)
{
    for (size_t i = 0; i < s->widths_n; i++)
        if (s->widths[i].column == column->column && s->widths[i].idd == column->idd)
            return &s->widths[i].width;
    size_t at = s->widths_n < SHEET_COLUMNS ? s->widths_n++ : SHEET_COLUMNS - 1;
    s->widths[at] = (struct shown_width){.column = column->column, .idd = column->idd};
    return &s->widths[at].width;
}

static size_t cell(const struct drawing *d, const struct sheet_row *row, const struct sheet_column *column,
                   enum span span, char to[CELL_BYTES])
{
    static const struct column charge = {.unit = UNIT_PERCENT, .digits = 3};
    struct value v = sheet_value(&d->screen->sheet, row, column, span);
    struct scale scale = column->scale;
    if (column->column && column->column->flags & COLUMN_NAME && d->canvas->width < WIDE)
        scale.most = NAME_NARROW;
    return cell_of(to, column->column ? column->column : &charge, &scale, v);
}

static bool is_single(const struct drawing *d, const struct sheet_column *column)
{
    return column->is_key || !d->both;
}

/* The widest cell of the rows that are drawn, or ever were. */
static unsigned cell_width(const struct drawing *d, const struct sheet_column *column)
{
    char text[CELL_BYTES];
    unsigned *width = width_of(d->screen, column);
    bool text_column = column->column && column->column->flags & COLUMN_LEFT;
    if (*width == 0 && !column->is_key && !text_column)
        *width = CELL_LEAST;
    for (size_t i = 0; i < d->rows; i++) {
        const struct sheet_row *row = &d->screen->sheet.rows[d->screen->top + i];
        for (enum span span = 0; span < SPANS; span++) {
            size_t n = row->at[span] || !column->column ? cell(d, row, column, span, text) : 1;
            *width = n > *width ? (unsigned)n : *width;
        }
    }
    return *width;
}

/* ---- a column ---- */

/* "1 s" "10 s" "3.2 s": how much time is in the window. */
static void span_label(const struct screen *s, enum span span, char to[SHEET_TITLE])
{
    const struct interval *i = &s->picture.windows[span].interval;
    uint64_t ns = i->end_ns - i->start_ns - i->gap_ns;
    snprintf(to, SHEET_TITLE, ns % SECOND_NS ? "%.1f s" : "%.0f s", (double)ns / 1e9);
}

static enum style heading_style(const struct drawing *d, const struct sheet_column *column)
{
    const struct view_choice *chosen = &d->screen->settings.choices[d->screen->settings.view];
    return column->column && column->column == chosen->sort ? STYLE_SORTED : STYLE_TITLE;
}

static void draw_heading(const struct drawing *d, const struct sheet_column *column, unsigned width,
                         unsigned each)
{
    char label[SHEET_TITLE];
    bool left = column->column && column->column->flags & COLUMN_LEFT;
    enum style style = heading_style(d, column);
    if (is_single(d, column)) {
        if (left)
            canvas_put(d->canvas, d->x, d->y + d->headings - 1, width, style, column->title);
        else
            canvas_put_right(d->canvas, d->x, d->y + d->headings - 1, width, style, column->title);
        return;
    }
    canvas_put_right(d->canvas, d->x, d->y, width, style, column->title);
    span_label(d->screen, SPAN_ONE, label);
    canvas_put_right(d->canvas, d->x, d->y + 1, each, style, label);
    span_label(d->screen, SPAN_TEN, label);
    canvas_put_right(d->canvas, d->x + each + 1, d->y + 1, each, style, label);
}

static void note_heading(const struct drawing *d, const struct sheet_column *column, unsigned width,
                         unsigned each)
{
    struct shown_table *table = &d->screen->table;
    bool single = is_single(d, column);
    if (table->headings_n < SHEET_COLUMNS)
        table->headings[table->headings_n++] =
            (struct shown_heading){.begin = d->x,
                                   .middle = d->x + (single ? width : each + 1),
                                   .end = d->x + width,
                                   .column = column->column};
}

static void draw_cell(const struct drawing *d, const struct sheet_row *row, const struct sheet_column *column,
                      enum span span, unsigned x, unsigned y, unsigned width)
{
    char text[CELL_BYTES];
    const struct column *of = column->column;
    bool missing = of && !row->at[span] && !column->is_key;
    size_t n = missing ? 0 : cell(d, row, column, span, text);
    bool alarm =
        of && of->flags & COLUMN_ALARM && value_number(sheet_value(&d->screen->sheet, row, column, span)) > 0;
    enum style style = alarm ? STYLE_ALARM : STYLE_PLAIN;
    if (of && of->flags & COLUMN_LEFT && !missing)
        canvas_put(d->canvas, x, y, width, style, text);
    else
        canvas_put_right(d->canvas, x, y, width, style, n ? text : "-");
    if (!column->is_key && !missing && sheet_is_vague(&d->screen->sheet, row, span))
        canvas_put(d->canvas, x + width, y, 1, STYLE_WARNING, "*");
}

static void draw_column(struct drawing *d, const struct sheet_column *column)
{
    unsigned each = cell_width(d, column), title = canvas_width(column->title);
    bool single = is_single(d, column);
    unsigned width = single ? each : 2 * each + 1;
    if (title > width) {
        each = single ? title : title / 2;
        width = single ? each : 2 * each + 1;
    }
    if (d->x + width + 1 > d->end) {
        d->left_out++;
        d->x = d->end; /* nor for those that follow */
        return;
    }
    draw_heading(d, column, width, each);
    note_heading(d, column, width, each);
    for (size_t i = 0; i < d->rows; i++) {
        const struct sheet_row *row = &d->screen->sheet.rows[d->screen->top + i];
        unsigned y = d->y + d->headings + (unsigned)i;
        if (single) {
            draw_cell(d, row, column, column->is_key ? SPAN_TEN : d->only, d->x, y, width);
            continue;
        }
        draw_cell(d, row, column, SPAN_ONE, d->x, y, each);
        draw_cell(d, row, column, SPAN_TEN, d->x + each + 1, y, each);
    }
    d->x += width + 2;
}

/* Who was charged: the first column of the table of charges. */
static void draw_recipients(struct drawing *d)
{
    static const char *const words[] = {"own", "unattributed", "ran in all"};
    const struct sheet *sheet = &d->screen->sheet;
    canvas_put(d->canvas, d->x, d->y + d->headings - 1, 18, STYLE_TITLE, "for guest");
    for (size_t i = 0; i < d->rows; i++) {
        const struct sheet_subject *who = &sheet->rows[d->screen->top + i].subject;
        const char *name = sheet_name(&sheet->choice, who->domain, who->life);
        char id[CELL_BYTES];
        unsigned y = d->y + d->headings + (unsigned)i;
        if (who->domain <= SUBJECT_OWN)
            canvas_put(d->canvas, d->x, y, 18, STYLE_DIM, words[SUBJECT_OWN - who->domain]);
        else if (cell_domain(id, who->domain, who->life))
            canvas_printf(d->canvas, d->x, y, 18, STYLE_PLAIN, "%s %s", id, name ? name : "");
    }
    d->x += 20;
}

static void draw_graphs(const struct drawing *d, unsigned room)
{
    unsigned width = room < GRAPH_MOST ? room : GRAPH_MOST;
    const struct sheet *sheet = &d->screen->sheet;
    canvas_put(d->canvas, d->x, d->y + d->headings - 1, width, STYLE_TITLE,
               width >= GRAPH_MOST ? "running, the last minute" : "running");
    for (size_t i = 0; i < d->rows; i++) {
        const struct sheet_subject *who = &sheet->rows[d->screen->top + i].subject;
        draw_sparkline(d->screen, d->canvas, d->x, d->y + d->headings + (unsigned)i, width, who->domain,
                       who->life);
    }
}

/* ---- all of it ---- */

/* The row on which keys act is among those that are drawn. */
static void scroll(struct screen *s, unsigned lines)
{
    size_t chosen = screen_chosen_row(s);
    if (chosen < s->sheet.n && chosen < s->top)
        s->top = chosen;
    if (chosen < s->sheet.n && lines > 0 && chosen >= s->top + lines)
        s->top = chosen - lines + 1;
    if (s->top + lines > s->sheet.n)
        s->top = s->sheet.n > lines ? s->sheet.n - lines : 0;
    s->rows_shown = lines;
}

static const char *why_empty(const struct screen *s)
{
    unsigned parts = view_kinds[s->settings.view].parts;
    const struct picture *p = &s->picture;
    if (!p->any)
        return s->status.state == SOURCE_FAILED  ? s->status.why
               : s->status.state == SOURCE_ENDED ? "the trace has ended, and has no complete second"
                                                 : "waiting for the first second of the trace";
    if ((p->windows[SPAN_ONE].parts & parts) != parts)
        return "not known of this second: its details are no longer kept, or the source has results only";
    if (s->settings.view == VIEW_EXECUTIONS && s->drill.domain >= 0 &&
        (p->watched.domain != s->drill.domain || p->watched.life != s->drill.life))
        return "a domain's executions are kept from the second on in which it is chosen";
    return *s->filter ? "no domain has this in its name (Esc: all)" : "none in this second";
}

static void begin(struct drawing *d, unsigned lines)
{
    struct screen *s = d->screen;
    const struct view_kind *kind = &view_kinds[s->settings.view];
    d->both = s->settings.spans == SHOW_BOTH && !kind->one_span;
    d->only = kind->one_span || s->settings.spans != SHOW_TEN ? SPAN_ONE : SPAN_TEN;
    d->headings = d->both ? 2 : 1;
    d->lines = lines > d->headings ? lines - d->headings : 0;
    scroll(s, d->lines);
    d->rows = s->sheet.n - s->top < d->lines ? s->sheet.n - s->top : d->lines;
    if (s->widths_of != s->settings.view)
        s->widths_n = 0;
    s->widths_of = s->settings.view;
    for (unsigned i = 0; i < d->headings; i++)
        canvas_paint(d->canvas, 0, d->y + i, d->canvas->width, STYLE_TITLE);
}

static unsigned graph_room(const struct screen *s, const struct canvas *c)
{
    if (!view_kinds[s->settings.view].graph || c->width < 60)
        return 0;
    return c->width / 8 < GRAPH_LEAST ? GRAPH_LEAST : c->width / 8;
}

/* "vCPUs of domain 3 web, filter: db": what the table has. */
static void draw_caption(const struct screen *s, struct canvas *c, unsigned y)
{
    unsigned x = canvas_put(c, 0, y, c->width, STYLE_KEY, view_kinds[s->settings.view].title);
    if (s->settings.view == VIEW_EXECUTIONS)
        x += canvas_put(c, x, y, c->width, STYLE_KEY,
                        s->drill.domain >= 0 ? ", the last of the second"
                                             : " with the longest waits of the second");
    const struct sheet_subject *of = &s->sheet.choice.subject;
    if (of->domain >= 0) {
        const char *name = sheet_name(&s->sheet.choice, of->domain, of->life);
        x += canvas_printf(c, x, y, c->width, STYLE_KEY, ", of domain %" PRId32 "%s%s", of->domain,
                           name ? " " : "", name ? name : "");
    }
    if (of->domain >= 0 && of->vcpu >= 0)
        x += canvas_printf(c, x, y, c->width, STYLE_KEY, ", vCPU %" PRId32, of->vcpu);
    if (*s->filter)
        x += canvas_printf(c, x, y, c->width, STYLE_WARNING, ", filter: %s", s->filter);
    if (s->sheet.n > 0)
        canvas_printf(c, x, y, c->width, STYLE_DIM, "  (%zu)", s->sheet.n);
}

void draw_table(struct screen *s, struct canvas *c, unsigned y, unsigned lines)
{
    struct drawing d = {.screen = s, .canvas = c, .y = y + 1};
    unsigned graph = graph_room(s, c);
    s->table = (struct shown_table){.headings_y = y + 1};
    if (lines < 2)
        return;
    draw_caption(s, c, y);
    begin(&d, lines - 1);
    if (s->sheet.n == 0) {
        canvas_put(c, 0, d.y + d.headings, c->width, STYLE_DIM, why_empty(s));
        return;
    }
    s->table.rows_y = d.y + d.headings;
    d.end = c->width - graph;
    if (s->settings.view == VIEW_CHARGES)
        draw_recipients(&d);
    for (size_t i = 0; i < s->sheet.columns_n; i++)
        draw_column(&d, &s->sheet.columns[i]);
    unsigned x = d.left_out ? d.end : d.x;
    d.x = x;
    if (graph && c->width > x)
        draw_graphs(&d, c->width - x);
    size_t chosen = screen_chosen_row(s);
    if (chosen < s->sheet.n && !s->batch)
        canvas_paint(c, 0, d.y + d.headings + (unsigned)(chosen - s->top), c->width, STYLE_CHOSEN);
}
