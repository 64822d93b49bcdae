#include "bytes_feed.h"

static int next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct bytes_feed *f = context;
    size_t rest = f->n - f->done;
    (void)err;
    *bytes = f->at + f->done;
    *n = f->piece > 0 && f->piece < rest ? f->piece : rest;
    f->done += *n;
    return *n > 0;
}

static void position(void *context, uint64_t *done, uint64_t *size)
{
    const struct bytes_feed *f = context;
    *done = f->done;
    *size = f->n;
}

struct feed bytes_feed_of(struct bytes_feed *f)
{
    f->done = 0;
    return (struct feed){.context = f, .next = next, .position = position, .compression = "none"};
}
