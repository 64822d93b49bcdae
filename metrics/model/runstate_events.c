/*
 * What the events say to the runstate machine: changes of state, domains that come and go, lost records, I/O. Sources: Xen
 * public/trace.h (the records), xen/common/sched/core.c (when they are written).
 */
#include <string.h>

#include "metrics/min_max.h"
#include "parser/decode/io_filter.h"

#include "runstate_internal.h"

#define SAME_BIRTH_NS 1000000000u /* a DOM_ADD this soon after the first record announces the same life */

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
}

/* ---- domains ---- */

static void domain_ends(struct runstates *r, uint32_t life, uint64_t now_ns)
{
    struct incarnation *l = &r->population->incarnations[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || !r->tracks[vcpu].seen)
            continue;
        runstates_vacate(r, vcpu, now_ns);
        runstates_put(
            r, now_ns,
            (struct transition){.kind = TRANSITION_DIE, .vcpu = vcpu, .pcpu = r->tracks[vcpu].pcpu});
        r->doubtful_n -= r->tracks[vcpu].doubtful;
        r->tracks[vcpu].seen = r->tracks[vcpu].doubtful = false;
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
    life = runstates_begin_life(r, domain, now_ns);
    if (life != NOBODY)
        r->population->incarnations[life].added = true;
}

static void domain_removed(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    if (event_words(e) < 1 || e->w[0] >= DOMID_FIRST_RESERVED) {
        r->quality->ignored_records++;
        return;
    }
    uint32_t life = runstates_life(r, e->w[0], now_ns);
    if (life != NOBODY && !r->population->incarnations[life].ended)
        domain_ends(r, life, now_ns);
}

/* ---- lost records ---- */

/* The pCPUs whose switches a pCPU may record: itself and its siblings. */
static const uint16_t *recorded_by(const struct runstates *r, const uint16_t *pcpu, unsigned *n)
{
    const struct core *core = r->cores ? &r->cores->of[*pcpu] : NULL;
    *n = core && core->n > 1 ? core->n : 1;
    return *n > 1 ? &r->cores->pcpus[core->first] : pcpu;
}

static void blind_begins(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint64_t first_tsc;
    memcpy(&first_tsc, &e->w[2], 8);
    unsigned n;
    const uint16_t *pcpus = recorded_by(r, &e->pcpu, &n);
    instant_break(&r->pcpus[e->pcpu].instant);
    runstates_switch_lost(r, e->pcpu);
    uint64_t from_ns = min64(now_ns, clock_ns(r->clock, first_tsc));
    for (unsigned i = 0; i < n; i++) {
        if (n > 1)
            runstates_doubt_runs(r, pcpus[i], from_ns);
        if (r->pcpus[pcpus[i]].blind_rings++ == 0)
            runstates_blind_begin(r, pcpus[i], from_ns);
    }
}

/* Recording resumes: the record names the vCPU that runs there now. */
static void blind_ends(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    unsigned n;
    const uint16_t *pcpus = recorded_by(r, &e->pcpu, &n);
    for (unsigned i = 0; i < n; i++) {
        struct pcpu_track *p = &r->pcpus[pcpus[i]];
        if (p->blind_rings > 0 && --p->blind_rings == 0)
            runstates_blind_end(r, pcpus[i], now_ns);
    }
    uint32_t domain = e->w[1] & 0xffff, id = e->w[1] >> 16;
    if (e->w[1] == UINT32_MAX)
        return; /* records of Xen 3.3 and older do not say */
    uint32_t vcpu = runstates_vcpu(r, domain, id, e->pcpu, now_ns);
    if (vcpu == NOBODY)
        return;
    if (!r->tracks[vcpu].seen) {
        /* Nothing is known of it before this moment. */
        runstates_appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, e->pcpu);
        r->tracks[vcpu].since_ns = now_ns;
        runstates_put_state(r, now_ns, vcpu, RUNSTATE_UNKNOWN, RUNSTATE_RUNNING, e->pcpu, UINT32_MAX);
        r->tracks[vcpu].state = RUNSTATE_RUNNING;
        runstates_occupy(r, vcpu, e->pcpu, now_ns);
        runstates_lose_if_dark(r, vcpu, now_ns, e->pcpu);
    } else {
        runstates_record(r, vcpu, now_ns, e->pcpu, RUNSTATE_RUNNING, RUNSTATE_RUNNING, UINT32_MAX);
        /* It runs: where it was about to go may be over, and so may be a pause. */
        r->tracks[vcpu].leaving = r->tracks[vcpu].pause = 0;
    }
}

