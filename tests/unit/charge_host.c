#include "charge_host.h"

void charge_host_begin(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 1);
    mark(c, 0);
    for (uint32_t dom = 1; dom <= 2; dom++) {
        rec_runstate(c, dom * US, dom, 0, BLOCKED, RUNNABLE);
        rec_runstate(c, dom * US, dom, 0, RUNNABLE, BLOCKED);
    }
    on(c, 0);
    mark(c, 0);
    rec_runstate(c, 5 * US, 0, 0, BLOCKED, RUNNABLE);
}

struct result charge_host_run(struct trace_bytes *c, struct charge_options options)
{
    options.wanted = true;
    return run(c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {10 * MS}, .charge = options});
}

void charge_host_end(struct trace_bytes *c, struct result *r)
{
    result_free(r);
    trace_bytes_free(c);
}
