/*
 * Counters read outside the trace: packets of each guest's network device, requests of its disks, and the CPU time of
 * threads and processes that work for it, as the driver domain's kernel counts them. Cumulative; between two readings
 * they are taken to grow evenly.
 */
#ifndef XENMETER_METRICS_COUNTERS_H
#define XENMETER_METRICS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io.h"
#include "parser/order/clock.h"

#define COUNTER_KINDS  (IO_KINDS - IO_TX) /* tx, rx, read, write: kind IO_TX + i is count[i] */
#define COUNTER_CPU    COUNTER_KINDS      /* ns of CPU time; no events */
#define COUNTER_COUNTS (COUNTER_CPU + 1)
#define NO_DEVICE      UINT32_MAX

/* One device of one guest at one moment. */
struct counter_reading {
    uint64_t tsc;     /* of the reading; valid if counters.has_tsc */
    uint64_t time_ns; /* else: ns from the trace's start, below 2^63 */
    uint64_t count
        [COUNTER_COUNTS]; /* since the device began; a count of events that falls has begun anew from 0 */
                          /* after counters_sort it never falls; CPU times stay as they were read */
    uint32_t device;      /* index in counters.devices */
    uint32_t line;        /* of the file; 0: it is of none */
};

struct counter_device {
    char name[48];   /* "vif1.0"; of CPU time a kind of work, "guest-rx" */
    uint16_t domain; /* the guest; of CPU time also the driver domain itself: its "irq" and "softirq" */
    uint16_t idd;    /* the driver domain that counted; 0 unless the file says otherwise */
    bool counts[COUNTER_COUNTS]; /* those that this device counts */
};

struct counters {
    struct counter_reading *readings; /* in any order; counters_sort orders them by device, then by time */
    size_t readings_n;
    struct counter_device *devices;
    size_t devices_n;
    /* Made by counters_sort: */
    size_t *begins;         /* devices_n + 1 of them: where each device's readings begin */
    uint32_t *first, *next; /* a domain's first device, by id; the next one of the same domain; NO_DEVICE */
    bool has_tsc;           /* readings have a tsc; else a time_ns */
    bool
        cpu_is_net; /* CPU times leave out what the kernel knows to be stolen: time in which the vCPU had no pCPU */
};

struct error;

/* Whether it counts packets or requests. */
bool counter_device_has_events(const struct counter_device *d);

/*
 * Orders the readings, and makes counts that began anew continue. Call before the functions below. Each reading's
 * `device` is below devices_n. -1 with `err` filled: one device has two different readings of one moment, or no memory.
 */
int counters_sort(struct counters *c, struct error *err);

/* The first of the domain's devices, c->next[] has those after it; NO_DEVICE: none was counted, or c is NULL. */
static inline uint32_t counters_first(const struct counters *c, int32_t domain)
{
    return c ? c->first[domain] : NO_DEVICE;
}

/* Frees the arrays, all from malloc, and c itself; NULL is fine. */
void counters_free(struct counters *c);

/* Of one whose devices and readings are the caller's: what counters_sort() made. */
void counters_free_index(struct counters *c);

/*
 * The tsc frequency by the readings that have both a tsc and a time, over half of what each device was read; sort first. Its
 * standard error in ppm is what the readings scatter by, as the two may be read some time apart. False: there are too few,
 * or there is no memory.
 */
bool counters_frequency(const struct counters *c, double *hz, double *error_ppm);

/*
 * The events of this kind (0 .. COUNTER_KINDS - 1) that the device counted in [from_ns, to_ns) of the trace; they are taken to
 * come evenly between two readings, and are 0 outside of the readings. `clock` turns tsc into ns. Of the
 * events between a reading before the trace's start and the first one inside, the part after the start counts.
 */
double counters_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                        uint64_t to_ns, const struct clock *clock);

/* The same in whole events; adjoining stretches add up to the whole one exactly. */
uint64_t counters_whole_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                                uint64_t to_ns, const struct clock *clock);

/* CPU time of a part of the trace's time. */
struct cpu_time {
    double ns;              /* as far as it is possible */
    double least_ns;        /* it cannot be less, however it passed between two readings */
    uint64_t impossible_ns; /* so much of that part of the trace's time lies between readings that are not */
};

/*
 * The CPU time that the device counted in [from_ns, to_ns); between two readings it is taken to pass evenly. It cannot fall
 * but to 0, where counting began anew, nor grow by more than `vcpus` vCPUs can run between the two readings.
 */
struct cpu_time counters_cpu_between(const struct counters *c, uint32_t device, uint64_t from_ns,
                                     uint64_t to_ns, const struct clock *clock, uint32_t vcpus);

/* The last reading of the device up to `until_ns`: *ns, from the trace's start. False: there is none in the trace. */
bool counters_last(const struct counters *c, uint32_t device, uint64_t until_ns, const struct clock *clock,
                   uint64_t *ns);

/*
 * The first reading of the device after `after_ns`: *ns, from the trace's start. False: there is none.
 */
bool counters_next(const struct counters *c, uint32_t device, uint64_t after_ns, const struct clock *clock,
                   uint64_t *ns);

/* Whether the readings of the device cover all of [from_ns, to_ns). */
bool counters_cover(const struct counters *c, uint32_t device, uint64_t from_ns, uint64_t to_ns,
                    const struct clock *clock);

/*
 * The first and the last reading, ns from the trace's start (negative: before it). False when no device was read twice:
 * then no events are known.
 */
bool counters_span(const struct counters *c, const struct clock *clock, int64_t *from_ns, int64_t *to_ns);

#endif
