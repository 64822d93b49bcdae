/* The time and the place of a record follow from the bytes of the trace, not from who looks at it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "metrics/model/runstate.h"
#include "parser/trace.h"
#include "run_program.h"
#include "suites.h"

#define PLACES_MOST 64

/* A record of WAKE, which names itself: its number is its only word that counts. Times are ns after BASE_TSC. */
struct place {
    uint32_t number;
    uint64_t t;
};

/* Those who look: how soon records are delivered, and which events wait beside them, differs. */
enum looker { EARLY, ALL_RECORDS, WITH_MODEL, AT_THE_END, IN_CYCLES, LOOKERS };

static void ask(struct trace_options *o, enum looker looker)
{
    *o = (struct trace_options){.cpu_hz = looker == AT_THE_END ? 0 : 1e9, .cycles = looker == IN_CYCLES};
    o->interest.raw[EVENT_WAKE] = true;
    if (looker == ALL_RECORDS)
        memset(o->interest.raw, true, sizeof o->interest.raw);
    if (looker == WITH_MODEL) /* of a trace with few switches everything is read first */
        runstates_interest(&o->interest);
}

static size_t read_places(const char *path, enum looker looker, struct place places[PLACES_MOST])
{
    static struct trace_options options;
    struct event_batch batch;
    struct error err = {0};
    size_t n = 0;
    ask(&options, looker);
    struct trace *t = trace_open(path, &options, &err);
    while (t && trace_next(t, &batch, &err) > 0)
        for (size_t i = 0; i < batch.n; i++) {
            const struct event *e = &batch.events[i];
            if (e->slot == EVENT_WAKE && e->flags & EVENT_RAW && n < PLACES_MOST)
                places[n++] = (struct place){e->w[1], e->tsc - BASE_TSC};
        }
    CHECK(t != NULL && err.code == ERROR_NONE);
    trace_close(t);
    return n;
}

static void wake(struct trace_bytes *c, uint64_t t, uint32_t number)
{
    rec_wake(c, t, 1, number);
}

static int store(const struct trace_bytes *c, char path[64])
{
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, c->file.data, c->file.n) != (ssize_t)c->file.n)
        abort();
    snprintf(path, 64, "/dev/fd/%d", fd);
    return fd;
}

/* The same for everybody; the capture is freed. */
static void expect(struct trace_bytes *c, size_t n, const struct place *expected)
{
    struct place places[PLACES_MOST] = {0};
    char path[64];
    sweep(c);
    int fd = store(c, path);
    for (enum looker looker = 0; looker < LOOKERS; looker++) {
        EQUAL(read_places(path, looker, places), n);
        for (size_t i = 0; i < n; i++) {
            EQUAL(places[i].number, expected[i].number);
            EQUAL(places[i].t, expected[i].t);
        }
    }
    close(fd);
    trace_bytes_free(c);
}

/*
 * When the fourth sweep is read, everything up to the last record of the second one, of 30 ms, has arrived. What is older
 * comes at that time, after the records that were there in time.
 */
static void a_record_older_than_the_watermark_comes_at_that_time(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    wake(&c, 5 * MS, 10);
    on(&c, 0);
    for (uint32_t k = 0; k < 6; k++) {
        on(&c, 0);
        wake(&c, k * 20 * MS, k);
        mark(&c, k * 20 * MS + 10 * MS);
        if (k == 3) {
            on(&c, 1);
            wake(&c, 15 * MS, 11);
            wake(&c, 25 * MS, 12);
            wake(&c, 62 * MS, 13);
        }
        sweep(&c);
    }
    static const struct place expected[] = {{0, 0},        {10, 5 * MS}, {1, 20 * MS}, {11, 30 * MS},
                                            {12, 30 * MS}, {2, 40 * MS}, {3, 60 * MS}, {13, 62 * MS},
                                            {4, 80 * MS},  {5, 100 * MS}};
    expect(&c, 10, expected);
}

