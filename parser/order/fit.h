/* Which times make the records of vCPUs fit: each change of a vCPU begins with the state in which the one before left it. */
#ifndef XENMETER_PARSER_FIT_H
#define XENMETER_PARSER_FIT_H

#include "parser/decode/decoder.h"

/*
 * Whether the runstate changes that are queued, of tsc `from` on, contradict one another clearly less if those of the pCPU are
 * `cycles` earlier than their stamps say (negative: later). Changes that are no more than `apart` cycles apart may have happened
 * in any order. 1, 0, or -1: no memory.
 */
int fit_is_better(const struct decoder *d, uint16_t pcpu, uint64_t from, uint64_t apart, int64_t cycles);

#endif
