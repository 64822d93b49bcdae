/* A tsc that goes back, or leaps. */
#include <string.h>

#include "run_program.h"
#include "suites.h"

#define RECORDS 12
#define RECORD  16

/* One window: 12 runstate records 1 ms apart. */
static void one_window(struct trace_bytes *c)
{
    on(c, 0);
    for (uint64_t i = 0; i < RECORDS; i += 2) {
        rec_runstate(c, i * MS, 1, 0, RUNNABLE, RUNNING);
        rec_runstate(c, (i + 1) * MS, 1, 0, RUNNING, RUNNABLE);
    }
    sweep(c);
}

static void flip_tsc_bit(struct trace_bytes *c, unsigned record, unsigned bit)
{
    c->file.data[12 + record * RECORD + 4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* A leap of 2^39 cycles, 9 minutes, and more. */
static void a_flipped_high_bit_does_not_stretch_the_trace(void)
{
    for (unsigned i = 1; i < RECORDS; i++)
        for (unsigned bit = 39; bit < 64; bit++) {
            struct trace_bytes c;
            trace_bytes_init(&c);
            one_window(&c);
            flip_tsc_bit(&c, i, bit);
            struct result r = run(&c, (struct setup){.by = BY_VCPU});
            CHECK(r.end_ns <= 11 * MS && r.end_ns >= 10 * MS);
            EQUAL(r.quality.tsc_implausible + r.quality.tsc_backwards, 1);
            EQUAL(r.quality.inconsistent, 0);
            EQUAL(ROW(&r, .domain = 1)->executions, 6);
            result_free(&r);
            trace_bytes_free(&c);
        }
}

static void nor_does_one_in_the_first_record_of_all(void)
{
    for (unsigned bit = 39; bit < 64; bit++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        one_window(&c);
        flip_tsc_bit(&c, 0, bit);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        CHECK(r.end_ns <= 11 * MS && r.end_ns >= 10 * MS);
        EQUAL(ROW(&r, .domain = 1)->executions, 6);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void one_record_that_goes_back_takes_the_time_before_it(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 5 * MS, 1, 0, RUNNABLE, RUNNING);
    rec_continue(&c, 10 * MS, 1, 0);
    rec_runstate(&c, 2 * MS, 1, 0, RUNNING, BLOCKED); /* reads 2, is 10 at least */
    rec_runstate(&c, 15 * MS, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 5 * MS, 10 * MS, 5 * MS, 0, 0);
    EQUAL(r.quality.tsc_backwards, 1);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_long_silence_is_believed_when_the_next_record_agrees(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    starts(&c, 0, 1, 0);
    stops(&c, 1000 * S, 1, 0, BLOCKED);
    mark(&c, 1001 * S);
    mark_seconds(&c, 1, 1001 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 1000 * S, 0, 1 * S, 0, 0);
    EQUAL(r.quality.tsc_implausible, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Two captures in one file: the second, of an earlier boot, would be nonsense behind the first. */
static void windows_from_long_before_are_not_mixed_in(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t i = 0; i < 4; i++) {
        on(&c, 0);
        starts(&c, 100 * S + i * 10 * MS, 1, 0);
        stops(&c, 100 * S + i * 10 * MS + 1 * MS, 1, 0, RUNNABLE);
        sweep(&c);
    }
    on(&c, 0);
    starts(&c, 0, 2, 0);
    stops(&c, 1 * MS, 2, 0, RUNNABLE);
    sweep(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.end_ns, 31 * MS);
    EQUAL(ROW(&r, .domain = 1)->executions, 4);
    EQUAL(r.quality.skipped_bytes, 0);
    EQUAL(r.quality.joined_at, 4 * (12 + 4 * 16));
    EQUAL(r.quality.joined_bytes, 12 + 4 * 16);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo time_stamps_tests[] = {
    TEST(a_flipped_high_bit_does_not_stretch_the_trace),
    TEST(nor_does_one_in_the_first_record_of_all),
    TEST(one_record_that_goes_back_takes_the_time_before_it),
    TEST(a_long_silence_is_believed_when_the_next_record_agrees),
    TEST(windows_from_long_before_are_not_mixed_in),
    CU_TEST_INFO_NULL,
};
