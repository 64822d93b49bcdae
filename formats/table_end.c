/* The end of a table: what was left out, and whether the result can be trusted. */
#include <stdio.h>

#include "formats/table.h"

#define REASONS_SHOWN 4 /* the worst; more make no line that anybody reads */

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
    if (w->schema->charge)
        charge_table_end(t, summary->charges);
    if (t->dropped) {
        table_style(t, STYLE_RULE);
        buffer_printf(&w->text, "\n%zu more column%s: -c all or -f csv", t->dropped,
                      t->dropped == 1 ? "" : "s");
        table_style(t, STYLE_END);
        buffer_text(&w->text, "\n");
    }
    put_verdict(t, summary);
    return writer_put_text(w) == 0 ? output_flush(w->out) : -1;
}
