/* Sources: Xen public/trace.h (runstate records), xen/common/sched/core.c (when they are written). */
#include "runstate.h"

#include <stdlib.h>

#include "metrics/array.h"
#include "metrics/min_max.h"

#include "runstate_internal.h"

#define PENDING_MAX    (512u << 10) /* transitions that may wait for it */
#define SETTLE_RECORDS 2048         /* the transitions of so many records fit into a cache */

struct runstates *runstates_new(struct population *population, struct quality *quality, uint64_t start_ns)
{
    struct runstates *r = calloc(1, sizeof *r);
    struct pcpu_track *pcpus = calloc(PCPUS_MAX, sizeof *pcpus);
    if (!r || !pcpus) {
        free(r);
        free(pcpus);
        return NULL;
    }
    r->population = population;
    r->quality = quality;
    r->start_ns = r->settled_ns = start_ns;
    r->count_to_ns = UINT64_MAX;
    r->settles_at = UINT64_MAX;
    r->unseen.enough_ns = UNSEEN_NEVER;
    r->pcpus = pcpus;
    for (unsigned i = 0; i < PCPUS_MAX; i++) {
        pcpus[i] =
            (struct pcpu_track){.current = NOBODY, .free_since = start_ns, .blind_from_ns = BLIND_NONE};
        instant_init(&pcpus[i].instant);
    }
    darkness_init(&r->darkness);
    return r;
}

void runstates_free(struct runstates *r)
{
    if (!r)
        return;
    transitions_free(&r->queue);
    free(r->tracks);
    free(r->pcpus);
    free(r);
}

void runstates_use_switches(struct runstates *r)
{
    r->use_switches = true;
}

void runstates_distrust(struct runstates *r)
{
    r->damaged = true;
}

void runstates_use_cores(struct runstates *r, const struct cores *cores)
{
    r->cores = cores;
    if (cores && cores->partial_n != r->partial_n)
        runstates_partial(r);
}

size_t runstates_memory(const struct runstates *r)
{
    return sizeof *r + r->tracks_n * sizeof *r->tracks + PCPUS_MAX * sizeof *r->pcpus +
           r->queue.capacity * sizeof *r->queue.items + r->queue.heap_capacity * sizeof *r->queue.heap;
}

/* ---- who ---- */

static uint32_t begin_life(struct runstates *r, uint32_t domain, uint64_t birth_ns, uint64_t now_ns)
{
    uint32_t life = population_begin_life(r->population, (uint16_t)domain, birth_ns, now_ns);
    r->queue.failed |= life == NOBODY;
    return life;
}

uint32_t runstates_life(struct runstates *r, uint32_t domain, uint64_t now_ns)
{
    uint32_t life = population_life(r->population, (uint16_t)domain);
    return life != NOBODY ? life : begin_life(r, domain, r->start_ns, now_ns);
}

uint32_t runstates_begin_life(struct runstates *r, uint32_t domain, uint64_t now_ns)
{
    return begin_life(r, domain, now_ns, now_ns);
}

/* As below, where the vCPU may exist: not yet, or not in the domain's current life. */
static __attribute__((noinline)) uint32_t new_vcpu(struct runstates *r, uint32_t domain, uint32_t id,
                                                   uint64_t now_ns)
{
    struct population *p = r->population;
    uint32_t life = runstates_life(r, domain, now_ns);
    if (life != NOBODY && p->incarnations[life].ended)
        life = begin_life(r, domain, now_ns, now_ns);
    if (life == NOBODY)
        return NOBODY;
    uint32_t vcpu = population_vcpu(p, (uint16_t)domain, (uint16_t)id);
    if (vcpu != NOBODY)
        return vcpu;
    vcpu = population_new_vcpu(p, life, (uint16_t)id);
    struct track *tracks =
        vcpu == NOBODY ? NULL : array_reserve(r->tracks, &r->tracks_n, (size_t)vcpu + 1, sizeof *tracks);
    if (!tracks) {
        r->queue.failed = true;
        return NOBODY;
    }
    r->tracks = tracks;
    r->tracks[vcpu].idle = domain == IDLE_DOMAIN;
    return vcpu;
}

uint32_t runstates_vcpu(struct runstates *r, uint32_t domain, uint32_t id, uint16_t pcpu, uint64_t now_ns)
{
    struct population *p = r->population;
    bool reserved = domain >= DOMID_FIRST_RESERVED && domain != IDLE_DOMAIN;
    bool idle_elsewhere = domain == IDLE_DOMAIN && id != pcpu; /* Xen: idle vCPU n belongs to pCPU n */
    if (reserved || idle_elsewhere || id >= VCPUS_MAX) {
        r->quality->ignored_records++;
        return NOBODY;
    }
    uint32_t life = population_life(p, (uint16_t)domain);
    bool lives = life != NOBODY && !p->incarnations[life].ended;
    uint32_t vcpu = lives ? population_vcpu(p, (uint16_t)domain, (uint16_t)id) : NOBODY;
    return vcpu != NOBODY ? vcpu : new_vcpu(r, domain, id, now_ns);
}

