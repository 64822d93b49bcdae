/* VMs that ran on two hosts at one moment. */
#ifndef XENMETER_ACCOUNT_TWICE_H
#define XENMETER_ACCOUNT_TWICE_H

#include "account/fleet.h"

/*
 * Reports (options.finding) every VM that ran on two hosts within the same intervals, three of them or more: a VM that migrates is on both
 * hosts for a while, but runs on one only. Of captures, only those are read during which two hosts knew the VM. Damaged intervals are
 * skipped: whoever reads them for their numbers reports them. -1 with `err` filled: no memory.
 */
int twice_find(struct fleet *f, const struct account_options *o, struct error *err);

#endif
