/*
 * The runstate machine inside: runstate.c has the states of vCPUs and settles contradictions, runstate_dark.c, _first.c and
 * _unseen.c what lost and unrecorded records leave open, runstate_events.c passes it
 * what events say, runstate_switch.c what context switches say where there are no runstate records.
 */
#ifndef XENMETER_METRICS_RUNSTATE_INTERNAL_H
#define XENMETER_METRICS_RUNSTATE_INTERNAL_H

#include "blind.h"
#include "instant.h"
#include "runstate.h"
#include "transitions.h"
#include "unseen.h"

#define DOMID_FIRST_RESERVED 0x7ff0u
#define SKEW_USUAL_NS        100000u     /* where nothing else distinguishes a late record from a wrong one */
#define BEGINNING_NS         1000000000u /* how long first records may take to say about the trace's beginning */

/* A vCPU that was put to sleep while it was blocked, or may have been, where only switches are traced. */
enum pause {
    PAUSE_NONE,
    PAUSE_SLEPT, /* the next wake ends the pause, or is an event in it */
    PAUSE_WOKEN  /* one of both came: blocked or offline; the next wake is the other one */
};

/* What is known of a vCPU at the front of the events. */
struct track {
    uint64_t since_ns;   /* of its last record or transition */
    uint64_t slept_ns;   /* of the record before that */
    uint64_t first_ns;   /* of its first record, while that is to be judged (runstates_judge_first); else 0 */
    uint64_t woken_ns;   /* switches only: a wake before anything else was known, if `woken` */
    uint64_t leaving_ns; /* switches only: when it was put to sleep, if that is where `leaving` comes from */
    uint16_t pcpu;       /* where it runs or ran last */
    uint16_t woken_on;   /* the pCPU that recorded its wake, if that was its last record; else NO_PCPU */
    uint8_t state;       /* enum runstate */
    uint8_t first_state; /* in which it was until first_ns */
    bool seen;           /* its state is known at all, or was given as unknown */
    bool named;          /* only EVENT_ASSIGNED named it so far: it is in no known state, and never was */
    bool first_record;   /* the record below was its first: nothing could contradict it */
    bool contradicted;   /* a record did not fit, and lost records do not explain it */
    uint64_t contradicted_ns; /* when; this and the next four fields are about that record */
    uint64_t noted_since_ns;  /* since when it was in the next one */
    uint8_t state_before;     /* the tracked state when that record came */
    uint8_t record_old;       /* the old state in that record */
    uint16_t record_pcpu;     /* the pCPU that wrote it */
    bool idle;                /* the idle loop of a pCPU */
    bool doubtful;            /* see doubt_silent (runstate_dark.c) */
    bool leaving_noted;       /* a YIELD or SLEEP was noted: it may stop running soon */
    uint8_t leaving; /* switches only: where the next switch takes it: BLOCKED, OFFLINE, or RUNNABLE */
    uint8_t pause;   /* switches only: enum pause */
    uint8_t wakes;   /* switches only: how many wakes came while its state is not known, 2: or more */
    bool woken;      /* switches only: woken_ns is set */
};

struct pcpu_track {
    uint32_t current;       /* the vCPU that runs, NOBODY: not known */
    bool partial;           /* what runs there is recorded in part only (parser/decode/cores.h) */
    uint64_t blind_from_ns; /* since when it is blind, BLIND_NONE */
    unsigned blind_rings;   /* of itself and its siblings: those whose records are lost */
    uint64_t blind_ns;      /* sum of its blind windows that ended, within counted */
    struct instant instant;
    uint64_t woke_ns;    /* when it recorded a wake last */
    uint64_t io_ns;      /* and I/O */
    uint64_t free_since; /* with nobody: since when nobody is known to run */
    uint32_t ran_ns;     /* switches only, if */
    bool ran;            /* set: how long the vCPU ran that is switched out next, modulo 2^32 */
    bool out_seen,
        in_seen;   /* switches only: SWITCH_INFPREV and _INFNEXT already said what SWITCH will repeat */
    bool in_waits; /* switches only: SWITCH_INFNEXT came at switched_ns without _INFPREV; SWITCH is to come */
    uint32_t waited_ns, slice_ns; /* of that SWITCH_INFNEXT */
    uint64_t switched_ns;
};

