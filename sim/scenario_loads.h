/* scenario_loads.h - the parts of a scenario that say what domains do; part of scenario_read(). */
#ifndef XENMETER_SIM_SCENARIO_LOADS_H
#define XENMETER_SIM_SCENARIO_LOADS_H

#include "sim/keys.h"
#include "sim/scenario.h"

/* An element of "loads", of the domain `d`, whose other keys were read. -1 with `err` filled. */
int scenario_read_load(struct scenario_load *load, const json_t *object, const struct scenario_domain *d,
                       const struct key_place *place, struct error *err);

/* Schemas of an element of "loads" and of the object "driver_domain" (keys.h). NULL: no memory. */
json_t *scenario_load_schema(void);
json_t *scenario_driver_schema(void);

/* The object "driver_domain". -1 with `err` filled. */
int scenario_read_driver(struct scenario_driver *driver, const json_t *object, const struct key_place *place,
                         struct error *err);

/* Finds the driver domain of each load that needs one, and checks what they say of other domains. -1 with `err` filled. */
int scenario_check_loads(struct scenario *s, const struct key_place *domains, struct error *err);

/* Reads the files that loads name. -1 with `err` filled. */
int scenario_read_files(struct scenario *s, const char *folder, struct error *err);

#endif
