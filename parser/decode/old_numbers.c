#include "old_numbers.h"

#define DOMAIN_LAST  0x7fffu /* of guests and the idle domain */
#define VCPUS_MOST   0x2000u /* of a domain */
#define OUTWEIGHS    64      /* so many times as many records are the trace's, the others are damage */
#define FORM_HAS_TSC 8u

enum how { BY_WORDS, BY_TRACE };

/* An event that had another one's number. */
static const struct old_number {
    uint8_t slot, other; /* it was `slot`, but its number is today `other`'s */
    uint8_t words, how;  /* enum how */
    const char *since;
} rows[] = {
#define EVENT_OLD(SLOT, OTHER, WORDS, HOW, SINCE) {EVENT_##SLOT, EVENT_##OTHER, WORDS, HOW, SINCE},
#include "events.def"
};

#define ROWS (sizeof rows / sizeof rows[0])

/* ---- what the records tell ---- */

static uint64_t records_of(const struct quality *q, unsigned slot, unsigned words)
{
    return q->events[slot].forms[words] + q->events[slot].forms[words | FORM_HAS_TSC];
}

static uint64_t all_of(const struct quality *q, unsigned first, unsigned last)
{
    uint64_t n = 0;
    for (unsigned slot = first; slot <= last; slot++)
        for (unsigned form = 0; form < 16; form++)
            n += q->events[slot].forms[form];
    return n;
}

static bool is_credit2(unsigned slot)
{
    return slot >= EVENT_CREDIT2_TICK && slot <= EVENT_CREDIT2_RUNQ_CAND_CHECK;
}

/* Records that only credit2 of 4.1 and 4.2 (`credit2`), or only Xen 4.0 and 4.1, can have written. */
static uint64_t old_records(const struct quality *q, bool credit2)
{
    uint64_t n = credit2 ? q->old_burns : records_of(q, EVENT_TRACE_IRQ, 3);
    for (const struct old_number *row = rows; row < rows + ROWS; row++)
        if (row->how == BY_WORDS && is_credit2(row->slot) == credit2)
            n += records_of(q, row->other, row->words);
    return n;
}

/* Records that Xen writes since 4.3 only. */
static uint64_t new_records(const struct quality *q)
{
    uint64_t timed_tickles = q->events[EVENT_CREDIT_TICKLE].forms[1 | FORM_HAS_TSC]; /* since 4.7 */
    uint64_t load_2 = records_of(q, EVENT_CREDIT2_UPDATE_RUNQ_LOAD, 2);              /* old ones, too */
    return all_of(q, EVENT_CREDIT2_TICK, EVENT_NULL_TASKLET) - load_2 + timed_tickles +
           records_of(q, EVENT_CREDIT_SCHEDULE, 1) + records_of(q, EVENT_SWITCH_INFPREV, 3) +
           records_of(q, EVENT_SWITCH_INFNEXT, 4) + records_of(q, EVENT_SWITCH_INFCONT, 4) +
           all_of(q, EVENT_HYPERCALL_V2, EVENT_HYPERCALL_SUBCALL);
}

/* Records of credit whose number of words is not that of an old record of credit2. */
static uint64_t credit_records(const struct quality *q)
{
    return records_of(q, EVENT_CREDIT_ACCOUNT_START, 3) + records_of(q, EVENT_CREDIT_STOLEN_UNIT, 3) +
           records_of(q, EVENT_CREDIT_PICKED_CPU, 3) + records_of(q, EVENT_CREDIT_BOOST_START, 2) +
           records_of(q, EVENT_CREDIT_BOOST_END, 2);
}

/* Until 4.6 some records had no tsc, and others another number of words than since. */
static bool has_old_units(const struct quality *q)
{
    static const unsigned timed[] = {EVENT_CREDIT2_RUNQ_POS, EVENT_CREDIT2_TICKLE, EVENT_RTDS_TICKLE};
    uint64_t now = records_of(q, EVENT_DOM_ADD, 1) + records_of(q, EVENT_DOM_REM, 1) +
                   records_of(q, EVENT_SWITCH_INFPREV, 3) + records_of(q, EVENT_RTDS_SCHEDULE, 1) +
                   records_of(q, EVENT_CREDIT2_SCHEDULE, 2);
    uint64_t then = records_of(q, EVENT_DOM_ADD, 2) + records_of(q, EVENT_DOM_REM, 2) +
                    records_of(q, EVENT_RTDS_SCHED_TASKLET, 5);
    for (unsigned i = 0; i < sizeof timed / sizeof timed[0]; i++)
        for (unsigned words = 0; words < FORM_HAS_TSC; words++)
            if (q->events[timed[i]].forms[words])
                return true;
    return then > now;
}

