#include "entry_history.h"

#include "metrics/min_max.h"

/*
 * The records of the last 1 ms decide whether a record is in the wrong order or contradicts (metrics/model/runstate.c).
 */
#define DOUBT_NS 1000000u

static bool goes_on(const struct seen_event *t)
{
    return t->old == RUNSTATE_RUNNING && t->new == RUNSTATE_RUNNING && t->fit == FITS;
}

/* A change from a state to the same state: Xen writes no such record. */
static bool makes_no_sense(const struct seen_event *t)
{
    return t->old == t->new && t->old != RUNSTATE_RUNNING;
}

/* Of a run of CONTINUE_RUNNING records only the first and the last matter. */
static bool replaces_last(const struct history *h, const struct seen_event *t)
{
    return h->n >= 2 && goes_on(t) && goes_on(history_at(h, h->n - 1)) && goes_on(history_at(h, h->n - 2));
}

/* Whether this record determines the blocking before the next execution (metrics/measure/ledger_book.c). */
static bool decides(const struct seen_event *t)
{
    bool preempted = t->new == RUNSTATE_RUNNABLE && t->old != RUNSTATE_OFFLINE;
    return !t->skewed && !makes_no_sense(t) &&
           (t->old == RUNSTATE_BLOCKED || t->before == RUNSTATE_BLOCKED || preempted);
}

void history_add(struct history *h, const struct seen_event *t)
{
    if (replaces_last(h, t)) {
        h->records[(h->n - 1) % HISTORY_RECORDS] = *t;
    } else {
        if (decides(t)) {
            h->decided_n = 0;
            if (h->n > 0)
                h->decided[h->decided_n++] = *history_at(h, h->n - 1);
            h->decided[h->decided_n++] = *t;
            h->undecided = false;
        } else if (makes_no_sense(t)) {
            h->undecided = true;
        }
        struct seen_event *place = &h->records[h->n % HISTORY_RECORDS];
        if (h->n >= HISTORY_RECORDS && place->fit != FITS)
            h->doubt_ns = max64(h->doubt_ns, place->time_ns);
        *place = *t;
        h->n++;
    }
    if (!t->skewed && !makes_no_sense(t)) {
        h->dispatched = h->dispatched || t->new == RUNSTATE_RUNNING;
        h->stopped = h->stopped || t->old == RUNSTATE_RUNNING;
        h->waited = h->waited || t->new == RUNSTATE_RUNNABLE;
    }
    if (t->old == RUNSTATE_RUNNING && !t->skewed)
        h->noted[NOTE_YIELD] = h->noted[NOTE_SLEEP] = false;
    h->lost_in = UINT64_MAX;
    h->lost_kept = h->displaced = false;
}

static void date(struct seen_event *t, uint64_t instant_ns)
{
    t->event.w[3] += (uint32_t)(t->time_ns - instant_ns);
    t->time_ns = instant_ns;
}

void history_date_last(struct history *h, uint64_t instant_ns)
{
    struct seen_event *last = &h->records[(h->n - 1) % HISTORY_RECORDS];
    for (unsigned i = 0; i < h->decided_n; i++)
        if (h->decided[i].serial == last->serial)
            date(&h->decided[i], instant_ns);
    date(last, instant_ns);
}

/* Whether every record shortly before record i fitted. */
static bool without_doubt(const struct history *h, uint64_t i, uint64_t oldest)
{
    uint64_t doubt_ns = oldest > 0 ? h->doubt_ns : 0;
    for (uint64_t j = oldest; j < i; j++)
        if (history_at(h, j)->fit != FITS)
            doubt_ns = history_at(h, j)->time_ns; /* they are in order */
    bool any = doubt_ns > 0 || (oldest == 0 && i > 0);
    return !any || history_at(h, i)->time_ns - doubt_ns > DOUBT_NS;
}

uint64_t history_start(const struct history *h, uint64_t windows_from)
{
    uint64_t oldest = h->n > HISTORY_RECORDS ? h->n - HISTORY_RECORDS : 0;
    /* The pCPU on which it ran last: a vCPU that stopped but was never dispatched needs all of its records. */
    bool ran = !h->dispatched && !h->stopped, waited = !h->waited;
    if (h->displaced)
        return HISTORY_NO_START;
    for (uint64_t i = h->n; i-- > oldest;) {
        const struct seen_event *t = history_at(h, i);
        if (!t->skewed && !makes_no_sense(t)) {
            ran = ran || (t->new == RUNSTATE_RUNNING && !goes_on(t));
            waited = waited || t->new == RUNSTATE_RUNNABLE;
        }
        if (i == 0)
            return 0;
        if (ran && waited && t->fit == FITS && t->old != RUNSTATE_RUNNING && !makes_no_sense(t) &&
            without_doubt(h, i, oldest))
            return h->undecided ? HISTORY_NO_START : i;
        if (makes_no_sense(t) || t->fit == FITS_UNKNOWN || (t->fit == FITS_GAP && t->serial < windows_from))
            return HISTORY_NO_START;
    }
    return HISTORY_NO_START;
}
