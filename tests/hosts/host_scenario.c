#include "host_scenario.h"

#include <stdlib.h>
#include <string.h>

#include "sim/prng.h"

/* How vCPUs run and sleep, in the mean. */
struct profile {
    int64_t on_us, off_us; /* on_us 0: it never sleeps */
};

struct drawing {
    const struct plan *plan;
    struct prng rng;
    uint64_t vcpus; /* so far, of all domains */
};

static int64_t between(struct drawing *d, int64_t low, int64_t high)
{
    return low + prng_below(&d->rng, (uint64_t)(high - low) + 1);
}

static bool is_quiet(const struct plan *p)
{
    return p->mood == MOOD_QUIET;
}

static uint64_t all_vcpus(const struct plan *p)
{
    return (uint64_t)((1 + p->domains + p->churn) * p->vcpus);
}

/* ---- loads ---- */

static struct profile profile_of(const struct plan *p, int64_t domain)
{
    static const struct profile dom0 = {80, 3000}, asleep = {30, 400000}, endless = {0, 0},
                                hasty = {120, 150}, idle = {25, 60000}, burner = {20000, 50000},
                                io = {250, 2000}, interactive = {300, 8000};
    const struct profile turns[8] = {idle, burner, io, interactive, idle, io, interactive, idle};
    if (is_quiet(p))
        return asleep;
    if (domain == 0)
        return dom0;
    if (p->mood == MOOD_BURNERS && domain % 4 != 3)
        return endless;
    return p->mood == MOOD_BUSY ? hasty : turns[domain % 8];
}

static json_t *hog(struct drawing *d)
{
    json_t *load = json_pack("{s:s}", "type", "hog");
    if (between(d, 0, 2) == 0)
        json_object_set_new(load, "yield_us", json_integer(between(d, 300, 20000)));
    return load;
}

static json_t *on_off(const struct profile *profile, int64_t vcpu)
{
    return json_pack("{s:s,s:I,s:I,s:s,s:I}", "type", "on_off", "on_us", (json_int_t)profile->on_us, "off_us",
                     (json_int_t)profile->off_us, "distribution", "exponential", "vcpu", (json_int_t)vcpu);
}

/* The domain that serves it: dom0, or domain 1 now and then if it is a driver domain. */
static json_t *served(struct drawing *d, const char *type, const char *rate, int64_t rate_at_most)
{
    bool second = d->plan->io & IO_SECOND_DRIVER && between(d, 0, 1);
    json_int_t per_s = is_quiet(d->plan) ? between(d, 1, 10) : between(d, 1, rate_at_most);
    return json_pack("{s:s,s:I,s:I,s:I}", "type", type, rate, per_s, "driver_domain", (json_int_t)second,
                     "start_us", (json_int_t)between(d, 0, HOST_WARM_UP_NS / 1000));
}

static json_t *network(struct drawing *d)
{
    json_t *load;
    switch (between(d, 0, 3)) {
    case 0:
        return served(d, "bulk_out", "packets_per_s", 5000);
    case 1:
        return served(d, "bulk_in", "packets_per_s", 5000);
    case 2:
        return served(d, "web", "requests_per_s", 500);
    default:
        load = served(d, "request_response", "clients", 3);
        json_object_set_new(load, "think_us",
                            json_integer(is_quiet(d->plan) ? 100000 : between(d, 100, 5000)));
        return load;
    }
}

static json_t *disk(struct drawing *d)
{
    json_t *load = served(d, "disk", "requests_per_s", 2000);
    json_object_set_new(load, "depth", json_integer(between(d, 1, 8)));
    return load;
}

static json_t *map(struct drawing *d)
{
    return json_pack("{s:s,s:I}", "type", "map", "batches_per_s",
                     (json_int_t)(is_quiet(d->plan) ? between(d, 1, 10) : between(d, 1, 2000)));
}

static bool is_driver(const struct plan *p, int64_t domain)
{
    return domain == 0 || (domain == 1 && p->io & IO_SECOND_DRIVER);
}

