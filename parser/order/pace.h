/*
 * Whether the clock of a pCPU keeps pace with Xen's.
 *
 * SWITCH_INFPREV says how long a vCPU ran by Xen's clock; the stamps of the switches say it by the counter. Runs of a pCPU
 * follow one another, so the differences add up to how far the stamps lie from where they were. A record that is written late
 * makes one run longer and the next one as much shorter. Where Xen's own clock is wrong for a while, or slewed, run after run
 * is longer, or shorter. If the stamps stay where a run took them, the counter was set,
 * forward or back, in that run; or the run is another one: it began when nothing was recorded. That is certain if the vCPU is
 * another one, too.
 *
 * The frequency may be a little wrong, a given one above all: runs that are not odd show by how much.
 */
#ifndef XENMETER_PARSER_PACE_H
#define XENMETER_PARSER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "drift.h"
#include "parser/event.h"

#define PACE_SLACK_NS 700000 /* records are later than usual by up to this */

/* What all runs that are not odd add up to. With a frequency that was given nothing is odd before PACE_RUNS of them. */
struct pace_usual {
    double ns, longer_ns; /* by the stamps, and by how much that is longer than by Xen's clock */
    uint64_t runs;
};
#define PACE_RUNS 64

/* The runs of a pCPU. */
struct pace {
    uint64_t since;   /* tsc of the last switch in; 0: not known */
    uint64_t began;   /* tsc of the switch out at the same instant, from which the length of the run counts */
    uint32_t who;     /* dom << 16 | vcpu */
    uint64_t stopped; /* tsc of the last switch out */
    double off_ns;    /* how far the stamps are ahead of where they usually lie */
    uint64_t odd_tsc; /* they left in a run that began then; 0: they did not */
    uint64_t odd_to;  /* and ended then */
    uint64_t odd_sweep;   /* in which that was read */
    double odd_ns;        /* how far they left then */
    double odd_length_ns; /* how long that run was */
    unsigned runs;        /* that ended since, */
    double runs_ns;       /* and how long they were in sum */
    bool convicted;       /* sweeps show that the counter was set, not Xen's clock */
    bool still;           /* the last one took no time by the stamps */
    bool twice;           /* the odd run is two */
    bool proven;          /* they stay there */
    bool missed; /* the vCPU that stopped running then had not been switched in: a switch was not recorded */
    struct drift drift; /* of the runs between those that are odd, and of these if it was Xen's clock */
};

/* What the runs of all pCPUs say together. */
struct pace_all {
    struct pace_usual usual;
    const struct clock *clock; /* its frequency is known */
    struct quality *quality;   /* clock_off_...: stretches in which Xen's clock and the counter differ */
    bool by_switches; /* the trace holds no runstate changes: SWITCH_INFPREV comes as an event of its own */
};

/* The events [e, end) of the pCPU, read in this sweep, come next. */
void pace_take(struct pace *p, struct pace_all *all, const struct event *e, const struct event *end,
               uint64_t sweep);

/* The runs are over: the stretch that has begun is judged. */
void pace_end(struct pace *p, struct pace_all *all);

/* What was known of runs does not go on: bytes were passed over. */
void pace_forget(struct pace *p);

/* Whether the runs since say that the stamps stay where the odd one took them; at the `end` of the trace fewer runs say so. */
bool pace_is_proven(const struct pace *p, bool end);

/* It was Xen's clock that was set in the odd run, not the counter. */
void pace_excuse(struct pace *p);

/* The stamps of the pCPU are where they belong, whatever the runs so far said. */
void pace_restart(struct pace *p);

static inline bool pace_is_odd(const struct pace *p)
{
    return p->odd_tsc > 0;
}

#endif
