/*
 * Reading a trace from the middle, with what an entry tells of its past, gives what reading it from the beginning gives:
 * every row, every histogram, every execution.
 */
#include "archive/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "check.h"
#include "entry_kept.h"
#include "random_host.h"
#include "suites.h"

#define CHUNK (256u << 10)
#define PARTS 7

/* Parts that begin and end at odd moments, the last one at the end of the trace. */
static struct part part_of(const struct capture_kept *k, unsigned i)
{
    uint64_t from = k->end_ns / (PARTS + 1) * (i + 1) + 12345677;
    return (struct part){from, i + 1 == PARTS ? 0 : from + k->end_ns / 11 + 987654321 % (i + 1)};
}

static void a_part_read_from_an_entry_is_as_read_from_the_beginning(void)
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
        kept_read(&k, captures[c].path, captures[c].cpu_hz, CHUNK);
        for (unsigned i = 0; i < PARTS; i++) {
            struct part part = part_of(&k, i);
            ways += kept_compare(&k, &part, 2);
        }
        CHECK(ways >= captures[c].ways);
        kept_free(&k);
    }
}

static void entries_are_small(void)
{
    static struct capture_kept k;
    kept_read(&k, "fixtures/mixed-credit.xt.zst", 0, CHUNK);
    size_t most = 0;
    for (unsigned i = 0; i < k.cuts_n; i++)
        if (k.cuts[i].n > most)
            most = k.cuts[i].n;
    CHECK(k.entries > 40);
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
        kept_read(&k, path, 1e9, 2000);
        struct part part = {k.end_ns / 2 + 777, k.end_ns / 4 * 3 + 1};
        ways += kept_compare(&k, &part, 3);
        kept_free(&k);
        host_free(&h);
        close(fd);
    }
    CHECK(ways > 20); /* where a pCPU is waited for there are no entries */
}

/* ---- damage ---- */

#define EVENT(MEMBERS) "{\"event\":{\"tsc\":" MEMBERS "}}\n"
#define PCPU(NUMBER)   EVENT("0,\"kind\":\"pcpu\",\"pcpu\":" #NUMBER)

static struct entry read_fine(const char *text, uint64_t tsc)
{
    struct entry e;
    struct error err = {0};
    CHECK(entry_read(&e, text, strlen(text), tsc, &err) == 0);
    return e;
}

static void an_entry_is_read_as_it_was_written(void)
{
    struct entry e = read_fine(
        PCPU(0) PCPU(3) PCPU(17) EVENT("100,\"kind\":\"dom_add\",\"pcpu\":3,\"w0\":5") EVENT(
            "120,\"kind\":\"blind\",\"pcpu\":3") EVENT("130,\"kind\":\"seeing\",\"pcpu\":3,\"w0\":7")
            EVENT("130,\"kind\":\"runstate\",\"pcpu\":0,\"w0\":327681,\"w1\":2000,\"w2\":16")
                EVENT("140,\"kind\":\"runstate\",\"pcpu\":0,\"w0\":327681,\"w2\":2,\"w3\":900") EVENT(
                    "140,\"kind\":\"chain\",\"pcpu\":3,\"w0\":900,\"w1\":1,\"w2\":4294967295,\"w3\":327681"),
        140);
    EQUAL(e.n, 6);
    EQUAL(e.pcpus_n, 3);
    EQUAL(e.pcpus[2], 17);
    if (e.n == 6) {
        EQUAL(e.events[0].slot, EVENT_DOM_ADD);
        EQUAL(event_words(&e.events[0]), 1);
        EQUAL(e.events[0].w[0], 5);
        EQUAL(e.events[1].slot, EVENT_BLIND_BEGIN);
        EQUAL(e.events[1].pcpu, 3);
        EQUAL(e.events[1].w[2], 120);
        EQUAL(e.events[2].slot, EVENT_BLIND_END);
        EQUAL(e.events[2].w[1], UINT32_MAX);
        EQUAL(e.events[3].slot, EVENT_RUNSTATE_CHANGE);
        EQUAL(event_number(&e.events[3]), 0x00021101);
        EQUAL(event_words(&e.events[3]), 1);
        EQUAL(event_slice(&e.events[3]), 2000);
        CHECK(e.events[3].flags & EVENT_INSTANT);
        EQUAL(e.events[3].w[3], 0);
        EQUAL(event_slice(&e.events[4]), UINT32_MAX);
        EQUAL(e.events[4].w[3], 900);
        EQUAL(e.events[5].slot, EVENT_CHAIN);
        EQUAL(e.events[5].pcpu, 3);
        EQUAL(e.events[5].w[2], UINT32_MAX);
        EQUAL(e.events[5].w[3], 327681);
        EQUAL(e.events[5].tsc, 140);
    }
    struct event_batch batch = entry_batch(&e, 140);
    CHECK(batch.has_runstates && batch.watermark == 140 && batch.n == e.n && batch.end_tsc == 0);
    entry_free(&e);
}

