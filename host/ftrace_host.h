/*
 * What runs on each CPU of a driver domain, followed event by event of Linux' trace: the task, interrupts on top of it, and
 * softirqs between the two. Gives for whom each moment was.
 *
 * A task's time is its owner's, an interrupt's that of the device. Of a NET_RX softirq the time up to each napi_poll of a
 * guest's interface is the guest's, the rest own; a BLOCK softirq is for whom the last interrupt of a disk on this CPU was;
 * other softirqs are own. Where events of a CPU were lost nothing is known of it from its last event to the next.
 */
#ifndef XENMETER_HOST_FTRACE_HOST_H
#define XENMETER_HOST_FTRACE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "ftrace_line.h"
#include "ftrace_owners.h"
#include "metrics/measure/dom0_trace.h"

struct ftrace_host;

/* Fills `trace`, which is all zero and stays the caller's. NULL: no memory. */
struct ftrace_host *ftrace_host_new(struct dom0_trace *trace);
void ftrace_host_free(struct ftrace_host *h);

/* Whose tasks and interrupts they are; the host's. */
struct ftrace_owners *ftrace_host_owners(struct ftrace_host *h);

/* From this moment on all CPUs are recorded; what came before is another recording. NULL, or why it cannot be, a static text. */
const char *ftrace_host_begin(struct ftrace_host *h, uint64_t tsc);

/* Up to this moment all CPUs were recorded: no events follow but after another begin. The same. */
const char *ftrace_host_end(struct ftrace_host *h, uint64_t tsc);

/* So many events of the CPU were lost, and no line says when: all of it is unknown. */
void ftrace_host_lose(struct ftrace_host *h, unsigned cpu, uint64_t events);

/* A line of kind FTRACE_EVENT or FTRACE_LOST. NULL, or what is wrong with it, a static text. */
const char *ftrace_host_take(struct ftrace_host *h, const struct ftrace_line *line);

/* An event without which nothing can be told and of which there was none; NULL: there is everything. */
const char *ftrace_host_lacks(const struct ftrace_host *h);

/* There are no more lines: what is wrong with them all, a static text; NULL: nothing. */
const char *ftrace_host_wrong(const struct ftrace_host *h);

/* Completes the trace. False: no memory. */
bool ftrace_host_finish(struct ftrace_host *h);

#endif
