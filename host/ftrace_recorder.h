/*
 * Records what Linux' ftrace says of who runs on this driver domain's CPUs, into a file for --dom0-trace: task switches,
 * interrupts, softirqs and network polls, with the tsc as clock.
 *
 * It traces in an instance of its own (instances/xenmeter-PID of tracefs), so that nobody else's tracing is disturbed,
 * with bounded buffers. The instance is removed at the end; one that a process left which died is
 * removed at the next start.
 */
#ifndef XENMETER_HOST_FTRACE_RECORDER_H
#define XENMETER_HOST_FTRACE_RECORDER_H

#include <stdbool.h>

#include "io_names.h"
#include "tell.h"
#include "parser/error.h"

/* For all CPUs together; each has no less, and no more, than: */
#define FTRACE_BUFFERS_KB      131072
#define FTRACE_BUFFER_LEAST_KB 512
#define FTRACE_BUFFER_MOST_KB  4096
#define FTRACE_TICK_NS         250000000u /* call ftrace_recorder_drain no later than that after the last time */

struct ftrace_recorder;

struct ftrace_wanted {
    const char *root; /* the directory that contains sys/, proc/ and dev/; "" is the machine's own */
    const char
        *path; /* of the file, which appears when the recording is complete; ".zst" at its end compresses */
    const struct io_interfaces *interfaces; /* whose each is; its context outlives the recorder */
    bool idd_given;                         /* this is another driver domain than domain 0: */
    unsigned idd;
    host_teller *tell; /* takes what goes wrong without ending the recording */
    bool quiet;        /* losses are not told */
};

/*
 * Begins to record. Signals that end the process may only ask it to stop from now on. NULL with `err`
 * filled, and everything as it was: there is no tracefs, no clock x86-tsc, an event is missing, no permission, the file
 * cannot be made, no memory.
 */
struct ftrace_recorder *ftrace_recorder_start(const struct ftrace_wanted *wanted, struct error *err);

/*
 * Moves what was recorded to the file, once a buffer is a quarter full: reading it takes more time than recording, and what
 * fits is read when the recording has ended, so as not to disturb what is recorded. -1 after a failure, of which
 * ftrace_recorder_stop tells.
 */
int ftrace_recorder_drain(struct ftrace_recorder *r);

/*
 * Ends the recording: switches everything off, removes the instance, completes the file unless `failed`, says which CPUs lost
 * events, and frees r (NULL is fine). -1 with `err` filled: the recording had failed, or the file could not be completed.
 */
int ftrace_recorder_stop(struct ftrace_recorder *r, bool failed, struct error *err);

#endif