static void what_no_trace_could_hold_is_refused(void)
{
    static const char *const wrong[] = {
        "",
        "\n",
        "{\"event\":{\"tsc\":0,\"kind\":\"pcpu\",\"pcpu\":0}}", /* no end of line */
        "{\"event\":{\"tsc\":0,\"kind\":\"pcpu\",\"pcpu\":0 }}\n",
        "{\"row\":{\"domain\":0}}\n",
        PCPU(1) PCPU(0),
        PCPU(1) PCPU(1),
        PCPU(4095),
        PCPU(-1),
        EVENT("1,\"kind\":\"blind\",\"pcpu\":0"), /* who wrote records is not told */
        PCPU(0) "\n",
        PCPU(0) EVENT("1,\"kind\":\"blind\",\"pcpu\":0") EVENT("1,\"kind\":\"pcpu\",\"pcpu\":1"),
        PCPU(0) EVENT("51,\"kind\":\"blind\",\"pcpu\":0"), /* after the entry's time */
        PCPU(0) EVENT("9,\"kind\":\"blind\",\"pcpu\":0") EVENT("8,\"kind\":\"blind\",\"pcpu\":1"),
        PCPU(0) EVENT("9,\"kind\":\"blind\",\"pcpu\":4095"),
        PCPU(0) EVENT("09,\"kind\":\"blind\",\"pcpu\":0"),
        PCPU(0) EVENT("-9,\"kind\":\"blind\",\"pcpu\":0"),
        PCPU(0) EVENT("9,\"kind\":\"blind\""),
        PCPU(0) EVENT("9,\"kind\":\"blind\",\"pcpu\":0,\"w0\":1"),
        PCPU(0) EVENT("9,\"kind\":\"continue\",\"pcpu\":0,\"w0\":1,\"w1\":2"),
        PCPU(0) EVENT("9,\"kind\":\"continue\",\"pcpu\":0,\"w0\":4294967296"),
        PCPU(0) EVENT("9,\"kind\":\"continue\",\"pcpu\":0,\"w0\":0"),
        PCPU(0) EVENT("9,\"kind\":\"yield\",\"pcpu\":0,\"w0\":1,\"w1\":2,\"w2\":3"),
        PCPU(0) EVENT("9,\"kind\":\"runstate\",\"pcpu\":0,\"w0\":1,\"w2\":67"), /* state 4 */
        PCPU(0) EVENT("9,\"kind\":\"runstate\",\"pcpu\":0,\"w0\":1,\"w2\":4"),
        PCPU(0) EVENT("9,\"kind\":\"runstate\",\"pcpu\":0,\"w0\":1,\"w3\":4294967295"),
        PCPU(0) EVENT("9,\"kind\":\"switch\",\"pcpu\":0,\"w0\":1"),
        PCPU(0) EVENT("9,\"kind\":0,\"pcpu\":0,\"w0\":1"),
        PCPU(0) "{\"event\":{\"tsc\":9,\"kind\":\"continue\",\"pcpu\":0,\"w0\":1}} \n",
        PCPU(0) EVENT("9,\"kind\":\"continue\",\"pcpu\":0,\"w0\":1,\"more\":1"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct entry e;
        struct error err = {0};
        int status = entry_read(&e, wrong[i], strlen(wrong[i]), 50, &err);
        check_equal(status, -1, wrong[i], __FILE__, __LINE__);
        CHECK(err.code == ERROR_FORMAT && err.message[0] != '\0');
        entry_free(&e);
    }
}

/* A meter takes whatever an entry can be read as. */
static bool meter_takes(const char *text, size_t n, uint64_t tsc, const struct clock *clock)
{
    struct entry e;
    struct error err = {0};
    struct buffer lines = {0};
    bool fine = entry_read(&e, text, n, tsc, &err) == 0;
    if (fine) {
        struct part part = {1000, 0};
        struct event_batch batch = entry_batch(&e, tsc);
        struct pipeline *rows = kept_pipeline(BY_DOMAIN_PCPU, &part, &lines);
        CHECK(pipeline_feed(rows, &batch, clock, &err) == 0);
        CHECK(pipeline_end(rows, clock_ns(clock, tsc), &err) == 0);
        pipeline_free(rows);
    }
    entry_free(&e);
    buffer_free(&lines);
    return fine;
}

static void damaged_entries_do_no_harm(void)
{
    static struct capture_kept k;
    kept_read(&k, "fixtures/membuf-credit2.xt.zst", 0, CHUNK);
    const struct cut *cut = &k.cuts[k.cuts_n - 1];
    char *text = malloc(cut->n);
    unsigned refused = 0, cut_off = 0;
    for (size_t i = 0; i < cut->n; i++) {
        memcpy(text, cut->text, cut->n);
        text[i] = (char)(text[i] ^ 1 << i % 7);
        refused += !meter_takes(text, cut->n, cut->tsc, &k.clock);
        cut_off += !meter_takes(cut->text, i, cut->tsc, &k.clock);
    }
    size_t lines = 0;
    for (size_t i = 0; i < cut->n; i++)
        lines += cut->text[i] == '\n';
    CHECK(meter_takes(cut->text, cut->n, cut->tsc, &k.clock));
    CHECK(refused > cut->n / 2);
    EQUAL(cut_off, cut->n - (lines - 1)); /* where a line ends it still is an entry */
    free(text);
    kept_free(&k);
}

CU_TestInfo entry_tests[] = {
    TEST(a_part_read_from_an_entry_is_as_read_from_the_beginning),
    TEST(entries_are_small),
    TEST(records_lost_and_out_of_order_make_no_difference),
    TEST(an_entry_is_read_as_it_was_written),
    TEST(what_no_trace_could_hold_is_refused),
    TEST(damaged_entries_do_no_harm),
    CU_TEST_INFO_NULL,
};
