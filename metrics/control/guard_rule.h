/*
 * The rule of ShareGuard for one guest at one driver domain, window by window (Gupta et al., Middleware 2006):
 *
 *     over its limit in a window     -> an offender: it is held, if the evidence will do
 *     average since it was first over is back at the limit -> it is let back, and looked at again
 *
 * It is held for one window at least, and for max_hold at most. The average goes on after it was let back, so that what a hold
 * of whole windows took too much is given back, until it has stayed within its limit for as long as it was held last, and for
 * the probation at least; it can save up no more than that. While its average is within the limit it may be over it in a window.
 *
 * A sender that has waited uses at once all that it gets. One whose action has a number, such as a rate, can be let back in steps
 * therefore: once its average is back at the limit, each window within the limit doubles the number; while the average is over
 * the limit, a window over it takes back as many steps as it is over it. After the last step it is let back.
 *
 * Windows in which much was lost are no evidence: whoever is held stays so, and is let back when they last for too long; nobody
 * is held anew on them.
 */
#ifndef XENMETER_METRICS_CONTROL_GUARD_RULE_H
#define XENMETER_METRICS_CONTROL_GUARD_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/control/guard_policy.h"

/* Of a guest at a driver domain; all zero: nothing was seen of it yet. */
struct guard_state {
    bool held;
    bool watched;        /* it was over its limit: its average is kept */
    uint64_t sum_ns;     /* charged since it was first over, */
    uint64_t elapsed_ns; /* in so much time */
    uint64_t held_ns;    /* of the present hold, or the last one */
    uint64_t quiet_ns;   /* within its limit since it was let back */
    uint64_t unsure_ns;  /* of windows that are no evidence, in a row */
    uint64_t before_ns;  /* charged in the window that had it held */
    bool effect_seen;    /* in the present hold: it came down to its limit */
    unsigned steps;      /* by which it is let back in the present hold; 0: at once */
    unsigned step;       /* so often the action's number is doubled now; at most `steps` */
};

/* What a window shows of it. */
struct guard_evidence {
    uint64_t length_ns;
    uint64_t charged_ns;
    uint64_t sure_ns; /* of it: measured or certain */
    uint64_t
        unknown_ns; /* of the driver domain's time, beside: for whom it ran, or whether it ran, is not known */
    bool whole;     /* as long as a window is; else it decides nothing but what goes on */
    bool lossy;     /* much of the driver domain's time is not known */
};

enum guard_decision {
    GUARD_PASS,    /* free, and within its limit in the window or on average */
    GUARD_BLOCK,   /* it is held from now on */
    GUARD_HOLD,    /* it stays held */
    GUARD_RELEASE, /* it is let back */
    GUARD_WAIT,    /* over its limit, but nothing is done yet, or on this evidence */
    GUARD_EXEMPT   /* over its limit, but never acted on */
};

/* "pass" "block" ... by enum guard_decision; ended by NULL. */
extern const char *const guard_decision_names[];

enum guard_why {
    WHY_WITHIN,    /* pass */
    WHY_SHORT,     /* pass: the interval is shorter than a window */
    WHY_OVER,      /* block */
    WHY_AGAIN,     /* block: it was let back before */
    WHY_MADE_ANEW, /* block: it is held, and has another domain id now */
    WHY_AVERAGE,   /* hold, release; pass: over its limit in this window, but not since it was first */
    WHY_EFFECT,    /* hold: it came down to its limit */
    WHY_STEP,      /* hold: the action's number is another one from now on */
    WHY_MAX_HOLD,  /* release */
    WHY_NO_LIMIT,  /* release: the policy has no limit for it any more */
    WHY_NO_EFFECT, /* release: the same, and its charge never came down */
    WHY_STALE,     /* release: no evidence for too long */
    WHY_LOSSY,     /* hold, wait */
    WHY_UNCERTAIN, /* wait: less of the charge is certain than the policy wants */
    WHY_UNKNOWN,   /* wait: more than the charge is unknown */
    WHY_AWAITED,   /* wait: the effect of an action on another guest */
    WHY_FURTHER,   /* wait: another one is further over its limit */
    WHY_POLICY,    /* exempt */
    WHY_DRIVER     /* exempt, release: a driver domain */
};

struct guard_outcome {
    enum guard_decision decision;
    enum guard_why why;
};

/*
 * Takes a window of a guest with that limit. A guest that is held stays so or is let back; one that is free passes, waits,
 * or is to be held: GUARD_BLOCK then, which the caller carries out by guard_state_hold, or not.
 */
struct guard_outcome guard_state_take(struct guard_state *s, const struct guard_policy *p,
                                      struct cpu_share limit, const struct guard_evidence *e);

/* It is held from now on, because of that window, and let back by so many steps. */
void guard_state_hold(struct guard_state *s, const struct guard_evidence *e, unsigned steps);

#endif
