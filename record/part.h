/*
 * One archive of a recording: a part of a live trace, which begins and ends at exact moments. The parts of a trace that was not
 * interrupted adjoin: what a pass knows at the end of one (who is in which state, what charges rest on) the next one begins with,
 * so that together they say what one pass over all of it says.
 *
 * A part decodes on for some sweeps after it has ended, until nothing of it can change any more; the next one begins with a
 * snapshot from before its beginning, and decodes what came since again (spool.h).
 */
#ifndef XENMETER_RECORD_PART_H
#define XENMETER_RECORD_PART_H

#include "archive/manifest.h"
#include "archive/summary.h"
#include "formats/buffer.h"
#include "parser/quality.h"
#include "parser/trace.h"
#include "record/spool.h"
#include "record/store_room.h"

/* Where a part ended, and how the next one can go on. */
struct part_link {
    struct clock clock;  /* of the recording: the same in all its parts */
    uint64_t moment_tsc; /* the next one begins here */
    uint64_t
        counted_to;  /* bytes of the trace up to here count for the parts before, as to quality and chunks */
    unsigned traits; /* see struct trace_resume */
    uint8_t *snapshot; /* of snapshot_tsc, where a sweep began at `place` of the trace; NULL: there is none */
    size_t snapshot_n;
    uint64_t snapshot_tsc, place;
};
void part_link_free(struct part_link *l);

/* An interval of a part, valid during the call. */
struct part_interval {
    const struct interval *interval;
    const struct row *rows;
    size_t n;
    uint64_t start_tsc, end_tsc;
    uint64_t lost_records; /* of the part, as far as the trace was read by now */
};

/* What a part wants to know from outside while it goes on; called by the thread that runs it. */
struct part_watch {
    void *context;
    /*
     * All up to settled_tsc is settled: the tsc at which the part is to end, or 0: it is not known yet. May change until it is
     * there.
     */
    uint64_t (*end)(void *context, const struct clock *clock, uint64_t settled_tsc);
    /* A sweep begins at byte `at` of the trace, and no record before is later than tsc. The clock is not known yet while its cpu_hz is 0. */
    void (*sweep)(void *context, const struct clock *clock, uint64_t at, uint64_t tsc);
    /* Rows of an interval are complete. NULL: nobody wants them. */
    void (*interval)(void *context, const struct part_interval *i);
    /* Lines about the host since the last call (archive/host_facts.h); `first`: and all that is known at the part's beginning. */
    void (*facts)(void *context, bool first, struct buffer *lines);
    /* The counters beside the trace since the last call (record/counter_log.h), if there are any; `first` as above. */
    void (*counts)(void *context, bool first, struct buffer *lines);
    /* It is all but complete: what else goes into its summary. */
    void (*summary)(void *context, struct summary *s);
};

struct part_options {
    const char *path;     /* of the archive; PATH.partial until it is complete */
    const char *host;     /* a fine label */
    const char *identity; /* what tells this part from all others of the host */
    const char *tool;
    int level;
    unsigned threads; /* that compress */
    bool with_trace;
    double cpu_hz, host_hz, host_error_ppm; /* see struct trace_options */
    uint64_t memory_limit;
    const struct capture_options *capture;
    struct spool *spool;
    const struct part_watch *watch;
    struct store_room *room; /* asked before each write to the archive; NULL: nobody is */
};

enum part_end {
    PART_MOMENT, /* at the moment that was asked for: another one follows */
    PART_INPUT,  /* the trace ended */
    PART_NOTHING /* the trace ended before there was anything: there is no archive */
};

struct part_result {
    enum part_end end;
    uint64_t begin_tsc, end_tsc;
    uint64_t stored; /* bytes of the archive */
    uint64_t records, lost_records;
    bool cut; /* the trace ended within a window */
};

/*
 * Makes a part, from `link` on (without a snapshot: from where the trace is now, knowing nothing), and leaves in it where the next one
 * begins. 0; -1 with `err` filled: the archive cannot be written, or the trace not read; what was written is PATH.partial then.
 */
int part_run(const struct part_options *o, struct part_link *link, struct part_result *result,
             struct error *err);

#endif
