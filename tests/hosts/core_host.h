/*
 * core_host.h - a generated host with core scheduling (Xen 4.13 and later, sched-gran=core|socket), as a recording.
 *
 * The pCPUs of a core switch together, from one unit to another: vCPUs u, u + 1, ... of a domain, one for each sibling. The
 * sibling that comes last to the rendezvous writes SWITCH* of the unit, and the runstate changes of all siblings, into its own
 * ring (xen/common/sched/core.c: sched_wait_rendezvous_in, sched_switch_units). One whose vCPU stays the same writes
 * SWITCH_INFCONT and CONTINUE_RUNNING itself. A vCPU that wakes while its unit runs is taken up by its sibling alone
 * (sched_force_context_switch). No time passes between the records of one act. Independent of the analyser.
 */
#ifndef XENMETER_TESTS_HOSTS_CORE_HOST_H
#define XENMETER_TESTS_HOSTS_CORE_HOST_H

#include "host_plan.h"
#include "recording.h"

/* The core of a pCPU of such a host: 0, 1, ... */
uint32_t core_of_pcpu(const struct plan *plan, uint32_t pcpu);

/* As recording_make, for a plan with siblings > 1. */
bool core_host_record(struct recording *r, const struct plan *plan);

#endif
