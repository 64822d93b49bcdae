/*
 * Mutations that keep a capture readable: of records, of windows (tests/unit/damaged_windows.h), and now and then another host's
 * capture instead (tests/unit/random_host.h). Random flips of bytes mostly break the framing, and then test nothing but the search
 * for the next window.
 */
#ifndef XENMETER_TESTS_FUZZ_MUTATE_H
#define XENMETER_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes an input (a byte of choices, then a capture) in place; returns its new length, at most `room`. */
size_t mutate(uint8_t *data, size_t n, size_t room, unsigned seed);

#endif
