/* A report as Prometheus' text format 0.0.4: sums over all intervals, for node_exporter's textfile collector. */
#include "formats/prometheus.h"
#include "formats/writer_ops.h"

extern const struct writer_ops prometheus_writer;

struct prometheus {
    struct writer base;
    struct metric_book *book;
};

static int begin(struct writer *w)
{
    const struct metric_book_options options = {.bys = w->schema->bys,
                                                .most = METRIC_SUBJECTS,
                                                .name_of = w->schema->name_of,
                                                .names = w->schema->names,
                                                .uuid_of = w->schema->uuid_of,
                                                .uuids = w->schema->uuids};
    struct prometheus *p = (struct prometheus *)w;
    p->book = metric_book_new(&options);
    return p->book ? 0 : -1;
}

static int rows(struct writer *w, const struct rows *rows)
{
    return metric_book_add(((struct prometheus *)w)->book, rows) ? 0 : writer_no_memory(w);
}

static void put(struct writer *w, const struct report_summary *summary)
{
    struct metric_book *book = ((struct prometheus *)w)->book;
    const struct prometheus_live live = {.data_utc_ns = summary->utc_ns};
    metric_book_note(book, summary);
    prometheus_put(&w->text, PROMETHEUS_TEXT, book, w->schema->choice, &live);
    metric_book_forget(book);
}

static int replace(struct writer *w, const struct report_summary *summary)
{
    struct error why;
    struct output *out = output_open(w->schema->prefix, &why);
    if (!out)
        return output_fail(w->out, &why);
    put(w, summary);
    if (w->text.failed) {
        output_abort(out);
        return writer_no_memory(w);
    }
    output_write(out, w->text.at, w->text.n);
    w->text.n = 0;
    return output_commit(out, &why) == 0 ? 0 : output_fail(w->out, &why);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    put(w, summary);
    return writer_put_text(w);
}

static void release(struct writer *w)
{
    metric_book_free(((struct prometheus *)w)->book);
}

const struct writer_ops prometheus_writer = {
    .name = "prometheus",
    .size = sizeof(struct prometheus),
    .begin = begin,
    .rows = rows,
    .end = end,
    .replace = replace,
    .release = release,
};
