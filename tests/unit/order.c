/* Events of all pCPUs in the order of time. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run_program.h"
#include "suites.h"

#define EVENTS_MAX 4096

struct seen {
    uint32_t pcpu, number;
    uint64_t t;
};

/* A record that tells its own pCPU and number. */
static void numbered(struct trace_bytes *c, uint64_t t, uint32_t number)
{
    rec_wake(c, t, c->pcpu, number);
}

/* Delivers all WAKE records as they come out; returns how many. */
static size_t read_wakes(struct trace_bytes *c, struct seen seen[EVENTS_MAX])
{
    struct trace_options options = {.cpu_hz = 1e9};
    options.interest.raw[EVENT_WAKE] = true;
    sweep(c);
    int fd = memfd_create("capture", 0);
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    CHECK(write(fd, c->file.data, c->file.n) == (ssize_t)c->file.n);
    struct error err = {0};
    struct trace *t = trace_open(path, &options, &err);
    struct event_batch batch;
    size_t n = 0;
    uint64_t last = 0, watermark = 0;
    while (t && trace_next(t, &batch, &err) > 0) {
        for (size_t i = 0; i < batch.n && n < EVENTS_MAX; i++) {
            const struct event *e = &batch.events[i];
            if (e->slot != EVENT_WAKE)
                continue;
            CHECK(e->tsc >= last);
            CHECK(e->tsc >= watermark);
            CHECK(e->pcpu == e->w[0]);
            last = e->tsc;
            seen[n++] = (struct seen){e->pcpu, e->w[1], e->tsc - BASE_TSC};
        }
        watermark = batch.watermark;
    }
    CHECK(t != NULL && err.code == ERROR_NONE);
    trace_close(t);
    close(fd);
    return n;
}

static struct seen seen[EVENTS_MAX];

static void expect(struct trace_bytes *c, size_t n, const struct seen *expected)
{
    EQUAL(read_wakes(c, seen), n);
    for (size_t i = 0; i < n; i++) {
        EQUAL(seen[i].t, expected[i].t);
        EQUAL(seen[i].pcpu, expected[i].pcpu);
        EQUAL(seen[i].number, expected[i].number);
    }
    trace_bytes_free(c);
}

static void records_of_three_pcpus_come_in_the_order_of_time(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    numbered(&c, 10, 0);
    numbered(&c, 40, 1);
    on(&c, 1);
    numbered(&c, 20, 0);
    numbered(&c, 30, 1);
    numbered(&c, 60, 2);
    on(&c, 2);
    numbered(&c, 5, 0);
    numbered(&c, 50, 1);
    static const struct seen expected[] = {{2, 0, 5},  {0, 0, 10}, {1, 0, 20}, {1, 1, 30},
                                           {0, 1, 40}, {2, 1, 50}, {1, 2, 60}};
    expect(&c, 7, expected);
}

static void equal_times_keep_the_order_of_each_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned p = 0; p < 3; p++) {
        on(&c, p);
        for (uint32_t i = 0; i < 4; i++)
            numbered(&c, i < 3 ? 10 : 20, i);
    }
    struct seen expected[12];
    size_t n = 0;
    for (uint32_t p = 0; p < 3; p++)
        for (uint32_t i = 0; i < 3; i++)
            expected[n++] = (struct seen){p, i, 10};
    for (uint32_t p = 0; p < 3; p++)
        expected[n++] = (struct seen){p, 3, 20};
    expect(&c, 12, expected);
}

/* pCPU 1 is read later than pCPU 0: its window reaches into the time of pCPU 0's next one. */
static void windows_of_successive_sweeps_may_overlap_in_time(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    numbered(&c, 10, 0);
    flush(&c, 0);
    on(&c, 1);
    numbered(&c, 12, 0);
    numbered(&c, 25, 1);
    flush(&c, 1);
    on(&c, 0);
    numbered(&c, 20, 1);
    numbered(&c, 30, 2);
    flush(&c, 0);
    on(&c, 1);
    numbered(&c, 28, 2);
    numbered(&c, 45, 3);
    flush(&c, 1);
    on(&c, 0);
    numbered(&c, 40, 3);
    flush(&c, 0);
    static const struct seen expected[] = {{0, 0, 10}, {1, 0, 12}, {0, 1, 20}, {1, 1, 25},
                                           {1, 2, 28}, {0, 2, 30}, {0, 3, 40}, {1, 3, 45}};
    expect(&c, 8, expected);
}

static void a_silent_pcpu_holds_nobody_up(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    numbered(&c, 1, 0);
    on(&c, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        numbered(&c, 10 + i * MS, i);
        if (i % 10 == 9)
            sweep(&c);
    }
    on(&c, 1);
    numbered(&c, 999 * MS + 500, 1);
    EQUAL(read_wakes(&c, seen), 1002);
    EQUAL(seen[0].pcpu, 1);
    EQUAL(seen[1001].pcpu, 1);
    trace_bytes_free(&c);
}

static void one_pcpu_comes_as_it_is(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 7);
    for (uint32_t i = 0; i < 3000; i++) {
        numbered(&c, i / 3, i);
        if (i % 100 == 0)
            sweep(&c);
    }
    EQUAL(read_wakes(&c, seen), 3000);
    for (uint32_t i = 0; i < 3000; i++)
        EQUAL(seen[i].number, i);
    trace_bytes_free(&c);
}

CU_TestInfo order_tests[] = {
    TEST(records_of_three_pcpus_come_in_the_order_of_time),
    TEST(equal_times_keep_the_order_of_each_pcpu),
    TEST(windows_of_successive_sweeps_may_overlap_in_time),
    TEST(a_silent_pcpu_holds_nobody_up),
    TEST(one_pcpu_comes_as_it_is),
    CU_TEST_INFO_NULL,
};
