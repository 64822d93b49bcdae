/* What the pCPUs' filters of I/O know at a place of a trace (parser/decode/io_filter.h), in a snapshot. */
#ifndef XENMETER_METRICS_IO_PASTS_H
#define XENMETER_METRICS_IO_PASTS_H

#include "parser/decode/io_filter.h"
#include "snapshot.h"

/* All zero: of no pCPU. */
struct io_pasts {
    struct io_past *at;
    size_t n;
    uint8_t *bits; /* where these point to */
};

/* Saves those of n pCPUs. */
void io_pasts_save(struct snapshot *s, const struct io_past *at, size_t n);

/* Reads them into an empty list, the caller's to free; s->failed: damaged, or no memory. */
void io_pasts_read(struct snapshot *s, struct io_pasts *to);
void io_pasts_free(struct io_pasts *p);

#endif
