#include "sim/scenario_loads.h"

#include <string.h>

#include "sim/arrivals.h"

#define US 1e3
#define MS 1e6
#define S  1e9

#define FIELD(MEMBER)  .offset = offsetof(struct scenario_load, MEMBER)
#define DRIVER(MEMBER) .offset = offsetof(struct scenario_driver, MEMBER)

static const char *const distributions[] = {"fixed", "exponential", NULL};
static const char *const transports[] = {"tcp", "udp", NULL};

#define KEY(...)                                                                                             \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

#define TYPE          KEY("type", KEY_CHOICE, FIELD(type), .choices = scenario_loads, .required = true)
#define DRIVER_DOMAIN KEY("driver_domain", KEY_COUNT, FIELD(driver), 0, 32751, NULL, false)
#define PACKET        KEY("packet", KEY_TIME, FIELD(packet_ns), 0, 10 * MS, NULL, false)
#define REQUEST       KEY("request", KEY_TIME, FIELD(request_ns), 0, 10 * S, NULL, false)
#define DELAY         KEY("network_delay", KEY_TIME, FIELD(network_delay_ns), 0, 10 * S, NULL, false)
#define RATE          KEY("requests_per_s", KEY_NUMBER, FIELD(requests_per_s), 0.001, 1e7, NULL, false)
#define PACKET_RATE   KEY("packets_per_s", KEY_NUMBER, FIELD(packets_per_s), 0.001, 1e7, NULL, false)
#define PACKET_BYTES  KEY("packet_bytes", KEY_COUNT, FIELD(packet_bytes), 1, 65536, NULL, false)
#define CLIENTS       KEY("clients", KEY_COUNT, FIELD(clients), 1, 1000, NULL, false)
#define THINK         KEY("think", KEY_TIME, FIELD(think_ns), 0, 3600 * S, NULL, false)
#define START         KEY("start", KEY_TIME, FIELD(start_ns), 0, 86400 * S, NULL, false)
#define TRANSPORT     KEY("transport", KEY_CHOICE, FIELD(transport), .choices = transports)
#define SYSTEM_CALL   KEY("system_call", KEY_TIME, FIELD(syscall_ns), 1 * US, 1 * S, NULL, false)
#define VCPU          KEY("vcpu", KEY_COUNT, FIELD(vcpu), 0, SCENARIO_VCPUS_MAX - 1, NULL, false)
#define VIF           KEY("vif", KEY_COUNT, FIELD(vif), 0, SCENARIO_VIFS_MAX - 1, NULL, false)
#define END           KEY(.name = NULL)

static const struct key hog_keys[] = {
    TYPE, SYSTEM_CALL, {"yield", KEY_TIME, FIELD(yield_ns), 1 * US, 3600 * S, NULL, false}, END};

static const struct key on_off_keys[] = {
    TYPE,
    {"on", KEY_TIME, FIELD(on_ns), 1 * US, 3600 * S, NULL, true},
    {"off", KEY_TIME, FIELD(off_ns), 1 * US, 3600 * S, NULL, true},
    {"distribution", KEY_CHOICE, FIELD(distribution), .choices = distributions},
    SYSTEM_CALL,
    VCPU,
    END,
};

static const struct key web_keys[] = {
    TYPE,
    DRIVER_DOMAIN,
    VIF,
    RATE,
    CLIENTS,
    THINK,
    DELAY,
    REQUEST,
    PACKET,
    {"request_bytes", KEY_COUNT, FIELD(request_bytes), 1, 65536, NULL, false},
    {"arrivals_file", KEY_TEXT, FIELD(arrivals_file), 0, 0, NULL, false},
    {"file_bytes", KEY_COUNT, FIELD(response_bytes), 1, 1e9, NULL, false},
    START,
    END,
};

