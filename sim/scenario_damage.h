/* scenario_damage.h - what becomes of windows of the trace's file: the list "damage" of a scenario's trace. */
#ifndef XENMETER_SIM_SCENARIO_DAMAGE_H
#define XENMETER_SIM_SCENARIO_DAMAGE_H

#include "sim/keys.h"
#include "sim/scenario.h"

/* Reads the list of the object `trace`, at `place`, if it has one. -1 with `err` filled. */
int scenario_read_damage(struct scenario *s, const json_t *trace, const struct key_place *place,
                         struct error *err);

/* The schema of the list (keys.h). NULL: no memory. */
json_t *scenario_damage_schema(void);

#endif
