#include "results.h"
#include "results_fields.h"

/* Everything is appended with a comma before it: what was appended since `begin` is put into a bracket instead. */
static void put_bracket(struct buffer *b, size_t begin, char bracket)
{
    if (b->n == begin)
        buffer_fill(b, bracket, 1);
    else if (!b->failed)
        b->at[begin] = bracket;
}

/* ---- parts of recordings ---- */

static struct interval interval_of(const struct part_place *part, const struct interval *interval)
{
    struct interval to = *interval;
    to.start_ns = part_moment(part, interval->start_ns);
    to.end_ns = part_moment(part, interval->end_ns);
    return to;
}

/* ---- lines ---- */

/* An object of these fields, without its end. */
static void put_object(struct buffer *b, const struct stored_field *fields, const void *of)
{
    size_t begin = b->n;
    fields_put(b, fields, of);
    put_bracket(b, begin, '{');
}

/* [bucket, samples, steps to the next bucket that has any, samples, ...] */
static void put_buckets(struct buffer *b, const struct histogram *h)
{
    unsigned before = 0;
    uint64_t count;
    for (unsigned bucket = 0; histogram_next_bucket(h, &bucket, &count); before = bucket++) {
        buffer_add(b, ",", 1);
        buffer_integer(b, bucket - before);
        buffer_add(b, ",", 1);
        fields_put_u64(b, count);
    }
}

static void put_histogram(struct buffer *b, const struct stored_field *member, const struct histogram *h,
                          const struct part_place *part)
{
    if (h->count == 0)
        return;
    struct histogram numbers = *h; /* its buckets stay the other's */
    numbers.max_at = part_moment(part, h->max_at);
    buffer_add(b, member->text, member->text_n);
    put_object(b, histogram_fields, &numbers);
    buffer_text(b, ",\"buckets\":");
    size_t begin = b->n;
    put_buckets(b, h);
    put_bracket(b, begin, '[');
    buffer_text(b, "]}");
}

static void put_row(struct buffer *b, const struct row *row, const struct part_place *part)
{
    buffer_text(b, "{\"row\":");
    size_t begin = b->n;
    fields_put(b, row_fields, row);
    fields_put(b, measures_fields, row->measures);
    for (const struct stored_field *h = measures_histograms; h->key; h++)
        put_histogram(b, h, (const void *)((const char *)row->measures + h->scalar.offset), part);
    put_bracket(b, begin, '{');
    buffer_text(b, "}}\n");
}

void results_put_interval(struct buffer *b, const struct interval *interval, const struct row *rows, size_t n,
                          const struct part_place *part)
{
    const struct interval to = interval_of(part, interval);
    buffer_text(b, "{\"interval\":");
    put_object(b, interval_fields, &to);
    buffer_text(b, ",\"rows\":");
    fields_put_u64(b, n);
    buffer_text(b, "}}\n");
    for (size_t i = 0; i < n; i++)
        put_row(b, &rows[i], part);
}

void results_put_execution(struct buffer *b, const struct execution *execution, const struct part_place *part)
{
    struct execution to = *execution;
    to.start_ns = part_moment(part, execution->start_ns);
    to.end_ns = part_moment(part, execution->end_ns);
    buffer_text(b, "{\"execution\":");
    put_object(b, execution_fields, &to);
    buffer_text(b, "}}\n");
}

void results_put_before_seen(struct buffer *b, const struct before_seen *s, const struct part_place *part)
{
    struct before_seen to = *s;
    to.from_ns = part_moment(part, s->from_ns);
    to.seen_ns = part_moment(part, s->seen_ns);
    buffer_text(b, "{\"before_seen\":");
    put_object(b, row_fields, &s->row);
    fields_put(b, before_seen_fields, &to);
    buffer_text(b, "}}\n");
}

static void put_idd(struct buffer *b, const struct charge_idd *idd)
{
    put_object(b, charge_idd_fields, idd);
    for (size_t i = 0; i < idd->guests_n; i++) {
        buffer_text(b, i == 0 ? ",\"guests\":[" : ",");
        put_object(b, charge_guest_fields, &idd->guests[i]);
        buffer_text(b, "}");
    }
    buffer_text(b, idd->guests_n ? "]}" : "}");
}

void results_put_charges(struct buffer *b, const struct interval *interval, const struct charge_idd *idds,
                         size_t n, const struct part_place *part)
{
    const struct interval to = interval_of(part, interval);
    buffer_text(b, "{\"charges\":");
    put_object(b, interval_fields, &to);
    buffer_text(b, ",\"idds\":[");
    for (size_t i = 0; i < n; i++) {
        buffer_text(b, i ? "," : "");
        put_idd(b, &idds[i]);
    }
    buffer_text(b, "]}}\n");
}
