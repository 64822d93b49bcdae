/*
 * What takes as long as all the rest is done for a part of the inputs, by their hash. With the argument --thorough of the
 * target it is done for every input: for those that once were findings.
 */
#ifndef XENMETER_TESTS_FUZZ_CHOSEN_H
#define XENMETER_TESTS_FUZZ_CHOSEN_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the input is one of n that are chosen; what is left of the hash decides the next question. */
bool one_of(uint64_t *hash, uint64_t n);

#endif
