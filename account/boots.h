/* Which captures are of one boot, and what of them counts. */
#ifndef XENMETER_ACCOUNT_BOOTS_H
#define XENMETER_ACCOUNT_BOOTS_H

#include "account/fleet.h"

/*
 * Puts the captures in order, decides what counts where they overlap, and reports it; who was nameless has the name that a capture knows
 * which goes on. -1 with `err` filled: no memory.
 */
int boots_resolve(struct fleet *f, const struct account_options *o, struct error *err);

#endif
