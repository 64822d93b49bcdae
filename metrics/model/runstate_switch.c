/*
 * Runstates from switches, for traces whose mask left the runstate changes out. What Xen does at each step is in
 * xen/common/sched/core.c: a vCPU that is switched out is blocked if it blocked itself before, offline if it was put
 * to sleep, else runnable; a wake makes a blocked or offline vCPU runnable, unless it is paused, and says nothing about
 * any other.
 */

#include "metrics/min_max.h"

#include "runstate_internal.h"

/* The vCPU's name, as the chain of switches has it. */
static uint32_t name_of(uint32_t domain, uint32_t id)
{
    return domain << 16 | id;
}

#define WAITED_SLACK_NS 100000u  /* a wake is recorded so late at most */
#define LEAVING_NS      1000000u /* a vCPU that blocks, or is put to sleep, is switched out sooner */

/* Where the vCPU goes that is switched out. The record that it blocks, or is put to sleep, may just have been lost. */
static enum runstate leads_to(const struct runstates *r, const struct track *k, uint64_t now_ns)
{
    struct dark_stretch lost;
    if (k->idle)
        return RUNSTATE_RUNNABLE;
    if (k->seen && k->leaving != 0)
        return (enum runstate)k->leaving;
    bool unsure = r->darkness.n > 0 && !r->unseen.known &&
                  darkness_between(&r->darkness, now_ns - min64(now_ns, LEAVING_NS), now_ns, &lost);
    return unsure ? RUNSTATE_UNKNOWN : RUNSTATE_RUNNABLE;
}

static void switch_out(struct runstates *r, uint32_t vcpu, uint32_t name, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    struct pcpu_track *p = &r->pcpus[pcpu];
    enum runstate to = leads_to(r, k, now_ns);
    struct run run = {name, p->ran_ns, p->ran && r->clock->cpu_hz > 0};
    uint64_t instant =
        instant_switched_out(&p->instant, run, now_ns, p->woke_ns, &r->quality->runs_contradicted);
    k->leaving = k->wakes = 0;
    p->ran = false;
    if (to != RUNSTATE_BLOCKED && to != RUNSTATE_UNKNOWN)
        k->pause = PAUSE_NONE;
    instant = runstates_possible(r, vcpu, pcpu, to, instant);
    runstates_record(r, vcpu, instant, pcpu, RUNSTATE_RUNNING, to, UINT32_MAX);
}

/* The vCPU runs from now on: since its wake in an unsure state it was runnable. */
static void settle_wake(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    struct dark_stretch lost;
    if (k->wakes > 0 && k->seen && k->state == RUNSTATE_UNKNOWN &&
        !darkness_between(&r->darkness, k->since_ns, now_ns, &lost))
        runstates_backdate(r, vcpu, k->since_ns, now_ns, RUNSTATE_UNKNOWN, RUNSTATE_RUNNABLE, pcpu);
    k->wakes = 0;
}

/* A vCPU that is switched in, as SWITCH_INFNEXT says: UINT32_MAX each, if it does not. */
struct next {
    uint32_t waited_ns; /* modulo 2^32 */
    uint32_t slice_ns;
};

/*
 * Whether the wakes before anything else was known of the vCPU made it runnable: if it waited for longer than since the first
 * one, it was before.
 */
static bool was_woken(const struct track *k, uint64_t instant_ns, uint32_t waited_ns)
{
    bool woken = !k->seen && k->woken && k->woken_ns <= instant_ns;
    uint32_t longer = waited_ns - (uint32_t)(instant_ns - k->woken_ns);
    return woken && (waited_ns == UINT32_MAX || longer <= WAITED_SLACK_NS || longer > UINT32_MAX / 2);
}

