/* Sources: Xen public/trace.h (runstate records), xen/common/sched/core.c (when they are written). */
#include "runstate.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/min_max.h"
#include "parser/decode/io_filter.h"

#include "runstate_internal.h"

#define SETTLE_NS            1000000000u /* after lost records: how long a contradiction may take to show */
#define BEGINNING_NS         1000000000u /* how long first records may take to tell of the trace's beginning */
#define PENDING_MAX          (512u << 10) /* transitions that may wait for it */
#define SKEW_USUAL_NS        100000u      /* where nothing else tells a late record from a wrong one */
#define SKEW_MAX_NS          1000000u     /* clocks of pCPUs are never that far apart: a real contradiction */
#define SAME_BIRTH_NS        1000000000u /* a DOM_ADD this soon after the first record announces the same life */
#define DOMID_FIRST_RESERVED 0x7ff0u

void runstates_interest(struct event_interest *interest)
{
    static const unsigned always[] = {EVENT_RUNSTATE_CHANGE, EVENT_CONTINUE_RUNNING, EVENT_YIELD,
                                      EVENT_SLEEP,           EVENT_DOM_ADD,          EVENT_DOM_REM,
                                      EVENT_DOM0_DOM_ADD,    EVENT_DOM0_DOM_REM};
    static const unsigned otherwise[] = {EVENT_SWITCH,         EVENT_SWITCH_INFPREV, EVENT_SWITCH_INFNEXT,
                                         EVENT_SWITCH_INFCONT, EVENT_WAKE,           EVENT_BLOCK};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        interest->model[always[i]] = true;
    for (size_t i = 0; i < sizeof otherwise / sizeof otherwise[0]; i++)
        interest->model_without_runstates[otherwise[i]] = true;
    interest->slices = true;
}

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
    r->pcpus = pcpus;
    for (unsigned i = 0; i < PCPUS_MAX; i++)
        pcpus[i] = (struct pcpu_track){.current = NOBODY, .free_since = start_ns, .blind = BLIND_NONE};
    blind_init(&r->blind);
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

size_t runstates_memory(const struct runstates *r)
{
    return sizeof *r + r->tracks_n * sizeof *r->tracks + PCPUS_MAX * sizeof *r->pcpus +
           r->queue.capacity * sizeof *r->queue.items + r->queue.heap_capacity * sizeof *r->queue.heap;
}

/* ---- who ---- */

static bool make_track(struct runstates *r, uint32_t vcpu)
{
    struct track *tracks = array_reserve(r->tracks, &r->tracks_n, (size_t)vcpu + 1, sizeof *tracks);
    if (!tracks)
        return false;
    r->tracks = tracks;
    return true;
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
    uint32_t vcpu = population_vcpu(p, (uint16_t)domain, (uint16_t)id);
    uint32_t life = population_life(p, (uint16_t)domain);
    if (vcpu != NOBODY && !p->incarnations[life].ended)
        return vcpu;
    if (life == NOBODY)
        life = population_begin_life(p, (uint16_t)domain, r->start_ns, now_ns);
    else if (p->incarnations[life].ended)
        life = population_begin_life(p, (uint16_t)domain, now_ns, now_ns);
    if (life != NOBODY)
        vcpu = population_new_vcpu(p, life, (uint16_t)id);
    if (life == NOBODY || vcpu == NOBODY || !make_track(r, vcpu)) {
        r->queue.failed = true;
        return NOBODY;
    }
    return vcpu;
}

/* ---- the queue ---- */

static void put(struct runstates *r, uint64_t time_ns, struct transition t)
{
    bool late = time_ns < r->settled_ns;
    t.time_ns = late ? r->settled_ns : time_ns;
    if (late && t.kind == TRANSITION_STATE && t.to == RUNSTATE_UNKNOWN)
        r->quality->blind_late_ns += r->settled_ns - time_ns;
    transitions_put(&r->queue, t);
}

