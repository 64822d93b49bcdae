/*
 * Entries: the events from which reading can begin in the middle of a trace, at a chunk, with the same results. They
 * are the last events of each vCPU and pCPU. Fed first, with their own times, they bring the meter into the state it
 * would have had there; the trace's events from there on follow (trace_options.resume).
 *
 * An entry is a member of JSON lines, one event each: xenmeter-archive(5).
 */
#ifndef XENMETER_ARCHIVE_ENTRY_H
#define XENMETER_ARCHIVE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/trace.h"

/*
 * An entry's tsc lies at least so long before the first time asked for. Up to 1 s after lost records a contradiction
 * may still make earlier time unknown (metrics/model/runstate.c); after that the batches must end where they end when
 * the trace is read from its beginning: two sweeps later, of which xentrace makes ten a second.
 */
#define ENTRY_MARGIN_NS 2000000000u

struct entry_log;

/* NULL: no memory. */
struct entry_log *entry_log_new(void);
void entry_log_free(struct entry_log *l);

/* Sets the trace's clock (copied). Call before the first entry_log_take: without a clock there are no entries. */
void entry_log_use_clock(struct entry_log *l, const struct clock *clock);

/*
 * Asks for an entry for chunk `chunk`; no record before the chunk is later than `tsc`. False: no memory. No entry is
 * made for a chunk that was marked before the first entry_log_take, because the records read to measure the clock come
 * all at once; nor where lost or contradictory records would make it inexact.
 */
bool entry_log_mark(struct entry_log *l, uint32_t chunk, uint64_t tsc);

struct entry_sink {
    void *context;
    /* The entry of a chunk: n bytes of text, valid during the call. Non-zero ends the work. */
    int (*entry)(void *context, uint32_t chunk, uint64_t tsc, const char *text, size_t n);
};

/*
 * Takes the next events of the trace, in order, and hands complete entries to the sink: those whose tsc the events have
 * passed. 0; the sink's value, if not 0; -1: no memory (then entry_log_failed is true).
 */
int entry_log_take(struct entry_log *l, const struct event_batch *batch, const struct entry_sink *sink);
bool entry_log_failed(const struct entry_log *l);

/* The size of an entry made now, roughly, in bytes: it grows with the domains. */
size_t entry_log_size(const struct entry_log *l);

struct entry {
    struct event *events; /* in order */
    size_t n;
    uint16_t *pcpus; /* those that had written records, ascending */
    unsigned pcpus_n;
};

/*
 * Reads an entry, which may be hostile. -1 with `err` filled (offset: in the text): it is damaged, or no trace has such
 * events (unknown ones, times that go back or lie after `tsc`, impossible pCPUs). Call entry_free in both cases.
 */
int entry_read(struct entry *entry, const char *text, size_t n, uint64_t tsc, struct error *err);
void entry_free(struct entry *entry);

/* The batch to feed first (metrics/meter.h), before the trace's batches. Points into the entry. */
struct event_batch entry_batch(const struct entry *entry, uint64_t tsc);

#endif
