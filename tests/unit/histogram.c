/* The histogram of durations: at most 1 % off, and merging changes nothing. */
#include "metrics/measure/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "random.h"
#include "suites.h"
#include "told.h"

#define SAMPLES 20000

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* One sample of a distribution; `kind` chooses it. */
static uint64_t draw(unsigned kind, uint64_t *random)
{
    double u = ((double)(random64(random) >> 11) + 1) / 9007199254740993.0; /* (0, 1] */
    switch (kind) {
    case 0: /* small whole numbers */
        return random_below(random, 70);
    case 1: /* uniform */
        return random_below(random, 30000000);
    case 2: /* exponential, mean 1 ms */
        return (uint64_t)(-log(u) * 1e6);
    case 3: /* heavy tail */
        return (uint64_t)(1000 / pow(u, 1.2));
    case 4: /* two peaks far apart */
        return random_below(random, 10) ? 1000 + random_below(random, 50)
                                        : 5000000000 + random_below(random, 1000);
    case 5: /* every magnitude there is */
        return random64(random) >> random_below(random, 64);
    default: /* always the same */
        return 123456789;
    }
}

#define KINDS 7

static void percentiles_are_at_most_one_percent_off(void)
{
    static const unsigned per_mille[] = {1, 10, 100, 250, 500, 900, 990, 999, 1000};
    static uint64_t samples[SAMPLES];
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (size_t n = 1; n <= SAMPLES; n = n * 3 + 1) {
            struct histogram h;
            histogram_init(&h);
            uint64_t random = kind * 1000 + n;
            for (size_t i = 0; i < n; i++) {
                samples[i] = draw(kind, &random);
                CHECK(histogram_add(&h, samples[i], i));
            }
            qsort(samples, n, sizeof samples[0], compare);
            for (unsigned p = 0; p < sizeof per_mille / sizeof per_mille[0]; p++) {
                size_t rank = (n * per_mille[p] + 999) / 1000;
                double exact = (double)samples[rank - 1];
                double told = (double)histogram_percentile(&h, per_mille[p]);
                CHECK(fabs(told - exact) <= exact / 100);
                CHECK(told >= (double)h.min && told <= (double)h.max);
            }
            EQUAL(h.min, samples[0]);
            EQUAL(h.max, samples[n - 1]);
            EQUAL(histogram_percentile(&h, 1000), samples[n - 1]);
            histogram_free(&h);
        }
}

/* All that can be asked of both is the same, to the last bit. */
static void check_same(const struct histogram *a, const struct histogram *b)
{
    CHECK(same_histogram(a, b));
    for (unsigned per_mille = 1; per_mille <= 1000; per_mille += 37)
        EQUAL(histogram_percentile(a, per_mille), histogram_percentile(b, per_mille));
}

static void merging_is_the_same_in_any_order_and_as_if_never_split(void)
{
    struct histogram part[KINDS], whole, forth, back, nested, inner;
    histogram_init(&whole);
    histogram_init(&forth);
    histogram_init(&back);
    histogram_init(&nested);
    histogram_init(&inner);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint64_t random = kind;
        histogram_init(&part[kind]);
        for (uint64_t i = 0; i < 3000; i++) {
            uint64_t sample = draw(kind, &random);
            histogram_add(&part[kind], sample, (i * 7919) % 3000); /* times in no order */
            histogram_add(&whole, sample, (i * 7919) % 3000);
        }
    }
    for (unsigned i = 0; i < KINDS; i++) {
        CHECK(histogram_merge(&forth, &part[i]));
        CHECK(histogram_merge(&back, &part[KINDS - 1 - i]));
    }
    for (unsigned i = KINDS; i-- > 0;) { /* 0 + (1 + (2 + ...)) */
        struct histogram outer;
        histogram_init(&outer);
        histogram_merge(&outer, &part[i]);
        histogram_merge(&outer, &inner);
        histogram_free(&inner);
        inner = outer;
    }
    histogram_merge(&nested, &inner);
    check_same(&forth, &whole);
    check_same(&back, &whole);
    check_same(&nested, &whole);
    for (unsigned p = 1; p <= 1000; p++)
        EQUAL(histogram_percentile(&forth, p), histogram_percentile(&back, p));
    for (unsigned i = 0; i < KINDS; i++)
        histogram_free(&part[i]);
    histogram_free(&whole);
    histogram_free(&forth);
    histogram_free(&back);
    histogram_free(&nested);
    histogram_free(&inner);
}

/* Adds a sample to the counts of a histogram; what else is known of its samples is that of `like`. */
static void count_sample(struct histogram *h, uint64_t sample, const struct histogram *like)
{
    struct histogram one;
    unsigned bucket = 0;
    uint64_t n = 0;
    histogram_init(&one);
    CHECK(histogram_add(&one, sample, 0) && histogram_next_bucket(&one, &bucket, &n) && n == 1);
    CHECK(histogram_add_bucket(h, bucket, 1));
    h->count = like->count;
    h->sum = like->sum;
    h->min = like->min;
    h->max = like->max;
    h->max_at = like->max_at;
    histogram_free(&one);
}

