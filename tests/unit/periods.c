/* Hours, days and months of time zones; what several captures of one time come to, and how complete rows of several hosts are. */
#include "account/period.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account/overlap.h"
#include "account/statement.h"
#include "check.h"
#include "suites.h"

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

static int64_t utc(const char *text)
{
    struct tm tm = {0};
    CHECK(strptime(text, "%Y-%m-%d %H:%M:%S", &tm) != NULL);
    return (int64_t)timegm(&tm) * SECOND;
}

static void is_period(const char *zone, enum account_granularity granularity, const char *moment,
                      const char *begin, const char *end)
{
    struct error err;
    EQUAL(account_zone_set(zone, &err), 0);
    const struct account_period p = account_period_of(granularity, utc(moment));
    EQUAL(p.begin_utc_ns, utc(begin));
    EQUAL(p.end_utc_ns, utc(end));
}

static void days_have_the_length_that_the_zone_gives_them(void)
{
    is_period("UTC", ACCOUNT_DAY, "2026-03-29 12:00:00", "2026-03-29 00:00:00", "2026-03-30 00:00:00");
    is_period("Europe/Berlin", ACCOUNT_DAY, "2026-03-29 12:00:00", "2026-03-28 23:00:00",
              "2026-03-29 22:00:00");
    is_period("Europe/Berlin", ACCOUNT_DAY, "2026-10-25 00:30:00", "2026-10-24 22:00:00",
              "2026-10-25 23:00:00");
    is_period("Australia/Lord_Howe", ACCOUNT_DAY, "2026-04-04 18:00:00", "2026-04-04 13:00:00",
              "2026-04-05 13:30:00");
    /* Samoa had no 30 December 2011. */
    is_period("Pacific/Apia", ACCOUNT_DAY, "2011-12-30 09:59:59", "2011-12-29 10:00:00",
              "2011-12-30 10:00:00");
    is_period("Pacific/Apia", ACCOUNT_DAY, "2011-12-30 10:00:00", "2011-12-30 10:00:00",
              "2011-12-31 10:00:00");
}

static void a_day_begins_where_its_date_does(void)
{
    is_period("Asia/Beirut", ACCOUNT_DAY, "2026-03-29 00:00:00", "2026-03-28 22:00:00",
              "2026-03-29 21:00:00");
    is_period("Asia/Beirut", ACCOUNT_DAY, "2026-03-28 21:59:59", "2026-03-27 22:00:00",
              "2026-03-28 22:00:00");
}

static void months_have_their_days(void)
{
    is_period("UTC", ACCOUNT_MONTH, "2028-02-29 23:59:59", "2028-02-01 00:00:00", "2028-03-01 00:00:00");
    is_period("UTC", ACCOUNT_MONTH, "2026-12-31 23:59:59", "2026-12-01 00:00:00", "2027-01-01 00:00:00");
    is_period("Europe/Berlin", ACCOUNT_MONTH, "2026-10-31 22:59:59", "2026-09-30 22:00:00",
              "2026-10-31 23:00:00");
    is_period("Europe/Berlin", ACCOUNT_MONTH, "2026-10-31 23:00:00", "2026-10-31 23:00:00",
              "2026-11-30 23:00:00");
}

static void hours_are_those_of_the_zone(void)
{
    is_period("Asia/Kathmandu", ACCOUNT_HOUR, "2026-11-29 07:00:00", "2026-11-29 06:15:00",
              "2026-11-29 07:15:00");
    is_period("Asia/Kolkata", ACCOUNT_HOUR, "2026-11-29 07:30:00", "2026-11-29 07:30:00",
              "2026-11-29 08:30:00");
    is_period("Europe/Berlin", ACCOUNT_HOUR, "2026-10-25 00:59:59", "2026-10-25 00:00:00",
              "2026-10-25 01:00:00");
    /* At 02:00 the clock is set back by half an hour: that hour ends there, and the next one has what is left. */
    is_period("Australia/Lord_Howe", ACCOUNT_HOUR, "2026-04-04 14:59:59", "2026-04-04 14:00:00",
              "2026-04-04 15:00:00");
    is_period("Australia/Lord_Howe", ACCOUNT_HOUR, "2026-04-04 15:00:00", "2026-04-04 15:00:00",
              "2026-04-04 15:30:00");
    is_period("Australia/Lord_Howe", ACCOUNT_HOUR, "2026-04-04 15:30:00", "2026-04-04 15:30:00",
              "2026-04-04 16:30:00");
}

