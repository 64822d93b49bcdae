#include "formats/compared_table.h"

/* What is not good. */
static void put_line(struct table *t, const char *what, const struct judgement *j)
{
    struct buffer *b = &t->base.text;
    if (j && j->verdict == VERDICT_GOOD)
        return;
    buffer_text(b, "        ");
    if (j)
        table_judgement(t, what, j);
    else
        buffer_printf(b, "%s: not kept in this file", what);
    buffer_text(b, "\n");
}

void compared_table_end(struct table *t, const struct report_summary *summary)
{
    static const char *const names[] = {"before", "after"};
    struct buffer *b = &t->base.text;
    buffer_text(b, t->begun ? "\n" : "");
    for (int i = 0; i < 2; i++) {
        const struct compared *of = &summary->compared[i];
        char file[CELL_BYTES];
        cell_text(file, of->file, CELL_WHOLE_MAX);
        buffer_printf(b, "%-8s%s\n", names[i], file);
        put_line(t, "verdict", of->judgement);
        put_line(t, "charges", of->charges);
    }
    table_judgement(t, "verdict", summary->judgement);
    buffer_text(b, "\n");
}
