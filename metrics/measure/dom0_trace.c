#include "dom0_trace.h"

#include <stdlib.h>

void dom0_trace_free(struct dom0_trace *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->cpus_n; i++)
        free(t->cpus[i].works);
    free(t->cpus);
    free(t);
}

uint32_t dom0_trace_owner(const struct dom0_trace *t, const struct clock *clock, uint32_t cpu, size_t *at,
                          uint64_t from_ns, uint64_t *until_ns)
{
    *until_ns = UINT64_MAX;
    if (cpu >= t->cpus_n)
        return WORK_UNKNOWN;
    const struct work_cpu *c = &t->cpus[cpu];
    while (*at < c->n && clock_ns(clock, c->works[*at].tsc) <= from_ns)
        ++*at;
    if (*at < c->n)
        *until_ns = clock_ns(clock, c->works[*at].tsc);
    return *at > 0 ? c->works[*at - 1].owner : WORK_UNKNOWN;
}

/* ns from the trace's start; negative: before it. */
static int64_t moment(const struct clock *clock, uint64_t tsc)
{
    if (tsc >= clock->tsc_first)
        return (int64_t)clock_ns(clock, tsc);
    return -(int64_t)clock_ns(clock, clock->tsc_first + (clock->tsc_first - tsc));
}

void dom0_trace_span(const struct dom0_trace *t, const struct clock *clock, int64_t *from_ns, int64_t *to_ns)
{
    *from_ns = moment(clock, t->first_tsc);
    *to_ns = moment(clock, t->last_tsc);
}
