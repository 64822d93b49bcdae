/* scenario_keys.h - which keys the parts of a scenario may have: by these tables it is read, and its schema is made. */
#ifndef XENMETER_SIM_SCENARIO_KEYS_H
#define XENMETER_SIM_SCENARIO_KEYS_H

#include "sim/keys.h"
#include "sim/scenario.h"

#define SCENARIO_ID_MAX 32751 /* of a domain */

/* The object "trace": what the reader keeps until it is checked. */
struct scenario_trace_part {
    const char *events, *layout;
    uint64_t buffer_pages, sweep_ns, sweep_delay_ns, skew_ns;
    double lost;
};

extern const struct key scenario_root_keys[], scenario_host_keys[]; /* of struct scenario */
extern const struct key scenario_trace_keys[];                      /* of struct scenario_trace_part */
extern const struct key scenario_domain_keys[];                     /* of struct scenario_domain */

/*
 * A JSON Schema (2020-12) of scenarios: keys, types and ranges, not what their parts say of each other. NULL: no memory. The caller owns
 * it.
 */
json_t *scenario_schema(void);

#endif
