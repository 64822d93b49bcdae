#include "sim/counter_reader.h"

#include <stdlib.h>

#include "sim/kernel.h"
#include "sim/network.h"

/* From one device to the next. */
enum { READ_NS = 1500, READ_MASK = 1023 };
/* Until it looks again whether it has a pCPU. */
enum { RETRY_NS = 50000 };

struct counter_reader {
    struct counter_readers *all;
    const struct sim_driver *driver;
    struct sim_timer timer;
    uint64_t begun_ns;           /* when this interval's reading was due */
    const struct sim_pair *next; /* whose counters are read next; NULL: a new reading begins */
};

/* ---- one guest's counters ---- */

static void give(const struct counter_reader *r, const struct sim_domain *whose,
                 struct simulated_counter *counter, uint64_t now_ns)
{
    counter->time_ns = now_ns;
    counter->tsc = host_tsc(r->all->host, now_ns);
    counter->domain = whose->id;
    counter->driver_domain = r->driver->domain->id;
    r->all->to.take(r->all->to.context, counter);
}

static void give_vif(const struct counter_reader *r, const struct sim_pair *pair, const struct sim_vif *vif,
                     uint64_t now_ns)
{
    const struct vif_counts n = vif_counts(vif);
    struct simulated_counter counter = {
        .device = DEVICE_NETWORK, .number = n.number, .counts = {n.to_guest, n.from_guest}};
    give(r, pair->guest, &counter, now_ns);
}

static void give_disk(const struct counter_reader *r, const struct sim_pair *pair, uint64_t now_ns)
{
    struct simulated_counter counter = {.device = DEVICE_DISK,
                                        .counts = {pair->counted[COUNT_READS], pair->counted[COUNT_WRITES]}};
    give(r, pair->guest, &counter, now_ns);
}

static void give_thread(const struct counter_reader *r, const struct sim_pair *pair, const char *thread,
                        enum sim_work work, uint64_t now_ns)
{
    struct simulated_counter counter = {
        .device = DEVICE_THREAD,
        .thread = thread,
        .counts = {true_account_total(&r->all->host->truth, pair_cell(pair, work))}};
    give(r, pair->guest, &counter, now_ns);
}

static void read_pair(const struct counter_reader *r, const struct sim_pair *pair, uint64_t now_ns)
{
    for (const struct sim_vif *vif = pair->vifs; vif; vif = vif_next(vif))
        give_vif(r, pair, vif, now_ns);
    if (pair->vifs) {
        give_thread(r, pair, "guest-rx", WORK_TRANSMIT, now_ns);
        give_thread(r, pair, "dealloc", WORK_DEALLOC, now_ns);
        if (r->driver->plan->threaded_napi)
            give_thread(r, pair, "napi", WORK_RECEIVE, now_ns);
    }
    if (pair->vbd) {
        give_disk(r, pair, now_ns);
        give_thread(r, pair, "blkback", WORK_DISK, now_ns);
    }
}

/* As /proc/stat has them, of all vCPUs together. */
static void read_interrupts(const struct counter_reader *r, uint64_t now_ns)
{
    static const char *const names[] = {[TASK_INTERRUPT] = "irq", [TASK_SOFTIRQ] = "softirq"};
    const struct sim_domain *driver = r->driver->domain;
    for (int kind = TASK_INTERRUPT; kind <= TASK_SOFTIRQ; kind++) {
        struct simulated_counter counter = {.device = DEVICE_THREAD, .thread = names[kind]};
        for (size_t i = 0; i < driver->plan->vcpus; i++)
            counter.counts[0] += driver->vcpus[i].worked_ns[kind];
        give(r, driver, &counter, now_ns);
    }
}

/* ---- one driver domain ---- */

/* Whether the program has a pCPU, or would have had one as soon as its timer woke it. */
static bool can_read(const struct sim_domain *driver)
{
    for (size_t i = 0; i < driver->plan->vcpus; i++)
        if (driver->vcpus[i].runstate == SIM_RUNNING || driver->vcpus[i].runstate == SIM_BLOCKED)
            return true;
    return false;
}

/* The first one from `pair` on that the driver domain serves, and whose guest is there; NULL: none. */
static const struct sim_pair *served_from(const struct counter_reader *r, const struct sim_pair *pair)
{
    while (pair && (pair->driver != r->driver || !pair->guest->alive))
        pair = pair->next;
    return pair;
}

static void due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct counter_reader *r = context;
    uint64_t interval_ns = r->all->to.interval_ns;
    if (!can_read(r->driver->domain)) {
        host_set_timer(host, &r->timer, now_ns + RETRY_NS);
        return;
    }
    const struct sim_pair *pair = served_from(r, r->next ? r->next : host->pairs);
    if (pair)
        read_pair(r, pair, now_ns);
    r->next = pair ? served_from(r, pair->next) : NULL;
    if (r->next) {
        host_set_timer(host, &r->timer, now_ns + READ_NS + (prng_next(&r->all->rng) & READ_MASK));
        return;
    }
    read_interrupts(r, now_ns);
    /* Points of the grid that have passed are left out. */
    r->begun_ns += (now_ns - r->begun_ns) / interval_ns * interval_ns + interval_ns;
    host_set_timer(host, &r->timer, r->begun_ns);
}

/* ---- all of them ---- */

bool counter_readers_init(struct counter_readers *all, struct sim_host *host)
{
    *all = (struct counter_readers){.host = host};
    prng_seed(&all->rng, host->plan->seed ^ 0x636f756e74ull);
    if (!(all->readers = calloc(host->driver_count + 1, sizeof *all->readers)))
        return false;
    for (; all->count < host->driver_count; all->count++) {
        struct counter_reader *r = &all->readers[all->count];
        *r = (struct counter_reader){
            .all = all, .driver = &host->drivers[all->count], .timer = {.due = due, .context = r}};
        if (!host_add_timer(host, &r->timer))
            return false;
    }
    return true;
}

void counter_readers_free(struct counter_readers *all)
{
    free(all->readers);
}

static void read_all(const struct counter_reader *r, uint64_t now_ns)
{
    const struct sim_pair *pair = served_from(r, r->all->host->pairs);
    for (; pair; pair = served_from(r, pair->next))
        read_pair(r, pair, now_ns);
    read_interrupts(r, now_ns);
}

void counter_readers_begin(struct counter_readers *all, const struct simulation_counters *to)
{
    all->to = *to;
    for (size_t i = 0; i < all->count; i++) {
        struct counter_reader *r = &all->readers[i];
        read_all(r, 0);
        r->begun_ns = to->interval_ns;
        host_set_timer(all->host, &r->timer, r->begun_ns);
    }
}

void counter_readers_end(struct counter_readers *all, uint64_t now_ns)
{
    for (size_t i = 0; all->to.interval_ns > 0 && i < all->count; i++)
        read_all(&all->readers[i], now_ns);
}
