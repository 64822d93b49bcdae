/* Facts about a host: lines written and read, hostile ones, and times of day of moments. */
#include "archive/host_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "suites.h"

#define S    INT64_C(1000000000)
#define HZ   2e9
#define UTC0 (INT64_C(1795935600) * S) /* 2026-11-29T07:00:00Z */

static struct error err;

/* ---- lines ---- */

static struct buffer line_of(const struct fact *f)
{
    struct buffer b = {0};
    fact_put(&b, f);
    CHECK(!b.failed);
    return b;
}

static int read_text(struct host_facts *f, const char *text)
{
    return host_facts_read(f, text, strlen(text), &err);
}

static void add(struct host_facts *f, const struct fact *fact)
{
    struct buffer b = line_of(fact);
    EQUAL(host_facts_read(f, b.at, b.n, &err), 0);
    buffer_free(&b);
}

static const struct fact one_of_each[] = {
    {FACT_BOOT, .boot = {7, UTC0, "0b7e5c9a-1111-4222-8333-444455556666", "web1", "4.17.5", 8}},
    {FACT_CLOCK, .clock = {UINT64_MAX, UTC0 + 1, 12345, 2000, true}},
    {FACT_DOMAIN, .domain = {9, 65535, "uuid", "a \"name\"\n\\", 2, 256, 50, UINT64_MAX}},
    {FACT_DOMAIN_GONE, .gone = {10, 65535}},
    {FACT_AFFINITY, .affinity = {11, 3, 1, "0-3,5", "all"}},
    {FACT_GAP, .gap = {12, UTC0, UTC0 + S, "xentrace ended"}},
    {FACT_REDUCED, .reduced = {13, UTC0, 0x0002f000, "the disk is full"}},
    {FACT_RECORDER, .recorder = {14, UTC0, 1, 2, UINT64_MAX, 4, 5, 6}},
};

/* Byte for byte: a fact that is read and written again is the same line. */
static void each_kind_reads_back(void)
{
    struct host_facts f = {0};
    for (unsigned i = 0; i < FACTS; i++)
        add(&f, &one_of_each[i]);
    EQUAL(f.clocks_n, 1);
    EQUAL(f.domains_n, 2);
    EQUAL(f.affinities_n, 1);
    EQUAL(f.gaps_n, 1);
    EQUAL(f.reduced_n, 1);
    const struct fact again[] = {{FACT_BOOT, .boot = f.boot},
                                 {FACT_CLOCK, .clock = f.clocks[0]},
                                 {FACT_DOMAIN, .domain = f.domains[0]},
                                 {FACT_DOMAIN_GONE, .gone = {f.domains[1].tsc, f.domains[1].domain}},
                                 {FACT_AFFINITY, .affinity = f.affinities[0]},
                                 {FACT_GAP, .gap = f.gaps[0]},
                                 {FACT_REDUCED, .reduced = f.reduced[0]},
                                 {FACT_RECORDER, .recorder = f.recorder}};
    for (unsigned i = 0; i < FACTS; i++) {
        struct buffer first = line_of(&one_of_each[i]), second = line_of(&again[i]);
        CHECK(first.n == second.n && memcmp(first.at, second.at, first.n) == 0);
        buffer_free(&first);
        buffer_free(&second);
    }
    EQUAL(f.clocks[0].by_stream, true);
    SAME_TEXT(f.domains[0].name, "a \"name\"\n\\");
    host_facts_free(&f);
}

static void a_line_is_what_the_manual_says(void)
{
    const struct fact domain = {FACT_DOMAIN,
                                .domain = {.tsc = 1200000000, .domain = 3, .name = "web", .vcpus = 2}};
    struct buffer b = line_of(&domain);
    buffer_add(&b, "", 1);
    SAME_TEXT(b.at, "{\"domain\":{\"tsc\":1200000000,\"domain\":3,\"name\":\"web\",\"vcpus\":2}}\n");
    buffer_free(&b);
}

