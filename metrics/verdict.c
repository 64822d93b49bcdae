#include "verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "human.h"

/* Beyond these shares the result is poor: the missing part can change which domain looks busiest. */
#define POOR_BLIND_SHARE   0.05
#define POOR_HOLE_SHARE    0.05
#define POOR_OVERLAP_SHARE 0.05
#define POOR_UNKNOWN_SHARE 0.25 /* of the time of vCPUs, or of pCPUs */
#define UNKNOWN_SHARE      0.01 /* of the time of pCPUs: less is the time before they first wrote */
#define MIXED_SHARE        0.10 /* of driver domains' time: about half of that may be with the wrong one */
#define UNMARKED_SHARE     0.15 /* of driver domains' time: up to that may be with the wrong one */
#define UNATTRIBUTED_SHARE 0.10 /* of driver domains' time: as much as charges are off at worst otherwise */
#define WHOLE_INTERVAL_NS                                                                                    \
    100000000                   /* hardly an interval of this length is without I/O: nothing is left as own */
#define POOR_OFF_SHARE     0.05 /* of the time of pCPUs: the clock is wrong by more than CLOCK_POOR_PPM there */
#define POOR_SKIPPED_SHARE 0.05 /* of the bytes */
#define POOR_TSC_SHARE     0.01 /* of the records: the time stamps are unreliable */
#define STRANGE_SHARE      0.01 /* of the records: unknown ones of classes without state changes */

/*
 * A woken vCPU is dispatched within some 10 us: a skew of that size blurs it, and one of a millisecond reorders events.
 */
#define SKEW_DEGRADED_NS 10000
#define SKEW_POOR_NS     1000000

#define CLOCK_UNSURE_PPM  1000
#define CLOCK_POOR_PPM    10000
#define CLOCK_FEW_SAMPLES 4 /* the median of fewer has no usable error estimate */
#define CLOCK_SURE        3 /* a frequency is taken to be right to so many standard errors, */
#define CLOCK_LEAST_PPM                                                                                      \
    1 /* but never better than this: records are written some time after Xen read its clock */
#define DEGRADED_RESIDUAL_PCT 25 /* of a guest's time in an interval: the fitted costs are off by that much */
#define POOR_RESIDUAL_PCT     50
#define CLOCK_GIVEN_PPM       1000 /* a given frequency may be rounded */
#define CLOCK_SLEW_PPM        500  /* NTP has a host's clock run faster or slower by up to this */

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"good", "degraded", "poor"};
    return names[verdict];
}

