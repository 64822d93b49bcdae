#include "instant.h"

uint64_t instant_of_change(struct instant *i, const struct event *e, uint64_t now_ns)
{
    bool same = e->flags & EVENT_SWITCHED_IN && i->switched_out && now_ns - i->at_ns <= SWITCH_SPAN_NS;
    uint64_t instant = same ? i->at_ns : now_ns;
    i->switched_out = (e->header >> 8 & 3) == 0; /* from running (Xen public/trace.h) */
    i->at_ns = now_ns;
    return instant;
}
