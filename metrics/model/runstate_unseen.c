/*
 * When it is concluded that there are pCPUs that were not recorded: unseen.h says what proves them, here it is decided whether
 * lost records that are not reported yet could explain the same.
 */
#include "metrics/min_max.h"

#include "runstate_internal.h"

void runstates_unseen(struct runstates *r, unsigned pcpus)
{
    r->quality->unseen_pcpus = max64(r->quality->unseen_pcpus, pcpus);
    if (r->unseen.known)
        return;
    r->unseen.known = true;
    runstates_become_dark(r, max64(r->front_ns, r->start_ns));
}

void runstates_give_up(struct runstates *r)
{
    uint64_t skew_ns = r->quality->skew_max_ns; /* it is what makes them contradict each other, perhaps */
    if (r->unseen.known)
        return;
    r->unseen.known = true;
    runstates_become_dark(r, max64(r->front_ns, r->start_ns));
    r->quality->skew_max_ns = skew_ns;
}

void runstates_tickled(struct runstates *r, unsigned pcpus)
{
    r->unseen.tickled = pcpus;
    /* Its first record may be one of a loss that lasts since the beginning. */
    if (pcpus > 0 && r->front_ns >= r->start_ns + UNSEEN_MOST_NS)
        runstates_unseen(r, pcpus);
}

/* Whether a pCPU may yet report a loss that began by at_ns: it has written nothing since. */
static bool may_report(const struct runstates *r, const struct pcpu_track *p, uint64_t at_ns)
{
    bool wrote = p->current != NOBODY || p->free_since > r->start_ns;
    uint64_t last_ns = p->current != NOBODY ? r->tracks[p->current].since_ns : p->free_since;
    return wrote && last_ns <= at_ns;
}

static bool losses_are_reported(const struct runstates *r, uint64_t at_ns, uint64_t now_ns)
{
    bool reported = now_ns >= at_ns + UNSEEN_WAIT_NS;
    for (unsigned p = 0; now_ns < at_ns + UNSEEN_MOST_NS && reported && p < PCPUS_MAX; p++)
        reported = !may_report(r, &r->pcpus[p], at_ns);
    return reported;
}

void runstates_prove_unseen(struct runstates *r, uint64_t now_ns)
{
    uint64_t enough_ns = r->unseen.enough_ns;
    if (!r->damaged && enough_ns != UNSEEN_NEVER && losses_are_reported(r, enough_ns, now_ns))
        runstates_unseen(r, 1);
}

void runstates_unseen_at_end(struct runstates *r)
{
    unsigned proven = !r->damaged && r->unseen.enough_ns != UNSEEN_NEVER;
    if (proven || r->unseen.tickled > 0)
        runstates_unseen(r, r->unseen.tickled > proven ? r->unseen.tickled : proven);
}

void runstates_lose_if_dark(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu)
{
    if (!runstates_is_dark(r, pcpu))
        return;
    runstates_lose(r, vcpu, now_ns, pcpu);
    runstates_vacate(r, vcpu, now_ns);
}

void runstates_doubt_runs(struct runstates *r, uint16_t pcpu, uint64_t from_ns)
{
    from_ns = max64(from_ns, r->settled_ns);
    uint32_t vcpu = transitions_runner(&r->queue, pcpu, from_ns);
    transitions_forget_running(&r->queue, pcpu, from_ns);
    if (vcpu != NOBODY)
        runstates_put_state(r, from_ns, vcpu, RUNSTATE_RUNNING, RUNSTATE_UNKNOWN, pcpu, UINT32_MAX);
}

void runstates_partial(struct runstates *r)
{
    uint64_t now_ns = max64(r->front_ns, r->start_ns);
    uint64_t from_ns = max64(now_ns - r->start_ns < BEGINNING_NS ? r->start_ns : now_ns, r->settled_ns);
    r->partial_n = r->cores->partial_n;
    for (uint16_t pcpu = 0; pcpu < PCPUS_MAX; pcpu++) {
        struct pcpu_track *p = &r->pcpus[pcpu];
        if (p->partial || !r->cores->partial[pcpu])
            continue;
        p->partial = true;
        runstates_doubt_runs(r, pcpu, from_ns);
        if (p->current == NOBODY)
            continue;
        uint32_t vcpu = p->current;
        uint64_t lost_ns = max64(from_ns, r->tracks[vcpu].since_ns);
        runstates_lose(r, vcpu, lost_ns, pcpu);
        runstates_vacate(r, vcpu, lost_ns);
    }
    if (r->unseen.known)
        return;
    r->unseen.known = true;
    runstates_become_dark(r, now_ns);
}
