/* JSON lines: one object per row or execution with every key of its interval in it. */
#include <inttypes.h>

#include "formats/json_text.h"
#include "formats/writer_ops.h"

static int begin(struct writer *w)
{
    (void)w;
    return 0;
}

static int interval(struct writer *w, const struct interval *of, const struct row *rows, size_t n)
{
    const struct report_schema *schema = w->schema;
    for (size_t r = 0; r < n; r++) {
        struct record_view view = view_of_row(w, of, &rows[r]);
        buffer_printf(&w->text,
                      "{\"granularity_ns\":%" PRIu64 ",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64,
                      of->granularity_ns, of->start_ns, of->end_ns);
        for (size_t c = 0; c < schema->columns_n; c++)
            if (!schema->columns[c]->of_interval)
                json_add_member(&w->text, schema->columns[c], &view, false);
        buffer_text(&w->text, of->late ? ",\"late\":1}\n" : ",\"late\":0}\n");
        if (writer_put_text(w) != 0)
            return -1;
    }
    return 0;
}

static int execution(struct writer *w, const struct execution *e)
{
    struct record_view view = view_of_execution(w, e);
    buffer_text(&w->text, "{\"granularity_ns\":null");
    for (size_t c = 0; c < execution_columns_n; c++)
        json_add_member(&w->text, &execution_columns[c], &view, false);
    buffer_add(&w->text, "}\n", 2);
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
    .interval = interval,
    .execution = execution,
    .end = end,
};
