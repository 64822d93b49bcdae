/* scenario_checks.h - what the domains of a scenario must agree on; part of scenario_read(). */
#ifndef XENMETER_SIM_SCENARIO_CHECKS_H
#define XENMETER_SIM_SCENARIO_CHECKS_H

#include "sim/keys.h"
#include "sim/scenario.h"

/* Ids, vCPUs, and what is reserved; `list`: where the domains are. -1 with `err` filled. */
int scenario_check_domains(const struct scenario *s, const struct key_place *list, struct error *err);

#endif
