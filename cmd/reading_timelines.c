/*
 * Several timelines of one host in one report: each is read by itself, and what its meter hands out, or its results hold, is
 * moved to its place, by the tsc, and joined (archive/join.h). Time between them was not recorded.
 */
#include "reading_parts.h"

#include "archive/join.h"
#include "archive/results.h"

/* What a meter hands out on its way to its place: as lines that are read at once, as those of an archive are. */
struct placing {
    struct results_reader *reader;
    struct meter_sink to;
    enum by by; /* of the interval, which lines do not say */
    struct buffer lines;
    struct error *err;
};

static int give_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    const struct placing *p = context;
    struct interval of = *interval;
    of.by = p->by;
    return p->to.interval(p->to.context, &of, rows, n);
}

static int give_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    const struct placing *p = context;
    return p->to.charges(p->to.context, interval, idds, n);
}

static int pass_on(struct placing *p)
{
    if (p->lines.failed)
        return error_no_memory(p->err, "the rows");
    const struct meter_sink placed = {
        .context = p, .interval = give_interval, .charges = p->to.charges ? give_charges : NULL};
    int status = results_read(p->reader, p->lines.at, p->lines.n, 0, &placed, p->err);
    p->lines.n = 0;
    return status;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct placing *p = context;
    results_put_interval(&p->lines, interval, rows, n, NULL);
    p->by = interval->by;
    return pass_on(p);
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct placing *p = context;
    results_put_charges(&p->lines, interval, idds, n, NULL);
    return pass_on(p);
}

/* ---- one after the other ---- */

/* The timeline at hand joins the others. Returns where it begins, ns after the first one. */
static uint64_t begin_timeline(struct reading *r)
{
    const struct archived *a = &r->run.archived;
    uint64_t from_ns = a->captures == a->all ? 0 : clock_ns(&r->total.clock, a->captures[0].tsc_first);
    if (from_ns > r->total.end_ns)
        r->gap_ns += from_ns - r->total.end_ns;
    return from_ns;
}

static void add_summary(struct reading *r, uint64_t from_ns)
{
    struct summary s;
    reading_sum_up(r, &s);
    if (r->run.archived.captures == r->run.archived.all) {
        r->total = s;
        return;
    }
    uint64_t before_ns = r->total.end_ns;
    summary_add(&r->total, &s);
    r->total.quality.overlap_ns += before_ns > from_ns ? before_ns - from_ns : 0;
}

static int read_timeline(struct reading *r, struct join *join, struct error *err)
{
    uint64_t from_ns = begin_timeline(r);
    struct timeline_place *place = join_begin_capture(join, from_ns, r->run.archived.timeline, false);
    struct placing placing = {
        .reader = results_reader_new(place, r->options->max_memory), .to = join_sink(join), .err = err};
    r->meter.sink = (struct meter_sink){
        .context = &placing, .interval = take_interval, .charges = placing.to.charges ? take_charges : NULL};
    int status = placing.reader ? reading_complete_meter(r, err) : error_no_memory(err, "the rows");
    if (status == 0)
        status = reading_open_source(r, err);
    if (status == 0)
        status = reading_pass(r, err);
    if (status == 0)
        add_summary(r, from_ns);
    results_reader_free(placing.reader);
    buffer_free(&placing.lines);
    return status;
}

/* Nothing of the pass is kept. */
static void end_timeline(struct reading *r)
{
    trace_run_end_pass(&r->run);
    counters_free(r->counters);
    r->counters = NULL;
}

int reading_timelines(struct reading *r, struct error *err)
{
    const struct meter_sink sink = r->meter.sink;
    struct archived *a = &r->run.archived;
    struct join *join = join_new(&sink);
    int status = join ? 0 : error_no_memory(err, "reading the archive");
    bool more = true;
    while (status == 0 && more) {
        status = read_timeline(r, join, err);
        end_timeline(r);
        more = status == 0 && archived_next(a);
    }
    if (status == 0)
        status = join_finish(join, r->total.end_ns, r->gap_ns);
    if (join && join_out_of_memory(join))
        error_no_memory(err, "the results");
    join_free(join);
    return status;
}

/* ---- what can be asked ---- */

int reading_check_timelines(const struct reading *r, struct error *err)
{
    const struct options *o = r->options;
    const struct archived *a = &r->run.archived;
    bool one_only = writer_makes_files(o->format) || writer_replaces(o->format);
    const char *of_one = o->from_ns || o->to_ns ? "--time"
                         : o->cpu_hz > 0        ? "--cpu-hz"
                         : o->live_ns           ? "--live"
                         : o->executions        ? "-g execution"
                         : o->time_format       ? "--time-format"
                         : o->io_counts         ? "--io-counts"
                         : o->dom0_trace        ? "--dom0-trace"
                         : r->finish            ? "--fit"
                         : one_only             ? "this format"
                                                : NULL;
    if (!of_one)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s is of one timeline, and host %s has %u: choose with --host: %s:1 to %s:%u", of_one,
                     a->all[0].host, a->timelines, a->all[0].host, a->all[0].host, a->timelines);
}

void reading_say_timelines(const struct reading *r)
{
    const struct archived *a = &r->run.archived;
    if (!r->options->quiet)
        complain("%s: %u timelines of %s are added up, in their order by the tsc, from which alone it is "
                 "known; %.3f s "
                 "between them were not recorded",
                 r->options->input, a->timelines, a->all[0].host, (double)r->gap_ns / 1e9);
}
