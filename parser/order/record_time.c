#include "record_time.h"

#include "step.h"

/* No counter gets that far: 29 years at 5 GHz. */
#define TSC_IMPOSSIBLE (1ull << 62)
/* Records so much older than the watermark belong to another capture: about 1.6 s. */
#define TSC_STALE (1ull << 32)

static bool follows(uint64_t tsc, uint64_t next)
{
    return next >= tsc && next - tsc <= TSC_LEAP;
}

/* The time of the first record of all, in the light of the next two: two of three that agree are right. */
static uint64_t first_of_all(const struct odd_time *t, struct quality *q)
{
    if (t->followers == 0 || follows(t->tsc, t->next) || (t->followers > 1 && follows(t->tsc, t->third)))
        return t->tsc;
    q->tsc_implausible++;
    return t->followers > 1 || t->next < t->tsc ? t->next : t->tsc;
}

/*
 * Time on this pCPU was ahead of itself: what is queued beyond `tsc` moves back to it, and so do the trace's beginning and
 * end, as far as they came from such times.
 */
static void pull_back(struct order *o, struct stream *s, uint64_t tsc)
{
    const struct decoder *d = o->decoder;
    stream_pull_back(s, tsc);
    silences_pull_back(&o->silences, s->pcpu, tsc);
    step_pull_back(o, s->pcpu, tsc);
    o->tsc_last = tsc;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *other = d->streams[d->pcpus[i]];
        if (other->begun && other->last_tsc > o->tsc_last)
            o->tsc_last = other->last_tsc;
    }
    if (tsc < o->tsc_first)
        o->tsc_first = tsc;
    if (o->sweep_max > o->tsc_last)
        o->sweep_max = o->tsc_last;
}

/* A time not before the last one. */
static uint64_t judge_ahead(const struct order *o, const struct odd_time *t, uint64_t last, bool *foreign)
{
    uint64_t front = last > o->tsc_last ? last : o->tsc_last;
    bool confirmed = t->followers > 0 && follows(t->tsc, t->next);
    *foreign = t->tsc > front && t->tsc - front > TSC_FOREIGN && confirmed;
    if (t->tsc <= front || t->tsc - front <= TSC_LEAP || confirmed)
        return t->tsc;
    o->decoder->quality->tsc_implausible++;
    bool between = t->followers > 0 && t->next >= last && t->next < t->tsc;
    return between && t->next - last <= TSC_LEAP ? t->next : last;
}

/*
 * What records that go back do not move back beyond: the watermark and, if the pCPU's first stamps were right, the trace's
 * beginning. A clock that was set back to before the beginning says nothing of when that was.
 */
static uint64_t floor_of(const struct order *o, const struct step *step)
{
    bool right = step->ascending == STEP_ASCENDING && o->tsc_first != UINT64_MAX;
    return right && o->tsc_first > o->watermark ? o->tsc_first : o->watermark;
}

/* A time before the last one. */
static uint64_t judge_behind(struct order *o, struct stream *s, const struct odd_time *t, uint64_t last,
                             bool *foreign)
{
    struct quality *q = o->decoder->quality;
    struct step *step = &o->steps[s->pcpu];
    uint64_t floor = floor_of(o, step);
    if (t->followers > 0 && t->next < last) {
        /* Two are not both wrong: it was the clock that was set back, and what came before it stays where it is. */
        if (t->tsc < floor && t->next < floor)
            step->behind_sweep = o->decoder->sweep;
        bool behind = step->behind_sweep == o->decoder->sweep;
        bool moves = !behind && t->tsc >= floor && t->tsc >= o->foreign_front;
        step->back_from = last;
        step->back_to = moves ? t->tsc : last;
        /* The next record agrees: it was the earlier tsc that was wrong, or the clock was set back. */
        if (moves) {
            q->tsc_backwards++;
            pull_back(o, s, t->tsc);
            return t->tsc;
        }
        *foreign = t->tsc < floor && floor - t->tsc > TSC_STALE;
    }
    /* Once another capture has begun, none of its time up to where this one came is ours. */
    if (*foreign && o->foreign_front == 0)
        o->foreign_front = o->tsc_last;
    *foreign = *foreign || t->tsc < o->foreign_front;
    q->tsc_backwards += !*foreign;
    return last;
}

/*
 * The trace began with a record that stands alone, so that nothing confirmed its time; this one, the first of a window, is far from
 * it, and is confirmed. When that record was written is not known, then: the model does not get it, and its pCPU is blind up to its
 * next one. What the pCPU writes next may well be in step.
 */
static void doubt_lone(struct order *o, const struct odd_time *t)
{
    struct stream *lone = o->lone;
    if (lone->last_tsc != o->lone_tsc || t->tsc > o->lone_tsc || o->lone_tsc - t->tsc <= TSC_FOREIGN ||
        t->tsc < o->watermark || t->followers == 0 || !follows(t->tsc, t->next))
        return;
    o->decoder->quality->tsc_implausible++;
    pull_back(o, lone, t->tsc);
    step_doubt_window(o, lone->pcpu, t->tsc);
    stream_settle(lone);
    step_take_back(o, lone, lone->head, TSC_NONE);
    lone->old_lost = true;
    lone->old_lost_count = 0;
    lone->reach = 0;
    o->lone = NULL;
    o->lone_doubted = true;
}