static json_t *loads_of(struct drawing *d, int64_t domain)
{
    const struct plan *p = d->plan;
    const struct profile profile = profile_of(p, domain);
    json_t *loads = json_array();
    if (profile.on_us == 0)
        json_array_append_new(loads, hog(d));
    for (int64_t v = 0; profile.on_us > 0 && v < p->vcpus; v++)
        json_array_append_new(loads, on_off(&profile, v));
    if (!is_driver(p, domain) && p->io & IO_NETWORK && between(d, 0, 1))
        json_array_append_new(loads, network(d));
    if (!is_driver(p, domain) && p->io & IO_DISK && between(d, 0, 1))
        json_array_append_new(loads, disk(d));
    if (domain == 0 && p->io & IO_MAPS)
        json_array_append_new(loads, map(d));
    return loads;
}

/* ---- domains ---- */

static void set(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

/* What its scheduler grants it: together as much as there is. */
static void set_parameters(struct drawing *d, json_t *domain, int64_t id)
{
    const struct plan *p = d->plan;
    const int64_t pcpus = p->pcpus, vcpus = (int64_t)all_vcpus(p), period_us = between(d, 1000, 100000);
    const int64_t on_each = (vcpus + pcpus - 1) / pcpus;
    switch (p->scheduler) {
    case SCENARIO_CREDIT:
    case SCENARIO_CREDIT2:
        set(domain, "weight", 64 << between(d, 0, 4));
        if (p->caps && id % 2)
            set(domain, "cap_pct", between(d, 5, 50 * p->vcpus));
        break;
    case SCENARIO_SEDF:
        if (between(d, 0, 1)) {
            set(domain, "period_us", period_us);
            set(domain, "slice_us",
                period_us * 9 / 10 / on_each + 5 < period_us ? period_us * 9 / 10 / on_each : period_us);
            json_object_set_new(domain, "extratime", json_boolean(between(d, 0, 1)));
        }
        break;
    case SCENARIO_RTDS:
        set(domain, "period_us", period_us);
        set(domain, "budget_us", vcpus > pcpus ? period_us * 9 / 10 * pcpus / vcpus : period_us * 9 / 10);
        json_object_set_new(domain, "extratime", json_boolean(between(d, 0, 1)));
        break;
    default:
        break;
    }
}

/* It comes and goes; again and again where what its later lives are granted need not be there from the beginning. */
static void set_lives(struct drawing *d, json_t *domain)
{
    const int64_t created = between(d, 1, 200), life = 20 + between(d, 0, 800);
    const bool granted = d->plan->scheduler == SCENARIO_SEDF || d->plan->scheduler == SCENARIO_RTDS;
    set(domain, "created_ms", created);
    set(domain, "destroyed_ms", created + life);
    if (!granted)
        set(domain, "again_ms", life + 20 + between(d, 0, 300));
}

/* In the PV guests' traces Xen's work shows, in the HVM guests' their exits. */
static void set_guest(struct drawing *d, json_t *domain, int64_t id)
{
    bool hvm = d->plan->mix == 1 && !is_driver(d->plan, id) && (id + id / 8) % 2 == 1;
    static const char *const noises[] = {"hypercalls_per_s", "privileged_per_s", "traps_per_s",
                                         "page_faults_per_s"};
    json_object_set_new(domain, "guest", json_string(hvm ? "hvm" : "pv"));
    if (d->plan->mix >= 2)
        return;
    if (hvm)
        set(domain, "exits_per_s", between(d, 0, 20000));
    for (int i = 0; !hvm && i < 4; i++)
        set(domain, noises[i], between(d, 0, 5000));
    set(domain, "privileged", between(d, 0, 3));
}

static void set_pins(struct drawing *d, json_t *domain)
{
    json_t *pins = json_array();
    for (int64_t v = 0; v < d->plan->vcpus; v++)
        json_array_append_new(
            pins, json_integer((json_int_t)((d->vcpus + (uint64_t)v) % (uint64_t)d->plan->pcpus)));
    json_object_set_new(domain, "pin", pins);
}

/* Nothing that a kernel does takes no time. */
static void set_kernel(struct drawing *d, json_t *domain)
{
    set(domain, "idle_ns", between(d, 200, 3000));
    set(domain, "timer_ns", between(d, 500, 5000));
    set(domain, "interrupt_ns", between(d, 300, 3000));
    set(domain, "jitter_pct", between(d, 0, 50));
    if (between(d, 0, 2) == 0)
        set(domain, "block_race_pct", between(d, 1, 5));
    set(domain, "tick_us", is_quiet(d->plan) ? 10000 : between(d, 1000, 10000));
}

static json_t *domain_of(struct drawing *d, int64_t id)
{
    const struct plan *p = d->plan;
    json_t *domain = json_pack("{s:I,s:I}", "id", (json_int_t)id, "vcpus", (json_int_t)p->vcpus);
    set_kernel(d, domain);
    set_guest(d, domain, id);
    set_parameters(d, domain, id);
    if (p->pinned)
        set_pins(d, domain);
    if (id > p->domains)
        set_lives(d, domain);
    if (is_driver(p, id))
        json_object_set_new(domain, "driver_domain", json_object());
    if (id > 0 && id <= p->paused) {
        set(domain, "pause_every_ms", between(d, 50, 500));
        set(domain, "pause_us", between(d, 20, 40000));
    }
    json_object_set_new(domain, "loads", loads_of(d, id));
    d->vcpus += (uint64_t)p->vcpus;
    return domain;
}

/* ---- the whole ---- */

static json_t *host_of(struct drawing *d)
{
    const struct plan *p = d->plan;
    json_t *host = json_pack("{s:I,s:I,s:s,s:I,s:i}", "pcpus", (json_int_t)p->pcpus, "cpu_hz",
                             (json_int_t)p->khz * 1000, "scheduler", scenario_schedulers[p->scheduler],
                             "ipi_ns", (json_int_t)between(d, 800, 3000), "watchdog_s", 86400);
    if (!p->delayed) {
        set(host, "record_ns", 0);
        set(host, "switch_cost_ns", 0);
    }
    if (p->scheduler == SCENARIO_CREDIT)
        set(host, "timeslice_ms", between(d, 1, 30));
    if (p->scheduler == SCENARIO_CREDIT || p->scheduler == SCENARIO_CREDIT2)
        set(host, "ratelimit_us", between(d, 0, 1) ? between(d, 0, 1000) : 0);
    return host;
}

json_t *plan_document(const struct plan *p)
{
    struct drawing d = {.plan = p};
    prng_seed(&d.rng, p->seed ^ 0x7363656e6172);
    json_t *domains = json_array();
    for (int64_t i = 0; i <= p->domains + p->churn; i++)
        json_array_append_new(domains, domain_of(&d, i));
    /* A mask of the parts of records that are looked at spares the others; it does not change what the host does. */
    json_t *trace = json_pack("{s:s}", "events", p->mix < 2 ? "all" : "sched");
    if (p->old)
        json_object_set_new(trace, "layout", json_string("4.6"));
    return json_pack(
        "{s:I,s:I,s:o,s:o,s:o}", "duration_ms", (json_int_t)p->host_ms + HOST_WARM_UP_NS / 1000000, "seed",
        (json_int_t)(p->seed & INT32_MAX), "host", host_of(&d), "trace", trace, "domains", domains);
}

struct scenario *plan_scenario(const struct plan *p, struct error *err)
{
    struct scenario *scenario = NULL;
    json_t *document = plan_document(p);
    char *text = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    if (text)
        scenario = scenario_read(text, strlen(text), "", 0, err);
    else
        error_no_memory(err, "the scenario");
    free(text);
    json_decref(document);
    return scenario;
}
