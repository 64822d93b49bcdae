#include "step.h"

#include <string.h>

#define SWEEP_CYCLES    (1ull << 32) /* no sweep takes so long: a second at 4 GHz */
#define STRANGE_WINDOWS 16           /* of one pCPU, while all others are silent: another capture */

#include "parser/decode/current.h"
#include "parser/decode/joined.h"

/* ---- another capture ---- */

/* A window that does not go with what went before, of a pCPU that was in step until then. */
static void first_strange_window(struct order *o, const struct stream *s)
{
    const struct decoder *d = o->decoder;
    const struct quality *q = d->quality;
    o->strangers = (struct strangers){.offset = d->window_at,
                                      .sweep = d->sweep,
                                      .pcpu = s->pcpu,
                                      .pcpu_before = d->pcpu_before,
                                      .begins_sweep = d->pcpu_before >= s->pcpu,
                                      .unplaced_bytes = q->unplaced_bytes,
                                      .tsc_jumps = q->tsc_jumps,
                                      .tsc_jump_max_cycles = q->tsc_jump_max_cycles};
}

/*
 * The windows from there on are of another capture: pCPUs that seemed to leave with them were in step to the end, and were
 * not read since.
 */
static void take_back_leaving(struct order *o, uint64_t offset)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct step *step = &o->steps[d->pcpus[i]];
        struct stream *s = d->streams[d->pcpus[i]];
        if (step->offset > offset) {
            step->out = false;
            s->perhaps_blind = step->was_blind;
        }
        if (step->last.sweep > 0 && step->last.sweep < s->last_sweep)
            s->last_sweep = step->last.sweep;
    }
}

/* The strange windows are of another capture: nothing of it is used, and nothing that they seemed to say counts. */
static void another_capture(struct order *o)
{
    struct decoder *d = o->decoder;
    struct quality *q = d->quality;
    const struct strangers *f = &o->strangers;
    q->unplaced_bytes = f->unplaced_bytes;
    q->tsc_jumps = f->tsc_jumps;
    q->tsc_jump_max_cycles = f->tsc_jump_max_cycles;
    q->truncated_bytes += f->cut; /* how many are missing is not known */
    take_back_leaving(o, f->offset);
    d->sweep = f->begins_sweep ? f->sweep - 1 : f->sweep;
    decoder_joined(d, f->offset, f->pcpu_before);
}

/* A window is not used. */
static void strange_window(struct order *o, const struct stream *s)
{
    struct decoder *d = o->decoder;
    struct strangers *f = &o->strangers;
    f->windows++;
    f->several |= f->pcpu != s->pcpu;
    bool all = true;
    for (unsigned i = 0; all && i < d->pcpus_n; i++)
        all = o->steps[d->pcpus[i]].out || !d->streams[d->pcpus[i]]->begun;
    /* Right after a capture was cut, or a whole sweep of several pCPUs, or whoever there is. */
    if (all || decoder_was_cut(d) || (f->several && d->sweep > f->sweep + 1) || f->windows >= STRANGE_WINDOWS)
        another_capture(o);
}

bool step_end(struct order *o)
{
    const struct strangers *f = &o->strangers;
    if (o->decoder->joined || f->windows == 0 || !(f->several || f->windows > 1 || f->begins_sweep))
        return true;
    another_capture(o);
    return decoder_forget_untimed_pcpus(o->decoder);
}

void step_foreign_window(struct order *o, const struct stream *s, bool from_start)
{
    if (o->strangers.windows == 0) {
        first_strange_window(o, s);
        o->strangers.cut = !from_start;
    }
    strange_window(o, s);
}

/* ---- leaving, and coming back ---- */

void step_note_gap(struct order *o, uint16_t pcpu, uint64_t from, uint64_t to)
{
    struct step *step = &o->steps[pcpu];
    if (to <= from || to - from <= STEP_CYCLES)
        return;
    unsigned kept = 0;
    for (unsigned i = 0; i < step->gaps_n; i++)
        if (step->gaps[i].to > o->watermark)
            step->gaps[kept++] = step->gaps[i];
    if (kept == STEP_GAPS) { /* what lies between the first two counts as not known to be in step, too */
        step->gaps[0].to = step->gaps[1].to;
        memmove(step->gaps + 1, step->gaps + 2, (--kept - 1) * sizeof *step->gaps);
    }
    step->gaps[kept++] = (struct step_gap){from, to};
    step->gaps_n = kept;
}

