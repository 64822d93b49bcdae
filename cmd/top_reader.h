/*
 * The reader of `top`: a thread of its own that reads a trace, or results of an archive, and adds the host's seconds to a history. It
 * may wait for its source for ever: whoever looks at the history does not.
 */
#ifndef XENMETER_CMD_TOP_READER_H
#define XENMETER_CMD_TOP_READER_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "metrics/measure/delays.h"
#include "screen/history.h"
#include "trace_run.h"

#define READER_SIGNAL SIGUSR1 /* wakes the thread where it waits for a pipe */

struct top_reader {
    /* the command's, before the first start */
    struct options options; /* `jobs` is 1 */
    struct history *history;
    const struct feed *feed; /* NULL: from options.input */
    bool paced;              /* waits for the viewer, and does not run ahead of it by more than lead_ns */
    uint64_t lead_ns;
    struct trace_run run; /* after trace_run_find */

    /* the thread's */
    pthread_t thread;
    bool started;
    atomic_int stop, done;
    sigset_t wait_mask;
    uint64_t from_ns; /* seconds before this are not wanted */
    struct consumer consumer;
    struct meter_options meter;
    struct delays *delays;
    unsigned parts;                 /* enum second_part, or-ed: that every second has when it is complete */
    struct pending_second *pending; /* seconds that are not complete, by time */
    uint64_t added_ns;              /* end of the last one that was added */
    uint64_t lost, records;         /* of the trace up to there */
    uint64_t read_ns;               /* of the trace's time: how far it was read */
    uint64_t touched_ns;
    bool no_memory;
};

/* Call once, in the main thread, before the first start. */
void top_reader_install_signal(void);

/*
 * Begins to read, so that the first second begins at from_ns (a multiple of a second; 0: at the beginning). False: there is no thread to
 * be had. The reader must not be running.
 */
bool top_reader_start(struct top_reader *r, uint64_t from_ns);

/* Asks it to end, and waits for that, at most so long. False: it hangs in a call, and must not be freed. */
bool top_reader_stop(struct top_reader *r, uint64_t most_ns);

#endif
