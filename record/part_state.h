/* What the files of part.h share. */
#ifndef XENMETER_RECORD_PART_STATE_H
#define XENMETER_RECORD_PART_STATE_H

#include "archive/capture_writer.h"
#include "formats/output.h"
#include "metrics/pipeline.h"
#include "metrics/snapshot_maker.h"
#include "record/disk_writer.h"
#include "record/part.h"

#define WINDOW_HEADER 12 /* bytes: a sweep shows with the last of them */

enum { PART_ROWS, PART_SNAPSHOTS }; /* its consumers */

/* What a pass had counted by a moment. */
struct pass_tally {
    struct quality read, states;
    uint64_t blind_ns[PCPUS_MAX]; /* by pCPU, of the part alone */
    struct hole_count holes;      /* the same */
    bool has_read, has_states;
};

/* Where a sweep begins in the trace; no record before is later than tsc. */
struct sweep_place {
    uint64_t at, tsc;
};
#define SWEEPS_KNOWN 1024 /* the last ones */

struct part {
    const struct part_options *o;
    struct part_link *link;
    struct pipeline *pipeline;
    struct trace *trace;
    /* the archive */
    struct output *output;
    struct disk *disk;
    struct disk_target to; /* where it writes */
    struct frame_writer *frames;
    struct capture_writer *writer;
    struct capture capture; /* complete, in the contents */
    struct summary summary;
    struct part_place place;
    uint32_t facts_n, counts_n; /* members */
    bool has_begun;             /* the first of them were asked for */
    unsigned checkpoints;       /* written so far, the last one at checked_ns */
    uint64_t checked_ns;
    bool worth_keeping; /* a checkpoint was written: it can be salvaged */
    /* the trace */
    uint64_t begin;      /* of the bytes that are decoded, in the trace */
    uint64_t stored_end; /* bytes from here on are the next part's; UINT64_MAX: not known yet */
    uint8_t lag[WINDOW_HEADER];
    uint64_t tapped; /* bytes that went by, from `begin` on */
    struct trace_tap tap;
    /* where the next one begins */
    struct consumer snapshot_consumer;
    struct snapshot_maker *snapshots;
    uint64_t end_tsc;                        /* 0: not known */
    uint64_t settled_tsc;                    /* 0: nothing is; the end will not be before */
    struct sweep_place sweeps[SWEEPS_KNOWN]; /* a ring */
    size_t sweeps_n;                         /* that began so far */
    uint64_t marked;                         /* where the sweep of the last mark begins, */
    uint64_t marked_tsc;
    struct pass_tally begun, ended; /* what the pass had counted when the part began, and when it ended */
    bool over;
    unsigned traits;
};

static inline uint64_t part_tsc(const struct clock *c, uint64_t ns)
{
    return c->tsc_first + (uint64_t)((double)ns * (c->cpu_hz / 1e9));
}

/* The bytes of the trace and its sweeps go through here. */
struct trace_tap part_tap(struct part *p);

/* The trace has ended, or all that follows is the next part's: the archive gets what waits. */
int part_give_rest(struct part *p, struct error *err);

/* The last sweep that began before the part's end (or what is settled), of those that are kept: where the next part can begin without a snapshot. */
uint64_t part_last_sweep(const struct part *p);

/* What the pass has counted by now. */
void part_tally_read(struct part *p, struct pass_tally *t);
void part_tally_states(const struct part *p, struct pass_tally *t);

/* What is known of the part by now, into its summary. */
int part_summarise(struct part *p, struct error *err);

#endif
