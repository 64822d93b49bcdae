/* What is shown of one moment: the last second and the last ten, added up from the history. */
#ifndef XENMETER_SCREEN_PICTURE_H
#define XENMETER_SCREEN_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "screen/history.h"

enum span { SPAN_ONE, SPAN_TEN, SPANS };

/* A time of the host, and what was measured in it. */
struct window {
    struct interval interval; /* .gap_ns: of it, no seconds are there; then nothing is known of that time */
    struct row_set rows[BYS];
    struct charge_set charges;
    struct delay *delays; /* by victim's vCPU and culprit, each once */
    size_t delays_n;
    unsigned parts; /* enum second_part, or-ed: that all of its seconds have */
};

/* All zero is of no moment. */
struct picture {
    bool any;        /* there is a second to show */
    uint64_t now_ns; /* its end */
    struct window windows[SPANS];
    struct execution *executions, *waits; /* of the last second (struct second) */
    size_t executions_n, waits_n;
    uint64_t executions_left_out;
    struct watched watched;
    struct host_point host;
    bool counted, has_utc;
    int64_t utc_ns;
    uint64_t lost_records, records, arrived_ns; /* as struct second has them */
    struct judgement judgement;
};

/*
 * The picture of the newest second that ends at or before now_ns, with those parts (enum second_part, or-ed; those of pCPUs only of the
 * last second, for the host's line, are there in any case). False: no memory; what was there before is freed in both cases.
 */
bool picture_make(struct picture *p, struct history *h, uint64_t now_ns, unsigned parts);
void picture_free(struct picture *p);

/* The order of delays in a window; they are void pointers for qsort and bsearch. */
int delay_compare(const void *a, const void *b);

/* Adds delays of the same pair. */
void delay_add(struct delay *to, const struct delay *from);

#endif