/* The second sweep contradicts the end of the first one. The record at 20 ms is nobody's; it is there all the same. */
static void where_time_goes_back_what_lies_beyond_moves_back(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    wake(&c, 0, 0);
    wake(&c, 10 * MS, 1);
    wake(&c, 40 * MS, 2);
    wake(&c, 41 * MS, 3);
    sweep(&c);
    mark(&c, 20 * MS);
    mark(&c, 21 * MS);
    mark(&c, 42 * MS);
    wake(&c, 45 * MS, 4);
    sweep(&c);
    wake(&c, 60 * MS, 5);
    sweep(&c);
    wake(&c, 80 * MS, 6);
    static const struct place expected[] = {{0, 0},       {1, 10 * MS}, {2, 20 * MS}, {3, 20 * MS},
                                            {4, 45 * MS}, {5, 60 * MS}, {6, 80 * MS}};
    expect(&c, 7, expected);
}

/* Wakes 0 to 7, 10 ms apart, in four sweeps; then the clock is set back: 8 at 45 ms, 9 at 46 ms. */
static void set_back_to_45_ms(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 0);
    for (uint32_t k = 0; k < 4; k++) {
        wake(c, k * 20 * MS, 2 * k);
        wake(c, k * 20 * MS + 10 * MS, 2 * k + 1);
        sweep(c);
    }
    wake(c, 45 * MS, 8);
    wake(c, 46 * MS, 9);
}

/* At the beginning of the fifth sweep everything up to 50 ms, which the third one read last, has arrived. */
static void but_not_before_the_watermark(void)
{
    struct trace_bytes c;
    set_back_to_45_ms(&c);
    wake(&c, 95 * MS, 10);
    static const struct place expected[] = {{0, 0},       {1, 10 * MS}, {2, 20 * MS}, {3, 30 * MS},
                                            {4, 40 * MS}, {5, 50 * MS}, {6, 60 * MS}, {7, 70 * MS},
                                            {8, 70 * MS}, {9, 70 * MS}, {10, 95 * MS}};
    expect(&c, 11, expected);
}

/* The same, and the clock goes on from there: it was set, and what it wrote before stays where it is. */
static void nor_when_it_passes_the_watermark_later(void)
{
    struct trace_bytes c;
    set_back_to_45_ms(&c);
    wake(&c, 55 * MS, 10);
    wake(&c, 65 * MS, 11);
    wake(&c, 75 * MS, 12);
    static const struct place expected[] = {
        {0, 0},       {1, 10 * MS}, {2, 20 * MS}, {3, 30 * MS},  {4, 40 * MS},  {5, 50 * MS}, {6, 60 * MS},
        {7, 70 * MS}, {8, 70 * MS}, {9, 70 * MS}, {10, 70 * MS}, {11, 70 * MS}, {12, 75 * MS}};
    expect(&c, 13, expected);
}

/*
 * Time went back on pCPU 1, from 20 ms to 8; nothing of it was delivered by then. Much later it writes two windows that are older
 * than the watermark, of 30 ms: those of the first one are there already when the second one comes.
 */
static void windows_older_than_the_watermark_leave_one_another_where_they_are(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint32_t k = 0; k < 6; k++) {
        on(&c, 0);
        wake(&c, k * 20 * MS, k);
        mark(&c, k * 20 * MS + 10 * MS);
        on(&c, 1);
        if (k == 0) {
            wake(&c, 5 * MS, 10);
            wake(&c, 20 * MS, 11);
            wake(&c, 8 * MS, 12);
            wake(&c, 9 * MS, 13);
        } else if (k == 3) {
            wake(&c, 15 * MS, 14);
            wake(&c, 25 * MS, 15);
        } else if (k == 4) {
            wake(&c, 28 * MS, 16);
            wake(&c, 85 * MS, 17);
        }
        sweep(&c);
    }
    static const struct place expected[] = {
        {0, 0},        {10, 5 * MS},  {11, 8 * MS}, {12, 8 * MS}, {13, 9 * MS}, {1, 20 * MS},  {14, 30 * MS},
        {15, 30 * MS}, {16, 30 * MS}, {2, 40 * MS}, {3, 60 * MS}, {4, 80 * MS}, {17, 85 * MS}, {5, 100 * MS}};
    expect(&c, 14, expected);
}

