/*
 * toolstack.h - domains that come and go while the host runs (xl create, xl destroy).
 *
 * A domain's life begins with DOM_ADD, its vCPUs paused and offline; some ms later they are unpaused and run. It ends with its
 * vCPUs paused, and some ms later with DOM_REM. Another domain may have its id then.
 */
#ifndef XENMETER_SIM_TOOLSTACK_H
#define XENMETER_SIM_TOOLSTACK_H

#include "sim/host.h"

/* Makes the timer of a domain's fate, if it does not live throughout. False: no memory. */
bool toolstack_init(struct sim_host *host, struct sim_domain *d);

/* The host's time begins: arms these timers. */
void toolstack_begin(struct sim_host *host);

/* The loads of a domain that lives begin at now_ns. */
void toolstack_start_loads(struct sim_host *host, struct sim_domain *d, uint64_t now_ns);

#endif
