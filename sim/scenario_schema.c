/* The schema of scenarios, of the tables by which they are read. */
#include "sim/scenario_damage.h"
#include "sim/scenario_keys.h"
#include "formats/json_memory.h"
#include "sim/scenario_loads.h"

/* A pCPU, or a list with one for each vCPU. */
static json_t *pin_schema(void)
{
    const int most = SCENARIO_PCPUS_MAX - 1;
    json_t *one = json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", most);
    json_t *list = keys_list_schema(json_incref(one), SCENARIO_VCPUS_MAX);
    return json_pack("{s:[o, o]}", "oneOf", one, list);
}

static json_t *domain_schema(void)
{
    json_t *count =
        json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", SCENARIO_DOMAINS_MAX);
    json_t *others = json_pack("{s:o, s:o, s:o, s:o}", "count", count, "pin", pin_schema(), "driver_domain",
                               scenario_driver_schema(), "loads",
                               keys_list_schema(scenario_load_schema(), SCENARIO_LOADS_MAX));
    return keys_schema(scenario_domain_keys, others);
}

json_t *scenario_schema(void)
{
    json_memory_begin();
    json_t *trace = keys_schema(scenario_trace_keys, json_pack("{s:o}", "damage", scenario_damage_schema()));
    json_t *others =
        json_pack("{s:o, s:o, s:o}", "host", keys_schema(scenario_host_keys, json_object()), "trace", trace,
                  "domains", keys_list_schema(domain_schema(), SCENARIO_DOMAINS_MAX));
    json_t *all = keys_schema(scenario_root_keys, others);
    json_object_set_new(all, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(all, "title", json_string("a scenario of xenmeter simulate"));
    return json_whole(all);
}
