#include "pace.h"

#include "parser/decode/record_format.h"

#define SLACK_PPM     200  /* of a run's length: the clocks drift apart */
#define USUAL_PART    64   /* where the stamps usually lie follows by this part of each run's difference */
#define USUAL_MOST    20   /* no frequency that is given is wrong by more than this part of it, */
#define USUAL_LONGEST 1e9  /* and longer runs may not be what they seem, ns */
#define RATE_MOST     0.01 /* of a frequency that is further off nothing follows, */
#define USUAL_SLACK   300000.0 /* how far all runs together may be off, ns */

static int64_t ns_of(const struct clock *clock, uint64_t cycles)
{
    return (int64_t)(((uint128)cycles * clock->multiplier) >> clock->shift);
}

/* By how much a run is longer by the stamps than by Xen's clock, which is known modulo 2^32 ns. */
static double longer_by(const struct clock *clock, uint64_t from, uint64_t to, uint32_t ran_ns, double *ns)
{
    int64_t run_ns = to >= from ? ns_of(clock, to - from) : -ns_of(clock, from - to);
    *ns = (double)run_ns;
    return (double)(int32_t)((uint32_t)run_ns - ran_ns);
}

#define RUNS_PROVING 3 /* so many runs, */
#define LONG_NS      50e6 /* as long together as the odd one, or as this, say whether the stamps go on leaving, */
#define STAYS_PART   4 /* by more than this part of what they left by */

/* Whether the runs since the odd one say whether the stamps stay. */
static bool enough(const struct pace *p)
{
    double length_ns = p->odd_length_ns < LONG_NS ? p->odd_length_ns : LONG_NS;
    return p->runs >= RUNS_PROVING && p->runs_ns >= length_ns;
}

static bool stays(const struct pace *p)
{
    double more_ns = p->off_ns > p->odd_ns ? p->off_ns - p->odd_ns : p->odd_ns - p->off_ns;
    return more_ns <= (p->odd_ns < 0 ? -p->odd_ns : p->odd_ns) / STAYS_PART;
}

bool pace_is_proven(const struct pace *p, bool end)
{
    return p->missed || p->proven || (end && p->runs > 0 && stays(p));
}

void pace_excuse(struct pace *p)
{
    p->odd_tsc = 0;
    p->off_ns = 0;
    p->missed = p->proven = p->convicted = false;
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
    p->still = ns <= 0;
    p->twice = false;
    p->odd_tsc = p->since;
    p->odd_to = to;
    p->odd_sweep = sweep;
    p->runs = 0;
}

/* The odd run goes on: so does what takes the stamps away. */
static void extend_odd(struct pace *p, uint64_t to)
{
    p->odd_ns = p->off_ns;
    p->odd_to = to;
    p->runs = 0;
    p->runs_ns = 0;
    p->proven = false;
}

/*
 * Whether the counter went back in the odd run and in the one after it: once, at the switch between them, whose record was moved
 * back to the one after it.
 */
static bool is_second(const struct pace *p, double longer_ns)
{
    return !p->twice && p->runs == 1 && p->odd_ns < -PACE_SLACK_NS && longer_ns < -PACE_SLACK_NS;
}

/*
 * Adds a run that is not odd, as far as is known; what is far from any other may be so, and what took no time by stamps that were
 * moved back.
 */
static void add_usual(struct pace_usual *usual, double ns, double longer_ns)
{
    double most_ns = PACE_SLACK_NS + ns / USUAL_MOST;
    if (ns <= 0 || ns > USUAL_LONGEST || longer_ns > most_ns || -longer_ns > most_ns)
        return;
    usual->ns += ns;
    usual->longer_ns += longer_ns;
    usual->runs++;
}

/*
 * By which part of their length usual runs are longer, and how sure that is. A measured frequency was measured from them. False:
 * it is not known by now, or the frequency that was given is wrong.
 */
static bool usual_rate(const struct pace_usual *usual, const struct clock *clock, double *rate,
                       double *unsure)
{
    *rate = *unsure = 0;
    if (clock->measured)
        return true;
    if (usual->runs < PACE_RUNS || usual->ns <= 0)
        return false;
    *unsure = USUAL_SLACK / usual->ns;
    *rate = usual->longer_ns / usual->ns;
    if (*rate < *unsure && -*rate < *unsure)
        *rate = 0;
    return *rate < RATE_MOST && -*rate < RATE_MOST;
}