static const struct key request_response_keys[] = {
    TYPE,
    DRIVER_DOMAIN,
    VIF,
    CLIENTS,
    THINK,
    DELAY,
    REQUEST,
    PACKET,
    {"request_bytes", KEY_COUNT, FIELD(request_bytes), 1, 65536, NULL, false},
    {"response_bytes", KEY_COUNT, FIELD(response_bytes), 1, 1e9, NULL, false},
    START,
    END,
};

static const struct key bulk_out_keys[] = {
    TYPE,
    DRIVER_DOMAIN,
    VIF,
    PACKET_RATE,
    PACKET_BYTES,
    PACKET,
    {"to", KEY_COUNT, FIELD(to), 0, 32751, NULL, false},
    START,
    TRANSPORT,
    END,
};

static const struct key bulk_in_keys[] = {
    TYPE,         DRIVER_DOMAIN, VIF,   PACKET_RATE,
    PACKET_BYTES, PACKET,        DELAY, {"window", KEY_COUNT, FIELD(window), 1, 256, NULL, false},
    START,        TRANSPORT,     END,
};

static const struct key disk_keys[] = {
    TYPE,
    DRIVER_DOMAIN,
    RATE,
    REQUEST,
    {"depth", KEY_COUNT, FIELD(depth), 1, 64, NULL, false},
    {"request_bytes", KEY_COUNT, FIELD(request_bytes), 512, 1 << 20, NULL, false},
    {"reads_pct", KEY_NUMBER, FIELD(reads_pct), 0, 100, NULL, false},
    START,
    END,
};

static const struct key map_keys[] = {
    TYPE,
    {"batches_per_s", KEY_NUMBER, FIELD(batches_per_s), 0.001, 1e6, NULL, true},
    {"pages", KEY_COUNT, FIELD(pages), 1, 64, NULL, false},
    {"page", KEY_TIME, FIELD(page_ns), 0, 10 * MS, NULL, false},
    VCPU,
    END,
};

/* Of each type, in the order of enum scenario_load_type: its keys, and whether a driver domain serves it. */
static const struct {
    const struct key *keys;
    bool served;
} types[] = {{hog_keys, false},     {on_off_keys, false}, {web_keys, true},  {request_response_keys, true},
             {bulk_out_keys, true}, {bulk_in_keys, true}, {disk_keys, true}, {map_keys, false}};

static const struct key driver_keys[] = {
    {"interrupt", KEY_TIME, DRIVER(interrupt_ns), 0, 10 * MS, NULL, false},
    {"receive_packet", KEY_TIME, DRIVER(receive_packet_ns), 0, 10 * MS, NULL, false},
    {"dealloc_packet", KEY_TIME, DRIVER(dealloc_packet_ns), 0, 10 * MS, NULL, false},
    {"transmit_packet", KEY_TIME, DRIVER(transmit_packet_ns), 0, 10 * MS, NULL, false},
    {"device_packet", KEY_TIME, DRIVER(device_packet_ns), 0, 10 * MS, NULL, false},
    {"batch", KEY_TIME, DRIVER(batch_ns), 0, 10 * MS, NULL, false},
    {"copy_kib", KEY_TIME, DRIVER(copy_kib_ns), 0, 1 * MS, NULL, false},
    {"disk_request", KEY_TIME, DRIVER(disk_request_ns), 0, 10 * MS, NULL, false},
    {"disk_write_kib", KEY_TIME, DRIVER(disk_write_kib_ns), 0, 1 * MS, NULL, false},
    {"disk_completion", KEY_TIME, DRIVER(disk_completion_ns), 0, 10 * MS, NULL, false},
    {"disk_latency", KEY_TIME, DRIVER(disk_latency_ns), 0, 10 * S, NULL, false},
    {"disk_mib_per_s", KEY_NUMBER, DRIVER(disk_mib_per_s), 0.001, 1e6, NULL, false},
    {"threaded_napi", KEY_FLAG, DRIVER(threaded_napi), 0, 0, NULL, false},
    {"persistent_grants", KEY_FLAG, DRIVER(persistent_grants), 0, 0, NULL, false},
    END,
};

