/*
 * How a controller's decisions reach a host.
 *
 *     act_start -> (act_decide for each interval, act_alive for each batch of records)* -> act_stop
 *
 * Deciding never waits: a governor (governor.h) judges the wishes, and a thread of its own carries them out (keeper.h). Where
 * that takes longer than an interval, only the newest wishes are carried out. Whatever the mode, the same is decided, and logged.
 *
 * Everything that was set is given back by act_stop, when no records have come for some time, and when the file of the
 * kill switch appears; after a crash by act_restore.
 */
#ifndef XENMETER_ACT_ACT_H
#define XENMETER_ACT_ACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/act_options.h"
#include "act/means.h"
#include "act/requests.h"
#include "parser/error.h"

#define ACT_DECISION_BYTES 48
#define ACT_RESTORE_WAIT_NS                                                                                  \
    10000000000u /* how long act_restore waits for the commands of a process that died */

/* "observe" "advise" "enforce", by enum act_mode; ended by NULL. */
extern const char *const act_mode_names[];

/* What is wished for a guest in an interval, and what came of it. */
struct act_guest {
    struct act_wish wish;
    uint64_t top_ppm;                  /* what it may have where it owes nothing */
    bool lossy;                        /* the wish rests on an interval with losses */
    bool driver_domain;                /* it works for others: never touched */
    char decision[ACT_DECISION_BYTES]; /* "set", "keep", "hold: ...", "refused: ..." */
    char command[ACT_COMMAND_BYTES];   /* what carries it out; "": nothing is to be done */
};

struct act;

/*
 * Begins. To enforce, it takes the lock, gives back what a process before this one has left, and reads what is set on the host.
 * Options are copied; what they point to stays the caller's. NULL with `err` filled: another process acts on this host, the kill
 * switch is there, a file cannot be used, what is set cannot be read.
 */
struct act *act_start(const struct act_options *options, struct error *err);

/* The name of a guest on the host; NULL: not known. It stays valid. */
const char *act_name(struct act *a, uint16_t domain);

/*
 * Decides on the wishes of an interval that ended at at_ns of the trace, and hands on what is to be set. wait_ns: waits so long
 * for it to be carried out; 0: not at all. -1: no memory.
 */
int act_decide(struct act *a, uint64_t at_ns, struct act_guest *guests, size_t n, uint64_t wait_ns);

/* Adds a line to the log, if there is one, with the members of `object`, which it frees. */
void act_note(struct act *a, json_t *object);

/* Records have come. */
void act_alive(struct act *a);

/*
 * Ends: gives back what was set and reports `why`. Frees `a`; NULL is fine. -1 with `err` filled: something could not be given
 * back, or the log is not complete.
 */
int act_stop(struct act *a, const char *why, struct error *err);

/*
 * Does what an operator asks for, as act_restore: hands it to the process that acts (*handed_over), or, where none does, does it. -1
 * with `err` filled.
 */
int act_ask(const struct act_options *options, const struct request *r, bool *handed_over, struct error *err);

/* The process that acts on the host by this lock; 0: none does. */
long act_owner(const char *lock);

/*
 * Gives back what a process that has died left; only .state, .lock, .limit_ns, .log, .tell and .quiet are used, and
 * .command, if it is not NULL, in place of the one that is in the state. *guests: for how many. -1 with `err` filled:
 * something could not be, or the process lives.
 */
int act_restore(const struct act_options *options, size_t *guests, struct error *err);

#endif
