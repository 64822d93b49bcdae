#include "formats/prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Histograms' bounds: powers of two of ns, at which our own buckets begin: 1.024 us to 8.6 s. */
#define BOUND_FIRST 10
#define BOUND_LAST  33

/* One metric on its way: its head comes with its first sample. */
struct family {
    struct buffer *b;
    enum prometheus_form form;
    struct metric metric;
    bool begun;
};

static struct buffer *begin_sample(struct family *f)
{
    if (!f->begun)
        prometheus_put_head(f->b, f->form, &f->metric);
    f->begun = true;
    return f->b;
}

/* ---- metrics of rows ---- */

/* Names that do not follow from the column's. */
static const struct {
    const char *column, *name;
} names[] = {{"total_ns", "cpu_seconds"},
             {"io_total", "io"},
             {"domain_blocked_ns", "all_blocked_seconds"},
             {"domain_unknown_ns", "some_unknown_seconds"}};

static bool is_gauge(const struct column *column)
{
    return strcmp(column->name, "vcpus") == 0;
}

bool prometheus_takes(const struct column *column)
{
    bool own = column->flags & (COLUMN_KEY | COLUMN_OF_INTERVAL);
    return !own && (column->unit == UNIT_NS || (column->unit == UNIT_COUNT && column->digits == 0));
}