/* ---- names ---- */

static void name_reads_back_as(const char *name, const char *expected)
{
    struct fact fact = {FACT_DOMAIN, .domain = {.tsc = 1, .domain = 1}};
    struct host_facts f = {0};
    fact_text(fact.domain.name, sizeof fact.domain.name, name);
    add(&f, &fact);
    SAME_TEXT(f.domains[0].name, expected);
    host_facts_free(&f);
}

/* A byte that is no UTF-8 by itself is the character of that number. */
static void names_of_every_byte_survive(void)
{
    for (unsigned byte = 1; byte < 256; byte++) {
        char name[] = {'<', (char)byte, '>', '\0'}, wide[8];
        snprintf(wide, sizeof wide, "<%c%c>", (char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f)));
        name_reads_back_as(name, byte < 0x80 ? name : wide);
    }
    name_reads_back_as("d\xc3\xa9j\xc3\xa0 vu \xf0\x9f\x90\xa7", "d\xc3\xa9j\xc3\xa0 vu \xf0\x9f\x90\xa7");
    name_reads_back_as("\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80"); /* a surrogate */
}

static void long_names_are_cut_at_the_end_of_a_character(void)
{
    char name[4 * FACT_NAME] = "", expected[FACT_NAME] = "";
    for (int i = 0; i < FACT_NAME; i++)
        memcpy(name + 3 * i, "\xe2\x82\xac", 4);
    for (int i = 0; i < (FACT_NAME - 1) / 3; i++)
        memcpy(expected + 3 * i, "\xe2\x82\xac", 4);
    name_reads_back_as(name, expected);
    memset(name, 'x', FACT_NAME - 2); /* one byte is left, and the character has two */
    memcpy(name + FACT_NAME - 2, "\xc3\xa9", 3);
    memset(expected, 0, sizeof expected);
    memset(expected, 'x', FACT_NAME - 2);
    name_reads_back_as(name, expected);
}

/* Of 127 bytes that are no UTF-8 each becomes two: the reader cuts them. */
static void wide_names_are_cut_too(void)
{
    struct host_facts f = {0};
    struct fact fact = {FACT_DOMAIN, .domain = {.tsc = 1, .domain = 1}};
    memset(fact.domain.name, 0xff, FACT_NAME - 1);
    add(&f, &fact);
    EQUAL(strlen(f.domains[0].name), FACT_NAME - 2);
    host_facts_free(&f);
}

/* ---- hostile lines ---- */

static void refused(const char *text, const char *why)
{
    struct host_facts f = {0};
    err.message[0] = '\0';
    EQUAL(read_text(&f, text), -1);
    check_true(strstr(err.message, why) != NULL, err.message, __FILE__, __LINE__);
    host_facts_free(&f);
}

static void wrong_lines_are_refused(void)
{
    refused("{\"clock\":{\"tsc\":1}}\n", "line 1: \"clock\" has no \"utc_ns\"");
    refused("{\"domain_gone\":{\"tsc\":1,\"domain\":1}}\nnonsense\n", "line 2: ");
    refused("{\"domain_gone\":{\"tsc\":1,\"domain\":65536}}", "\"domain\" of \"domain_gone\" is no number");
    refused("{\"domain_gone\":{\"tsc\":-1,\"domain\":1}}", "\"tsc\" of \"domain_gone\" is no number");
    refused("{\"domain_gone\":{\"tsc\":1.5,\"domain\":1}}", "is no number");
    refused("{\"domain_gone\":{\"tsc\":\"5\",\"domain\":1}}",
            "is no number"); /* only what is too large is a string */
    refused("{\"domain_gone\":{\"tsc\":\"18446744073709551616\",\"domain\":1}}", "is no number");
    refused("{\"domain\":{\"tsc\":1,\"domain\":1,\"name\":5}}", "\"name\" of \"domain\" is no text");
    refused("{\"boot\":{\"tsc\":1,\"boot_id\":\"0123456789012345678901234567890123456\"}}", "longer than 36");
    refused("{\"clock\":{\"tsc\":1,\"utc_ns\":9223372036854775807,\"monotonic_ns\":1,\"error_ns\":1}}",
            "out of range");
    refused("{\"clock\":{\"tsc\":1,\"utc_ns\":1,\"monotonic_ns\":1,\"error_ns\":1,\"by_stream\":1}}",
            "neither true");
    refused("\n", "line 1: ");
    refused("[1]\n", "not an object");
    refused("{}\n", "not an object");
    refused("{\"domain_gone\":[]}\n", "not an object");
    refused("{\"domain_gone\":{\"tsc\":1,\"domain\":1},\"boot\":{\"tsc\":1}}\n", "not an object");
    refused("{\"domain_gone\":{\"tsc\":1,\"tsc\":1,\"domain\":1}}\n", "no JSON"); /* a key twice */
    refused("{\"domain\":{\"tsc\":1,\"domain\":1,\"name\":\"a\\u0000b\"}}", "no JSON");
}

