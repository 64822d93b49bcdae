/*
 * The meter: events in, rows out. The face of this folder.
 *
 *     meter_new(&options) -> meter_feed(batch)* -> meter_finish(end)
 *
 * Rows of an interval are handed to the sink as soon as nothing can change them any more; memory does not grow with
 * the length of the trace. Every accumulator adds, so the meters of two slices of a trace merge (meter_merge).
 */
#ifndef XENMETER_METRICS_METER_H
#define XENMETER_METRICS_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "parser/trace.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/row.h"

#define METER_GRANULARITIES 16

/* Where results go. A function that returns non-zero ends the work: meter_feed then returns -1 with err untouched. */
struct meter_sink {
    void *context;
    /* One interval with its rows, ordered by domain, life, vCPU, pCPU. They are valid during the call. */
    int (*interval)(void *context, const struct interval *interval, const struct row *rows, size_t n);
    /* One execution; may be NULL when none are asked for. */
    int (*execution)(void *context, const struct execution *execution);
    /*
     * The driver domains in one interval, ordered by domain and life; told right after `interval`. May be NULL. Late
     * ones add to those handed out before, as late rows do. With options.charge.wanted only.
     */
    int (*charges)(void *context, const struct interval *interval, const struct charge_idd *idds, size_t n);
};

struct meter_options {
    enum by by;
    uint64_t granularities_ns[METER_GRANULARITIES]; /* 0: the whole trace */
    size_t granularities;
    bool executions;
    uint64_t from_ns, to_ns; /* report on [from, to) only; to 0: to the end */
    const uint8_t
        *pcpus_wanted; /* a byte for each of PCPUS_MAX pCPUs: count only time spent there; NULL: all */
    bool
        idle_rows; /* BY_DOMAIN_PCPU: also rows of IDLE_DOMAIN, with idle_ns and executions, without other times */
    uint64_t start_ns;     /* where this slice of the trace begins: 0 unless slices will be merged */
    uint64_t memory_limit; /* bytes; 0: no limit */
    struct charge_options charge;
    struct meter_sink sink;
};

struct meter;

/* Asks for the events a meter wants to be fed; those of I/O only if it accounts charges. */
void meter_wants(bool charges, struct trace_options *trace);

/* NULL with `err` filled when memory ran out or the options make no sense. Options are copied, the arrays too. */
struct meter *meter_new(const struct meter_options *options, struct error *err);
void meter_free(struct meter *m);

/*
 * Takes the next events, in order, and closes the intervals that are complete. -1 with `err` filled when the memory
 * limit was reached, or -1 when the sink asked to end.
 */
int meter_feed(struct meter *m, const struct event_batch *batch, const struct clock *clock,
               struct error *err);

/* The trace ends at end_ns: hands out everything that is left. -1 as meter_feed. */
int meter_finish(struct meter *m, uint64_t end_ns, struct error *err);

/*
 * Ends the last complete interval: what is younger is dropped, but the whole-trace rows are handed out as far as
 * they are accounted. For a live run that is told to stop.
 */
int meter_stop(struct meter *m, struct error *err);

/*
 * Joins two slices of one trace, cut at a moment: `later`, made with start_ns = that moment, adds to `earlier` what
 * happened up to end_ns. Both report the whole trace only (one granularity, 0; no executions, no charges), by the same subjects;
 * neither is fed afterwards, but `earlier` can be joined again, and finished at end_ns. What one meter would have told
 * of both slices comes out, but for: records lost across the cut, and BY_DOMAIN_PCPU, where time before a vCPU's first
 * dispatch in the later slice stays apart. -1 with `err` filled when the options do not fit or memory ran out.
 */
int meter_merge(struct meter *earlier, struct meter *later, uint64_t end_ns, struct error *err);

/* What was seen of I/O by now, and what the charges rest on. All 0 without options.charge.wanted. */
void meter_charge_summary(const struct meter *m, struct charge_summary *s);

/* The part to be reported on has ended, and all of it was handed out: nothing more comes of what is fed. */
bool meter_is_over(const struct meter *m);

/* The meter's part of the quality record (its other fields are 0). */
const struct quality *meter_quality(const struct meter *m);

/* Time up to which everything was accounted, ns. */
uint64_t meter_accounted(const struct meter *m);

/* Time in which records of this pCPU were lost, ns. */
uint64_t meter_blind_ns(const struct meter *m, uint16_t pcpu);

/* Adds up who was seen: domains (incarnations, the idle domain apart) and vCPUs of them. */
void meter_population(const struct meter *m, size_t *domains, size_t *vcpus);

#endif
