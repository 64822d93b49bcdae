/* Windows and records of damaged captures. */
#include <string.h>

#include "run_program.h"
#include "suites.h"

/* Three sweeps of one pCPU, a window of 12 + 4 * 16 bytes each: domain 1 runs 1 of every 10 ms. */
static size_t three_windows(struct trace_bytes *c)
{
    for (uint64_t i = 0; i < 3; i++) {
        on(c, 0);
        starts(c, i * 10 * MS, 1, 0);
        stops(c, i * 10 * MS + 1 * MS, 1, 0, RUNNABLE);
        sweep(c);
    }
    return 12 + 4 * 16;
}

static void a_damaged_record_costs_its_window(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    size_t window = three_windows(&c);
    patch32(&c, window + 12, 0); /* the first record of the second window: no event has the number 0 */
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.status, 0);
    EQUAL(r.quality.windows, 3);
    EQUAL(r.quality.skipped_bytes, 4 * 16);
    EQUAL(r.quality.skipped_places, 1);
    EQUAL(r.quality.places[0].offset, window + 12);
    EQUAL(r.quality.places[0].bytes, 4 * 16);
    EQUAL(r.quality.records, 3 + 8);
    EQUAL(r.quality.bytes, 3 * window);
    EQUAL(ROW(&r, .domain = 1)->executions, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

static void reading_resumes_at_the_next_window_that_makes_sense(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    three_windows(&c);
    size_t at = c.file.n;
    static const uint32_t garbage[] = {0x2001f003, 77777,      12, 0xdeadbeef, 0x2001f003,
                                       2,          0xffffffff, 0,  0x2001f003};
    raw(&c, garbage, sizeof garbage);
    raw(&c, "odd", 3); /* and out of step */
    on(&c, 0);
    starts(&c, 30 * MS, 1, 0);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.windows, 4);
    EQUAL(r.quality.skipped_places, 1);
    EQUAL(r.quality.places[0].offset, at);
    EQUAL(r.quality.skipped_bytes, sizeof garbage + 3);
    EQUAL(ROW(&r, .domain = 1)->executions, 4);
    EQUAL(r.summary.pcpus, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_window_header_inside_a_window_begins_the_next(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    size_t window = three_windows(&c);
    patch32(&c, 8, 4 * 16 + 400); /* the first claims more than there is before the second */
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.windows, 3);
    EQUAL(r.quality.skipped_bytes, 0);
    EQUAL(r.quality.skipped_places, 1);
    EQUAL(r.quality.places[0].offset, window);
    EQUAL(r.quality.truncated_bytes, 0);
    EQUAL(ROW(&r, .domain = 1)->executions, 3);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_window_of_impossible_size_is_passed_over(void)
{
    static const uint32_t sizes[] = {0xfffffffc, 0x40000004, 63};
    for (unsigned i = 0; i < 3; i++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        size_t window = three_windows(&c);
        patch32(&c, window + 8, sizes[i]);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        EQUAL(r.status, 0);
        EQUAL(r.quality.windows, 2);
        EQUAL(r.quality.skipped_bytes, window);
        EQUAL(r.quality.places[0].offset, window);
        EQUAL(ROW(&r, .domain = 1)->executions, 2);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void a_huge_size_that_could_be_true_loses_nothing(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    size_t window = three_windows(&c);
    patch32(&c, window + 8, 0x3ffffff0);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.windows, 3);
    EQUAL(ROW(&r, .domain = 1)->executions, 3);
    result_free(&r);
    trace_bytes_free(&c);
}

static void pcpu_4095_is_damage_and_4094_is_not(void)
{
    for (uint32_t pcpu = 4094; pcpu <= 4095; pcpu++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        size_t window = three_windows(&c);
        patch32(&c, window + 4, pcpu);
        struct result r = run(&c, (struct setup){.by = BY_PCPU});
        EQUAL(r.quality.skipped_bytes, pcpu == 4095 ? window : 0);
        EQUAL(r.summary.pcpu_highest, pcpu == 4095 ? 0 : 4094);
        EQUAL(HAS_ROW(&r, .pcpu = 4094), pcpu == 4094);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* Cut at every byte: all whole records are read, and what is missing is said. */
static void a_capture_cut_anywhere_gives_what_is_whole(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    size_t window = three_windows(&c), full = c.file.n;
    for (size_t n = 12; n < full; n++) {
        c.file.n = n;
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        size_t in_window = n % window;
        size_t records = n / window * 5 + (in_window >= 12 ? 1 + (in_window - 12) / 16 : 0);
        EQUAL(r.status, 0);
        EQUAL(r.quality.records, records);
        EQUAL(r.quality.truncated_bytes > 0, in_window != 0);
        EQUAL(r.quality.skipped_bytes, 0);
        EQUAL(r.quality.bytes, n);
        result_free(&r);
    }
    trace_bytes_free(&c);
}

static void what_does_not_begin_like_a_capture_is_refused(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    char text[4096];
    memset(text, 'x', sizeof text);
    raw(&c, text, sizeof text);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.status, -1);
    EQUAL(r.err.code, ERROR_FORMAT);
    result_free(&r);
    trace_bytes_free(&c);
}

static void an_empty_file_is_refused(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.status, -1);
    CHECK(r.err.message[0] != 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Padding at the end of a ring holds stale words, even such that look like window headers. */
static void padding_is_never_looked_into(void)
{
    for (unsigned words = 0; words <= 7; words++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        starts(&c, 0, 1, 0);
        rec_wrap(&c, words);
        stops(&c, 1 * MS, 1, 0, RUNNABLE);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        EQUAL(r.quality.windows, 1);
        EQUAL(r.quality.skipped_places, 0);
        EQUAL(ROW(&r, .domain = 1)->preemptions, 1);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void one_byte_at_a_time_is_the_same(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    size_t window = three_windows(&c);
    patch32(&c, window + 12, 0);
    raw(&c, "odd", 3);
    struct result a = run(&c, (struct setup){.by = BY_VCPU});
    struct result b = run(&c, (struct setup){.by = BY_VCPU, .bytewise = true});
    a.summary.file_bytes = b.summary.file_bytes = 0; /* a pipe has none */
    CHECK(memcmp(&a.quality, &b.quality, sizeof a.quality) == 0);
    CHECK(memcmp(&a.summary, &b.summary, sizeof a.summary) == 0);
    result_free(&a);
    result_free(&b);
    trace_bytes_free(&c);
}

CU_TestInfo framing_tests[] = {
    TEST(a_damaged_record_costs_its_window),
    TEST(reading_resumes_at_the_next_window_that_makes_sense),
    TEST(a_window_header_inside_a_window_begins_the_next),
    TEST(a_window_of_impossible_size_is_passed_over),
    TEST(a_huge_size_that_could_be_true_loses_nothing),
    TEST(pcpu_4095_is_damage_and_4094_is_not),
    TEST(a_capture_cut_anywhere_gives_what_is_whole),
    TEST(what_does_not_begin_like_a_capture_is_refused),
    TEST(an_empty_file_is_refused),
    TEST(padding_is_never_looked_into),
    TEST(one_byte_at_a_time_is_the_same),
    CU_TEST_INFO_NULL,
};
