#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_memory.h"
#include "sim/keys.h"
#include "sim/scenario_checks.h"
#include "sim/scenario_damage.h"
#include "sim/scenario_keys.h"
#include "sim/scenario_loads.h"
#include "sim/trace_layout.h"

#define US 1e3
#define MS 1e6
#define S  1e9

#define PAGES_MAX 65535u /* Xen counts the pages of all buffers in 16 bits */

const char *const scenario_schedulers[] = {"credit", "credit2", "sedf", "null", "rtds", NULL};
/* The first version of Xen 4 with it; the traces of sedf, which Xen 4.6 has no more, have records of every version. */
static const unsigned scheduler_since[] = {[SCENARIO_CREDIT] = 0,
                                           [SCENARIO_CREDIT2] = 1,
                                           [SCENARIO_SEDF] = 0,
                                           [SCENARIO_NULL] = 10,
                                           [SCENARIO_RTDS] = 5};
const char *const scenario_loads[] = {"hog",  "on_off", "web", "request_response", "bulk_out", "bulk_in",
                                      "disk", "map",    NULL};
const char *const scenario_guests[] = {"pv", "hvm", NULL};
/* Which schedulers know a key of a domain. */
static const struct {
    const char *name;
    unsigned schedulers; /* 1 << enum scenario_scheduler, or-ed */
} parameters[] = {
    {"weight", 1u << SCENARIO_CREDIT | 1u << SCENARIO_CREDIT2},
    {"cap_pct", 1u << SCENARIO_CREDIT | 1u << SCENARIO_CREDIT2},
    {"boost", 1u << SCENARIO_CREDIT},
    {"slice", 1u << SCENARIO_SEDF},
    {"period", 1u << SCENARIO_SEDF | 1u << SCENARIO_RTDS},
    {"extratime", 1u << SCENARIO_SEDF | 1u << SCENARIO_RTDS},
    {"budget", 1u << SCENARIO_RTDS},
};
static const struct {
    const char *name;
    unsigned schedulers;
} host_parameters[] = {
    {"ratelimit", 1u << SCENARIO_CREDIT | 1u << SCENARIO_CREDIT2},
    {"timeslice", 1u << SCENARIO_CREDIT},
    {"short_block", 1u << SCENARIO_SEDF},
};

/* Which guests know a key of a domain. */
static const struct {
    const char *name;
    int guest; /* enum scenario_guest */
} guest_keys[] = {{"hypercalls_per_s", GUEST_PV},
                  {"privileged_per_s", GUEST_PV},
                  {"traps_per_s", GUEST_PV},
                  {"page_faults_per_s", GUEST_PV},
                  {"exits_per_s", GUEST_HVM}};

/* ---- the parts ---- */

static int read_host(struct scenario *s, const json_t *root, struct error *err)
{
    const struct key_place place = {NULL, "host", 0};
    const json_t *host = json_object_get(root, "host");
    if (!host)
        return 0;
    if (keys_read(host, &place, scenario_host_keys, s, err) != 0)
        return -1;
    if (!keys_given(host, scenario_host_keys, "guest_record") && s->guest_record_ns > s->record_ns)
        s->guest_record_ns = s->record_ns;
    for (size_t i = 0; i < sizeof host_parameters / sizeof host_parameters[0]; i++) {
        const char *member = keys_given(host, scenario_host_keys, host_parameters[i].name);
        const struct key_place here = {&place, member, 0};
        if (member && !(host_parameters[i].schedulers >> s->scheduler & 1))
            return key_error(&here, err, "the scheduler is %s, which has no such parameter: take it out",
                             scenario_schedulers[s->scheduler]);
    }
    return 0;
}

int scenario_set_layout(struct scenario *s, const char *version, struct error *err)
{
    const unsigned since = scheduler_since[s->scheduler];
    if (!trace_layout_parse(version, &s->layout))
        return error_set(err, ERROR_USAGE, "'%.20s' is no version of Xen: take one from \"4.0\" to \"4.%u\"",
                         version, TRACE_LAYOUT_NEWEST);
    if (s->layout < since)
        return error_set(err, ERROR_USAGE,
                         "Xen %s has no scheduler %s: take the records of Xen 4.%u or later", version,
                         scenario_schedulers[s->scheduler], since);
    return 0;
}

static int read_layout(struct scenario *s, const char *version, const struct key_place *above,
                       struct error *err)
{
    const struct key_place place = {above, "layout", 0};
    struct error why = {0};
    if (!version || scenario_set_layout(s, version, &why) == 0)
        return 0;
    return key_error(&place, err, "%s", why.message);
}