/* Any moment of any zone is in its period, and periods follow each other without a gap. */
static void periods_follow_each_other(void)
{
    static const char *const zones[] = {"UTC",          "Europe/Berlin",    "America/St_Johns",
                                        "Asia/Beirut",  "Africa/Cairo",     "Australia/Lord_Howe",
                                        "Pacific/Apia", "America/Sao_Paulo"};
    struct error err;
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++)
        for (int g = ACCOUNT_HOUR; g < ACCOUNT_TOTAL; g++) {
            EQUAL(account_zone_set(zones[z], &err), 0);
            int64_t at = utc("2010-01-01 00:00:00");
            const int64_t end = g == ACCOUNT_HOUR ? utc("2012-02-01 00:00:00") : utc("2030-01-01 00:00:00");
            int wrong = 0;
            while (at < end) {
                const struct account_period p = account_period_of((enum account_granularity)g, at);
                const struct account_period last =
                    account_period_of((enum account_granularity)g, p.end_utc_ns - 1);
                wrong += !account_period_has(&p, at) || last.begin_utc_ns != p.begin_utc_ns;
                const struct account_period next =
                    account_period_of((enum account_granularity)g, p.end_utc_ns);
                wrong += next.begin_utc_ns != p.end_utc_ns;
                if (p.end_utc_ns <= at)
                    break;
                at = p.end_utc_ns;
            }
            EQUAL(wrong, 0);
        }
}

static void zones_are_names_of_the_database(void)
{
    static const char *const none[] = {"Europe/Atlantis", "",     "/etc/localtime", "../zoneinfo/UTC",
                                       "Europe",          "UTC0", ":UTC",           "posixrules.tab"};
    struct error err;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        err.code = ERROR_NONE;
        EQUAL(account_zone_set(none[i], &err), -1);
        EQUAL(err.code, ERROR_USAGE);
    }
    EQUAL(account_zone_set("UTC", &err), 0);
}

/* ---- what counts once ---- */

static struct overlap_claim claim(uint64_t from, uint64_t to, enum verdict verdict, const char *file)
{
    return (struct overlap_claim){.from = from, .to = to, .verdict = verdict, .file = file};
}

static void is_counted(const struct overlap_claim *claims, size_t n, const char *file, uint64_t from,
                       uint64_t to)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(claims[i].file, file) == 0) {
            EQUAL(claims[i].counts_from, from);
            EQUAL(claims[i].counts_to, to);
        }
}

static void captures_that_adjoin_count_whole(void)
{
    struct overlap_claim c[] = {claim(200, 300, VERDICT_POOR, "b"), claim(100, 200, VERDICT_GOOD, "a")};
    CHECK(overlap_resolve(c, 2));
    is_counted(c, 2, "a", 100, 200);
    is_counted(c, 2, "b", 200, 300);
    CHECK(overlap_is_whole(&c[0]) && overlap_is_whole(&c[1]));
}

static void of_equal_captures_the_better_one_counts(void)
{
    struct overlap_claim c[] = {claim(100, 200, VERDICT_DEGRADED, "a"), claim(100, 200, VERDICT_GOOD, "b"),
                                claim(100, 200, VERDICT_GOOD, "c")};
    CHECK(overlap_resolve(c, 3));
    is_counted(c, 3, "a", 100, 100);
    is_counted(c, 3, "b", 100, 200);
    is_counted(c, 3, "c", 100, 100);
}

static void one_that_lies_in_another_does_not_count(void)
{
    struct overlap_claim c[] = {claim(120, 130, VERDICT_GOOD, "a"), claim(100, 200, VERDICT_POOR, "b"),
                                claim(180, 200, VERDICT_GOOD, "c"), claim(100, 140, VERDICT_GOOD, "d")};
    CHECK(overlap_resolve(c, 4));
    is_counted(c, 4, "b", 100, 200);
    is_counted(c, 4, "a", 120, 120);
    is_counted(c, 4, "c", 180, 180);
    is_counted(c, 4, "d", 100, 100);
}

