#include "formats/json_memory.h"
#include "sim/simulation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/counter_reader.h"
#include "sim/host_build.h"
#include "sim/kernel.h"
#include "sim/orders.h"
#include "sim/pcpu.h"
#include "sim/toolstack.h"
#include "sim/trace_damage.h"
#include "sim/true_document.h"

#define TRUTH_MIB_MAX 1024u
#define ACTS_BETWEEN  8192u    /* calls of the sink's reached() */
#define STILL_MAX     2000000u /* things that happen at one instant: far more than there are timers */
#define BUFFER_WORDS  8u       /* producer and consumer, at the beginning of a pCPU's buffer */

static const struct sim_scheduler_ops *const schedulers[] = {
    &scheduler_credit, &scheduler_credit2, &scheduler_sedf, &scheduler_null, &scheduler_rtds};
struct simulation {
    struct sim_host host;
    struct simulation_sink sink;
    struct sim_timer sweep;
    bool sink_failed;
    struct sim_timer watchdog;
    const struct sim_vcpu *starved; /* NULL: none */
    struct orders orders;
    struct counter_readers counters;
    struct prng trace_rng; /* of what happens to the trace, and not to the host */
    struct trace_damage damage;
    uint64_t swept_ns; /* the last sweep was then */
    uint64_t now_ns;   /* of the last thing that happened */
    uint64_t acts;     /* how many things happened, in all and */
    uint64_t still;    /* at now_ns */
    uint64_t reach_ns; /* when the sink's reached() is due */
    bool begun, ended;
    bool stopped; /* from outside */
    bool wrote;   /* something went to the sink in this step */
};

/* ---- the trace's file ---- */

static void write_bytes(struct simulation *s, const void *bytes, size_t n)
{
    if (s->sink_failed || n == 0)
        return;
    s->wrote = true;
    s->sink_failed = s->sink.write(s->sink.context, bytes, n) != 0;
}

/* The same window in one piece, as far as the scenario leaves it whole. */
static void write_damaged(struct simulation *s, const uint32_t change[3], const struct trace_ring_window *w,
                          uint64_t now_ns)
{
    const size_t head = 3 * sizeof *change, n = head + w->first_bytes + w->second_bytes;
    unsigned char *bytes = malloc(n);
    if (!bytes) {
        s->host.no_memory = true;
        return;
    }
    memcpy(bytes, change, head);
    memcpy(bytes + head, w->first, w->first_bytes);
    if (w->second_bytes > 0)
        memcpy(bytes + head + w->first_bytes, w->second, w->second_bytes);
    write_bytes(s, bytes, trace_damage_window(&s->damage, bytes, n, change[1], s->swept_ns, now_ns));
    free(bytes);
}

/* One window: what a pCPU's buffer holds. */
static void write_window(struct simulation *s, struct trace_ring *ring, uint64_t now_ns)
{
    if (ring->used > 0) {
        const struct trace_ring_window w = trace_ring_unread(ring);
        const uint32_t change[] = {trace_event_info[TRC_CPU_CHANGE].id | 2u << 28, ring->pcpu, ring->used};
        if (s->host.plan->damage_count > 0) {
            write_damaged(s, change, &w, now_ns);
        } else {
            write_bytes(s, change, sizeof change);
            write_bytes(s, w.first, w.first_bytes);
            write_bytes(s, w.second, w.second_bytes);
        }
    }
    trace_ring_consume(ring, host_tsc(&s->host, now_ns));
}