static int read_trace(struct scenario *s, const json_t *root, struct error *err)
{
    const struct key_place place = {NULL, "trace", 0}, events = {&place, "events", 0},
                           pages = {&place, "buffer_pages", 0};
    const json_t *trace = json_object_get(root, "trace");
    struct scenario_trace_part part = {.events = "all",
                                       .buffer_pages = s->buffer_pages,
                                       .sweep_ns = s->sweep_ns,
                                       .sweep_delay_ns = s->sweep_delay_ns};
    if (trace && (keys_read(trace, &place, scenario_trace_keys, &part, err) != 0 ||
                  scenario_read_damage(s, trace, &place, err) != 0))
        return -1;
    if (part.buffer_pages * s->pcpus > PAGES_MAX)
        return key_error(&pages, err, "all pCPUs together have at most %u pages: lower it to %u", PAGES_MAX,
                         PAGES_MAX / (unsigned)s->pcpus);
    s->buffer_pages = part.buffer_pages;
    s->sweep_ns = part.sweep_ns;
    s->lost_ppm = (uint32_t)(part.lost * 1e6 + 0.5);
    s->skew_ns = part.skew_ns;
    s->sweep_delay_ns = part.sweep_delay_ns;
    if (scenario_parse_mask(part.events, &s->event_mask) == 0)
        return read_layout(s, part.layout, &place, err);
    return key_error(&events, err,
                     "must be a mask as xentrace -e has it: \"0x2f000\", or \"all\", \"sched\", \"pv\"");
}

static int read_pins(struct scenario_domain *d, const json_t *pin, const struct key_place *above,
                     uint64_t pcpus, struct error *err)
{
    const struct key_place place = {above, "pin", 0};
    if (!(d->pins = malloc(d->vcpus * sizeof *d->pins)))
        return error_no_memory(err, "the scenario");
    if (json_is_array(pin) && json_array_size(pin) != d->vcpus)
        return key_error(&place, err,
                         "must be a pCPU for all vCPUs, or a list with one for each of the %zu vCPUs",
                         (size_t)d->vcpus);
    for (size_t i = 0; i < d->vcpus; i++) {
        const json_t *one = json_is_array(pin) ? json_array_get(pin, i) : pin;
        if (one && (!json_is_integer(one) || json_integer_value(one) < 0 ||
                    (uint64_t)json_integer_value(one) >= pcpus))
            return key_error(&place, err, "a pCPU must be a number from 0 to %zu", (size_t)pcpus - 1);
        d->pins[i] = one ? (int16_t)json_integer_value(one) : -1;
    }
    return 0;
}

static int read_driver(struct scenario_domain *d, const json_t *domain, const struct key_place *above,
                       struct error *err)
{
    const struct key_place place = {above, "driver_domain", 0};
    const json_t *driver = json_object_get(domain, "driver_domain");
    if (!driver)
        return 0;
    if (!(d->driver = malloc(sizeof *d->driver)))
        return error_no_memory(err, "the scenario");
    return scenario_read_driver(d->driver, driver, &place, err);
}

static int read_loads(struct scenario_domain *d, const json_t *domain, const struct key_place *place,
                      struct error *err)
{
    const struct key_place list_place = {place, "loads", 0};
    const json_t *list;
    if (keys_list(domain, place, "loads", SCENARIO_LOADS_MAX, &list, err) != 0)
        return -1;
    if (!list)
        return 0;
    if (!(d->loads = calloc(json_array_size(list) + 1, sizeof *d->loads)))
        return error_no_memory(err, "the scenario");
    for (; d->load_count < json_array_size(list); d->load_count++) {
        const struct key_place here = {&list_place, NULL, d->load_count};
        if (scenario_read_load(&d->loads[d->load_count], json_array_get(list, d->load_count), d, &here,
                               err) != 0)
            return -1;
    }
    return 0;
}

/* A domain has the parameters of the host's scheduler, and no others. */
static int check_parameters(const struct scenario *s, const struct scenario_domain *d, const json_t *domain,
                            const struct key_place *place, struct error *err)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const char *member = keys_given(domain, scenario_domain_keys, parameters[i].name);
        const struct key_place here = {place, member, 0};
        if (member && !(parameters[i].schedulers >> s->scheduler & 1))
            return key_error(&here, err, "the scheduler is %s, which has no such parameter: take it out",
                             scenario_schedulers[s->scheduler]);
    }
    if (s->scheduler == SCENARIO_SEDF && d->slice_ns > d->period_ns)
        return key_error(place, err, "the slice must not be longer than the period");
    if (s->scheduler == SCENARIO_RTDS && d->budget_ns > d->period_ns)
        return key_error(place, err, "the budget must not be longer than the period");
    return 0;
}

