#include "sim/host_build.h"

#include <stdlib.h>

#include "sim/disk.h"
#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/network.h"
#include "sim/vcpu_noise.h"
#include "sim/pcpu.h"
#include "sim/toolstack.h"

#define PAGE_BYTES   4096u
#define BUFFER_WORDS 8u /* producer and consumer, at the beginning of a pCPU's buffer */

static const struct sim_load_ops *const loads[] = {&load_hog,      &load_on_off,  &load_web,  &load_web,
                                                   &load_bulk_out, &load_bulk_in, &load_disk, &load_map};

bool host_add_timer(struct sim_host *host, struct sim_timer *timer)
{
    if (host->timer_count == host->timer_space) {
        uint32_t space = host->timer_space ? 2 * host->timer_space : 64;
        struct sim_timer **more = realloc(host->timers, space * sizeof *more);
        if (!more)
            return false;
        host->timers = more;
        host->timer_space = space;
    }
    timer->actor = host->timer_count;
    host->timers[host->timer_count++] = timer;
    return true;
}

/*
 * Changes of a vCPU never have one stamp, so that a reader knows their order: Xen holds a lock at each of them. Where records take
 * time, the next holder comes after them; else, or if the counter is slower than that, a tick of the counter later. The
 * counter's rate is rounded up if it is slow, so that the time of a tick is not before it.
 */
static void set_clock(struct sim_host *host)
{
    const uint64_t second = 1000000000u, hz = host->plan->cpu_hz, tick_ns = (second + hz - 1) / hz;
    bool slow = hz < second;
    host->cycles_per_ns = (uint64_t)(((uint128)hz << 48) / second) + slow;
    host->slow_tick_ns = slow ? tick_ns : 0;
    host->handover_ns =
        tick_ns * 5 > host->plan->record_ns * 2 ? tick_ns : 0; /* records take 0.4 of that at least */
}

static void fill_mask(struct sim_host *host)
{
    uint32_t mask = host->plan->event_mask;
    for (unsigned i = 0; i < TRC_EVENT_COUNT; i++) {
        uint32_t id = host->layout.events[i].id;
        host->recorded[i] =
            host->layout.written[i] && (mask >> 16 & id >> 16) != 0 && (mask >> 12 & id >> 12 & 0xf) != 0;
    }
}

static void init_idle(struct sim_pcpu *pcpu)
{
    pcpu->idle = (struct sim_vcpu){.domain = &pcpu->host->idle_domain,
                                   .pcpu = pcpu,
                                   .id = (uint16_t)pcpu->id,
                                   .pin = (int16_t)pcpu->id,
                                   .runstate = SIM_RUNNING,
                                   .noise_ns = SIM_NEVER,
                                   .charged_to = CELL_NONE};
    pcpu->current = &pcpu->idle;
}

static bool build_pcpus(struct sim_host *host)
{
    host->idle_domain = (struct sim_domain){.id = SIM_IDLE_DOMAIN, .own_cell = CELL_NONE};
    if (!(host->pcpus = calloc(host->plan->pcpus, sizeof *host->pcpus)))
        return false;
    for (uint32_t i = 0; i < host->plan->pcpus; i++) {
        struct sim_pcpu *pcpu = &host->pcpus[i];
        pcpu->host = host;
        pcpu->id = i;
        pcpu->resched_ns = pcpu->kick_ns = pcpu->slice_end_ns = SIM_NEVER;
        pcpu->timer = (struct sim_timer){.due = pcpu_due, .context = pcpu};
        init_idle(pcpu);
        uint32_t bytes = (uint32_t)(host->plan->buffer_pages * PAGE_BYTES - BUFFER_WORDS);
        if (!trace_ring_init(&pcpu->ring, i, bytes, &host->sweep_wanted) ||
            !host_add_timer(host, &pcpu->timer))
            return false;
        pcpu->ring.events = host->layout.events;
        pcpu->ring.skew = i % 2 ? host_tsc(host, host->plan->skew_ns) - host_tsc(host, 0) : 0;
        pcpu->ring.report_cycles =
            (uint64_t)((uint128)host->plan->cpu_hz * host->plan->record_ns / 2000000000u);
        pcpu->ring.current_domain = SIM_IDLE_DOMAIN;
        pcpu->ring.current_vcpu = (uint16_t)i;
    }
    return true;
}

static bool build_vcpu(struct sim_host *host, struct sim_domain *domain, struct sim_vcpu *v, uint16_t id)
{
    int16_t pin = domain->plan->pins[id];
    *v = (struct sim_vcpu){.domain = domain,
                           .index = (uint32_t)(v - host->vcpus),
                           .id = id,
                           .pin = pin,
                           .runstate = domain->alive ? SIM_BLOCKED : SIM_OFFLINE,
                           .blocked = domain->alive,
                           .paused = !domain->alive,
                           .charged_to = domain->own_cell,
                           .came_from = SIM_OFFLINE,
                           .ran_on = -1};
    v->pcpu = &host->pcpus[pin >= 0 ? (uint32_t)pin : v->index % host->plan->pcpus];
    noise_init(host, v);
    v->first_state_cell = true_account_cell(&host->truth);
    for (int i = 1; i < TRUE_STATES; i++)
        true_account_cell(&host->truth);
    v->first_count_cell = true_account_cell(&host->truth);
    for (int i = 1; i < SIM_COUNTS; i++)
        true_account_cell(&host->truth);
    return kernel_init(host, v);
}

