/*
 * Makes snapshots of a pass over a trace, with which a later pass can begin in the middle (pipeline_restore).
 * They are made where a sweep has ended: what comes later follows from the snapshot and the bytes from an earlier sweep on.
 */
#ifndef XENMETER_METRICS_SNAPSHOT_MAKER_H
#define XENMETER_METRICS_SNAPSHOT_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/consumer.h"

/*
 * A snapshot's tsc lies at least so long before the first time asked for: the times at which a pass settles, and what it
 * knows of lost records, must be the same as when the trace is read from its beginning. The latter takes up to 1 s, and
 * xentrace makes ten sweeps a second.
 */
#define SNAPSHOT_MARGIN_NS 2000000000u

struct snapshot_sink {
    void *context;
    /*
     * The snapshot of `tsc` for `place`: n bytes, valid during the call. -1 with `err` filled, or untouched if the sink knows
     * why.
     */
    int (*snapshot)(void *context, uint32_t place, uint64_t tsc, const void *bytes, size_t n,
                    struct error *err);
};

struct snapshot_maker;

/*
 * The sink is copied. `charge`: the caller's, kept until it is freed; what charges by these options rest on is in the snapshots
 * too, if they are wanted and can be saved (charging.h). NULL: no charges. Returns NULL: no memory.
 */
struct snapshot_maker *snapshot_maker_new(const struct snapshot_sink *sink,
                                          const struct charge_options *charge);
void snapshot_maker_free(struct snapshot_maker *m);

/* What it wants of the pass; points into the maker. */
struct consumer snapshot_maker_consumer(struct snapshot_maker *m);

/*
 * A sweep begins at `place`, and no record before has a time after `tsc`: asks for a snapshot with which to begin there. Not
 * heeded while an earlier one waits, nor before the first batch, as what is read to measure the clock comes all at once.
 * None is made where the model cannot be saved (model.h). `pasts`: the n pCPUs' there, as the tap of the trace has them. Returns
 * whether it is heeded.
 */
bool snapshot_maker_mark(struct snapshot_maker *m, uint32_t place, uint64_t tsc, const struct io_past *pasts,
                         size_t n);

/* Bytes of the last snapshot: the next one will have about as many. */
size_t snapshot_maker_size(const struct snapshot_maker *m);

#endif
