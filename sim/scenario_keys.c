#include "sim/scenario_keys.h"

#define US 1e3
#define MS 1e6
#define S  1e9

static const char *const short_blocks[] = {"lose_slice", "keep_slice", NULL};
static const char *const boosts[] = {"under", "never", "always", NULL};

#define FIELD(TYPE, MEMBER) .offset = offsetof(struct TYPE, MEMBER)

const struct key scenario_root_keys[] = {
    {"duration", KEY_TIME, FIELD(scenario, duration_ns), 1 * MS, 86400 * S, NULL, true},
    {"seed", KEY_COUNT, FIELD(scenario, seed), 0, SCENARIO_SEED_MAX, NULL, false},
    {"host", KEY_OTHER, .required = false},
    {"trace", KEY_OTHER, .required = false},
    {"domains", KEY_OTHER, .required = true},
    {.name = NULL},
};

const struct key scenario_host_keys[] = {
    {"pcpus", KEY_COUNT, FIELD(scenario, pcpus), 1, SCENARIO_PCPUS_MAX, NULL, false},
    {"cpu_hz", KEY_COUNT, FIELD(scenario, cpu_hz), 1e6, 1e11, NULL, false},
    {"scheduler", KEY_CHOICE, FIELD(scenario, scheduler), .choices = scenario_schedulers},
    {"ipi", KEY_TIME, FIELD(scenario, ipi_ns), 0, 1 * MS, NULL, false},
    {"switch_cost", KEY_TIME, FIELD(scenario, switch_cost_ns), 0, 1 * MS, NULL, false},
    {"record", KEY_TIME, FIELD(scenario, record_ns), 0, 1 * MS, NULL, false},
    {"guest_record", KEY_TIME, FIELD(scenario, guest_record_ns), 0, 1 * MS, NULL, false},
    {"watchdog", KEY_TIME, FIELD(scenario, watchdog_ns), 1 * MS, 86400 * S, NULL, false},
    {"ratelimit", KEY_TIME, FIELD(scenario, ratelimit_ns), 0, 500 * MS, NULL, false},
    {"timeslice", KEY_TIME, FIELD(scenario, timeslice_ns), 1 * MS, 1000 * MS, NULL, false},
    {"short_block", KEY_CHOICE, FIELD(scenario, short_block), .choices = short_blocks},
    {.name = NULL},
};

const struct key scenario_trace_keys[] = {
    {"events", KEY_TEXT, FIELD(scenario_trace_part, events), 0, 0, NULL, false},
    {"layout", KEY_TEXT, FIELD(scenario_trace_part, layout), 0, 0, NULL, false},
    {"damage", KEY_OTHER, .required = false},
    {"buffer_pages", KEY_COUNT, FIELD(scenario_trace_part, buffer_pages), 1, 65535, NULL, false},
    {"sweep", KEY_TIME, FIELD(scenario_trace_part, sweep_ns), 1 * MS, 3600 * S, NULL, false},
    {"sweep_delay", KEY_TIME, FIELD(scenario_trace_part, sweep_delay_ns), 0, 3600 * S, NULL, false},
    {"lost", KEY_NUMBER, FIELD(scenario_trace_part, lost), 0, 1, NULL, false},
    {"skew", KEY_TIME, FIELD(scenario_trace_part, skew_ns), 0, 1 * S, NULL, false},
    {.name = NULL},
};

#define NOISE(KIND) FIELD(scenario_domain, noise_per_s[KIND]), 0, 1e6, NULL, false

const struct key scenario_domain_keys[] = {
    {"id", KEY_COUNT, FIELD(scenario_domain, id), 0, SCENARIO_ID_MAX, NULL, true},
    {"count", KEY_OTHER, .required = false},
    {"created", KEY_TIME, FIELD(scenario_domain, created_ns), 0, 86400 * S, NULL, false},
    {"destroyed", KEY_TIME, FIELD(scenario_domain, destroyed_ns), 0, 86400 * S, NULL, false},
    {"again", KEY_TIME, FIELD(scenario_domain, again_ns), 1 * MS, 86400 * S, NULL, false},
    {"pause", KEY_TIME, FIELD(scenario_domain, pause_ns), 1 * US, 3600 * S, NULL, false},
    {"pause_every", KEY_TIME, FIELD(scenario_domain, pause_every_ns), 1 * MS, 86400 * S, NULL, false},
    {"name", KEY_TEXT, FIELD(scenario_domain, name), 0, 0, NULL, false},
    {"vcpus", KEY_COUNT, FIELD(scenario_domain, vcpus), 1, SCENARIO_VCPUS_MAX, NULL, false},
    {"pin", KEY_OTHER, .required = false},
    {"weight", KEY_COUNT, FIELD(scenario_domain, weight), 1, 65535, NULL, false},
    {"cap_pct", KEY_NUMBER, FIELD(scenario_domain, cap_pct), 0, 100.0 * SCENARIO_VCPUS_MAX, NULL, false},
    {"boost", KEY_CHOICE, FIELD(scenario_domain, boost), .choices = boosts},
    {"slice", KEY_TIME, FIELD(scenario_domain, slice_ns), 5 * US, 60 * S, NULL, false},
    {"period", KEY_TIME, FIELD(scenario_domain, period_ns), 10 * US, 60 * S, NULL, false},
    {"budget", KEY_TIME, FIELD(scenario_domain, budget_ns), 10 * US, 60 * S, NULL, false},
    {"extratime", KEY_FLAG, FIELD(scenario_domain, extratime), 0, 0, NULL, false},
    {"idle", KEY_TIME, FIELD(scenario_domain, idle_ns), 0, 10 * MS, NULL, false},
    {"timer", KEY_TIME, FIELD(scenario_domain, timer_ns), 0, 10 * MS, NULL, false},
    {"tick", KEY_TIME, FIELD(scenario_domain, tick_ns), 100 * US, 3600 * S, NULL, false},
    {"interrupt", KEY_TIME, FIELD(scenario_domain, interrupt_ns), 0, 10 * MS, NULL, false},
    {"block_race_pct", KEY_NUMBER, FIELD(scenario_domain, block_race_pct), 0, 50, NULL, false},
    {"jitter_pct", KEY_NUMBER, FIELD(scenario_domain, jitter_pct), 0, 100, NULL, false},
    {"privileged", KEY_COUNT, FIELD(scenario_domain, privileged), 0, 100, NULL, false},
    {"guest", KEY_CHOICE, FIELD(scenario_domain, guest), .choices = scenario_guests},
    {"hypercalls_per_s", KEY_NUMBER, NOISE(NOISE_HYPERCALL)},
    {"privileged_per_s", KEY_NUMBER, NOISE(NOISE_PRIVILEGED)},
    {"traps_per_s", KEY_NUMBER, NOISE(NOISE_TRAP)},
    {"page_faults_per_s", KEY_NUMBER, NOISE(NOISE_PAGE_FAULT)},
    {"exits_per_s", KEY_NUMBER, NOISE(NOISE_EXIT)},
    {"driver_domain", KEY_OTHER, .required = false},
    {"loads", KEY_OTHER, .required = false},
    {.name = NULL},
};
