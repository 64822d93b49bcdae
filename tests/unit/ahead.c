/* A trace that a thread reads ahead gives the batches that it gives without, and ends when its caller wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "check.h"
#include "metrics/model/model.h"
#include "parser/trace.h"
#include "random_host.h"
#include "suites.h"

/* What a trace delivers: a digest of all batches up to one, and what is known then. */
struct delivered {
    uint64_t digest;
    size_t batches;
    int status;
    struct error err;
    uint64_t records, bytes, tsc_last;
};

static void want_all(struct trace_options *o)
{
    memset(o, 0, sizeof *o);
    memset(o->interest.raw, true, sizeof o->interest.raw);
    model_wants(o);
    o->interest.io = o->interest.tasks = o->interest.slices = true;
}

static void add(XXH3_state_t *sum, const void *bytes, size_t n)
{
    XXH3_64bits_update(sum, bytes, n);
}

/* Words beyond the record's own are not defined. */
static void add_events(XXH3_state_t *sum, const struct event_batch *b)
{
    for (const struct event *e = b->events; e < b->events + b->n; e++) {
        add(sum, e, offsetof(struct event, w));
        if (e->slot < EVENT_SLOTS)
            add(sum, e->w, (event_words(e) < 4 ? event_words(e) : 4) * sizeof e->w[0]);
    }
}

static void add_batch(XXH3_state_t *sum, const struct event_batch *b)
{
    const uint64_t numbers[] = {
        b->n,      b->pcpus_n, b->marks_n,         b->has_runstates, b->unseen_pcpus, b->damaged,
        b->traits, b->more,    b->first_sweep_cut, b->end_tsc,       b->watermark,    b->cores != NULL};
    add(sum, numbers, sizeof numbers);
    add(sum, b->pcpus, b->pcpus_n * sizeof *b->pcpus);
    add_events(sum, b);
    for (unsigned i = 0; i < b->marks_n; i++) {
        add(sum, &b->marks[i].pcpu, sizeof b->marks[i].pcpu);
        add(sum, b->marks[i].at, b->marks[i].n * sizeof *b->marks[i].at);
    }
    if (b->cores) {
        add(sum, b->cores->of, PCPUS_MAX * sizeof *b->cores->of);
        add(sum, b->cores->pcpus, PCPUS_MAX * sizeof *b->cores->pcpus);
        add(sum, b->cores->leader, PCPUS_MAX * sizeof *b->cores->leader);
        add(sum, b->cores->partial, PCPUS_MAX * sizeof *b->cores->partial);
        add(sum, &b->cores->partial_n, sizeof b->cores->partial_n);
    }
}

/* Reads at most so many batches. */
static struct delivered read_batches(const char *path, bool ahead, bool ends_early, size_t most)
{
    static struct trace_options options;
    struct delivered d = {.status = 1};
    struct event_batch batch;
    struct trace_summary summary;
    XXH3_state_t *sum = XXH3_createState();
    XXH3_64bits_reset(sum);
    want_all(&options);
    options.ahead = ahead;
    options.ends_early = ends_early;
    struct trace *t = trace_open(path, &options, &d.err);
    if (!t)
        abort();
    while (d.batches < most && (d.status = trace_next(t, &batch, &d.err)) > 0) {
        d.batches++;
        add_batch(sum, &batch);
        add(sum, &trace_clock(t)->multiplier, sizeof trace_clock(t)->multiplier);
    }
    trace_settle(t);
    d.digest = XXH3_64bits_digest(sum);
    d.records = trace_quality(t)->records;
    d.bytes = trace_quality(t)->bytes;
    trace_summarise(t, &summary);
    d.tsc_last = summary.tsc_last;
    trace_close(t);
    XXH3_freeState(sum);
    return d;
}

static void check_same(const struct delivered *a, const struct delivered *b)
{
    EQUAL(a->batches, b->batches);
    EQUAL(a->digest, b->digest);
    EQUAL(a->status, b->status);
    EQUAL(a->err.code, b->err.code);
    EQUAL(a->err.offset, b->err.offset);
    EQUAL(a->records, b->records);
    EQUAL(a->bytes, b->bytes);
    EQUAL(a->tsc_last, b->tsc_last);
}

