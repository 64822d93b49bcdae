/* A capture's results, kept in an archive and read back: they must be what the pass handed out, byte for byte. */
#ifndef XENMETER_TESTS_FUZZ_ARCHIVED_H
#define XENMETER_TESTS_FUZZ_ARCHIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/ways.h"

/* Reads n bytes of a capture once for rows and once into an archive, which is then read. */
void archived_compare(const uint8_t *bytes, size_t n, const struct asked *asked);

#endif
