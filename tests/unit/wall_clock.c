/* The time of day of a live trace, by readings that are made up. */
#include "host/wall_clock.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "host/io_clock.h"
#include "record/clock_command.h"

#define S    INT64_C(1000000000)
#define MS   INT64_C(1000000)
#define NOON (INT64_C(1795953600) * S) /* a day of 2026 */
#define HZ   INT64_C(2000000000)

static struct error err;
static struct clock_news news;
static struct wall_clock *clock_;

/* The next reading of the source. */
static struct time_reading now;

static int read_now(void *context, struct time_reading *r, struct error *e)
{
    (void)context;
    if (now.monotonic_ns == 0)
        return error_set(e, ERROR_IO, "no clock");
    *r = now;
    return 0;
}

static void begin(void)
{
    const struct time_source source = {NULL, read_now};
    wall_clock_free(clock_);
    clock_ = wall_clock_new(&source, WALL_CLOCK_LATE_NS, &err);
    /* The machine has run for 1000 s, its counter for as long: at 2 GHz. */
    now = (struct time_reading){NOON, 1000 * S, 1000 * S, 1000 * HZ, 100};
}

static void pass(int64_t ns)
{
    now.utc_ns += ns;
    now.monotonic_ns += (uint64_t)ns;
    now.boot_ns += (uint64_t)ns;
    now.tsc += (uint64_t)ns * 2;
}

/* A reading; the newest record came 20 ms ago, and was written 100 ms before that, by the counter `ahead` of this machine's. */
static bool read_clock(int64_t ahead)
{
    struct stream_moment newest = {now.tsc - (uint64_t)(240 * MS - ahead), 20 * MS, 100 * MS};
    EQUAL(wall_clock_read(clock_, &newest, &news, &err), 0);
    return news.has_pair;
}

static void the_counter_of_this_machine_gives_pairs(void)
{
    double error_ppm;
    begin();
    CHECK(!read_clock(0)); /* the frequency is not known: nothing can be checked */
    EQUAL(wall_clock_hz(clock_, NULL), 0);
    pass(100 * MS);
    CHECK(read_clock(0));
    EQUAL(news.pair.tsc, 1000 * HZ + 200 * MS);
    EQUAL(news.pair.utc_ns, NOON + 100 * MS);
    EQUAL(news.pair.error_ns, 100);
    CHECK(!news.pair.by_stream && !wall_clock_by_stream(clock_));
    EQUAL(wall_clock_hz(clock_, &error_ppm), HZ);
    EQUAL(error_ppm * 1000 + 0.5, 2000); /* 200 ns of 100 ms */
    pass(60 * S);
    CHECK(read_clock(0));
    EQUAL(wall_clock_hz(clock_, &error_ppm), HZ);
    CHECK(error_ppm < 0.01);
}

static void moments_are_on_the_line(void)
{
    uint64_t tsc = 0;
    int64_t utc = 0;
    begin();
    read_clock(0);
    CHECK(!wall_clock_tsc_of(clock_, NOON, &tsc));
    CHECK(!wall_clock_utc_of(clock_, 1000 * HZ, &utc));
    for (int i = 0; i < 100; i++) { /* more pairs than are kept */
        pass(10 * S);
        read_clock(0);
    }
    const int64_t moments[] = {-1000, 0, 995, 1000, 2500, 3600}; /* s since the first reading */
    for (int i = 0; i < 6; i++) {
        CHECK(wall_clock_tsc_of(clock_, NOON + moments[i] * S, &tsc));
        EQUAL(tsc, (1000 + moments[i]) * HZ);
        CHECK(wall_clock_utc_of(clock_, (uint64_t)((1000 + moments[i]) * HZ), &utc));
        EQUAL(utc, NOON + moments[i] * S);
    }
    CHECK(!wall_clock_tsc_of(clock_, NOON - 1001 * S, &tsc));
    CHECK(!wall_clock_tsc_of(clock_, INT64_MAX, &tsc) || tsc > 0);
}

static void records_that_are_late_are_no_proof(void)
{
    begin();
    read_clock(0);
    pass(S);
    CHECK(read_clock(0));
    for (int i = 0; i < 10; i++) { /* a domain 0 that has no time for xentrace */
        pass(10 * S);
        CHECK(!read_clock(-5 * HZ));
    }
    CHECK(!wall_clock_by_stream(clock_));
    pass(10 * S);
    CHECK(read_clock(0));
    CHECK(!news.pair.by_stream && !news.broken);
    for (int i = 0; i < 3; i++) { /* nobody is as late as that */
        CHECK(!wall_clock_by_stream(clock_));
        pass(10 * S);
        read_clock(-70 * HZ);
    }
    CHECK(wall_clock_by_stream(clock_) && news.broken);
}