json_t *scenario_driver_schema(void)
{
    return keys_schema(driver_keys, json_object());
}

json_t *scenario_load_schema(void)
{
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        json_t *one = keys_schema(types[i].keys, json_object());
        json_t *type = json_pack("{s:s}", "const", scenario_loads[i]);
        json_object_set_new(json_object_get(one, "properties"), "type", type);
        json_array_append_new(all, one);
    }
    return json_pack("{s:o}", "oneOf", all);
}

int scenario_read_driver(struct scenario_driver *driver, const json_t *object, const struct key_place *place,
                         struct error *err)
{
    *driver = (struct scenario_driver){.interrupt_ns = 2000,
                                       .receive_packet_ns = 2500,
                                       .dealloc_packet_ns = 700,
                                       .transmit_packet_ns = 1800,
                                       .device_packet_ns = 1500,
                                       .batch_ns = 1200,
                                       .copy_kib_ns = 120,
                                       .disk_request_ns = 6000,
                                       .disk_write_kib_ns = 600,
                                       .disk_completion_ns = 3000,
                                       .disk_latency_ns = 100000,
                                       .disk_mib_per_s = 500,
                                       .persistent_grants = true};
    return keys_read(object, place, driver_keys, driver, err);
}

/* ---- loads ---- */

/* The type alone: which keys the object may have follows from it. */
static int read_type(struct scenario_load *load, const json_t *object, const struct key_place *place,
                     struct error *err)
{
    const struct key_place here = {place, "type", 0};
    const char *type = json_string_value(json_object_get(object, "type"));
    if (!json_is_object(object) || !json_object_get(object, "type"))
        return keys_read(object, place, hog_keys, load, err);
    for (int i = 0; type && scenario_loads[i]; i++)
        if (strcmp(type, scenario_loads[i]) == 0) {
            load->type = i;
            return 0;
        }
    return key_error(
        &here, err,
        "must be one of \"hog\", \"on_off\", \"web\", \"request_response\", \"bulk_out\", \"bulk_in\", "
        "\"disk\", \"map\"");
}

static int check_load(const struct scenario_load *load, const json_t *object, const struct scenario_domain *d,
                      const struct key_place *place, struct error *err)
{
    const struct key_place vcpu = {place, "vcpu", 0};
    if (load->vcpu >= d->vcpus)
        return key_error(&vcpu, err, "the domain has the vCPUs 0 to %zu", (size_t)d->vcpus - 1);
    int given = (json_object_get(object, "requests_per_s") != NULL) +
                (json_object_get(object, "clients") != NULL) + (load->arrivals_file != NULL);
    if (load->type == LOAD_WEB && given != 1)
        return key_error(
            place, err,
            "must have either requests_per_s or arrivals_file (an open loop) or clients (a closed one)");
    return 0;
}

int scenario_read_load(struct scenario_load *load, const json_t *object, const struct scenario_domain *d,
                       const struct key_place *place, struct error *err)
{
    *load = (struct scenario_load){.network_delay_ns = 100000,
                                   .request_bytes = 200,
                                   .response_bytes = 10000,
                                   .packet_bytes = 1448,
                                   .request_ns = 100000,
                                   .packet_ns = 2000,
                                   .window = 64,
                                   .pages = 8,
                                   .page_ns = 500,
                                   .depth = 1,
                                   .reads_pct = 100};
    if (read_type(load, object, place, err) != 0)
        return -1;
    if (load->type == LOAD_REQUEST_RESPONSE) {
        load->clients = 1;
        load->response_bytes = 200;
        load->request_ns = 10000;
    }
    if (load->type == LOAD_DISK) {
        load->request_bytes = 4096;
        load->request_ns = 10000;
    }
    if (keys_read(object, place, types[load->type].keys, load, err) != 0)
        return -1;
    load->driver_given = json_object_get(object, "driver_domain") != NULL;
    load->to_given = json_object_get(object, "to") != NULL;
    return check_load(load, object, d, place, err);
}

