/* Reads a capture or an archive for xenmeter diff. */

#include "diff.h"
#include "formats/json_text.h"
#include "nothing.h"
#include "reading_parts.h"

/* The lengths of intervals from which the noise may be estimated. */
static const uint64_t lengths_ns[] = {UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000),
                                      UINT64_C(100000000000), UINT64_C(1000000000000)};
#define LENGTHS (sizeof lengths_ns / sizeof *lengths_ns)

/* A run over it; what a reading points to is kept here. */
struct side_run {
    struct reading reading;
    struct options options;
    struct diff_side *side;
};

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct side_run *run = context;
    struct side *to = &run->side->rows;
    const struct domain_names *names = run->reading.run.names;
    struct row_view view = {
        .interval = interval, .by = interval->by, .name_of = names ? names_lookup : NULL, .names = names};
    struct side_row row;
    struct error why;
    if (side_has_enough(to, interval->granularity_ns))
        return 0;
    for (size_t r = 0; r < n; r++) {
        view.row = &rows[r];
        side_row_of(&row, to->plan, &view);
        if (side_take(to, &row) != SIDE_TAKEN)
            return reading_no_memory(&run->reading, n);
    }
    if (side_memory(to) <= run->options.max_memory)
        return 0;
    error_set(&why, ERROR_MEMORY, "the values to be compared need more than the memory limit (--max-memory)");
    return reading_fail(&run->reading, &why);
}

/* Whether the results that an archive keeps have intervals of which these are made. */
static bool is_kept(const struct archived *a, uint64_t ns)
{
    bool all = true;
    for (size_t c = 0; c < a->captures_n; c++) {
        const struct capture_options *kept = &a->captures[c].options;
        bool any = false;
        for (size_t i = 0; i < kept->granularities; i++)
            any = any || (kept->granularities_ns[i] && ns % kept->granularities_ns[i] == 0);
        all = all && any;
    }
    return all;
}

/* Of an archive only lengths that may be of use, and of those the ones for which the results that it keeps suffice. */
static void choose_lengths(const struct archived *a, struct meter_options *meter)
{
    uint64_t span = a->archive ? a->summary.end_ns : 0;
    bool any_kept = false, trace = !a->archive || archived_trace_kept(a);
    meter->granularities_ns[meter->granularities++] = 0;
    for (size_t i = 0; a->archive && i < LENGTHS; i++)
        any_kept |= is_kept(a, lengths_ns[i]) && span / lengths_ns[i] >= SIDE_INTERVALS_MIN;
    for (size_t i = 0; i < LENGTHS; i++) {
        uint64_t n = span / lengths_ns[i];
        bool of_use = !a->archive || (n >= SIDE_INTERVALS_MIN && n <= SIDE_INTERVALS_MAX);
        if (of_use && (any_kept ? is_kept(a, lengths_ns[i]) : trace))
            meter->granularities_ns[meter->granularities++] = lengths_ns[i];
    }
}

static bool wants_charges(const struct comparison_plan *plan)
{
    bool any = false;
    for (size_t i = 0; i < plan->n; i++)
        any |= (plan->of[i]->column->flags & COLUMN_CHARGE) != 0;
    return any;
}

/* Keeps what is known of the trace. -1: no memory. */
static int keep_summary(struct side_run *run, const struct summary *s)
{
    struct reading *r = &run->reading;
    struct diff_side *side = run->side;
    struct buffer sources = {0};
    struct origin origin = {0};
    bool archive = r->run.archived.archive != NULL,
         charges = r->meter.charge.wanted && !r->options->from_ns && !r->options->to_ns;
    uint64_t all_ns = clock_ns(&s->clock, s->trace.tsc_last);
    verdict_judge(&side->judgement, &s->quality, &s->clock, all_ns, s->trace.pcpus, s->trace.has_runstates);
    if (charges)
        verdict_judge_charges(&side->charges, &s->charges, &r->meter.charge, all_ns);
    side->judged = true;
    int status = archive && !archived_origin(&r->run.archived, &sources, &origin) ? -1 : 0;
    const struct report_summary summary = {.origin = archive ? &origin : NULL,
                                           .trace = s->trace,
                                           .clock = s->clock,
                                           .start_ns = r->options->from_ns,
                                           .end_ns = s->end_ns,
                                           .quality = &s->quality,
                                           .judgement = &side->judgement,
                                           .charges_judgement = charges ? &side->charges : NULL};
    if (status == 0) {
        side->trace = json_of_trace(&summary);
        side->quality = json_of_quality(&summary);
    }
    buffer_free(&sources);
    return side->trace && side->quality ? 0 : -1;
}

/* -1 with `err` filled. */
static int pass(struct side_run *run, struct error *err)
{
    struct reading *r = &run->reading;
    struct summary s = {0};
    if (reading_complete_meter(r, err) != 0 || reading_open_source(r, err) != 0)
        return -1;
    if (reading_pass(r, err) != 0) {
        if (r->why.code != ERROR_NONE)
            *err = r->why;
        else if (err->code == ERROR_NONE)
            error_no_memory(err, "the rows");
        return -1;
    }
    reading_sum_up(r, &s);
    if (run->side->rows.n == 0)
        return nothing_to_report(&r->run, &s.quality, err);
    return keep_summary(run, &s) == 0 ? 0 : error_no_memory(err, "what is known of the trace");
}

static int read_capture(struct diff_side *side, const struct options *o, const char *path)
{
    struct error err = {0};
    struct side_run run = {.side = side, .options = *o};
    struct reading *r = &run.reading;
    run.options.input = path;
    r->options = &run.options;
    r->run.control.stop_at_once = true;
    int status = trace_run_find(&r->run, &run.options);
    if (status == EXIT_DONE) {
        r->meter = (struct meter_options){.bys = 1u << side->rows.plan->by,
                                          .no_slices = true,
                                          .charge.wanted = wants_charges(side->rows.plan),
                                          .sink = {.context = &run, .interval = take_interval}};
        choose_lengths(&r->run.archived, &r->meter);
        status = pass(&run, &err) == 0 ? EXIT_DONE : fail(path, &err);
    }
    if (status == EXIT_DONE && r->run.archived.archive && !o->quiet)
        archived_say(&r->run.archived);
    trace_run_close(&r->run);
    counters_free(r->counters);
    return status;
}

int diff_side_read(struct diff_side *s, const struct options *o, const char *path)
{
    struct error err = {0};
    s->file = path;
    if (!diff_is_saved(path))
        return read_capture(s, o, path);
    if (o->from_ns || o->to_ns)
        error_set(&err, ERROR_USAGE,
                  "--time: a saved report has no parts; a capture or an archive is wanted");
    else if (o->names)
        error_set(&err, ERROR_USAGE, "--names: a saved report has the names with which it was written");
    else if (diff_saved_read(s, path, &err) == 0)
        return EXIT_DONE;
    return fail(path, &err);
}

void diff_side_free(struct diff_side *s)
{
    side_free(&s->rows);
    json_decref(s->trace);
    json_decref(s->quality);
}