static void a_line_has_an_end(void)
{
    size_t n = 70000;
    char *text = malloc(n + 1);
    memset(text, '[', n);
    text[n] = '\0';
    refused(text, "longer than 65536 bytes");
    text[60000] = '\0';
    refused(text, "no JSON"); /* and nesting, too */
    free(text);
}

static void unknown_kinds_and_keys_are_passed_over(void)
{
    struct host_facts f = {0};
    EQUAL(read_text(
              &f, "{\"weather\":{\"tsc\":\"?\"}}\n{\"domain_gone\":{\"tsc\":1,\"domain\":1,\"more\":[]}}\n"),
          0);
    EQUAL(f.domains_n, 1);
    host_facts_free(&f);
}

/* Every byte is replaced by every other: what is read is refused with its line, or is in range. */
static void damage_of_every_byte_is_an_error_or_a_fact(void)
{
    struct buffer text = {0};
    unsigned refused_n = 0, read_n = 0;
    for (unsigned i = 0; i < FACTS; i++)
        fact_put(&text, &one_of_each[i]);
    for (size_t at = 0; at < text.n; at++)
        for (unsigned byte = 0; byte < 256; byte += at % 16 ? 37 : 1) {
            struct host_facts f = {0};
            char was = text.at[at];
            text.at[at] = (char)byte;
            err = (struct error){.code = ERROR_NONE};
            if (host_facts_read(&f, text.at, text.n, &err) != 0) {
                refused_n++;
                CHECK(err.code == ERROR_FORMAT && strncmp(err.message, "line ", 5) == 0);
            } else {
                read_n++;
                for (size_t i = 0; i < f.domains_n; i++)
                    CHECK(f.domains[i].domain < 65536 && memchr(f.domains[i].name, 0, FACT_NAME) != NULL);
            }
            host_facts_free(&f);
            text.at[at] = was;
        }
    CHECK(refused_n > 1000 && read_n > 100);
    buffer_free(&text);
}

static void every_cut_is_an_error_or_whole_lines(void)
{
    struct buffer text = {0};
    for (unsigned i = 0; i < FACTS; i++)
        fact_put(&text, &one_of_each[i]);
    for (size_t n = 0; n <= text.n; n++) {
        struct host_facts f = {0};
        bool whole = n == 0 || text.at[n - 1] == '\n' || text.at[n] == '\n';
        EQUAL(host_facts_read(&f, text.at, n, &err), whole ? 0 : -1);
        host_facts_free(&f);
    }
    buffer_free(&text);
}

/* ---- order ---- */

/* Every archive of a recording begins with all that is known. */
static void what_comes_twice_counts_once(void)
{
    struct host_facts f = {0};
    for (int time = 0; time < 2; time++)
        for (unsigned i = 0; i < FACTS; i++)
            add(&f, &one_of_each[i]);
    EQUAL(f.clocks_n, 1);
    EQUAL(f.domains_n, 2);
    EQUAL(f.affinities_n, 1);
    EQUAL(f.gaps_n, 1);
    EQUAL(f.reduced_n, 1);
    host_facts_free(&f);
}

