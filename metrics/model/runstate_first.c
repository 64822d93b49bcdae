/* What the first records of vCPUs say of the time before: up to where records were lost since, or of all of it. */
#include "metrics/min_max.h"

#include "runstate_internal.h"

/*
 * A pause that the first record ends may have begun in any dark stretch before. Of what is settled nothing can be called doubtful
 * any more: there the state is not known.
 */
static uint64_t pause_certain_from(const struct runstates *r, uint64_t birth_ns, uint64_t now_ns)
{
    const struct darkness *d = &r->darkness;
    uint64_t light_ns = birth_ns, certain_ns = birth_ns;
    for (uint64_t i = darkness_after(d, birth_ns); i < d->n && light_ns < r->settled_ns; i++) {
        const struct dark_stretch *s = darkness_stretch(d, i);
        if (s->from_ns < now_ns)
            certain_ns = min64(s->to_ns, now_ns);
        light_ns = s->to_ns;
    }
    return certain_ns;
}

uint64_t runstates_certain_from(const struct runstates *r, uint32_t vcpu, uint64_t birth_ns, uint64_t now_ns,
                                enum runstate old)
{
    struct dark_stretch gap;
    if (old == RUNSTATE_OFFLINE && !r->tracks[vcpu].idle)
        return pause_certain_from(r, birth_ns, now_ns);
    bool certain = old != RUNSTATE_RUNNABLE || r->tracks[vcpu].idle ||
                   !darkness_between(&r->darkness, birth_ns, now_ns, &gap);
    return certain ? birth_ns : gap.to_ns;
}

bool runstates_was_dark_before(const struct runstates *r, uint64_t birth_ns, uint64_t certain_ns,
                               enum runstate state)
{
    const struct darkness *d = &r->darkness;
    uint64_t first = darkness_after(d, birth_ns);
    bool off_pcpu = state == RUNSTATE_RUNNABLE || state == RUNSTATE_BLOCKED || state == RUNSTATE_OFFLINE;
    if (!off_pcpu || birth_ns >= r->settled_ns || first >= d->n)
        return false;
    const struct dark_stretch *s = darkness_stretch(d, first);
    bool hole = r->hole_end_ns > birth_ns, ended = s->to_ns < UINT64_MAX;
    return s->from_ns <= birth_ns && s->to_ns >= certain_ns && ended && !hole;
}

/* It slept in `state` up to its first record at now_ns, if it did not run, or wait, unseen before a dark stretch. */
void runstates_doubt_first(struct runstates *r, uint32_t vcpu, enum runstate state, uint64_t birth_ns,
                           uint64_t now_ns)
{
    const struct darkness *d = &r->darkness;
    uint64_t light_ns = birth_ns;
    for (uint64_t i = darkness_after(d, birth_ns); i < d->n; i++) {
        const struct dark_stretch *s = darkness_stretch(d, i);
        bool unsure = (light_ns == birth_ns && r->first_run_lost) || state == RUNSTATE_OFFLINE;
        if (s->from_ns < now_ns && (unsure || runstates_near(r, light_ns, s->from_ns)))
            runstates_put_doubt(r, vcpu, light_ns, s->from_ns);
        light_ns = s->to_ns;
    }
}

static uint64_t birth_of(const struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    return min64(r->population->incarnations[r->population->vcpus[vcpu].life].birth_ns, now_ns);
}

void runstates_judge_first(struct runstates *r)
{
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        struct track *k = &r->tracks[v];
        if (k->first_ns > 0)
            runstates_doubt_first(r, v, (enum runstate)k->first_state, birth_of(r, v, k->first_ns),
                                  k->first_ns);
        k->first_ns = 0;
    }
}

void runstates_note_first(struct runstates *r, uint32_t vcpu, uint64_t birth_ns, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    if (k->idle || k->state == RUNSTATE_UNKNOWN || birth_ns >= now_ns)
        return;
    if (runstates_is_asleep(k) && r->settled_ns > r->start_ns) {
        runstates_doubt_first(r, vcpu, (enum runstate)k->state, birth_ns, now_ns);
    } else if (runstates_is_asleep(k)) {
        k->first_ns = now_ns;
        k->first_state = k->state;
    }
    unseen_note_first(
        &r->unseen,
        &(struct unexplained){
            .since_ns = birth_ns, .at_ns = now_ns, .vcpu = vcpu, .pcpu = k->pcpu, .state = k->state});
}
