/* Where the numbers of an archive come from: the results that were kept, or the trace, and where in it to begin. */
#include "archived.h"

#include <string.h>

#include "archive/rollup.h"
#include "metrics/snapshot_maker.h"
#include "parser/decode/old_numbers.h"

static bool same_idds(const uint8_t *a, const uint8_t *b)
{
    return a == b || (a && b && memcmp(a, b, 65536) == 0);
}

/* Whether all the loads of `a` are those of `b`; none is a load of 0. */
static bool loads_are_in(const struct charge_options *a, const struct charge_options *b)
{
    bool same = true;
    for (size_t i = 0; same && i < a->own_n; i++)
        same = own_load_of(b->own, b->own_n, a->own[i].domain) == a->own[i].ppm;
    return same;
}

/* Whether both charge in one way, outside counters apart. */
static bool same_charges(const struct charge_options *a, const struct charge_options *b)
{
    return a->methods == b->methods && a->interval_ns == b->interval_ns &&
           a->per_execution == b->per_execution && a->spread_own == b->spread_own &&
           a->charge_idle == b->charge_idle && memcmp(a->weights, b->weights, sizeof a->weights) == 0 &&
           same_idds(a->idds, b->idds) && loads_are_in(a, b) && loads_are_in(b, a);
}

/* Whether charges are those of the results that were kept, as those in snapshots are. */
static bool charged_as_kept(const struct archived *a, size_t capture, const struct meter_options *meter)
{
    const struct options *o = a->options;
    return !o->io_counts && !o->dom0_trace &&
           same_charges(&a->captures[capture].options.charge, &meter->charge);
}

/* NULL: the results that were kept of a capture suffice; else what they lack. */
static const char *capture_lacks(const struct archived *a, size_t capture, const struct meter_options *meter,
                                 bool own_rows)
{
    const struct options *o = a->options;
    const struct capture_options *kept = &a->captures[capture].options;
    struct rollup_plan plan;
    size_t use[METER_GRANULARITIES];
    if (a->captures_n > 1 && (o->from_ns || o->to_ns))
        return "a part of several traces that follow each other is not told from them";
    if (own_rows)
        return "what is asked for is not among them";
    if (meter->bys & ~kept->bys)
        return "they are not by this";
    if (meter->pcpus_wanted)
        return "they are not of these pCPUs only";
    if (o->cpu_hz > 0 && o->cpu_hz != kept->cpu_hz)
        return "they were made with another frequency of the tsc";
    if (meter->charge.wanted && !charged_as_kept(a, capture, meter))
        return "they were charged in another way";
    if ((meter->executions || meter->sink.charges) && !(meter->bys & 1u << BY_DOMAIN))
        return "executions and charges are kept with the rows by domain";
    if (meter->executions && !kept->executions)
        return "executions are not among them";
    archived_plan(a, capture, meter, &plan);
    return rollup_possible(&plan, use) ? NULL
                                       : "they are not of these lengths, or not of this part of the time";
}

/* The same of all the captures. */
static const char *results_lack(const struct archived *a, const struct meter_options *meter, bool own_rows)
{
    const char *lack = NULL;
    for (size_t i = 0; i < a->captures_n && !lack; i++)
        lack = capture_lacks(a, i, meter, own_rows);
    return lack;
}

/* Whether any of the captures keeps outside counters. */
static bool counters_kept(const struct archived *a)
{
    bool kept = false;
    for (size_t i = 0; i < a->captures_n; i++)
        kept = kept || a->captures[i].options.io_counts;
    return kept;
}

/* Traces that were charged in different ways have no answer together, unless the way is given. */
static int check_charges(const struct archived *a, const struct meter_options *meter, struct error *err)
{
    const struct capture_options *first = &a->all[0].options;
    for (size_t i = 1; i < a->all_n && meter->charge.wanted && !charge_options_given(a->options); i++) {
        const struct capture_options *kept = &a->all[i].options;
        if (!same_charges(&first->charge, &kept->charge) || first->io_counts != kept->io_counts)
            return error_set(
                err, ERROR_USAGE,
                "its traces %.40s and %.40s were charged in different ways: say how (--charge-by and so on)",
                a->all[0].source, a->all[i].source);
    }
    return 0;
}

/* What several traces cannot be asked together. */
static int check_counters(const struct archived *a, const struct meter_options *meter, const char *lack,
                          struct error *err)
{
    if (!lack || a->captures_n == 1 || !meter->charge.wanted || !counters_kept(a) || a->options->io_counts)
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "each of its traces has outside counters of its own, and the results that were kept do not "
        "suffice (%s): give --io-counts with those of them all",
        lack);
}

