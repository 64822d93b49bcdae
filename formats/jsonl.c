/* JSON lines: one object per row or execution with every key of its interval in it. */
#include <inttypes.h>

#include "formats/json_text.h"
#include "formats/writer_ops.h"

static int begin(struct writer *w)
{
    (void)w;
    return 0;
}

static void add_row(struct writer *w, const struct record_view *view)
{
    const struct report_schema *schema = w->schema;
    const struct interval *of = view->interval;
    buffer_printf(&w->text, "{\"granularity_ns\":%" PRIu64 ",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64,
                  of->granularity_ns, of->start_ns, of->end_ns);
    for (size_t c = 0; c < schema->columns_n; c++)
        if (!schema->columns[c]->of_interval)
            json_add_member(&w->text, schema->columns[c], view, false);
    buffer_text(&w->text, "}\n");
}

static void add_execution(struct writer *w, const struct record_view *view)
{
    buffer_text(&w->text, "{\"granularity_ns\":null");
    for (size_t c = 0; c < execution_columns_n; c++)
        json_add_member(&w->text, &execution_columns[c], view, false);
    buffer_add(&w->text, "}\n", 2);
}

static int record(struct writer *w, const struct record_view *view)
{
    if (view->execution)
        add_execution(w, view);
    else
        add_row(w, view);
    return writer_put_text(w);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    (void)summary; /* lines are rows; `-f json` tells the rest */
    return output_flush(w->out);
}

const struct writer_ops jsonl_writer = {
    .name = "jsonl",
    .size = sizeof(struct writer),
    .begin = begin,
    .record = record,
    .end = end,
};
