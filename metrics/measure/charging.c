/* Pieces of the driver domains' running, cut as vCPUs start and stop and as time passes. See charging.h. */
#include "charging.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/min_max.h"
#include "row.h"

/* ---- begin and end ---- */

/* Which devices each guest has. */
static bool index_devices(struct charging *c)
{
    const struct counters *counters = c->options.counters;
    c->first_device = malloc(65536 * sizeof *c->first_device);
    c->next_device = malloc((counters->devices_n + 1) * sizeof *c->next_device);
    if (!c->first_device || !c->next_device)
        return false;
    memset(c->first_device, 0xff, 65536 * sizeof *c->first_device); /* NOBODY */
    for (uint32_t d = (uint32_t)counters->devices_n; d-- > 0;) {
        c->next_device[d] = c->first_device[counters->devices[d].domain];
        c->first_device[counters->devices[d].domain] = d;
    }
    return true;
}

struct charging *charging_new(const struct charge_options *options, const struct population *population,
                              uint64_t start_ns)
{
    struct charging *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->is_idd = calloc(65536, 1);
    c->pcpus = calloc(PCPUS_MAX, sizeof *c->pcpus);
    if (!c->is_idd || !c->pcpus) {
        charging_free(c);
        return NULL;
    }
    c->options = *options;
    c->population = population;
    if (options->counters && !index_devices(c)) {
        charging_free(c);
        return NULL;
    }
    c->explicit_idds = options->idds != NULL;
    if (options->idds)
        memcpy(c->is_idd, options->idds, 65536);
    else
        c->is_idd[0] = 1;
    for (unsigned p = 0; p < PCPUS_MAX; p++)
        c->pcpus[p].current = NOBODY;
    c->cut_ns = UINT64_MAX;
    c->now_ns = c->scale_base_ns = start_ns;
    c->interval_ns = options->interval_ns ? start_ns - start_ns % options->interval_ns : 0;
    return c;
}

void charging_free(struct charging *c)
{
    if (!c)
        return;
    while (c->slices_made) {
        struct run_slice *next = c->slices_made->next_made;
        free(c->slices_made);
        c->slices_made = next;
    }
    while (c->periods_made) {
        struct period *next = c->periods_made->next_made;
        free(c->periods_made->tallies);
        free(c->periods_made->shares);
        free(c->periods_made->weights);
        free(c->periods_made);
        c->periods_made = next;
    }
    for (size_t d = 0; d < c->idds_n; d++) {
        free(c->idds[d].pair_of);
        free(c->idds[d].awake);
        free(c->idds[d].pairs);
    }
    transitions_free(&c->queue);
    free(c->is_idd);
    free(c->vcpus);
    free(c->incarnations);
    free(c->pcpus);
    free(c->idds);
    free(c->pairs);
    free(c->running);
    free(c->real_weights);
    free(c->done);
    free(c->first_device);
    free(c->next_device);
    free(c);
}

void charging_set_clock(struct charging *c, const struct clock *clock)
{
    c->clock = *clock;
    c->seen.counted = c->options.counters &&
                      counters_span(c->options.counters, clock, &c->counted_from_ns, &c->counted_to_ns);
    if (!c->seen.counted)
        c->counted_from_ns = c->counted_to_ns = 0;
}

/* ---- who ---- */

void charging_make_room(struct charging *c)
{
    size_t vcpus_n = c->vcpus_n, incarnations_n = c->incarnations_n;
    if (vcpus_n >= c->population->vcpus_n && incarnations_n >= c->population->incarnations_n)
        return;
    struct charging_vcpu *vcpus =
        array_reserve(c->vcpus, &c->vcpus_n, c->population->vcpus_n + 1, sizeof *vcpus);
    if (vcpus)
        c->vcpus = vcpus;
    struct charging_life *incarnations = array_reserve(
        c->incarnations, &c->incarnations_n, c->population->incarnations_n + 1, sizeof *incarnations);
    if (incarnations)
        c->incarnations = incarnations;
    for (size_t l = incarnations_n; l < c->incarnations_n; l++)
        c->incarnations[l].idd = c->incarnations[l].partner = c->incarnations[l].pairs = NOBODY;
    c->memory +=
        (c->vcpus_n - vcpus_n) * sizeof *vcpus + (c->incarnations_n - incarnations_n) * sizeof *incarnations;
    c->failed = c->failed || !vcpus || !incarnations;
}

/* ---- slices ---- */

static inline void push(struct charging *c, struct transition t)
{
    transitions_put(&c->queue, t);
}

/* Hands on what came in, unless the ledger may have it at once. */
static inline void hand_on(struct charging *c, const struct transition *t)
{
    if (!c->direct)
        push(c, *t);
}

