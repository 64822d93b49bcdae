/* Moments as times of day: their text, and the tsc of a moment. */
#include "formats/time_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "parser/order/clock.h"
#include "suites.h"

#define S    INT64_C(1000000000)
#define UTC0 (INT64_C(1795935600) * S) /* 2026-11-29T07:00:00Z, by date(1) */

static void in_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static const char *text_of(int64_t utc_ns, bool local)
{
    static char text[TIME_TEXT];
    size_t n = time_text(text, utc_ns, local);
    EQUAL(n, strlen(text));
    return text;
}

static void utc_is_rfc_3339(void)
{
    SAME_TEXT(text_of(UTC0, false), "2026-11-29T07:00:00.000000000Z");
    SAME_TEXT(text_of(UTC0 + 123456789, false), "2026-11-29T07:00:00.123456789Z");
    SAME_TEXT(text_of(0, false), "1970-01-01T00:00:00.000000000Z");
    SAME_TEXT(text_of(-1, false), "1969-12-31T23:59:59.999999999Z");
}

static void local_time_has_its_offset(void)
{
    in_zone("CET-1");
    SAME_TEXT(text_of(UTC0, true), "2026-11-29T08:00:00.000000000+01:00");
    in_zone("EST5");
    SAME_TEXT(text_of(UTC0, true), "2026-11-29T02:00:00.000000000-05:00");
    in_zone("<-0330>3:30");
    SAME_TEXT(text_of(UTC0, true), "2026-11-29T03:30:00.000000000-03:30");
    in_zone("UTC");
    SAME_TEXT(text_of(UTC0, true), "2026-11-29T07:00:00.000000000+00:00");
}

/* On 2026-10-25 summer time ended at 01:00 UTC: half past two came twice. */
static void the_hour_that_comes_twice_differs_by_its_offset(void)
{
    const int64_t half_past_midnight = INT64_C(1792888200) * S;
    in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    SAME_TEXT(text_of(half_past_midnight, true), "2026-10-25T02:30:00.000000000+02:00");
    SAME_TEXT(text_of(half_past_midnight + 3600 * S, true), "2026-10-25T02:30:00.000000000+01:00");
    in_zone("UTC");
}

static void digits_are_cut_off(void)
{
    char text[TIME_TEXT];
    EQUAL(time_of_day_text(text, UTC0 + 999999999, false, 0), 8);
    SAME_TEXT(text, "07:00:00");
    EQUAL(time_of_day_text(text, UTC0 + 999999999, false, 3), 12);
    SAME_TEXT(text, "07:00:00.999");
    EQUAL(time_of_day_text(text, UTC0 + 1, false, 9), 18);
    SAME_TEXT(text, "07:00:00.000000001");
    EQUAL(day_text(text, UTC0 - 8 * 3600 * S, false), 10);
    SAME_TEXT(text, "2026-11-28");
}

static void moments_are_rounded_to_digits(void)
{
    EQUAL(time_rounded(UTC0 + 999499999, 3), UTC0 + 999000000);
    EQUAL(time_rounded(UTC0 + 999500000, 3), UTC0 + S);
    EQUAL(time_rounded(UTC0 - 1, 0), UTC0);
    EQUAL(time_rounded(UTC0 + 123456789, 9), UTC0 + 123456789);
    EQUAL(time_rounded(-400, 6), 0);
    EQUAL(time_rounded(-600, 6), -1000);
}

/* Of a trace whose counter counts 2 a ns from 1000 on, at 07:00. */
static bool utc_of(const void *context, uint64_t ns, int64_t *utc_ns)
{
    (void)context;
    *utc_ns = UTC0 + (int64_t)ns;
    return ns < 100;
}

static bool tsc_of(const void *context, uint64_t ns, uint64_t *tsc)
{
    (void)context;
    *tsc = 1000 + 2 * ns;
    return true;
}

static void documents_have_both_ends(void)
{
    struct moments moments = {TIMES_UTC, NULL, utc_of, tsc_of};
    struct buffer b = {0};
    json_add_times(&b, NULL, 0, 5);
    EQUAL(b.n, 0);
    json_add_times(&b, &moments, 0, 500); /* the end is not known */
    moments.format = TIMES_TSC;
    json_add_times(&b, &moments, 1, 500);
    buffer_add(&b, "", 1);
    SAME_TEXT(b.at, "\"start_time\": \"2026-11-29T07:00:00.000000000Z\", \"end_time\": null, "
                    "\"start_time\": 1002, \"end_time\": 2000, ");
    buffer_free(&b);
}

static void later_moments_come_first(void)
{
    const struct moments moments = {TIMES_UTC, NULL, utc_of, tsc_of};
    struct value early = value_moment(&moments, 1), late = value_moment(&moments, 2),
                 unknown = value_moment(&moments, 100);
    CHECK(value_compare(late, early) < 0 && value_compare(early, late) > 0 && value_compare(late, late) == 0);
    CHECK(value_compare(early, unknown) < 0);
    EQUAL(value_moment(NULL, 1).type, VALUE_NONE);
}

/* The first tsc that has come so far, whatever the frequency. */
static void the_tsc_of_a_moment_is_the_first_one(void)
{
    static const double frequencies[] = {1e6, 1e9, 2e9, 2394454321.123456789, 5.8e9, 1e11};
    static const uint64_t moments[] = {0, 1, 999, 1000000007, 86400 * (uint64_t)S, 366 * 86400 * (uint64_t)S};
    for (unsigned i = 0; i < sizeof frequencies / sizeof *frequencies; i++)
        for (unsigned k = 0; k < sizeof moments / sizeof *moments; k++) {
            struct clock c = {.cpu_hz = frequencies[i]};
            clock_set(&c, UINT64_C(1) << 44, frequencies[i]);
            uint64_t tsc = clock_tsc(&c, moments[k]);
            CHECK(tsc >= c.tsc_first && clock_ns(&c, tsc) >= moments[k]);
            CHECK(tsc == c.tsc_first || clock_ns(&c, tsc - 1) < moments[k]);
        }
}

static void far_beyond_there_is_none(void)
{
    struct clock c = {.cpu_hz = 1e11};
    clock_set(&c, UINT64_C(1) << 63, 1e11);
    EQUAL(clock_tsc(&c, UINT64_MAX), UINT64_MAX);
}

CU_TestInfo time_texts_tests[] = {
    TEST(utc_is_rfc_3339),
    TEST(local_time_has_its_offset),
    TEST(the_hour_that_comes_twice_differs_by_its_offset),
    TEST(digits_are_cut_off),
    TEST(moments_are_rounded_to_digits),
    TEST(documents_have_both_ends),
    TEST(later_moments_come_first),
    TEST(the_tsc_of_a_moment_is_the_first_one),
    TEST(far_beyond_there_is_none),
    CU_TEST_INFO_NULL,
};
