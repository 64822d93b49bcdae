/* Threads that do a part of the work, and what CPU time they took. */
#ifndef XENMETER_PARSER_THREAD_H
#define XENMETER_PARSER_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Begins a thread of that name (static; at most 15 characters), which top and perf show. The thread blocks all signals but those of
 * faults, as SIGBUS, which a mapped file raises that is truncated: the other handlers run in the caller's threads. False: there is no thread to be had.
 */
bool thread_begin(pthread_t *thread, const char *name, void *(*work)(void *context), void *context);

struct thread_time {
    const char *name;
    unsigned threads; /* of that name, which have ended */
    uint64_t cpu_ns;  /* of them all */
};

#define THREAD_NAMES 8

/* Sets to[0], ... by the names of threads that have ended, in the order of their first end. Returns how many names there are. */
size_t thread_times(struct thread_time to[THREAD_NAMES]);

/* CPU time of the calling thread. */
uint64_t thread_cpu_ns(void);

#endif
