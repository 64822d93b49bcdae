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
#include "random_host.h"
#include "suites.h"

static void check_mixture(uint64_t seed, const struct mixture_trace *trace)
{
    const char *difference = mixture_difference(seed, trace);
    CHECK(difference == NULL);
    if (difference)
        printf("\n%s, seed %llu: %s\n", trace->path, (unsigned long long)seed, difference);
}

static void on_random_hosts(void)
{
    static struct host h;
    event_fields_init();
    for (uint64_t seed = 1; seed <= 40; seed++) {
        char path[64];
        host_run(&h, seed, 600, seed % 2, seed % 3 == 0);
        sweep(&h.capture);
        int fd = memfd_create("capture", 0);
        if (fd < 0 || write(fd, h.capture.file.data, h.capture.file.n) != (ssize_t)h.capture.file.n)
            abort();
        snprintf(path, sizeof path, "/dev/fd/%d", fd);
        const struct mixture_trace trace = {
            .path = path, .cpu_hz = 1e9, .unit_ns = h.scale * MS, .end_ns = h.now};
        for (uint64_t draw = 0; draw < 6; draw++)
            check_mixture(seed * 1000 + draw, &trace);
        close(fd);
        host_free(&h);
    }
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
    TEST(on_captures),
    CU_TEST_INFO_NULL,
};
