#include "measures.h"

#include <stddef.h>
#include <string.h>

/* Sums stop at the end of their range instead of wrapping: only hostile time stamps reach it. */
static void add_ns(int64_t *into, int64_t from)
{
    if (__builtin_add_overflow(*into, from, into))
        *into = from < 0 ? INT64_MIN : INT64_MAX;
}

static void add_count(uint64_t *into, uint64_t from)
{
    if (__builtin_add_overflow(*into, from, into))
        *into = UINT64_MAX;
}

/* Everything but the histograms, which come last in the struct. */
static void zero_sums(struct measures *m)
{
    memset(m, 0, offsetof(struct measures, run));
    m->allocated_min_ns = UINT32_MAX;
}

void measures_init(struct measures *m)
{
    zero_sums(m);
    histogram_init(&m->run);
    histogram_init(&m->wait);
    histogram_init(&m->block);
}

void measures_free(struct measures *m)
{
    zero_sums(m);
    histogram_free(&m->run);
    histogram_free(&m->wait);
    histogram_free(&m->block);
}

void measures_clear(struct measures *m)
{
    zero_sums(m);
    histogram_clear(&m->run);
    histogram_clear(&m->wait);
    histogram_clear(&m->block);
}

bool measures_merge(struct measures *into, const struct measures *from)
{
    for (unsigned state = 0; state < RUNSTATES; state++)
        add_ns(&into->state_ns[state], from->state_ns[state]);
    add_ns(&into->idle_ns, from->idle_ns);
    add_ns(&into->before_seen_ns, from->before_seen_ns);
    add_ns(&into->pcpu_unknown_ns, from->pcpu_unknown_ns);
    for (unsigned state = 0; state < DOMAIN_RUNSTATES; state++)
        add_ns(&into->domain_ns[state], from->domain_ns[state]);
    add_count(&into->wake_wait_ns, from->wake_wait_ns);
    add_count(&into->preempt_wait_ns, from->preempt_wait_ns);
    add_count(&into->executions, from->executions);
    add_count(&into->wakes, from->wakes);
    add_count(&into->blocks, from->blocks);
    add_count(&into->yields, from->yields);
    add_count(&into->preemptions, from->preemptions);
    add_count(&into->migrations, from->migrations);
    for (unsigned kind = 0; kind < IO_TRACE_KINDS; kind++)
        add_count(&into->io[kind], from->io[kind]);
    add_ns(&into->charged_ns, from->charged_ns);
    add_count(&into->allocated_ns, from->allocated_ns);
    add_count(&into->allocated_slices, from->allocated_slices);
    if (from->allocated_min_ns < into->allocated_min_ns)
        into->allocated_min_ns = from->allocated_min_ns;
    if (from->allocated_max_ns > into->allocated_max_ns)
        into->allocated_max_ns = from->allocated_max_ns;

    bool run = histogram_merge(&into->run, &from->run);
    bool wait = histogram_merge(&into->wait, &from->wait);
    bool block = histogram_merge(&into->block, &from->block);
    return run && wait && block;
}
