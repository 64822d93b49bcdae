#include "histogram.h"

#include <stdlib.h>
#include <string.h>

#define SUB_BITS    6 /* 64 buckets per power of two */
#define SUB_BUCKETS (1u << SUB_BITS)

/*
 * With e the place of the highest bit, at least 6: (e - 6) * 64 + (value >> (e - 6)). The shifted value lies
 * in 64..127 from 64 on, so octaves follow each other without a gap; below 64 nothing is shifted.
 */
static inline unsigned bucket_of(uint64_t value)
{
    unsigned shift = 63u - (unsigned)__builtin_clzll(value | SUB_BUCKETS) - SUB_BITS;
    return shift * SUB_BUCKETS + (unsigned)(value >> shift);
}

/* The middle of a bucket: at most 1/128 of its value away from anything counted in it. */
static uint64_t bucket_middle(unsigned bucket)
{
    if (bucket < 2 * SUB_BUCKETS)
        return bucket;
    unsigned shift = bucket / SUB_BUCKETS - 1;
    uint64_t lowest = (uint64_t)(SUB_BUCKETS + bucket % SUB_BUCKETS) << shift;
    return lowest + ((uint64_t)1 << (shift - 1));
}

/* Stops at the largest value instead of wrapping: still the same in whatever order things are added. */
static inline uint64_t add_capped(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void forget_samples(struct histogram *h)
{
    h->count = 0;
    h->sum = 0;
    h->min = UINT64_MAX;
    h->max = 0;
    h->max_at = 0;
    h->touched[0] = 0;
    h->touched[1] = 0;
}

void histogram_init(struct histogram *h)
{
    forget_samples(h);
    h->pages = NULL;
}

void histogram_free(struct histogram *h)
{
    if (h->pages) {
        for (unsigned page = 0; page < HISTOGRAM_PAGES; page++)
            free(h->pages[page]);
        free(h->pages);
    }
    histogram_init(h);
}

void histogram_clear(struct histogram *h)
{
    /* Pages without their bit are all zero already. */
    for (unsigned half = 0; half < 2; half++)
        for (uint64_t bits = h->touched[half]; bits; bits &= bits - 1) {
            unsigned page = half * 64 + (unsigned)__builtin_ctzll(bits);
            memset(h->pages[page], 0, HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t));
        }
    forget_samples(h);
}

/* The page, made if need be; NULL when memory ran out. Out of line: it happens a few times per histogram. */
static __attribute__((noinline)) uint64_t *page_made(struct histogram *h, unsigned page)
{
    if (!h->pages)
        h->pages = calloc(HISTOGRAM_PAGES, sizeof *h->pages);
    if (h->pages && !h->pages[page])
        h->pages[page] = calloc(HISTOGRAM_PAGE_BUCKETS, sizeof(uint64_t));
    return h->pages ? h->pages[page] : NULL;
}

static inline uint64_t *page_of(struct histogram *h, unsigned page)
{
    uint64_t *counts = h->pages ? h->pages[page] : NULL;
    return __builtin_expect(counts != NULL, 1) ? counts : page_made(h, page);
}

static inline void note_max(struct histogram *h, uint64_t value, uint64_t at)
{
    if (value > h->max || h->count == 0) {
        h->max = value;
        h->max_at = at;
    } else if (value == h->max && at < h->max_at) {
        h->max_at = at;
    }
}

bool histogram_add(struct histogram *h, uint64_t value_ns, uint64_t at_ns)
{
    unsigned bucket = bucket_of(value_ns);
    unsigned page = bucket / HISTOGRAM_PAGE_BUCKETS;
    uint64_t *counts = page_of(h, page);
    if (!counts)
        return false;
    counts[bucket % HISTOGRAM_PAGE_BUCKETS]++;
    h->touched[page / 64] |= (uint64_t)1 << page % 64;
    if (value_ns >= h->max)
        note_max(h, value_ns, at_ns);
    if (value_ns < h->min)
        h->min = value_ns;
    h->count++;
    h->sum = add_capped(h->sum, value_ns);
    return true;
}

