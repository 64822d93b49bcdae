/*
 * Log-linear histogram of durations: percentiles with at most 1 % relative error that merge exactly.
 *
 * Values below 64 ns have a bucket each; above, each power of two is cut into 64 equal buckets, so a bucket is at
 * most 1/64 of its value wide and its midpoint at most 0.79 % off. Counts are u64 and add: the same result whatever
 * the order of merging. The first samples are a list of bucket numbers, as most intervals of most subjects have only a
 * few; when it is full, there are counts, allocated half an octave at a time, on first use, from the system's heap.
 */
#ifndef XENMETER_METRICS_HISTOGRAM_H
#define XENMETER_METRICS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_LISTED       64
#define HISTOGRAM_PAGE_BUCKETS 32
#define HISTOGRAM_PAGES        118 /* 59 octaves of 64 buckets: the whole range of u64 */
#define HISTOGRAM_BUCKETS      (HISTOGRAM_PAGES * HISTOGRAM_PAGE_BUCKETS)

struct histogram {
    uint64_t count;      /* samples */
    uint64_t sum;        /* of the samples, ns */
    uint64_t min;        /* ns; UINT64_MAX when empty */
    uint64_t max;        /* ns; 0 when empty */
    uint64_t max_at;     /* when (ns from the trace's start) the largest sample ended; the first of equals */
    uint64_t touched[2]; /* bit per page that has counts; none: all samples are listed */
    uint64_t **pages;    /* HISTOGRAM_PAGES pointers, or NULL before the first count */
    uint16_t *list;      /* room for HISTOGRAM_LISTED buckets, or NULL before the first sample */
    uint32_t listed_n;   /* samples in the list, in any order: those that are not counted yet */
    uint32_t pages_n;    /* that are allocated */
};

/* An empty histogram owns nothing. */
void histogram_init(struct histogram *h);
void histogram_free(struct histogram *h);

/* Back to empty; keeps its memory for reuse. */
void histogram_clear(struct histogram *h);

/* Adds one sample that ended at `at_ns`. False: no memory; the histogram can only be freed then. */
bool histogram_add(struct histogram *h, uint64_t value_ns, uint64_t at_ns);

/* The same to count, sum, min and max only: such a histogram has no percentiles, but it merges. */
void histogram_count(struct histogram *h, uint64_t value_ns, uint64_t at_ns);

/* Adds all of `from` to `into`. Associative and commutative. False: no memory; `into` can only be freed then. */
bool histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The smallest value v such that at least `per_mille` of 1000 samples are <= v, to within 1 % (never above max nor
 * below min). 0 < per_mille <= 1000. 0 when empty: ask `count` first.
 */
uint64_t histogram_percentile(const struct histogram *h, unsigned per_mille);

/* The bucket in which a sample of that length is counted. Those of powers of two begin with them. */
unsigned histogram_bucket_of(uint64_t value_ns);

/*
 * The first bucket from *bucket on (itself included) that has samples, and their number; false: there is none. To walk
 * a histogram, begin with 0 and continue with *bucket + 1.
 */
bool histogram_next_bucket(const struct histogram *h, unsigned *bucket, uint64_t *count);

/*
 * For restoring a stored histogram: adds samples to a bucket (below HISTOGRAM_BUCKETS) only; the caller sets count,
 * sum, min, max and max_at. False: no memory; the histogram can only be freed then.
 */
bool histogram_add_bucket(struct histogram *h, unsigned bucket, uint64_t count);

/* Whether count, sum, min and max can be those of samples that lie in the buckets. */
bool histogram_is_possible(const struct histogram *h);

/* Bytes of heap this histogram holds. */
size_t histogram_memory(const struct histogram *h);

#endif