/* The results suffice, but the trace is more exact about what they cannot tell. */
static bool better_by_trace(const struct archived *a, const struct meter_options *meter)
{
    const struct options *o = a->options;
    bool part = o->from_ns || o->to_ns;
    if (a->captures_n > 1) /* what straddles the cuts; but each was charged by its own outside counters */
        return !(meter->charge.wanted && counters_kept(a) && !o->io_counts);
    if (meter->bys &
        (meter->bys - 1)) /* results are kept by each of them apart; a trace gives interval by interval */
        return true;
    return part && (meter->sink.charges || meter->bys & 1u << BY_PCPU || meter->granularities == 0);
}

/* Whether charges, too, can begin with the chosen snapshot, what is known of the pCPUs there. -1 with `err` filled: damage. */
static int take_pasts(struct archived *a, bool *fine, struct error *err)
{
    const uint8_t *bytes;
    if (archive_read(a->archive, &a->captures[0], a->snapshot, &bytes, err) != 0)
        return -1;
    *fine = pipeline_restore_pasts(bytes, a->snapshot->bytes, &a->pasts);
    a->resume.pasts = a->pasts.at;
    a->resume.pasts_n = a->pasts.n;
    return 0;
}

/*
 * The last place to begin from which everything from from_ns on comes out as if read from the beginning; meter: with its
 * charges. -1 with `err` filled: damage.
 */
static int choose_snapshot(struct archived *a, const struct meter_options *meter, struct error *err)
{
    const struct options *o = a->options;
    const struct capture *p = &a->captures[0];
    const struct quality *q = &a->summary.quality;
    bool charges = meter && meter->charge.wanted, fine = true;
    if (a->captures_n > 1 || o->cpu_hz > 0 || (charges && !charged_as_kept(a, 0, meter)) ||
        q->skipped_places || q->tsc_backwards || q->tsc_implausible || q->tsc_jumps || q->unseen_pcpus ||
        o->from_ns < SNAPSHOT_MARGIN_NS || !a->summary.trace.has_runstates)
        return 0;
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *m = &p->members[i];
        bool early = clock_ns(&a->summary.clock, m->tsc) + SNAPSHOT_MARGIN_NS <= o->from_ns;
        if (m->kind == MEMBER_SNAPSHOT && early && (!a->snapshot || m->tsc > a->snapshot->tsc))
            a->snapshot = m;
    }
    if (!a->snapshot)
        return 0;
    a->resume = (struct trace_resume){.clock = a->summary.clock,
                                      .after_tsc = a->snapshot->tsc,
                                      .traits = old_numbers_traits(&a->summary.quality)};
    if (charges && take_pasts(a, &fine, err) != 0)
        return -1;
    if (!fine)
        a->snapshot = NULL; /* charges begin at the beginning */
    return 0;
}

static int check_span(const struct archived *a, struct error *err)
{
    const struct options *o = a->options;
    if (o->from_ns == 0 || o->from_ns < a->summary.end_ns)
        return 0;
    return error_set(err, ERROR_USAGE, "the time asked for begins at %.9g s, but the trace ends at %.9g s",
                     (double)o->from_ns / 1e9, (double)a->summary.end_ns / 1e9);
}

int archived_choose(struct archived *a, const struct meter_options *meter, bool own_rows, struct error *err)
{
    const char *lack = results_lack(a, meter, own_rows);
    bool trace = archived_trace_kept(a);
    if (check_charges(a, meter, err) != 0 || check_counters(a, meter, lack, err) != 0)
        return -1;
    if (check_span(a, err) != 0)
        return -1;
    a->from_results = !lack && !(trace && better_by_trace(a, meter));
    if (a->from_results)
        return 0;
    if (!trace)
        return error_set(err, ERROR_USAGE,
                         "the results that were kept do not suffice (%s), and the trace was not kept; "
                         "\"xenmeter archive list\" tells what was",
                         lack);
    return choose_snapshot(a, meter, err);
}

int archived_choose_trace(struct archived *a, struct error *err)
{
    if (!archived_trace_kept(a))
        return error_set(
            err, ERROR_USAGE,
            "this wants the trace, which was not kept; \"xenmeter archive list\" tells what was");
    if (check_span(a, err) != 0)
        return -1;
    return choose_snapshot(a, NULL, err);
}
