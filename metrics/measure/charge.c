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

/* Parts are sums of rounded fractions: what is missing below this part of the whole is no more than that. */
#define ROUNDING 1e-6

struct charge_grounds charge_grounds_of(const struct charge_guest *guest)
{
    double charged = (double)guest->charged_ns, by_events = 0;
    for (int kind = 0; kind < IO_KINDS; kind++)
        by_events += guest->charged_by_ns[kind];
    double groundless = charged - by_events - guest->charged_measured_ns;
    double inferred = guest->charged_inferred_ns + (groundless > ROUNDING * charged ? groundless : 0);
    struct charge_grounds g = {.measured_ns = whole_ns(guest->charged_measured_ns, guest->charged_ns)};
    g.inferred_ns = whole_ns(inferred, guest->charged_ns - g.measured_ns);
    g.certain_ns = guest->charged_ns - g.measured_ns - g.inferred_ns;
    return g;
}
