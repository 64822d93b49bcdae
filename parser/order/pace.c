#include "pace.h"

#include "parser/decode/record_format.h"

#define SLACK_PPM   200     /* of a run's length: the clocks drift apart */
#define USUAL_PART  64      /* where the stamps usually lie follows by this part of each run's difference */
#define USUAL_SLACK 50000.0 /* how far all runs together may be off, ns */

static double ns_of(const struct clock *clock, uint64_t cycles)
{
    return (double)(uint64_t)(((uint128)cycles * clock->multiplier) >> clock->shift);
}

/* By how much a run is longer by the stamps than by Xen's clock, which is known modulo 2^32 ns. */
static double longer_by(const struct clock *clock, uint64_t from, uint64_t to, uint32_t ran_ns, double *ns)
{
    *ns = to >= from ? ns_of(clock, to - from) : -ns_of(clock, from - to);
    return (double)(int32_t)((uint32_t)(int64_t)*ns - ran_ns);
}

#define EVEN_SWEEPS  16
#define RUNS_PROVING 3 /* so many runs, */
#define LONG_NS      50e6 /* as long together as the odd one, or as this, say whether the stamps go on leaving, */
#define RUNS_MOST    64 /* more say nothing new */
#define STAYS_PART   4  /* by more than this part of what they left by */

bool pace_is_proven(const struct pace *p, bool end)
{
    double more_ns = p->off_ns > p->odd_ns ? p->off_ns - p->odd_ns : p->odd_ns - p->off_ns;
    double most_ns = (p->odd_ns < 0 ? -p->odd_ns : p->odd_ns) / STAYS_PART;
    double length_ns = p->odd_length_ns < LONG_NS ? p->odd_length_ns : LONG_NS;
    bool enough = p->runs >= RUNS_PROVING && p->runs_ns >= length_ns;
    return p->missed || ((enough || (end && p->runs > 0)) && more_ns <= most_ns);
}

void pace_excuse(struct pace *p)
{
    p->odd_tsc = 0;
    p->off_ns = 0;
    p->missed = p->convicted = false;
}

void pace_restart(struct pace *p)
{
    *p = (struct pace){0};
}

/* The stamps left where they usually lie in the run from p->since to `to`. */
static void begin_odd(struct pace *p, double ns, uint64_t to, uint64_t sweep)
{
    p->odd_ns = p->off_ns;
    p->odd_length_ns = ns;
    p->runs_ns = 0;
    p->odd_tsc = p->since;
    p->odd_to = to;
    p->odd_sweep = sweep;
    p->runs = 0;
}

/* Adds a run that is not odd. */
static void add_usual(struct pace *p, struct pace_usual *usual, double ns, double longer_ns, uint64_t to,
                      uint64_t sweep)
{
    usual->ns += ns;
    usual->longer_ns += longer_ns;
    usual->runs++;
    if (to - p->since >= p->even_to - p->even_tsc || sweep > p->even_sweep + EVEN_SWEEPS) {
        p->even_tsc = p->since;
        p->even_to = to;
        p->even_sweep = sweep;
    }
}

/* A run from p->since to `to` has ended. */
static void take_run(struct pace *p, struct pace_usual *usual, double ns, double longer_ns, uint64_t to,
                     uint64_t sweep)
{
    bool known = usual->runs >= PACE_RUNS && usual->ns > 0;
    double rate = known ? usual->longer_ns / usual->ns : 0;
    double slack_ns = PACE_SLACK_NS + ns * (SLACK_PPM / 1e6 + (known ? USUAL_SLACK / usual->ns : 0));
    p->off_ns = known ? p->off_ns + longer_ns - ns * rate : 0;
    bool far = p->off_ns > slack_ns || p->off_ns < -slack_ns;
    if (pace_is_odd(p)) {
        p->runs++;
        p->runs_ns += ns;
        if (!p->missed && (!far || p->runs > RUNS_MOST)) { /* a record was late, or Xen's clock is slewed */
            pace_excuse(p);
        }
    } else if (far) {
        begin_odd(p, ns, to, sweep);
    } else {
        p->off_ns -= p->off_ns / USUAL_PART;
        add_usual(p, usual, ns, longer_ns, to, sweep);
    }
}

/* A vCPU stopped running; p->since is known. */
static void stop_run(struct pace *p, struct pace_usual *usual, const struct clock *clock,
                     const struct event *e, uint64_t sweep)
{
    double ns;
    bool missed = p->who != e->w[0];
    if (missed && !pace_is_odd(p)) {
        begin_odd(p, 0, e->tsc, sweep);
        p->missed = true;
    } else if (e->flags & EVENT_RAN && !missed) {
        double longer_ns = longer_by(clock, p->since, e->tsc, e->w[2], &ns);
        take_run(p, usual, ns, longer_ns, e->tsc, sweep);
    }
}

static void take_change(struct pace *p, struct pace_usual *usual, const struct clock *clock,
                        const struct event *e, uint64_t sweep)
{
    if (runstate_old(e->header) == XEN_RUNNING) {
        if (p->since > 0)
            stop_run(p, usual, clock, e, sweep);
        p->since = 0;
    }
    if (runstate_new(e->header) == XEN_RUNNING) {
        p->since = e->tsc;
        p->who = e->w[0];
    }
}

void pace_take(struct pace *p, struct pace_usual *usual, const struct clock *clock, const struct event *e,
               const struct event *end, uint64_t sweep)
{
    for (; e < end; e++) {
        if (e->slot == EVENT_RUNSTATE_CHANGE)
            take_change(p, usual, clock, e, sweep);
        else if (e->slot == EVENT_BLIND_BEGIN || e->slot == EVENT_BLIND_END)
            p->since = 0;
    }
}