/* A run from p->since to `to` has ended. */
static void take_run(struct pace *p, struct pace_usual *usual, const struct clock *clock, double ns,
                     double longer_ns, uint64_t to, uint64_t sweep)
{
    double rate, unsure;
    bool known = usual_rate(usual, clock, &rate, &unsure);
    double slack_ns = PACE_SLACK_NS + ns * (SLACK_PPM / 1e6 + unsure);
    p->off_ns = known ? p->off_ns + longer_ns - ns * rate : 0;
    bool far = p->off_ns > slack_ns || p->off_ns < -slack_ns;
    if (pace_is_odd(p)) {
        p->runs++;
        p->runs_ns += ns;
        if (p->missed)
            return;
        bool second = is_second(p, longer_ns);
        p->twice = p->twice || second;
        if (ns <= 0 || p->still || second) /* a clock that went back is waited for */
            extend_odd(p, to);
        else if (!far || (enough(p) && !stays(p))) /* a record was late, or Xen's clock is slewed */
            pace_excuse(p);
        else
            p->proven = p->proven || enough(p);
        p->still = ns <= 0;
    } else if (far) {
        begin_odd(p, ns, to, sweep);
    } else {
        /* What a long run is longer by may be drift: it says nothing about short ones. */
        p->off_ns = ns > USUAL_LONGEST ? 0 : p->off_ns - p->off_ns / USUAL_PART;
        add_usual(usual, ns, longer_ns);
    }
}

/* A run is missing: if a record before it was late, it would have been as much shorter. */
static void break_off(struct pace *p)
{
    pace_forget(p);
    if (!p->proven && !p->missed)
        pace_excuse(p);
}

/*
 * What take_run does of nearly all runs, that the clock was measured from: they are not odd, nor was one before. False: this one
 * is another.
 */
static inline bool take_usual(struct pace *p, double ns, double longer_ns)
{
    double off_ns = p->off_ns + longer_ns;
    double slack_ns = PACE_SLACK_NS + ns * (SLACK_PPM / 1e6);
    if (pace_is_odd(p) || off_ns > slack_ns || off_ns < -slack_ns)
        return false;
    p->off_ns = ns > USUAL_LONGEST ? 0 : off_ns - off_ns / USUAL_PART;
    return true;
}

/* A vCPU stopped running; p->since is known. */
static void stop_run(struct pace *p, struct pace_all *all, const struct event *e, uint64_t sweep)
{
    double ns;
    bool missed = p->who != e->w[0];
    if (missed && !pace_is_odd(p)) {
        begin_odd(p, 0, event_stamp(e), sweep);
        p->missed = true;
        drift_break(&p->drift);
    } else if (e->flags & EVENT_RAN && !missed) {
        double longer_ns = longer_by(all->clock, p->began, event_stamp(e), e->w[2], &ns);
        if (longer_ns >
            (ns > 0 ? ns : 0) + PACE_SLACK_NS) { /* no run takes less than no time: it is another one */
            break_off(p);
            return;
        }
        if (!all->clock->measured || !take_usual(p, ns, longer_ns))
            take_run(p, &all->usual, all->clock, ns, longer_ns, event_stamp(e), sweep);
    } else {
        break_off(p);
    }
}

/* What ran on the pCPU since the last switch did so for ran_ns, modulo 2^32. */
static inline void take_length(struct pace *p, struct pace_all *all, uint64_t tsc, uint32_t ran_ns)
{
    drift_take(&p->drift, all->clock, tsc, ran_ns);
    if (drift_is_due(&p->drift) && !pace_is_odd(p))
        drift_judge(&p->drift, all->clock, all->quality);
}

static void take_change(struct pace *p, struct pace_all *all, const struct event *e, uint64_t sweep)
{
    if (runstate_old(e->header) == XEN_RUNNING) {
        if (p->since > 0)
            stop_run(p, all, e, sweep);
        else
            break_off(p);
        if (e->flags & EVENT_RAN)
            take_length(p, all, event_stamp(e), e->w[2]);
        else
            drift_break(&p->drift);
        p->since = 0;
        p->stopped = event_stamp(e);
    }
    if (runstate_new(e->header) == XEN_RUNNING) {
        /* One that is earlier than the switch out before it was moved back to a record after it. */
        uint64_t stamp = event_stamp(e);
        p->since = stamp < p->stopped ? p->stopped : stamp;
        /* Both records of a switch have one instant: from switch out to switch out runs are as long as Xen says, however short. */
        p->began = e->flags & EVENT_SWITCHED_IN && p->stopped > 0 ? p->stopped : p->since;
        p->who = e->w[0];
    }
}

/* SWITCH_INFPREV, where there are no runstate changes: {dom, vcpu, ran_ns}, {dom, ran_ns} until Xen 4.7. */
static void take_infprev(struct pace *p, struct pace_all *all, const struct event *e)
{
    unsigned words = event_words(e);
    if (words >= 2)
        take_length(p, all, e->tsc, e->w[words >= 3 ? 2 : 1]);
}

void pace_take(struct pace *p, struct pace_all *all, const struct event *e, const struct event *end,
               uint64_t sweep)
{
    for (; e < end; e++) {
        if (e->slot == EVENT_RUNSTATE_CHANGE)
            take_change(p, all, e, sweep);
        else if (e->slot == EVENT_BLIND_BEGIN || e->slot == EVENT_BLIND_END)
            break_off(p);
        else if (e->slot == EVENT_SWITCH_INFPREV && all->by_switches)
            take_infprev(p, all, e);
    }
}

void pace_forget(struct pace *p)
{
    p->since = 0;
    drift_break(&p->drift);
}

void pace_end(struct pace *p, struct pace_all *all)
{
    drift_judge(&p->drift, all->clock, all->quality);
}
