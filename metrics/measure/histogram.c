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

unsigned histogram_bucket_of(uint64_t value_ns)
{
    return bucket_of(value_ns);
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
    h->listed_n = 0;
}

void histogram_init(struct histogram *h)
{
    *h = (struct histogram){.min = UINT64_MAX};
}

void histogram_free(struct histogram *h)
{
    for (unsigned page = 0; h->pages && page < HISTOGRAM_PAGES; page++)
        free(h->pages[page]);
    free(h->pages);
    free(h->list);
    histogram_init(h);
}

/* ---- pages ---- */

/* The first page from this one on that has counts; HISTOGRAM_PAGES: none. */
static inline unsigned touched_from(const struct histogram *h, unsigned page)
{
    for (; page < HISTOGRAM_PAGES; page = (page / 64 + 1) * 64) {
        uint64_t bits = h->touched[page / 64] >> page % 64;
        if (bits)
            return page + (unsigned)__builtin_ctzll(bits);
    }
    return HISTOGRAM_PAGES;
}
#define FOR_TOUCHED(h, page)                                                                                 \
    for (unsigned page = touched_from(h, 0); page < HISTOGRAM_PAGES; page = touched_from(h, page + 1))

static inline bool is_listed(const struct histogram *h)
{
    return (h->touched[0] | h->touched[1]) == 0;
}

void histogram_clear(struct histogram *h)
{
    if (!is_listed(h)) /* pages without their bit are all zero already */
        FOR_TOUCHED(h, page)
    memset(h->pages[page], 0, HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t));
    forget_samples(h);
}

/* The page, made if need be; NULL when memory ran out. Out of line: it happens a few times per histogram. */
static __attribute__((noinline)) uint64_t *page_made(struct histogram *h, unsigned page)
{
    if (!h->pages)
        h->pages = calloc(HISTOGRAM_PAGES, sizeof *h->pages);
    if (h->pages && !h->pages[page] && (h->pages[page] = calloc(HISTOGRAM_PAGE_BUCKETS, sizeof(uint64_t))))
        h->pages_n++;
    return h->pages ? h->pages[page] : NULL;
}

static inline uint64_t *page_of(struct histogram *h, unsigned page)
{
    uint64_t *counts = h->pages ? h->pages[page] : NULL;
    return __builtin_expect(counts != NULL, 1) ? counts : page_made(h, page);
}

static inline bool count_in_page(struct histogram *h, unsigned bucket, uint64_t count)
{
    unsigned page = bucket / HISTOGRAM_PAGE_BUCKETS;
    uint64_t *counts = page_of(h, page);
    if (!counts)
        return false;
    counts[bucket % HISTOGRAM_PAGE_BUCKETS] += count;
    h->touched[page / 64] |= (uint64_t)1 << page % 64;
    return true;
}

/* ---- the list ---- */

/* The listed samples become counts. */
static bool count_listed(struct histogram *h)
{
    bool ok = true;
    for (unsigned i = 0; i < h->listed_n && ok; i++)
        ok = count_in_page(h, h->list[i], 1);
    h->listed_n = 0;
    return ok;
}

/* Makes room in the list for n samples, at most HISTOGRAM_LISTED. Out of line: most samples find it. */
static __attribute__((noinline)) bool make_room(struct histogram *h, unsigned n)
{
    if (!h->list && !(h->list = calloc(HISTOGRAM_LISTED, sizeof *h->list)))
        return false;
    return h->listed_n + n <= HISTOGRAM_LISTED || count_listed(h);
}

/* The bucket of the sample of that rank, 1 <= rank <= listed_n: its upper six bits, then the lower ones. */
static unsigned listed_of_rank(const struct histogram *h, uint64_t rank)
{
    unsigned bucket = 0;
    for (int shift = SUB_BITS; shift >= 0; shift -= (int)SUB_BITS) {
        uint8_t with[SUB_BUCKETS] = {0};
        for (unsigned i = 0; i < h->listed_n; i++) {
            unsigned upper = (unsigned)h->list[i] >> shift;
            with[upper % SUB_BUCKETS] += upper / SUB_BUCKETS == bucket;
        }
        unsigned digit = 0;
        while (with[digit] < rank)
            rank -= with[digit++];
        bucket = bucket << SUB_BITS | digit;
    }
    return bucket;
}

/* As histogram_next_bucket. */
static bool next_listed(const struct histogram *h, unsigned *bucket, uint64_t *count)
{
    unsigned least = HISTOGRAM_BUCKETS;
    *count = 0;
    for (unsigned i = 0; i < h->listed_n; i++) {
        if (h->list[i] < *bucket || h->list[i] > least)
            continue;
        *count = h->list[i] == least ? *count + 1 : 1;
        least = h->list[i];
    }
    *bucket = *count ? least : *bucket;
    return *count > 0;
}

/* ---- samples ---- */