void step_pull_back(struct order *o, uint16_t pcpu, uint64_t tsc)
{
    struct step *step = &o->steps[pcpu];
    while (step->gaps_n > 0 && step->gaps[step->gaps_n - 1].from >= tsc)
        step->gaps_n--;
    if (step->gaps_n > 0 && step->gaps[step->gaps_n - 1].to > tsc)
        step->gaps[step->gaps_n - 1].to = tsc;
}

/*
 * Up to when the stream's records that are no later than `tsc` are known to be in step: up to there, or where a gap begins
 * in which the clock may have leapt. What is not after the watermark may have been delivered, and stays.
 */
static uint64_t in_step_until(const struct order *o, const struct stream *s, uint64_t tsc)
{
    const struct step *step = &o->steps[s->pcpu];
    uint64_t until = tsc < s->last_tsc ? tsc : s->last_tsc;
    for (unsigned i = 0; i < step->gaps_n; i++)
        if (step->gaps[i].from <= until && until < step->gaps[i].to)
            until = step->gaps[i].from;
    return until > o->watermark ? until : o->watermark;
}

void step_take_back(struct order *o, struct stream *s, size_t from, uint64_t tsc)
{
    size_t n = s->n;
    bool open = false;
    s->n = from;
    for (size_t i = from; i < n; i++) {
        struct event e = s->events[i];
        bool ends = e.slot == EVENT_BLIND_END && !open; /* else its beginning is taken back, too */
        open = e.slot == EVENT_BLIND_BEGIN || (open && e.slot != EVENT_BLIND_END);
        e.tsc = tsc != TSC_NONE ? tsc : e.tsc;
        e.flags &= ends ? EVENT_MODEL : EVENT_RAW;
        if (e.flags)
            s->events[s->n++] = e;
    }
    o->decoder->queued -= n - s->n;
    if (s->fresh > s->n)
        s->fresh = s->n;
}

/* Takes the queued events after `tsc` from the model; they come at that time, 0: where the trace begins. */
static void take_back(struct order *o, struct stream *s, uint64_t tsc)
{
    if (tsc > 0 && tsc < s->first_tsc)
        s->first_tsc = tsc;
    stream_settle(s);
    size_t from = s->n;
    while (from > s->head && s->events[from - 1].tsc > tsc)
        from--;
    step_take_back(o, s, from, tsc);
}

/* The end of the trace, as far as it is known from pCPUs in step. */
static void find_end(struct order *o)
{
    const struct decoder *d = o->decoder;
    uint64_t last = 0;
    o->first_max = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        const struct step *step = &o->steps[d->pcpus[i]];
        if (s->begun && s->last_tsc > last)
            last = s->last_tsc;
        if (!step->out && step->last.first_tsc > o->first_max)
            o->first_max = step->last.first_tsc;
    }
    o->tsc_last = last > o->watermark ? last : o->watermark;
    if (o->sweep_max > o->tsc_last)
        o->sweep_max = o->tsc_last;
}

void step_doubt_window(struct order *o, uint16_t pcpu, uint64_t tsc)
{
    struct step_window *w = &o->steps[pcpu].last;
    w->first_tsc = w->last_tsc = tsc;
    find_end(o);
}

void step_count_leaving(struct order *o, uint64_t from, uint64_t distance)
{
    struct quality *q = o->decoder->quality;
    if (q->tsc_jumps++ == 0)
        q->tsc_jump_tsc = from;
    if (distance > q->tsc_jump_max_cycles)
        q->tsc_jump_max_cycles = distance;
}

/*
 * The stream's clock has left the others', for so far ahead (below 0: behind), with a window that begins with `to`; its records up
 * to `from` were in step.
 */
