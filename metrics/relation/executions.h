/* The words for what struct execution has as numbers, by number; ended by NULL. */
#ifndef XENMETER_METRICS_RELATION_EXECUTIONS_H
#define XENMETER_METRICS_RELATION_EXECUTIONS_H

extern const char *const wait_kind_words[]; /* "wake" "preempt"; "" for WAIT_UNKNOWN */
extern const char *const end_words[];       /* "blocked" "preempted" ... */

#endif
