/*
 * The pipeline: one pass over a trace, however many want something of it.
 *
 *     pipeline_new -> pipeline_add* -> pipeline_wants, trace_open -> pipeline_run -> pipeline_free
 *
 * A report, a charge matrix, a dump, an archive being written are consumers. Each states what it wants: records as they
 * stand, the host's states, rows. The model is made once if anybody wants states or rows; what nobody wants is neither
 * decoded nor computed. Here is the only loop over a trace: clock, stop, progress, memory limit and end have their place
 * in it.
 */
#ifndef XENMETER_METRICS_PIPELINE_H
#define XENMETER_METRICS_PIPELINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/meter.h"
#include "metrics/model/model.h"
#include "parser/error.h"
#include "parser/trace.h"

/* What a pass is about; valid during the calls that get it. */
struct pass {
    const struct clock *clock; /* fixed */
    const struct model *model; /* NULL: nobody wants states or rows */
    const uint16_t *pcpus;     /* that wrote records so far, ascending */
    unsigned pcpus_n;          /* */
    unsigned traits;           /* enum trace_trait, as far as the trace was read */
    uint64_t settled_ns;       /* nothing before can change any more */
    uint64_t end_ns;           /* of the trace; 0 before its end */
};

enum clock_need {
    CLOCK_NEEDED,  /* without it there is no result */
    CLOCK_WELCOME, /* it is waited for, but may stay unknown: ns are cycles then */
    CLOCK_UNUSED   /* times are wanted in cycles: it is not waited for */
};

enum consumer_answer { CONSUMER_FAILED = -1, CONSUMER_GOES_ON = 0, CONSUMER_HAS_ENOUGH = 1 };

/*
 * Somebody who wants something of a pass. Every function may be NULL. They return an enum consumer_answer; a failure ends
 * the pass, with `err` filled, or with `err` untouched if the consumer itself knows why.
 */
struct consumer {
    void *context;

    /* What it wants. */
    const bool *records;              /* records as they stand, by slot (EVENT_SLOTS); NULL: none */
    const uint8_t *pcpus;             /* of these pCPUs only, a byte for each of PCPUS_MAX; NULL: all */
    bool states;                      /* settled transitions */
    const struct meter_options *rows; /* to be accounted, and where they go; NULL: none */
    uint64_t from_ns;                 /* wants nothing before; a trace that ends before it is an error */
    enum clock_need clock;
    const char *clock_advice; /* CLOCK_NEEDED: the end of the message that it is not known; NULL: none */
    bool to_the_end;          /* wants the trace to be read to its end, even if it has enough */

    /* What it does: per batch in this order. */
    int (*begin)(void *context, const struct pass *pass, struct error *err); /* before all others */
    int (*batch)(void *context, const struct pass *pass, const struct event_batch *batch, struct error *err);
    int (*state)(void *context, const struct pass *pass, const struct transition *t);
    int (*settled)(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err);
    int (*end)(void *context, const struct pass *pass, struct error *err); /* the trace was read to its end */
    int (*stop)(void *context, const struct pass *pass,
                struct error *err);        /* a signal ended the pass: `end` is not called */
    size_t (*memory)(const void *context); /* bytes that it holds and that count for the limit */
};

struct pipeline;

/* memory_limit: bytes that all consumers, meters and the model may hold together; 0: no limit. NULL: no memory. */
struct pipeline *pipeline_new(uint64_t memory_limit);
void pipeline_free(struct pipeline *p);

/* Adds a consumer (copied; what it points to stays the caller's). -1 with `err` filled: no memory, bad options. */
int pipeline_add(struct pipeline *p, const struct consumer *consumer, struct error *err);

/* Asks the trace for what the consumers want. */
void pipeline_wants(const struct pipeline *p, struct trace_options *trace);

/* How a pass is watched, and ended early. */
struct pipeline_control {
    const volatile sig_atomic_t *stop; /* becomes non-zero: end; NULL: read to the end */
    bool stop_at_once;                 /* else what came through a pipe until then is used to its end */
    void (*progress)(void *context, const struct trace *trace); /* NULL: nobody looks */
    void *progress_context;
};

/*
 * Reads the trace to its end, or until all consumers have enough, or it is told to stop. 0, or -1 with `err` filled, or
 * with `err` untouched if a consumer failed that knows why.
 */
int pipeline_run(struct pipeline *p, struct trace *trace, const struct pipeline_control *control,
                 struct error *err);

/* The parts of it, for who has events from elsewhere. */
int pipeline_feed(struct pipeline *p, const struct event_batch *batch, const struct clock *clock,
                  struct error *err);
int pipeline_end(struct pipeline *p, uint64_t end_ns, struct error *err);

/* All consumers have enough. */
bool pipeline_is_over(const struct pipeline *p);

/* Whether it ended before the end of the trace. */
bool pipeline_ended_early(const struct pipeline *p);

/* The meter of the consumer that was added as number `at`, from 0; NULL: it wants no rows. */
const struct meter *pipeline_meter(const struct pipeline *p, size_t at);

/* As its last batch left it. */
const struct pass *pipeline_pass(const struct pipeline *p);

/* The quality of the pass: the trace's part and the model's. */
void pipeline_quality(const struct pipeline *p, struct trace *trace, struct quality *quality);

#endif
