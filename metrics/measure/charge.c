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