/* A WAKE that somebody wrote without a time. */
static void untimed_wake(struct trace_bytes *c, uint32_t number)
{
    const uint32_t words[] = {1, number};
    record_untimed(c, 0x00028004, 2, words);
}

static void records_without_a_time_wait_for_the_first_one_of_their_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint32_t k = 0; k < 8; k++) {
        on(&c, 0);
        wake(&c, k * 20 * MS, k);
        on(&c, 1);
        if (k == 1 || k == 3)
            untimed_wake(&c, 10 + k);
        if (k == 5)
            wake(&c, 105 * MS, 20);
        on(&c, 2);
        if (k == 2)
            untimed_wake(&c, 30); /* it never has one: the trace's end */
        sweep(&c);
    }
    static const struct place expected[] = {{0, 0},         {1, 20 * MS},  {2, 40 * MS},   {3, 60 * MS},
                                            {4, 80 * MS},   {5, 100 * MS}, {11, 105 * MS}, {13, 105 * MS},
                                            {20, 105 * MS}, {6, 120 * MS}, {7, 140 * MS},  {30, 140 * MS}};
    expect(&c, 12, expected);
}

/*
 * The clock of pCPU 1 leaps by 900 ms before its fourth window. pCPU 2 shows that one sweep later. What pCPU 1 wrote after
 * 120 ms, before the leap, has no time among the others'; further windows are not used.
 */
static void where_a_clock_left_does_not_depend_on_what_is_queued(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint32_t k = 0; k < 8; k++) {
        uint64_t leap = k >= 3 ? 900 * MS : 0;
        on(&c, 0);
        wake(&c, k * 50 * MS, k);
        on(&c, 1);
        mark(&c, k * 50 * MS + leap + 1 * MS);
        wake(&c, k * 50 * MS + leap + 10 * MS, 10 + k);
        mark(&c, k * 50 * MS + leap + 20 * MS);
        on(&c, 2);
        mark(&c, k * 50 * MS + 5 * MS);
        sweep(&c);
    }
    static const struct place expected[] = {{0, 0},        {10, 10 * MS},  {1, 50 * MS},   {11, 60 * MS},
                                            {2, 100 * MS}, {12, 110 * MS}, {13, 120 * MS}, {14, 120 * MS},
                                            {3, 150 * MS}, {4, 200 * MS},  {5, 250 * MS},  {6, 300 * MS},
                                            {7, 350 * MS}};
    expect(&c, 13, expected);
}

/* pCPU 0 has one record, of a time long after. pCPU 1 wrote one without a time before it. */
static void records_without_a_time_come_before_later_ones_of_their_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    untimed_wake(&c, 10);
    sweep(&c);
    on(&c, 0);
    wake(&c, 1ull << 44, 0);
    sweep(&c);
    on(&c, 1);
    wake(&c, 10 * MS, 11);
    wake(&c, 20 * MS, 12);
    static const struct place expected[] = {{10, 10 * MS}, {11, 10 * MS}, {12, 20 * MS}, {0, 1ull << 44}};
    expect(&c, 4, expected);
}

/* The first window has one record, of a damaged time years after all others; what its pCPU writes next has its place. */
static void a_lone_first_record_does_not_set_the_time(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    wake(&c, 1ull << 57, 0);
    on(&c, 1);
    wake(&c, 10 * MS, 10);
    wake(&c, 20 * MS, 11);
    sweep(&c);
    on(&c, 0);
    wake(&c, 30 * MS, 1);
    static const struct place expected[] = {{0, 10 * MS}, {10, 10 * MS}, {11, 20 * MS}, {1, 30 * MS}};
    expect(&c, 4, expected);
}

/* pCPU 0 writes only in the second sweep what is older than anything of the first. */
static void the_trace_begins_where_its_oldest_record_is(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    wake(&c, 10 * MS, 10);
    sweep(&c);
    on(&c, 0);
    wake(&c, 4 * MS, 0);
    wake(&c, 21 * MS, 1);
    on(&c, 1);
    wake(&c, 22 * MS, 11);
    sweep(&c);
    on(&c, 1);
    wake(&c, 30 * MS, 12);
    sweep(&c);
    char path[64];
    int fd = store(&c, path);
    for (enum looker looker = 0; looker < LOOKERS; looker++) {
        static struct trace_options options;
        struct event_batch batch;
        struct error err = {0};
        ask(&options, looker);
        struct trace *t = trace_open(path, &options, &err);
        CHECK(t && trace_next(t, &batch, &err) == 1);
        EQUAL(trace_clock(t)->tsc_first, BASE_TSC + 4 * MS);
        trace_close(t);
    }
    close(fd);
    trace_bytes_free(&c);
}