/* PV guests do not exit, and HVM guests do not trap to Xen. */
static int check_guest(const struct scenario_domain *d, const json_t *domain, const struct key_place *place,
                       struct error *err)
{
    for (size_t i = 0; i < sizeof guest_keys / sizeof guest_keys[0]; i++) {
        const struct key_place here = {place, guest_keys[i].name, 0};
        if (json_object_get(domain, guest_keys[i].name) && guest_keys[i].guest != d->guest)
            return key_error(&here, err, "the guest is %s, which has none: take it out, or give guest \"%s\"",
                             scenario_guests[d->guest], scenario_guests[guest_keys[i].guest]);
    }
    return 0;
}

/* Driver domains live throughout; others live for a while, and what comes again has gone before. */
static int check_life(const struct scenario_domain *d, const json_t *domain, const struct key_place *place,
                      struct error *err)
{
    const char *created = keys_given(domain, scenario_domain_keys, "created"),
               *destroyed = keys_given(domain, scenario_domain_keys, "destroyed"),
               *again = keys_given(domain, scenario_domain_keys, "again");
    const struct key_place first = {place, created ? created : destroyed, 0}, end = {place, destroyed, 0},
                           next = {place, again, 0};
    if (!d->pause_ns != !d->pause_every_ns)
        return key_error(place, err, "has one of pause and pause_every: give both, or take it out");
    if ((created || destroyed) && json_object_get(domain, "driver_domain"))
        return key_error(&first, err, "a driver domain is there all the time: take it out");
    if (destroyed && d->destroyed_ns < d->created_ns + SCENARIO_LIFE_NS)
        return key_error(&end, err, "a domain lives for %u ms at least: make it later",
                         SCENARIO_LIFE_NS / 1000000);
    if (again && !destroyed)
        return key_error(&next, err, "what is not destroyed cannot come again: give destroyed, too");
    if (again && d->destroyed_ns - d->created_ns + SCENARIO_LIFE_NS > d->again_ns)
        return key_error(&next, err, "must be longer than the life, by %u ms at least",
                         SCENARIO_LIFE_NS / 1000000);
    return 0;
}

static int read_domain(struct scenario *s, struct scenario_domain *d, const json_t *domain,
                       const struct key_place *place, struct error *err)
{
    *d = (struct scenario_domain){.name = "",
                                  .destroyed_ns = UINT64_MAX,
                                  .vcpus = 1,
                                  .weight = 256,
                                  .slice_ns = 0,
                                  .period_ns = (s->scheduler == SCENARIO_RTDS ? 10 : 100) * (uint64_t)MS,
                                  .budget_ns = 4 * (uint64_t)MS,
                                  .extratime = s->scheduler == SCENARIO_SEDF,
                                  .tick_ns = 4 * (uint64_t)MS};
    if (keys_read(domain, place, scenario_domain_keys, d, err) != 0)
        return -1;
    if (keys_given(domain, scenario_domain_keys, "slice") &&
        !keys_given(domain, scenario_domain_keys, "extratime"))
        d->extratime = false;
    if (read_pins(d, json_object_get(domain, "pin"), place, s->pcpus, err) != 0 ||
        check_parameters(s, d, domain, place, err) != 0 || check_guest(d, domain, place, err) != 0 ||
        check_life(d, domain, place, err) != 0 || read_driver(d, domain, place, err) != 0)
        return -1;
    return read_loads(d, domain, place, err);
}

/* How many domains alike the element stands for; 0 with `err` filled. */
static size_t count_of(const json_t *domain, const struct key_place *above, struct error *err)
{
    const struct key_place place = {above, "count", 0};
    const json_t *count = json_is_object(domain) ? json_object_get(domain, "count") : NULL;
    json_int_t n = json_integer_value(count);
    if (!count)
        return 1;
    if (json_is_integer(count) && n >= 1 && n <= SCENARIO_DOMAINS_MAX)
        return (size_t)n;
    key_error(&place, err, "must be a whole number from 1 to %d", SCENARIO_DOMAINS_MAX);
    return 0;
}

/* One of several that are alike: their ids follow each other, and so do numbers in their names. */
static int number_copy(struct scenario_domain *d, size_t copy, const struct key_place *above,
                       struct error *err)
{
    const struct key_place place = {above, "count", 0};
    d->id += copy;
    if (d->id > SCENARIO_ID_MAX)
        return key_error(&place, err, "the last of these domains would be above %d, the last id",
                         SCENARIO_ID_MAX);
    if (!*d->name)
        return 0;
    size_t room = strlen(d->name) + 24;
    if (!(d->copy_name = malloc(room)))
        return error_no_memory(err, "the scenario");
    snprintf(d->copy_name, room, "%s-%zu", d->name, copy + 1);
    d->name = d->copy_name;
    return 0;
}

