/* A host for the tests of charges: domain 0 is the driver domain, domains 1 and 2 are its guests. */
#ifndef XENMETER_TESTS_UNIT_CHARGE_HOST_H
#define XENMETER_TESTS_UNIT_CHARGE_HOST_H

#include "run_program.h"

/* pCPU 1 lets domains 1 and 2 speak once, asleep ever after; vCPU 0 of domain 0 is about to run on pCPU 0. */
void charge_host_begin(struct trace_bytes *c);

/* Runs it: rows of domains, of the whole trace and of 10 ms. */
struct result charge_host_run(struct trace_bytes *c, struct charge_options options);

void charge_host_end(struct trace_bytes *c, struct result *r);

#endif
