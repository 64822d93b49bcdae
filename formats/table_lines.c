/* The table's single lines: executions as they come, and at the end whether the result can be trusted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/table.h"

#define LINES_PER_HEADER 40 /* on a terminal, where the header scrolls away */
#define REASONS_SHOWN    4  /* the worst; more make no line that anybody reads */

size_t table_usual_width(const struct column *column)
{
    if (column->unit == UNIT_INSTANT)
        return strlen("1234.567890");
    if (column->unit == UNIT_NS)
        return strlen("123.4 ms");
    if (strcmp(column->name, "name") == 0)
        return CELL_TEXT_MAX;
    if (strcmp(column->name, "end") == 0)
        return strlen("preempted");
    if (column->unit == UNIT_PERCENT)
        return strlen("100.00");
    return strcmp(column->name, "wait_kind") == 0 ? strlen("preempt") : 0;
}

int table_begin_executions(struct table *t)
{
    const struct report_schema *schema = t->base.schema;
    t->execution_layouts = calloc(execution_columns_n, sizeof *t->execution_layouts);
    if (!t->execution_layouts)
        return -1;
    for (size_t c = 0; c < execution_columns_n; c++) {
        const struct column *column = &execution_columns[c];
        if (!column->in_table || (!schema->name_of && strcmp(column->name, "name") == 0))
            continue;
        struct layout *layout = &t->execution_layouts[t->execution_n++];
        layout->column = column;
        layout->scale = scale_free(column);
        layout->width = table_usual_width(column);
        table_widen_to_heading(layout);
    }
    if (schema->width && schema->executions)
        table_fit(t, t->execution_layouts, t->execution_n);
    return 0;
}

int table_execution(struct writer *w, const struct execution *e)
{
    struct table *t = (struct table *)w;
    struct record_view view = view_of_execution(w, e);
    if (t->execution_lines == 0 || (w->schema->width && t->execution_lines % LINES_PER_HEADER == 0)) {
        buffer_text(&w->text, t->begun ? "\n" : "");
        table_header(t, t->execution_layouts, t->execution_n);
        t->begun = true;
    }
    t->execution_lines++;
    for (size_t c = 0; c < t->execution_n; c++) {
        const struct layout *layout = &t->execution_layouts[c];
        char cell[CELL_BYTES];
        if (layout->hidden)
            continue;
        size_t width = cell_of(cell, &layout->scale, layout->column->get(&view));
        if (e->life > 1 && strcmp(layout->column->name, "domain") == 0)
            width = (size_t)snprintf(cell, sizeof cell, "%" PRId32 "#%" PRIu32, e->domain, e->life);
        table_cell(t, t->execution_layouts, t->execution_n, c, cell, width);
    }
    return writer_put_text(w);
}

static void put_clock(struct buffer *b, const struct clock *clock)
{
    char count[HUMAN_BYTES];
    buffer_printf(b, "clock %.2f MHz", clock->cpu_hz / 1e6);
    if (clock->measured)
        buffer_printf(b, " measured from %s samples (+-%.*f ppm)", human_count(count, clock->pairs),
                      clock->error_ppm < 10 ? 1 : 0, clock->error_ppm);
    else
        buffer_text(b, " as given");
}

static void put_verdict(struct table *t, const struct report_summary *summary)
{
    struct buffer *b = &t->base.text;
    const struct judgement *j = summary->judgement;
    char count[HUMAN_BYTES];
    bool is_good = j->verdict == VERDICT_GOOD;
    buffer_text(b, t->begun ? "\nverdict: " : "verdict: ");
    if (!is_good)
        table_style(t, j->verdict == VERDICT_POOR ? STYLE_ALARM : STYLE_WARNING);
    buffer_text(b, verdict_name(j->verdict));
    if (!is_good)
        table_style(t, STYLE_END);
    if (is_good) {
        buffer_printf(b, " - %s records, nothing lost, ", human_count(count, summary->quality->records));
        put_clock(b, &summary->clock);
    }
    for (unsigned i = 0; i < j->reasons && i < REASONS_SHOWN; i++)
        buffer_printf(b, "%s%s", i ? "; " : " - because ", j->why[i]);
    if (j->reasons > REASONS_SHOWN)
        buffer_printf(b, "; and %u more: xenmeter info", j->reasons - REASONS_SHOWN);
    buffer_text(b, "\n");
}

int table_end(struct writer *w, const struct report_summary *summary)
{
    struct table *t = (struct table *)w;
    if (t->dropped) {
        table_style(t, STYLE_RULE);
        buffer_printf(&w->text, "\n%zu more column%s: %s-f csv", t->dropped, t->dropped == 1 ? "" : "s",
                      w->schema->charge ? "" : "-c all or ");
        table_style(t, STYLE_END);
        buffer_text(&w->text, "\n");
    }
    put_verdict(t, summary);
    return writer_put_text(w) == 0 ? output_flush(w->out) : -1;
}
