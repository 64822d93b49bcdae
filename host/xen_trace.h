/*
 * Xen's tracing as it is for whoever uses it last: one event mask, one mask of pCPUs, on or off. What was set can be read before a
 * tracer starts, and put back after it has ended.
 *
 *     xen_calls_host -> xen_trace_look -> (a tracer runs) -> xen_trace_put_back -> xen_calls_close
 *
 * What the hypercall XEN_SYSCTL_tbuf_op gives and takes (Xen 4.17: xen/common/trace.c, xen/include/public/sysctl.h):
 *
 *   - get_info returns the event mask, and where the list of the buffers is: nowhere, with a size of 0, before the first tracer since
 *     boot (or Xen's option tbuf_size=) has had them allocated. Tracing is off then, and cannot be on.
 *   - Whether tracing is on cannot be read. Xen's positions in the buffers show it: where they move, it is.
 *   - set_evt_mask, enable and disable set what they say. The mask of pCPUs can be set, but not read.
 *
 * struct xen_sysctl_tbuf_op is the same in all versions since Xen 4.2 (interface version 9); a call of another interface version than
 * Xen's own fails with EACCES before anything else is looked at.
 */
#ifndef XENMETER_HOST_XEN_TRACE_H
#define XENMETER_HOST_XEN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"

enum xen_trace_op {
    XEN_TRACE_GET_INFO,
    XEN_TRACE_SET_EVENTS, /* to info.events */
    XEN_TRACE_ALL_PCPUS,
    XEN_TRACE_ENABLE,
    XEN_TRACE_DISABLE
};

/* What get_info returns. */
struct xen_trace_info {
    uint32_t events;     /* the event mask */
    uint64_t list_frame; /* machine frame of the list of buffers (struct t_info) */
    uint32_t list_bytes; /* 0: there are no buffers */
};

/* How Xen is asked: this machine's, or what stands in for it in tests. */
struct xen_calls {
    void *context;
    /* XEN_SYSCTL_tbuf_op by this interface version. 0, or errno: EACCES: Xen has another version. */
    int (*op)(void *context, uint32_t version, enum xen_trace_op op, struct xen_trace_info *info);
    /* 1: another program waits for Xen's buffers (VIRQ_TBUF is bound); 0: none does; -1 with `err` filled: not known. */
    int (*is_taken)(void *context, struct error *err);
    /*
     * Empties the buffers, and watches them for limit_ns at most: 1: Xen writes to them; 0: it does not; -1 with `err` filled: they
     * cannot be read.
     */
    int (*is_moving)(void *context, const struct xen_trace_info *info, uint64_t limit_ns, struct error *err);
};

/*
 * This machine's Xen. 1; 0: there is none, or this is not a domain that may ask it (there is no /dev/xen/privcmd); -1 with `err`
 * filled: it cannot be asked, as the program was built without libxencall and libxenforeignmemory, or they fail.
 */
int xen_calls_host(struct xen_calls *c, struct error *err);
/* Of xen_calls_host; all 0 is fine. */
void xen_calls_close(struct xen_calls *c);

/* What tracing was before. */
struct xen_trace_before {
    uint32_t version; /* of Xen's sysctl interface */
    uint32_t events;
    bool on;
};

enum xen_trace_look {
    XEN_TRACE_FOUND,
    XEN_TRACE_TAKEN,  /* another program reads the buffers; nothing was changed */
    XEN_TRACE_UNKNOWN /* `err` is filled */
};

/*
 * Finds out what tracing is like. Where there are buffers this discards what is in them, and sets both masks, as a tracer does that
 * is started afterwards; it takes up to a quarter of a second where tracing is off.
 */
enum xen_trace_look xen_trace_look(const struct xen_calls *c, struct xen_trace_before *b, struct error *err);

/* Sets the event mask again, and switches tracing on or off as it was. 0; -1 with `err` filled: not all of it could be done. */
int xen_trace_put_back(const struct xen_calls *c, const struct xen_trace_before *b, struct error *err);

#endif
