/* Records that came late because the clocks of two pCPUs differ. */
#include "runstate_internal.h"

#include "metrics/min_max.h"

#define SKEW_MAX_NS 1000000u /* clocks of pCPUs are never that far apart: a real contradiction */

/*
 * The vCPU was in state `old` before its first record. False: that time was handed out, or the vCPU ran, and its pCPU has
 * that time for somebody else.
 */
static bool mend_first(struct runstates *r, uint32_t vcpu, enum runstate old)
{
    const struct track *k = &r->tracks[vcpu];
    uint64_t birth = r->population->incarnations[r->population->vcpus[vcpu].life].birth_ns;
    enum runstate first = (enum runstate)k->record_old;
    bool ran = first == RUNSTATE_RUNNING || old == RUNSTATE_RUNNING;
    if (birth < r->settled_ns || birth >= k->contradicted_ns || ran)
        return false;
    runstates_put_state(r, birth, vcpu, first, old, NO_PCPU, UINT32_MAX);
    runstates_put_state(r, k->contradicted_ns - 1, vcpu, old, first, NO_PCPU, UINT32_MAX);
    return true;
}

/* A wake of a vCPU that another pCPU has dispatched already, and runs, since a moment ago: it comes late. */
static bool is_overtaken(const struct track *k, uint64_t now_ns, uint16_t pcpu, enum runstate old,
                         enum runstate new)
{
    bool wake = old != RUNSTATE_RUNNING && new == RUNSTATE_RUNNABLE;
    return wake && k->state == RUNSTATE_RUNNING && k->pcpu != pcpu && now_ns - k->since_ns <= SKEW_USUAL_NS;
}

static void put_skewed(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old,
                       enum runstate new)
{
    runstates_put(r, now_ns,
                  (struct transition){.kind = TRANSITION_SKEWED,
                                      .vcpu = vcpu,
                                      .pcpu = r->tracks[vcpu].pcpu,
                                      .from = old & 15,
                                      .to = new & 15});
}

/*
 * Several records came late that together lead to the one that did not fit: another pCPU recorded that the vCPU blocked and was
 * woken, and its dispatch here came before both. This is one of them, and not the last. It does not fit the present state, which
 * no record has changed since: else the records of another run may be those that came early.
 */
static bool is_step_before(const struct track *k, uint64_t now_ns, uint16_t pcpu, enum runstate old)
{
    bool fits_now = k->state == old && (old != RUNSTATE_RUNNING || k->pcpu == pcpu);
    bool between = k->since_ns == k->contradicted_ns && now_ns - k->contradicted_ns <= SKEW_USUAL_NS;
    return k->contradicted && between && !fits_now && k->state_before == old && pcpu != k->record_pcpu;
}

/* A wake that was taken for one that comes after its dispatch. */
struct early_wake {
    uint32_t vcpu;
    uint64_t wake_ns;
    enum runstate old;
    bool found;
};

static void remove_skewed(void *context, struct transition *t)
{
    struct early_wake *w = context;
    if (t->kind != TRANSITION_SKEWED || t->vcpu != w->vcpu || t->time_ns != w->wake_ns || w->found)
        return;
    t->kind = TRANSITION_REMOVED;
    w->found = true;
}

/* It waited before its dispatch, as it had seemed. */
static void restore_wait(void *context, struct transition *t)
{
    const struct early_wake *w = context;
    if (t->kind == TRANSITION_STATE && t->vcpu == w->vcpu && t->time_ns < w->wake_ns &&
        t->from == RUNSTATE_UNKNOWN && t->to == w->old)
        t->to = RUNSTATE_RUNNABLE;
}

bool runstates_woke_after(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old)
{
    struct track *k = &r->tracks[vcpu];
    struct early_wake w = {.vcpu = vcpu, .wake_ns = k->contradicted_ns, .old = (enum runstate)k->record_old};
    struct dark_stretch lost;
    bool slept = runstates_is_asleep(k) && k->state == k->record_old && k->state_before == RUNSTATE_RUNNING;
    if (old != RUNSTATE_RUNNABLE || !slept || k->contradicted || w.wake_ns < r->settled_ns ||
        k->since_ns < w.wake_ns || k->since_ns - w.wake_ns > SKEW_USUAL_NS ||
        darkness_between(&r->darkness, k->since_ns, now_ns, &lost))
        return false;
    transitions_visit(&r->queue, w.wake_ns - 1, remove_skewed, &w);
    if (!w.found)
        return false;
    transitions_visit(&r->queue, k->noted_since_ns, restore_wait, &w);
    runstates_put_state(r, k->since_ns, vcpu, w.old, RUNSTATE_RUNNABLE, k->record_pcpu, k->record_pcpu);
    k->state = RUNSTATE_RUNNABLE;
    return true;
}

/* Notes a wake that comes after its dispatch, as it seems: runstates_woke_after. */
static void note_overtaken(struct track *k, uint64_t now_ns, uint16_t pcpu, enum runstate old)
{
    k->contradicted_ns = now_ns;
    k->noted_since_ns = k->slept_ns;
    k->state_before = RUNSTATE_RUNNING;
    k->record_old = (uint8_t)old;
    k->record_pcpu = pcpu;
}

bool runstates_late_by_skew(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                            enum runstate old, enum runstate new)
{
    struct track *k = &r->tracks[vcpu];
    /* A record of another pCPU cannot be what made it run where the one that came early found it. */
    bool led_there = k->record_old == new &&new != RUNSTATE_RUNNING;
    bool fits_before = led_there && pcpu != k->record_pcpu, counted = false;
    uint64_t lag_ns = now_ns - k->contradicted_ns, most_ns = k->state == old ? SKEW_USUAL_NS : SKEW_MAX_NS;
    bool dispatch_fits = !k->contradicted || k->contradicted_ns != k->since_ns;
    bool overtaken = dispatch_fits && is_overtaken(k, now_ns, pcpu, old, new);
    if (overtaken && runstates_seemed_to_wait(r, vcpu, old)) {
        lag_ns = now_ns - k->since_ns;
        note_overtaken(k, now_ns, pcpu, old);
    } else if (k->contradicted && fits_before && k->state_before == old && lag_ns <= most_ns)
        runstates_take_back(r, vcpu);
    else if (is_step_before(k, now_ns, pcpu, old)) {
        k->state_before = (uint8_t) new;
        put_skewed(r, vcpu, now_ns, old, new);
        return true;
    } else if (r->unseen.known || !k->first_record || !fits_before || k->state == old ||
               lag_ns > SKEW_USUAL_NS)
        return false;
    else
        counted = mend_first(r, vcpu, old);
    if (r->wait_max_at == now_ns - lag_ns) /* it did not wait before the record that came early */
        r->wait_max_ns = r->wait_before_ns;
    r->quality->skew_max_ns = max64(r->quality->skew_max_ns, lag_ns);
    bool fits_now = k->state == old; /* then it does not show that clocks are apart */
    r->unseen.late += !fits_now;
    k->contradicted = k->first_record = false;
    if (!counted)
        put_skewed(r, vcpu, now_ns, old, new);
    return true;
}
