/* What ends a table: which columns were left out, and whether the result can be trusted. */
#include "formats/charge_table.h"
#include "formats/compared_table.h"
#include "formats/table.h"
#include "formats/wrap.h"
#include "metrics/human.h"

#define REASONS_SHOWN 4 /* the worst; more make no line that anybody reads */

/* "left out at 80 columns: evidence (-c all shows every column)": by the names that --columns takes. */
static void put_left_out(struct table *t)
{
    struct buffer *b = &t->base.text;
    bool any = false;
    for (const struct table_sheet *s = t->sheets; s; s = s->next)
        for (size_t c = 0; c < s->n && !s->stacked; c++) {
            if (!s->layouts[c].left_out)
                continue;
            if (!any)
                writer_style(&t->base, TEXT_RULE);
            if (!any)
                buffer_printf(b, "\nleft out at %u columns: ", t->base.schema->width);
            buffer_printf(b, "%s%s", any ? ", " : "", s->layouts[c].column->name);
            any = true;
        }
    if (!any)
        return;
    buffer_text(b, " (-c all shows every column)");
    writer_style(&t->base, TEXT_END);
    buffer_text(b, "\n");
}

static void put_clock(struct buffer *b, const struct clock *clock)
{
    char count[HUMAN_BYTES];
    buffer_printf(b, "clock %.2f MHz", clock->cpu_hz / 1e6);
    if (clock->measured)
        buffer_printf(b, " measured from %s samples (+-%.*f ppm)", human_count(count, clock->pairs),
                      clock->error_ppm < 10 ? 1 : 0, clock->error_ppm);
    else if (clock->by_host)
        buffer_text(b, " by --io-counts");
    else
        buffer_text(b, " as given");
}

/* "verdict: degraded - because ..."; of a good one the caller says what it rests on. */
void table_judgement(struct table *t, const char *what, const struct judgement *j)
{
    struct buffer *b = &t->base.text;
    bool is_good = j->verdict == VERDICT_GOOD;
    buffer_printf(b, "%s: ", what);
    if (!is_good)
        writer_style(&t->base, j->verdict == VERDICT_POOR ? TEXT_ALARM : TEXT_WARNING);
    buffer_text(b, verdict_name(j->verdict));
    if (!is_good)
        writer_style(&t->base, TEXT_END);
    for (unsigned i = 0; i < j->reasons && i < REASONS_SHOWN; i++)
        buffer_printf(b, "%s%s", i ? "; " : " - because ", j->why[i]);
    if (j->reasons > REASONS_SHOWN)
        buffer_printf(b, "; and %u more: xenmeter info", j->reasons - REASONS_SHOWN);
}

static void put_verdict(struct table *t, const struct report_summary *summary)
{
    struct buffer *b = &t->base.text;
    char count[HUMAN_BYTES];
    buffer_text(b, t->begun ? "\n" : "");
    table_judgement(t, "verdict", summary->judgement);
    if (summary->judgement->verdict == VERDICT_GOOD) {
        buffer_printf(b, " - %s records, nothing lost, ", human_count(count, summary->quality->records));
        put_clock(b, &summary->clock);
    }
    buffer_text(b, "\n");
    if (summary->charges_judgement && summary->charges_judgement->verdict != VERDICT_GOOD) {
        table_judgement(t, "charges", summary->charges_judgement);
        buffer_text(b, "\n");
    }
}

void table_put_end(struct table *t, const struct report_summary *summary)
{
    size_t from = t->base.text.n;
    if (t->base.schema->charge)
        charge_table_end(&t->base, t->begun, summary->charges);
    put_left_out(t);
    if (summary->compared)
        compared_table_end(t, summary);
    else if (summary->quality)
        put_verdict(t, summary);
    wrap_lines(&t->base.text, from, t->base.schema->width, 2);
}
