/* host_build.h - a host as its scenario has it: pCPUs, domains with their kernels, loads. */
#ifndef XENMETER_SIM_HOST_BUILD_H
#define XENMETER_SIM_HOST_BUILD_H

#include "sim/host.h"

/*
 * Builds a zeroed host with `plan` set; its scheduler is to be made after that, then its timeline. False: no memory.
 * Free with sim_host_free
 * in both cases.
 */
bool sim_host_build(struct sim_host *host);

/* Frees what the host has, but for the scheduler's state. */
void sim_host_free(struct sim_host *host);

#endif