static struct metric metric_of(enum metric_kind kind, const struct column *column)
{
    struct metric m = {.type = is_gauge(column) ? METRIC_GAUGE : METRIC_COUNTER, .help = column->help};
    size_t n = strlen(column->name) - (column->unit == UNIT_NS ? 3 : 0);
    snprintf(m.name, sizeof m.name, "xenmeter_%s_%.*s%s", by_names[kind], (int)n, column->name,
             column->unit == UNIT_NS ? "_seconds" : "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(column->name, names[i].column) == 0)
            snprintf(m.name, sizeof m.name, "xenmeter_%s_%s", by_names[kind], names[i].name);
    return m;
}

static struct value value_of(const struct metric_sum *sum, const struct column *column)
{
    struct row row = sum->row;
    const struct interval none = {0};
    const struct row_view view = {.row = &row, .interval = &none, .by = (enum by)sum->kind};
    row.measures = &sum->measures;
    return column_value(column, &view);
}

static void put_column(struct family *f, const struct metric_book *book, const struct column *column,
                       const struct metric_sum *sum)
{
    struct value v = value_of(sum, column);
    if (v.type != VALUE_INTEGER || (is_gauge(column) && sum->seen_ns < book->time_ns))
        return;
    uint64_t n = v.integer > 0 ? (uint64_t)v.integer : 0;
    begin_sample(f);
    if (column->unit == UNIT_NS)
        prometheus_put_ns(f->b, &f->metric, sum->labels, n);
    else
        prometheus_put_count(f->b, &f->metric, sum->labels, n);
}

/* Bounds in seconds as Prometheus' own library prints them, so that node_exporter leaves them alone; the last one is +Inf. */
struct bounds {
    char text[BOUND_LAST - BOUND_FIRST + 2][24];
};

static void make_bounds(struct bounds *bounds)
{
    for (unsigned e = BOUND_FIRST; e <= BOUND_LAST; e++)
        snprintf(bounds->text[e - BOUND_FIRST], sizeof *bounds->text, "%.15g",
                 (double)((uint64_t)1 << e) / 1e9);
    snprintf(bounds->text[BOUND_LAST - BOUND_FIRST + 1], sizeof *bounds->text, "+Inf");
}

static void put_bucket(struct family *f, const char *labels, const char *bound, uint64_t count)
{
    buffer_text(f->b, f->metric.name);
    buffer_text(f->b, "_bucket{");
    buffer_text(f->b, labels);
    buffer_text(f->b, *labels ? ",le=\"" : "le=\"");
    buffer_text(f->b, bound);
    buffer_text(f->b, "\"} ");
    buffer_integer(f->b, (int64_t)count);
    buffer_text(f->b, "\n");
}

static void put_histogram(struct family *f, const struct bounds *bounds, const char *labels,
                          const struct histogram *h)
{
    unsigned bucket = 0;
    uint64_t n = 0, sum = 0;
    begin_sample(f);
    bool more = histogram_next_bucket(h, &bucket, &n);
    for (unsigned e = BOUND_FIRST; e <= BOUND_LAST; e++) {
        while (more && bucket < histogram_bucket_of((uint64_t)1 << e)) {
            sum += n;
            bucket++;
            more = histogram_next_bucket(h, &bucket, &n);
        }
        put_bucket(f, labels, bounds->text[e - BOUND_FIRST], sum);
    }
    put_bucket(f, labels, bounds->text[BOUND_LAST - BOUND_FIRST + 1], h->count);
    buffer_printf(f->b, "%s_sum%s%s%s ", f->metric.name, *labels ? "{" : "", labels, *labels ? "}" : "");
    prometheus_put_seconds(f->b, h->sum);
    buffer_printf(f->b, "\n%s_count%s%s%s %" PRIu64 "\n", f->metric.name, *labels ? "{" : "", labels,
                  *labels ? "}" : "", h->count);
}

/* A histogram is written where a column that comes from it is; that of blockings only if such a column was asked for. */
static const struct {
    enum column_flag flag;
    const char *name, *help;
    size_t at;
    bool if_given;
} histograms[] = {{COLUMN_RUNS, "run_seconds", "lengths of executions, from a dispatch to the end of running",
                   offsetof(struct measures, run), false},
                  {COLUMN_WAITS, "wait_seconds", "waits for a pCPU, from runnable to running",
                   offsetof(struct measures, wait), false},
                  {COLUMN_BLOCKINGS, "block_seconds", "lengths of blockings, from blocked to runnable",
                   offsetof(struct measures, block), true}};

static bool shows(const struct shown *shown, enum column_flag flag)
{
    for (size_t i = 0; i < shown->n; i++)
        if (shown->columns[i]->flags & flag)
            return true;
    return false;
}

static void put_kind(struct buffer *b, enum prometheus_form form, const struct metric_book *book,
                     const struct column_choice *choice, enum metric_kind kind)
{
    const struct shown *shown = choice_find(choice, &relation_rows);
    struct bounds bounds;
    make_bounds(&bounds);
    for (size_t c = 0; shown && c < shown->n; c++) {
        if (!prometheus_takes(shown->columns[c]))
            continue;
        struct family f = {b, form, metric_of(kind, shown->columns[c]), false};
        for (size_t i = 0; i < book->n; i++)
            if (book->sums[i]->kind == kind)
                put_column(&f, book, shown->columns[c], book->sums[i]);
    }
    for (size_t h = 0; shown && h < sizeof histograms / sizeof *histograms; h++) {
        if (!shows(shown, histograms[h].flag) || (histograms[h].if_given && !choice->given))
            continue;
        struct family f = {b, form, {.type = METRIC_HISTOGRAM, .help = histograms[h].help}, false};
        snprintf(f.metric.name, sizeof f.metric.name, "xenmeter_%s_%s", by_names[kind], histograms[h].name);
        for (size_t i = 0; i < book->n; i++)
            if (book->sums[i]->kind == kind)
                put_histogram(
                    &f, &bounds, book->sums[i]->labels,
                    (const struct histogram *)(const void *)((const char *)&book->sums[i]->measures +
                                                             histograms[h].at));
    }
}

/* ---- driver domains ---- */

static void put_charges(struct buffer *b, enum prometheus_form form, const struct metric_book *book)
{
    static const struct {
        enum metric_kind kind;
        enum metric_charge charge;
        const char *name, *help;
    } all[] = {{METRIC_DRIVER_DOMAIN, METRIC_RAN, "running", "how long the driver domain ran"},
               {METRIC_DRIVER_DOMAIN, METRIC_OWN, "own", "time that the driver domain ran for itself"},
               {METRIC_DRIVER_DOMAIN, METRIC_UNATTRIBUTED, "unattributed",
                "time that the driver domain ran and that cannot be attributed"},
               {METRIC_CHARGE, METRIC_CHARGED, "charged",
                "time that the driver domain ran on behalf of this domain"},
               {METRIC_CHARGE, METRIC_CHARGED_MEASURED, "charged_measured",
                "part of charged that the driver domain's own kernel measured"}};
    for (size_t a = 0; a < sizeof all / sizeof *all; a++) {
        struct family f = {b, form, {.type = METRIC_COUNTER, .help = all[a].help}, false};
        snprintf(f.metric.name, sizeof f.metric.name, "xenmeter_driver_domain_%s_seconds", all[a].name);
        for (size_t i = 0; i < book->n; i++)
            if (book->sums[i]->kind == all[a].kind)
                prometheus_put_ns(begin_sample(&f), &f.metric, book->sums[i]->labels,
                                  book->sums[i]->charge_ns[all[a].charge]);
    }
}

/* ---- the trace ---- */

static void put_one(struct buffer *b, enum prometheus_form form, enum metric_type type, const char *name,
                    const char *help, uint64_t value, bool is_ns)
{
    struct family f = {b, form, {.type = type, .help = help}, false};
    snprintf(f.metric.name, sizeof f.metric.name, "xenmeter_%s", name);
    if (is_ns)
        prometheus_put_ns(begin_sample(&f), &f.metric, NULL, value);
    else
        prometheus_put_count(begin_sample(&f), &f.metric, NULL, value);
}

static void put_quality(struct buffer *b, enum prometheus_form form, const struct metric_book *book)
{
    static const struct {
        size_t at;
        bool is_ns;
        const char *name, *help;
    } all[] = {
#define NUMBER(MEMBER, IS_NS, NAME, HELP) {offsetof(struct quality, MEMBER), IS_NS, NAME, HELP},
        NUMBER(records, false, "records", "records of xentrace that were read")
            NUMBER(bytes, false, "read_bytes", "bytes of the trace that were read") NUMBER(
                lost_records, false, "lost_records", "records that Xen lost, as its trace buffers were full")
                NUMBER(blind_ns, true, "blind_seconds", "time of pCPUs in which records were lost")
                    NUMBER(hole_ns, true, "hole_seconds", "time in which nothing was recorded on any pCPU")
                        NUMBER(vcpu_ns, true, "vcpu_seconds",
                               "time of guests' vCPUs in all states, the unknown one included")
                            NUMBER(unknown_ns, true, "unknown_seconds",
                                   "time of guests' vCPUs whose state the trace cannot tell")
                                NUMBER(doubtful_ns, true, "doubtful_seconds",
                                       "time of guests' vCPUs whose state lost records may contradict")
                                    NUMBER(inconsistent, false, "inconsistent",
                                           "records that contradict the state though nothing was lost")
                                        NUMBER(skipped_bytes, false, "skipped_bytes",
                                               "bytes of the trace that are damaged")
#undef NUMBER
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        uint64_t now, ended;
        memcpy(&now, (const char *)&book->quality + all[i].at, sizeof now);
        memcpy(&ended, (const char *)&book->ended + all[i].at, sizeof ended);
        put_one(b, form, METRIC_COUNTER, all[i].name, all[i].help, now + ended, all[i].is_ns);
    }
}

#define VERDICTS ": 0 good, 1 degraded, 2 poor"

static void put_trace(struct buffer *b, enum prometheus_form form, const struct metric_book *book)
{
    put_one(b, form, METRIC_COUNTER, "trace_seconds", "time of the host that the counters cover",
            book->time_ns, true);
    put_one(b, form, METRIC_COUNTER, "rows_beyond_limit",
            "rows that were added up under domain=\"other\", as there were too many", book->beyond, false);
    if (!book->noted)
        return;
    put_quality(b, form, book);
    put_one(b, form, METRIC_GAUGE, "verdict", "whether the numbers can be trusted" VERDICTS, book->verdict,
            false);
    if (book->charges_judged)
        put_one(b, form, METRIC_GAUGE, "charges_verdict", "whether charges can be trusted" VERDICTS,
                book->charges_verdict, false);
    put_one(b, form, METRIC_GAUGE, "pcpus", "pCPUs in the trace", book->pcpus, false);
    put_one(b, form, METRIC_GAUGE, "tsc_hertz", "frequency of the time stamp counter",
            (uint64_t)(book->cpu_hz + 0.5), false);
}

static void put_live(struct buffer *b, enum prometheus_form form, const struct prometheus_live *live)
{
    if (live->data_utc_ns > 0)
        put_one(b, form, METRIC_GAUGE, "data_timestamp_seconds",
                "when the last interval was complete, since 1970", (uint64_t)live->data_utc_ns, true);
    if (live->start_utc_ns <= 0)
        return;
    put_one(b, form, METRIC_GAUGE, "start_time_seconds", "when this program began, since 1970",
            (uint64_t)live->start_utc_ns, true);
    put_one(b, form, METRIC_COUNTER, "process_cpu_seconds", "CPU time of this program", live->cpu_ns, true);
    put_one(b, form, METRIC_COUNTER, "traces_ended", "how often the trace ended, and another one followed",
            live->traces, false);
}

void prometheus_put(struct buffer *b, enum prometheus_form form, const struct metric_book *book,
                    const struct column_choice *choice, const struct prometheus_live *live)
{
    for (unsigned kind = METRIC_DOMAIN; kind <= METRIC_PCPU; kind++)
        put_kind(b, form, book, choice, (enum metric_kind)kind);
    const struct shown *charges = choice_find(choice, &relation_charges);
    if (charges && charges->n > 0)
        put_charges(b, form, book);
    put_trace(b, form, book);
    if (live)
        put_live(b, form, live);
    if (form == PROMETHEUS_OPENMETRICS)
        buffer_text(b, "# EOF\n");
}
