#include "sim/simulation.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/allowances.h"
#include "sim/disk.h"
#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/network.h"
#include "sim/noise.h"
#include "sim/pcpu.h"
#include "sim/true_document.h"

#define TRUTH_MIB_MAX 1024u
#define PAGE_BYTES    4096u
#define ACTS_BETWEEN  8192u    /* calls of the sink's reached() */
#define STILL_MAX     2000000u /* things that happen at one instant: far more than there are timers */
#define BUFFER_WORDS  8u       /* producer and consumer, at the beginning of a pCPU's buffer */

static const struct sim_scheduler_ops *const schedulers[] = {
    &scheduler_credit, &scheduler_credit2, &scheduler_sedf, &scheduler_null, &scheduler_rtds};
static const struct sim_load_ops *const loads[] = {&load_hog,      &load_on_off,  &load_web,  &load_web,
                                                   &load_bulk_out, &load_bulk_in, &load_disk, &load_map};

struct simulation {
    struct sim_host host;
    struct simulation_sink sink;
    struct sim_timer sweep;
    void **load_states; /* of each load, in the scenario's order */
    const struct sim_load_ops **load_ops;
    size_t load_count;
    bool sink_failed;
    struct sim_timer watchdog;
    const struct sim_vcpu *starved; /* NULL: none */
    struct allowances allowances;
    uint64_t now_ns; /* of the last thing that happened */
    uint64_t acts;   /* how many things happened, in all and */
    uint64_t still;  /* at now_ns */
    bool begun, ended;
    bool stopped; /* from outside */
    bool wrote;   /* something went to the sink in this step */
};

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

/* ---- the trace's file ---- */

static void write_bytes(struct simulation *s, const void *bytes, size_t n)
{
    if (s->sink_failed || n == 0)
        return;
    s->wrote = true;
    s->sink_failed = s->sink.write(s->sink.context, bytes, n) != 0;
}

/* One window: what a pCPU's buffer holds. */
static void write_window(struct simulation *s, struct trace_ring *ring, uint64_t now_tsc)
{
    if (ring->used > 0) {
        const struct trace_ring_window w = trace_ring_unread(ring);
        const uint32_t change[] = {trace_event_info[TRC_CPU_CHANGE].id | 2u << 28, ring->pcpu, ring->used};
        write_bytes(s, change, sizeof change);
        write_bytes(s, w.first, w.first_bytes);
        write_bytes(s, w.second, w.second_bytes);
    }
    trace_ring_consume(ring, now_tsc);
}

/* What is recorded up to now is in the buffers then: a vCPU makes its noise when its pCPU is entered. */
static void catch_up(struct sim_host *host, uint64_t now_ns)
{
    for (size_t i = 0; i < host->plan->pcpus; i++) {
        struct sim_pcpu *pcpu = &host->pcpus[i];
        if (pcpu->current->noise_ns == SIM_NEVER)
            continue;
        pcpu_enter(pcpu, now_ns);
        pcpu_leave(pcpu);
    }
}

static void sweep(struct simulation *s, uint64_t now_ns)
{
    struct sim_host *host = &s->host;
    if (s->sink.reached)
        s->sink.reached(s->sink.context, now_ns);
    for (size_t i = 0; i < host->plan->pcpus; i++)
        write_window(s, &host->pcpus[i].ring, host_tsc(host, now_ns));
    host->sweep_wanted = false;
}

static void sweep_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct simulation *s = context;
    catch_up(host, now_ns);
    sweep(s, now_ns);
    host_set_timer(host, &s->sweep, now_ns + host->plan->sweep_ns);
}

/* ---- the watchdog ---- */

/* Whether it has waited for a pCPU for longer than the rules of its scheduler explain. */
static bool starves(const struct sim_host *host, const struct sim_vcpu *v, uint64_t now_ns)
{
    if (v->runstate != SIM_RUNNABLE || now_ns < v->changed_ns + host->plan->watchdog_ns)
        return false;
    return !host->scheduler->withholds || !host->scheduler->withholds(host->scheduler_state, v);
}

static void watchdog_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct simulation *s = context;
    for (uint32_t i = 0; i < host->vcpu_count && !s->starved; i++)
        if (starves(host, &host->vcpus[i], now_ns))
            s->starved = &host->vcpus[i];
    host_set_timer(host, &s->watchdog, now_ns + host->plan->watchdog_ns / 4 + 1);
}

static int starved_error(const struct simulation *s, struct error *err)
{
    return error_set(err, ERROR_USAGE,
                     "vCPU %u of domain %u has been runnable since %.3f s and was not run: %s starves it; "
                     "change its parameters, or "
                     "host.watchdog_s",
                     (unsigned)s->starved->id, (unsigned)s->starved->domain->id,
                     (double)s->starved->changed_ns / 1e9, s->host.scheduler->name);
}

static int still_error(const struct simulation *s, struct error *err)
{
    return error_set(
        err, ERROR_USAGE,
        "the host's time stands still at %.9f s: what happens then takes no time and never ends; "
        "give the loads a cost (request_us, packet_us, on_us)",
        (double)s->now_ns / 1e9);
}