/* ---- the queue ---- */

static inline __attribute__((always_inline)) void put(struct runstates *r, uint64_t time_ns,
                                                      struct transition t)
{
    bool late = time_ns < r->settled_ns;
    t.time_ns = late ? r->settled_ns : time_ns;
    if (late && t.kind == TRANSITION_STATE && t.to == RUNSTATE_UNKNOWN)
        r->quality->blind_late_ns += r->settled_ns - time_ns;
    transitions_put(&r->queue, t);
}

void runstates_put(struct runstates *r, uint64_t time_ns, struct transition t)
{
    put(r, time_ns, t);
}

static inline __attribute__((always_inline)) void put_state(struct runstates *r, uint64_t time_ns,
                                                            uint32_t vcpu, enum runstate from,
                                                            enum runstate to, uint16_t pcpu, uint64_t value)
{
    put(r, time_ns,
        (struct transition){.kind = TRANSITION_STATE,
                            .vcpu = vcpu,
                            .pcpu = pcpu,
                            .from = from & 15,
                            .to = to & 15,
                            .value = value});
}

void runstates_put_state(struct runstates *r, uint64_t time_ns, uint32_t vcpu, enum runstate from,
                         enum runstate to, uint16_t pcpu, uint64_t value)
{
    put_state(r, time_ns, vcpu, from, to, pcpu, value);
}

/* ---- contradictions ---- */

void runstates_count_inconsistent(struct runstates *r, uint64_t now_ns)
{
    if (r->quality->inconsistent++ == 0)
        r->quality->inconsistent_at_ns = now_ns;
}

void runstates_vacate(struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (k->pcpu != NO_PCPU && r->pcpus[k->pcpu].current == vcpu) {
        r->pcpus[k->pcpu].current = NOBODY;
        r->pcpus[k->pcpu].free_since = now_ns;
    }
}

void runstates_lose(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu)
{
    runstates_put_state(r, now_ns, vcpu, RUNSTATE_RUNNING, RUNSTATE_UNKNOWN, pcpu, UINT32_MAX);
    r->tracks[vcpu].state = RUNSTATE_UNKNOWN;
    r->tracks[vcpu].since_ns = now_ns;
}

static __attribute__((noinline)) void lose_runner(struct runstates *r, uint16_t pcpu, uint64_t now_ns)
{
    runstates_count_inconsistent(r, now_ns);
    runstates_lose(r, r->pcpus[pcpu].current, now_ns, pcpu);
}

void runstates_occupy(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    uint32_t other = r->pcpus[pcpu].current;
    if (other != NOBODY && other != vcpu)
        lose_runner(r, pcpu, now_ns);
    r->pcpus[pcpu].current = vcpu;
    r->tracks[vcpu].pcpu = pcpu;
}

bool runstates_backdate(struct runstates *r, uint32_t vcpu, uint64_t from_ns, uint64_t now_ns,
                        enum runstate before, enum runstate state, uint16_t pcpu)
{
    if (state == RUNSTATE_RUNNING) {
        const struct pcpu_track *p = &r->pcpus[pcpu];
        if (p->current != NOBODY && p->current != vcpu)
            return false;
        from_ns = max64(from_ns, p->free_since);
        runstates_occupy(r, vcpu, pcpu, now_ns);
    }
    if (from_ns >= now_ns)
        return false;
    runstates_put_state(r, from_ns, vcpu, before, state, pcpu, UINT32_MAX);
    r->tracks[vcpu].state = (uint8_t)state;
    return true;
}