static void switch_in(struct runstates *r, uint32_t vcpu, uint32_t name, uint16_t pcpu, uint64_t now_ns,
                      struct next next)
{
    struct track *k = &r->tracks[vcpu];
    struct pcpu_track *p = &r->pcpus[pcpu];
    uint64_t instant = instant_switched_in(&p->instant, name, now_ns);
    instant = runstates_possible(r, vcpu, pcpu, RUNSTATE_RUNNING, instant);
    if (was_woken(k, instant, next.waited_ns))
        runstates_record(r, vcpu, k->woken_ns, pcpu, RUNSTATE_BLOCKED, RUNSTATE_RUNNABLE, UINT32_MAX);
    settle_wake(r, vcpu, pcpu, instant);
    k->leaving = 0;
    runstates_record(r, vcpu, instant, pcpu, RUNSTATE_RUNNABLE, RUNSTATE_RUNNING, next.slice_ns);
    k->pause = PAUSE_NONE;
}

/*
 * A wake of a vCPU that was put to sleep while it was blocked. Xen's vcpu_wake() is called when the pause ends and when
 * an event comes, never for an event of a vCPU that is not blocked. The first call leaves it blocked (the pause ended)
 * or takes it offline (an event came), the second one makes it runnable.
 */
static void wake_paused(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    bool first = k->pause == PAUSE_SLEPT;
    if (k->state == RUNSTATE_RUNNING) {
        first = first && k->leaving == RUNSTATE_BLOCKED;
        k->leaving = first ? RUNSTATE_UNKNOWN : 0;
    } else {
        runstates_record(r, vcpu, now_ns, pcpu, (enum runstate)k->state,
                         first ? RUNSTATE_UNKNOWN : RUNSTATE_RUNNABLE, UINT32_MAX);
    }
    k->pause = first ? PAUSE_WOKEN : PAUSE_NONE;
}

/* Whether what happened off a pCPU since the vCPU's last record may be lost: the next wake or sleep does not say which state it was in before. */
static bool is_unsure(const struct runstates *r, const struct track *k, uint64_t now_ns)
{
    struct dark_stretch lost;
    if (k->state == RUNSTATE_UNKNOWN && k->pause == PAUSE_NONE)
        return true;
    if (r->darkness.n == 0)
        return false;
    return k->state != RUNSTATE_RUNNING && darkness_between(&r->darkness, k->since_ns, now_ns, &lost);
}

/* One that slept long enough since the last lost record, and was not paused before, did so up to now: else it would have run. */
static bool has_slept(const struct runstates *r, const struct track *k, uint64_t now_ns)
{
    struct dark_stretch lost;
    bool asleep = (k->state == RUNSTATE_BLOCKED || k->state == RUNSTATE_OFFLINE) && k->pause == PAUSE_NONE;
    return asleep && darkness_between(&r->darkness, k->since_ns, now_ns, &lost) &&
           !runstates_near(r, lost.to_ns, now_ns);
}

/*
 * A wake of a vCPU in an unsure state. It is runnable after it, unless it was paused, which may be lost; it is after the second
 * one, if nothing was lost since the first. Before, it was blocked, offline or runnable.
 */
static void wake_unsure(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    struct dark_stretch lost;
    if (has_slept(r, k, now_ns))
        runstates_record(r, vcpu, now_ns, pcpu, (enum runstate)k->state, RUNSTATE_UNKNOWN, UINT32_MAX);
    else if (k->state != RUNSTATE_UNKNOWN)
        runstates_contradiction(r, vcpu, now_ns, pcpu, RUNSTATE_UNKNOWN);
    k->pause = PAUSE_NONE;
    k->leaving = 0; /* it may run, unseen: it was about to be offline, and is not now */
    if (darkness_between(&r->darkness, k->since_ns, now_ns, &lost))
        k->wakes = 0;
    if (k->wakes == 2)
        return;
    k->wakes++;
    k->since_ns = now_ns;
}

static void wake(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    struct dark_stretch lost;
    if (!k->seen && darkness_between(&r->darkness, r->start_ns, now_ns, &lost)) {
        runstates_appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, pcpu);
        wake_unsure(r, vcpu, pcpu, now_ns);
    } else if (!k->seen) {
        /* It may have been running: its next switch shows that. */
        k->woken_ns = k->woken ? k->woken_ns : now_ns;
        k->woken = true;
    } else if (is_unsure(r, k, now_ns)) {
        wake_unsure(r, vcpu, pcpu, now_ns);
    } else if (k->pause != PAUSE_NONE) {
        wake_paused(r, vcpu, pcpu, now_ns);
    } else if (k->state == RUNSTATE_BLOCKED || k->state == RUNSTATE_OFFLINE) {
        runstates_record(r, vcpu, now_ns, pcpu, k->state, RUNSTATE_RUNNABLE, UINT32_MAX);
    } else if (k->state == RUNSTATE_RUNNING) {
        k->leaving = 0; /* it was about to block: now it will not */
    }
}

