#include "instant.h"

#include "metrics/min_max.h"
#include "metrics/model/population.h"

#define STRETCH_BITS 28 /* of 0.27 s: some ten switches, and Xen's clock drifts by some us */
#define TOLERANCE_NS                                                                                         \
    20000u /* how far the instants may lie before the records' least delay, rather than that guests */
#define PROVEN     16 /* a chain in which so many switches were recorded soon after their instants is right: */
#define SOON_NS    220000u /* then one that seems to be recorded later was. Before that the payload is wrong */
#define GUEST_PART 64      /* run longer than Xen says: by 1/64 at most */

void instant_init(struct instant *i)
{
    *i = (struct instant){.least = {NO_DELAY, NO_DELAY}, .runner = NO_RUNNER};
}

void instant_break(struct instant *i)
{
    i->runner = NO_RUNNER;
    i->switched_out = false;
}

static void restart(struct instant *i, uint64_t now_ns)
{
    i->at_ns = now_ns;
    i->stretch = now_ns >> STRETCH_BITS;
    i->least[0] = NO_DELAY;
    i->least[1] = 0;
    i->agreed = 0;
}

/* A run of `ran_ns` modulo 2^32 that took about `about_ns`. */
static inline uint64_t unwrap(uint32_t ran_ns, uint64_t about_ns)
{
    uint64_t half = 1u << 31;
    if (about_ns < half || about_ns + half < ran_ns)
        return ran_ns;
    return ran_ns + ((about_ns + half - ran_ns) >> 32 << 32);
}

/* Notes the delay of a switch; returns the least one lately. */
static uint32_t least_delay(struct instant *i, uint32_t delay_ns, uint64_t now_ns)
{
    if (now_ns >> STRETCH_BITS != i->stretch) {
        i->stretch = now_ns >> STRETCH_BITS;
        i->least[0] = i->least[1];
        i->least[1] = NO_DELAY;
    }
    if (delay_ns < i->least[1])
        i->least[1] = delay_ns;
    return i->least[0] < i->least[1] ? i->least[0] : i->least[1];
}

/* Sets the chain right by so much; the delays are counted from it. */
static inline void correct(struct instant *i, int64_t later_ns)
{
    if (later_ns == 0)
        return;
    i->at_ns += (uint64_t)later_ns;
    for (int k = 0; k < 2; k++)
        if (i->least[k] != NO_DELAY)
            i->least[k] = (uint32_t)min64((uint64_t)((int64_t)i->least[k] - later_ns), DELAY_MAX);
}

/* How much later the switch is taken to be, of the delay that all records of late have. */
static uint32_t correction(uint32_t who, uint64_t ran_ns, uint32_t least_ns)
{
    if (who >> 16 == IDLE_DOMAIN)
        return least_ns;
    return least_ns > TOLERANCE_NS ? (uint32_t)min64(least_ns - TOLERANCE_NS, ran_ns / GUEST_PART) : 0;
}

/* Whether a record may lie so far from the instant that the chain gives it. */
static bool agrees(struct instant *i, uint64_t distance_ns)
{
    if (distance_ns > SOON_NS)
        return i->agreed == PROVEN && distance_ns <= INSTANT_LAG_NS;
    i->agreed += i->agreed < PROVEN;
    return true;
}

/* Sets the chain forth to a switch after `ran_ns`. Returns whether the times of the records agree with it. */
static bool go_on(struct instant *i, uint32_t who, uint64_t ran_ns, uint64_t now_ns)
{
    i->at_ns += ran_ns;
    if (i->at_ns > now_ns) { /* a record never precedes its instant */
        bool fine = agrees(i, i->at_ns - now_ns);
        correct(i, (int64_t)(now_ns - i->at_ns));
        least_delay(i, 0, now_ns);
        return fine;
    }
    uint32_t least = least_delay(i, (uint32_t)min64(now_ns - i->at_ns, DELAY_MAX), now_ns);
    correct(i, correction(who, ran_ns, least));
    bool fine = agrees(i, now_ns - i->at_ns);
    if (!fine && (i->agreed < PROVEN || least > INSTANT_LAG_NS))
        restart(i, now_ns);
    return fine;
}

uint64_t instant_switched_out(struct instant *i, uint32_t who, bool known, uint32_t ran_ns, uint64_t now_ns,
                              uint64_t *unused)
{
    i->out_ns = now_ns;
    if (!known || i->runner != who)
        restart(i, now_ns);
    else if (go_on(i, who, unwrap(ran_ns, now_ns - i->at_ns), now_ns))
        i->out_ns = i->at_ns;
    else
        ++*unused;
    i->runner = NO_RUNNER;
    i->switched_out = true;
    return i->out_ns;
}

uint64_t instant_switched_in(struct instant *i, uint32_t who, uint64_t now_ns)
{
    bool same = i->switched_out && now_ns - i->out_ns <= SWITCH_SPAN_NS;
    i->switched_out = false;
    i->runner = same ? who : NO_RUNNER;
    return same ? i->out_ns : now_ns;
}

#define AGREED_SHIFT 24 /* in w[1] of an EVENT_CHAIN, above a delay */

bool instant_save(const struct instant *i, uint64_t now_ns, struct event *e)
{
    bool runs = i->runner != NO_RUNNER;
    if (!runs && !i->switched_out)
        return false;
    e->slot = EVENT_CHAIN;
    e->w[0] = (uint32_t)min64(now_ns - i->at_ns, UINT32_MAX);
    e->w[1] = i->least[0] | (uint32_t)i->agreed << AGREED_SHIFT;
    e->w[2] = i->least[1];
    e->w[3] = i->runner;
    return true;
}

void instant_restore(struct instant *i, const struct event *e, uint64_t now_ns)
{
    *i = (struct instant){.at_ns = now_ns - min64(now_ns, e->w[0]),
                          .stretch = now_ns >> STRETCH_BITS,
                          .least = {e->w[1] & NO_DELAY, e->w[2] & NO_DELAY},
                          .agreed = (uint8_t)min64(e->w[1] >> AGREED_SHIFT, PROVEN),
                          .runner = e->w[3],
                          .switched_out = e->w[3] == NO_RUNNER};
    i->out_ns = e->w[0] > INSTANT_LAG_NS ? now_ns : i->at_ns;
}