static void put_state(struct runstates *r, uint64_t time_ns, uint32_t vcpu, enum runstate from,
                      enum runstate to, uint16_t pcpu, uint32_t slice_ns)
{
    put(r, time_ns,
        (struct transition){.kind = TRANSITION_STATE,
                            .vcpu = vcpu,
                            .pcpu = pcpu,
                            .from = from & 15,
                            .to = to & 15,
                            .value = slice_ns});
}

/* ---- lost records ---- */

uint64_t runstates_blind_ns(const struct runstates *r, uint16_t pcpu)
{
    return r->pcpus[pcpu].blind_ns;
}

/* ---- contradictions ---- */

static void count_inconsistent(struct runstates *r, uint64_t now_ns)
{
    if (r->quality->inconsistent++ == 0)
        r->quality->inconsistent_at_ns = now_ns;
}

/* The vCPU stops running on its pCPU, as far as that is tracked. */
static void vacate(struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (k->pcpu != NO_PCPU && r->pcpus[k->pcpu].current == vcpu) {
        r->pcpus[k->pcpu].current = NOBODY;
        r->pcpus[k->pcpu].free_since = now_ns;
    }
}

/* The vCPU runs on the pCPU: whoever was thought to run there does not. */
static void occupy(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    uint32_t other = r->pcpus[pcpu].current;
    if (other != NOBODY && other != vcpu) {
        count_inconsistent(r, now_ns);
        put_state(r, now_ns, other, RUNSTATE_RUNNING, RUNSTATE_UNKNOWN, pcpu, UINT32_MAX);
        r->tracks[other].state = RUNSTATE_UNKNOWN;
        r->tracks[other].since_ns = now_ns;
    }
    r->pcpus[pcpu].current = vcpu;
    r->tracks[vcpu].pcpu = pcpu;
}

/*
 * The vCPU is known to be in `state` in [from, now): tells the queue, unless it ran on a pCPU that belonged to
 * somebody else for all of that time. Returns whether it could.
 */
static bool backdate(struct runstates *r, uint32_t vcpu, uint64_t from_ns, uint64_t now_ns,
                     enum runstate before, enum runstate state, uint16_t pcpu)
{
    if (state == RUNSTATE_RUNNING) {
        const struct pcpu_track *p = &r->pcpus[pcpu];
        if (p->current != NOBODY && p->current != vcpu)
            return false;
        from_ns = max64(from_ns, p->free_since);
        occupy(r, vcpu, pcpu, now_ns);
    }
    if (from_ns < now_ns)
        put_state(r, from_ns, vcpu, before, state, pcpu, UINT32_MAX);
    r->tracks[vcpu].state = (uint8_t)state;
    return true;
}

