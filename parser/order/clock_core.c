#include "clock_core.h"

#include <stdlib.h>
#include <string.h>

#ifndef SWITCHES      /* fuzz targets have few */
#define SWITCHES 8192 /* kept; more say nothing new */
#endif
#define RUNS 1024 /* a power of two */

struct core_switch {
    uint64_t tsc;
    uint32_t prev, ns, next; /* prev == next == CLOCK_NOBODY: a break */
    uint32_t order;          /* of switches at one tsc */
};

/* Whose run began at which mark; empty: mark is CLOCK_MARK_NONE. */
struct core_run {
    uint32_t who, mark;
};

struct clock_core {
    uint32_t n;
    uint64_t last_tsc;
    struct core_switch switches[SWITCHES];
    struct core_run runs[RUNS];
    uint32_t runs_n;
};

struct clock_core *clock_core_new(void)
{
    return calloc(1, sizeof(struct clock_core));
}

void clock_core_free(struct clock_core *core)
{
    free(core);
}

void clock_core_restart(struct clock_core *core)
{
    core->n = 0;
}

void clock_core_switch(struct clock_core *core, uint64_t tsc, uint32_t prev, uint32_t ns, uint32_t next)
{
    if (core->n == SWITCHES)
        return;
    core->switches[core->n] = (struct core_switch){tsc, prev, ns, next, core->n};
    core->n++;
    if (tsc > core->last_tsc)
        core->last_tsc = tsc;
}

void clock_core_break(struct clock_core *core, uint64_t tsc)
{
    if (core->n > 0)
        clock_core_switch(core, tsc > core->last_tsc ? tsc : core->last_tsc, CLOCK_NOBODY, 0, CLOCK_NOBODY);
}

uint32_t clock_core_switches(const struct clock_core *core)
{
    return core->n;
}

static int compare_switches(const void *a, const void *b)
{
    const struct core_switch *x = a, *y = b;
    if (x->tsc != y->tsc)
        return (x->tsc > y->tsc) - (x->tsc < y->tsc);
    return (x->order > y->order) - (x->order < y->order);
}

static void forget_runs(struct clock_core *core)
{
    memset(core->runs, 0xff, sizeof core->runs);
    core->runs_n = 0;
}

/* Where somebody's run stands, or an empty place for it. The table never is full. */
static struct core_run *run_of(struct clock_core *core, uint32_t who)
{
    uint32_t at = who * 2654435761u >> 22;
    while (core->runs[at].who != who && core->runs[at].who != CLOCK_NOBODY)
        at = (at + 1) % RUNS;
    return &core->runs[at];
}

static void begin_run(struct clock_core *core, uint32_t who, uint32_t mark)
{
    if (core->runs_n == RUNS / 2)
        forget_runs(core);
    struct core_run *run = run_of(core, who);
    core->runs_n += run->who == CLOCK_NOBODY;
    *run = (struct core_run){who, mark};
}

static void take_switch(struct clock_core *core, const struct core_switch *s, struct clock_marks *m)
{
    struct core_run *run = run_of(core, s->prev);
    uint32_t mark = run->mark == CLOCK_MARK_NONE ? clock_marks_begin(m, s->tsc, false)
                                                 : clock_marks_append(m, run->mark, s->tsc, s->ns, false);
    run->mark = CLOCK_MARK_NONE;
    begin_run(core, s->next, mark);
}

void clock_core_marks(struct clock_core *core, struct clock_marks *m)
{
    qsort(core->switches, core->n, sizeof *core->switches, compare_switches);
    forget_runs(core);
    for (uint32_t i = 0; i < core->n; i++) {
        const struct core_switch *s = &core->switches[i];
        if (s->prev == CLOCK_NOBODY)
            forget_runs(core);
        else
            take_switch(core, s, m);
    }
}