/* Poor reasons go before the degraded ones; otherwise the order is that of the calls. */
static __attribute__((format(printf, 3, 4))) void because(struct judgement *j, enum verdict verdict,
                                                          const char *format, ...)
{
    if (j->reasons == VERDICT_REASONS)
        return;
    unsigned at = j->reasons;
    if (verdict == VERDICT_POOR) {
        at = j->poor_reasons++;
        memmove(j->why[at + 1], j->why[at], (j->reasons - at) * sizeof *j->why);
    }
    va_list args;
    va_start(args, format);
    vsnprintf(j->why[at], sizeof j->why[at], format, args);
    va_end(args);
    j->reasons++;
    if (verdict > j->verdict)
        j->verdict = verdict;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void judge_losses(struct judgement *j, const struct quality *q, double pcpu_ns)
{
    char share[HUMAN_BYTES], count[HUMAN_BYTES], time[HUMAN_BYTES];
    if (q->lost_markers || q->lost_records || (q->blind_ns && q->tsc_jumps == 0)) {
        enum verdict worst =
            (double)q->blind_ns > POOR_BLIND_SHARE * pcpu_ns ? VERDICT_POOR : VERDICT_DEGRADED;
        human_percent(share, (double)q->blind_ns, pcpu_ns);
        if (q->lost_records)
            because(j, worst, "%s of the pCPU time is blind: %s record%s lost", share,
                    human_count(count, q->lost_records), q->lost_records == 1 ? " was" : "s were");
        else
            because(j, worst, "%s of the pCPU time is blind: its records are missing", share);
    }
    if (q->blind_late_ns)
        because(j, VERDICT_DEGRADED, "%s of blind time became known only after it was accounted",
                human_duration(time, q->blind_late_ns));
    if (q->doubtful_ns)
        because(j, VERDICT_DEGRADED,
                "%s of the vCPUs' time in sum are doubtful: what happened meanwhile may be lost",
                human_duration(time, q->doubtful_ns));
    if (q->unknown_ns) {
        bool poor = q->vcpu_ns && (double)q->unknown_ns >= POOR_UNKNOWN_SHARE * (double)q->vcpu_ns;
        because(j, poor ? VERDICT_POOR : VERDICT_DEGRADED,
                "the state of vCPUs is unknown for %s in sum, %s of their time",
                human_duration(time, q->unknown_ns),
                human_percent(share, (double)q->unknown_ns, (double)q->vcpu_ns));
    }
}

/* The results of traces that are added up, although they both have some time. */
static void judge_overlap(struct judgement *j, const struct quality *q, double duration_ns)
{
    char time[HUMAN_BYTES];
    if (q->overlap_ns)
        because(j, (double)q->overlap_ns > POOR_OVERLAP_SHARE * duration_ns ? VERDICT_POOR : VERDICT_DEGRADED,
                "the traces of the archive overlap by %s, which counts twice: are they of one boot?",
                human_duration(time, q->overlap_ns));
}

/* Where it was not recorded what pCPUs did. */
static void judge_unrecorded(struct judgement *j, const struct quality *q, double duration_ns, unsigned pcpus)
{
    char time[HUMAN_BYTES], at[HUMAN_BYTES], share[HUMAN_BYTES], count[HUMAN_BYTES];
    double pcpu_ns = duration_ns * pcpus;
    bool poor_hole = (double)q->hole_ns > POOR_HOLE_SHARE * duration_ns;
    if (q->holes == 1)
        because(j, poor_hole ? VERDICT_POOR : VERDICT_DEGRADED, "nothing was recorded for %s from %s on",
                human_duration(time, q->hole_ns), human_duration(at, q->hole_at_ns));
    else if (q->holes)
        because(j, poor_hole ? VERDICT_POOR : VERDICT_DEGRADED,
                "nothing was recorded for %s in sum, %s times, first from %s on",
                human_duration(time, q->hole_ns), human_count(count, q->holes),
                human_duration(at, q->hole_at_ns));
    if (q->unseen_pcpus)
        because(j, VERDICT_POOR, "at least %s pCPU%s not recorded: vCPUs ran where no record is from",
                human_count(count, q->unseen_pcpus), q->unseen_pcpus == 1 ? " was" : "s were");
    double explained_ns = (double)q->blind_ns + (double)q->hole_ns * pcpus;
    if ((double)q->pcpu_unknown_ns > explained_ns + UNKNOWN_SHARE * pcpu_ns)
        because(j,
                (double)q->pcpu_unknown_ns >= POOR_UNKNOWN_SHARE * pcpu_ns ? VERDICT_POOR : VERDICT_DEGRADED,
                "for %s of the pCPU time it is not known who ran",
                human_percent(share, (double)q->pcpu_unknown_ns, pcpu_ns));
}

static void judge_states(struct judgement *j, const struct quality *q, bool has_runstates)
{
    char count[HUMAN_BYTES], time[HUMAN_BYTES];
    uint64_t switches = 0;
    for (unsigned form = 0; form < 16; form++)
        switches += q->events[EVENT_SWITCH].forms[form] + q->events[EVENT_SWITCH_INFPREV].forms[form];
    if (!has_runstates && switches == 0)
        because(j, VERDICT_POOR, "no scheduling records in the trace: record with -e 0x2f000");
    else if (!has_runstates)
        because(j, VERDICT_DEGRADED,
                "no runstate changes in the trace: states are rebuilt from context switches");
    if (q->inconsistent)
        because(j, VERDICT_DEGRADED, "%s state change%s what went before, first at %s",
                human_count(count, q->inconsistent), q->inconsistent == 1 ? " contradicts" : "s contradict",
                human_duration(time, q->inconsistent_at_ns));
    if (q->core_pcpus_unknown)
        because(j, VERDICT_POOR, "%s pCPU%s scheduled together with others, and it is not known with which",
                human_count(count, q->core_pcpus_unknown), q->core_pcpus_unknown == 1 ? " is" : "s are");
    if (!has_runstates && (q->core_pcpus || q->core_pcpus_unknown))
        because(j, VERDICT_POOR,
                "core scheduling, and no runstate changes in the trace: which vCPUs ran is not known");
    if (q->ignored_records)
        because(j, VERDICT_DEGRADED, "%s scheduler record%s impossible vCPUs",
                human_count(count, q->ignored_records), q->ignored_records == 1 ? " names" : "s name");
}

static void judge_bytes(struct judgement *j, const struct quality *q)
{
    char share[HUMAN_BYTES], count[HUMAN_BYTES], places[HUMAN_BYTES], time[HUMAN_BYTES];
    if (q->skipped_bytes || q->skipped_places) {
        bool poor = (double)q->skipped_bytes > POOR_SKIPPED_SHARE * (double)q->bytes;
        because(j, poor ? VERDICT_POOR : VERDICT_DEGRADED,
                "%s damaged byte%s (%s) in %s place%s had to be skipped",
                human_count(count, q->skipped_bytes), plural(q->skipped_bytes),
                human_percent(share, (double)q->skipped_bytes, (double)q->bytes),
                human_count(places, q->skipped_places), plural(q->skipped_places));
    }
    if (q->joined_bytes)
        because(j, VERDICT_DEGRADED,
                "another capture begins at offset %s: its %s bytes are no part of the result",
                human_count(count, q->joined_at), human_count(places, q->joined_bytes));
    if (q->cut_ns)
        because(j, VERDICT_DEGRADED, "the trace ends in the middle of a sweep: the last %s are not used",
                human_duration(time, q->cut_ns));
    if (q->truncated_bytes)
        because(j, VERDICT_DEGRADED, "the trace is cut off: %s byte%s of its last window are missing",
                human_count(count, q->truncated_bytes), plural(q->truncated_bytes));
}

/* Unknown records matter when they may be state changes, or are so many that the bytes may be no trace. */
static void judge_unrecognised(struct judgement *j, const struct quality *q)
{
    char count[HUMAN_BYTES], share[HUMAN_BYTES];
    uint64_t records = q->unrecognised_other;
    bool of_weight = q->unrecognised_other > 0;
    for (unsigned i = 0; i < q->unrecognised_kinds; i++) {
        enum event_class class_id = event_class_of(q->unrecognised[i].event);
        records += q->unrecognised[i].records;
        of_weight |= class_id == CLASS_SCHED || class_id == CLASS_UNRECOGNISED;
    }
    if (records && (of_weight || (double)records > STRANGE_SHARE * (double)q->records))
        because(j, VERDICT_DEGRADED, "%s record%s of no known kind (%s of all)", human_count(count, records),
                plural(records), human_percent(share, (double)records, (double)q->records));
}

/* `clock` may be NULL. */
static void judge_tsc(struct judgement *j, const struct quality *q, const struct clock *clock)
{
    char count[HUMAN_BYTES], time[HUMAN_BYTES];
    double poor = POOR_TSC_SHARE * (double)q->records;
    if (q->tsc_backwards)
        because(j, (double)q->tsc_backwards > poor ? VERDICT_POOR : VERDICT_DEGRADED,
                "time ran backwards in %s record%s", human_count(count, q->tsc_backwards),
                plural(q->tsc_backwards));
    if (q->tsc_jumps) {
        double cycles = (double)q->tsc_jump_max_cycles;
        double ns = clock && clock->cpu_hz > 0 ? cycles / clock->cpu_hz * 1e9 : 0;
        because(
            j, VERDICT_DEGRADED,
            "the clock of a pCPU left the others' %s time%s, by up to %s%s: what it wrote then is not used",
            human_count(count, q->tsc_jumps), plural(q->tsc_jumps),
            ns > 0 ? human_duration(time, (uint64_t)ns) : human_count(time, q->tsc_jump_max_cycles),
            ns > 0 ? "" : " cycles");
    }
    if (q->tsc_implausible)
        because(j, (double)q->tsc_implausible > poor ? VERDICT_POOR : VERDICT_DEGRADED,
                "%s record%s an implausible time stamp", human_count(count, q->tsc_implausible),
                q->tsc_implausible == 1 ? " has" : "s have");
    if (q->skew_max_ns > SKEW_DEGRADED_NS)
        because(j, q->skew_max_ns > SKEW_POOR_NS ? VERDICT_POOR : VERDICT_DEGRADED,
                "the clocks of the pCPUs are up to %s apart", human_duration(time, q->skew_max_ns));
}

/* Is the frequency sure? */
static void judge_frequency(struct judgement *j, const struct clock *clock)
{
    double sure_ppm = CLOCK_SURE * clock->error_ppm;
    if (!(clock->cpu_hz > 0))
        because(j, VERDICT_POOR,
                "the tsc frequency is not known, times are in cycles: give it with --cpu-hz");
    else if (clock->measured && clock->pairs < CLOCK_FEW_SAMPLES)
        because(j, VERDICT_DEGRADED, "the tsc frequency was measured from %u sample%s only",
                (unsigned)clock->pairs, plural(clock->pairs));
    if (clock->cpu_hz > 0 && !(sure_ppm <= CLOCK_UNSURE_PPM))
        because(j, sure_ppm <= CLOCK_POOR_PPM ? VERDICT_DEGRADED : VERDICT_POOR,
                "the tsc frequency is sure to %.2f %% only", sure_ppm / 1e4);
}

/* Do other parts of the trace, and others who measured, say the same? */
static void judge_clock(struct judgement *j, const struct clock *clock)
{
    double sure_ppm = CLOCK_SURE * (clock->error_ppm + clock->check_error_ppm);
    double least_ppm = clock->measured ? CLOCK_LEAST_PPM : CLOCK_GIVEN_PPM;
    judge_frequency(j, clock);
    if (!(clock->cpu_hz > 0))
        return;
    if (clock->check_pairs && !(clock->difference_ppm <= sure_ppm + least_ppm)) {
        if (clock->measured)
            because(
                j, VERDICT_DEGRADED,
                "the tsc frequency differs by %.0f ppm between the beginning of the trace and later parts",
                clock->difference_ppm);
        else
            because(j, clock->difference_ppm <= CLOCK_POOR_PPM ? VERDICT_DEGRADED : VERDICT_POOR,
                    "the trace contradicts the tsc frequency %s: its records make it %.3f MHz",
                    clock->by_host ? "by --io-counts" : "that was given", clock->check_hz / 1e6);
    }
    double host_ppm = clock->host_hz > 0 ? fabs(clock->host_hz / clock->cpu_hz - 1) * 1e6 : 0;
    if (!(host_ppm <= CLOCK_SURE * (clock->error_ppm + clock->host_error_ppm) + CLOCK_SLEW_PPM))
        because(j, host_ppm <= CLOCK_POOR_PPM ? VERDICT_DEGRADED : VERDICT_POOR,
                "the host's own pairs of tsc and time (--io-counts) make the tsc frequency %.3f MHz",
                clock->host_hz / 1e6);
}

/* Do the lengths of runs agree with the frequency until the end? Another check reports later parts that contradict it. */
static void judge_drift(struct judgement *j, const struct quality *q, double pcpu_ns)
{
    char time[HUMAN_BYTES], at[HUMAN_BYTES];
    bool poor =
        (double)q->clock_off_ppm > CLOCK_POOR_PPM && (double)q->clock_off_ns > POOR_OFF_SHARE * pcpu_ns;
    if (q->clock_off_ns)
        because(j, poor ? VERDICT_POOR : VERDICT_DEGRADED,
                "the lengths of runs contradict the tsc frequency by up to %.2f %% for %s of pCPU time, "
                "first at %s",
                (double)q->clock_off_ppm / 1e4, human_duration(time, q->clock_off_ns),
                human_duration(at, q->clock_off_at_ns));
}

void verdict_judge(struct judgement *j, const struct quality *q, const struct clock *clock,
                   uint64_t duration_ns, unsigned pcpus, bool has_runstates)
{
    *j = (struct judgement){.verdict = VERDICT_GOOD};
    if (duration_ns == 0 || pcpus == 0) {
        because(j, VERDICT_POOR, "there is no time between the first record and the last");
        return;
    }
    judge_overlap(j, q, (double)duration_ns);
    judge_unrecorded(j, q, (double)duration_ns, pcpus);
    judge_losses(j, q, (double)duration_ns * pcpus);
    judge_clock(j, clock);
    judge_drift(j, q, (double)duration_ns * pcpus);
    judge_states(j, q, has_runstates);
    judge_tsc(j, q, clock);
    judge_bytes(j, q);
    judge_unrecognised(j, q);
}

/* The part of the trace's time, 0 to duration_ns, that is not in [from_ns, to_ns). */
static double uncovered(int64_t from_ns, int64_t to_ns, uint64_t duration_ns)
{
    int64_t end = (int64_t)duration_ns;
    int64_t first = from_ns > 0 ? from_ns : 0, last = to_ns < end ? to_ns : end;
    return end > 0 ? 1 - (last > first ? (double)(last - first) / (double)end : 0) : 0;
}

/* What was given beside the trace to charge by is `what`. */
static void judge_cover(struct judgement *j, const char *what, double share)
{
    if (share > UNKNOWN_SHARE)
        because(j, share >= POOR_UNKNOWN_SHARE ? VERDICT_POOR : VERDICT_DEGRADED,
                "%.0f %% of the trace is not covered by %s: what is charged by that is unattributed there",
                100 * share, what);
}

/* As a part of what the driver domains ran. */
static double part_of_run(const struct charge_summary *s, uint64_t ns)
{
    return s->ran_ns ? (double)ns / (double)s->ran_ns : 0;
}

static void judge_unattributed(struct judgement *j, const struct charge_summary *s)
{
    double share = part_of_run(s, s->unattributed_ns);
    if (share >= UNATTRIBUTED_SHARE)
        because(j, share >= POOR_UNKNOWN_SHARE ? VERDICT_POOR : VERDICT_DEGRADED,
                "%.0f %% of the driver domains' time is unattributed", 100 * share);
}

static void judge_mixed(struct judgement *j, const struct charge_summary *s)
{
    double share = part_of_run(s, s->mixed_ns);
    if (share >= MIXED_SHARE)
        because(
            j, VERDICT_DEGRADED,
            "%.0f %% of the driver domains' time polled guests and devices in turns: for whom devices were "
            "polled is estimated",
            100 * share);
}

static void judge_unmarked(struct judgement *j, const struct charge_summary *s)
{
    double share = part_of_run(s, s->unmarked_ns);
    if (share >= UNMARKED_SHARE)
        because(
            j, VERDICT_DEGRADED,
            "%.0f %% of the driver domains' time is of threads that left no record, while disks were served "
            "that leave none: it counts as own, and may have been for guests",
            100 * share);
}

/* The kinds of events that the trace has and the charges leave out, in words. Returns whether others were seen that have a say. */
static bool unused_kinds(char *to, size_t size, const struct charge_summary *s, const double *weights)
{
    bool used = false;
    *to = '\0';
    for (int kind = 0; kind < IO_KINDS; kind++) {
        if (!s->events[kind])
            continue;
        if (s->methods & charge_method_of_kind[kind] && weights[kind] > 0)
            used = true;
        else if (kind < IO_TRACE_KINDS)
            snprintf(to + strlen(to), size - strlen(to), "%s%s", *to ? ", " : "", io_kind_names[kind]);
    }
    return used;
}

/*
 * Where own is not separated, that is a larger error than kinds of events without a say, and is said by itself; what a kernel
 * recorded is cut by no events.
 */
static void judge_unused(struct judgement *j, const struct charge_summary *s, const double *weights)
{
    char kinds[64];
    bool used = unused_kinds(kinds, sizeof kinds, s, weights) || s->methods & CHARGE_THREADS;
    if (!*kinds || s->measured)
        return;
    if (!used)
        because(j, VERDICT_POOR, "the events that were seen have no say (%s)", kinds);
    else if (s->idds_unseparated + s->idds_own_given < s->idds)
        because(j, VERDICT_DEGRADED,
                "not all events have a say (not %s): 4 to 25 %% of the driver domains' time may be with the "
                "wrong one",
                kinds);
}

/*
 * How much of a driver domain's time was with the wrong one in captures of known truth, by what it was charged by. Packets are
 * counted in all of an interval, so that nothing is left as own, as in intervals of 100 ms.
 */
static const char *unseparated_error(const struct charge_summary *s, const struct charge_options *o)
{
    if (s->methods & CHARGE_THREADS)
        return "3 to 6 % (up to 71 % without CPU times of all threads)";
    if (s->methods & CHARGE_PACKETS || o->interval_ns >= WHOLE_INTERVAL_NS)
        return "56 to 71 %";
    return o->interval_ns ? "13 to 71 %" : "13 to 66 %";
}

static void judge_unseparated(struct judgement *j, const struct charge_summary *s,
                              const struct charge_options *o)
{
    because(j, VERDICT_DEGRADED,
            "own is not separated: %s of the driver domain%s time may be charged to guests for whom it did "
            "not work",
            unseparated_error(s, o), s->idds_unseparated == 1 ? "'s" : "s'");
}

/* A guest that does little at the cut may be charged a few per cent more or less. */
static void judge_cuts(struct judgement *j, const struct charge_summary *s)
{
    if (s->cuts > 0)
        because(j, VERDICT_DEGRADED,
                "charges of %zu traces in a row are added up: for whom work was is less well known where "
                "each begins, and a "
                "guest's charge may be off by some per cent",
                s->cuts + 1);
}

void verdict_judge_charges(struct judgement *j, const struct charge_summary *s,
                           const struct charge_options *o, uint64_t duration_ns)
{
    bool any = false;
    char share[HUMAN_BYTES];
    for (int kind = 0; kind < IO_KINDS; kind++)
        any = any || s->events[kind] > 0;
    if (s->measured)
        judge_cover(j, "the driver domain's recording",
                    uncovered(s->measured_from_ns, s->measured_to_ns, duration_ns));
    if (s->counted && s->methods & (CHARGE_PACKETS | CHARGE_THREADS))
        judge_cover(j, "the counts", uncovered(s->counted_from_ns, s->counted_to_ns, duration_ns));
    if (s->cpu_impossible_ns)
        because(j,
                (double)s->cpu_impossible_ns >= POOR_UNKNOWN_SHARE * (double)duration_ns ? VERDICT_POOR
                                                                                         : VERDICT_DEGRADED,
                "CPU times that cannot be are given for %s of the trace: the events alone charge there",
                human_percent(share, (double)s->cpu_impossible_ns, (double)duration_ns));
    judge_cuts(j, s);
    judge_unattributed(j, s);
    judge_mixed(j, s);
    judge_unmarked(j, s);
    judge_unused(j, s, o->weights);
    if (any && s->idds_unseparated > 0)
        judge_unseparated(j, s, o);
    if (s->idds_own_given > 0)
        because(j, VERDICT_DEGRADED,
                "own is given, not separated by the trace: if it is right, 2 to 10 %% of the driver domain%s "
                "time "
                "may be with the wrong one",
                s->idds_own_given == 1 ? "'s" : "s'");
}

void verdict_judge_fit(struct judgement *j, const struct fitted_weights *fit)
{
    unsigned unsure = 0, events = 0;
    for (size_t i = 0; i < fit->n; i++) {
        enum fit_state state = fit->kinds[i].state;
        events += state < FIT_FEW;
        unsure += state < FIT_FEW && state != FIT_KNOWN;
    }
    if (fit->residual_pct >= DEGRADED_RESIDUAL_PCT)
        because(j, fit->residual_pct >= POOR_RESIDUAL_PCT ? VERDICT_POOR : VERDICT_DEGRADED,
                "the costs are off by %.0f %% for a guest in an interval", fit->residual_pct);
    if (unsure > 0)
        because(j, VERDICT_DEGRADED, "%u of %u costs %s unknown or uncertain", unsure, events,
                unsure == 1 ? "is" : "are");
}

void verdict_judge_records(struct judgement *j, const struct quality *q)
{
    char count[HUMAN_BYTES];
    *j = (struct judgement){.verdict = VERDICT_GOOD};
    if (q->lost_markers)
        because(j, VERDICT_DEGRADED, "%s record%s lost", human_count(count, q->lost_records),
                q->lost_records == 1 ? " was" : "s were");
    judge_tsc(j, q, NULL);
    judge_bytes(j, q);
    judge_unrecognised(j, q);
}