void runstates_appear(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate state, uint16_t pcpu)
{
    struct track *k = &r->tracks[vcpu];
    uint64_t birth = r->population->incarnations[r->population->vcpus[vcpu].life].birth_ns;
    birth = min64(birth, now_ns);
    enum runstate first = state;
    uint64_t certain_ns = runstates_certain_from(r, vcpu, birth, now_ns, state);
    /* What it did before was not recorded. */
    bool hidden = state == RUNSTATE_RUNNING
                      ? runstates_was_dark(r, pcpu, now_ns)
                      : r->unseen.known; /* where it ran is recorded since when that says more */
    certain_ns = max64(certain_ns, hidden ? now_ns : min64(r->hole_end_ns, now_ns));
    k->pcpu = NO_PCPU;
    if (certain_ns > birth && !runstates_was_dark_before(r, birth, certain_ns, state))
        first = RUNSTATE_UNKNOWN;
    if (state == RUNSTATE_RUNNING) {
        const struct pcpu_track *p = &r->pcpus[pcpu];
        if (p->current != NOBODY || p->free_since > birth)
            first = RUNSTATE_UNKNOWN; /* somebody else ran there: where it was before is not known */
    }
    runstates_put(r, birth,
                  (struct transition){.kind = TRANSITION_APPEAR,
                                      .vcpu = vcpu,
                                      .pcpu = pcpu,
                                      .value = birth,
                                      .from = RUNSTATE_UNKNOWN,
                                      .to = first & 15});
    k->seen = true;
    k->state = (uint8_t)first;
    k->since_ns = birth;
    if (first != state)
        runstates_backdate(r, vcpu, certain_ns, now_ns, first, state, pcpu);
    else if (state == RUNSTATE_RUNNING)
        runstates_occupy(r, vcpu, pcpu, now_ns);
    runstates_note_first(r, vcpu, birth, now_ns);
}

static void appear_unknown(struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    runstates_appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, NO_PCPU);
}

void runstates_name(struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (k->seen || k->named)
        return;
    k->named = true;
    if (now_ns - r->start_ns >= BEGINNING_NS)
        appear_unknown(r, vcpu, now_ns);
    else
        r->named_wait = true; /* its first record may come soon */
}

/* The beginning of the trace is settled: who was named, and no more, appears. */
static void appear_named(struct runstates *r, uint64_t now_ns)
{
    const struct population *p = r->population;
    for (uint32_t vcpu = 0; r->named_wait && vcpu < p->vcpus_n; vcpu++) {
        const struct track *k = &r->tracks[vcpu];
        if (k->named && !k->seen && !p->incarnations[p->vcpus[vcpu].life].ended)
            appear_unknown(r, vcpu, now_ns);
    }
    r->named_wait = false;
}

/* Remembers a record that another one may turn out to have come too late for. */
static void note_record(struct track *k, uint64_t now_ns, enum runstate old, uint16_t pcpu)
{
    k->state_before = k->state;
    k->record_old = (uint8_t)old;
    k->record_pcpu = pcpu;
    k->contradicted_ns = now_ns;
    k->noted_since_ns = k->since_ns;
}

/* The wake of a vCPU is not moved across a switch on the pCPU that woke it: who ran there sent the notification. */
uint64_t runstates_possible_in(struct runstates *r, uint32_t vcpu, uint64_t instant_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (k->woken_on == NO_PCPU)
        return k->since_ns;
    uint32_t waker = r->pcpus[k->woken_on].current;
    struct transition wake;
    instant_ns = max64(instant_ns, k->slept_ns);
    if (waker != NOBODY)
        instant_ns = max64(instant_ns, r->tracks[waker].since_ns);
    if (instant_ns >= k->since_ns || instant_ns < r->settled_ns ||
        k->since_ns - instant_ns > INSTANT_EARLY_NS)
        return k->since_ns;
    if (!transitions_remove(&r->queue, vcpu, k->since_ns, &wake))
        return k->since_ns;
    runstates_put(r, instant_ns, wake);
    if (r->pcpus[k->woken_on].woke_ns == k->since_ns)
        r->pcpus[k->woken_on].woke_ns = instant_ns;
    return k->since_ns = instant_ns;
}

/*
 * The vCPU was runnable until now: since its last record, if nothing was lost meanwhile, or else since all is recorded. The longest
 * wait so far.
 */
static void note_wait(struct runstates *r, const struct track *k, uint64_t now_ns)
{
    struct dark_stretch lost;
    bool dark = darkness_between(&r->darkness, k->since_ns, now_ns, &lost);
    if (!k->idle && (dark || k->state == RUNSTATE_RUNNABLE))
        runstates_note_wait(r, now_ns - (dark ? lost.to_ns : k->since_ns), now_ns);
}

