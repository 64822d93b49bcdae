/* Threads that do a part of the work. */
#ifndef XENMETER_PARSER_THREAD_H
#define XENMETER_PARSER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/*
 * Begins a thread of that name (at most 15 characters), which top and perf show. It blocks all signals but SIGBUS, which a mapped file raises that is truncated: the other handlers run in the
 * caller's threads. False: there is no thread to be had.
 */
bool thread_begin(pthread_t *thread, const char *name, void *(*work)(void *context), void *context);

#endif