static void leave(struct order *o, struct stream *s, uint64_t from, int64_t ahead, uint64_t to)
{
    struct step *step = &o->steps[s->pcpu];
    step->out = true;
    step->ahead = ahead;
    step->out_tsc = to;
    step->offset = o->decoder->quality->bytes;
    step->gaps_n = 0;
    if (s->old_lost && s->last_tsc < from) /* the time of its last record is not known, either */
        from = s->last_tsc;
    if (from < o->tsc_first && o->tsc_first != UINT64_MAX)
        from = o->tsc_first;
    step->blind_from = from > o->watermark ? from : o->watermark;
    step->blind_since = from;
    if (s->begun)
        s->last_tsc = step->blind_from;
    silences_pull_back(&o->silences, s->pcpu, step->blind_from);
    step->was_blind = s == o->decoder->current ? s->before_blind : s->perhaps_blind;
    s->switched_out = s->old_lost = s->perhaps_blind = false;
    io_filter_heed(&s->io, HEED_WAKES, false);
    s->slice_ns = UINT32_MAX;
    current_forget(s);
    step_count_leaving(o, step->blind_from, (uint64_t)(ahead < 0 ? -ahead : ahead));
}

/* It had leapt ahead, which shows by a window that begins with `tsc`. */
static void leave_ahead(struct order *o, struct stream *s, uint64_t tsc)
{
    const struct step_leap *leap = &o->steps[s->pcpu].leap;
    bool leapt = leap->sweep > 0 && leap->tsc > tsc;
    uint64_t from = in_step_until(o, s, tsc + STEP_CYCLES);
    take_back(o, s, from);
    uint64_t to = o->steps[s->pcpu].last.first_tsc;
    leave(o, s, from, (int64_t)(leapt ? leap->distance : to - tsc), to);
    find_end(o);
}

/*
 * It was set back by at least `behind` (below 0), which shows by a window that begins with `tsc`; if its stamps went back before, it was there:
 * what had been written by then was moved back to later records and says nothing about its time.
 */
static void leave_behind(struct order *o, struct stream *s, int64_t behind, uint64_t tsc)
{
    const struct step *step = &o->steps[s->pcpu];
    uint64_t from = s->begun ? s->last_tsc : 0;
    uint64_t begun = o->tsc_first > o->watermark ? o->tsc_first : o->watermark;
    if (step->back_from > step->back_to && step->back_to > begun && step->back_to < from) {
        size_t n = s->n;
        from = step->back_to;
        take_back(o, s, from - 1);
        o->decoder->queued += n - s->n; /* go_on counts those of this stream */
    }
    leave(o, s, from, behind, tsc);
    find_end(o);
}

/* ---- who is in step ---- */

/* The pCPU's last window that was read a whole round before the window of the stream that is read now. */
static const struct step_window *round_before(const struct order *o, uint16_t pcpu, const struct stream *s)
{
    const struct step *step = &o->steps[pcpu];
    uint64_t sweep = o->decoder->sweep;
    const struct step_window *w = &step->last;
    if (w->sweep + 1 > sweep || (w->sweep + 1 == sweep && pcpu >= s->pcpu))
        w = &step->before;
    bool is_before = w->sweep > 0 && (w->sweep + 1 < sweep || (w->sweep + 1 == sweep && pcpu < s->pcpu));
    return is_before ? w : NULL;
}

/* The pCPU's last window that was read in an earlier sweep than the one that is being read. */
static const struct step_window *sweep_before(const struct order *o, uint16_t pcpu)
{
    const struct step *step = &o->steps[pcpu];
    const struct step_window *w = step->last.sweep < o->decoder->sweep ? &step->last : &step->before;
    return w->sweep > 0 && w->sweep < o->decoder->sweep ? w : NULL;
}

/*
 * The pCPU's window that a window of the stream which begins with `tsc` contradicts; NULL: none. One of an earlier sweep that
 * was not read a whole round before may hold what was written while that sweep went on, not more.
 */
static const struct step_window *contradicted(const struct order *o, uint16_t pcpu, const struct stream *s,
                                              uint64_t tsc)
{
    const struct step_window *w = round_before(o, pcpu, s);
    if (w && w->first_tsc > tsc + STEP_CYCLES)
        return w;
    w = sweep_before(o, pcpu);
    return w && w->first_tsc > tsc + SWEEP_CYCLES ? w : NULL;
}

