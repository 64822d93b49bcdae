/* Xen's tracing: what it was like is found and put back; Xen is played by what xen/common/trace.c does. */
#include "host/xen_trace.h"

#include <errno.h>
#include <string.h>

#include "check.h"

#define XEN_TRC_ALL 0x0ffff000u

static struct error err;
static struct xen_trace_before before;

static struct {
    uint32_t version, events;
    bool has_buffers, on, all_pcpus, taken, unreadable;
    int refuses_events; /* errno */
    unsigned calls, unread;
} xen;

static int op(void *context, uint32_t version, enum xen_trace_op o, struct xen_trace_info *info)
{
    (void)context;
    xen.calls++;
    if (version != xen.version)
        return EACCES;
    switch (o) {
    case XEN_TRACE_GET_INFO:
        *info = (struct xen_trace_info){xen.events, xen.has_buffers ? 4711 : 0, xen.has_buffers ? 8192 : 0};
        return 0;
    case XEN_TRACE_SET_EVENTS:
        if (xen.refuses_events)
            return xen.refuses_events;
        xen.events = info->events;
        return 0;
    case XEN_TRACE_ALL_PCPUS:
        xen.all_pcpus = true;
        return 0;
    case XEN_TRACE_ENABLE:
        xen.on |= xen.has_buffers;
        return xen.has_buffers ? 0 : EINVAL;
    case XEN_TRACE_DISABLE:
        xen.on = false;
        return 0;
    }
    return EINVAL;
}

static int is_taken(void *context, struct error *e)
{
    (void)context;
    (void)e;
    return xen.taken;
}

/* Scheduling goes on all the time; Xen writes it down where that is wanted, on every pCPU, and the buffers are not full. */
static int is_moving(void *context, const struct xen_trace_info *info, uint64_t limit_ns, struct error *e)
{
    (void)context;
    EQUAL(info->list_frame, 4711);
    CHECK(limit_ns > 0);
    if (xen.unreadable)
        return error_set(e, ERROR_IO, "no buffers");
    xen.unread = 0;
    return xen.on && xen.all_pcpus && (xen.events & 0x0002f000) != 0;
}

static const struct xen_calls calls = {NULL, op, is_taken, is_moving};

static void begin(uint32_t version, uint32_t events, bool has_buffers, bool on)
{
    memset(&xen, 0, sizeof xen);
    xen.version = version;
    xen.events = events;
    xen.has_buffers = has_buffers;
    xen.on = on;
}

/* As xentrace -D -e 0x32f000 -c all does it from its start to its end. */
static void trace(void)
{
    xen.events = 0x32f000;
    xen.has_buffers = true;
    xen.on = true;
    xen.on = false;
}

static void a_mask_that_was_left_is_put_back(void)
{
    begin(0x15, 0x4f000, true, false);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    EQUAL(before.events, 0x4f000);
    CHECK(!before.on);
    trace();
    EQUAL(xen_trace_put_back(&calls, &before, &err), 0);
    EQUAL(xen.events, 0x4f000);
    CHECK(!xen.on);
}

/* Xen's options tbuf_size= and tevt_mask=, or xentrace -x. */
static void tracing_that_was_on_is_on_again(void)
{
    begin(0x15, 0x80f000, true, true);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    CHECK(before.on);
    trace();
    EQUAL(xen_trace_put_back(&calls, &before, &err), 0);
    EQUAL(xen.events, 0x80f000);
    CHECK(xen.on);
}

/* No event that it stands for happens: tracing is on all the same. */
static void a_mask_of_nothing_does_not_hide_that_tracing_is_on(void)
{
    begin(0x15, 0, true, true);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    CHECK(before.on);
    EQUAL(before.events, 0);
}

static void without_buffers_it_is_off_and_nothing_is_changed(void)
{
    begin(0x15, XEN_TRC_ALL, false, false);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    CHECK(!before.on);
    EQUAL(xen.events, XEN_TRC_ALL);
    CHECK(!xen.all_pcpus);
}

/* xentrace was killed: nobody else switches tracing off. */
static void what_xentrace_left_on_is_switched_off(void)
{
    begin(0x15, XEN_TRC_ALL, false, false);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    trace();
    xen.on = true;
    EQUAL(xen_trace_put_back(&calls, &before, &err), 0);
    CHECK(!xen.on);
    EQUAL(xen.events, XEN_TRC_ALL);
}

static void every_version_of_the_interface_is_found(void)
{
    for (uint32_t v = 9; v <= 0x40; v++) {
        begin(v, 0x4f000, true, true);
        EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
        EQUAL(before.version, v);
        CHECK(before.on);
    }
}

static void a_version_that_is_not_known_is_an_error(void)
{
    begin(0x1000, 0x4f000, true, true);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_UNKNOWN);
    SAME_TEXT(err.message, "XEN_SYSCTL_tbuf_op: get_info: Permission denied");
    EQUAL(xen.events, 0x4f000);
}

static void a_tracer_that_runs_is_not_disturbed(void)
{
    begin(0x15, 0x4f000, true, true);
    xen.taken = true;
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_TAKEN);
    EQUAL(xen.calls, 0);
}

/* It is not known whether tracing is on: the mask is as it was. */
static void buffers_that_cannot_be_read_leave_the_mask(void)
{
    begin(0x15, 0x4f000, true, true);
    xen.unreadable = true;
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_UNKNOWN);
    SAME_TEXT(err.message, "no buffers");
    EQUAL(xen.events, 0x4f000);
}

/* The one fails: the other is done all the same. */
static void what_cannot_be_put_back_is_an_error(void)
{
    begin(0x15, 0x4f000, true, true);
    EQUAL(xen_trace_look(&calls, &before, &err), XEN_TRACE_FOUND);
    trace();
    xen.refuses_events = EPERM;
    EQUAL(xen_trace_put_back(&calls, &before, &err), -1);
    SAME_TEXT(err.message, "XEN_SYSCTL_tbuf_op: the event mask cannot be set: Operation not permitted");
    CHECK(xen.on);
}

CU_TestInfo xen_trace_tests[] = {TEST(a_mask_that_was_left_is_put_back),
                                 TEST(tracing_that_was_on_is_on_again),
                                 TEST(a_mask_of_nothing_does_not_hide_that_tracing_is_on),
                                 TEST(without_buffers_it_is_off_and_nothing_is_changed),
                                 TEST(what_xentrace_left_on_is_switched_off),
                                 TEST(every_version_of_the_interface_is_found),
                                 TEST(a_version_that_is_not_known_is_an_error),
                                 TEST(a_tracer_that_runs_is_not_disturbed),
                                 TEST(buffers_that_cannot_be_read_leave_the_mask),
                                 TEST(what_cannot_be_put_back_is_an_error),
                                 CU_TEST_INFO_NULL};
