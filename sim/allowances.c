#include "sim/allowances.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "sim/scheduler_ops.h"

static void arm(const struct allowances *a, struct sim_host *host)
{
    host_set_timer(host, &a->timer, a->n > 0 ? a->waiting[0].due_ns : SIM_NEVER);
}

static void due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct allowances *a = context;
    size_t done = 0;
    for (; done < a->n && a->waiting[done].due_ns <= now_ns; done++) {
        const struct allowance *w = &a->waiting[done];
        host->scheduler->set_allowance(host->scheduler_state, w->domain, w->part_ns, w->of_ns);
    }
    a->n -= done;
    memmove(a->waiting, a->waiting + done, a->n * sizeof *a->waiting);
    arm(a, host);
}

bool allowances_init(struct allowances *a, struct sim_host *host)
{
    *a = (struct allowances){.timer = {.due = due, .context = a}};
    return host_add_timer(host, &a->timer);
}

void allowances_free(struct allowances *a)
{
    free(a->waiting);
}

bool allowances_add(struct allowances *a, struct sim_host *host, const struct allowance *allowance)
{
    struct allowance *waiting = array_reserve(a->waiting, &a->capacity, a->n + 1, sizeof *waiting);
    size_t at = a->n;
    if (!waiting)
        return false;
    a->waiting = waiting;
    while (at > 0 && waiting[at - 1].due_ns > allowance->due_ns)
        at--;
    memmove(waiting + at + 1, waiting + at, (a->n - at) * sizeof *waiting);
    waiting[at] = *allowance;
    a->n++;
    arm(a, host);
    return true;
}