/* pCPUs in step, beside the stream's, by what their windows of earlier sweeps say about a window that begins with `tsc`. */
struct opinions {
    unsigned contradict, leapt, agree; /* leapt: of those that contradict */
    uint64_t tsc;                      /* the latest of those that contradict */
};

/* Whether the window may be another capture's rather than one of a pCPU whose clock is not in step. */
static bool perhaps_joined(const struct order *o, const struct stream *s)
{
    bool first = o->steps[s->pcpu].last.sweep == 0;
    return decoder_was_cut(o->decoder) || (first && o->strangers.windows > 0);
}

/*
 * Whether the pCPU has an opinion on the stream's window. One that went back just now has, with its windows before that, if all may be
 * windows of another capture.
 */
static bool has_opinion(const struct order *o, uint16_t pcpu, const struct stream *s)
{
    const struct step *step = &o->steps[pcpu];
    bool counts = !step->out || (step->ahead < 0 && perhaps_joined(o, s));
    return counts && pcpu != s->pcpu && step->last.sweep > 0;
}

static struct opinions opinions_on(const struct order *o, const struct stream *s, uint64_t tsc)
{
    const struct decoder *d = o->decoder;
    struct opinions v = {0};
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        if (!has_opinion(o, pcpu, s))
            continue;
        const struct step_window *w = contradicted(o, pcpu, s, tsc);
        v.contradict += w != NULL;
        v.agree += !w && !o->steps[pcpu].out && sweep_before(o, pcpu);
        v.leapt += w && o->steps[pcpu].leap.tsc > tsc + STEP_CYCLES;
        if (w && w->first_tsc > v.tsc)
            v.tsc = w->first_tsc;
    }
    return v;
}

static void others_leave(struct order *o, const struct stream *s, uint64_t tsc)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        if (pcpu != s->pcpu && !o->steps[pcpu].out && contradicted(o, pcpu, s, tsc))
            leave_ahead(o, d->streams[pcpu], tsc);
    }
}

/* A pCPU that is in step begins a window. Whether it still is. */
static bool stays(struct order *o, struct stream *s, uint64_t tsc)
{
    if (o->tsc_last > 0 && tsc > o->tsc_last && tsc - o->tsc_last > TSC_FOREIGN) {
        leave(o, s, s->begun && s->last_tsc > o->watermark ? s->last_tsc : o->watermark,
              (int64_t)(tsc - o->tsc_last), tsc);
        return false;
    }
    const struct step_window *own = &o->steps[s->pcpu].last;
    bool went_back = own->sweep > 0 && own->first_tsc > tsc + STEP_CYCLES;
    /* Only windows of earlier sweeps have a say. */
    if (!went_back && (tsc + STEP_CYCLES >= o->first_max || tsc + STEP_CYCLES >= o->first_max_before))
        return true;
    struct opinions v = opinions_on(o, s, tsc);
    if (!went_back && v.contradict == 0)
        return true;
    if (!went_back && !perhaps_joined(o, s) &&
        (v.contradict < v.agree + 1 || (v.leapt == v.contradict && v.contradict == v.agree + 1))) {
        others_leave(o, s, tsc);
        return true;
    }
    uint64_t where = v.tsc > own->first_tsc ? v.tsc : own->first_tsc;
    leave_behind(o, s, -(int64_t)(where - tsc), tsc);
    return false;
}

/*
 * Whether the clock, which is out, was set towards the others' since its last window, which a window begins with `tsc` after. Of one
 * that is behind by no more than a sweep may take nothing shows it: windows begin so far apart, and by how much it is behind is not
 * known better.
 */
static bool was_set_back(struct step *step, uint64_t tsc)
{
    uint64_t last = step->out_tsc;
    step->out_tsc = tsc;
    if (step->ahead < 0 && (uint64_t)-step->ahead <= SWEEP_CYCLES)
        return false;
    return step->ahead > 0 ? tsc < last : tsc > last && tsc - last > (uint64_t)-step->ahead / 2;
}

/*
 * Whether nothing that the windows of a round before hold, of pCPUs in step, is later than `tsc`, with which the stream's window
 * begins. Of a clock that is behind by more than its pCPU was silent, something is.
 */
