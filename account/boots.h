/* Which captures are of one boot, and what of them counts. */
#ifndef XENMETER_ACCOUNT_BOOTS_H
#define XENMETER_ACCOUNT_BOOTS_H

#include "account/fleet.h"

/*
 * Puts the captures in order, decides what counts where they overlap, and reports it. A domain without a name takes the one that the
 * next capture of the same boot has for it. -1 with `err` filled: no memory.
 */
int boots_resolve(struct fleet *f, const struct account_options *o, struct error *err);

#endif