static void domains_are_known_by_moment(void)
{
    struct host_facts f = {0};
    add(&f, &(struct fact){FACT_DOMAIN, .domain = {.tsc = 500, .domain = 3, .name = "renamed"}});
    add(&f, &(struct fact){FACT_DOMAIN, .domain = {.tsc = 100, .domain = 3, .name = "web"}});
    add(&f,
        &(struct fact){FACT_DOMAIN, .domain = {.tsc = 300, .domain = 3, .name = "web"}}); /* the same again */
    add(&f, &(struct fact){FACT_DOMAIN_GONE, .gone = {900, 3}});
    add(&f, &(struct fact){FACT_DOMAIN, .domain = {.tsc = 100, .domain = 5, .name = "db"}});
    EQUAL(f.domains_n, 4);
    SAME_TEXT(host_facts_domain(&f, 3, 0)->name, "web"); /* before its first line */
    SAME_TEXT(host_facts_domain(&f, 3, 499)->name, "web");
    SAME_TEXT(host_facts_domain(&f, 3, 500)->name, "renamed");
    CHECK(host_facts_domain(&f, 3, 900) == NULL);
    SAME_TEXT(host_facts_domain(&f, 5, UINT64_MAX)->name, "db");
    CHECK(host_facts_domain(&f, 4, 100) == NULL && host_facts_domain(&f, 6, 100) == NULL);
    host_facts_free(&f);
}

static void another_boot_drops_what_was_before(void)
{
    struct host_facts f = {0};
    for (unsigned i = 0; i < FACTS; i++)
        add(&f, &one_of_each[i]);
    add(&f, &(struct fact){FACT_BOOT, .boot = {1, UTC0, "another", "web1", "", 0}});
    EQUAL(f.clocks_n + f.domains_n + f.affinities_n + f.gaps_n + f.reduced_n, 0);
    EQUAL(f.recorder.tsc, 0);
    SAME_TEXT(f.boot.boot_id, "another");
    host_facts_free(&f);
}

/* ---- times of day ---- */

static void add_pair(struct host_facts *f, uint64_t tsc, int64_t utc_ns, uint64_t monotonic_ns,
                     uint64_t error_ns)
{
    add(f, &(struct fact){FACT_CLOCK, .clock = {tsc, utc_ns, monotonic_ns, error_ns, false}});
}

static int64_t utc_at(const struct host_facts *f, uint64_t tsc)
{
    int64_t utc_ns = -1;
    CHECK(host_facts_utc(f, HZ, tsc, &utc_ns, NULL));
    return utc_ns;
}

static uint64_t error_at(const struct host_facts *f, uint64_t tsc)
{
    int64_t utc_ns;
    uint64_t error_ns = 0;
    CHECK(host_facts_utc(f, HZ, tsc, &utc_ns, &error_ns));
    return error_ns;
}

static uint64_t tsc_at(const struct host_facts *f, int64_t utc_ns)
{
    uint64_t tsc = 0;
    CHECK(host_facts_tsc(f, HZ, utc_ns, &tsc));
    return tsc;
}

static void without_pairs_no_time_is_known(void)
{
    struct host_facts f = {0};
    int64_t utc_ns;
    uint64_t tsc;
    CHECK(!host_facts_utc(&f, HZ, 1, &utc_ns, NULL));
    CHECK(!host_facts_tsc(&f, HZ, UTC0, &tsc));
    add_pair(&f, 1000, UTC0, 0, 0);
    CHECK(host_facts_utc(&f, 0, 1000, &utc_ns, NULL)); /* there without a frequency */
    CHECK(!host_facts_utc(&f, 0, 1001, &utc_ns, NULL));
    host_facts_free(&f);
}

