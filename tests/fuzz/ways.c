#include "tests/fuzz/ways.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "archive/results.h"
#include "formats/buffer.h"
#include "metrics/pipeline.h"
#include "parser/trace.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/fuzz_store.h"
#include "tests/unit/bytes_feed.h"
#include "tests/unit/snapshots_kept.h"

#define MEMORY_LIMIT (64u << 20)
#define LINES_MOST   (1u << 20) /* bytes; enough is seen by then */
#define CHUNK_BYTES  2000       /* at least, from one cut to the next */
#define CUTS_TRIED   2

/* What a pass hands out, as lines. */
struct outcome {
    struct buffer lines;
    struct error err;
    int status;
    uint64_t records, end_ns;
};

static int go_on(const struct outcome *o)
{
    return o->lines.n > LINES_MOST ? -1 : 0;
}

static int put_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct outcome *o = context;
    results_put_interval(&o->lines, interval, rows, n, NULL);
    return go_on(o);
}

static int put_execution(void *context, const struct execution *execution)
{
    struct outcome *o = context;
    results_put_execution(&o->lines, execution, NULL);
    return go_on(o);
}

static int put_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                       size_t n)
{
    struct outcome *o = context;
    results_put_charges(&o->lines, interval, idds, n, NULL);
    return go_on(o);
}

/* A state as it is handed out, and where. */
static int put_state(void *context, const struct pass *pass, const struct transition *t)
{
    struct outcome *o = context;
    (void)pass;
    buffer_printf(&o->lines, "%" PRIu64 " %" PRIu64 " %u %u %u %u %u\n", t->time_ns, t->value, t->vcpu,
                  (unsigned)t->pcpu, (unsigned)t->kind, (unsigned)t->from, (unsigned)t->to);
    return go_on(o);
}

static struct pipeline *pipeline_for(struct outcome *o, const struct asked *asked, struct meter_options *rows)
{
    *rows = (struct meter_options){.bys = 1u << asked->by,
                                   .granularities_ns = {0, 7777777},
                                   .granularities = 2,
                                   .executions = true,
                                   .charge = {.wanted = asked->charges},
                                   .sink = {o, put_interval, put_execution, put_charges, NULL}};
    for (int kind = 0; kind < IO_KINDS; kind++)
        rows->charge.weights[kind] = 1;
    const struct consumer consumer = {.context = o, .rows = rows, .states = true, .state = put_state};
    struct pipeline *p = pipeline_new(MEMORY_LIMIT);
    struct error err;
    MUST(p && pipeline_add(p, &consumer, &err) == 0, "no pipeline");
    return p;
}

/* `by_path`: not from memory, so that what is compressed is unpacked. */
static struct outcome pass_over(const uint8_t *bytes, size_t n, enum way way, bool by_path,
                                const struct asked *asked)
{
    struct outcome o = {.status = -1};
    struct meter_options rows;
    struct bytes_feed memory = {.at = bytes, .n = n, .piece = way == WAY_DRIBBLED ? asked->chunk : 0};
    const struct feed feed = bytes_feed_of(&memory);
    const struct pipeline_control control = {0};
    struct trace_options options = {.cpu_hz = asked->cpu_hz_given ? 2.4e9 : 0,
                                    .memory_limit = MEMORY_LIMIT,
                                    .feed = by_path ? NULL : &feed,
                                    .ahead = way == WAY_AHEAD};
    char path[STORE_PATH] = "memory";
    int fd = by_path ? store_capture(bytes, n, way == WAY_PIPE, path) : -1;
    struct pipeline *p = pipeline_for(&o, asked, &rows);
    pipeline_wants(p, &options);
    struct trace *t = trace_open(path, &options, &o.err);
    if (t)
        o.status = pipeline_run(p, t, &control, &o.err);
    if (t && o.status == 0) {
        o.records = trace_quality(t)->records;
        o.end_ns = pipeline_pass(p)->end_ns;
    }
    pipeline_free(p);
    trace_close(t);
    if (fd >= 0)
        close(fd);
    return o;
}

/* The rest of the lines from `from` on, cut to what can be read. */
static const char *rest_of(const struct outcome *o, size_t from, char to[300])
{
    snprintf(to, 300, "%.*s", (int)(o->lines.n - from < 299 ? o->lines.n - from : 299),
             o->lines.at ? o->lines.at + from : "");
    return to;
}

/* Shows where lines differ: both, from the begin of the line on. */
static void check_same(const struct outcome *a, const struct outcome *b, const char *way)
{
    size_t n = a->lines.n < b->lines.n ? a->lines.n : b->lines.n, at = 0, line = 0;
    char here[300], there[300];
    while (at < n && a->lines.at[at] == b->lines.at[at])
        if (a->lines.at[at++] == '\n')
            line = at;
    bool same = a->lines.n == b->lines.n && at == n;
    MUST(same, "%s: \"%s\"\nwhole: \"%s\"\nerrors \"%s\" and \"%s\"", way, rest_of(b, line, here),
         rest_of(a, line, there), b->err.message, a->err.message);
    MUST(a->status == b->status && a->err.code == b->err.code, "%s ends with \"%s\", whole with \"%s\"", way,
         b->err.message, a->err.message);
    MUST(a->records == b->records && a->end_ns == b->end_ns,
         "%s: %" PRIu64 " records, end %" PRIu64 "; whole: %" PRIu64 ", %" PRIu64, way, b->records, b->end_ns,
         a->records, a->end_ns);
}

void ways_compare(const uint8_t *bytes, size_t n, enum way way, const struct asked *asked)
{
    static const char *const names[] = {"whole", "dribbled", "ahead", "pipe"};
    bool by_path = way == WAY_PIPE;
    struct outcome whole = pass_over(bytes, n, WAY_WHOLE, by_path, asked),
                   other = pass_over(bytes, n, way, by_path, asked);
    MUST(!whole.lines.failed && !other.lines.failed, "no memory for lines");
    check_same(&whole, &other, names[way]);
    buffer_free(&whole.lines);
    buffer_free(&other.lines);
}

void ways_compare_cuts(const uint8_t *bytes, size_t n, bool charges)
{
    static struct capture_kept kept;
    static struct charge_options charge;
    char path[STORE_PATH];
    int fd = store_capture(bytes, n, false, path);
    charge = (struct charge_options){.wanted = charges};
    for (int kind = 0; kind < IO_KINDS; kind++)
        charge.weights[kind] = 1;
    kept_read(&kept, path, 1e9, CHUNK_BYTES, charges ? &charge : NULL);
    close(fd);
    struct part end = {.from_ns = kept.end_ns / 2 + 1};
    if (kept.end_ns > 0)
        kept_compare(&kept, &end, CUTS_TRIED);
    kept_free(&kept);
}