/* ---- how the bytes come ---- */

static void write_sweeps(struct trace_bytes *c, uint64_t begin, unsigned sweeps)
{
    for (unsigned k = 0; k < sweeps; k++) {
        for (unsigned pcpu = 0; pcpu < 2; pcpu++) {
            on(c, pcpu);
            for (uint32_t i = 0; i < 200; i++)
                wake(c, begin + k * 50 * MS + i * 200 * US, i);
        }
        sweep(c);
    }
}

/* A source that has few bytes at a time. */
struct drip {
    const struct bytes *file;
    size_t at, piece;
};

static int next_drip(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct drip *d = context;
    (void)err;
    size_t left = d->file->n - d->at;
    *bytes = d->file->data + d->at;
    *n = left < d->piece ? left : d->piece;
    d->at += *n;
    return *n > 0;
}

static void drip_position(void *context, uint64_t *done, uint64_t *size)
{
    const struct drip *d = context;
    *done = d->at;
    *size = d->file->n;
}

static struct quality quality_of(const struct bytes *file, size_t piece)
{
    static struct trace_options options;
    struct drip drip = {file, 0, piece};
    const struct feed feed = {&drip, next_drip, drip_position, "none"};
    struct event_batch batch;
    struct error err = {0};
    ask(&options, ALL_RECORDS);
    options.feed = &feed;
    struct trace *t = trace_open("drip", &options, &err);
    uint64_t records = 0;
    while (t && trace_next(t, &batch, &err) > 0)
        for (size_t i = 0; i < batch.n; i++)
            records += batch.events[i].slot < EVENT_SLOTS;
    CHECK(t != NULL && err.code == ERROR_NONE);
    struct quality q = t ? *trace_quality(t) : (struct quality){0};
    EQUAL(records, q.records);
    trace_close(t);
    options.feed = NULL;
    return q;
}

/*
 * The first capture is cut in a window, perhaps so that the other one's header completes a record: its tsc, or its words. What
 * follows is read as records first, until these make no sense, or their times do not.
 */
static void a_capture_joined_on_is_found_however_the_bytes_come(void)
{
    for (unsigned missing = 1500; missing < 1700; missing++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        write_sweeps(&c, 0, 4);
        c.file.n -= missing;
        size_t at = c.file.n;
        write_sweeps(&c, 0 - 500 * S, 2);
        struct quality whole = quality_of(&c.file, c.file.n), drip = quality_of(&c.file, 4);
        EQUAL(whole.joined_at, at);
        EQUAL(drip.windows, whole.windows);
        EQUAL(drip.records, whole.records);
        EQUAL(drip.joined_at, whole.joined_at);
        EQUAL(drip.truncated_bytes, whole.truncated_bytes);
        EQUAL(drip.skipped_bytes, whole.skipped_bytes);
        trace_bytes_free(&c);
    }
}

CU_TestInfo places_tests[] = {
    TEST(a_record_older_than_the_watermark_comes_at_that_time),
    TEST(where_time_goes_back_what_lies_beyond_moves_back),
    TEST(but_not_before_the_watermark),
    TEST(nor_when_it_passes_the_watermark_later),
    TEST(windows_older_than_the_watermark_leave_one_another_where_they_are),
    TEST(records_without_a_time_wait_for_the_first_one_of_their_pcpu),
    TEST(records_without_a_time_come_before_later_ones_of_their_pcpu),
    TEST(a_lone_first_record_does_not_set_the_time),
    TEST(where_a_clock_left_does_not_depend_on_what_is_queued),
    TEST(the_trace_begins_where_its_oldest_record_is),
    TEST(a_capture_joined_on_is_found_however_the_bytes_come),
    CU_TEST_INFO_NULL,
};