/* First record of a vCPU: it was in `state` ever since it exists. */
static void appear(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate state, uint16_t pcpu)
{
    struct track *k = &r->tracks[vcpu];
    uint64_t birth = r->population->incarnations[r->population->vcpus[vcpu].life].birth_ns;
    birth = min64(birth, now_ns);
    enum runstate first = state;
    k->pcpu = NO_PCPU;
    if (state == RUNSTATE_RUNNING) {
        const struct pcpu_track *p = &r->pcpus[pcpu];
        if (p->current != NOBODY || p->free_since > birth)
            first = RUNSTATE_UNKNOWN; /* somebody else ran there: where it was before cannot be told */
    }
    put(r, birth,
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
        backdate(r, vcpu, birth, now_ns, first, state, pcpu);
    else if (state == RUNSTATE_RUNNING)
        occupy(r, vcpu, pcpu, now_ns);
}

/* The tracked state is not the record's old one: lost records explain it, or nothing does. */
static void settle_contradiction(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                                 enum runstate old)
{
    struct track *k = &r->tracks[vcpu];
    enum runstate tracked = k->state;
    struct blind_window gap;
    if (!blind_between(&r->blind, k->since_ns, now_ns, &gap)) {
        if (tracked != RUNSTATE_UNKNOWN) {
            count_inconsistent(r, now_ns);
            k->contradicted = true;
        }
        vacate(r, vcpu, now_ns);
        return;
    }
    if (tracked != RUNSTATE_UNKNOWN)
        put_state(r, gap.from_ns, vcpu, tracked, RUNSTATE_UNKNOWN, k->pcpu, UINT32_MAX);
    vacate(r, vcpu, gap.from_ns);
    k->state = RUNSTATE_UNKNOWN;
    if (gap.to_ns < now_ns)
        backdate(r, vcpu, gap.to_ns, now_ns, RUNSTATE_UNKNOWN, old, pcpu);
}

/*
 * Two records of one vCPU written on two pCPUs whose clocks differ may come in the wrong order: first "b to c", which
 * does not fit, then "a to b", which would have fitted before it.
 */
static bool late_by_skew(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                         enum runstate old, enum runstate new)
{
    struct track *k = &r->tracks[vcpu];
    bool fits_before = k->record_old == new &&pcpu != k->record_pcpu;
    uint64_t lag_ns = now_ns - k->contradicted_ns;
    if (k->contradicted && fits_before && k->state_before == old && lag_ns <= SKEW_MAX_NS)
        r->quality->inconsistent--;
    else if (!k->first_record || !fits_before || lag_ns > SKEW_USUAL_NS)
        return false;
    r->quality->skew_max_ns = max64(r->quality->skew_max_ns, lag_ns);
    k->contradicted = k->first_record = false;
    put(r, now_ns,
        (struct transition){
            .kind = TRANSITION_SKEWED, .vcpu = vcpu, .pcpu = k->pcpu, .from = old & 15, .to = new & 15});
    return true;
}

/* Remembers a record that another one may turn out to have come too late for. */
static void note_record(struct track *k, uint64_t now_ns, enum runstate old, uint16_t pcpu)
{
    k->state_before = k->state;
    k->record_old = (uint8_t)old;
    k->record_pcpu = pcpu;
    k->contradicted_ns = now_ns;
}

void runstates_record(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu, enum runstate old,
                      enum runstate new, uint32_t slice_ns)
{
    struct track *k = &r->tracks[vcpu];
    uint16_t ran_on = k->seen && k->state == RUNSTATE_RUNNING ? k->pcpu : NO_PCPU;
    if (!k->seen) {
        appear(r, vcpu, now_ns, old, pcpu);
        k->first_record = true;
        note_record(k, now_ns, old, pcpu);
    } else if (k->state != old || (old == RUNSTATE_RUNNING && k->pcpu != pcpu)) {
        if (late_by_skew(r, vcpu, now_ns, pcpu, old, new))
            return;
        note_record(k, now_ns, old, pcpu);
        k->contradicted = k->first_record = false;
        settle_contradiction(r, vcpu, now_ns, pcpu, old);
    }
    if (old == RUNSTATE_RUNNING && new != RUNSTATE_RUNNING) {
        vacate(r, vcpu, now_ns);
        k->pcpu = pcpu;
    }
    if (new == RUNSTATE_RUNNING)
        occupy(r, vcpu, pcpu, now_ns);
    bool moved = new == RUNSTATE_RUNNING &&ran_on != NO_PCPU &&ran_on != pcpu;
    if (new != k->state || old != new || moved) {
        put_state(r, now_ns, vcpu, old, new, k->pcpu, new == RUNSTATE_RUNNING ? slice_ns : pcpu);
        k->state = (uint8_t) new;
        k->since_ns = now_ns;
    } else {
        k->since_ns = now_ns;
    }
    if (k->leaving_told && old == RUNSTATE_RUNNING) {
        if (new == RUNSTATE_RUNNING)
            put(r, now_ns, (struct transition){.kind = TRANSITION_GO_ON, .vcpu = vcpu, .pcpu = pcpu});
        k->leaving_told = false;
    }
}

/* ---- events ---- */

static void domain_ends(struct runstates *r, uint32_t life, uint64_t now_ns)
{
    struct incarnation *l = &r->population->incarnations[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || !r->tracks[vcpu].seen)
            continue;
        vacate(r, vcpu, now_ns);
        put(r, now_ns,
            (struct transition){.kind = TRANSITION_DIE, .vcpu = vcpu, .pcpu = r->tracks[vcpu].pcpu});
    }
    l->ended = true;
    l->ended_ns = now_ns;
}

