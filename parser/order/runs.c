#include "runs.h"

#include "fit.h"
#include "parser/decode/record_format.h"

#define STANDS_STILL_NS                                                                                      \
    2e6 /* Xen's clock never does, for so long: the counter was set, or switches are missing */
#define BLUR_NS          100e3 /* the order of changes that are nearer is not sure: clocks are skewed, records late */
#define SWEEPS_DECIDING  3 /* what was read in so many shows whose clock was set */
#define DECIDING_NS      60e6
#define UNDECIDED_NS     200e6
#define UNDECIDED_SWEEPS 8 /* the runs that say whether a record was only late may take so long */

/* Bytes were passed over: switches may have been in them. */
static void forget_runs(struct order *o)
{
    const struct decoder *d = o->decoder;
    o->skipped_places = d->quality->skipped_places;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        pace_forget(&o->steps[d->pcpus[i]].pace);
}

void runs_take(struct order *o, const struct stream *s, size_t from)
{
    struct step *step = &o->steps[s->pcpu];
    if (o->skipped_places != o->decoder->quality->skipped_places)
        forget_runs(o);
    if (from < s->n && o->clock && o->decoder->model && !step->out && !step->unused &&
        !cores_shown(&o->decoder->cores))
        pace_take(&step->pace, &o->paces, s->events + from, s->events + s->n, o->decoder->sweep);
    o->odd_runs |= pace_is_odd(&step->pace);
}

static void take_queued(struct order *o)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        runs_take(o, d->streams[d->pcpus[i]], d->streams[d->pcpus[i]]->head);
}

/*
 * With a frequency that was given no run is odd before it is known how long usual ones are by it: so these are looked at first, of
 * all pCPUs, and those that may be odd after that.
 */
void runs_take_queued(struct order *o)
{
    const struct decoder *d = o->decoder;
    struct quality *q = d->quality;
    o->paces.clock = o->clock;
    o->paces.quality = q;
    o->paces.by_switches = !decoder_has_runstates(d);
    take_queued(o);
    if (o->clock->measured)
        return;
    const struct pace_usual usual = o->paces.usual;
    q->clock_off_ns = q->clock_off_at_ns = q->clock_off_ppm = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        pace_restart(&o->steps[d->pcpus[i]].pace);
    o->odd_runs = false;
    take_queued(o);
    o->paces.usual = usual;
}

/* Whether the stamps of the pCPU went back in its odd run. */
static bool went_back(const struct step *step)
{
    const struct pace *p = &step->pace;
    return p->odd_ns < 0 && step->back_from >= p->odd_tsc && step->back_to <= p->odd_to;
}

/* Whether all was read that was written so long after the odd run. */
static bool is_later(const struct order *o, const struct pace *p, double ns)
{
    return o->tsc_last > p->odd_to && (double)(o->tsc_last - p->odd_to) > ns / 1e9 * o->clock->cpu_hz;
}

uint64_t runs_decided(const struct order *o, uint16_t pcpu, uint64_t ended)
{
    const struct step *step = &o->steps[pcpu];
    bool waits = pace_is_odd(&step->pace) && !step->out &&
                 (ended < step->pace.odd_sweep + UNDECIDED_SWEEPS || !is_later(o, &step->pace, UNDECIDED_NS));
    if (!waits)
        return UINT64_MAX;
    uint64_t first = step->pace.odd_tsc < step->pace.odd_to ? step->pace.odd_tsc : step->pace.odd_to;
    return went_back(step) && step->back_to < first ? step->back_to : first;
}

uint64_t runs_silence_decided(const struct order *o)
{
    uint64_t recent = (uint64_t)(UNDECIDED_NS / 1e9 * o->clock->cpu_hz);
    return silences_unusual(&o->silences, o->decoder, o->tsc_last - (recent < o->tsc_last ? recent : 0));
}

/* The runs that nothing was recorded of in the hole are not odd. */
static void explain_runs(struct order *o, const struct hole *h)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct pace *p = &o->steps[d->pcpus[i]].pace;
        if (pace_is_odd(p) && p->odd_tsc < h->to && p->odd_to >= h->to)
            pace_restart(p);
    }
}

/*
 * Whether it is the stretch, in which all pCPUs were silent, that made the odd run; `set`: other records say that the clock of
 * the pCPU was set.
 */
static bool made_by(const struct order *o, const struct pace *odd, bool set, const struct hole *h)
{
    const struct decoder *d = o->decoder;
    unsigned odds = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct pace *p = &o->steps[d->pcpus[i]].pace;
        odds += pace_is_odd(p) && p->odd_tsc <= h->from && p->odd_to >= h->to;
    }
    bool is_long = h->to - h->from >= o->silences.cycles;
    /* Of the time before, in which the switch may be missing instead, nothing was delivered; or this is where xentrace stood still. */
    bool missed = odd->missed && (o->ready <= odd->odd_tsc || silences_is_unusual(&o->silences, h) ||
                                  silences_is_longest(&o->silences, h, odd->odd_tsc));
    if (odd->missed)
        return missed || odds > 1 || is_long;
    return d->pcpus_n == 1 || odds > 1 || is_long || (!set && odd->odd_ns > STANDS_STILL_NS);
}