static void late_records_at_the_beginning_leave_it_open(void)
{
    begin();
    read_clock(-5 * HZ);
    pass(10 * S);
    CHECK(!read_clock(-5 * HZ) && !wall_clock_by_stream(clock_));
    pass(10 * S);
    CHECK(read_clock(0) && !news.pair.by_stream);
}

/* As in a PVH domain 0: the trace has the host's counter, which began earlier. */
static void another_counter_makes_pairs_come_from_the_stream(void)
{
    uint64_t tsc;
    begin();
    read_clock(500 * HZ);
    pass(10 * S);
    CHECK(read_clock(500 * HZ));
    CHECK(news.pair.by_stream && wall_clock_by_stream(clock_));
    EQUAL(news.pair.tsc, 1510 * HZ - 240 * MS);
    EQUAL(news.pair.utc_ns, NOON + 10 * S - 20 * MS);
    EQUAL(news.pair.monotonic_ns, 1010 * S - 20 * MS);
    EQUAL(news.pair.error_ns, 100 * MS + 100);
    pass(10 * S);
    CHECK(read_clock(500 * HZ));
    EQUAL(wall_clock_hz(clock_, NULL), HZ);
    CHECK(wall_clock_tsc_of(clock_, NOON + 30 * S, &tsc));
    EQUAL(tsc, 1530 * HZ - 200 * MS); /* the records were 100 ms older than their arrival */
    const struct stream_moment same = {1520 * HZ - 240 * MS, S, 100 * MS};
    EQUAL(wall_clock_read(clock_, &same, &news, &err), 0);
    CHECK(!news.has_pair); /* nothing new has come */
}

static void a_bad_pair_at_the_beginning_does_not_last(void)
{
    double error_ppm = 0;
    begin();
    read_clock(500 * HZ);
    pass(S);
    struct stream_moment newest = {now.tsc + 500 * HZ, 0, 3 * S};
    EQUAL(wall_clock_read(clock_, &newest, &news, &err), 0);
    EQUAL(news.pair.error_ns, 3 * S + 100);
    for (int i = 0; i < 100; i++) {
        pass(10 * S);
        CHECK(read_clock(500 * HZ));
    }
    EQUAL(wall_clock_hz(clock_, &error_ppm), HZ);
    /* From the second pair, 990 s ago: 0.2 s of them; from the first one it would be 3.1 s of 1000 s. */
    CHECK(error_ppm > 200 && error_ppm < 205);
}

static void an_emulated_counter_of_another_frequency_is_found_out(void)
{
    begin();
    struct stream_moment newest = {now.tsc, 0, 100 * MS};
    for (int i = 0; i < 5; i++) { /* the trace's counter runs at 1 GHz: each 10 s it falls back by 5 s */
        EQUAL(wall_clock_read(clock_, &newest, &news, &err), 0);
        pass(10 * S);
        newest.tsc += (uint64_t)(10 * S);
    }
    CHECK(wall_clock_by_stream(clock_));
    EQUAL(wall_clock_read(clock_, &newest, &news, &err), 0);
    EQUAL(wall_clock_hz(clock_, NULL), 1000000000);
}

static void a_step_counts_for_each_side_by_itself(void)
{
    uint64_t tsc;
    int64_t utc;
    begin();
    read_clock(0);
    pass(10 * S);
    CHECK(read_clock(0));
    EQUAL(news.step_ns, 0);
    pass(10 * S);
    now.utc_ns -= 3600 * S;
    CHECK(read_clock(0));
    EQUAL(news.step_ns, -3600 * S);
    CHECK(!news.broken);
    pass(10 * S);
    CHECK(read_clock(0));
    EQUAL(news.step_ns, 0);
    CHECK(wall_clock_utc_of(clock_, 1015 * HZ, &utc));
    EQUAL(utc, NOON + 15 * S);
    CHECK(wall_clock_utc_of(clock_, 1025 * HZ, &utc));
    EQUAL(utc, NOON + 25 * S - 3600 * S);
    CHECK(wall_clock_tsc_of(clock_, NOON + 25 * S - 3600 * S, &tsc));
    EQUAL(tsc, 1025 * HZ);
    now.utc_ns += 999000; /* less than what counts as a step, twice */
    read_clock(0);
    EQUAL(news.step_ns, 0);
    now.utc_ns += 999000;
    read_clock(0);
    EQUAL(news.step_ns, 1998000);
}

static void a_suspended_machine_begins_anew(void)
{
    begin();
    read_clock(0);
    pass(10 * S);
    read_clock(0);
    pass(S);
    now.utc_ns += 3600 * S;
    now.boot_ns += 3600 * (uint64_t)S;
    now.tsc = 5 * (uint64_t)HZ; /* the counter has begun again */
    read_clock(0);
    EQUAL(news.suspended_ns, 3600 * S);
    EQUAL(news.step_ns, 0);
    CHECK(news.broken && !news.has_pair);
    pass(10 * S);
    CHECK(read_clock(0));
    EQUAL(news.suspended_ns, 0);
    EQUAL(wall_clock_hz(clock_, NULL), HZ);
}