void runstates_record(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu, enum runstate old,
                      enum runstate new, uint64_t run)
{
    struct track *k = &r->tracks[vcpu];
    r->unseen.records++;
    uint16_t ran_on = k->seen && k->state == RUNSTATE_RUNNING ? k->pcpu : NO_PCPU;
    if (k->seen && k->named)
        runstates_backdate(r, vcpu, max64(k->since_ns, r->settled_ns), now_ns, RUNSTATE_UNKNOWN, old, pcpu);
    k->named = false;
    if (!k->seen) {
        runstates_appear(r, vcpu, now_ns, old, pcpu);
        k->first_record = true;
        note_record(k, now_ns, old, pcpu);
    } else if (k->contradicted && k->state == old &&
               runstates_late_by_skew(r, vcpu, now_ns, pcpu, old, new)) {
        return;
    } else if ((k->state != old && !runstates_woke_before(r, vcpu, now_ns, old) &&
                !runstates_woke_after(r, vcpu, now_ns, old)) ||
               (old == RUNSTATE_RUNNING && k->pcpu != pcpu)) {
        if (runstates_late_by_skew(r, vcpu, now_ns, pcpu, old, new))
            return;
        note_record(k, now_ns, old, pcpu);
        k->contradicted = k->first_record = false;
        runstates_contradiction(r, vcpu, now_ns, pcpu, old);
    } else if (r->darkness.n > 0) {
        runstates_confirm(r, vcpu, now_ns);
    }
    if (old == RUNSTATE_RUNNABLE && now_ns - k->since_ns > r->wait_max_ns)
        note_wait(r, k, now_ns);
    if (old == RUNSTATE_RUNNING && new != RUNSTATE_RUNNING) {
        runstates_vacate(r, vcpu, now_ns);
        k->pcpu = pcpu;
    }
    if (new == RUNSTATE_RUNNING)
        runstates_occupy(r, vcpu, pcpu, now_ns);
    bool moved = new == RUNSTATE_RUNNING &&ran_on != NO_PCPU &&ran_on != pcpu;
    if (new != k->state || old != new || moved) {
        put_state(r, now_ns, vcpu, old, new, k->pcpu, new == RUNSTATE_RUNNING ? run : pcpu);
        k->state = (uint8_t) new;
    }
    bool wake = old != RUNSTATE_RUNNING && new == RUNSTATE_RUNNABLE;
    k->woken_on = wake ? pcpu : NO_PCPU;
    if (wake)
        r->pcpus[pcpu].woke_ns = now_ns;
    k->slept_ns = k->since_ns;
    k->since_ns = now_ns;
    if (k->leaving_noted && old == RUNSTATE_RUNNING) {
        if (new == RUNSTATE_RUNNING)
            runstates_put(r, now_ns,
                          (struct transition){.kind = TRANSITION_GO_ON, .vcpu = vcpu, .pcpu = pcpu});
        k->leaving_noted = false;
    }
    if (r->cores && new == RUNSTATE_RUNNING)
        runstates_lose_if_dark(r, vcpu, now_ns, pcpu);
}

uint64_t runstates_settled(struct runstates *r, uint64_t watermark_ns)
{
    if (watermark_ns - r->start_ns >= BEGINNING_NS)
        appear_named(r, watermark_ns);
    /* A switch that is recorded after the watermark may have begun before it. */
    uint64_t settled =
        watermark_ns - r->start_ns < BEGINNING_NS ? r->settled_ns : watermark_ns - INSTANT_REACH_NS;
    if (r->darkness.n > 0)
        settled = runstates_hold(r, watermark_ns, settled);
    if (r->queue.n - r->queue.head > PENDING_MAX)
        settled = max64(settled, r->queue.items[r->queue.n - 1 - PENDING_MAX / 2].time_ns);
    if (settled > r->settled_ns) {
        if (r->settled_ns == r->start_ns)
            runstates_judge_first(r);
        if (r->darkness.n > 0)
            runstates_release(r, settled, false);
        r->settled_ns = settled;
    }
    r->settles_at = r->unseen.records + SETTLE_RECORDS;
    return r->settled_ns;
}

uint64_t runstates_settled_by_now(const struct runstates *r)
{
    return r->settled_ns;
}

bool runstates_end(struct runstates *r, uint64_t end_ns)
{
    appear_named(r, end_ns);
    runstates_unseen_at_end(r);
    for (unsigned p = 0; r->darkness.blind_pcpus > 0 && p < PCPUS_MAX; p++)
        runstates_blind_end(r, (uint16_t)p, max64(r->settled_ns, end_ns));
    if (r->darkness.n > 0)
        runstates_release(r, max64(r->settled_ns, end_ns), true);
    if (r->settled_ns == r->start_ns)
        runstates_judge_first(r);
    r->settled_ns = max64(r->settled_ns, end_ns);
    return !r->queue.failed;
}

const struct transition *runstates_take(struct runstates *r, uint64_t upto_ns)
{
    return transitions_take(&r->queue, upto_ns);
}

uint64_t runstates_blind_ns(const struct runstates *r, uint16_t pcpu)
{
    return r->pcpus[pcpu].blind_ns;
}

uint32_t runstates_current(const struct runstates *r, uint16_t pcpu)
{
    return runstates_is_dark(r, pcpu) ? NOBODY : r->pcpus[pcpu].current;
}