/* DOM_ADD: {dom}; up to Xen 4.6 {dom, vcpu}, once for each vCPU. */
static void domain_added(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint32_t domain = e->w[0];
    if (event_words(e) < 1 || domain >= DOMID_FIRST_RESERVED) {
        r->quality->ignored_records++;
        return;
    }
    uint32_t life = population_life(r->population, (uint16_t)domain);
    if (life != NOBODY && !r->population->incarnations[life].ended) {
        struct incarnation *l = &r->population->incarnations[life];
        bool another_vcpu = event_words(e) >= 2 && l->added &&
                            population_vcpu(r->population, (uint16_t)domain, (uint16_t)e->w[1]) == NOBODY;
        if (another_vcpu || now_ns - l->first_ns < SAME_BIRTH_NS)
            return;
        domain_ends(r, life, now_ns); /* its DOM_REM was lost */
    }
    life = population_begin_life(r->population, (uint16_t)domain, now_ns, now_ns);
    if (life == NOBODY)
        r->queue.failed = true;
    else
        r->population->incarnations[life].added = true;
}

static void domain_removed(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    if (event_words(e) < 1 || e->w[0] >= DOMID_FIRST_RESERVED) {
        r->quality->ignored_records++;
        return;
    }
    uint32_t life = population_life(r->population, (uint16_t)e->w[0]);
    if (life == NOBODY)
        life = population_begin_life(r->population, (uint16_t)e->w[0], r->start_ns, now_ns);
    if (life == NOBODY)
        r->queue.failed = true;
    else if (!r->population->incarnations[life].ended)
        domain_ends(r, life, now_ns);
}

static void blind_begins(struct runstates *r, const struct event *e, uint64_t now_ns,
                         const struct clock *clock)
{
    uint64_t first_tsc;
    memcpy(&first_tsc, &e->w[2], 8);
    r->quality->blind_late_ns += now_ns - min64(now_ns, clock_ns(clock, first_tsc));
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    p->blind = blind_begin(&r->blind, now_ns);
    uint32_t vcpu = p->current;
    if (vcpu == NOBODY)
        return;
    put_state(r, now_ns, vcpu, RUNSTATE_RUNNING, RUNSTATE_UNKNOWN, e->pcpu, UINT32_MAX);
    vacate(r, vcpu, now_ns);
    r->tracks[vcpu].state = RUNSTATE_UNKNOWN;
    r->tracks[vcpu].since_ns = now_ns;
}

/* Recording resumes: the record names the vCPU that runs there now. */
static void blind_ends(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    uint64_t blind_ns = blind_end(&r->blind, p->blind, now_ns);
    r->quality->blind_ns += blind_ns;
    p->blind_ns += blind_ns;
    p->blind = BLIND_NONE;
    if (p->current == NOBODY)
        p->free_since = now_ns;
    uint32_t domain = e->w[1] & 0xffff, id = e->w[1] >> 16;
    if (e->w[1] == UINT32_MAX)
        return; /* records of Xen 3.3 and older do not say */
    uint32_t vcpu = runstates_vcpu(r, domain, id, e->pcpu, now_ns);
    if (vcpu == NOBODY)
        return;
    if (!r->tracks[vcpu].seen) {
        /* Nothing is known of it before this moment. */
        appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, e->pcpu);
        r->tracks[vcpu].since_ns = now_ns;
        put_state(r, now_ns, vcpu, RUNSTATE_UNKNOWN, RUNSTATE_RUNNING, e->pcpu, UINT32_MAX);
        r->tracks[vcpu].state = RUNSTATE_RUNNING;
        occupy(r, vcpu, e->pcpu, now_ns);
        return;
    }
    runstates_record(r, vcpu, now_ns, e->pcpu, RUNSTATE_RUNNING, RUNSTATE_RUNNING, UINT32_MAX);
}

