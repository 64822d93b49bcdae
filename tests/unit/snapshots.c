/*
 * Reading a trace from the middle, with a snapshot of its past, gives what reading it from the beginning gives:
 * every row, every histogram, every execution.
 */
#include "metrics/model/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"
#include "random_host.h"
#include "snapshots_kept.h"
#include "suites.h"

#define CHUNK (256u << 10)
#define PARTS 7

/* Parts that begin and end at odd moments, the last one at the end of the trace. */
static struct part part_of(const struct capture_kept *k, unsigned i)
{
    uint64_t from = k->end_ns / (PARTS + 1) * (i + 1) + 12345677;
    return (struct part){from, i + 1 == PARTS ? 0 : from + k->end_ns / 11 + 987654321 % (i + 1)};
}

static void a_part_read_from_a_snapshot_is_as_read_from_the_beginning(void)
{
    static const struct {
        const char *path;
        double cpu_hz; /* so much is lost in one of them that all of it is read to measure the clock */
        unsigned ways; /* at least */
    } captures[] = {
        {"fixtures/cpu-credit2.xt.zst", 0, 10},
        {"fixtures/lost-credit2.xt.zst", 2.2e9, 8},
        {"fixtures/mixed-credit.xt.zst", 0, 10},
        {"fixtures/pvh-credit2.xt.zst", 0, 8},
    };
    for (size_t c = 0; c < sizeof captures / sizeof captures[0]; c++) {
        static struct capture_kept k;
        unsigned ways = 0;
        kept_read(&k, captures[c].path, captures[c].cpu_hz, CHUNK, NULL);
        for (unsigned i = 0; i < PARTS; i++) {
            struct part part = part_of(&k, i);
            ways += kept_compare(&k, &part, 2);
        }
        CHECK(ways >= captures[c].ways);
        kept_free(&k);
    }
}

/* Ways to charge whose state is in snapshots. */
static unsigned charges_compare(const char *path, const struct charge_options *charge, unsigned part)
{
    static struct capture_kept k;
    kept_read(&k, path, 0, CHUNK, charge);
    struct part of = part_of(&k, part);
    unsigned ways = kept_compare(&k, &of, 2);
    kept_free(&k);
    return ways;
}

static struct charge_options charging_by(unsigned methods, uint64_t interval_ns, bool per_execution)
{
    struct charge_options charge = {
        .wanted = true, .methods = methods, .interval_ns = interval_ns, .per_execution = per_execution};
    memcpy(charge.weights, charge_default_weights, sizeof charge.weights);
    return charge;
}

static void charges_begin_in_the_middle_as_at_the_beginning(void)
{
    static const char *const captures[] = {"fixtures/disk-net.xt.zst", "fixtures/mixed-credit.xt.zst",
                                           "fixtures/pvh-credit2.xt.zst"};
    const struct charge_options by_task = charging_by(CHARGE_AUTO, 0, false),
                                by_execution = charging_by(CHARGE_AUTO, 0, true),
                                by_interval = charging_by(CHARGE_AUTO, 300000000, false),
                                long_interval = charging_by(CHARGE_GRANTS, 7000000000, false);
    struct charge_options spread = by_task;
    spread.spread_own = true;
    const struct charge_options *const all[] = {&by_task, &by_execution, &by_interval, &long_interval,
                                                &spread};
    unsigned ways = 0;
    for (size_t c = 0; c < sizeof captures / sizeof captures[0]; c++)
        for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
            ways += charges_compare(captures[c], all[i], 3 + (i + (unsigned)c) % 4);
    CHECK(ways >= 20);
}

static void snapshots_are_small(void)
{
    static struct capture_kept k;
    kept_read(&k, "fixtures/mixed-credit.xt.zst", 0, CHUNK, NULL);
    size_t most = 0;
    for (unsigned i = 0; i < k.cuts_n; i++)
        if (k.cuts[i].n > most)
            most = k.cuts[i].n;
    CHECK(k.snapshots > 40);
    CHECK(most > 1000 && most < 4096);
    kept_free(&k);
}

/* Small hosts that lose records, and whose clocks differ from pCPU to pCPU. */
static void records_lost_and_out_of_order_make_no_difference(void)
{
    unsigned ways = 0;
    for (unsigned seed = 4; seed < 90; seed += 5) { /* such ones take seconds: see host_run */
        static struct host h;
        static struct capture_kept k;
        host_run(&h, seed, 4000, seed % 2, seed % 4 >= 2);
        sweep(&h.capture);
        int fd = memfd_create("capture", 0);
        char path[64];
        snprintf(path, sizeof path, "/dev/fd/%d", fd);
        if (fd < 0 || write(fd, h.capture.file.data, h.capture.file.n) != (ssize_t)h.capture.file.n)
            abort();
        kept_read(&k, path, 1e9, 2000, NULL);
        struct part part = {k.end_ns / 2 + 777, k.end_ns / 4 * 3 + 1};
        ways += kept_compare(&k, &part, 3);
        kept_free(&k);
        host_free(&h);
        close(fd);
    }
    CHECK(ways > 20); /* where a pCPU is waited for there are no snapshots */
}

/* ---- damage ---- */