bool histogram_add_bucket(struct histogram *h, unsigned bucket, uint64_t count)
{
    return count_in_page(h, bucket, count);
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

void histogram_count(struct histogram *h, uint64_t value_ns, uint64_t at_ns)
{
    if (value_ns >= h->max)
        note_max(h, value_ns, at_ns);
    if (value_ns < h->min)
        h->min = value_ns;
    h->count++;
    h->sum = add_capped(h->sum, value_ns);
}

bool histogram_add(struct histogram *h, uint64_t value_ns, uint64_t at_ns)
{
    bool room = h->list && h->listed_n < HISTOGRAM_LISTED;
    if (!room && !make_room(h, 1))
        return false;
    h->list[h->listed_n++] = (uint16_t)bucket_of(value_ns);
    histogram_count(h, value_ns, at_ns);
    return true;
}

static bool merge_counts(struct histogram *into, const struct histogram *from)
{
    FOR_TOUCHED(from, page)
    {
        uint64_t *restrict to = page_of(into, page);
        const uint64_t *restrict add = from->pages[page];
        if (!to)
            return false;
        for (unsigned i = 0; i < HISTOGRAM_PAGE_BUCKETS; i++)
            to[i] += add[i];
        into->touched[page / 64] |= (uint64_t)1 << page % 64;
    }
    return true;
}

static bool merge_list(struct histogram *into, const struct histogram *from)
{
    if (from->listed_n == 0)
        return true;
    if (!make_room(into, from->listed_n))
        return false;
    memcpy(into->list + into->listed_n, from->list, from->listed_n * sizeof *from->list);
    into->listed_n += from->listed_n;
    return true;
}

bool histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return true;
    if (!merge_counts(into, from) || !merge_list(into, from))
        return false;
    note_max(into, from->max, from->max_at);
    if (from->min < into->min)
        into->min = from->min;
    into->count += from->count;
    into->sum = add_capped(into->sum, from->sum);
    return true;
}

/* The listed samples, ascending. Returns how many. */
static unsigned sort_list(const struct histogram *h, uint16_t sorted[HISTOGRAM_LISTED])
{
    for (unsigned i = 0; i < h->listed_n; i++) {
        unsigned at = i;
        for (; at > 0 && sorted[at - 1] > h->list[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = h->list[i];
    }
    return h->listed_n;
}

/* The bucket that holds the sample of that rank, 1 <= rank <= count. */
static unsigned bucket_of_rank(const struct histogram *h, uint64_t rank)
{
    uint16_t sorted[HISTOGRAM_LISTED];
    unsigned bucket = 0, next = 0, listed = sort_list(h, sorted);
    FOR_TOUCHED(h, page)
    for (unsigned i = 0; i < HISTOGRAM_PAGE_BUCKETS; i++) {
        uint64_t count = h->pages[page][i];
        if (!count)
            continue;
        bucket = page * HISTOGRAM_PAGE_BUCKETS + i;
        for (; next < listed && sorted[next] < bucket; next++)
            if (--rank == 0)
                return sorted[next];
        if (count >= rank)
            return bucket;
        rank -= count;
    }
    return next + rank <= listed ? sorted[next + rank - 1] : bucket;
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
    uint64_t value = bucket_middle(is_listed(h) ? listed_of_rank(h, rank) : bucket_of_rank(h, rank));
    if (value > h->max)
        return h->max;
    return value < h->min ? h->min : value;
}

/* As histogram_next_bucket, of the counts. */
static bool next_counted(const struct histogram *h, unsigned *bucket, uint64_t *count)
{
    for (unsigned at = *bucket; at < HISTOGRAM_BUCKETS;) {
        unsigned page = touched_from(h, at / HISTOGRAM_PAGE_BUCKETS);
        if (page > at / HISTOGRAM_PAGE_BUCKETS)
            at = page * HISTOGRAM_PAGE_BUCKETS;
        for (; at / HISTOGRAM_PAGE_BUCKETS == page && page < HISTOGRAM_PAGES; at++)
            if (h->pages[page][at % HISTOGRAM_PAGE_BUCKETS]) {
                *bucket = at;
                *count = h->pages[page][at % HISTOGRAM_PAGE_BUCKETS];
                return true;
            }
    }
    return false;
}

bool histogram_next_bucket(const struct histogram *h, unsigned *bucket, uint64_t *count)
{
    unsigned counted = *bucket, listed = *bucket;
    uint64_t counts = 0, samples = 0;
    bool any_counted = next_counted(h, &counted, &counts), any_listed = next_listed(h, &listed, &samples);
    if (!any_counted && !any_listed)
        return false;
    *bucket = !any_listed || (any_counted && counted < listed) ? counted : listed;
    *count =
        (any_counted && counted == *bucket ? counts : 0) + (any_listed && listed == *bucket ? samples : 0);
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
    return (h->list ? HISTOGRAM_LISTED * sizeof *h->list : 0) +
           (h->pages ? HISTOGRAM_PAGES * sizeof *h->pages : 0) +
           h->pages_n * HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t);
}
