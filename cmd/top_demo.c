/* The host of `top --demo`: it is simulated while it is looked at. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/io_clock.h"
#include "sim/simulated_feed.h"
#include "top.h"

#define STEP_NS 20000000u

/* Four pCPUs; a web server that shares its pCPUs with a hog, disks, somebody who sends, somebody who comes and goes. */
static const char scenario_text[] =
    "{ \"duration_s\": 86400, \"host\": { \"pcpus\": 4, \"scheduler\": \"credit\" }, \"domains\": ["
    "{ \"id\": 0, \"name\": \"dom0\", \"vcpus\": 2, \"idle_us\": 3, \"timer_us\": 3, \"interrupt_us\": 2,"
    "  \"driver_domain\": {},"
    "  \"loads\": [ { \"type\": \"on_off\", \"on_ms\": 2, \"off_ms\": 30, \"system_call_us\": 200 } ] },"
    "{ \"id\": 1, \"name\": \"web\", \"vcpus\": 2, \"interrupt_us\": 2,"
    "  \"loads\": [ { \"type\": \"web\", \"requests_per_s\": 900, \"file_bytes\": 20000, \"request_us\": 300 "
    "} ] },"
    "{ \"id\": 2, \"name\": \"database\", \"interrupt_us\": 2,"
    "  \"loads\": [ { \"type\": \"disk\", \"depth\": 4, \"request_bytes\": 16384, \"requests_per_s\": 800 },"
    "             { \"type\": \"on_off\", \"on_ms\": 12, \"off_ms\": 20 } ] },"
    "{ \"id\": 3, \"name\": \"build\", \"loads\": [ { \"type\": \"hog\" } ] },"
    "{ \"id\": 4, \"name\": \"backup\", \"interrupt_us\": 2,"
    "  \"loads\": [ { \"type\": \"bulk_out\", \"packets_per_s\": 1500 } ] },"
    "{ \"id\": 5, \"name\": \"batch\", \"loads\": [ { \"type\": \"on_off\", \"on_ms\": 7000, \"off_ms\": "
    "9000 } ] } ] }";

struct top_demo {
    struct scenario *scenario;
    struct simulated_feed host;
    const atomic_int *stop;
    sigset_t wait_mask;
    uint64_t begun_ns;
};

static int drop(void *context, const void *bytes, size_t n)
{
    (void)context;
    (void)bytes;
    (void)n;
    return 0; /* the feed has them, too */
}

/* Waits until the clock is as far as the host. */
static void reached(void *context, uint64_t now_ns)
{
    struct top_demo *d = context;
    d->begun_ns = d->begun_ns ? d->begun_ns : io_clock_ns() - now_ns;
    for (uint64_t due_ns = d->begun_ns + now_ns, clock_ns;
         !*d->stop && (clock_ns = io_clock_ns()) < due_ns;) {
        uint64_t left_ns = due_ns - clock_ns < STEP_NS ? due_ns - clock_ns : STEP_NS;
        const struct timespec time = {.tv_nsec = (long)left_ns};
        ppoll(NULL, 0, &time, &d->wait_mask);
    }
    if (*d->stop)
        simulation_stop(d->host.simulation);
}

struct top_demo *top_demo_new(const struct top_options *o, const atomic_int *stop, struct error *err)
{
    struct top_demo *d = calloc(1, sizeof *d);
    (void)o;
    if (!d) {
        error_no_memory(err, "the simulated host");
        return NULL;
    }
    d->stop = stop;
    sigfillset(&d->wait_mask);
    sigdelset(&d->wait_mask, READER_SIGNAL);
    const struct simulation_sink sink = {d, drop, reached, STEP_NS};
    d->scenario = scenario_read(scenario_text, strlen(scenario_text), "", 0, err);
    if (d->scenario && simulated_feed_open(&d->host, d->scenario, &sink, err) == 0)
        return d;
    top_demo_free(d);
    return NULL;
}

void top_demo_free(struct top_demo *d)
{
    if (!d)
        return;
    simulated_feed_free(&d->host);
    scenario_free(d->scenario);
    free(d);
}

struct feed top_demo_feed(struct top_demo *d)
{
    return simulated_feed_of(&d->host);
}

bool top_demo_names(const struct top_demo *d, struct domain_names **names)
{
    for (size_t i = 0; i < d->scenario->domain_count; i++)
        if (!names_add(names, (uint32_t)d->scenario->domains[i].id, d->scenario->domains[i].name))
            return false;
    return true;
}
