/*
 * An archive as report, charge, info and dump read it: one timeline of it, from the results that were kept where they suffice,
 * else from the trace that was kept.
 */
#ifndef XENMETER_CMD_ARCHIVED_H
#define XENMETER_CMD_ARCHIVED_H

#include "archive/archive.h"
#include "archive/host_facts.h"
#include "archive/summary.h"
#include "archive/trace_feed.h"
#include "cli.h"
#include "formats/writer.h"
#include "metrics/measure/dump.h"
#include "metrics/pipeline.h"

struct rollup_plan;

struct archived {
    const struct options *options;
    struct archive *archive;
    const struct capture *all; /* of the timelines that are read, one after the other */
    size_t all_n;
    struct summary *all_summaries; /* of each */
    unsigned timelines;            /* how many: one, unless the command sums them up */
    unsigned timeline;             /* the number of the one at hand among its host's, from 1: */
    const struct capture *captures;
    size_t captures_n;
    bool from_results; /* else from the trace */
    /* guest vCPU time of the results, and of it: whose state is not known, or doubtful */
    uint64_t vcpu_ns, unknown_ns, doubtful_ns;
    const struct summary *summaries; /* of each */
    struct summary summary;          /* of them all; shares what the first one has */
    /* from the trace: */
    struct trace_feed *chunks;
    struct feed feed;
    const struct member *snapshot; /* with which it begins; NULL: at its beginning */
    struct trace_resume resume;    /* with a snapshot; */
    struct io_pasts pasts;         /* of the pCPUs there, if charges are wanted */
};

/* Whether PATH is an archive. One that comes through a pipe is copied to a file first, and is standard input then. */
int input_is_archive(const char *path, bool *is, struct error *err);

/*
 * Opens the archive and the timeline that --host asks for, the first one if the command sums several up. 0, or -1 with
 * `err` filled. archived_close in both cases; all
 * zero is one that was not opened.
 */
int archived_open(struct archived *a, const struct options *o, struct error *err);
void archived_close(struct archived *a);

/* The timeline at hand was read: goes on to the next one. False: there is none. */
bool archived_next(struct archived *a);

/*
 * The charge options that this archive is read with where none are given: those with which it was made. *counters gets
 * the outside counters that it keeps (the caller's), if it does. -1 with `err` filled.
 */
int archived_charge_options(struct archived *a, struct charge_options *charge, struct counters **counters,
                            struct error *err);

/* Whether charges rest on outside counters that the archive keeps. */
bool archived_counts(const struct archived *a);

/* The domain names that the archive keeps (the caller's); NULL: none. -1 with `err` filled when they are damaged. */
int archived_names(struct archived *a, struct domain_names **names, struct error *err);

/*
 * Adds the facts about the host that the archive keeps of the timelines that are read, if any, to *facts (host_facts_free in both
 * cases). -1 with `err` filled when they are damaged.
 */
int archived_facts(struct archived *a, struct host_facts *facts, struct error *err);

/* Whether the traces of the whole timeline were kept. */
bool archived_trace_kept(const struct archived *a);

/* What is asked of rollup for a capture of the timeline. */
void archived_plan(const struct archived *a, size_t capture, const struct meter_options *meter,
                   struct rollup_plan *plan);

/*
 * Decides where the numbers come from, for a meter with these options; `own_rows`: the format has rows that are not
 * kept. -1 with `err` filled: neither the results nor a trace suffice.
 */
int archived_choose(struct archived *a, const struct meter_options *meter, bool own_rows, struct error *err);

/*
 * For the records themselves: they are in the trace, or else -1 with `err` filled. Reading begins not long before
 * the part asked for.
 */
int archived_choose_trace(struct archived *a, struct error *err);

/* From the results: emits them to the meter's sink, and sets unknown_ns. -1 with `err` filled, or -1 as the sink did. */
int archived_replay(struct archived *a, const struct meter_options *meter, struct error *err);

/* From the trace: begins to read it. What is in trace_options about where bytes come from is filled in. */
int archived_begin_trace(struct archived *a, struct trace_options *trace, struct error *err);

/* Whether what was kept tells of the trace as a whole, so that only the part asked for needs to be read. */
bool archived_knows_rest(const struct archived *a);

/*
 * Where reading begins in the middle: restores the pipeline, or else tells the dump reader who was current there. -1 with
 * `err` filled.
 */
int archived_enter(struct archived *a, struct pipeline *pipeline, struct dump_reader *reader,
                   struct error *err);

/* What a summary of the trace says of the file: the archive. */
void archived_describe(const struct archived *a, struct trace_summary *trace);

/*
 * Whose trace it is: the timelines that are read, without what was not recorded between them. It points into the archive and into
 * `sources`, an empty buffer, the caller's. False: no memory.
 */
bool archived_origin(const struct archived *a, struct buffer *sources, struct origin *origin);

/* Says on standard error where the numbers come from. */
void archived_say(const struct archived *a);

#endif