static void note(struct runstates *r, const struct event *e, uint64_t now_ns, enum transition_kind kind)
{
    if (event_words(e) < 2)
        return;
    uint32_t vcpu = e->w[0] < 65536 && e->w[1] < VCPUS_MAX
                        ? population_vcpu(r->population, (uint16_t)e->w[0], (uint16_t)e->w[1])
                        : NOBODY;
    if (vcpu == NOBODY || !r->tracks[vcpu].seen)
        return;
    put(r, now_ns, (struct transition){.kind = (uint8_t)kind, .vcpu = vcpu, .pcpu = e->pcpu});
    r->tracks[vcpu].leaving_told = true;
}

/* ---- I/O ---- */

/* The life of a domain that a record names: it may have ended, as pages are unmapped after that too. NOBODY: none. */
static uint32_t named_life(struct runstates *r, uint32_t domain, uint64_t now_ns)
{
    if (domain >= DOMID_FIRST_RESERVED || domain == IDLE_DOMAIN)
        return NOBODY;
    uint32_t life = population_life(r->population, (uint16_t)domain);
    if (life != NOBODY)
        return life;
    life = population_begin_life(r->population, (uint16_t)domain, r->start_ns, now_ns);
    r->queue.failed = r->queue.failed || life == NOBODY;
    return life;
}

static void put_io(struct runstates *r, const struct event *e, uint64_t now_ns, enum io_record record,
                   uint32_t vcpu, uint64_t value)
{
    put(r, now_ns,
        (struct transition){
            .kind = TRANSITION_IO, .from = record & 15, .pcpu = e->pcpu, .vcpu = vcpu, .value = value});
}

static void grant(struct runstates *r, const struct event *e, uint64_t now_ns, enum io_record record)
{
    uint32_t life = event_words(e) >= 1 ? named_life(r, e->w[0], now_ns) : NOBODY;
    if (life != NOBODY)
        put_io(r, e, now_ns, record, life, 1);
    else
        r->quality->ignored_records++;
}

static void hypercall(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint32_t call = record_hypercall(e->slot, (const uint8_t *)e->w, event_words(e));
    if (call == HYPERCALL_GRANT_TABLE_OP)
        put_io(r, e, now_ns, IO_RECORD_COPY, NOBODY, e->w[2]);
    else
        put_io(r, e, now_ns, call == HYPERCALL_EVENT_CHANNEL_OP ? IO_RECORD_SEND : IO_RECORD_TASK, NOBODY, 0);
}

static void wake_by_send(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    if (event_words(e) < 2 || !(e->flags & EVENT_BY_SEND))
        return;
    uint32_t life = named_life(r, e->w[0], now_ns);
    if (life != NOBODY && e->w[1] < VCPUS_MAX)
        put_io(r, e, now_ns, IO_RECORD_WAKE,
               population_vcpu(r->population, (uint16_t)e->w[0], (uint16_t)e->w[1]), life);
}

/* The vCPU of a word {vcpu:u16 dom:u16}, or NOBODY. */
static uint32_t vcpu_of(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    return event_words(e) >= 1 ? runstates_vcpu(r, e->w[0] >> 16, e->w[0] & 0xffff, e->pcpu, now_ns) : NOBODY;
}