/* The domain of an element that is the copy-th of those alike (count of them), in its life-th life. */
static int read_copy(struct scenario *s, const json_t *element, size_t copy, size_t count, uint64_t life,
                     const struct key_place *here, struct error *err)
{
    if (s->domain_count == SCENARIO_DOMAINS_MAX)
        return key_error(here->above, err, "are more than %d domains, with all their lives",
                         SCENARIO_DOMAINS_MAX);
    struct scenario_domain *d = &s->domains[s->domain_count++];
    if (read_domain(s, d, element, here, err) != 0 || (count > 1 && number_copy(d, copy, here, err) != 0))
        return -1;
    d->element = here->index;
    d->created_ns += life * d->again_ns;
    d->destroyed_ns += life * d->again_ns;
    return 0;
}

static int read_element(struct scenario *s, const json_t *element, const struct key_place *here,
                        struct error *err)
{
    size_t count = count_of(element, here, err);
    for (size_t copy = 0; copy < count; copy++) {
        const struct scenario_domain *d = &s->domains[s->domain_count];
        for (uint64_t life = 0; life == 0 || (d->again_ns && d->created_ns + d->again_ns < s->duration_ns);
             life++) {
            if (read_copy(s, element, copy, count, life, here, err) != 0)
                return -1;
            d = &s->domains[s->domain_count - 1];
        }
    }
    return count > 0 ? 0 : -1;
}

static int read_domains(struct scenario *s, const json_t *root, struct error *err)
{
    const struct key_place list_place = {NULL, "domains", 0};
    const json_t *list;
    if (keys_list(root, NULL, "domains", SCENARIO_DOMAINS_MAX, &list, err) != 0)
        return -1;
    if (!(s->domains = calloc(SCENARIO_DOMAINS_MAX, sizeof *s->domains)))
        return error_no_memory(err, "the scenario");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct key_place here = {&list_place, NULL, i};
        if (read_element(s, json_array_get(list, i), &here, err) != 0)
            return -1;
    }
    return scenario_check_loads(s, &list_place, err) != 0 ? -1 : scenario_check_domains(s, &list_place, err);
}

/* ---- the whole ---- */

static int read_document(struct scenario *s, const char *text, size_t n, uint64_t duration_ns,
                         struct error *err)
{
    json_error_t wrong;
    s->document = json_parse(text, n, &wrong);
    if (!s->document && json_memory_failed())
        return error_no_memory(err, "the scenario");
    if (!s->document)
        return error_set(err, ERROR_FORMAT, "line %d, column %d: not JSON: %s", wrong.line, wrong.column,
                         wrong.text);
    const json_t *root = s->document;
    if (keys_read(root, NULL, scenario_root_keys, s, err) != 0 || read_host(s, root, err) != 0)
        return -1;
    if (read_trace(s, root, err) != 0)
        return -1;
    if (duration_ns)
        s->duration_ns = duration_ns;
    return read_domains(s, root, err);
}

struct scenario *scenario_read(const char *text, size_t n, const char *folder, uint64_t duration_ns,
                               struct error *err)
{
    struct scenario *s = malloc(sizeof *s);
    if (!s) {
        error_no_memory(err, "the scenario");
        return NULL;
    }
    *s = (struct scenario){.seed = 1,
                           .pcpus = 1,
                           .cpu_hz = 2400000000u,
                           .scheduler = SCENARIO_CREDIT2,
                           .ipi_ns = 1500,
                           .switch_cost_ns = 1000,
                           .record_ns = 800, /* as in captures of Xen 4.17 */
                           .guest_record_ns = 50,
                           .watchdog_ns = 20000000000u,
                           .ratelimit_ns = 1000000,
                           .timeslice_ns = 30000000,
                           .layout = TRACE_LAYOUT_NEWEST,
                           .buffer_pages = 32,
                           .sweep_ns = 100000000,
                           .sweep_delay_ns = 200000};
    if (read_document(s, text, n, duration_ns, err) == 0 && scenario_read_files(s, folder, err) == 0)
        return s;
    scenario_free(s);
    return NULL;
}

void scenario_free(struct scenario *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->domain_count; i++) {
        for (size_t j = 0; j < s->domains[i].load_count; j++)
            free(s->domains[i].loads[j].arrivals);
        free(s->domains[i].pins);
        free(s->domains[i].copy_name);
        free(s->domains[i].loads);
        free(s->domains[i].driver);
    }
    free(s->domains);
    free(s->damages);
    json_decref(s->document);
    free(s);
}
