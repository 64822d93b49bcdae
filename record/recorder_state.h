/* What the files of recorder.h share. */
#ifndef XENMETER_RECORD_RECORDER_STATE_H
#define XENMETER_RECORD_RECORDER_STATE_H

#include <limits.h>

#include "archive/host_facts.h"
#include "record/counter_log.h"
#include "record/notify.h"
#include "record/part.h"
#include "record/recorder.h"
#include "record/trimmer.h"

#define CLOCKS_KEPT 4 /* pairs with which each archive begins */

struct recorder {
    const struct recorder_options *o;
    struct store *store;
    struct store_limits limits;
    struct store_room room; /* for those who write, by these limits */
    struct tracer *tracer;  /* NULL: the trace is given */
    struct tracing_before {
        struct xen_calls xen;          /* of this machine */
        const struct xen_calls *calls; /* NULL: nothing is to be put back */
        struct xen_trace_before state;
    } tracing;
    struct domain_watch *domains; /* NULL: nobody asks who they are */
    struct counter_log *counts;   /* NULL: none are kept */
    bool counts_wrong;            /* the last message about them was that they cannot be had */
    bool counts_await;            /* the part's beginning, from which they are taken, was not known yet */
    bool counts_foreign;          /* their time stamps are not the trace's: that was said */
    struct trimmer *trimmer;      /* NULL: traces are kept as long as archives, or not at all */
    struct wall_clock *clock;
    struct notify *notify;
    struct spool *spool;
    struct recorder_flight *flight; /* NULL: there is none (recorder_flight.h) */
    struct part_link link;
    char boot_id[FACT_UUID];
    /* the part that is open */
    char path[PATH_MAX];
    bool open;
    int64_t begin_utc_ns;        /* of the part */
    int64_t next_utc_ns;         /* where it ends, if that is where another one is due; 0: not known */
    uint64_t end_tsc;            /* that moment; 0: not known */
    bool ends_soon;              /* there, whatever the clock says */
    bool rotate;                 /* it is to end soon */
    struct store_name last_name; /* of the newest archive when it began */
    /* the trace */
    struct clock trace_clock; /* cpu_hz 0: not known yet */
    struct clock
        stream_clock; /* of the first part since the trace began: parts that begin anew count from elsewhere */
    uint64_t newest_tsc; /* of what was read */
    uint64_t newest_at_ns, sweep_ns, sweep_at_ns;
    uint64_t late_until; /* bytes before this one came before they were decoded; 0: what is decoded is new */
    uint64_t late_at_ns; /* since when these are decoded */
    unsigned catch_ups;
    uint64_t read_at_ns; /* io_clock_ns of the last reading of the time, */
    uint64_t read_at_tsc;
    struct believed_time {
        bool known;
        int64_t ahead_ns;       /* of boot_ns: the time of day that is believed, */
        int64_t clock_ahead_ns; /* and the clock's, at the last reading */
        uint64_t steady_ns;     /* boot_ns since when the clock has not been set */
        bool said;              /* that the clock is not believed */
    } believed;
    bool stopping;
    uint64_t stopping_at_ns;
    enum tracer_state tracer_state;
    /* facts */
    struct buffer lines;                   /* since the last member */
    struct fact_clock clocks[CLOCKS_KEPT]; /* the last ones */
    size_t clocks_n;
    struct fact_reduced reduced; /* mask 0: nothing is */
    int64_t ended_utc_ns;        /* of what was recorded before an interruption; 0: nothing was */
    char interruption[FACT_NAME];
    bool domains_wrong; /* it was said that they are not known */
    /* since it began */
    int64_t begun_utc_ns;
    uint64_t parts, trace_bytes, lost_records, records, stalled_ns, stored_bytes;
    uint32_t restarts;
    /* what recording takes (recorder_limits.c) */
    enum tracer_purpose purpose; /* of what is recorded now */
    bool changes_mask;           /* xentrace was asked to end, to be started with another mask */
    bool said_least;
    unsigned too_much; /* measurements in a row */
    uint64_t measured_at_ns, measured_cpu_ns;
    uint64_t status_at_ns, taken_at_ns, limits_at_ns;
    struct error full; /* recording cannot go on, as there is no room, no time of day or no folder: why */
    uint64_t open_records, open_lost_records; /* of the open part, at its last checkpoint */
};

