/*
 * Between a controller's wishes and a host: how often and how far something may be changed. Pure: times are given, nothing
 * is read or set.
 *
 * A level is what a guest may have, in millionths (of a pCPU, of a driver domain); lower is tighter.
 *
 * - Between two changes of a guest lies the dwell time, and a change is never smaller than a minimum step, unless it
 *   goes to the top.
 * - In any hour there are at most so many changes on the host. Giving a guest back all that it had is no change.
 * - A flap is a change that takes back the one before (A-B-A, to within a quarter of the swing, and both of at least FLAP_STEP_PPM).
 *   So many of them in a row freeze the guest at the laxer of the two levels, until it is released.
 * - An interval that is lossy changes nothing. LOSSY_RELEASES of them in a row give the guest back what it had, until an
 *   interval is good again.
 */
#ifndef XENMETER_ACT_GOVERNOR_H
#define XENMETER_ACT_GOVERNOR_H

#include <stdbool.h>
#include <stdint.h>

#define LOSSY_RELEASES 3
#define FLAP_STEP_PPM  50000u /* 5 % */
#define ACTIONS_MAX    1000000u

struct governor_limits {
    uint64_t dwell_ns;  /* 0: none */
    uint64_t step_ppm;  /* smallest change */
    uint64_t least_ppm; /* no level is set below */
    uint32_t actions;   /* in an hour; 0: without a limit. At most ACTIONS_MAX */
    uint32_t flaps;     /* in a row; 0: they are not looked for */
};

enum verdict_of_governor {
    GOVERN_SET,          /* the level is to be set */
    GOVERN_KEEP,         /* it is in force */
    GOVERN_HOLD_STEP,    /* the level in force stays: the change is too small, */
    GOVERN_HOLD_DWELL,   /* too soon, */
    GOVERN_HOLD_ACTIONS, /* there were too many in this hour, */
    GOVERN_HOLD_LOSSY,   /* it rests on an interval with losses, */
    GOVERN_HOLD_FROZEN,  /* it has flapped */
    GOVERN_FREEZE,       /* it has flapped just now: *level is to be set, and stays */
    GOVERN_RELEASE       /* give back what it had: there were too many lossy intervals */
};

/* "set" "keep" "hold: smaller than the step" ..., by the enum. */
extern const char *const governor_words[];

struct governor;

/* NULL: no memory. Limits are copied. */
struct governor *governor_new(const struct governor_limits *limits);
void governor_free(struct governor *g);

/*
 * Judges a wish of a guest at now_ns, which never falls: *level_ppm is the level wished for, and becomes the one to be set, if
 * any. top_ppm: what the guest has where nothing restrains it. -1: no memory; else an enum verdict_of_governor, as if what is to be set
 * were set.
 */
int governor_judge(struct governor *g, uint16_t domain, uint64_t now_ns, uint64_t *level_ppm,
                   uint64_t top_ppm, bool lossy);

/* The guest is gone, or was released: it begins anew. */
void governor_forget(struct governor *g, uint16_t domain);

/* The same of all guests; how often something was changed in this hour still counts. */
void governor_forget_all(struct governor *g);

#endif