static void runstate_change(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    uint64_t instant = instant_of_change(&p->instant, e, now_ns);
    uint32_t vcpu = vcpu_of(r, e, now_ns);
    if (vcpu == NOBODY)
        return;
    /* Not where something came in between: of the vCPU, or of one that is thought to run there. */
    const struct track *k = &r->tracks[vcpu];
    if ((p->current != NOBODY && r->tracks[p->current].since_ns > instant) ||
        (k->seen && k->since_ns > instant))
        instant = now_ns;
    runstates_record(r, vcpu, instant, e->pcpu, (e->header >> 8) & 3, (e->header >> 4) & 3, event_slice(e));
}

bool runstates_event(struct runstates *r, const struct event *e, uint64_t now_ns, const struct clock *clock)
{
    uint32_t vcpu;
    if (!(e->flags & EVENT_MODEL))
        return true;
    switch (e->slot) {
    case EVENT_RUNSTATE_CHANGE:
        runstate_change(r, e, now_ns);
        break;
    case EVENT_CONTINUE_RUNNING:
        vcpu = vcpu_of(r, e, now_ns);
        if (vcpu != NOBODY)
            runstates_record(r, vcpu, now_ns, e->pcpu, RUNSTATE_RUNNING, RUNSTATE_RUNNING, UINT32_MAX);
        break;
    case EVENT_BLIND_BEGIN:
        blind_begins(r, e, now_ns, clock);
        break;
    case EVENT_BLIND_END:
        blind_ends(r, e, now_ns);
        break;
    case EVENT_DOM_ADD:
    case EVENT_DOM0_DOM_ADD:
        domain_added(r, e, now_ns);
        break;
    case EVENT_DOM_REM:
    case EVENT_DOM0_DOM_REM:
        domain_removed(r, e, now_ns);
        break;
    case EVENT_YIELD:
        note(r, e, now_ns, TRANSITION_YIELD);
        break;
    case EVENT_SLEEP:
        note(r, e, now_ns, TRANSITION_SLEEP);
        if (r->use_switches)
            runstates_switch_event(r, e, now_ns);
        break;
    case EVENT_GRANT_MAP:
        grant(r, e, now_ns, IO_RECORD_MAP);
        break;
    case EVENT_GRANT_UNMAP:
        grant(r, e, now_ns, IO_RECORD_UNMAP);
        break;
    case EVENT_GRANT_TRANSFER:
        grant(r, e, now_ns, IO_RECORD_TRANSFER);
        break;
    case EVENT_HYPERCALL_V2:
    case EVENT_HYPERCALL_SUBCALL:
    case EVENT_PV_HYPERCALL:
    case EVENT_HVM_VMMCALL:
    case EVENT_VMX_EXIT:
    case EVENT_SVM_EXIT:
        hypercall(r, e, now_ns);
        break;
    case EVENT_WAKE:
        wake_by_send(r, e, now_ns);
        if (r->use_switches)
            runstates_switch_event(r, e, now_ns);
        break;
    default:
        if (r->use_switches)
            runstates_switch_event(r, e, now_ns);
        break;
    }
    return !r->queue.failed;
}

uint64_t runstates_settled(struct runstates *r, uint64_t watermark_ns)
{
    /* A switch that is recorded after the watermark may have begun before it. */
    uint64_t settled =
        watermark_ns - r->start_ns < BEGINNING_NS ? r->settled_ns : watermark_ns - SWITCH_SPAN_NS;
    settled = min64(settled, blind_earliest(&r->blind, watermark_ns - min64(watermark_ns, SETTLE_NS)));
    if (r->queue.n - r->queue.head > PENDING_MAX)
        settled = max64(settled, r->queue.items[r->queue.n - 1 - PENDING_MAX / 2].time_ns);
    if (settled > r->settled_ns)
        r->settled_ns = settled;
    return r->settled_ns;
}

void runstates_end(struct runstates *r, uint64_t end_ns)
{
    r->settled_ns = max64(r->settled_ns, end_ns);
}

const struct transition *runstates_take(struct runstates *r, uint64_t upto_ns)
{
    return transitions_take(&r->queue, upto_ns);
}
