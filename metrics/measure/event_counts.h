/* How many records there are of each event: all together, or by the vCPU that was current or the pCPU. */
#ifndef XENMETER_METRICS_EVENT_COUNTS_H
#define XENMETER_METRICS_EVENT_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dump.h"
#include "parser/error.h"
#include "row.h"

/* What is counted together; -1: does not apply, or (domain, vcpu) not known. */
struct counted {
    int32_t domain, vcpu, pcpu;
    uint16_t slot;
    uint32_t
        number; /* the event's; of an unrecognised one which it is, UINT32_MAX for those beyond the first many */
    uint64_t records;
    uint64_t bytes;
};

struct event_counts;

/*
 * Counts that are `grouped` by domain, vCPU, pCPU or both, or not at all. NULL with `err` filled when there is no memory. `own`: a
 * user's own events, which the records may be of; NULL: none. They may hold `memory_limit` bytes, 0: any number.
 */
struct event_counts *event_counts_new(bool grouped, enum by by, uint64_t memory_limit,
                                      const struct own_events *own, struct error *err);
void event_counts_free(struct event_counts *c);

/* Counts a record. -1 with `err` filled when there is no memory for another group. */
int event_counts_add(struct event_counts *c, const struct dump_record *r, struct error *err);

/*
 * All counts that are not 0: groups in the order of domain, vCPU and pCPU, in each the most frequent event first. The
 * caller frees them; NULL when there is no memory. Ends the counting.
 */
struct counted *event_counts_list(struct event_counts *c, size_t *n);

#endif
