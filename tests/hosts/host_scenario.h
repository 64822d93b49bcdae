/* host_scenario.h - the simulated host of a plan. */
#ifndef XENMETER_TESTS_HOSTS_SCENARIO_H
#define XENMETER_TESTS_HOSTS_SCENARIO_H

#include <jansson.h>

#include "host_plan.h"
#include "sim/scenario.h"

/* The host is up for so long when its trace begins, in the middle of things. */
#define HOST_WARM_UP_NS 30000000u

/* The scenario as a document, which xenmeter-simulate(1) would read: HOST_WARM_UP_NS and host_ms long. NULL: no memory. */
json_t *plan_document(const struct plan *p);

/* The same, read. NULL with `err` filled. Free with scenario_free(). */
struct scenario *plan_scenario(const struct plan *p, struct error *err);

#endif
