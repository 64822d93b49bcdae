/* Where a fuzz target puts the bytes of a capture, so that trace_open can read them. */
#ifndef XENMETER_TESTS_FUZZ_STORE_H
#define XENMETER_TESTS_FUZZ_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PATH 32

/* In a pipe if that is asked for and they fit into one, else in a file. Returns what to close, and a path. */
int store_capture(const uint8_t *data, size_t n, bool through_pipe, char path[STORE_PATH]);

#endif