static void of_two_that_overlap_the_better_one_has_all_its_time(void)
{
    struct overlap_claim c[] = {claim(100, 200, VERDICT_DEGRADED, "a"), claim(150, 250, VERDICT_GOOD, "b"),
                                claim(240, 330, VERDICT_GOOD, "c")};
    CHECK(overlap_resolve(c, 3));
    is_counted(c, 3, "a", 100, 150);
    is_counted(c, 3, "b", 150, 250); /* it is longer than c */
    is_counted(c, 3, "c", 250, 330);
}

/* Whatever the captures are, every moment that any of them has counts in exactly one. */
static void every_moment_counts_once(void)
{
    enum { CLAIMS = 12, MOMENTS = 40 };
    static const char *const files[CLAIMS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    uint64_t random = 12345;
    int wrong = 0;
    for (int run = 0; run < 3000; run++) {
        struct overlap_claim c[CLAIMS];
        size_t n = 1 + (size_t)run % CLAIMS;
        for (size_t i = 0; i < n; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            uint64_t from = (random >> 33) % MOMENTS, length = 1 + (random >> 40) % 15;
            c[i] = claim(from, from + length, (enum verdict)((random >> 50) % 3), files[i]);
        }
        CHECK(overlap_resolve(c, n));
        for (uint64_t at = 0; at < MOMENTS + 16; at++) {
            int has = 0, counts = 0;
            for (size_t i = 0; i < n; i++) {
                has += at >= c[i].from && at < c[i].to;
                counts += at >= c[i].counts_from && at < c[i].counts_to;
            }
            wrong += counts != (has > 0);
        }
    }
    EQUAL(wrong, 0);
}

/* ---- spans ---- */

static void spans_are_cut_to_the_period_and_put_together(void)
{
    const struct account_period day = {0, 24 * HOUR};
    struct account_span spans[] = {{5 * HOUR, 6 * HOUR},
                                   {-3 * SECOND, 2 * HOUR},
                                   {6 * HOUR + 5000000, 7 * HOUR},
                                   {5 * HOUR + SECOND, 5 * HOUR + 2 * SECOND},
                                   {23 * HOUR, 24 * HOUR - 3000000},
                                   {25 * HOUR, 26 * HOUR}};
    size_t n = account_spans_merge(spans, 6, &day);
    EQUAL(n, 3);
    EQUAL(spans[0].begin_utc_ns, 0);
    EQUAL(spans[0].end_utc_ns, 2 * HOUR);
    EQUAL(spans[1].end_utc_ns, 7 * HOUR);
    EQUAL(spans[2].end_utc_ns, 24 * HOUR);
    EQUAL(account_spans_lack(spans, n, &day), 19 * HOUR);
    CHECK(account_covered_pct(&day, 0) == 100);
    CHECK(account_covered_pct(&day, 1) == 99.99);
    CHECK(account_covered_pct(&day, 12 * HOUR) == 50);
}

/* ---- rows over several hosts ---- */

static const struct account_period hour_one = {0, HOUR};

/* A row of a host that was recorded in these n spans, in which its VM was there so many seconds. Domain -1: the host's idle time. */
static struct account_row row_of(struct account_host *host, const struct account_vm *vm, int32_t domain,
                                 struct account_span *spans, size_t n, uint64_t existed_s)
{
    static struct histogram no_waits;
    uint64_t missing_ns = account_spans_lack(spans, n, &hour_one);
    *host = (struct account_host){.name = "", .spans = spans, .spans_n = n, .why = ""};
    return (struct account_row){.period = hour_one,
                                .vm = vm,
                                .host = host,
                                .domain = domain,
                                .existed_ns = existed_s * SECOND,
                                .wait = &no_waits,
                                .recorded_ns = (uint64_t)HOUR - missing_ns,
                                .not_recorded_ns = missing_ns,
                                .why = ""};
}

static void is_recorded(const struct account_row *rows, size_t n, uint64_t seconds)
{
    for (int order = 0; order < 2; order++) {
        struct account_sum sum = {.all_hosts = true};
        for (size_t i = 0; i < n; i++)
            CHECK(account_sum_add(&sum, &rows[order ? n - 1 - i : i]));
        EQUAL(sum.row.recorded_ns, seconds * SECOND);
        EQUAL(sum.row.not_recorded_ns, HOUR - seconds * SECOND);
        account_sum_free(&sum);
    }
}

static const struct account_vm web = {"name:web", "", "web"}, db = {"name:db", "", "db"},
                               nobody = {"idle", "", "idle"};

static void rows_of_several_hosts_are_as_complete_as_the_worst(void)
{
    struct account_span whole[] = {{0, HOUR}}, first[] = {{0, HOUR / 2}}, last[] = {{HOUR / 2, HOUR}};
    struct account_host hosts[3];
    const struct account_row two_vms[] = {row_of(&hosts[0], &web, 1, whole, 1, 3600),
                                          row_of(&hosts[1], &db, 1, first, 1, 1800)};
    is_recorded(two_vms, 2, 1800);
    const struct account_row moved[] = {two_vms[0], two_vms[1], row_of(&hosts[2], &web, 1, last, 1, 1800)};
    is_recorded(moved, 3, 1800);
    const struct account_row idle[] = {row_of(&hosts[0], &nobody, -1, first, 1, 0),
                                       row_of(&hosts[1], &nobody, -1, last, 1, 0)};
    is_recorded(idle, 2, 1800);
    const struct account_row same_host[] = {row_of(&hosts[0], &web, 1, last, 1, 60),
                                            row_of(&hosts[0], &db, 2, last, 1, 60)};
    is_recorded(same_host, 2, 1800);
}

static void a_vm_that_moved_is_covered_while_it_was_seen(void)
{
    struct account_span whole[] = {{0, HOUR}}, first[] = {{0, HOUR / 2}}, last[] = {{HOUR / 2, HOUR}},
                        ends[] = {{0, 600 * SECOND}, {3000 * SECOND, HOUR}};
    struct account_host a, b;
    const struct account_row relay[] = {row_of(&a, &web, 1, first, 1, 1800),
                                        row_of(&b, &web, 1, last, 1, 1800)};
    is_recorded(relay, 2, 3600);
    /* Host a was recorded all the time and had it for 10 minutes; b had it in the 20 minutes that were recorded. */
    const struct account_row unseen[] = {row_of(&a, &web, 1, whole, 1, 600),
                                         row_of(&b, &web, 1, ends, 2, 1200)};
    is_recorded(unseen, 2, 1800);
    /* It is known not to have been on either. */
    const struct account_row stopped[] = {row_of(&a, &web, 1, first, 1, 60),
                                          row_of(&b, &web, 1, first, 1, 60)};
    is_recorded(stopped, 2, 1800);
    /* Both hosts know it while it migrates: no more than what was recorded. */
    const struct account_row twice[] = {row_of(&a, &web, 1, first, 1, 1800),
                                        row_of(&b, &web, 1, first, 1, 1800)};
    is_recorded(twice, 2, 1800);
    const struct account_row alone[] = {row_of(&a, &web, 1, ends, 2, 5)};
    is_recorded(alone, 1, 1200);
}

CU_TestInfo periods_tests[] = {
    TEST(days_have_the_length_that_the_zone_gives_them),
    TEST(a_day_begins_where_its_date_does),
    TEST(months_have_their_days),
    TEST(hours_are_those_of_the_zone),
    TEST(periods_follow_each_other),
    TEST(zones_are_names_of_the_database),
    TEST(captures_that_adjoin_count_whole),
    TEST(of_equal_captures_the_better_one_counts),
    TEST(one_that_lies_in_another_does_not_count),
    TEST(of_two_that_overlap_the_better_one_has_all_its_time),
    TEST(every_moment_counts_once),
    TEST(spans_are_cut_to_the_period_and_put_together),
    TEST(rows_of_several_hosts_are_as_complete_as_the_worst),
    TEST(a_vm_that_moved_is_covered_while_it_was_seen),
    CU_TEST_INFO_NULL,
};