struct runstates {
    struct population *population;
    struct quality *quality;
    const struct cores *cores; /* pCPUs that are scheduled together; NULL: none */
    unsigned partial_n;        /* pCPUs with pcpu_track.partial */
    const struct clock *clock; /* during runstates_event */
    uint64_t start_ns;         /* of the trace, or of its part */
    uint64_t settled_ns;       /* transitions before were taken, or may have been */
    uint64_t settles_at;       /* at so many records about states it moves by itself */
    uint64_t front_ns;         /* of the last event */
    uint64_t hole_end_ns;      /* of the last hole, 0: there was none */
    uint64_t count_from_ns;    /* blind time and holes count from here */
    uint64_t count_to_ns;      /* to there */
    struct hole_count holes;
    uint64_t instant_ns; /* of the last runstate change */
    bool use_switches;
    bool named_wait;      /* vCPUs that were only named wait for the trace's beginning to be settled */
    struct track *tracks; /* by vCPU number */
    size_t tracks_n;
    struct pcpu_track *pcpus; /* by pCPU number, PCPUS_MAX */
    struct transitions queue;
    struct darkness darkness;
    struct unseen unseen;
    bool damaged;            /* the parser passed over bytes, or found wrong times: records may be missing */
    uint64_t wait_max_ns;    /* the longest wait so far, or light in a wait across lost records, */
    uint64_t wait_max_at;    /* when it ended, or was cut off, */
    uint64_t wait_before_ns; /* and the longest one before it */
    bool first_run_lost;     /* a pCPU became blind before it said who runs there */
    size_t doubtful_n;       /* vCPUs with track.doubtful */
};

/* How much of that time counts (runstates_count_from). */
uint64_t runstates_counted_ns(const struct runstates *r, uint64_t from_ns, uint64_t to_ns);
void runstates_count_hole(struct runstates *r, uint64_t from_ns, uint64_t to_ns);

/* Number of the vCPU, made on first sight; NOBODY for impossible ones (counted), as an idle vCPU on
 * another pCPU than its own, or without memory (queue.failed). */
uint32_t runstates_vcpu(struct runstates *r, uint32_t domain, uint32_t id, uint16_t pcpu, uint64_t now_ns);

/*
 * The last life of a domain id, ended or not; where there is none, one begins with the trace. NOBODY: no memory
 * (queue.failed).
 */
uint32_t runstates_life(struct runstates *r, uint32_t domain, uint64_t now_ns);

/* Begins another life of a domain id now. NOBODY: no memory (queue.failed). */
uint32_t runstates_begin_life(struct runstates *r, uint32_t domain, uint64_t now_ns);

/*
 * A record proves that the vCPU was in state `old` just before now (on `pcpu`, if it ran) and is in `new` from now on; `run` is
 * the value of a change to running (transition_run).
 */
void runstates_record(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu, enum runstate old,
                      enum runstate new, uint64_t run);

/* The same of a vCPU that runs, and goes on; nearly always it was known to. */
static inline void runstates_go_on(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu)
{
    struct track *k = &r->tracks[vcpu];
    bool known = k->state == RUNSTATE_RUNNING && r->pcpus[pcpu].current == vcpu && k->seen;
    if (!known || k->named || k->contradicted || k->leaving_noted || r->darkness.n > 0 || r->cores) {
        runstates_record(r, vcpu, now_ns, pcpu, RUNSTATE_RUNNING, RUNSTATE_RUNNING, UINT32_MAX);
        return;
    }
    r->unseen.records++;
    k->woken_on = NO_PCPU;
    k->slept_ns = k->since_ns;
    k->since_ns = now_ns;
}

/*
 * The vCPU was switched in at instant_ns, before its last record: returns the earliest possible instant after that. A wake that
 * another pCPU recorded since then gives way: Xen had read its clock for the switch already, and saw the wake after that.
 */
uint64_t runstates_possible_in(struct runstates *r, uint32_t vcpu, uint64_t instant_ns);

/* The instant of a runstate change, on `pcpu`, to the state `new`: `instant_ns`, or as soon after it as it is possible. */
static inline uint64_t runstates_possible(struct runstates *r, uint32_t vcpu, uint16_t pcpu,
                                          enum runstate new, uint64_t instant_ns)
{
    const struct track *k = &r->tracks[vcpu];
    const struct pcpu_track *p = &r->pcpus[pcpu];
    uint64_t taken_ns = p->current == NOBODY ? p->free_since : r->tracks[p->current].since_ns;
    if (taken_ns > instant_ns)
        instant_ns = taken_ns;
    if (!k->seen || k->since_ns <= instant_ns)
        return instant_ns;
    return new == RUNSTATE_RUNNING ? runstates_possible_in(r, vcpu, instant_ns) : k->since_ns;
}

/*
 * Two records of one vCPU written on two pCPUs whose clocks differ may come in the wrong order: first "b to c", which
 * does not fit, then "a to b", which would have fitted before it; in a short run perhaps after "c to a", where it fits, too.
 * Whether this one is late; then what it says has been put into the past, and the state stays.
 */
