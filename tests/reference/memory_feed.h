/* A trace in memory, handed out so many bytes at a time. */
#ifndef XENMETER_TESTS_REFERENCE_MEMORY_FEED_H
#define XENMETER_TESTS_REFERENCE_MEMORY_FEED_H

#include "parser/source/feed.h"

struct memory_feed {
    const uint8_t *bytes;
    size_t n, chunk;
    size_t at; /* handed out */
};

static inline int memory_feed_next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct memory_feed *m = context;
    (void)err;
    *n = m->n - m->at < m->chunk ? m->n - m->at : m->chunk;
    *bytes = m->bytes + m->at;
    m->at += *n;
    return *n > 0;
}

static inline void memory_feed_position(void *context, uint64_t *done, uint64_t *size)
{
    const struct memory_feed *m = context;
    *done = m->at;
    *size = m->n;
}

/* The memory is the caller's until the trace is closed. */
static inline struct feed memory_feed(struct memory_feed *m)
{
    return (struct feed){m, memory_feed_next, memory_feed_position, "none"};
}

#endif