/* No pCPU wrote anything: what the vCPUs did is not known. */
static void hole_ends(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    runstates_hole(r, clock_ns(r->clock, (uint64_t)e->w[1] << 32 | e->w[0]), now_ns);
}

/* ---- vCPUs ---- */

/* YIELD, SLEEP: the vCPU may stop running soon. One that yields runs, if nothing was known of it before. */
static void leaving(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    if (event_words(e) < 2)
        return;
    bool yields = e->slot == EVENT_YIELD, named = e->w[0] < 65536 && e->w[1] < VCPUS_MAX;
    uint32_t vcpu = named ? population_vcpu(r->population, (uint16_t)e->w[0], (uint16_t)e->w[1]) : NOBODY;
    if (yields && (vcpu == NOBODY || !r->tracks[vcpu].seen)) {
        vcpu = runstates_vcpu(r, e->w[0], e->w[1], e->pcpu, now_ns);
        if (vcpu != NOBODY)
            runstates_go_on(r, vcpu, now_ns, e->pcpu);
    }
    if (vcpu == NOBODY || !r->tracks[vcpu].seen)
        return;
    uint8_t kind = yields ? TRANSITION_YIELD : TRANSITION_SLEEP;
    runstates_put(r, now_ns, (struct transition){.kind = kind, .vcpu = vcpu, .pcpu = e->pcpu});
    r->tracks[vcpu].leaving_noted = true;
}

/* The vCPU of a word {vcpu:u16 dom:u16}, which runs on the pCPU if it does, or NOBODY. */
static uint32_t vcpu_of(struct runstates *r, const struct event *e, uint16_t pcpu, uint64_t now_ns)
{
    return event_words(e) >= 1 ? runstates_vcpu(r, e->w[0] >> 16, e->w[0] & 0xffff, pcpu, now_ns) : NOBODY;
}

/* The pCPU that a change of state is about: where the vCPU runs, or who wakes it. */
static __attribute__((noinline)) uint16_t siblings_pcpu(const struct runstates *r, const struct event *e)
{
    bool runs = (e->header >> 8 & 3) == RUNSTATE_RUNNING || (e->header >> 4 & 3) == RUNSTATE_RUNNING;
    return runs ? cores_pcpu(r->cores, e->pcpu, e->w[0] >> 16, e->w[0] & 0xffff) : e->pcpu;
}

/* The instant of a runstate change that was recorded at now_ns. */
static uint64_t instant_of(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    struct instant *i = &p->instant;
    /* Where siblings write for one another, the payloads of a ring are no chain. */
    bool alone = !r->cores || (r->cores->of[e->pcpu].n < 2 && !p->partial);
    if ((e->header >> 8 & 3) == RUNSTATE_RUNNING) {
        struct run run = {e->w[0], e->w[2], e->flags & EVENT_RAN && r->clock->cpu_hz > 0 && alone};
        return instant_switched_out(i, run, now_ns, p->woke_ns, &r->quality->runs_contradicted);
    }
    if (e->flags & EVENT_SWITCHED_IN)
        return instant_switched_in(i, e->w[0], now_ns);
    i->switched_out = false;
    return now_ns;
}

static void runstate_change(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint16_t pcpu = r->cores ? siblings_pcpu(r, e) : e->pcpu;
    uint64_t instant = instant_of(r, e, now_ns);
    uint32_t vcpu = vcpu_of(r, e, pcpu, now_ns);
    if (vcpu == NOBODY)
        return;
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    unsigned old = e->header >> 8 & 3, new = e->header >> 4 & 3;
    r->instant_ns = runstates_possible(r, vcpu, pcpu, new, instant);
    /* I/O of the vCPU precedes its end; it gives way, as it is not always decoded. */
    if (old == RUNSTATE_RUNNING && p->io_ns > r->instant_ns && r->instant_ns >= r->settled_ns)
        transitions_pull_io(&r->queue, e->pcpu, r->instant_ns);
    uint64_t switch_ns = now_ns > r->instant_ns ? now_ns - r->instant_ns : 0;
    runstates_record(r, vcpu, r->instant_ns, pcpu, old, new, transition_run(event_slice(e), switch_ns));
}

static void goes_on(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint32_t vcpu = vcpu_of(r, e, e->pcpu, now_ns);
    if (vcpu != NOBODY)
        runstates_go_on(r, vcpu, now_ns, e->pcpu);
}

static void assigned(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint32_t vcpu = runstates_vcpu(r, e->w[0] >> 16, e->w[0] & 0xffff, e->pcpu, now_ns);
    if (vcpu != NOBODY)
        runstates_name(r, vcpu, now_ns);
}

/* ---- I/O ---- */