bool runstates_late_by_skew(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                            enum runstate old, enum runstate new);

/* First record of a vCPU: it was in `state` ever since it exists. */
void runstates_appear(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate state,
                      uint16_t pcpu);

/* The vCPU exists; nothing else is known of it. */
void runstates_name(struct runstates *r, uint32_t vcpu, uint64_t now_ns);

/* The vCPU runs on the pCPU: whoever was thought to run there does not. */
void runstates_occupy(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns);

/* The vCPU stops running on its pCPU, as far as that is tracked. */
void runstates_vacate(struct runstates *r, uint32_t vcpu, uint64_t now_ns);

/* The vCPU that runs on the pCPU is in no known state from now on. */
void runstates_lose(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu);

/* A sibling recorded that the vCPU runs, where a pCPU does not record everything: it may be over at once, unseen. */
void runstates_lose_if_dark(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu);

/* Nothing was recorded in [from, to): no vCPU is in a known state then, up to its next record. */
void runstates_hole(struct runstates *r, uint64_t from_ns, uint64_t to_ns);

/*
 * Records of this pCPU are lost from from_ns on (which may lie before events that were taken; before settled time counts as
 * late), or no longer: see blind.h.
 */
void runstates_blind_begin(struct runstates *r, uint16_t pcpu, uint64_t from_ns);
void runstates_blind_end(struct runstates *r, uint16_t pcpu, uint64_t now_ns);

/*
 * Records of a sibling are missing since from_ns, as turns out now: what other rings said meanwhile of who runs on the pCPU
 * may have been over at once.
 */
void runstates_doubt_runs(struct runstates *r, uint16_t pcpu, uint64_t from_ns);

/* pCPUs are partial since the last call: who runs there is never known, from now on. */
void runstates_partial(struct runstates *r);

/* Whether what happens on the pCPU now may be recorded nowhere. */
static inline bool runstates_is_dark(const struct runstates *r, uint16_t pcpu)
{
    return r->pcpus[pcpu].blind_from_ns != BLIND_NONE || r->pcpus[pcpu].partial;
}

/* The same of what happened there until now. */
static inline bool runstates_was_dark(const struct runstates *r, uint16_t pcpu, uint64_t now_ns)
{
    const struct pcpu_track *p = &r->pcpus[pcpu];
    return p->partial || (p->blind_from_ns != BLIND_NONE && p->blind_from_ns < now_ns);
}

/* The tracked state is not the record's old one: lost records explain it, or nothing does. */
void runstates_contradiction(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                             enum runstate old);

static inline bool runstates_is_asleep(const struct track *k)
{
    return k->state == RUNSTATE_BLOCKED || k->state == RUNSTATE_OFFLINE;
}

/*
 * Whether a lost record may have changed how a pause shows, however long ago: it ends, or, of one that was put to sleep while it was
 * blocked, an event came, and it is offline since. Where runstate changes are traced the second one shows as a change.
 */
static inline bool runstates_is_paused(const struct track *k)
{
    return k->state == RUNSTATE_OFFLINE || (k->state == RUNSTATE_BLOCKED && k->pause == PAUSE_SLEPT);
}

/* Whether a vCPU that is runnable from `from` on may still be so at `to`, by how long vCPUs of this host wait. */
bool runstates_near(const struct runstates *r, uint64_t from_ns, uint64_t to_ns);

/* A vCPU waited for so long until then. */
static inline void runstates_note_wait(struct runstates *r, uint64_t waited_ns, uint64_t now_ns)
{
    if (waited_ns <= r->wait_max_ns)
        return;
    r->wait_before_ns = r->wait_max_ns;
    r->wait_max_ns = waited_ns;
    r->wait_max_at = now_ns;
}

/* The vCPU's last contradiction was none: its records came in the wrong order. */
void runstates_take_back(struct runstates *r, uint32_t vcpu);

/*
 * The vCPU's wake, from state `old`, comes after its dispatch, before which it seemed to wait since its last record. It was in
 * that state: it left the wait in lost records, or on a pCPU that is not recorded. False: it did not seem to wait.
 */
bool runstates_seemed_to_wait(struct runstates *r, uint32_t vcpu, enum runstate old);

/*
 * The vCPU was in state `old` just before now, and not runnable since its wake: if that wake was recorded soon after lost records
 * hid one, by a pCPU whose clock is ahead, it was that one. Returns whether; it is in state `old` then.
 */
bool runstates_woke_before(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old);

