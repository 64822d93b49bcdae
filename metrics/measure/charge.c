#include "charge.h"

#include "adding.h"

bool charge_methods_are_automatic(unsigned methods)
{
    unsigned events = methods & ~(unsigned)CHARGE_THREADS;
    return events == 0 || events & CHARGE_AUTO;
}

void charge_idd_merge(struct charge_idd *into, const struct charge_idd *from)
{
#define IDD_COUNT(KEY, MEMBER) into->MEMBER = add_count(into->MEMBER, from->MEMBER);
#include "charge.def"
}

void charge_guest_merge(struct charge_guest *into, const struct charge_guest *from)
{
#define GUEST_COUNT(KEY, MEMBER) into->MEMBER = add_count(into->MEMBER, from->MEMBER);
#define GUEST_PART               GUEST_COUNT
#define GUEST_FLAG(KEY, MEMBER)  into->MEMBER |= from->MEMBER;
#define GUEST_REAL(KEY, MEMBER)  into->MEMBER += from->MEMBER;
#include "charge.def"
}

/* Whole ns of a part, of which no more than `most` can be. */
static uint64_t whole_ns(double part, uint64_t most)
{
    if (!(part > 0))
        return 0;
    return part < (double)most ? (uint64_t)(part + 0.5) : most;
}

void charge_guest_round_parts(struct charge_guest *g)
{
    double charged = (double)g->charged_ns, by_events = 0;
    for (int kind = 0; kind < IO_KINDS; kind++)
        by_events += g->charged_by_ns[kind];
    double groundless = charged - by_events - g->charged_measured_ns;
    double inferred = g->charged_inferred_ns + (groundless > CHARGE_ROUNDING * charged ? groundless : 0);
    g->measured_ns = whole_ns(g->charged_measured_ns, g->charged_ns);
    g->certain_ns = g->charged_ns - g->measured_ns - whole_ns(inferred, g->charged_ns - g->measured_ns);
}
