/*
 * Keeps what controllers want set on a host: reads what is set, sets what is wanted, gives back what was there before.
 *
 * - What was there before is in the state file before anything is set.
 * - A value that is neither the one that was set last nor the one before was set by somebody else: the guest is released
 *   from control, and nothing is set for it any more, nor given back.
 * - What was set for a domain id is that of one guest: where the id has another name now, or is gone, nothing is given back.
 *
 * It waits for the commands that it runs; it belongs to one thread.
 */
#ifndef XENMETER_ACT_KEEPER_H
#define XENMETER_ACT_KEEPER_H

#include <stddef.h>

#include "act/log.h"
#include "act/means.h"
#include "act/requests.h"
#include "act/state.h"
#include "host/tell.h"

struct keeper_options {
    const struct act_means *means;
    struct act_runner runner; /* cancel_fd may be changed later: keeper_cancel_by */
    const char *state;        /* the file */
    struct act_log *log;      /* NULL: none */
    host_teller *tell;
};

struct keeper;

/* Reads the state file. Options are copied; what they point to stays the caller's. NULL with `err` filled. */
struct keeper *keeper_new(const struct keeper_options *options, struct error *err);
void keeper_free(struct keeper *k);

/* Its commands are cancelled once this becomes readable; -1: never. */
void keeper_cancel_by(struct keeper *k, int cancel_fd);

/* How many guests have something set. */
size_t keeper_held(const struct keeper *k);

/*
 * The state's own means and command in place of those of the options, but for a command that was given (not NULL): for
 * undoing what another process has left. -1 with `err` filled: there are no such means.
 */
int keeper_adopt(struct keeper *k, const char *const *command, struct error *err);

/* Reads what is set on the host. -1 with `err` filled. The list is valid until the next round. */
int keeper_look(struct keeper *k, struct error *err);
const struct host_guests *keeper_guests(const struct keeper *k);

/*
 * One round: looks at the host, gives the guests of the first `releases` of n wishes back what they had, and sets what is
 * wished for the others and is not set yet. Reports what fails, and tries it again in the next round. -1: what is set on the host is
 * not known, and nothing was done.
 */
int keeper_round(struct keeper *k, const struct act_wish *wishes, size_t releases, size_t n);

/* Gives all guests back what they had; reports `why` ("end of the trace") and the number of guests. Returns how many failed. */
size_t keeper_release_all(struct keeper *k, const char *why);

/* Why nothing is set for the guest: "exempt", "changed by others", "by an operator"; NULL: it can be. */
const char *keeper_refuses(const struct keeper *k, uint16_t domain);

/* Does what an operator asks for, and reports it. -1: a guest could not be given back what it had. */
int keeper_request(struct keeper *k, const struct request *r);

#endif