static const char *path_of(int fd, char path[64])
{
    snprintf(path, 64, "/dev/fd/%d", fd);
    return path;
}

static int file_of(const struct bytes *file)
{
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, file->data, file->n) != (ssize_t)file->n)
        abort();
    return fd;
}

/* ---- the tests ---- */

static void the_same_batches_come(void)
{
    static const char *const captures[] = {"fixtures/mixed-credit.xt.zst", "fixtures/lost-credit2.xt.zst",
                                           "fixtures/membuf-credit2.xt.zst"};
    for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
        struct delivered here = read_batches(captures[i], false, false, SIZE_MAX),
                         ahead = read_batches(captures[i], true, false, SIZE_MAX);
        check_same(&here, &ahead);
        CHECK(here.batches > 10 && here.status == 0);
    }
}

static void the_same_of_random_hosts(void)
{
    static struct host h;
    char path[64];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        host_run(&h, seed, 3000, seed % 2, seed % 3 == 0);
        sweep(&h.capture);
        int fd = file_of(&h.capture.file);
        struct delivered here = read_batches(path_of(fd, path), false, false, SIZE_MAX),
                         ahead = read_batches(path_of(fd, path), true, false, SIZE_MAX);
        check_same(&here, &ahead);
        close(fd);
        host_free(&h);
    }
}

/* What is known of the trace is that of the last batch delivered, however much was read. */
static void the_end_may_come_early(void)
{
    static const char capture[] = "fixtures/lost-credit2.xt.zst";
    for (size_t most = 1; most < 60; most += most < 5 ? 1 : 18) {
        struct delivered here = read_batches(capture, false, true, most),
                         ahead = read_batches(capture, true, true, most);
        check_same(&here, &ahead);
        EQUAL(here.batches, most);
    }
}

/* The end comes while the thread waits for more of a pipe, which nobody writes. */
static void a_pipe_does_not_hold_up_the_end(void)
{
    static struct host h;
    static struct trace_options options;
    char path[64];
    int ends[2];
    struct event_batch batch;
    struct error err;
    host_run(&h, 7, 3000, false, false);
    sweep(&h.capture);
    if (pipe(ends) != 0 || h.capture.file.n < 40000 || write(ends[1], h.capture.file.data, 40000) != 40000)
        abort();
    want_all(&options);
    options.cpu_hz = 1e9;
    options.ahead = true;
    struct trace *t = trace_open(path_of(ends[0], path), &options, &err);
    CHECK(t && trace_next(t, &batch, &err) == 1);
    CHECK(t && trace_next(t, &batch, &err) == 1);
    trace_close(t); /* returns */
    close(ends[0]);
    close(ends[1]);
    host_free(&h);
}

/* An error comes after all batches before it. */
static void an_error_comes_in_its_place(void)
{
    static uint8_t bytes[5u << 20];
    char path[64];
    FILE *f = fopen("fixtures/mixed-credit.xt.zst", "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    CHECK(n > 2000000);
    if (f)
        fclose(f);
    memset(bytes + n / 2, 0x5a, 4000);
    int fd = file_of(&(struct bytes){.data = bytes, .n = n});
    struct delivered here = read_batches(path_of(fd, path), false, false, SIZE_MAX),
                     ahead = read_batches(path_of(fd, path), true, false, SIZE_MAX);
    check_same(&here, &ahead);
    EQUAL(ahead.status, -1);
    SAME_TEXT(ahead.err.message, here.err.message);
    CHECK(ahead.batches > 10);
    close(fd);
}

CU_TestInfo ahead_tests[] = {
    TEST(the_same_batches_come),           TEST(the_same_of_random_hosts),    TEST(the_end_may_come_early),
    TEST(a_pipe_does_not_hold_up_the_end), TEST(an_error_comes_in_its_place), CU_TEST_INFO_NULL,
};