/* The buffer may overflow after it was read: not if nothing would be recorded after that, which says that something was lost. */
static void maybe_overflow(struct simulation *s, struct trace_ring *ring, uint64_t now_ns)
{
    const struct scenario *plan = s->host.plan;
    if (now_ns + 2 * plan->sweep_ns > plan->duration_ns || !prng_chance(&s->trace_rng, plan->lost_ppm))
        return;
    uint64_t after_ns = (uint64_t)(((uint128)prng_next(&s->trace_rng) * plan->sweep_ns) >> 64);
    if (ring->full_from == UINT64_MAX)
        ring->full_from = host_tsc(&s->host, now_ns + after_ns);
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
    for (size_t i = 0; i < host->plan->pcpus; i++) {
        write_window(s, &host->pcpus[i].ring, now_ns);
        if (host->plan->lost_ppm > 0)
            maybe_overflow(s, &host->pcpus[i].ring, now_ns);
    }
    s->swept_ns = now_ns;
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

static bool build(struct simulation *s)
{
    struct sim_host *host = &s->host;
    if (!sim_host_build(host))
        return false;
    prng_seed(&s->trace_rng, ~host->plan->seed);
    trace_damage_init(&s->damage, host->plan);
    s->sweep = (struct sim_timer){.due = sweep_due, .context = s};
    s->watchdog = (struct sim_timer){.due = watchdog_due, .context = s};
    if (!host_add_timer(host, &s->sweep) || !host_add_timer(host, &s->watchdog) ||
        !orders_init(&s->orders, host) || !counter_readers_init(&s->counters, host))
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
    orders_free(&s->orders);
    trace_damage_free(&s->damage);
    counter_readers_free(&s->counters);
    sim_host_free(host);
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
    toolstack_begin(host);
    for (size_t i = 0; i < host->plan->domain_count; i++)
        if (host->domains[i].alive)
            toolstack_start_loads(host, &host->domains[i], 0);
    for (uint32_t i = 0; i < host->vcpu_count; i++) {
        struct sim_vcpu *v = &host->vcpus[i];
        if (v->paused)
            continue;
        pcpu_enter(v->pcpu, 0);
        interrupt_raise(v->pcpu, v->timer_interrupt);
        pcpu_leave(v->pcpu);
        kernel_start_ticks(host, v, v->domain->plan->tick_ns);
    }
}

/* A moment at which nothing happened yet. */
static uint64_t after_all(const struct simulation *s)
{
    uint64_t end_ns = s->stopped ? s->now_ns + 1 : s->host.plan->duration_ns;
    return s->host.last_ns > end_ns ? s->host.last_ns : end_ns;
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
        if (host->vcpus[i].domain->alive)
            vcpu_close_account(&host->vcpus[i], host->last_ns);
    if (s->stopped)
        true_account_cut(&host->truth, host->last_ns);
    true_account_order(&host->truth);
    counter_readers_end(&s->counters, after_all(s));
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
    const uint64_t now_ns = s->now_ns = first.due > s->now_ns ? first.due : s->now_ns;
    if (now_ns > host->loop_ns || first.actor > host->loop_actor)
        host->loop_actor = first.actor;
    host->loop_ns = now_ns;
    host->stands_still |= s->still > STILL_MAX;
    if ((s->acts++ % ACTS_BETWEEN == 0 || now_ns >= s->reach_ns) && s->sink.reached) {
        s->reach_ns = s->sink.every_ns ? now_ns + s->sink.every_ns : SIM_NEVER;
        s->sink.reached(s->sink.context, now_ns);
    }
    timeline_set(&host->timeline, first.actor, SIM_NEVER);
    struct sim_timer *timer = host->timers[first.actor];
    timer->due(host, timer->context, now_ns);
    if (host->sweep_wanted &&
        timeline_due(&host->timeline, s->sweep.actor) > now_ns + host->plan->sweep_delay_ns)
        host_set_timer(host, &s->sweep, now_ns + host->plan->sweep_delay_ns);
    return true;
}

void simulation_count(struct simulation *s, const struct simulation_counters *to)
{
    counter_readers_begin(&s->counters, to);
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

void simulation_follow(struct simulation *s, const struct sim_tap *tap)
{
    s->host.tap = tap;
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

static int add_order(struct simulation *s, const struct sim_order *order, struct error *err)
{
    return orders_add(&s->orders, &s->host, order) ? 0
                                                   : error_no_memory(err, "what is decided about domains");
}

int simulation_allow(struct simulation *s, uint16_t domain, uint64_t part_ns, uint64_t of_ns,
                     uint64_t delay_ns, struct error *err)
{
    struct sim_order order = {
        .due_ns = s->now_ns + delay_ns, .kind = ORDER_ALLOW, .part_ns = part_ns, .of_ns = of_ns};
    for (size_t i = 0; i < s->host.plan->domain_count; i++)
        if (s->host.domains[i].id == domain && s->host.domains[i].alive)
            order.domain = &s->host.domains[i];
    return order.domain ? add_order(s, &order, err) : 0;
}

int simulation_hold(struct simulation *s, uint16_t domain, uint16_t driver_domain,
                    const struct sim_hold *hold, uint64_t delay_ns, struct error *err)
{
    for (struct sim_pair *pair = s->host.pairs; pair; pair = pair->next) {
        const struct sim_order order = {
            .due_ns = s->now_ns + delay_ns, .kind = ORDER_HOLD, .pair = pair, .hold = *hold};
        if (pair->guest->alive && pair->guest->id == domain && pair->driver->domain->id == driver_domain &&
            add_order(s, &order, err) != 0)
            return -1;
    }
    return 0;
}

struct sim_host *simulation_host(struct simulation *s)
{
    return &s->host;
}

json_t *simulation_truth(const struct simulation *s)
{
    json_memory_begin();
    json_t *truth = true_document(&s->host);
    if (truth && s->host.plan->damage_count > 0)
        json_object_set_new(truth, "damage", trace_damage_document(&s->damage));
    return json_whole(truth);
}
