/*
 * One line of the text in which Linux gives its trace (tracefs: trace, trace_pipe):
 *
 *     vif3.0-q0-guest-496   [000] d.h1. 870389838553: irq_handler_entry: irq=48 name=virtio3-req.1
 *     CPU:1 [LOST 57 EVENTS]
 *
 * Source: Linux kernel/trace/trace_output.c and trace.c. The name of the task is right-aligned in its first 16 columns and
 * can contain anything.
 */
#ifndef XENMETER_HOST_FTRACE_LINE_H
#define XENMETER_HOST_FTRACE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define TASK_NAME_BYTES 17 /* TASK_COMM_LEN of Linux, and "<...>": at most 16 and the end */

/* A task, as one line names it. */
struct ftrace_task {
    uint32_t pid; /* 0: the idle task */
    char name[TASK_NAME_BYTES];
};

enum ftrace_kind {
    FTRACE_WRONG,   /* no line of a trace: cut or damaged */
    FTRACE_COMMENT, /* "# ..." or empty */
    FTRACE_LOST,    /* events of a CPU were lost before its next line */
    FTRACE_EVENT
};

struct ftrace_line {
    enum ftrace_kind kind;
    const char *wrong; /* FTRACE_WRONG: what is wrong with it */
    unsigned cpu;
    uint64_t lost;           /* FTRACE_LOST: how many; 1 if the line does not say */
    struct ftrace_task task; /* FTRACE_EVENT: what ran; and the rest */
    bool in_irq, in_softirq; /* in the handler of an interrupt, in a softirq, or in both */
    uint64_t tsc;
    const char *event; /* "sched_switch: prev_comm=..."; points into the text */
};

/* Reads a line, which ends with NUL, without its newline. */
void ftrace_line_read(const char *text, struct ftrace_line *line);

/* What follows "NAME: " if the event is called so; NULL: it is another one. */
const char *ftrace_is(const struct ftrace_line *line, const char *name);

/* The number that follows the first `key` ("irq=") in the event. False: there is none. */
bool ftrace_number(const char *event, const char *key, uint32_t *number);

/* The task named by "BEFOREcomm=NAME BEFOREpid=N" of an event. False: there is none. */
bool ftrace_named_task(const char *event, const char *before, struct ftrace_task *task);

#endif