static bool follows_round(const struct order *o, const struct stream *s, uint64_t tsc)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        const struct step_window *w = round_before(o, pcpu, s);
        if (pcpu != s->pcpu && !o->steps[pcpu].out && w && w->last_tsc > tsc + SWITCH_SPAN)
            return false;
    }
    return true;
}

static bool comes_back(struct order *o, struct stream *s, uint64_t tsc)
{
    struct step *step = &o->steps[s->pcpu];
    struct decoder *d = o->decoder;
    if (!was_set_back(step, tsc))
        return false;
    bool ahead = tsc > o->tsc_last + STEP_CYCLES;
    bool alone = o->strangers.windows > 0; /* nobody in step wrote since it left */
    bool behind = step->ahead < 0 && !follows_round(o, s, tsc);
    if (alone || ahead || behind || tsc < step->blind_from || opinions_on(o, s, tsc).contradict > 0)
        return false;
    step->out = false;
    bool blind = d->model && !step->unused && tsc > step->blind_from;
    if (blind) /* room for events was reserved, and go_on counts those of this stream */
        stream_append_blind(s, step->blind_since, tsc, 0, UINT32_MAX);
    step->before.sweep = 0;
    return true;
}

/* Whether the odd run of the pCPU ended before `tsc`, and its clock, if set in that run, has since been `cycles` ahead (-1: behind). */
static bool was_set(const struct order *o, uint16_t pcpu, uint64_t tsc, int direction, double cycles)
{
    const struct pace *p = &o->steps[pcpu].pace;
    double by = direction * p->odd_ns / 1e9 * o->clock->cpu_hz;
    return pace_is_odd(p) && tsc >= p->odd_to && by > 0 && cycles > by / 4;
}

/*
 * A window begins with `tsc`. All of it comes after what other pCPUs' windows of a round before hold. Where the stamps say
 * otherwise, and a run of one of both pCPUs is odd, its clock was set.
 */
static void convict_runs(struct order *o, const struct stream *s, uint64_t tsc)
{
    const struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        const struct step_window *w = round_before(o, pcpu, s);
        if (pcpu == s->pcpu || o->steps[pcpu].out || !w)
            continue;
        double late = (double)w->last_tsc - (double)tsc;
        o->steps[pcpu].pace.convicted |= was_set(o, pcpu, w->last_tsc, 1, late);
        o->steps[s->pcpu].pace.convicted |= was_set(o, s->pcpu, tsc, -1, late);
    }
}

bool step_window(struct order *o, struct stream *s, uint64_t tsc, uint64_t next)
{
    struct step *step = &o->steps[s->pcpu];
    bool was_out = step->out;
    if (o->first_sweep != o->decoder->sweep) {
        o->first_sweep = o->decoder->sweep;
        o->first_max_before = o->first_max;
    }
    if (!was_out && o->strangers.windows == 0)
        first_strange_window(o, s);
    if (!(was_out ? comes_back(o, s, tsc) : stays(o, s, next))) {
        if (!was_out || o->strangers.windows > 0)
            strange_window(o, s);
        return false;
    }
    o->strangers.windows = 0;
    if (o->tsc_last > 0 && tsc > o->tsc_last + STEP_CYCLES)
        step->leap = (struct step_leap){o->decoder->sweep, tsc, tsc - o->tsc_last,
                                        s->begun && s->last_tsc > o->watermark ? s->last_tsc : o->watermark};
    if (o->odd_runs)
        convict_runs(o, s, next);
    step->before = step->last;
    step->last = (struct step_window){o->decoder->sweep, tsc, tsc};
    if (tsc > o->first_max)
        o->first_max = tsc;
    return true;
}

bool step_is_pending(const struct order *o, uint16_t pcpu, uint64_t ended)
{
    const struct decoder *d = o->decoder;
    const struct step *step = &o->steps[pcpu];
    if (step->out || step->leap.sweep == 0 || step->leap.sweep + 1 < ended)
        return false;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        if (s->pcpu != pcpu && s->begun && s->last_tsc + STEP_CYCLES >= step->leap.tsc)
            return false;
    }
    return d->pcpus_n > 1;
}