/*
 * The vCPU was in state `old`, runnable, just before now, though it fell asleep at its last record: if a wake from that sleep
 * was recorded just before it, while the vCPU ran, the pCPU that recorded the wake has a clock that is behind. Such a wake was taken
 * for one that came after its dispatch (runstates_seemed_to_wait): that is undone, where it is not settled. Returns whether; it is
 * runnable then.
 */
bool runstates_woke_after(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old);

/* Whether the vCPU, which has a record at now_ns, stayed in its state since its last record: if not for certain, it is doubtful. */
void runstates_confirm(struct runstates *r, uint32_t vcpu, uint64_t now_ns);

/*
 * The first record of a vCPU, at now_ns, says that it was in `old` since its birth: since when that is so for certain, or
 * doubtful at most. To be asked before it appears; to be noted (runstates_note_first) when it has appeared.
 */
uint64_t runstates_certain_from(const struct runstates *r, uint32_t vcpu, uint64_t birth_ns, uint64_t now_ns,
                                enum runstate old);
void runstates_note_first(struct runstates *r, uint32_t vcpu, uint64_t birth_ns, uint64_t now_ns);

/*
 * Of time that is settled a vCPU has one state (TRANSITION_APPEAR), so that where it is not known from its birth up to certain_ns, all of
 * that time would be unknown. Whether all that is not known lies in one dark stretch, and `state` is off a pCPU: that it was in `state`
 * is doubtful there already, and for just so long.
 */
bool runstates_was_dark_before(const struct runstates *r, uint64_t birth_ns, uint64_t certain_ns,
                               enum runstate state);

/* It slept in `state` up to its first record at now_ns, if it did not run, or wait, unseen before a dark stretch: that is doubtful. */
void runstates_doubt_first(struct runstates *r, uint32_t vcpu, enum runstate state, uint64_t birth_ns,
                           uint64_t now_ns);

/* The vCPU's state is doubtful in [from, to), as far as that is not settled to its end. */
void runstates_put_doubt(struct runstates *r, uint32_t vcpu, uint64_t from_ns, uint64_t to_ns);

/*
 * The beginning of the trace is about to be settled: judges, by the waits that the trace shows by now, whether vCPUs slept up to
 * their first records.
 */
void runstates_judge_first(struct runstates *r);

/* Up to when transitions can be settled, as far as lost records are concerned: not beyond most_ns. */
uint64_t runstates_hold(struct runstates *r, uint64_t watermark_ns, uint64_t most_ns);

/*
 * It is dark without an end from now on, or from the start as long as nothing of it is settled. What is settled was dark,
 * too: rows that are still open say so.
 */
void runstates_become_dark(struct runstates *r, uint64_t now_ns);

/* Whether the contradictions so far prove unseen pCPUs: if so, it becomes dark. */
void runstates_prove_unseen(struct runstates *r, uint64_t now_ns);

/* Records contradict one another too often: it becomes dark. */
void runstates_give_up(struct runstates *r);

/* The trace is over: whether there are unseen pCPUs, by all that it says. */
void runstates_unseen_at_end(struct runstates *r);

/* Everything up to settled_ns (the trace's end: `end`) is settled: what no record said by now stays open. */
void runstates_release(struct runstates *r, uint64_t settled_ns, bool end);

/*
 * The vCPU is known to be in `state` in [from, now): queues that, unless it ran on a pCPU that belonged to
 * somebody else for all of that time. Returns whether it did; if not, the tracked state is what it was.
 */
bool runstates_backdate(struct runstates *r, uint32_t vcpu, uint64_t from_ns, uint64_t now_ns,
                        enum runstate before, enum runstate state, uint16_t pcpu);

/* A record contradicts what went before, for no known reason. */
void runstates_count_inconsistent(struct runstates *r, uint64_t now_ns);

/* Queues a transition; one for a time that is settled comes at the end of that time. */
void runstates_put(struct runstates *r, uint64_t time_ns, struct transition t);
void runstates_put_state(struct runstates *r, uint64_t time_ns, uint32_t vcpu, enum runstate from,
                         enum runstate to, uint16_t pcpu, uint64_t value);

/* One event of a trace without runstate records. */
void runstates_switch_event(struct runstates *r, const struct event *e, uint64_t now_ns);

/*
 * Records were lost since from_ns, as only turns out now: who was taken for runnable since then may have been woken before, or
 * paused.
 */
void runstates_switch_doubt(struct runstates *r, uint64_t from_ns);

/* Records of the pCPU were lost: those of a switch, of which some came, are not continued. */
void runstates_switch_lost(struct runstates *r, uint16_t pcpu);

#endif
