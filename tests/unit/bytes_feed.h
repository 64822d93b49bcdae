/* Bytes in memory as the source of a trace. */
#ifndef XENMETER_TESTS_UNIT_BYTES_FEED_H
#define XENMETER_TESTS_UNIT_BYTES_FEED_H

#include "parser/source/feed.h"

struct bytes_feed {
    const uint8_t *at;
    size_t n;
    size_t piece; /* so many bytes at a time; 0: all at once */
    size_t done;  /* so many were delivered */
};

/* The bytes from their beginning on. `f` and its bytes are to outlive the feed, of which there is one at a time. */
struct feed bytes_feed_of(struct bytes_feed *f);

#endif