/* The pairs are 100 s apart, of 2e9 cycles each, and the clock gains 1 us in that time. */
static void between_pairs_time_passes_evenly(void)
{
    struct host_facts f = {0};
    add_pair(&f, 1000, UTC0, 5 * S, 100);
    add_pair(&f, 200000001000, UTC0 + 100 * S + 1000, 105 * S + 1000, 300);
    EQUAL(utc_at(&f, 1000), UTC0);
    EQUAL(utc_at(&f, 100000001000), UTC0 + 50 * S + 500);
    EQUAL(utc_at(&f, 200000001000), UTC0 + 100 * S + 1000);
    EQUAL(error_at(&f, 100000001000), 300);
    EQUAL(tsc_at(&f, UTC0), 1000);
    EQUAL(tsc_at(&f, UTC0 + 50 * S + 500), 100000001000);
    host_facts_free(&f);
}

static void beyond_them_the_frequency_counts(void)
{
    struct host_facts f = {0};
    add_pair(&f, UINT64_C(1) << 40, UTC0, 5 * S, 100);
    EQUAL(utc_at(&f, (UINT64_C(1) << 40) + 20000000000), UTC0 + 10 * S);
    EQUAL(utc_at(&f, (UINT64_C(1) << 40) - 20000000000), UTC0 - 10 * S);
    EQUAL(tsc_at(&f, UTC0 - 10 * S), (UINT64_C(1) << 40) - 20000000000);
    EQUAL(error_at(&f, (UINT64_C(1) << 40) + 20000000000), 100 + 10 * S / 2000); /* 500 ppm */
    EQUAL(tsc_at(&f, 0), 0); /* long before the counter began */
    host_facts_free(&f);
}

/* At 50 s of 100 s the time of day was set forwards by an hour. */
static void a_step_forwards_is_each_sides_own(void)
{
    struct host_facts f = {0};
    const uint64_t end = 200000000000;
    add_pair(&f, 0, UTC0, 0, 0);
    add_pair(&f, end, UTC0 + 3700 * S, 100 * S, 0);
    EQUAL(utc_at(&f, end / 4), UTC0 + 25 * S);
    EQUAL(utc_at(&f, end / 4 * 3), UTC0 + 3675 * S);
    EQUAL(error_at(&f, end / 4), 3600 * S);
    EQUAL(error_at(&f, 0), 0);
    EQUAL(tsc_at(&f, UTC0 + 25 * S), end / 4);
    EQUAL(tsc_at(&f, UTC0 + 3675 * S), end / 4 * 3);
    EQUAL(tsc_at(&f, UTC0 + 1800 * S), end / 2); /* it was never that time */
    host_facts_free(&f);
}

/* Set back by an hour: the hour comes twice, and its first moment counts. */
static void an_hour_that_comes_twice_is_the_first_one(void)
{
    struct host_facts f = {0};
    const uint64_t hour = 7200000000000;
    for (uint64_t i = 0; i <= 3; i++)
        add_pair(&f, i * hour, UTC0 + (int64_t)(i < 2 ? i : i - 1) * 3600 * S, i * 3600 * (uint64_t)S, 0);
    EQUAL(utc_at(&f, hour / 2), UTC0 + 1800 * S);
    EQUAL(utc_at(&f, hour + hour / 4), UTC0 + 4500 * S);
    EQUAL(utc_at(&f, 2 * hour - hour / 4), UTC0 + 2700 * S);
    EQUAL(utc_at(&f, 2 * hour + hour / 2), UTC0 + 5400 * S);
    EQUAL(tsc_at(&f, UTC0 + 1800 * S), hour / 2);
    EQUAL(tsc_at(&f, UTC0 + 2700 * S), hour / 4 * 3);
    EQUAL(tsc_at(&f, UTC0 + 4500 * S), hour + hour / 4);
    EQUAL(tsc_at(&f, UTC0 + 6300 * S), 2 * hour + hour / 4 * 3);
    host_facts_free(&f);
}

