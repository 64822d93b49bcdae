/*
 * How long a driver domain's threads can have run: no longer than its vCPUs ran, waited for a pCPU, or were in a state that
 * is not known. CPU times that say more are not those of this trace, or wrong.
 *
 * They are looked at in windows, each from the last reading in one stretch of thread_times.h to the last one in a later stretch.
 */
#ifndef XENMETER_METRICS_THREAD_LIMITS_H
#define XENMETER_METRICS_THREAD_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Of one driver domain; all zero at the trace's start. */
struct thread_limit {
    uint32_t vcpus;       /* that can run now */
    uint64_t since_ns;    /* counted up to here: */
    uint64_t could_ns;    /* the time of such vCPUs, in sum */
    uint64_t mark_ns;     /* where the window ends; 0: that is not known yet */
    uint64_t at_mark_ns;  /* could_ns there */
    uint64_t begin_ns;    /* where it begins */
    uint64_t at_begin_ns; /* could_ns there */
};

/* `change` vCPUs more can run from now_ns on. Moments ascend from call to call. */
void thread_limit_count(struct thread_limit *l, uint64_t now_ns, int change);

/* A vCPU that was seen first can have run for so long before. */
void thread_limit_add(struct thread_limit *l, uint64_t ns);

/* The window ends at mark_ns, which is to come. */
void thread_limit_mark(struct thread_limit *l, uint64_t mark_ns);

struct thread_window {
    uint64_t from_ns, to_ns;
    uint64_t could_ns; /* how long threads can have run in it, in sum */
};

/* At now_ns, where the trace ends if it is the last window: ends it and begins the next one. False: it does not end by then. */
bool thread_limit_end(struct thread_limit *l, uint64_t now_ns, bool last, struct thread_window *w);

#endif
