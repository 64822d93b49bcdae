/* What Xen's tracing was like before the recorder: found, and put back at the end. */
#include "recorder_state.h"

#include <inttypes.h>
#include <time.h>

#include "host/io_clock.h"

#define TAKEN_NS 5000000000u /* a tracer whose recorder has died is given so long to end */
#define PAUSE_NS 100000000

/* Looks, while another program reads the buffers, until that has ended or time is up. */
static enum xen_trace_look look(struct recorder *r, struct error *err)
{
    const struct timespec pause = {0, PAUSE_NS};
    uint64_t until_ns = io_clock_ns() + TAKEN_NS;
    enum xen_trace_look found;
    while ((found = xen_trace_look(r->tracing.calls, &r->tracing.state, err)) == XEN_TRACE_TAKEN &&
           io_clock_ns() < until_ns && !*r->o->stop)
        nanosleep(&pause, NULL);
    return found;
}

static void say_unknown(const struct recorder *r, const struct error *why)
{
    recorder_say(r, true, "Xen's event mask, and whether it was tracing before, will not be put back: %s",
                 why->message);
}

int recorder_tracing_begin(struct recorder *r, struct error *err)
{
    struct tracing_before *t = &r->tracing;
    struct error why = {0};
    int there = r->o->xen ? 1 : xen_calls_host(&t->xen, &why);
    if (there < 0)
        say_unknown(r, &why);
    if (there <= 0)
        return 0;
    t->calls = r->o->xen ? r->o->xen : &t->xen;
    enum xen_trace_look found = look(r, &why);
    if (found != XEN_TRACE_FOUND)
        t->calls = NULL;
    if (found == XEN_TRACE_TAKEN)
        return error_set(err, ERROR_IO,
                         "another program reads Xen's trace buffers (xentrace?), and only one can: it is to "
                         "end before anything is recorded");
    if (found == XEN_TRACE_UNKNOWN) {
        say_unknown(r, &why);
        return 0;
    }
    recorder_status_tracing(r, &t->state);
    recorder_status_write(r, true); /* for the next recorder, if this one is killed */
    if (t->state.on)
        recorder_say(r, false,
                     "Xen was tracing before, event mask 0x%" PRIx32 ": so it will be again at the end",
                     t->state.events);
    return 0;
}

void recorder_tracing_end(struct recorder *r)
{
    struct error why;
    if (r->tracing.calls && xen_trace_put_back(r->tracing.calls, &r->tracing.state, &why) != 0)
        recorder_say(r, true, "Xen's tracing is not as it was before: %s", why.message);
    xen_calls_close(&r->tracing.xen);
    r->tracing.calls = NULL;
}
