/*
 * Who is current where pCPUs are scheduled together (parser/decode/cores.h). A ring alone does not say it, as a sibling
 * may have written the switch: it follows from the records of all, in order.
 */
#ifndef XENMETER_PARSER_CURRENTS_H
#define XENMETER_PARSER_CURRENTS_H

#include "parser/decode/cores.h"

struct currents {
    const struct cores *cores;
    uint32_t *current; /* by pCPU number: dom << 16 | vcpu, CURRENT_UNKNOWN */
    uint32_t *emitted; /* of the last EVENT_CURRENT; CURRENT_NONE: there was none yet */
};

/* The cores stay the caller's. False when there is no memory; currents_free in both cases. */
bool currents_init(struct currents *c, const struct cores *cores);
void currents_free(struct currents *c);

/*
 * The next n events of the trace, with EVENT_CURRENT where the current vCPU changes, and without the decoder's; without
 * those that only EVENT_WHO wants. `to` has room for 2 * n. Returns how many there are.
 */
size_t currents_take(struct currents *c, const struct event *events, size_t n, struct event *to);

#endif
