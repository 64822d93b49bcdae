/*
 * Counters read outside the trace: packets of each guest's network device and requests of its disks, as the driver
 * domain's kernel counts them. Cumulative; between two readings they are taken to grow evenly.
 */
#ifndef XENMETER_METRICS_COUNTERS_H
#define XENMETER_METRICS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "parser/order/clock.h"

#define COUNTER_KINDS (IO_KINDS - IO_TX) /* tx, rx, read, write: kind IO_TX + i is count[i] */

/* One device of one guest at one moment. */
struct counter_reading {
    uint64_t tsc;                  /* when; meaningful if counters.has_tsc */
    uint64_t time_ns;              /* else: ns from the trace's start, below 2^63 */
    uint64_t count[COUNTER_KINDS]; /* since the device began; a count that falls has begun anew from 0 */
                                   /* once sorted it does not fall: it goes on from where it was */
    uint32_t device;               /* index in counters.devices */
};

struct counter_device {
    char name[48];              /* "vif1.0" */
    uint16_t domain;            /* the guest */
    uint16_t idd;               /* the driver domain that counted; 0 unless the file says otherwise */
    bool counts[COUNTER_KINDS]; /* which of the four it has at all */
};

struct counters {
    struct counter_reading *readings; /* in any order; counters_sort orders them by device, then by time */
    size_t readings_n;
    struct counter_device *devices;
    size_t devices_n;
    size_t *begins; /* devices_n + 1 of them, made by counters_sort: where each device's readings begin */
    bool has_tsc;   /* readings are lined up by tsc; else by time_ns */
};

struct error;

/*
 * Orders the readings and lets their counts grow on where they began anew: to be called before anything is asked. Each
 * reading's `device` is below devices_n. -1 with `err` filled when one device has two readings of one moment that
 * differ, or no memory is left.
 */
int counters_sort(struct counters *c, struct error *err);

/* Frees the arrays, all from malloc, and c itself; NULL is fine. */
void counters_free(struct counters *c);

/*
 * How much of this kind (0 .. COUNTER_KINDS - 1) the device counted in [from_ns, to_ns) of the trace, growing evenly
 * between readings; 0 outside of them. `clock` turns tsc into ns. A reading from before the trace's start has its
 * place there too: what was counted from it to the first one inside is shared out over the time on both sides.
 */
double counters_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                        uint64_t to_ns, const struct clock *clock);

/* The same in whole events; adjoining stretches add up to the whole one exactly. */
uint64_t counters_whole_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                                uint64_t to_ns, const struct clock *clock);

/*
 * Where in the trace the readings begin and end, ns from its start (negative: before it). False when no device was read
 * twice: nothing can be told from them.
 */
bool counters_span(const struct counters *c, const struct clock *clock, int64_t *from_ns, int64_t *to_ns);

#endif
