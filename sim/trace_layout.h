/*
 * trace_layout.h - records as an older version of Xen laid them out.
 *
 * The host is always today's; only what is written of it differs: numbers of events, words of their payload, whether they
 * have a tsc, and which there are. The rows of trace_layout.c are read from Xen's source history, not from the decoder's
 * tables, so that what is written and what is read agree only if both have understood Xen alike.
 */
#ifndef XENMETER_SIM_TRACE_LAYOUT_H
#define XENMETER_SIM_TRACE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/trace_ring.h"

/* Versions of Xen are 4.0 to 4.TRACE_LAYOUT_NEWEST; a number without the 4 is one of them. */
#define TRACE_LAYOUT_NEWEST 22u

struct trace_past;

struct trace_layout {
    uint32_t version;
    struct trace_event_info events[TRC_EVENT_COUNT]; /* with that version's numbers */
    bool written[TRC_EVENT_COUNT];                   /* that version has such a record */
    const struct trace_past *past[TRC_EVENT_COUNT]; /* the first row about the payload; NULL: it is today's */
};

/* Fills the layout of Xen 4.version. */
void trace_layout_init(struct trace_layout *layout, uint32_t version);

/* Turns today's `n` words of an event into those of the layout, in place, with room for TRACE_EXTRA_MAX. Returns how many there are. */
unsigned trace_layout_words(const struct trace_layout *layout, enum trace_event event,
                            uint32_t words[TRACE_EXTRA_MAX], unsigned n);

/* Until Xen 4.6 a domain's creation and end are recorded once for each vCPU {domain, vCPU}, since then once {domain}. */
bool trace_layout_counts_vcpus(const struct trace_layout *layout);

/* "4.6" as the number of a version. False: that is none. */
bool trace_layout_parse(const char *text, uint32_t *version);

#endif