static void block(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    /* A vCPU blocks itself: it runs here. */
    r->tracks[vcpu].wakes = 0;
    runstates_go_on(r, vcpu, now_ns, pcpu);
    r->tracks[vcpu].leaving = RUNSTATE_BLOCKED;
}

static void put_to_sleep(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (!k->seen) /* the wakes that come now do not say what it was before */
        runstates_appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, pcpu);
    if (k->state != RUNSTATE_UNKNOWN && is_unsure(r, k, now_ns) && !has_slept(r, k, now_ns))
        runstates_contradiction(r, vcpu, now_ns, pcpu, RUNSTATE_UNKNOWN);
    k->wakes = 0;
    if (k->state == RUNSTATE_RUNNABLE) {
        runstates_record(r, vcpu, now_ns, pcpu, RUNSTATE_RUNNABLE, RUNSTATE_OFFLINE, UINT32_MAX);
    } else if (k->state != RUNSTATE_OFFLINE) {
        k->pause = PAUSE_SLEPT;
        if (k->state != RUNSTATE_BLOCKED && k->leaving == 0) { /* it runs, or may run */
            k->leaving = RUNSTATE_OFFLINE;
            k->leaving_ns = now_ns;
        }
    }
}

/* SWITCH_INFCONT: the vCPU goes on. Another pCPU that puts it to sleep at that moment may have been earlier by its clock. */
static void go_on(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    bool just_slept =
        k->leaving == RUNSTATE_OFFLINE && now_ns - min64(now_ns, k->leaving_ns) <= WAITED_SLACK_NS;
    runstates_go_on(r, vcpu, now_ns, pcpu);
    if (!just_slept)
        k->leaving = 0;
}

/* It seemed to wait since this change, for a wake or for not having blocked. */
static void doubt_change(void *context, struct transition *t)
{
    const struct runstates *r = context;
    if (t->kind != TRANSITION_STATE || t->to != RUNSTATE_RUNNABLE || t->from == RUNSTATE_UNKNOWN ||
        r->tracks[t->vcpu].idle)
        return;
    t->to = RUNSTATE_UNKNOWN;
    if (t->from != RUNSTATE_RUNNING)
        t->from = RUNSTATE_UNKNOWN;
}

void runstates_switch_doubt(struct runstates *r, uint64_t from_ns)
{
    transitions_visit(&r->queue, from_ns, doubt_change, r);
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        struct track *k = &r->tracks[v];
        if (k->seen && !k->idle && k->state == RUNSTATE_RUNNABLE && k->since_ns > from_ns)
            k->state = RUNSTATE_UNKNOWN;
    }
}

/* The vCPU that a switch names. With core scheduling the id is the unit's: the idle vCPU is the pCPU's own. */
static uint32_t named(struct runstates *r, uint32_t domain, uint32_t id, uint16_t pcpu, uint64_t now_ns)
{
    return runstates_vcpu(r, domain, domain == IDLE_DOMAIN ? pcpu : id, pcpu, now_ns);
}

/* SWITCH names both vCPUs: what the records before it did not say already. */
static void switch_both(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    bool complete = event_words(e) >= 4;
    struct next how = {UINT32_MAX, UINT32_MAX};
    if (p->in_waits) {
        how = (struct next){p->waited_ns, p->slice_ns};
        now_ns = min64(now_ns, p->switched_ns);
    }
    uint32_t prev = p->out_seen || !complete ? NOBODY : named(r, e->w[0], e->w[1], e->pcpu, now_ns);
    if (prev != NOBODY)
        switch_out(r, prev, name_of(e->w[0], e->w[1]), e->pcpu, now_ns);
    uint32_t next = p->in_seen || !complete ? NOBODY : named(r, e->w[2], e->w[3], e->pcpu, now_ns);
    if (next != NOBODY)
        switch_in(r, next, name_of(e->w[2], e->w[3]), e->pcpu, now_ns, how);
    p->out_seen = p->in_seen = p->in_waits = false;
}

