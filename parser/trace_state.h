/* A trace that is being read: for trace.c, and for ahead.c, which reads it on another thread. */
#ifndef XENMETER_PARSER_TRACE_STATE_H
#define XENMETER_PARSER_TRACE_STATE_H

#include "parser/decode/decoder.h"
#include "parser/order/clock_probe.h"
#include "parser/order/currents.h"
#include "parser/order/order.h"
#include "parser/source/input.h"
#include "trace.h"

#ifndef BATCH_EVENTS      /* fuzz targets have small ones */
#define BATCH_EVENTS 4096 /* a batch stays in the second-level cache */
#endif

/* Events that the buffers of a batch have room for. */
#define TRACE_BATCH_ROOM ((size_t)BATCH_EVENTS + ORDER_ATTACHED)
#define TRACE_NAMED_ROOM (2 * TRACE_BATCH_ROOM)

struct ahead;

enum phase { PHASE_CLOCK, PHASE_READ, PHASE_TAKE, PHASE_LAST, PHASE_DONE };

struct trace {
    struct trace_options options;
    char *file;
    struct input *input;
    struct quality quality;
    struct decoder decoder;
    struct order order;
    struct clock_probe probe;
    struct clock clock;
    enum phase phase;
    size_t limit_events;
    uint64_t delivered_tsc; /* all events before it were delivered, and none after it */
    bool renames;           /* events are wanted that once had other numbers, or whose numbers others had, */
    bool widened;           /* and for that reason some come that nobody asked for */
    struct trace_tap tap;   /* .bytes NULL: nobody listens */
    struct io_past *pasts;  /* room for what the tap gets of the pCPUs */
    size_t pasts_capacity;
    struct trace_resume resume; /* if options.resume */
    struct currents currents;   /* once siblings are known, with raw records */
    struct event *named;        /* the batch with its vCPUs: TRACE_NAMED_ROOM; NULL: there are no siblings */
    struct task_marks *marks;   /* of the batch, if marks are wanted: room for all pCPUs */
    unsigned marks_n;
    unsigned traits;     /* of what was read so far, for event_batch.traits */
    struct event *batch; /* TRACE_BATCH_ROOM */
    struct ahead *ahead; /* NULL: trace_next reads itself */
};

/* As trace_next, trace_quality and trace_summarise: of what was read, on the thread that reads. */
int trace_read(struct trace *t, struct event_batch *batch, struct error *err);
const struct quality *trace_read_quality(struct trace *t);
void trace_read_summary(const struct trace *t, struct trace_summary *s);

#endif