unsigned old_numbers_traits(const struct quality *q)
{
    uint64_t credit2 = old_records(q, true), credit = credit_records(q);
    unsigned traits = has_old_units(q) ? TRAIT_OLD_UNITS : 0;
    if (new_records(q) > credit2 + old_records(q, false))
        return traits;
    traits |= TRAIT_OLD_NUMBERS;
    if (credit2 > OUTWEIGHS * credit)
        return traits | TRAIT_OLD_UNITS | TRAIT_OLD_CREDIT2;
    if (credit > OUTWEIGHS * credit2)
        return traits;
    return traits | TRAIT_CREDIT_UNSURE | (credit2 ? TRAIT_OLD_UNITS : 0);
}

bool old_number_is_burn(uint32_t first, uint32_t second, uint32_t third)
{
    return first > DOMAIN_LAST || second >= VCPUS_MOST || third > VCPUS_MOST;
}

/* ---- events ---- */

/* What an event was; its own slot: what it is. */
static unsigned slot_then(const struct event *e, unsigned traits)
{
    for (const struct old_number *row = rows; row < rows + ROWS; row++) {
        if (row->other != e->slot || row->words != event_words(e))
            continue;
        bool burn = e->slot == EVENT_CREDIT_ACCOUNT_STOP && old_number_is_burn(e->w[0], e->w[1], e->w[2]);
        bool then =
            row->how == BY_WORDS || traits & TRAIT_OLD_CREDIT2 || (traits & TRAIT_CREDIT_UNSURE && burn);
        return then ? row->slot : e->slot;
    }
    return e->slot;
}

static bool has_old_number(unsigned slot)
{
    for (const struct old_number *row = rows; row < rows + ROWS; row++)
        if (row->other == slot)
            return true;
    return false;
}

bool old_numbers_widen(struct event_interest *i)
{
    bool more = false;
    const struct event_interest given = *i;
    for (const struct old_number *row = rows; row < rows + ROWS; row++) {
        i->raw[row->other] |= given.raw[row->slot];
        i->model[row->other] |= given.model[row->slot];
        i->model_without_runstates[row->other] |= given.model_without_runstates[row->slot];
        more = more || given.raw[row->slot] || given.model[row->slot] ||
               given.model_without_runstates[row->slot] || given.raw[row->other];
    }
    return more;
}

void old_numbers_rename(struct event *events, size_t n, const struct event_interest *interest,
                        unsigned traits)
{
    bool concerned[EVENT_SLOTS];
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        concerned[slot] = has_old_number(slot);
    for (struct event *e = events; e < events + n; e++) {
        if (e->slot >= EVENT_SLOTS || !concerned[e->slot])
            continue;
        if (traits & TRAIT_OLD_NUMBERS)
            e->slot = (uint8_t)slot_then(e, traits);
        bool model = interest->model[e->slot] || interest->model_without_runstates[e->slot];
        unsigned unwanted = (interest->raw[e->slot] ? 0 : EVENT_RAW) | (model ? 0 : EVENT_MODEL);
        e->flags &= (uint8_t)~unwanted;
    }
}

/* ---- counts ---- */

static void move_count(struct quality *q, const struct old_number *row, uint64_t most)
{
    for (unsigned tsc = 0; tsc <= FORM_HAS_TSC; tsc += FORM_HAS_TSC) {
        uint64_t *from = &q->events[row->other].forms[row->words | tsc];
        uint64_t n = *from < most ? *from : most;
        *from -= n;
        most -= n;
        q->events[row->slot].forms[row->words | tsc] += n;
    }
}

void old_numbers_count(struct quality *q)
{
    unsigned traits = old_numbers_traits(q);
    if (!(traits & TRAIT_OLD_NUMBERS))
        return;
    for (const struct old_number *row = rows; row < rows + ROWS; row++)
        if (row->how == BY_WORDS || traits & TRAIT_OLD_CREDIT2)
            move_count(q, row, UINT64_MAX);
        else if (traits & TRAIT_CREDIT_UNSURE && row->other == EVENT_CREDIT_ACCOUNT_STOP)
            move_count(q, row, q->old_burns);
}

const char *old_numbers_since(const struct quality *q, size_t *row, unsigned *slot)
{
    unsigned traits = old_numbers_traits(q);
    while (traits & TRAIT_OLD_NUMBERS && *row < ROWS) {
        const struct old_number *at = &rows[(*row)++];
        bool burns = at->other == EVENT_CREDIT_ACCOUNT_STOP && q->old_burns;
        *slot = at->slot;
        if (burns || (at->how == BY_WORDS && records_of(q, at->other, at->words)))
            return at->since;
    }
    return NULL;
}

unsigned old_number_alternative(unsigned slot, unsigned words)
{
    for (const struct old_number *row = rows; row < rows + ROWS; row++)
        if (row->how == BY_TRACE && row->other == slot && row->words == words)
            return row->slot;
    return EVENT_UNRECOGNISED;
}
