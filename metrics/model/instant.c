#include "instant.h"

#include "metrics/min_max.h"
#include "metrics/model/population.h"

#define STRETCH_BITS 28 /* of 0.27 s: some ten switches */
/* After a longer silence earlier delays say nothing: what the drift adds up to meanwhile is not known so exactly. */
#define STRETCHES_NEAR 4
#define DRIFT_BITS     26        /* drift is counted in parts of 15e-9 */
#define DRIFT_MAX      INT16_MAX /* 488 ppm */
#define DRIFT_PART     4         /* of what a stretch seems to drift by, this part is believed */
#define SLIP_NS        100000    /* what goes wrong by more in a stretch is no drift */
#define TOLERANCE_NS   20000     /* guests run longer than Xen says where all delays exceed this, */
#define GUEST_PART     64        /* by 1/64 at most */
#define PROVEN         16 /* after so many switches that were recorded soon, a chain is right where a record */
#define SOON_NS        220000u /* follows later than this; before that the payload is wrong */
#define NO_DELAY       0x7fffffff
#define DELAY_MAX      0x7ffffe /* of `least`: 24 bits with the sign */
#define LOST_NS        0xffffff /* a chain that is so far behind the records is none: 16.8 ms */

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

static inline int32_t limited(int64_t ns, int32_t most)
{
    return ns > most ? most : ns < -most ? -most : (int32_t)ns;
}

/* The delays are counted from an instant that is so much later. */
static inline void count_from_later(struct instant *i, int64_t later_ns)
{
    if (later_ns == 0)
        return;
    for (int k = 0; k < 2; k++)
        if (i->least[k] != NO_DELAY)
            i->least[k] = limited(i->least[k] - later_ns, DELAY_MAX);
}

/* A stretch is over, and its delays are compared with those of the one before. */
static void next_stretch(struct instant *i, uint64_t stretches)
{
    int64_t wrong_ns = (int64_t)i->least[1] - i->least[0];
    bool learns = stretches == 1 && i->least[0] != NO_DELAY && i->agreed == PROVEN && wrong_ns < SLIP_NS &&
                  wrong_ns > -SLIP_NS;
    if (learns) /* parts of 2^DRIFT_BITS in 2^STRETCH_BITS ns */
        i->drift =
            (int16_t)limited(i->drift + wrong_ns / (DRIFT_PART << (STRETCH_BITS - DRIFT_BITS)), DRIFT_MAX);
    i->least[0] = stretches <= STRETCHES_NEAR ? i->least[1] : NO_DELAY;
    i->least[1] = NO_DELAY;
}

/* Lets the delays grow up to now. Within a stretch no fraction is lost, however often this is done. */
static inline void drift(struct instant *i, uint64_t now_ns)
{
    int64_t mask = (1 << STRETCH_BITS) - 1;
    uint64_t stretches = (now_ns >> STRETCH_BITS) - (i->seen_ns >> STRETCH_BITS);
    int64_t from = (int64_t)i->seen_ns & mask, to = (int64_t)now_ns & mask;
    if (stretches > 0) {
        next_stretch(i, stretches);
        from = 0;
        to = (int64_t)(now_ns - i->seen_ns);
    }
    count_from_later(i, (from * i->drift >> DRIFT_BITS) - (to * i->drift >> DRIFT_BITS));
}

/* Notes the delay of a switch; returns the least one lately. */
static int32_t least_delay(struct instant *i, uint64_t delay_ns)
{
    if ((int64_t)delay_ns < i->least[1])
        i->least[1] = limited((int64_t)delay_ns, DELAY_MAX);
    return i->least[0] < i->least[1] ? i->least[0] : i->least[1];
}

/* How much later the switch is taken to be, of the delay that all records of late have. */
static int64_t correction(uint32_t who, uint64_t ran_ns, int32_t least_ns)
{
    if (who >> 16 == IDLE_DOMAIN)
        return least_ns >= 0 || ran_ns > (uint64_t) - (int64_t)least_ns ? least_ns : -(int64_t)ran_ns;
    return least_ns > TOLERANCE_NS ? (int64_t)min64((uint64_t)(least_ns - TOLERANCE_NS), ran_ns / GUEST_PART)
                                   : 0;
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
    drift(i, now_ns);
    i->at_ns += ran_ns;
    if (i->at_ns > now_ns) { /* a record never precedes its instant */
        uint64_t early_ns = i->at_ns - now_ns;
        i->at_ns = now_ns;
        count_from_later(i, -(int64_t)early_ns);
        least_delay(i, 0);
        return agrees(i, early_ns);
    }
    int32_t least = least_delay(i, now_ns - i->at_ns);
    int64_t later_ns = correction(who, ran_ns, least);
    i->at_ns += (uint64_t)later_ns;
    count_from_later(i, later_ns);
    bool fine = agrees(i, now_ns - i->at_ns);
    if (!fine && (i->agreed < PROVEN || least == DELAY_MAX || now_ns - i->at_ns > LOST_NS))
        restart(i, now_ns);
    return fine;
}

/* The chain's last switch is known to be later: of an idle run the chain takes that over. */
static void hold_up(struct instant *i, uint32_t who, uint64_t not_before_ns)
{
    if (not_before_ns <= i->out_ns || not_before_ns - i->out_ns > INSTANT_EARLY_NS)
        return;
    if (who >> 16 == IDLE_DOMAIN && i->at_ns == i->out_ns) {
        count_from_later(i, (int64_t)(not_before_ns - i->at_ns));
        i->at_ns = not_before_ns;
    }
    i->out_ns = not_before_ns;
}

uint64_t instant_switched_out(struct instant *i, struct run run, uint64_t now_ns, uint64_t not_before_ns,
                              uint64_t *unused)
{
    i->out_ns = now_ns;
    if (!run.known || i->runner != run.who)
        restart(i, now_ns);
    else if (go_on(i, run.who, unwrap(run.ran_ns, now_ns - i->at_ns), now_ns))
        i->out_ns = i->at_ns;
    else
        ++*unused;
    hold_up(i, run.who, not_before_ns);
    i->seen_ns = now_ns;
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

void instant_snapshot(struct snapshot *s, struct instant *i)
{
    SNAPSHOT_TIME(s, i->at_ns);
    SNAPSHOT_TIME(s, i->out_ns);
    SNAPSHOT_TIME(s, i->seen_ns);
    for (int k = 0; k < 2; k++) {
        bool known = i->least[k] != NO_DELAY;
        SNAPSHOT_FLAG(s, known);
        i->least[k] = known ? (int32_t)snapshot_signed(s, i->least[k], -DELAY_MAX, DELAY_MAX) : NO_DELAY;
    }
    i->drift = (int16_t)snapshot_signed(s, i->drift, -DRIFT_MAX, DRIFT_MAX);
    SNAPSHOT(s, i->agreed, PROVEN);
    SNAPSHOT_FLAG(s, i->switched_out);
    SNAPSHOT(s, i->runner, UINT32_MAX);
}