/* ---- driver domains ---- */

static const struct scenario_domain *find_domain(const struct scenario *s, uint64_t id)
{
    for (size_t i = 0; i < s->domain_count; i++)
        if (s->domains[i].id == id)
            return &s->domains[i];
    return NULL;
}

static const struct scenario_domain *first_driver(const struct scenario *s)
{
    for (size_t i = 0; i < s->domain_count; i++)
        if (s->domains[i].driver)
            return &s->domains[i];
    return NULL;
}

/* A program that maps pages runs where what it does is charged, and there is somebody whose pages they are. */
static int check_mapper(const struct scenario *s, const struct scenario_domain *d,
                        const struct key_place *place, struct error *err)
{
    if (!d->driver)
        return key_error(place, err, "the domain must be a driver domain: give it the key driver_domain");
    for (size_t i = 0; i < s->domain_count; i++)
        if (!s->domains[i].driver)
            return 0;
    return key_error(place, err, "there is no guest whose pages it could map: add one");
}

static int find_driver(const struct scenario *s, const struct scenario_domain *d, struct scenario_load *load,
                       const struct key_place *place, struct error *err)
{
    const struct key_place here = {place, "driver_domain", 0};
    const struct scenario_domain *driver =
        load->driver_given ? find_domain(s, load->driver) : first_driver(s);
    if (!driver || !driver->driver)
        return key_error(load->driver_given ? &here : place, err,
                         "there is no such driver domain: give a domain the key driver_domain, {} will do");
    if (driver == d)
        return key_error(place, err, "a domain cannot be its own driver domain: name another one");
    load->driver = driver->id;
    return 0;
}

/* A guest gets packets of another guest if one driver domain serves both. */
static int check_receiver(const struct scenario *s, const struct scenario_domain *d,
                          const struct scenario_load *load, const struct key_place *place, struct error *err)
{
    const struct key_place here = {place, "to", 0};
    const struct scenario_domain *to = find_domain(s, load->to);
    if (!to || to == d || to->id == load->driver)
        return key_error(&here, err, "must be another domain of the scenario, and not the driver domain");
    return 0;
}

int scenario_check_loads(struct scenario *s, const struct key_place *domains, struct error *err)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct key_place domain = {domains, NULL, s->domains[i].element}, loads = {&domain, "loads", 0};
        for (size_t j = 0; j < s->domains[i].load_count; j++) {
            struct scenario_load *load = &s->domains[i].loads[j];
            const struct key_place here = {&loads, NULL, j};
            if (load->type == LOAD_MAP && check_mapper(s, &s->domains[i], &here, err) != 0)
                return -1;
            if (!types[load->type].served)
                continue;
            if (find_driver(s, &s->domains[i], load, &here, err) != 0)
                return -1;
            if (load->to_given && check_receiver(s, &s->domains[i], load, &here, err) != 0)
                return -1;
        }
    }
    return 0;
}

int scenario_read_files(struct scenario *s, const char *folder, struct error *err)
{
    const struct key_place domains = {NULL, "domains", 0};
    struct error wrong;
    for (size_t i = 0; i < s->domain_count; i++)
        for (size_t j = 0; j < s->domains[i].load_count; j++) {
            const struct key_place domain = {&domains, NULL, s->domains[i].element},
                                   loads = {&domain, "loads", 0}, load = {&loads, NULL, j};
            const struct key_place here = {&load, "arrivals_file", 0};
            struct scenario_load *l = &s->domains[i].loads[j];
            if (l->arrivals_file &&
                arrivals_read(folder, l->arrivals_file, &l->arrivals, &l->arrival_count, &wrong) != 0)
                return key_error(&here, err, "%s", wrong.message);
        }
    return 0;
}