/* ---- building ---- */

static void fill_mask(struct sim_host *host)
{
    uint32_t mask = host->plan->event_mask;
    for (unsigned i = 0; i < TRC_EVENT_COUNT; i++) {
        uint32_t id = trace_event_info[i].id;
        host->recorded[i] = (mask >> 16 & id >> 16) != 0 && (mask >> 12 & id >> 12 & 0xf) != 0;
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
                           .runstate = SIM_BLOCKED,
                           .blocked = true,
                           .charged_to = domain->own_cell};
    v->pcpu = &host->pcpus[pin >= 0 ? (uint32_t)pin : v->index % host->plan->pcpus];
    noise_init(host, v);
    v->first_state_cell = true_account_cell(&host->truth);
    for (int i = 1; i < TRUE_STATES; i++)
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
                                 .own_cell = CELL_NONE};
        build_cells(host, d);
        for (uint16_t v = 0; v < d->plan->vcpus; v++)
            if (!build_vcpu(host, d, next++, v))
                return false;
    }
    return true;
}

static bool build_loads(struct simulation *s)
{
    const struct scenario *plan = s->host.plan;
    size_t all = 1;
    for (size_t i = 0; i < plan->domain_count; i++)
        all += plan->domains[i].load_count;
    s->load_states = calloc(all, sizeof *s->load_states);
    s->load_ops = calloc(all, sizeof(struct sim_load_ops *));
    if (!s->load_states || !s->load_ops)
        return false;
    for (size_t i = 0; i < plan->domain_count; i++)
        for (size_t j = 0; j < plan->domains[i].load_count; j++) {
            const struct scenario_load *load = &plan->domains[i].loads[j];
            const struct sim_load_ops *ops = s->load_ops[s->load_count] = loads[load->type];
            void *state = s->load_states[s->load_count++] = calloc(1, ops->size);
            if (!state || !ops->create(&s->host, &s->host.domains[i], load, state))
                return false;
        }
    return true;
}

static bool build(struct simulation *s)
{
    struct sim_host *host = &s->host;
    host->cycles_per_ns = (uint64_t)(((uint128)host->plan->cpu_hz << 48) / 1000000000u);
    prng_seed(&host->rng, host->plan->seed);
    fill_mask(host);
    s->sweep = (struct sim_timer){.due = sweep_due, .context = s};
    if (!build_pcpus(host) || !build_domains(host) || !build_loads(s))
        return false;
    s->watchdog = (struct sim_timer){.due = watchdog_due, .context = s};
    if (!host_add_timer(host, &s->sweep) || !host_add_timer(host, &s->watchdog) ||
        !allowances_init(&s->allowances, host))
        return false;
    host->scheduler = schedulers[host->plan->scheduler];
    host->scheduler_state = host->scheduler->create(host);
    return host->scheduler_state && timeline_init(&host->timeline, host->timer_count);
}

/* Whether the amounts of all seconds take less memory than that; `err` is filled if not. */
static bool fits(const struct simulation *s, struct error *err)
{
    uint64_t seconds = s->host.plan->duration_ns / TRUE_SECOND_NS + 1;
    uint64_t mib = seconds * s->host.truth.cells / (1024 * 1024 / sizeof(uint64_t));
    if (mib <= TRUTH_MIB_MAX)
        return true;
    error_set(err, ERROR_MEMORY,
              "what happens in each of %" PRIu64 " s takes %" PRIu64
              " MiB, of which %u are possible: shorten "
              "the duration, or take fewer vCPUs",
              seconds, mib, TRUTH_MIB_MAX);
    return false;
}

struct simulation *simulation_new(const struct scenario *plan, const struct simulation_sink *sink,
                                  struct error *err)
{
    struct simulation *s = calloc(1, sizeof *s);
    if (s) {
        s->host.plan = plan;
        s->sink = *sink;
        bool built = build(s);
        if (built && !fits(s, err)) {
            simulation_free(s);
            return NULL;
        }
        if (built && true_account_open(&s->host.truth, plan->duration_ns))
            return s;
    }
    simulation_free(s);
    error_no_memory(err, "the simulated host");
    return NULL;
}

void simulation_free(struct simulation *s)
{
    if (!s)
        return;
    struct sim_host *host = &s->host;
    if (host->scheduler_state)
        host->scheduler->destroy(host->scheduler_state);
    for (size_t i = 0; i < s->load_count; i++) {
        if (s->load_states[i] && s->load_ops[i]->destroy)
            s->load_ops[i]->destroy(s->load_states[i]);
        free(s->load_states[i]);
    }
    free(s->load_states);
    free(s->load_ops);
    for (struct sim_pair *pair; (pair = host->pairs);) {
        host->pairs = pair->next;
        network_vif_free(pair->vif);
        disk_vbd_free(pair->vbd);
        free(pair);
    }
    for (size_t i = 0; i < host->driver_count; i++)
        network_nic_free(host->drivers[i].nic);
    free(host->drivers);
    allowances_free(&s->allowances);
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
    free(s);
}

