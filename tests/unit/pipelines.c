/* Whatever takes part in a pass, each consumer gets what it gets alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "mixture.h"
#include "parser/decode/event_fields.h"
#include "parser/trace.h"
#include "random.h"
#include "random_host.h"
#include "suites.h"

static void check_mixture(uint64_t seed, const struct mixture_trace *trace)
{
    const char *difference = mixture_difference(seed, trace);
    CHECK(difference == NULL);
    if (difference)
        printf("\n%s, seed %llu: %s\n", trace->path, (unsigned long long)seed, difference);
}

/* ---- wrong times ---- */

static uint32_t word_at(const struct bytes *file, size_t at)
{
    uint32_t word;
    memcpy(&word, file->data + at, sizeof word);
    return word;
}

/* A record's time becomes another one. */
static void spoil_record(struct bytes *file, size_t at, uint64_t *random)
{
    uint64_t tsc, by = 1ull << (10 + random_below(random, 44));
    memcpy(&tsc, file->data + at + 4, sizeof tsc);
    tsc = random_below(random, 2) ? tsc + by : tsc - by;
    memcpy(file->data + at + 4, &tsc, sizeof tsc);
}

/* One record of so many, on the mean, has a wrong time; clocks of pCPUs leave, and some return. */
static void spoil_times(struct bytes *file, uint64_t *random, uint64_t one_of)
{
    uint64_t offsets[HOST_PCPUS] = {0};
    for (size_t at = 0; at + 12 <= file->n;) {
        uint32_t pcpu = word_at(file, at + 4);
        size_t end = at + 12 + word_at(file, at + 8);
        if (random_below(random, 12) == 0)
            offsets[pcpu] = random_below(random, 3) ? 0 : random64(random) >> (14 + random_below(random, 24));
        for (at += 12; at < end;) {
            uint32_t header = word_at(file, at);
            uint64_t tsc;
            if (random_below(random, 8 * one_of) == 0)
                offsets[pcpu] = random64(random) >> (14 + random_below(random, 24));
            if (header >> 31) {
                memcpy(&tsc, file->data + at + 4, sizeof tsc);
                tsc += offsets[pcpu];
                memcpy(file->data + at + 4, &tsc, sizeof tsc);
            }
            if (header >> 31 && random_below(random, one_of) == 0)
                spoil_record(file, at, random);
            at += 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
        }
    }
}

/* ---- the tests ---- */

static void check_random_host(uint64_t seed, uint64_t wrong_one_of)
{
    static struct host h;
    char path[64];
    host_run(&h, seed, 600, seed % 2, seed % 3 == 0);
    sweep(&h.capture);
    if (wrong_one_of)
        spoil_times(&h.capture.file, &seed, wrong_one_of);
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, h.capture.file.data, h.capture.file.n) != (ssize_t)h.capture.file.n)
        abort();
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    const struct mixture_trace trace = {
        .path = path, .cpu_hz = 1e9, .unit_ns = h.scale * MS, .end_ns = h.now, .lines_most = 20000};
    for (uint64_t draw = 0; draw < 6; draw++)
        check_mixture(seed * 1000 + draw, &trace);
    close(fd);
    host_free(&h);
}

static void on_random_hosts(void)
{
    event_fields_init();
    for (uint64_t seed = 1; seed <= 40; seed++)
        check_random_host(seed, 0);
}

static void on_random_hosts_with_wrong_times(void)
{
    event_fields_init();
    for (uint64_t seed = 1; seed <= 60; seed++)
        check_random_host(seed, 20 << seed % 4);
}

static void on_captures(void)
{
    static const struct mixture_trace captures[] = {
        {.path = "fixtures/lost-credit2.xt.zst", .unit_ns = 300 * MS, .end_ns = 14 * S},
        {.path = "fixtures/membuf-credit2.xt.zst", .unit_ns = 20 * MS, .end_ns = 2 * S},
    };
    for (uint64_t seed = 1; seed <= 6; seed++)
        for (size_t i = 0; i < 2; i++)
            check_mixture(seed * 2 + i, &captures[i]);
}

/* The first sweep has only a record without a time: the trace begins with the first time that comes later. */
static void the_trace_begins_with_its_first_time(void)
{
    static struct trace_options options = {.cpu_hz = 1e9};
    struct trace_bytes c;
    struct event_batch batch;
    struct error err;
    char path[64];
    trace_bytes_init(&c);
    on(&c, 1);
    record_untimed(&c, 0x00081001, 0, NULL);
    flush(&c, 1);
    on(&c, 0);
    mark(&c, 3 * MS);
    sweep(&c);
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, c.file.data, c.file.n) != (ssize_t)c.file.n)
        abort();
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    memset(options.interest.raw, true, sizeof options.interest.raw);
    struct trace *t = trace_open(path, &options, &err);
    CHECK(t && trace_next(t, &batch, &err) == 1);
    EQUAL(clock_ns(trace_clock(t), BASE_TSC + 3 * MS), 0);
    trace_close(t);
    close(fd);
    trace_bytes_free(&c);
}

CU_TestInfo pipelines_tests[] = {
    TEST(the_trace_begins_with_its_first_time),
    TEST(on_random_hosts),
    TEST(on_random_hosts_with_wrong_times),
    TEST(on_captures),
    CU_TEST_INFO_NULL,
};