static void numbers_are_read_as_they_were_written(void)
{
    struct snapshot w = {0}, r;
    snapshot_write(&w, 1000);
    snapshot_number(&w, UINT64_MAX, UINT64_MAX);
    snapshot_number(&w, 127, 127);
    snapshot_signed(&w, -5, -5, 300);
    snapshot_signed(&w, 300, -5, 300);
    snapshot_time(&w, 0, false);
    snapshot_time(&w, 1000, false);
    snapshot_time(&w, UINT64_MAX, true);
    snapshot_span(&w, UINT64_MAX);
    snapshot_span(&w, 1000);
    CHECK(!w.failed);
    EQUAL(w.n, 1 + 10 + 1 + 1 + 2 + 1 + 1 + 1 + 1 + 2);
    snapshot_read(&r, w.bytes, w.n, 1000);
    EQUAL(snapshot_number(&r, 0, UINT64_MAX), UINT64_MAX);
    EQUAL(snapshot_number(&r, 0, 127), 127);
    EQUAL(snapshot_signed(&r, 0, -5, 300), -5);
    EQUAL(snapshot_signed(&r, 0, -5, 300), 300);
    EQUAL(snapshot_time(&r, 7, false), 0);
    EQUAL(snapshot_time(&r, 7, false), 1000);
    EQUAL(snapshot_time(&r, 7, true), UINT64_MAX);
    EQUAL(snapshot_span(&r, 7), UINT64_MAX);
    CHECK(!snapshot_is_read(&r));
    EQUAL(snapshot_span(&r, 7), 1000);
    CHECK(snapshot_is_read(&r));
    EQUAL(snapshot_number(&r, 7, 9), 0); /* there are no more */
    CHECK(r.failed);
    free(w.bytes);
}

static void what_breaks_a_bound_is_neither_written_nor_read(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } wrong[] = {
        {"\x02\x0b", 2},                                      /* above 10 */
        {"\x02\x83\x00", 3},                                  /* 3, in a longer form */
        {"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11}, /* above 64 bits */
        {"\x02\x83", 2},                                      /* cut off */
        {"\x02", 1},
        {"\x01\x01", 2}, /* another version */
        {"", 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct snapshot s;
        snapshot_read(&s, wrong[i].bytes, wrong[i].n, 1000);
        EQUAL(snapshot_number(&s, 0, 10), 0);
        CHECK(s.failed);
    }
    struct snapshot s = {0};
    snapshot_write(&s, 1000);
    snapshot_time(&s, 1001, true);
    CHECK(s.failed);
    snapshot_write(&s, 1000);
    CHECK(!s.failed);
    snapshot_number(&s, 11, 10);
    CHECK(s.failed);
    free(s.bytes);
}

/* A pipeline takes whatever a snapshot can be read as. */
static bool pipeline_takes(const uint8_t *bytes, size_t n, uint64_t tsc, const struct clock *clock,
                           const struct charge_options *charge)
{
    struct error err = {0};
    struct buffer lines = {0};
    struct part part = {1000, 0};
    struct pipeline *rows = kept_pipeline(BY_DOMAIN_PCPU, &part, charge, &lines);
    bool fine = pipeline_restore(rows, bytes, n, tsc, clock, &err) == 0;
    if (fine)
        CHECK(pipeline_end(rows, clock_ns(clock, tsc), &err) == 0);
    else
        CHECK(err.code == ERROR_FORMAT && err.message[0] != '\0');
    pipeline_free(rows);
    buffer_free(&lines);
    return fine;
}

static void damage_snapshot(const char *path, const struct charge_options *charge)
{
    static struct capture_kept k;
    kept_read(&k, path, 0, CHUNK, charge);
    const struct cut *cut = &k.cuts[0];
    uint8_t *bytes = malloc(cut->n);
    unsigned refused = 0;
    for (size_t i = 0; i < cut->n; i++) {
        memcpy(bytes, cut->bytes, cut->n);
        bytes[i] = (uint8_t)(bytes[i] ^ 1 << i % 7);
        refused += !pipeline_takes(bytes, cut->n, cut->tsc, &k.clock, charge);
        CHECK(!pipeline_takes(cut->bytes, i, cut->tsc, &k.clock, charge));
    }
    CHECK(pipeline_takes(cut->bytes, cut->n, cut->tsc, &k.clock, charge));
    CHECK(refused > cut->n / 5); /* a quarter: of sums, and of what was learned, any number may be right */
    free(bytes);
    kept_free(&k);
}

static void damaged_snapshots_do_no_harm(void)
{
    const struct charge_options by_task = charging_by(CHARGE_AUTO, 0, false);
    damage_snapshot("fixtures/membuf-credit2.xt.zst", NULL);
    damage_snapshot("fixtures/disk-net.xt.zst", &by_task);
}

CU_TestInfo snapshots_tests[] = {
    TEST(a_part_read_from_a_snapshot_is_as_read_from_the_beginning),
    TEST(charges_begin_in_the_middle_as_at_the_beginning),
    TEST(snapshots_are_small),
    TEST(records_lost_and_out_of_order_make_no_difference),
    TEST(numbers_are_read_as_they_were_written),
    TEST(what_breaks_a_bound_is_neither_written_nor_read),
    TEST(damaged_snapshots_do_no_harm),
    CU_TEST_INFO_NULL,
};
