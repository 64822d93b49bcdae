/*
 * For whom an I/O record was. Certain: a record names the guest (grants), or an event-channel operation woke one of its
 * vCPUs. A grant copy names nobody; it belongs to the guest whose page is mapped next by the same vCPU, or that it
 * notifies next. A notification to somebody who is awake leaves no trace of whom: what can be said then is inferred
 * from who was awake.
 *
 * Facts: in xen/common/event_channel.c a send wakes only a vCPU that is blocked; Linux netback copies the headers that
 * a guest sends and maps the rest, and copies all that a guest receives.
 */
#ifndef XENMETER_METRICS_ATTRIBUTION_H
#define XENMETER_METRICS_ATTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "charge_marks.h"

/* Part of the charging stage (charging.h). */

/* What the kernel of the driver domain's vCPU, which may run, said up to now of its tasks. */
void attribution_catch_up(struct charging *c, uint32_t vcpu);
/* One I/O record at c->now_ns. */
void attribution_record(struct charging *c, const struct transition *t);
/* A vCPU was woken on recorded_pcpu, as its runstate says. */
void attribution_woken(struct charging *c, uint32_t vcpu, uint16_t recorded_pcpu);
/* The vCPU of a driver domain stops running on the pCPU. */
void attribution_stops(struct charging *c, uint32_t vcpu, uint16_t pcpu);

/* The run of pages is over: what of it is not accounted yet is. Nothing to do if there is none. */
void attribution_end_pages(struct charging *c);

/* Whether the transition, which is next, goes on with the run of pages: it counts, and there is nothing else to do. */
static inline bool attribution_goes_on(struct charging *c, const struct transition *t)
{
    struct page_run *run = &c->pages;
    bool same = t->time_ns < run->end_ns && t->kind == TRANSITION_IO && t->from == run->record &&
                t->vcpu == run->guest && t->pcpu == run->pcpu;
    if (!same || marks_due(c, run->event.idd_vcpu, t->time_ns) || run->event.count == UINT32_MAX)
        return false;
    run->event.count++;
    c->now_ns = t->time_ns > c->now_ns ? t->time_ns : c->now_ns;
    return true;
}

#endif