/* Judges a tsc that goes back, leaps ahead, or is the pCPU's first. */
static uint64_t judge(struct order *o, struct stream *s, const struct odd_time *t, bool *foreign)
{
    uint64_t last = s->begun ? s->last_tsc : o->tsc_last;
    if (!s->begun && o->tsc_first == UINT64_MAX) {
        uint64_t tsc = first_of_all(t, o->decoder->quality);
        o->lone = t->followers == 0 ? s : NULL;
        o->lone_tsc = tsc;
        *foreign = tsc >= TSC_IMPOSSIBLE;
        return tsc;
    }
    if (!s->begun && t->tsc < o->watermark)
        last = o->watermark;
    else if (!s->begun && t->tsc < last)
        last = t->tsc; /* a pCPU's first record may well be older than other pCPUs' */
    return t->tsc >= last ? judge_ahead(o, t, last, foreign) : judge_behind(o, s, t, last, foreign);
}

/* Notes that the pCPU wrote nothing since `last`, if that is long. */
static void note_silence(struct order *o, const struct stream *s, const struct odd_time *t, uint64_t last)
{
    uint64_t since = s->begun ? last : o->tsc_first;
    uint64_t least = t->begins_window ? silence_window_cycles(&o->silences) : silence_cycles(&o->silences);
    if (t->tsc <= since || t->tsc - since < least)
        return;
    uint64_t run_since = s->begun ? s->run_since : o->tsc_first;
    bool run = run_since > 0 && t->run_end > run_since;
    struct silence silence = {.from = s->begun ? last : 0,
                              .to = t->tsc,
                              .run_cycles = run ? t->run_end - run_since : 0,
                              .runtime_ns = t->runtime_ns,
                              .pcpu = s->pcpu,
                              .idle = !s->begun || silence_is_idle(s)};
    silences_note(&o->silences, &silence);
}

/* How many cycles between two records of a pCPU matter. */
static uint64_t reach(const struct order *o)
{
    uint64_t silence = silence_cycles(&o->silences);
    return silence < STEP_CYCLES ? silence : STEP_CYCLES;
}

/* A record came at t->tsc after `last`, on a pCPU whose first ones are counted. */
static void count_ascending(struct step *step, bool first, const struct odd_time *t, uint64_t last)
{
    if (step->ascending < STEP_ASCENDING)
        step->ascending = first || !follows(last, t->tsc) ? 1 : step->ascending + 1;
}

/* Whether the window that begins with this time is to be used. A wrong time says nothing about the pCPU's clock. */
static bool begin_window(struct order *o, struct stream *s, const struct odd_time *t)
{
    bool confirmed = t->followers == 0 || follows(t->tsc, t->next);
    uint64_t next = t->followers == 0 ? t->tsc : t->next;
    if (!confirmed || next >= TSC_IMPOSSIBLE)
        return !o->steps[s->pcpu].out;
    return step_window(o, s, t->tsc, next);
}

bool record_time_judge(void *order, struct stream *s, struct odd_time *t)
{
    struct order *o = order;
    bool foreign = false;
    if (t->begins_window && o->lone)
        doubt_lone(o, t);
    uint64_t last = s->last_tsc;
    if (t->begins_window && !begin_window(o, s, t))
        return false;
    if (!s->begun || t->tsc - s->last_tsc > TSC_LEAP)
        t->tsc = judge(o, s, t, &foreign);
    if (foreign) {
        step_foreign_window(o, s, t->begins_window);
        return false;
    }
    bool any = o->tsc_first != UINT64_MAX, confirmed = t->followers > 0 && follows(t->tsc, t->next);
    uint64_t most = confirmed ? UINT64_MAX : TSC_LEAP;
    if (!any || (t->tsc < o->tsc_first && o->tsc_first - t->tsc <= most && t->tsc >= o->watermark))
        o->tsc_first = t->tsc;
    /* What is older than the watermark can only come at that time: each of these records is counted. */
    bool late = t->tsc < o->watermark;
    o->decoder->quality->tsc_backwards += late;
    s->late = s->late || late;
    count_ascending(&o->steps[s->pcpu], !s->begun, t, last);
    bool counts = o->steps[s->pcpu].ascending < STEP_ASCENDING;
    s->reach = late || counts ? 0 : reach(o);
    step_note_gap(o, s->pcpu, s->begun ? last : 0, t->tsc);
    bool was_silent = t->begins_window && s->begun && !s->before_blind && t->tsc > last;
    if (was_silent && t->tsc - last > s->longest_silence)
        s->longest_silence = t->tsc - last;
    note_silence(o, s, t, last);
    return true;
}