bool histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return true;
    /* All pages first: either everything is merged or nothing. */
    for (unsigned half = 0; half < 2; half++)
        for (uint64_t bits = from->touched[half]; bits; bits &= bits - 1)
            if (!page_of(into, half * 64 + (unsigned)__builtin_ctzll(bits)))
                return false;
    for (unsigned half = 0; half < 2; half++) {
        for (uint64_t bits = from->touched[half]; bits; bits &= bits - 1) {
            unsigned page = half * 64 + (unsigned)__builtin_ctzll(bits);
            uint64_t *to = into->pages[page];
            const uint64_t *add = from->pages[page];
            for (unsigned i = 0; i < HISTOGRAM_PAGE_BUCKETS; i++)
                to[i] += add[i];
        }
        into->touched[half] |= from->touched[half];
    }
    note_max(into, from->max, from->max_at);
    if (from->min < into->min)
        into->min = from->min;
    into->count += from->count;
    into->sum = add_capped(into->sum, from->sum);
    return true;
}

/* The bucket that holds the sample of that rank, 1 <= rank <= count. */
static unsigned bucket_of_rank(const struct histogram *h, uint64_t rank)
{
    uint64_t seen = 0;
    unsigned bucket = 0;
    for (unsigned half = 0; half < 2; half++) {
        for (uint64_t bits = h->touched[half]; bits; bits &= bits - 1) {
            unsigned page = half * 64 + (unsigned)__builtin_ctzll(bits);
            for (unsigned i = 0; i < HISTOGRAM_PAGE_BUCKETS; i++) {
                if (!h->pages[page][i])
                    continue;
                seen += h->pages[page][i];
                bucket = page * HISTOGRAM_PAGE_BUCKETS + i;
                if (seen >= rank)
                    return bucket;
            }
        }
    }
    return bucket;
}

uint64_t histogram_percentile(const struct histogram *h, unsigned per_mille)
{
    if (h->count == 0)
        return 0;
    uint64_t rank = h->count / 1000 * per_mille + (h->count % 1000 * per_mille + 999) / 1000; /* rounded up */
    if (rank >= h->count) /* the ends are known exactly */
        return h->max;
    if (rank <= 1)
        return h->min;
    uint64_t value = bucket_middle(bucket_of_rank(h, rank));
    if (value > h->max)
        return h->max;
    return value < h->min ? h->min : value;
}

bool histogram_next_bucket(const struct histogram *h, unsigned *bucket, uint64_t *count)
{
    unsigned page = *bucket / HISTOGRAM_PAGE_BUCKETS, i = *bucket % HISTOGRAM_PAGE_BUCKETS;
    for (; page < HISTOGRAM_PAGES; page++, i = 0) {
        if (!(h->touched[page / 64] >> page % 64 & 1))
            continue;
        const uint64_t *counts = h->pages[page];
        for (; i < HISTOGRAM_PAGE_BUCKETS; i++)
            if (counts[i]) {
                *bucket = page * HISTOGRAM_PAGE_BUCKETS + i;
                *count = counts[i];
                return true;
            }
    }
    return false;
}

bool histogram_add_bucket(struct histogram *h, unsigned bucket, uint64_t count)
{
    unsigned page = bucket / HISTOGRAM_PAGE_BUCKETS;
    uint64_t *counts = page_of(h, page);
    if (!counts)
        return false;
    counts[bucket % HISTOGRAM_PAGE_BUCKETS] += count;
    h->touched[page / 64] |= (uint64_t)1 << page % 64;
    return true;
}

/* All but one of the samples at one end of the range, the last one at the other. */
static uint64_t extreme_sum(const struct histogram *h, uint64_t most, uint64_t one)
{
    uint64_t sum;
    return __builtin_mul_overflow(h->count - 1, most, &sum) ? UINT64_MAX : add_capped(sum, one);
}

bool histogram_is_possible(const struct histogram *h)
{
    unsigned first = HISTOGRAM_BUCKETS, last = 0;
    uint64_t count, seen = 0;
    for (unsigned bucket = 0; histogram_next_bucket(h, &bucket, &count); bucket++) {
        if (__builtin_add_overflow(seen, count, &seen))
            return false;
        if (first == HISTOGRAM_BUCKETS)
            first = bucket;
        last = bucket;
    }
    if (seen != h->count)
        return false;
    if (seen == 0)
        return h->sum == 0 && h->min == UINT64_MAX && h->max == 0;
    return h->min <= h->max && bucket_of(h->min) == first && bucket_of(h->max) == last &&
           h->sum >= extreme_sum(h, h->min, h->max) && h->sum <= extreme_sum(h, h->max, h->min);
}

size_t histogram_memory(const struct histogram *h)
{
    if (!h->pages)
        return 0;
    size_t bytes = HISTOGRAM_PAGES * sizeof *h->pages;
    for (unsigned page = 0; page < HISTOGRAM_PAGES; page++)
        if (h->pages[page])
            bytes += HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t);
    return bytes;
}