/* ---- running ---- */

/* Everybody is woken once: who has nothing to do blocks again. */
static void begin(struct simulation *s)
{
    struct sim_host *host = &s->host;
    if (host->scheduler->start)
        host->scheduler->start(host->scheduler_state);
    host_set_timer(host, &s->sweep, host->plan->sweep_ns);
    host_set_timer(host, &s->watchdog, host->plan->watchdog_ns);
    for (size_t i = 0; i < s->load_count; i++)
        if (s->load_ops[i]->start)
            s->load_ops[i]->start(host, s->load_states[i]);
    for (uint32_t i = 0; i < host->vcpu_count; i++) {
        struct sim_vcpu *v = &host->vcpus[i];
        pcpu_enter(v->pcpu, 0);
        interrupt_raise(v->pcpu, v->timer_interrupt);
        pcpu_leave(v->pcpu);
        host_set_timer(host, &v->tick, v->domain->plan->tick_ns);
    }
}

static void end(struct simulation *s)
{
    struct sim_host *host = &s->host;
    catch_up(host, s->stopped ? s->now_ns : host->plan->duration_ns);
    for (uint32_t i = 0; i < host->vcpu_count; i++) {
        const struct sim_vcpu *v = &host->vcpus[i];
        bool charges = v->domain->own_cell != CELL_NONE; /* what other domains' tasks do is nobody's charge */
        uint64_t known_ns = charges && v->charged_ns > v->changed_ns ? v->charged_ns : v->changed_ns;
        if (known_ns > host->last_ns)
            host->last_ns = known_ns;
    }
    for (uint32_t i = 0; i < host->vcpu_count; i++)
        vcpu_close_account(&host->vcpus[i], host->last_ns);
    if (s->stopped)
        true_account_cut(&host->truth, host->last_ns);
    true_account_order(&host->truth);
    sweep(s, host->last_ns);
}

/* The next thing happens. False: it would be after the end. */
static bool go_on(struct simulation *s)
{
    struct sim_host *host = &s->host;
    const struct timeline_entry first = timeline_first(&host->timeline);
    if (s->stopped || first.due >= host->plan->duration_ns)
        return false;
    s->still = first.due > s->now_ns ? 0 : s->still + 1;
    s->now_ns = first.due;
    host->stands_still |= s->still > STILL_MAX;
    if (s->acts++ % ACTS_BETWEEN == 0 && s->sink.reached)
        s->sink.reached(s->sink.context, first.due);
    timeline_set(&host->timeline, first.actor, SIM_NEVER);
    struct sim_timer *timer = host->timers[first.actor];
    timer->due(host, timer->context, first.due);
    if (host->sweep_wanted &&
        timeline_due(&host->timeline, s->sweep.actor) > first.due + host->plan->sweep_delay_ns)
        host_set_timer(host, &s->sweep, first.due + host->plan->sweep_delay_ns);
    return true;
}

int simulation_step(struct simulation *s, struct error *err)
{
    struct sim_host *host = &s->host;
    s->wrote = false;
    if (s->ended)
        return 0;
    if (!s->begun)
        begin(s);
    s->begun = true;
    while (!s->wrote && !host->no_memory && !host->stands_still && !s->sink_failed && !s->starved &&
           !s->ended)
        s->ended = !go_on(s);
    if (host->no_memory)
        return error_no_memory(err, "the simulated host");
    if (s->starved)
        return starved_error(s, err);
    if (host->stands_still)
        return still_error(s, err);
    if (s->ended)
        end(s);
    return s->sink_failed ? -1 : s->wrote;
}

int simulation_run(struct simulation *s, struct error *err)
{
    int status = 1;
    while (status > 0)
        status = simulation_step(s, err);
    return status;
}

void simulation_stop(struct simulation *s)
{
    s->stopped = true;
}

bool simulation_takes_allowances(const struct simulation *s)
{
    return s->host.scheduler->set_allowance != NULL;
}

int simulation_allow(struct simulation *s, uint16_t domain, uint64_t part_ns, uint64_t of_ns,
                     uint64_t delay_ns, struct error *err)
{
    struct allowance allowance = {.due_ns = s->now_ns + delay_ns, .part_ns = part_ns, .of_ns = of_ns};
    for (size_t i = 0; i < s->host.plan->domain_count; i++)
        if (s->host.domains[i].id == domain)
            allowance.domain = &s->host.domains[i];
    return !allowance.domain || allowances_add(&s->allowances, &s->host, &allowance)
               ? 0
               : error_no_memory(err, "allowances");
}

struct sim_host *simulation_host(struct simulation *s)
{
    return &s->host;
}

json_t *simulation_truth(const struct simulation *s)
{
    return true_document(&s->host);
}

uint64_t simulation_records(const struct simulation *s)
{
    uint64_t records = 0;
    for (size_t i = 0; i < s->host.plan->pcpus; i++)
        records += s->host.pcpus[i].ring.records;
    return records;
}
