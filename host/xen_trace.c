#include "host/xen_trace.h"

#include <errno.h>
#include <string.h>

/* Source: Xen public/sysctl.h, XEN_SYSCTL_INTERFACE_VERSION: 9 in Xen 4.2, 0x15 in 4.17, one more now and then. */
#define VERSION_OLDEST 0x09
#define VERSION_LIKELY 0x15
#define VERSION_NEWEST 0x40

#define EVENTS_FREQUENT 0x0002f000u /* scheduling: source: Xen public/trace.h, TRC_SCHED_* */
#define WATCH_NS        250000000u  /* this process sleeps and wakes meanwhile, which Xen records */

static int fail(struct error *err, const char *what, int error)
{
    return error_set(err, ERROR_IO, "XEN_SYSCTL_tbuf_op: %s: %s", what, strerror(error));
}

/* get_info by the version that Xen has, which is found out. 0, or errno. */
static int find_version(const struct xen_calls *c, uint32_t *version, struct xen_trace_info *info)
{
    int error = c->op(c->context, VERSION_LIKELY, XEN_TRACE_GET_INFO, info);
    *version = VERSION_LIKELY;
    for (uint32_t v = VERSION_OLDEST; error == EACCES && v <= VERSION_NEWEST; v++) {
        error = c->op(c->context, v, XEN_TRACE_GET_INFO, info);
        *version = v;
    }
    return error;
}

/* Whether tracing is on, by events that happen all the time. 1, 0, or -1 with `err` filled; the event mask is to be set again. */
static int probe(const struct xen_calls *c, uint32_t version, const struct xen_trace_info *info,
                 struct error *err)
{
    struct xen_trace_info frequent = {.events = EVENTS_FREQUENT};
    int error = c->op(c->context, version, XEN_TRACE_ALL_PCPUS, &frequent);
    if (error == 0)
        error = c->op(c->context, version, XEN_TRACE_SET_EVENTS, &frequent);
    return error == 0 ? c->is_moving(c->context, info, WATCH_NS, err)
                      : fail(err, "the masks cannot be set", error);
}

enum xen_trace_look xen_trace_look(const struct xen_calls *c, struct xen_trace_before *b, struct error *err)
{
    struct xen_trace_info info = {0};
    *b = (struct xen_trace_before){0};
    int taken = c->is_taken(c->context, err);
    if (taken != 0)
        return taken > 0 ? XEN_TRACE_TAKEN : XEN_TRACE_UNKNOWN;
    int error = find_version(c, &b->version, &info);
    if (error != 0) {
        fail(err, "get_info", error);
        return XEN_TRACE_UNKNOWN;
    }
    b->events = info.events;
    if (info.list_bytes == 0)
        return XEN_TRACE_FOUND;
    int moves = probe(c, b->version, &info, err);
    b->on = moves > 0;
    if (moves >= 0)
        return XEN_TRACE_FOUND;
    c->op(c->context, b->version, XEN_TRACE_SET_EVENTS, &info);
    return XEN_TRACE_UNKNOWN;
}

int xen_trace_put_back(const struct xen_calls *c, const struct xen_trace_before *b, struct error *err)
{
    struct xen_trace_info info = {.events = b->events};
    int error = c->op(c->context, b->version, XEN_TRACE_SET_EVENTS, &info);
    int last = c->op(c->context, b->version, b->on ? XEN_TRACE_ENABLE : XEN_TRACE_DISABLE, &info);
    if (error != 0)
        return fail(err, "the event mask cannot be set", error);
    return last == 0 ? 0
                     : fail(err, b->on ? "tracing cannot be enabled" : "tracing cannot be disabled", last);
}
