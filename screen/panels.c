/* What is shown over the table: help, columns, sources, the command line. */
#include <stdio.h>
#include <string.h>

#include "screen/screen.h"

#define GRAPH_LINES 6

static const char *const help[][2] = {
    {"d v c e b m", "domains, vCPUs, pCPUs, executions, blame (who delayed whom), charges of driver domains"},
    {"up down", "choose a row; Enter: its vCPUs, then their executions; Esc: back"},
    {"mouse", "choose a row, once more: Enter; order by a heading, once more: reversed; the wheel scrolls"},
    {"/", "only domains with this in their names; Esc: all"},
    {"< >", "order by the column before, after; r: reversed; w: by the other span"},
    {"f", "columns: space shows and hides, s orders by it"},
    {"z", "last 1 s and last 10 s, only the one, only the other"},
    {"t", "graph of the chosen domain, or of the host"},
    {"space", "pause, go on; End or G: back to the newest"},
    {"left right", "a second back, forward; [ ]: ten seconds"},
    {"g", "go to a second of the trace"},
    {"+ -", "speed of a replay"},
    {"n", "next second with lost records, or with an unusually long wait"},
    {"y", "the command line whose output is the same table"},
    {"i", "where the numbers come from"},
    {"P", "palette: normal, for the colour-blind, without colours"},
    {"h ?", "this; q: quit"},
    {"*", "incomplete: records were lost, so that the number could be another; -: not known"},
};

static void draw_help(struct canvas *c, unsigned y, unsigned lines)
{
    for (unsigned i = 0; i < sizeof help / sizeof *help && i < lines; i++) {
        canvas_put(c, 2, y + i, 12, STYLE_KEY, help[i][0]);
        canvas_put(c, 15, y + i, c->width, STYLE_PLAIN, help[i][1]);
    }
}

static void draw_columns(const struct screen *s, struct canvas *c, unsigned y, unsigned lines)
{
    enum view view = s->settings.view;
    const struct relation *r = view_kinds[view].relation;
    const struct view_choice *chosen = &s->settings.choices[view];
    size_t at = 0, first = s->panel_at >= lines ? s->panel_at - lines + 1 : 0;
    for (size_t i = 0; i < r->columns_n; i++) {
        const struct column *column = &r->columns[i];
        if (!view_offers(view, column))
            continue;
        if (at >= first && at < first + lines) {
            unsigned line = y + (unsigned)(at - first);
            canvas_printf(c, 2, line, 3, STYLE_PLAIN, "[%s]", chosen->shown[i] ? "x" : " ");
            canvas_put(c, 6, line, 22, column == chosen->sort ? STYLE_SORTED : STYLE_KEY, column->name);
            canvas_put(c, 29, line, c->width, STYLE_PLAIN, column->help);
            if (at == s->panel_at)
                canvas_paint(c, 0, line, c->width, STYLE_CHOSEN);
        }
        at++;
    }
    if (at == 0)
        canvas_put(c, 2, y, c->width, STYLE_DIM, "the columns of this table are the driver domains");
}

/* Each column of the table: what it means; below, which records that is taken from. */
static void draw_sources(const struct screen *s, struct canvas *c, unsigned y, unsigned lines)
{
    const struct view_kind *kind = &view_kinds[s->settings.view];
    const struct judgement *j = &s->picture.judgement;
    unsigned line = 0;
    canvas_printf(c, 2, y + line++, c->width, STYLE_PLAIN, "source  %s", s->title);
    canvas_printf(c, 2, y + line++, c->width, STYLE_PLAIN, "from    %s", kind->source);
    canvas_printf(c, 2, y + line++, c->width, STYLE_PLAIN, "verdict %s", verdict_name(j->verdict));
    for (unsigned i = 0; i < j->reasons && line < lines; i++)
        canvas_put(c, 10, y + line++, c->width, STYLE_WARNING, j->why[i]);
    for (size_t i = 0; i < s->sheet.columns_n && line < lines; i++) {
        const struct sheet_column *column = &s->sheet.columns[i];
        canvas_put(c, 2, y + line, 24, STYLE_KEY, column->title);
        canvas_put(c, 27, y + line++, c->width, STYLE_PLAIN,
                   column->column ? column->column->help : "this driver domain's CPU, % of one pCPU");
    }
}

/* In as many lines as it takes. */
static void draw_command(const struct screen *s, struct canvas *c, unsigned y, unsigned lines)
{
    size_t n = strlen(s->command), width = c->width > 8 ? c->width - 4 : 4;
    canvas_put(c, 2, y, c->width, STYLE_KEY, "the same as a report (printed again at the end):");
    for (unsigned i = 0; i * width < n && i + 2 < lines; i++)
        canvas_printf(c, 2, y + 2 + i, c->width, STYLE_PLAIN, "%.*s", (int)width, s->command + i * width);
}

void draw_panel(struct screen *s, struct canvas *c, unsigned y, unsigned lines)
{
    static const char *const titles[] = {"", "keys", "columns: space, s; f or Esc ends",
                                         "where the numbers come from", "command line"};
    for (unsigned i = 0; i < lines; i++) {
        for (unsigned x = 0; x < c->width; x++)
            canvas_put(c, x, y + i, 1, STYLE_PLAIN, " ");
    }
    canvas_paint(c, 0, y, c->width, STYLE_TITLE);
    canvas_put(c, 1, y, c->width, STYLE_TITLE, titles[s->panel]);
    switch (s->panel) {
    case PANEL_HELP:
        draw_help(c, y + 1, lines - 1);
        break;
    case PANEL_COLUMNS:
        draw_columns(s, c, y + 1, lines - 1);
        break;
    case PANEL_SOURCES:
        draw_sources(s, c, y + 1, lines - 1);
        break;
    case PANEL_COMMAND:
        draw_command(s, c, y + 1, lines - 1);
        break;
    case PANEL_NONE:
        break;
    }
}
