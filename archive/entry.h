/*
 * Entry points: what one must know of a trace's past to begin in its middle, at a chunk, and get the same results. That is
 * the last events of everybody, which lead the meter to the state it would have been in: fed to it first, with their
 * own times, before the trace's events from there on (trace_options.resume).
 *
 * An entry is a member of JSON lines, one event each: xenmeter-archive(5).
 */
#ifndef XENMETER_ARCHIVE_ENTRY_H
#define XENMETER_ARCHIVE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/trace.h"

/*
 * How long before the time that is asked for an entry's tsc is to lie. Up to 1 s after lost records a contradiction may
 * still turn what is before them into unknown time (metrics/runstate.c), and from there on the trace's batches are to
 * end where they end for who reads it from its beginning: two sweeps later, of which xentrace makes ten a second.
 */
#define ENTRY_MARGIN_NS 2000000000u

struct entry_log;

/* NULL: no memory. */
struct entry_log *entry_log_new(void);
void entry_log_free(struct entry_log *l);

/* The trace's clock (copied). To be said before the first entry_log_take: without it there are no entries. */
void entry_log_use_clock(struct entry_log *l, const struct clock *clock);

/*
 * Chunk `chunk` begins where no record before has a time beyond `tsc`: an entry is wanted. False: no memory. There is none
 * for a chunk that was marked before the first entry_log_take, as all that was read to measure the clock is handed on at
 * once; nor where too much was lost or contradicts itself for an entry to be exact.
 */
bool entry_log_mark(struct entry_log *l, uint32_t chunk, uint64_t tsc);

struct entry_sink {
    void *context;
    /* The entry of a chunk: n bytes of text, valid during the call. Non-zero ends the work. */
    int (*entry)(void *context, uint32_t chunk, uint64_t tsc, const char *text, size_t n);
};

/*
 * Takes the next events of the trace, in order, and hands out the entries that are complete: those whose tsc the events
 * have passed. 0; what the sink returned, if not 0; -1 without memory (entry_log_failed tells).
 */
int entry_log_take(struct entry_log *l, const struct event_batch *batch, const struct entry_sink *sink);
bool entry_log_failed(const struct entry_log *l);

/* Bytes that an entry made now would have, roughly: more domains need more. */
size_t entry_log_size(const struct entry_log *l);

struct entry {
    struct event *events; /* in order */
    size_t n;
    uint16_t *pcpus; /* that had written records, ascending */
    unsigned pcpus_n;
};

/*
 * Reads an entry, hostile or not. -1 with `err` filled (offset: in the text): it is damaged, or holds what no trace could
 * (unknown events, times that go back or lie after `tsc`, impossible pCPUs). entry_free in both cases.
 */
int entry_read(struct entry *entry, const char *text, size_t n, uint64_t tsc, struct error *err);
void entry_free(struct entry *entry);

/* What a meter is to be fed with first (metrics/meter.h), before the trace's batches. Points into the entry. */
struct event_batch entry_batch(const struct entry *entry, uint64_t tsc);

#endif
