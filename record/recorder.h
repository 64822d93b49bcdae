/*
 * The recorder: archives of a live trace, one after the other, for months. Each is of one UTC hour (or another length), and adjoins the
 * one before, down to the moment; where recording was interrupted, the next one begins anew, and says since when nothing was
 * recorded.
 */
#ifndef XENMETER_RECORD_RECORDER_H
#define XENMETER_RECORD_RECORDER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "archive/manifest.h"
#include "host/wall_clock.h"
#include "host/xen_trace.h"
#include "metrics/relation/condition.h"
#include "parser/error.h"
#include "record/domain_watch.h"
#include "record/store.h"
#include "record/tracer.h"

/* The last of the trace, in memory, which is written to the folder when a rule holds, or `dump` is set. */
struct flight_options {
    uint64_t bytes_max; /* that are kept; 0: there is no flight recorder */
    uint64_t age_ns;    /* so much time is kept, if the bytes allow it */
    const struct condition *rules;
    size_t rules_n;
    uint64_t after_ns;    /* a dump goes on for so long, for as many bytes again at most */
    uint64_t cooldown_ns; /* of the trace's time, after the moment of a dump: rules make no other one */
};

struct recorder_options {
    const char *folder;
    const char *host;   /* a fine label */
    const char *tool;   /* "xenmeter 0.1.0" */
    uint64_t rotate_ns; /* the length of archives, counted from 1970; an hour */
    struct store_limits limits;
    bool stop_when_full; /* rather than remove the oldest archives */
    bool with_trace;
    uint64_t keep_trace_ns; /* with_trace: for so long after an archive's end; 0: as long as the archive */
    int level;
    unsigned threads;
    double cpu_hz; /* 0: measured */
    uint64_t memory_limit;
    size_t buffer_bytes; /* of the trace, in memory: a third of it may wait to be decoded */
    struct capture_options capture;
    struct flight_options flight;
    int input; /* a pipe or file with the trace; -1: xentrace is started */
    struct tracer_options tracer;
    const struct xen_calls *xen;         /* NULL: this machine's Xen, if there is one */
    enum tracer_purpose purpose;         /* of its mask */
    double max_cpu_ppm;                  /* of a CPU: above it less is recorded; 0: no limit */
    struct domain_watch_options domains; /* with `input` only if it names a source */
    enum recorder_counts {
        COUNTS_AUTO,
        COUNTS_NONE,
        COUNTS_FILE
    } counts;                       /* auto: those of this domain, unless `input` is given */
    const char *counts_file;        /* COUNTS_FILE */
    const struct time_source *time; /* NULL: this machine's */
    int64_t trace_begins_utc_ns;    /* with `input`: what time it was at its first record; 0: it is now */
    const atomic_int *stop;         /* set by a signal */
    atomic_int *reload;             /* the same: the limits are to be read again; set back. NULL: never */
    atomic_int *dump;               /* the same: a dump of the flight recorder is wanted. NULL: never */
    const sigset_t *wait_mask;      /* while waiting */
    /* Reads the limits again, when `reload` was set. False: they stay. May be NULL. */
    bool (*read_again)(void *context, struct store_limits *limits);
    /* One line for people: what began, ended, was removed, or went wrong. */
    void (*say)(void *context, bool wrong, const char *line);
    void *context;
};

/* Records until `stop` is set or the input ends. 0, or -1 with `err` filled. */
int recorder_run(const struct recorder_options *o, struct error *err);

/* What `record --status` shows: the last state that was written to the folder. *text is from malloc. -1 with `err` filled: there is none. */
int recorder_status(const char *folder, char **text, struct error *err);

#endif