/* The vCPU of a driver domain runs from now on. */
static void begin_slice(struct charging *c, uint32_t vcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct period *period = charging_period(c, vcpu);
    struct run_slice *slice = c->free_slices;
    uint32_t *running = c->running;
    if (c->running_n == c->running_capacity &&
        (running = array_reserve(c->running, &c->running_capacity, c->running_n + 1, sizeof *running)))
        c->running = running;
    if (slice) {
        c->free_slices = slice->next_free;
    } else if ((slice = calloc(1, sizeof *slice))) {
        c->memory += sizeof *slice;
        slice->next_made = c->slices_made;
        c->slices_made = slice;
    }
    if (!period || !slice || !running) {
        c->failed = true;
        return;
    }
    struct run_slice *made = slice->next_made;
    *slice = (struct run_slice){
        .period = period, .from_ns = c->now_ns, .vcpu = vcpu, .pcpu = v->pcpu, .next_made = made};
    period->references++;
    if (c->options.interval_ns == 0)
        period->from_ns = c->now_ns;
    v->slice = slice;
    v->running_at = (uint32_t)c->running_n;
    c->running[c->running_n++] = vcpu;
    if (c->options.interval_ns == 0)
        c->cut_ns = min64(c->cut_ns, c->now_ns + CHARGE_SLICE_NS);
}

/* It runs no longer, or is cut here. */
static void end_slice(struct charging *c, uint32_t vcpu, bool execution_ends, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct run_slice *slice = v->slice;
    if (!slice)
        return;
    struct period *period = slice->period;
    slice->to_ns = c->now_ns;
    slice->offset_ns = period->ran_ns;
    slice->io_free = execution_ends && v->whole && !v->io_seen && !lost;
    period->ran_ns += slice->to_ns - slice->from_ns;
    period->partial = period->partial || lost || v->blind;
    struct run_slice **done = c->done;
    if (c->done_n == c->done_capacity)
        done = array_reserve(done, &c->done_capacity, c->done_n + 1, sizeof(struct run_slice *));
    if (!done) {
        c->failed = true;
        return;
    }
    c->done = done;
    c->done[c->done_n++] = slice;
    v->slice = NULL;
    uint32_t last = c->running[--c->running_n];
    c->running[v->running_at] = last;
    c->vcpus[last].running_at = v->running_at;
    if (execution_ends)
        v->io_seen = false;
    if (c->options.interval_ns == 0) {
        charging_close_period(c, period, c->now_ns);
        v->period = NULL;
        charging_release_period(c, period);
    }
}

uint32_t charging_make_idd(struct charging *c, uint32_t life)
{
    if (c->incarnations[life].idd != NOBODY)
        return c->incarnations[life].idd;
    size_t capacity = c->idds_capacity;
    struct idd *idds = array_reserve(c->idds, &c->idds_capacity, c->idds_n + 1, sizeof *idds);
    if (!idds) {
        c->failed = true;
        return NOBODY;
    }
    c->idds = idds;
    c->memory += (c->idds_capacity - capacity) * sizeof *idds;
    uint32_t idd = (uint32_t)c->idds_n++;
    const struct counters *counters = c->options.counters;
    for (size_t i = 0; counters && i < counters->devices_n; i++)
        if (counters->devices[i].idd == c->population->incarnations[life].domain)
            c->idds[idd].counted = true;
    c->idds[idd].life = life;
    c->idds[idd].since_ns = c->now_ns;
    c->idds[idd].methods = charging_methods(c, c->idds[idd].counted);
    c->incarnations[life].idd = idd;
    const struct incarnation *l = &c->population->incarnations[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || vcpu >= c->vcpus_n || !c->vcpus[vcpu].alive)
            continue;
        c->vcpus[vcpu].in_driver_domain = true;
        if (c->vcpus[vcpu].state == RUNSTATE_RUNNING)
            begin_slice(c, vcpu);
    }
    return idd;
}

/* ---- time ---- */

/* The moment may have been that of a slice that ended since. */
static void find_cut(struct charging *c)
{
    c->cut_ns = UINT64_MAX;
    for (size_t i = 0; c->options.interval_ns == 0 && i < c->running_n; i++)
        c->cut_ns = min64(c->cut_ns, c->vcpus[c->running[i]].slice->from_ns + CHARGE_SLICE_NS);
}

static void cut(struct charging *c)
{
    c->now_ns = c->cut_ns;
    for (size_t i = 0; i < c->running_n; i++) {
        uint32_t vcpu = c->running[i];
        if (c->vcpus[vcpu].slice->from_ns + CHARGE_SLICE_NS != c->now_ns)
            continue;
        end_slice(c, vcpu, false, false);
        begin_slice(c, vcpu);
        i = (size_t)-1; /* the list changed */
        if (c->failed)
            return;
    }
    find_cut(c);
}