/* Samples are listed first, and counted when the list is full: what is listed cannot be told from what is counted. */
static void few_samples_are_as_exact_as_many(void)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct histogram few, counts, twice, doubled;
        uint64_t random = kind;
        histogram_init(&few);
        histogram_init(&counts);
        histogram_init(&twice);
        histogram_init(&doubled);
        for (uint64_t n = 0; n < 5 * HISTOGRAM_LISTED / 2; n++) {
            uint64_t sample = draw(kind, &random);
            CHECK(histogram_add(&few, sample, n));
            count_sample(&counts, sample, &few);
            check_same(&few, &counts);
            CHECK(histogram_is_possible(&few));
            histogram_clear(&twice);
            CHECK(histogram_merge(&twice, &few) && histogram_merge(&twice, &few));
            histogram_clear(&doubled);
            CHECK(histogram_merge(&doubled, &counts) && histogram_merge(&doubled, &few));
            check_same(&twice, &doubled);
        }
        histogram_free(&few);
        histogram_free(&counts);
        histogram_free(&twice);
        histogram_free(&doubled);
    }
}

static void an_empty_histogram_adds_nothing(void)
{
    struct histogram h, empty;
    histogram_init(&h);
    histogram_init(&empty);
    EQUAL(histogram_percentile(&empty, 500), 0);
    EQUAL(histogram_memory(&empty), 0);
    histogram_merge(&h, &empty);
    EQUAL(h.count, 0);
    EQUAL(h.min, UINT64_MAX);
    histogram_add(&h, 5, 1);
    histogram_merge(&h, &empty);
    EQUAL(h.count, 1);
    EQUAL(h.min, 5);
    EQUAL(h.max, 5);
    histogram_free(&h);
    histogram_free(&empty);
}

static void a_cleared_histogram_is_empty(void)
{
    struct histogram h;
    histogram_init(&h);
    for (uint64_t v = 1; v < UINT64_MAX / 3; v *= 3)
        histogram_add(&h, v, v);
    histogram_clear(&h);
    EQUAL(h.count, 0);
    EQUAL(histogram_percentile(&h, 500), 0);
    histogram_add(&h, 100, 7);
    histogram_add(&h, 200, 8);
    EQUAL(histogram_percentile(&h, 500), 100);
    EQUAL(h.sum, 300);
    EQUAL(h.max_at, 8);
    histogram_free(&h);
}

static void the_first_of_equally_large_samples_is_the_one_told(void)
{
    struct histogram h;
    histogram_init(&h);
    histogram_add(&h, 9, 50);
    histogram_add(&h, 9, 20);
    histogram_add(&h, 9, 90);
    histogram_add(&h, 8, 1);
    EQUAL(h.max_at, 20);
    histogram_free(&h);
    histogram_add(&h, 0, 33);
    EQUAL(h.max_at, 33);
    histogram_free(&h);
}

static void the_ends_of_the_range_are_counted(void)
{
    struct histogram h;
    histogram_init(&h);
    CHECK(histogram_add(&h, 0, 1));
    CHECK(histogram_add(&h, UINT64_MAX, 2));
    CHECK(histogram_add(&h, UINT64_MAX, 3));
    EQUAL(h.count, 3);
    EQUAL(h.sum, UINT64_MAX); /* stops there */
    EQUAL(histogram_percentile(&h, 1), 0);
    EQUAL(histogram_percentile(&h, 1000), UINT64_MAX);
    histogram_free(&h);
}

static void without_percentiles_it_counts_the_same(void)
{
    struct histogram counted[2], added[2];
    for (unsigned i = 0; i < 2; i++) {
        histogram_init(&counted[i]);
        histogram_init(&added[i]);
    }
    uint64_t random = 5;
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t sample = draw(2, &random);
        histogram_count(&counted[i % 2], sample, i);
        CHECK(histogram_add(&added[i % 2], sample, i));
    }
    CHECK(histogram_merge(&counted[0], &counted[1]));
    CHECK(histogram_merge(&added[0], &added[1]));
    EQUAL(counted[0].count, added[0].count);
    EQUAL(counted[0].sum, added[0].sum);
    EQUAL(counted[0].min, added[0].min);
    EQUAL(counted[0].max, added[0].max);
    EQUAL(counted[0].max_at, added[0].max_at);
    EQUAL(histogram_memory(&counted[0]), 0);
    for (unsigned i = 0; i < 2; i++)
        histogram_free(&added[i]);
}

CU_TestInfo histogram_tests[] = {
    TEST(percentiles_are_at_most_one_percent_off),
    TEST(merging_is_the_same_in_any_order_and_as_if_never_split),
    TEST(few_samples_are_as_exact_as_many),
    TEST(an_empty_histogram_adds_nothing),
    TEST(a_cleared_histogram_is_empty),
    TEST(the_first_of_equally_large_samples_is_the_one_told),
    TEST(the_ends_of_the_range_are_counted),
    TEST(without_percentiles_it_counts_the_same),
    CU_TEST_INFO_NULL,
};
