/* One capture read in two ways: what is handed out must be the same, byte for byte. */
#ifndef XENMETER_TESTS_FUZZ_WAYS_H
#define XENMETER_TESTS_FUZZ_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/row.h"

enum way {
    WAY_WHOLE,    /* all bytes at once, on one thread */
    WAY_DRIBBLED, /* a few bytes at a time, as of a live pipe */
    WAY_AHEAD,    /* decoded on another thread, as by -j */
    WAY_PIPE,     /* through a pipe */
    WAYS
};

/* What is asked for, and what dribbles. */
struct asked {
    enum by by;
    bool charges, cpu_hz_given;
    size_t chunk; /* bytes at a time */
};

/* Reads n bytes of a capture as a whole and in the other way, and aborts if what comes out differs. */
void ways_compare(const uint8_t *bytes, size_t n, enum way way, const struct asked *asked);

/* Begins in the middle of a capture that can be read, at each place that has a snapshot: what follows is the same. */
void ways_compare_cuts(const uint8_t *bytes, size_t n, bool charges);

#endif