/* The interval T ends at `to_ns` (and the next begins). */
static void close_interval(struct charging *c, uint64_t to_ns)
{
    c->now_ns = to_ns;
    size_t n = c->running_n;
    for (size_t i = n; i-- > 0 && !c->failed;) { /* those that run go on in the next one */
        uint32_t vcpu = c->running[i];
        end_slice(c, vcpu, false, false);
    }
    for (size_t d = 0; d < c->idds_n; d++) {
        struct period *p = c->idds[d].interval;
        if (!p)
            continue;
        charging_close_period(c, p, to_ns);
        c->idds[d].interval = NULL;
        charging_release_period(c, p);
    }
    c->interval_ns = to_ns;
    for (size_t v = 0; n > 0 && v < c->vcpus_n && !c->failed; v++) {
        bool runs = c->vcpus[v].alive && c->vcpus[v].state == RUNSTATE_RUNNING && !c->vcpus[v].slice;
        if (runs && c->incarnations[c->population->vcpus[v].life].idd != NOBODY)
            begin_slice(c, (uint32_t)v);
    }
}

/* Everything that time alone brings about up to `until_ns`. */
static void pass_time(struct charging *c, uint64_t until_ns)
{
    while (c->cut_ns <= until_ns && !c->failed)
        cut(c);
    uint64_t length = c->options.interval_ns;
    while (length && c->interval_ns + length <= until_ns && !c->failed) {
        uint64_t next = c->interval_ns + length;
        bool empty = c->running_n == 0;
        for (size_t d = 0; d < c->idds_n; d++)
            empty = empty && !c->idds[d].interval;
        if (empty)
            c->interval_ns = until_ns - until_ns % length;
        else
            close_interval(c, next);
    }
    c->now_ns = max64(c->now_ns, until_ns);
}

/* ---- transitions ---- */

static inline bool is_awake(unsigned state)
{
    return state <= RUNSTATE_RUNNABLE; /* or running */
}

static inline void set_state(struct charging *c, uint32_t vcpu, unsigned state, uint16_t pcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    unsigned before = v->state;
    if (before == RUNSTATE_RUNNING && c->pcpus[v->pcpu].current == vcpu)
        c->pcpus[v->pcpu].current = NOBODY;
    v->state = (uint8_t)state;
    if (state == RUNSTATE_RUNNING) {
        v->pcpu = pcpu;
        c->pcpus[pcpu].current = vcpu;
    }
    if (is_awake(before) != is_awake(state))
        charging_count_awake(c, c->population->vcpus[vcpu].life, is_awake(before) ? -1 : 1);
}

static void starts(struct charging *c, const struct transition *t, bool dispatched, bool blind)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    v->whole = dispatched;
    v->blind = blind;
    begin_slice(c, t->vcpu);
}

static void stops(struct charging *c, uint32_t vcpu, bool lost)
{
    attribution_stops(c, vcpu);
    end_slice(c, vcpu, true, lost);
}

static void appear(struct charging *c, const struct transition *t)
{
    uint32_t life = c->population->vcpus[t->vcpu].life;
    uint16_t domain = c->population->incarnations[life].domain;
    hand_on(c, t);
    c->vcpus[t->vcpu].idle = domain == IDLE_DOMAIN;
    if (domain == IDLE_DOMAIN)
        return;
    if (c->is_idd[domain])
        charging_make_idd(c, life);
    c->vcpus[t->vcpu].in_driver_domain = c->incarnations[life].idd != NOBODY;
    c->vcpus[t->vcpu].alive = true;
    c->vcpus[t->vcpu].state = RUNSTATE_OFFLINE;
    set_state(c, t->vcpu, t->to, t->pcpu);
    if (t->to == RUNSTATE_RUNNING && c->vcpus[t->vcpu].in_driver_domain)
        starts(c, t, false, false);
}

static void change_state(struct charging *c, const struct transition *t)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    unsigned before = v->state, to = t->to;
    if (!v->alive) {
        hand_on(c, t);
        return;
    }
    bool moved = before == RUNSTATE_RUNNING && to == RUNSTATE_RUNNING && t->pcpu != v->pcpu;
    if (v->in_driver_domain && before == RUNSTATE_RUNNING && (to != RUNSTATE_RUNNING || moved))
        stops(c, t->vcpu, to == RUNSTATE_UNKNOWN || moved);
    hand_on(c, t);
    if (before == RUNSTATE_RUNNING && to == RUNSTATE_RUNNING && !moved)
        return;
    set_state(c, t->vcpu, to, t->pcpu == NO_PCPU ? v->pcpu : t->pcpu);
    if (t->from == RUNSTATE_BLOCKED && to == RUNSTATE_RUNNABLE && t->value < PCPUS_MAX)
        attribution_woken(c, t->vcpu, (uint16_t)t->value);
    bool known = t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING;
    if (to == RUNSTATE_RUNNING && v->in_driver_domain)
        starts(c, t, known, !known);
}

