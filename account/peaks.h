/*
 * The busiest second and the busiest five minutes of each domain of a capture, counted from the capture's beginning: of what it costs, as
 * account_row.total_ns has it.
 */
#ifndef XENMETER_ACCOUNT_PEAKS_H
#define XENMETER_ACCOUNT_PEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/charge.h"
#include "metrics/measure/row.h"

struct peak {
    int32_t domain;
    uint32_t life;
    int64_t now_ns;      /* in the interval at hand */
    uint64_t sum_ns[2];  /* in the windows at hand, of 1 s and of 300 s */
    uint64_t most_ns[2]; /* in any window before */
};

/* All zero is none. */
struct peaks {
    struct peak *list; /* by domain and life */
    size_t n, capacity;
    bool known[2];      /* intervals are short enough for windows of 1 s and of 300 s */
    uint64_t window[2]; /* that are open, by number */
    uint64_t at_ns;     /* where the interval at hand begins */
    bool open;          /* there is one */
};

/* Empties it; intervals will be that long. */
void peaks_begin(struct peaks *p, uint64_t interval_ns);
void peaks_free(struct peaks *p);

/* The next interval, and its charges, in the order of time. False: no memory. */
bool peaks_rows(struct peaks *p, uint64_t start_ns, const struct row *rows, size_t n);
bool peaks_charges(struct peaks *p, const struct charge_idd *idds, size_t n);

/* After the last interval. */
void peaks_end(struct peaks *p);

/* NULL: that domain was in no interval. */
const struct peak *peaks_of(const struct peaks *p, int32_t domain, uint32_t life);

#endif
