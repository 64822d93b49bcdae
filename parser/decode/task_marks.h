/*
 * What driver domains' kernels say with hypercalls of the tasks they run: so many that they are marks beside the events,
 * not events. See io_filter.h for which domains.
 */
#ifndef XENMETER_PARSER_TASK_MARKS_H
#define XENMETER_PARSER_TASK_MARKS_H

#include <stddef.h>
#include <stdint.h>

enum task_mark {
    TASK_SWITCHES, /* the kernel switches to another task */
    TASK_RETURNS,  /* it returns from an interrupt, or to user mode */
    TASK_TIMER,    /* it sets its timer */
    TASK_POLLS     /* it waits for an event, in the middle of a task */
};

/* A mark: its tsc (below 2^62) and its kind. */
static inline uint64_t task_mark(uint64_t tsc, enum task_mark kind)
{
    return tsc << 2 | kind;
}

static inline uint64_t task_mark_tsc(uint64_t mark)
{
    return mark >> 2;
}

static inline enum task_mark task_mark_kind(uint64_t mark)
{
    return (enum task_mark)(mark & 3);
}

/* Those of a pCPU that are new, in the order of its records. */
struct task_marks {
    const uint64_t *at;
    size_t n;
    uint16_t pcpu;
};

#endif
