/* VMs that ran on two hosts at one moment. */
#ifndef XENMETER_ACCOUNT_TWICE_H
#define XENMETER_ACCOUNT_TWICE_H

#include "account/fleet.h"

/*
 * Reports (options.finding) every VM that ran on two hosts within the same intervals, three of them or more: while a VM migrates it is on
 * both, but runs on one only. Reads intervals of those captures alone in whose time a VM was known to two hosts. -1 with `err` filled: no
 * memory. What is damaged is passed over: it is reported where it is read for its numbers.
 */
int twice_find(struct fleet *f, const struct account_options *o, struct error *err);

#endif