/* Finds the stretch of silence in which the odd run began, unseen. */
static bool find_silence(const struct order *o, const struct pace *p, struct hole *h)
{
    double hz = o->clock->cpu_hz;
    uint64_t length = p->odd_to > p->odd_tsc ? p->odd_to - p->odd_tsc : 0;
    uint64_t near = (uint64_t)(PACE_SLACK_NS / 1e9 * hz), began = length / 2;
    /* The vCPU's run is another one, or so long that Xen may have counted it over: it may have begun anywhere in there. */
    bool anywhere = p->missed || length >= o->silences.cycles;
    if (anywhere)
        near = length / 2;
    else if (p->odd_ns > 0)
        began = (uint64_t)(p->odd_ns / 1e9 * hz);
    else
        return false;
    bool found = silences_find(&o->silences, o->decoder, p->odd_tsc + began, near, h);
    return found && h->from >= p->odd_tsc && h->to <= p->odd_to;
}

/* Whether the run is odd because of a hole, known or found now: it began in there, unseen. */
static bool is_hole(struct order *o, const struct pace *p, bool set)
{
    struct hole h = o->silences.last_hole;
    bool known = h.to > p->odd_tsc && h.to <= p->odd_to;
    if (!known && (!find_silence(o, p, &h) || !made_by(o, p, set, &h)))
        return false;
    if (!known)
        silences_add_hole(&o->silences, &h);
    explain_runs(o, &h);
    return true;
}

/* The number of the stream's first queued event after the switch at `tsc`; of several, the first one: time stood still since. */
static size_t after_switch(const struct stream *s, uint64_t tsc)
{
    size_t at = s->head;
    while (at < s->n && s->events[at].tsc < tsc)
        at++;
    while (at < s->n && s->events[at].tsc == tsc &&
           (s->events[at].slot != EVENT_RUNSTATE_CHANGE || runstate_new(s->events[at].header) != XEN_RUNNING))
        at++;
    return at < s->n && s->events[at].tsc == tsc ? at + 1 : at;
}

static size_t first_from(const struct stream *s, uint64_t tsc)
{
    size_t at = s->head;
    while (at < s->n && s->events[at].tsc < tsc)
        at++;
    return at;
}

/*
 * The clock of the pCPU was set in the odd run. The model gets no more of it; records stay where they are, as they do where
 * no model is wanted, and so are no runs known. Where it was set back, the records before that were moved back to the later ones, and
 * say nothing about their time.
 */
static void stop_using(struct order *o, struct stream *s)
{
    struct step *step = &o->steps[s->pcpu];
    bool moved = went_back(step) && step->back_to <= step->pace.odd_tsc;
    uint64_t since = moved ? step->back_to : step->pace.odd_tsc;
    uint64_t from = since > o->ready ? since : o->ready;
    double off_ns = step->pace.off_ns < 0 ? -step->pace.off_ns : step->pace.off_ns;
    stream_settle(s);
    step_take_back(o, s, moved ? first_from(s, since) : after_switch(s, since), TSC_NONE);
    step->unused = true;
    step->unused_from = from;
    step->unused_since = since;
    step_count_leaving(o, from, (uint64_t)(off_ns / 1e9 * o->clock->cpu_hz));
    pace_restart(&step->pace);
}

void runs_withhold(struct order *o, struct stream *s)
{
    if (o->steps[s->pcpu].unused)
        step_take_back(o, s, s->fresh, TSC_NONE);
}

uint64_t runs_used_last(const struct order *o)
{
    const struct decoder *d = o->decoder;
    bool all_used = true;
    uint64_t last = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        const struct step *step = &o->steps[d->pcpus[i]];
        uint64_t used_last = step->unused ? step->unused_from : s->last_tsc;
        all_used = all_used && !step->unused;
        last = s->begun && used_last > last ? used_last : last;
    }
    return all_used ? o->tsc_last : last;
}

/* Whether the records of vCPUs, here and on other pCPUs, fit better if the clock of the pCPU was set in its odd run. */
static bool fits_if_set(struct order *o, uint16_t pcpu)
{
    const struct pace *p = &o->steps[pcpu].pace;
    int64_t cycles = (int64_t)(p->odd_ns / 1e9 * o->clock->cpu_hz);
    uint64_t from = p->odd_to + (uint64_t)(cycles < 0 ? -cycles : cycles);
    int better = fit_is_better(o->decoder, pcpu, from, (uint64_t)(BLUR_NS / 1e9 * o->clock->cpu_hz), cycles);
    o->no_memory |= better < 0;
    return better > 0;
}

/* It is known by now which runs were odd for which reason. */
static void end_paces(struct order *o)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct step *step = &o->steps[d->pcpus[i]];
        if (!step->out && !step->unused)
            pace_end(&step->pace, &o->paces);
    }
}

void runs_judge(struct order *o, bool end)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; o->clock && i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        struct step *step = &o->steps[pcpu];
        const struct pace *p = &step->pace;
        bool later = o->decoder->sweep > p->odd_sweep + SWEEPS_DECIDING && is_later(o, p, DECIDING_NS);
        bool decided = end || later || p->missed || p->convicted || went_back(step);
        bool proven =
            pace_is_proven(p, end) || (end && p->still && went_back(step)); /* it is still waited for */
        if (step->out || step->unused || !pace_is_odd(p) || !proven || !decided)
            continue;
        bool set = !p->missed && (p->convicted || went_back(step) || fits_if_set(o, pcpu));
        if (is_hole(o, p, set))
            continue;
        if (set || (p->odd_ns > STANDS_STILL_NS && !p->missed))
            stop_using(o, d->streams[pcpu]);
        else
            pace_excuse(&step->pace);
    }
    if (end && o->clock)
        end_paces(o);
    o->odd_runs = false;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        o->odd_runs |= pace_is_odd(&o->steps[d->pcpus[i]].pace);
}
