/* The line above an interval. */
#include <inttypes.h>
#include <string.h>

#include "formats/table.h"
#include "formats/time_text.h"
#include "formats/wrap.h"

static void put_seconds(struct buffer *b, uint64_t ns, unsigned digits)
{
    if (ns == 0)
        buffer_text(b, "0");
    else
        buffer_decimal(b, (double)ns / 1e9, digits);
    buffer_text(b, " s");
}

/* Of a time of day the day stands before it, unless it is `day`, which becomes its day. */
static void put_instant(struct table *t, uint64_t ns, unsigned digits, char day[TIME_TEXT])
{
    struct buffer *b = &t->base.text;
    char text[TIME_TEXT] = "";
    struct value v = value_moment(t->base.schema->moments, ns);
    if (v.type == VALUE_INTEGER)
        buffer_printf(b, "tsc %" PRId64, v.integer);
    if (v.type == VALUE_NONE)
        put_seconds(b, ns, digits);
    if (v.type != VALUE_TIME)
        return;
    v.integer = time_rounded(v.integer, digits);
    day_text(text, v.integer, v.local);
    if (strcmp(day, text) != 0)
        buffer_printf(b, "%s ", text);
    memcpy(day, text, TIME_TEXT);
    time_of_day_text(text, v.integer, v.local, digits);
    buffer_text(b, text);
}

/* As many digits as the boundaries need. The whole trace may end anywhere: there its length decides. */
static unsigned digits_of(const struct interval *i)
{
    uint64_t length = i->end_ns - i->start_ns;
    if (i->granularity_ns == 0)
        return length >= 1000000000 ? 3 : length >= 1000000 ? 6 : 9;
    return instant_digits(i->granularity_ns);
}

void table_put_title(struct table *t, const struct rows *rows)
{
    const struct interval *of = rows->interval;
    struct buffer *b = &t->base.text;
    size_t from = b->n;
    char day[TIME_TEXT] = "";
    buffer_text(b, t->begun ? "\n" : "");
    writer_style(&t->base, TEXT_HEADER);
    buffer_text(b, of->granularity_ns ? "interval " : "total  ");
    put_instant(t, of->start_ns, digits_of(of), day);
    buffer_text(b, " - ");
    put_instant(t, of->end_ns, digits_of(of), day);
    if (*day)
        buffer_printf(b, " %s", time_format_unit(table_times(t)));
    if (of->timeline > 0)
        buffer_printf(b, ", %s:%u", t->base.schema->host, of->timeline);
    if (of->gap_ns > 0) {
        buffer_text(b, ", ");
        put_seconds(b, of->gap_ns, digits_of(of));
        buffer_text(b, " not recorded");
    }
    if (writer_has_several(&t->base) && rows->relation->by_subject)
        buffer_printf(b, ", by %s", by_names[rows->by]);
    writer_style(&t->base, TEXT_END);
    buffer_text(b, "\n");
    wrap_lines(b, from, t->base.schema->width, 0);
    t->begun = true;
    t->lines_of = NULL;
}
