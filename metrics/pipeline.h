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

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/consumer.h"
#include "metrics/meter.h"
#include "metrics/model/io_pasts.h"

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
    const atomic_int *stop; /* becomes non-zero: end; NULL: read to the end */
    bool stop_at_once;      /* else what came through a pipe until then is used to its end */
    void (*progress)(void *context, const struct trace *trace); /* NULL: nobody looks */
    void *progress_context;
};

/*
 * Reads the trace to its end, or until all consumers have enough, or until `control` stops it. `err` is empty before. Returns 0, or -1
 * with `err` filled. Where a consumer failed and left it empty, `err` says that there is no memory; a caller whose output failed
 * knows that reason itself.
 */
int pipeline_run(struct pipeline *p, struct trace *trace, const struct pipeline_control *control,
                 struct error *err);

/* The parts of it, for who has events from elsewhere. */
int pipeline_feed(struct pipeline *p, const struct event_batch *batch, const struct clock *clock,
                  struct error *err);
int pipeline_end(struct pipeline *p, uint64_t end_ns, struct error *err);

/*
 * Begins in the middle of a trace: with the snapshot of tsc that a snapshot_maker made (metrics/snapshot_maker.h), n bytes.
 * Call before the first batch, which has events after tsc only. Who wants states gets those that last, each as what began it.
 * Who wants charges needs a snapshot with them, made with the same options. -1 with `err` filled: it is damaged, or lacks them, or
 * memory ran out.
 */
int pipeline_restore(struct pipeline *p, const void *bytes, size_t n, uint64_t tsc, const struct clock *clock,
                     struct error *err);

/*
 * The pCPUs' pasts where reading begins with such a snapshot (for trace_resume), if it has charges: into an empty list, to be
 * freed in any case. False: it has none, or is damaged.
 */
bool pipeline_restore_pasts(const void *bytes, size_t n, struct io_pasts *pasts);

/* All consumers have enough. */
bool pipeline_is_over(const struct pipeline *p);

/* Whether it ended before the end of the trace. */
bool pipeline_ended_early(const struct pipeline *p);

/* The meter of the consumer that was added as number `at`, from 0; NULL: it wants no rows. */
const struct meter *pipeline_meter(const struct pipeline *p, size_t at);

/* Time in which records are missing counts from there on, or up to there (runstates_count_from): once the pass has begun. */
void pipeline_count_from(struct pipeline *p, uint64_t from_ns);
void pipeline_count_to(struct pipeline *p, uint64_t to_ns);

/* As meter_end_at, for the rows of the consumer that was added as number `at`. */
bool pipeline_end_rows_at(struct pipeline *p, size_t at, uint64_t to_ns);

/* As its last batch left it. */
const struct pass *pipeline_pass(const struct pipeline *p);

/* The quality of the pass: the trace's part and the model's. */
void pipeline_quality(const struct pipeline *p, struct trace *trace, struct quality *quality);

/* The model's part alone; NULL: there is no model. */
const struct quality *pipeline_states_quality(const struct pipeline *p);

#endif
