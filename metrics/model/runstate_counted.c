/* What counts of the time in which records are missing: of a part of a trace that part's own. */
#include "runstate_internal.h"

#include "metrics/min_max.h"

uint64_t runstates_counted_ns(const struct runstates *r, uint64_t from_ns, uint64_t to_ns)
{
    from_ns = max64(from_ns, r->count_from_ns);
    to_ns = min64(to_ns, r->count_to_ns);
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

void runstates_count_hole(struct runstates *r, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t ns = runstates_counted_ns(r, from_ns, to_ns);
    if (ns > 0 && r->holes.n++ == 0)
        r->holes.first_ns = max64(from_ns, r->count_from_ns);
    r->holes.ns += ns;
}

uint64_t runstates_blind_open_ns(const struct runstates *r, uint16_t pcpu)
{
    uint64_t from_ns = r->pcpus[pcpu].blind_from_ns;
    return from_ns == BLIND_NONE ? 0 : runstates_counted_ns(r, from_ns, r->settled_ns);
}

void runstates_count_from(struct runstates *r, uint64_t from_ns)
{
    r->count_from_ns = from_ns;
    r->holes = (struct hole_count){0};
    r->quality->blind_ns = 0;
    for (unsigned pcpu = 0; pcpu < PCPUS_MAX; pcpu++)
        r->pcpus[pcpu].blind_ns = 0;
}

void runstates_count_to(struct runstates *r, uint64_t to_ns)
{
    r->count_to_ns = to_ns;
}

const struct hole_count *runstates_holes(const struct runstates *r)
{
    return &r->holes;
}