/* Says a line to people (see recorder_options.say). */
void recorder_say(const struct recorder *r, bool wrong, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- the time ---- */

/* Begins to read the time; again, where nothing that was read holds any more. */
int recorder_clock_begin(struct recorder *r, struct error *err);
void recorder_clock_end(struct recorder *r);

/* Reads the time if it is due: some time has passed here, or in the trace. */
void recorder_clock_read(struct recorder *r);

/*
 * Where xentrace's trace has ended and all of it was read: reads the time in any case, so that also a recorder that was stopped before it
 * had caught up knows it.
 */
void recorder_clock_read_last(struct recorder *r);

/* Now, by the clocks of this machine, or of what stands in for it. */
int64_t recorder_utc_now(struct recorder *r);

/* The time of day of a moment of the trace. False: not known yet. */
bool recorder_utc_of(const struct recorder *r, uint64_t tsc, int64_t *utc_ns);

/*
 * As recorder_utc_now, for what is removed because it is old. A clock that is an hour or more ahead of what is known (the end of the newest
 * archive, and the time that has passed since) counts only once it has gone on for a day without being set.
 */
int64_t recorder_utc_believed(struct recorder *r);

/* The tsc at which the open part is to end; 0: not known yet. */
uint64_t recorder_part_end(struct recorder *r, uint64_t settled_tsc);

/* ---- facts ---- */

/* All that is known when a part begins; recorder.lines follow. */
void recorder_facts_begin(struct recorder *r, struct buffer *to);

/* Takes what has been learnt of domains, and what recording takes from time to time. */
void recorder_facts_take(struct recorder *r);

/* ---- counters beside the trace (recorder_counts.c) ---- */

/* Begins to keep them, where that is wanted and possible. -1 with `err` filled: the file that was named cannot be read. */
int recorder_counts_begin(struct recorder *r, struct error *err);
void recorder_counts_end(struct recorder *r);

/* Adds their rows to the open part (see part_watch.counts). */
void recorder_counts_take(struct recorder *r, bool first, struct buffer *lines);

/* ---- Xen's tracing (recorder_tracing.c) ---- */

/*
 * Before the first xentrace is started: what it will change, to put it back. -1 with `err` filled: another program reads Xen's trace
 * buffers. Says so if nothing can be put back.
 */
int recorder_tracing_begin(struct recorder *r, struct error *err);

/* After the last one has ended: puts it back. */
void recorder_tracing_end(struct recorder *r);

/* ---- the folder ---- */

/* Completes what a crash has left, and says so. -1 with `err` filled: the folder cannot be read. */
int recorder_salvage(struct recorder *r, struct error *err);

/* Finds since when nothing was recorded: ended_utc_ns. */
void recorder_find_last(struct recorder *r);

/* -1 with `err` filled: the file of the open archive, or its folder, was removed. */
int recorder_check_open(const struct recorder *r, struct error *err);

/* Bytes of the open archive so far; 0: none is open. */
uint64_t recorder_open_bytes(const struct recorder *r);

/* Removes what is too old or too much. -1 with `err` filled: there is no room, and nothing is to be removed for it. */
int recorder_make_room(struct recorder *r, struct error *err);

/* Takes the traces out of archives that are old enough, meanwhile; and says what of it was done. */
void recorder_trim(struct recorder *r);
void recorder_trimmed(struct recorder *r);

/* ---- limits ---- */

/* Records less where recording takes more of a CPU than it may; called often. */
void recorder_limit_cpu(struct recorder *r);

/* All that was asked for is recorded again. */
void recorder_unlimit(struct recorder *r);

/* ---- the flight recorder; without one these do nothing ---- */

int recorder_flight_begin(struct recorder *r, struct error *err);
void recorder_flight_free(struct recorder *r);

/* A trace comes through a new spool; a part of it begins; a sweep begins at byte `at` of it; the trace ended, within a window (`cut`) or not. */
void recorder_flight_trace_begins(struct recorder *r);
void recorder_flight_part_begins(struct recorder *r);
void recorder_flight_sweep(struct recorder *r, uint64_t at, uint64_t tsc);
void recorder_flight_trace_ends(struct recorder *r, bool cut);

/* Rows of the open part: a rule may hold. */
void recorder_flight_interval(struct recorder *r, const struct part_interval *i);

/* After domain_watch_take, with the state from before: rules of domains that there are not are reported, once until there is one. */
void recorder_flight_domains(struct recorder *r, const struct domain_watch_state *s);

/* A signal may ask for a dump, and the disk may have room for more of one; called often. */
void recorder_flight_look(struct recorder *r);

/* Bytes that a dump will still take in the folder. */
uint64_t recorder_flight_room(const struct recorder *r);

/* The dump that is being made is not to be. False: there is none. */
bool recorder_flight_give_up(struct recorder *r, const struct error *why);

/* ---- state ---- */

/* Writes what `record --status` shows, if it is due, or `now`. */
void recorder_status_write(struct recorder *r, bool now);

/* What Xen's tracing was like before the recorder that this boot had in the folder, if that has not put it back; else *b stays. */
void recorder_status_tracing(const struct recorder *r, struct xen_trace_before *b);

/* CPU time and memory of this process. */
uint64_t recorder_cpu_ns(void);
uint64_t recorder_rss_bytes(void);

#endif