/* What the domain got done; of a driver domain its own work. */
static void build_cells(struct sim_host *host, struct sim_domain *d)
{
    d->first_done_cell = true_account_cell(&host->truth);
    for (int i = 1; i < SIM_DONES; i++)
        true_account_cell(&host->truth);
    if (!d->plan->driver)
        return;
    d->own_cell = true_account_cell(&host->truth);
    host->drivers[host->driver_count++] = (struct sim_driver){.domain = d, .plan = d->plan->driver};
}

/* Domains of one id are in the order of their lives. */
static uint32_t life_of(const struct sim_host *host, size_t domain)
{
    uint32_t life = 1;
    for (size_t i = 0; i < domain; i++)
        life += host->domains[i].id == host->plan->domains[domain].id;
    return life;
}

static bool build_domains(struct sim_host *host)
{
    const struct scenario *plan = host->plan;
    for (size_t i = 0; i < plan->domain_count; i++)
        host->vcpu_count += (uint32_t)plan->domains[i].vcpus;
    host->domains = calloc(plan->domain_count + 1, sizeof *host->domains);
    host->vcpus = calloc((size_t)host->vcpu_count + 1, sizeof *host->vcpus);
    host->drivers = calloc(plan->domain_count + 1, sizeof *host->drivers);
    if (!host->domains || !host->vcpus || !host->drivers)
        return false;
    struct sim_vcpu *next = host->vcpus;
    for (size_t i = 0; i < plan->domain_count; i++) {
        struct sim_domain *d = &host->domains[i];
        *d = (struct sim_domain){.plan = &plan->domains[i],
                                 .vcpus = next,
                                 .index = (uint32_t)i,
                                 .id = (uint16_t)plan->domains[i].id,
                                 .own_cell = CELL_NONE,
                                 .alive = plan->domains[i].created_ns == 0,
                                 .born_ns = SIM_NEVER,
                                 .died_ns = SIM_NEVER,
                                 .life = life_of(host, i)};
        build_cells(host, d);
        if (!toolstack_init(host, d))
            return false;
        for (uint16_t v = 0; v < d->plan->vcpus; v++)
            if (!build_vcpu(host, d, next++, v))
                return false;
    }
    return true;
}

static bool build_loads_of(struct sim_host *host, struct sim_domain *d)
{
    if (!(d->loads = calloc(d->plan->load_count + 1, sizeof *d->loads)))
        return false;
    for (size_t i = 0; i < d->plan->load_count; i++) {
        const struct scenario_load *plan = &d->plan->loads[i];
        const struct sim_load_ops *ops = loads[plan->type];
        struct sim_load *load = &d->loads[d->load_count++];
        *load = (struct sim_load){ops, calloc(1, ops->size)};
        if (!load->state || !ops->create(host, d, plan, load->state))
            return false;
    }
    return true;
}

static bool build_loads(struct sim_host *host)
{
    for (size_t i = 0; i < host->plan->domain_count; i++)
        if (!build_loads_of(host, &host->domains[i]))
            return false;
    return true;
}

static void free_loads(struct sim_domain *d)
{
    for (size_t i = 0; i < d->load_count; i++) {
        if (d->loads[i].state && d->loads[i].ops->destroy)
            d->loads[i].ops->destroy(d->loads[i].state);
        free(d->loads[i].state);
    }
    free(d->loads);
}

bool sim_host_build(struct sim_host *host)
{
    set_clock(host);
    prng_seed(&host->rng, host->plan->seed);
    trace_layout_init(&host->layout, host->plan->layout);
    fill_mask(host);
    return build_pcpus(host) && build_domains(host) && build_loads(host);
}

void sim_host_free(struct sim_host *host)
{
    for (size_t i = 0; host->domains && i < host->plan->domain_count; i++)
        free_loads(&host->domains[i]);
    for (struct sim_pair *pair; (pair = host->pairs);) {
        host->pairs = pair->next;
        network_vifs_free(pair->vifs);
        disk_vbd_free(pair->vbd);
        free(pair);
    }
    for (size_t i = 0; i < host->driver_count; i++)
        network_nic_free(host->drivers[i].nic);
    free(host->drivers);
    for (uint32_t i = 0; host->vcpus && i < host->vcpu_count; i++)
        kernel_free(&host->vcpus[i]);
    for (size_t i = 0; host->pcpus && i < host->plan->pcpus; i++)
        trace_ring_free(&host->pcpus[i].ring);
    free(host->vcpus);
    free(host->domains);
    free(host->pcpus);
    free(host->timers);
    timeline_free(&host->timeline);
    true_account_close(&host->truth);
}