static void die(struct charging *c, const struct transition *t)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    if (v->alive && v->in_driver_domain && v->state == RUNSTATE_RUNNING)
        stops(c, t->vcpu, false);
    if (v->alive)
        set_state(c, t->vcpu, RUNSTATE_OFFLINE, v->pcpu);
    v->alive = false;
    hand_on(c, t);
}

bool charging_take(struct charging *c, const struct transition *t, uint64_t free_until_ns)
{
    if (c->failed)
        return false;
    bool open = c->running_n > 0 || c->options.interval_ns;
    c->direct = transitions_waiting(&c->queue) == 0 && (t->time_ns < free_until_ns || !open);
    if (c->cut_ns <= t->time_ns || c->options.interval_ns)
        pass_time(c, t->time_ns);
    c->now_ns = max64(c->now_ns, t->time_ns);
    switch (t->kind) {
    case TRANSITION_IO:
        attribution_record(c, t);
        return false;
    case TRANSITION_APPEAR:
        appear(c, t);
        break;
    case TRANSITION_STATE:
        if (c->vcpus[t->vcpu].idle)
            hand_on(c, t);
        else
            change_state(c, t);
        break;
    case TRANSITION_DIE:
        die(c, t);
        break;
    default:
        hand_on(c, t);
        break;
    }
    return c->direct;
}

void charging_advance(struct charging *c, uint64_t settled_ns)
{
    pass_time(c, settled_ns);
}

void charging_end(struct charging *c, uint64_t end_ns)
{
    pass_time(c, end_ns);
    while (c->running_n > 0 && !c->failed) {
        uint32_t vcpu = c->running[c->running_n - 1];
        stops(c, vcpu, false);
    }
    if (c->options.interval_ns && c->interval_ns < end_ns)
        close_interval(c, end_ns);
}

uint64_t charging_safe(const struct charging *c)
{
    uint64_t safe = c->options.interval_ns ? min64(c->now_ns, c->interval_ns) : c->now_ns;
    for (size_t i = 0; i < c->running_n; i++)
        safe = min64(safe, c->vcpus[c->running[i]].slice->from_ns);
    return safe;
}

const struct transition *charging_next(struct charging *c, uint64_t upto_ns)
{
    return transitions_take(&c->queue, upto_ns);
}

struct run_slice *charging_next_slice(struct charging *c)
{
    if (c->done_head == c->done_n) {
        c->done_head = c->done_n = 0;
        return NULL;
    }
    /* Of a period that is an interval the shares are known only when that is over, and those behind it are younger. */
    return c->done[c->done_head]->period->closed ? c->done[c->done_head++] : NULL;
}

void charging_release(struct charging *c, struct run_slice *slice)
{
    charging_release_period(c, slice->period);
    slice->next_free = c->free_slices;
    c->free_slices = slice;
}

size_t charging_memory(const struct charging *c)
{
    return sizeof *c + c->memory + PCPUS_MAX * sizeof *c->pcpus + c->queue.capacity * sizeof *c->queue.items;
}

static uint64_t counted_events(const struct charging *c, uint32_t device, unsigned kind, uint64_t end_ns)
{
    const struct counters *counters = c->options.counters;
    return counters->devices[device].counts[kind]
               ? counters_whole_between(counters, device, kind, 0, end_ns, &c->clock)
               : 0;
}

void charging_summarise(const struct charging *c, uint64_t end_ns, struct charge_summary *s)
{
    *s = c->seen;
    s->idds = c->idds_n;
    s->counted_from_ns = c->counted_from_ns;
    s->counted_to_ns = c->counted_to_ns;
    for (uint32_t d = 0; s->counted && d < c->options.counters->devices_n; d++) {
        uint64_t counted = 0;
        for (unsigned k = 0; k < COUNTER_KINDS; k++) {
            uint64_t events = counted_events(c, d, k, end_ns);
            s->events[IO_TX + k] += events;
            counted += events;
        }
        uint16_t domain = c->options.counters->devices[d].domain;
        s->devices_unknown += counted > 0 && population_life(c->population, domain) == NOBODY;
    }
    unsigned in_force = c->options.methods;
    bool automatic = !in_force || in_force & CHARGE_AUTO;
    for (size_t i = 0; automatic && i < c->idds_n; i++)
        in_force |= c->idds[i].methods;
    for (int kind = 0; kind < IO_KINDS; kind++) {
        bool any = s->events[kind] || (kind < IO_TRACE_KINDS && s->unassigned[kind]);
        s->methods |= any || !automatic ? in_force & charge_method_of_kind[kind] : 0;
    }
}
