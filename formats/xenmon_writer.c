/* XenMon's logs as one of the formats of a report. The writer's output only keeps what went wrong. */
#include "formats/writer_ops.h"
#include "formats/xenmon.h"

struct xenmon {
    struct writer base;
    struct xenmon_log *log; /* NULL: the output has failed */
};

static int begin(struct writer *w)
{
    const struct report_schema *schema = w->schema;
    struct xenmon_options options = {
        .prefix = schema->prefix, .capture = schema->capture, .live = schema->live};
    struct error why;
    struct xenmon_log *log = xenmon_new(&options, &why);
    ((struct xenmon *)w)->log = log;
    if (!log)
        output_fail(w->out, &why); /* shows in the next call, and in its commit */
    return 0;
}

static int rows(struct writer *w, const struct rows *rows)
{
    struct xenmon_log *log = ((struct xenmon *)w)->log;
    struct error why;
    if (!log)
        return -1;
    return xenmon_interval(log, rows->interval, rows->at, rows->n, &why) == 0 ? 0 : output_fail(w->out, &why);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    struct xenmon_log *log = ((struct xenmon *)w)->log;
    struct error why;
    (void)summary; /* XenMon's logs have no place for it */
    if (!log)
        return -1;
    return xenmon_end(log, &why) == 0 ? 0 : output_fail(w->out, &why);
}

static void release(struct writer *w)
{
    xenmon_free(((struct xenmon *)w)->log);
}

const struct writer_ops xenmon_writer = {
    .name = "xenmon",
    .size = sizeof(struct xenmon),
    .begin = begin,
    .rows = rows,
    .end = end,
    .release = release,
};
