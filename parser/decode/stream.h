/* The events of one pCPU that were decoded and not yet handed on, in time order. */
#ifndef XENMETER_PARSER_STREAM_H
#define XENMETER_PARSER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io_filter.h"
#include "parser/trace.h"

#define CURRENT_NONE 0xfffffffeu /* no vCPU: see struct stream */

struct stream {
    struct event *events; /* [head, n) wait to be handed on */
    size_t head, n, capacity;
    uint16_t pcpu;
    bool begun;         /* last_tsc means something */
    bool perhaps_blind; /* the last window filled its ring: records may be missing behind it */
    bool
        pulled_back; /* time went back: events that are queued may lie beyond later ones, and move back to them */
    bool old_lost; /* a LOST_RECORDS without a time awaits the next record that has one */
    uint32_t old_lost_count;
    uint64_t last_tsc;   /* of the last record of any kind; never goes back */
    uint64_t last_sweep; /* the sweep of its last window */
    /* The chain of context switches that measures the clock; see clock_probe.c. */
    uint64_t chain_tsc, chain_ns, chain_last_tsc;
    bool chain_begun;
    struct io_filter io;
    uint32_t slice_ns;     /* granted by the last SWITCH_INFNEXT; UINT32_MAX: none or unlimited */
    uint64_t dispatch_tsc; /* SWITCH_INFNEXT without its SWITCH_INFPREV yet; 0: none */
    /* For records as they stand (record_verbatim.c): */
    bool unwanted;       /* none of this pCPU */
    uint64_t window_tsc; /* before it has begun: the first tsc of its window */
    uint32_t current;    /* the vCPU that runs: dom << 16 | vcpu, CURRENT_UNKNOWN */
    uint32_t told;       /* the one of the last EVENT_CURRENT; CURRENT_NONE: there was none yet */
    uint32_t next;       /* of a SWITCH that nothing followed yet, else CURRENT_NONE */
};

/* Makes room for `more` events. False when memory ran out. */
bool stream_reserve(struct stream *s, size_t more);

#endif