/* A year, a pair each minute, of a clock that drifts: any moment is there and back again. */
static void many_pairs_are_found(void)
{
    enum { PAIRS = 60000 };
    struct host_facts f = {0};
    struct buffer text = {0};
    uint64_t seed = 7;
    for (uint64_t i = 0; i < PAIRS; i++) {
        uint64_t at = (i * 7919) % PAIRS; /* in no order */
        int64_t ns = (int64_t)at * 60 * S + (int64_t)at;
        const struct fact pair = {FACT_CLOCK,
                                  .clock = {at * 120000000000, UTC0 + ns, (uint64_t)ns, 10, false}};
        fact_put(&text, &pair);
    }
    EQUAL(host_facts_read(&f, text.at, text.n, &err), 0);
    buffer_free(&text);
    EQUAL(f.clocks_n, PAIRS);
    for (int i = 0; i < 300; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        uint64_t tsc = seed % ((PAIRS - 1) * UINT64_C(120000000000));
        int64_t utc_ns = utc_at(&f, tsc), drift = (int64_t)(tsc / 120000000000);
        CHECK(llabs(utc_ns - UTC0 - (int64_t)(tsc / 2) - drift) <= 1);
        CHECK(llabs((int64_t)(tsc_at(&f, utc_ns) - tsc)) <= 3);
    }
    host_facts_free(&f);
}

/* Numbers at the ends of their ranges. */
static void hostile_pairs_stay_in_range(void)
{
    static const uint64_t tscs[] = {0, 1, INT64_MAX, UINT64_MAX - 1, UINT64_MAX};
    static const int64_t times[] = {0, 1, INT64_MAX / 2 - 1, INT64_MAX / 2};
    for (unsigned i = 0; i < 5 * 5 * 4 * 4 * 4 * 4; i++) {
        struct host_facts f = {0};
        uint64_t a = tscs[i % 5], b = tscs[i / 5 % 5], tsc;
        int64_t at = times[i / 25 % 4], bt = times[i / 100 % 4], am = times[i / 400 % 4],
                bm = times[i / 1600 % 4], utc_ns;
        add_pair(&f, a, at, (uint64_t)am, INT64_MAX);
        add_pair(&f, b, bt, (uint64_t)bm, 0);
        for (unsigned k = 0; k < 5; k++)
            host_facts_utc(&f, k % 2 ? HZ : 0, tscs[k], &utc_ns, NULL);
        for (unsigned k = 0; k < 4; k++)
            host_facts_tsc(&f, HZ, times[k], &tsc);
        for (size_t k = 0; k < f.clocks_n; k++)
            EQUAL(utc_at(&f, f.clocks[k].tsc), f.clocks[k].utc_ns);
        EQUAL(f.clocks_n, a == b ? 1 : 2);
        host_facts_free(&f);
    }
}

CU_TestInfo host_facts_tests[] = {
    TEST(each_kind_reads_back),
    TEST(a_line_is_what_the_manual_says),
    TEST(names_of_every_byte_survive),
    TEST(long_names_are_cut_at_the_end_of_a_character),
    TEST(wide_names_are_cut_too),
    TEST(wrong_lines_are_refused),
    TEST(a_line_has_an_end),
    TEST(unknown_kinds_and_keys_are_passed_over),
    TEST(damage_of_every_byte_is_an_error_or_a_fact),
    TEST(every_cut_is_an_error_or_whole_lines),
    TEST(what_comes_twice_counts_once),
    TEST(domains_are_known_by_moment),
    TEST(another_boot_drops_what_was_before),
    TEST(without_pairs_no_time_is_known),
    TEST(between_pairs_time_passes_evenly),
    TEST(beyond_them_the_frequency_counts),
    TEST(a_step_forwards_is_each_sides_own),
    TEST(an_hour_that_comes_twice_is_the_first_one),
    TEST(many_pairs_are_found),
    TEST(hostile_pairs_stay_in_range),
    CU_TEST_INFO_NULL,
};
