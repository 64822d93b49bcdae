/*
 * Time order across pCPUs.
 *
 * xentrace reads the rings in ascending pCPU order and again from the start: a sweep. When sweep k+1 has ended, every
 * ring has been read after the last record of sweep k was written: what is not younger than that record has arrived.
 * That is the watermark, up to which the streams are merged. It waits, besides, for each pCPU that is writing: a
 * LOST_RECORDS record tells of blind time that began right after the pCPU's last record, and is written late.
 */
#ifndef XENMETER_PARSER_ORDER_H
#define XENMETER_PARSER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "parser/decode/window.h"

struct order {
    struct cursor *cursors; /* of the streams with events to hand on, in the order of their pCPUs */
    unsigned n;             /* how many */
    uint64_t *tree;         /* of their keys; see order.c */
    unsigned leaves;        /* of it: a power of two, 0 when there is nothing to hand on */
    unsigned capacity;      /* of both */
    uint64_t base;          /* tsc that keys count from */
    uint64_t sweep_max;     /* largest tsc of the sweeps before the one that ended last */
    uint64_t watermark;
};

void order_free(struct order *o);

/* A sweep has ended: returns the new watermark. */
uint64_t order_sweep(struct order *o, const struct decoder *d);

/* Collects the streams to merge up to the watermark. -1 when there is no memory. */
int order_begin(struct order *o, const struct decoder *d, uint64_t watermark);

/*
 * Moves up to `room` events, in order, to `to`, or one more if that is an EVENT_MORE; returns how many. Less than `room`:
 * all up to the watermark are handed on.
 */
size_t order_take(struct order *o, struct event *to, size_t room);

#endif