/* The life of a domain that a record names: it may have ended, as pages are unmapped after that too. NOBODY: none. */
static uint32_t named_life(struct runstates *r, uint32_t domain, uint64_t now_ns)
{
    return domain < DOMID_FIRST_RESERVED ? runstates_life(r, domain, now_ns) : NOBODY;
}

static void put_io(struct runstates *r, const struct event *e, uint64_t now_ns, enum io_record record,
                   uint32_t vcpu, uint64_t value)
{
    r->pcpus[e->pcpu].io_ns = now_ns;
    transitions_put(&r->queue, (struct transition){.time_ns = max64(now_ns, r->settled_ns),
                                                   .kind = TRANSITION_IO,
                                                   .from = record & 15,
                                                   .pcpu = e->pcpu,
                                                   .vcpu = vcpu,
                                                   .value = value});
}

static void grant(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    enum io_record record = e->slot == EVENT_GRANT_MAP     ? IO_RECORD_MAP
                            : e->slot == EVENT_GRANT_UNMAP ? IO_RECORD_UNMAP
                                                           : IO_RECORD_TRANSFER;
    uint32_t life = event_words(e) >= 1 ? named_life(r, e->w[0], now_ns) : NOBODY;
    if (life != NOBODY)
        put_io(r, e, now_ns, record, life, 1);
    else
        r->quality->ignored_records++;
}

static enum io_record record_of_hypercall(const struct event *e, uint32_t call)
{
    if (call == HYPERCALL_EVENT_CHANNEL_OP)
        return IO_RECORD_SEND;
    switch (io_filter_is_pv(e->slot) ? call : UINT32_MAX) {
    case HYPERCALL_GRANT_TABLE_OP:
        return e->w[1] == GNTTABOP_COPY ? IO_RECORD_COPY : IO_RECORD_UNMAPPED;
    case HYPERCALL_STACK_SWITCH:
        return IO_RECORD_TASK;
    default:
        return IO_RECORD_TRACED;
    }
}

static void hypercall(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    uint32_t call = record_hypercall(e->slot, (const uint8_t *)e->w, event_words(e));
    uint64_t value = call == HYPERCALL_GRANT_TABLE_OP ? e->w[2] : 0;
    put_io(r, e, now_ns, record_of_hypercall(e, call), NOBODY, value);
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

static void device_interrupt(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    put_io(r, e, now_ns, IO_RECORD_IRQ, NOBODY, event_words(e) >= 1 ? e->w[0] : 0);
}

/* ---- all of them ---- */

typedef void event_handler(struct runstates *r, const struct event *e, uint64_t now_ns);

static event_handler *const handlers[] = {
    [EVENT_RUNSTATE_CHANGE] = runstate_change,
    [EVENT_CONTINUE_RUNNING] = goes_on,
    [EVENT_BLIND_BEGIN] = blind_begins,
    [EVENT_BLIND_END] = blind_ends,
    [EVENT_HOLE] = hole_ends,
    [EVENT_ASSIGNED] = assigned,
    [EVENT_DOM_ADD] = domain_added,
    [EVENT_DOM0_DOM_ADD] = domain_added,
    [EVENT_DOM_REM] = domain_removed,
    [EVENT_DOM0_DOM_REM] = domain_removed,
    [EVENT_YIELD] = leaving,
    [EVENT_SLEEP] = leaving,
    [EVENT_GRANT_MAP] = grant,
    [EVENT_GRANT_UNMAP] = grant,
    [EVENT_GRANT_TRANSFER] = grant,
    [EVENT_HYPERCALL_V2] = hypercall,
    [EVENT_HYPERCALL_SUBCALL] = hypercall,
    [EVENT_PV_HYPERCALL] = hypercall,
    [EVENT_HVM_VMMCALL] = hypercall,
    [EVENT_VMX_EXIT] = hypercall,
    [EVENT_SVM_EXIT] = hypercall,
    [EVENT_WAKE] = wake_by_send,
    [EVENT_IRQ_HANDLED] = device_interrupt,
};

#define HANDLERS (sizeof handlers / sizeof handlers[0])

bool runstates_event(struct runstates *r, const struct event *e, uint64_t now_ns, const struct clock *clock)
{
    event_handler *handler = e->slot < HANDLERS ? handlers[e->slot] : NULL;
    if (!(e->flags & EVENT_MODEL))
        return true;
    r->clock = clock;
    r->front_ns = now_ns;
    if (handler)
        handler(r, e, now_ns);
    if (r->use_switches && (!handler || e->slot == EVENT_WAKE || e->slot == EVENT_SLEEP))
        runstates_switch_event(r, e, now_ns);
    if (r->unseen.records >= r->settles_at)
        runstates_settled(r, now_ns);
    return !r->queue.failed;
}