/* SWITCH_INFNEXT. Who runs until now is not said yet where there was no SWITCH_INFPREV: SWITCH, which follows, says it. */
static void switch_next(struct runstates *r, uint32_t vcpu, const struct event *e, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    p->in_seen = p->out_seen;
    p->in_waits = !p->out_seen;
    p->switched_ns = now_ns;
    p->waited_ns =
        r->cores ? UINT32_MAX : e->w[2]; /* of a unit, of which each vCPU may have waited for less */
    p->slice_ns = e->w[3];
    if (p->in_seen)
        switch_in(r, vcpu, name_of(e->w[0], e->w[1]), e->pcpu, now_ns,
                  (struct next){p->waited_ns, p->slice_ns});
}

/* With core scheduling: whether this vCPU of a unit that is switched runs, or ran, is not recorded. */
static void lose_track(struct runstates *r, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (!k->seen)
        runstates_appear(r, vcpu, now_ns, RUNSTATE_UNKNOWN, pcpu);
    else if (k->state != RUNSTATE_UNKNOWN)
        runstates_contradiction(r, vcpu, now_ns, pcpu, RUNSTATE_UNKNOWN);
    k->since_ns = now_ns;
    k->leaving = k->wakes = k->pause = 0;
}

/* SWITCH, SWITCH_INF*, BLOCK in the ring of a pCPU that is partial. */
static void switch_units(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    unsigned ids = e->slot == EVENT_SWITCH && event_words(e) >= 4 ? 4 : 2;
    for (unsigned i = 0; i < ids; i += 2) {
        uint32_t vcpu =
            e->w[i] == IDLE_DOMAIN ? NOBODY : runstates_vcpu(r, e->w[i], e->w[i + 1], e->pcpu, now_ns);
        if (vcpu != NOBODY)
            lose_track(r, vcpu, e->pcpu, now_ns);
    }
}

void runstates_switch_lost(struct runstates *r, uint16_t pcpu)
{
    struct pcpu_track *p = &r->pcpus[pcpu];
    p->out_seen = p->in_seen = p->in_waits = p->ran = false;
}

void runstates_switch_event(struct runstates *r, const struct event *e, uint64_t now_ns)
{
    unsigned words = event_words(e);
    if (words < 2)
        return;
    struct pcpu_track *p = &r->pcpus[e->pcpu];
    if (p->partial && e->slot != EVENT_WAKE && e->slot != EVENT_SLEEP) {
        switch_units(r, e, now_ns);
        return;
    }
    if (e->slot == EVENT_SWITCH) {
        switch_both(r, e, now_ns);
        return;
    }
    if (e->slot == EVENT_SWITCH_INFPREV) {
        p->ran = true;
        p->ran_ns = e->w[words >= 3 ? 2 : 1];
    }
    /* Up to Xen 4.7 SWITCH_INFPREV and _INFNEXT name no vCPU: SWITCH, which follows, does. */
    if ((e->slot == EVENT_SWITCH_INFPREV && words < 3) || (e->slot == EVENT_SWITCH_INFNEXT && words < 4))
        return;
    uint32_t vcpu = named(r, e->w[0], e->w[1], e->pcpu, now_ns);
    if (vcpu == NOBODY)
        return;
    switch (e->slot) {
    case EVENT_SWITCH_INFPREV:
        switch_out(r, vcpu, name_of(e->w[0], e->w[1]), e->pcpu, now_ns);
        p->out_seen = true;
        break;
    case EVENT_SWITCH_INFNEXT:
        switch_next(r, vcpu, e, now_ns);
        break;
    case EVENT_SWITCH_INFCONT:
        go_on(r, vcpu, e->pcpu, now_ns);
        break;
    case EVENT_WAKE:
        wake(r, vcpu, e->pcpu, now_ns);
        break;
    case EVENT_BLOCK:
        block(r, vcpu, e->pcpu, now_ns);
        break;
    case EVENT_SLEEP:
        put_to_sleep(r, vcpu, e->pcpu, now_ns);
        break;
    default:
        break;
    }
}
