#include "sim/orders.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "sim/scheduler_ops.h"

static void arm(const struct orders *o, struct sim_host *host)
{
    host_set_timer(host, &o->timer, o->n > 0 ? o->waiting[0].due_ns : SIM_NEVER);
}

static void carry_out(struct sim_host *host, const struct sim_order *o, uint64_t now_ns)
{
    switch (o->kind) {
    case ORDER_ALLOW:
        host->scheduler->set_allowance(host->scheduler_state, o->domain, o->part_ns, o->of_ns);
        break;
    case ORDER_HOLD:
        hold_pair(host, o->pair, &o->hold, now_ns);
    }
}

static void due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct orders *o = context;
    size_t done = 0;
    for (; done < o->n && o->waiting[done].due_ns <= now_ns; done++)
        carry_out(host, &o->waiting[done], now_ns);
    o->n -= done;
    memmove(o->waiting, o->waiting + done, o->n * sizeof *o->waiting);
    arm(o, host);
}

bool orders_init(struct orders *o, struct sim_host *host)
{
    *o = (struct orders){.timer = {.due = due, .context = o}};
    return host_add_timer(host, &o->timer);
}

void orders_free(struct orders *o)
{
    free(o->waiting);
}

bool orders_add(struct orders *o, struct sim_host *host, const struct sim_order *order)
{
    struct sim_order *waiting = array_reserve(o->waiting, &o->capacity, o->n + 1, sizeof *waiting);
    size_t at = o->n;
    if (!waiting)
        return false;
    o->waiting = waiting;
    while (at > 0 && waiting[at - 1].due_ns > order->due_ns)
        at--;
    memmove(waiting + at + 1, waiting + at, (o->n - at) * sizeof *waiting);
    waiting[at] = *order;
    o->n++;
    arm(o, host);
    return true;
}
