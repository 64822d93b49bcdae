#include "drift.h"

#define LATE_NS      200000   /* a run that is off by less, */
#define LATE_PART    16       /* or by less than this part of it, ends with no record that is late */
#define LATE_MOST_NS 16000000 /* by so much records at both ends may be, where all are */
#define SLIP_NS      8000000  /* so far an emulated host's clock slips, and comes back within some seconds */
#define SLIP_PART    16   /* of a slip that did not come back this part is forgotten, stretch by stretch */
#define SLACK_PPM    1000 /* what a clock may be off by that is called good */
#define GIVEN_PPM    1000 /* and one that was given more: it may be rounded */

/* By how much the stamps are further apart than Xen's clock says. */
static int64_t longer_by(const struct clock *clock, uint64_t cycles, uint32_t ran_ns, uint64_t *ns)
{
    *ns = (uint64_t)(((uint128)cycles * clock->multiplier) >> clock->shift);
    return (int32_t)((uint32_t)*ns - ran_ns);
}

static uint64_t size_of(int64_t ns)
{
    return (uint64_t)(ns < 0 ? -ns : ns);
}

/* A stretch begins, nothing being known before it. */
static void begin(struct drift *d, const struct clock *clock, uint64_t tsc)
{
    *d = (struct drift){
        .from = tsc, .last = tsc, .sure = tsc, .due = tsc + (uint64_t)clock->cpu_hz, .off_ns = d->off_ns};
}

void drift_take(struct drift *d, const struct clock *clock, uint64_t tsc, uint32_t ran_ns)
{
    if (!d->from || tsc < d->last) {
        begin(d, clock, tsc);
        return;
    }
    uint64_t ns, off_ns = size_of(longer_by(clock, tsc - d->last, ran_ns, &ns));
    bool sure = off_ns <= LATE_NS + ns / LATE_PART;
    if (sure && d->sure == d->from)
        begin(d, clock, d->last); /* the record there was not late, either */
    d->last = tsc;
    d->last_ns += ran_ns;
    if (sure) {
        d->sure = tsc;
        d->sure_ns = d->last_ns;
    }
}

static void count(struct quality *q, uint64_t from_ns, uint64_t ns, uint64_t ppm)
{
    if (q->clock_off_ns == 0 || from_ns < q->clock_off_at_ns)
        q->clock_off_at_ns = from_ns;
    q->clock_off_ns += ns;
    q->clock_off_ppm = ppm > q->clock_off_ppm ? ppm : q->clock_off_ppm;
}

/* What of a difference is more than a good clock may be off by. */
static int64_t excess(const struct clock *clock, int64_t off_ns, uint64_t ns)
{
    int64_t slack_ns = (int64_t)(ns / 1000000 * (SLACK_PPM + (clock->measured ? 0 : GIVEN_PPM)));
    return off_ns > slack_ns ? off_ns - slack_ns : off_ns < -slack_ns ? off_ns + slack_ns : 0;
}

void drift_judge(struct drift *d, const struct clock *clock, struct quality *quality)
{
    bool sure = d->sure > d->from;
    uint64_t ns, to = sure ? d->sure : d->last;
    uint32_t ran_ns = sure ? d->sure_ns : d->last_ns;
    int64_t off_ns = longer_by(clock, to - d->from, ran_ns, &ns);
    if (!d->from || ns == 0)
        return;
    int64_t more_ns = excess(clock, off_ns, ns);
    d->off_ns += more_ns - d->off_ns / SLIP_PART;
    if (more_ns != 0 && size_of(d->off_ns) > (sure ? SLIP_NS : LATE_MOST_NS))
        count(quality, clock_ns(clock, d->from), ns, size_of(off_ns) * 1000000 / ns);
    d->from = d->sure = to;
    d->due = to + (uint64_t)clock->cpu_hz;
    d->last_ns -= ran_ns;
    d->sure_ns = 0;
}
