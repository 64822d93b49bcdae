/* Rows by several things at once: each as it comes out alone. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mixture.h"
#include "random_host.h"
#include "run_program.h"
#include "suites.h"
#include "told.h"

static void meter_file(const char *path, const struct meter_options *options, double cpu_hz,
                       struct told_calls *told)
{
    struct meter_options into = *options;
    struct trace_options trace_options = {.cpu_hz = cpu_hz};
    struct trace_summary summary;
    struct event_batch batch;
    struct error err;
    int status = -1;
    into.sink = told_sink(told);
    struct pipeline *p = rows_pipeline(&into);
    pipeline_wants(p, &trace_options);
    struct trace *t = trace_open(path, &trace_options, &err);
    CHECK(t != NULL);
    if (!t) {
        pipeline_free(p);
        return;
    }
    while ((status = trace_next(t, &batch, &err)) > 0)
        EQUAL(pipeline_feed(p, &batch, trace_clock(t), &err), 0);
    EQUAL(status, 0);
    trace_summarise(t, &summary);
    EQUAL(pipeline_end(p, clock_ns(trace_clock(t), summary.tsc_last), &err), 0);
    pipeline_free(p);
    trace_close(t);
}

static void check_alike(const char *path, struct meter_options options, double cpu_hz)
{
    for (enum by by = 0; by < BYS; by++) {
        struct told_calls alone = {0}, together = {0};
        if (!(options.bys & 1u << by))
            continue;
        struct meter_options one = options;
        one.bys = 1u << by;
        meter_file(path, &one, cpu_hz, &alone);
        meter_file(path, &options, cpu_hz, &together);
        told_only(&together, by);
        CHECK(alone.n > 0);
        EQUAL(told_difference(&together, &alone), -1);
        told_forget(&alone);
        told_forget(&together);
    }
}

static struct meter_options draw(uint64_t *random, uint64_t unit_ns, uint64_t end_ns)
{
    static uint8_t pcpus[PCPUS_MAX];
    return mixture_draw_rows(random, unit_ns, end_ns, pcpus);
}

static void random_hosts_by_anything(void)
{
    static struct host h;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t random = seed;
        char path[64];
        host_run(&h, seed, 600, seed % 2, seed % 3 == 0);
        sweep(&h.capture);
        int fd = memfd_create("capture", 0);
        EQUAL(write(fd, h.capture.file.data, h.capture.file.n), h.capture.file.n);
        snprintf(path, sizeof path, "/dev/fd/%d", fd);
        check_alike(path, draw(&random, h.scale * MS, h.now), 1e9);
        close(fd);
        host_free(&h);
    }
}

static void a_capture_by_anything(void)
{
    uint64_t random = 7;
    for (int i = 0; i < 6; i++) {
        check_alike("fixtures/lost-credit2.xt.zst", draw(&random, 500 * MS, 10 * S), 0);
        check_alike("fixtures/pvh-credit2.xt.zst", draw(&random, 300 * MS, 8 * S), 0);
    }
}

CU_TestInfo several_bys_tests[] = {
    TEST(random_hosts_by_anything),
    TEST(a_capture_by_anything),
    CU_TEST_INFO_NULL,
};
