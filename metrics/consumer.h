/* A consumer: what it wants of a pass over a trace, and what it does with it (pipeline.h). */
#ifndef XENMETER_METRICS_CONSUMER_H
#define XENMETER_METRICS_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/meter_options.h"
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
    bool
        asks_quality; /* asks for the quality of the trace (pipeline_quality) while it is read, not only at the end */

    /* What it does: per batch in this order. */
    int (*begin)(void *context, const struct pass *pass, struct error *err); /* before all others */
    /*
     * Where the pass begins with a snapshot (pipeline_restore): it takes what a meter saved from copies of the snapshot and of its part of
     * charges. False: they are damaged, or lack what it needs. NULL: it gets the states that last, each as what began it.
     */
    bool (*restore)(void *context, const struct snapshot *saved, const struct snapshot *charges,
                    uint64_t tsc);
    int (*batch)(void *context, const struct pass *pass, const struct event_batch *batch, struct error *err);
    int (*state)(void *context, const struct pass *pass, const struct transition *t);
    int (*settled)(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err);
    int (*end)(void *context, const struct pass *pass, struct error *err); /* the trace was read to its end */
    int (*stop)(void *context, const struct pass *pass,
                struct error *err);        /* a signal ended the pass: `end` is not called */
    size_t (*memory)(const void *context); /* bytes that it holds and that count for the limit */
};

#endif