static void pairs_that_are_off_the_line_begin_another(void)
{
    begin();
    read_clock(0);
    pass(10 * S);
    read_clock(0);
    pass(10 * S);
    now.tsc += 500 * MS; /* a quarter of a second more: 2.5 % of the distance */
    CHECK(read_clock(0));
    CHECK(news.broken);
    pass(10 * S);
    CHECK(read_clock(0));
    CHECK(!news.broken);
}

static void a_source_that_fails_is_an_error(void)
{
    begin();
    now.monotonic_ns = 0;
    EQUAL(wall_clock_read(clock_, NULL, &news, &err), -1);
    SAME_TEXT(err.message, "no clock");
    wall_clock_free(clock_);
    clock_ = NULL;
}

static void this_machine_has_the_time(void)
{
    const struct time_source host = time_source_host();
    struct time_reading a, b;
    EQUAL(host.read(host.context, &a, &err), 0);
    EQUAL(host.read(host.context, &b, &err), 0);
    CHECK(b.monotonic_ns > a.monotonic_ns && b.monotonic_ns < a.monotonic_ns + 10 * (uint64_t)S);
    CHECK(b.tsc >= a.tsc && b.error_ns > 0 && b.utc_ns > NOON - 365 * 86400 * S);
    CHECK(io_clock_ns() >= b.monotonic_ns);
}

/* ---- a command that has the time ---- */

static int ask(const char *script, struct time_reading *r, int times)
{
    struct clock_command *c = clock_command_new(script, &err);
    struct time_source source = clock_command_source(c);
    int status = 0;
    for (int i = 0; i < times; i++)
        status = source.read(source.context, r, &err);
    clock_command_free(c);
    return status;
}

static void a_command_answers_each_line(void)
{
    struct time_reading r;
    EQUAL(ask("n=1; while read -r _; do echo \"179595360000000000$n 7$n 18446744073709551614\"; n=$((n + "
              "1)); done",
              &r, 3),
          0);
    EQUAL(r.utc_ns, NOON + 3);
    EQUAL(r.monotonic_ns, 73);
    EQUAL(r.boot_ns, 73);
    CHECK(r.tsc == UINT64_MAX - 1);
    CHECK(r.error_ns > 0);
}

static void a_command_may_have_the_time_since_the_boot(void)
{
    struct time_reading r;
    EQUAL(ask("while read -r _; do echo 1 2 3 4; done", &r, 1), 0);
    EQUAL(r.monotonic_ns, 2);
    EQUAL(r.tsc, 3);
    EQUAL(r.boot_ns, 4);
}

static void a_command_that_ends_or_says_something_else_fails(void)
{
    struct time_reading r;
    EQUAL(ask("exit 0", &r, 2), -1);
    SAME_TEXT(err.message, "the clock's command does not answer");
    EQUAL(ask("read -r _; echo 1 2", &r, 1), -1);
    SAME_TEXT(err.message, "the clock's command does not answer \"UTC_NS MONOTONIC_NS TSC [BOOT_NS]\"");
    EQUAL(ask("read -r _; echo 1 2 3 4 5", &r, 1), -1);
    EQUAL(ask("read -r _; echo 1 2 3 -4", &r, 1), -1);
    EQUAL(ask("read -r _; echo 1 2 -3", &r, 1), -1);
    EQUAL(ask("read -r _; echo 1 2 99999999999999999999", &r, 1), -1);
    EQUAL(ask("read -r _; head -c 100000 /dev/zero; sleep 9", &r, 1), -1);
    SAME_TEXT(err.message, "the clock's command does not answer");
}

CU_TestInfo wall_clock_tests[] = {TEST(the_counter_of_this_machine_gives_pairs),
                                  TEST(moments_are_on_the_line),
                                  TEST(records_that_are_late_are_no_proof),
                                  TEST(late_records_at_the_beginning_leave_it_open),
                                  TEST(another_counter_makes_pairs_come_from_the_stream),
                                  TEST(a_bad_pair_at_the_beginning_does_not_last),
                                  TEST(an_emulated_counter_of_another_frequency_is_found_out),
                                  TEST(a_step_counts_for_each_side_by_itself),
                                  TEST(a_suspended_machine_begins_anew),
                                  TEST(pairs_that_are_off_the_line_begin_another),
                                  TEST(a_source_that_fails_is_an_error),
                                  TEST(this_machine_has_the_time),
                                  TEST(a_command_answers_each_line),
                                  TEST(a_command_may_have_the_time_since_the_boot),
                                  TEST(a_command_that_ends_or_says_something_else_fails),
                                  CU_TEST_INFO_NULL};
