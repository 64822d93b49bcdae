/* What is delivered of a record depends neither on what else is wanted nor on what other pCPUs wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "metrics/meter.h"
#include "metrics/model/runstate.h"
#include "random_host.h"
#include "run_program.h"
#include "suites.h"

struct kept {
    struct event *events;
    size_t n;
    struct quality quality;
};

static void want_raw(struct event_interest *i)
{
    memset(i->raw, true, sizeof i->raw);
}

static void want_model(struct event_interest *i)
{
    runstates_interest(i);
    i->io = i->slices = true;
}

static struct kept keep(const char *path, const struct event_interest *interest)
{
    struct trace_options options = {.cpu_hz = 1e9, .interest = *interest};
    struct event_batch batch;
    struct error err = {0};
    struct kept k = {0};
    struct trace *t = trace_open(path, &options, &err);
    if (!t)
        abort();
    while (trace_next(t, &batch, &err) > 0) {
        k.events = realloc(k.events, (k.n + batch.n + 1) * sizeof *k.events);
        if (!k.events)
            abort();
        memcpy(k.events + k.n, batch.events, batch.n * sizeof *batch.events);
        k.n += batch.n;
    }
    CHECK(err.code == ERROR_NONE);
    k.quality = *trace_quality(t);
    trace_close(t);
    return k;
}

/*
 * Leaves those that `wanted` wants, of one pCPU (-1: all), and of their words and flags what is defined for it. Not
 * EVENT_CURRENT, if `currents` is not set: how far back a vCPU becomes known to have been current depends on what waits.
 */
static void leave(struct kept *k, unsigned wanted, int pcpu, bool currents)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        struct event e = k->events[i];
        if (!(e.flags & wanted) || (pcpu >= 0 && e.pcpu != pcpu) || (e.slot == EVENT_CURRENT && !currents))
            continue;
        e.flags = wanted == EVENT_RAW
                      ? EVENT_RAW
                      : e.flags & (uint8_t) ~(EVENT_RAW | (e.slot == EVENT_WAKE ? 0 : EVENT_WHO));
        for (unsigned w = event_words(&e); e.slot < EVENT_SLOTS && w < 4; w++)
            if (!(w == 1 && e.flags & EVENT_SLICED) && !(w == 2 && e.flags & EVENT_RAN))
                e.w[w] = 0;
        if (e.slot == EVENT_MORE || e.slot == EVENT_CURRENT)
            for (unsigned w = e.slot == EVENT_MORE ? event_words(&e) - 4 : 1; w < 4; w++)
                e.w[w] = 0;
        k->events[n++] = e;
    }
    k->n = n;
}

static void check_same(struct kept *a, struct kept *b)
{
    EQUAL(a->n, b->n);
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = memcmp(&a->events[i], &b->events[i], sizeof *a->events) == 0;
    CHECK(same);
}

static void forget(struct kept *a, struct kept *b)
{
    free(a->events);
    free(b->events);
}

static void compare_alone(const char *path, void (*want)(struct event_interest *), unsigned wanted)
{
    static struct event_interest both, one;
    both = one = (struct event_interest){0};
    want_raw(&both);
    want_model(&both);
    want(&one);
    struct kept together = keep(path, &both), alone = keep(path, &one);
    EQUAL(together.quality.tsc_backwards, alone.quality.tsc_backwards);
    EQUAL(together.quality.tsc_implausible, alone.quality.tsc_implausible);
    leave(&together, wanted, -1, true);
    leave(&alone, wanted, -1, true);
    CHECK(alone.n > 50);
    check_same(&together, &alone);
    forget(&together, &alone);
}

static int open_bytes(const uint8_t *bytes, size_t n, char path[64])
{
    int fd = memfd_create("capture", 0);
    snprintf(path, 64, "/dev/fd/%d", fd);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    return fd;
}

static void raw_and_model_together_give_what_each_alone_gives(void)
{
    static const char *const captures[] = {"fixtures/mixed-credit.xt.zst", "fixtures/lost-credit2.xt.zst",
                                           "fixtures/pvh-credit2.xt.zst"};
    for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++) {
        compare_alone(captures[i], want_raw, EVENT_RAW);
        compare_alone(captures[i], want_model, EVENT_MODEL);
    }
    for (unsigned seed = 0; seed < 40; seed++) {
        static struct host h;
        char path[64];
        host_run(&h, seed, 1000, seed % 2, seed % 3 == 0);
        sweep(&h.capture);
        int fd = open_bytes(h.capture.file.data, h.capture.file.n, path);
        compare_alone(path, want_raw, EVENT_RAW);
        compare_alone(path, want_model, EVENT_MODEL);
        close(fd);
        host_free(&h);
    }
}

/* Damaged times are found wrong whether their records are wanted or not. */
static void times_are_judged_whatever_is_wanted(void)
{
    struct trace_bytes c;
    char path[64];
    trace_bytes_init(&c);
    for (unsigned i = 0; i < 200; i++) {
        on(&c, i % 2);
        rec_wake(&c, 1000 + i * 100, 1, i % 3);
        rec_hypercall(&c, i % 20 == 10 ? 500 : i % 20 == 15 ? 5000 * S : 1050 + i * 100, 23);
        rec_runstate(&c, 1060 + i * 100, 1, 0, i % 4 < 2 ? RUNNABLE : RUNNING,
                     i % 4 < 2 ? RUNNING : RUNNABLE);
    }
    sweep(&c);
    int fd = open_bytes(c.file.data, c.file.n, path);
    compare_alone(path, want_raw, EVENT_RAW);
    compare_alone(path, want_model, EVENT_MODEL);
    close(fd);
    trace_bytes_free(&c);
}

/* The windows of one pCPU alone. */
static size_t windows_of(uint8_t *to, const struct bytes *file, uint32_t pcpu)
{
    size_t n = 0;
    for (size_t at = 0; at < file->n;) {
        uint32_t header[3];
        memcpy(header, file->data + at, sizeof header);
        size_t bytes = sizeof header + header[2];
        if (header[1] == pcpu) {
            memcpy(to + n, file->data + at, bytes);
            n += bytes;
        }
        at += bytes;
    }
    return n;
}

static void the_bytes_of_a_pcpu_give_the_same_events_whatever_others_wrote(void)
{
    static struct event_interest both;
    both = (struct event_interest){0};
    want_raw(&both);
    want_model(&both);
    memset(both.model_without_runstates, false, sizeof both.model_without_runstates);
    for (unsigned seed = 0; seed < 40; seed++) {
        static struct host h;
        char path[64];
        host_run(&h, seed, 1000, seed % 2, false);
        sweep(&h.capture);
        uint8_t *part = malloc(h.capture.file.n);
        if (!part)
            abort();
        for (unsigned pcpu = 0; pcpu < h.pcpus; pcpu++) {
            int fd = open_bytes(h.capture.file.data, h.capture.file.n, path);
            struct kept all = keep(path, &both);
            close(fd);
            fd = open_bytes(part, windows_of(part, &h.capture.file, pcpu), path);
            struct kept alone = keep(path, &both);
            close(fd);
            leave(&all, EVENT_RAW | EVENT_MODEL, (int)pcpu, false);
            leave(&alone, EVENT_RAW | EVENT_MODEL, (int)pcpu, false);
            check_same(&all, &alone);
            forget(&all, &alone);
        }
        free(part);
        host_free(&h);
    }
}

static void an_interest_adds_to_another(void)
{
    static struct event_interest a, b;
    a = b = (struct event_interest){0};
    a.raw[EVENT_WAKE] = a.raw_pcpus[1] = a.raw_some_pcpus = true;
    event_interest_add(&b, &a);
    CHECK(b.raw[EVENT_WAKE] && b.raw_some_pcpus && b.raw_pcpus[1] && !b.raw_pcpus[2]);
    CHECK(event_interest_raw(&b) && !event_interest_model(&b));
    a = (struct event_interest){0};
    want_model(&a);
    event_interest_add(&b, &a); /* no raw records of its own: the pCPUs stay */
    CHECK(b.raw_some_pcpus && event_interest_model(&b) && b.slices && b.io);
    a = (struct event_interest){0};
    a.raw[EVENT_BLOCK] = true; /* of all pCPUs */
    event_interest_add(&b, &a);
    CHECK(!b.raw_some_pcpus && b.raw[EVENT_WAKE] && b.raw[EVENT_BLOCK]);
}

static void slices_are_decoded_for_rows_that_need_them(void)
{
    static struct trace_options none, some;
    meter_wants(&(struct meter_options){.bys = 1u << BY_DOMAIN, .no_slices = true}, &none);
    CHECK(!none.interest.slices && !none.interest.io);
    some = none;
    meter_wants(&(struct meter_options){.bys = 1u << BY_DOMAIN, .charge.wanted = true}, &some);
    meter_wants(&(struct meter_options){.bys = 1u << BY_DOMAIN, .no_slices = true}, &some);
    CHECK(some.interest.slices && some.interest.io);
}

CU_TestInfo interest_tests[] = {
    TEST(raw_and_model_together_give_what_each_alone_gives),
    TEST(times_are_judged_whatever_is_wanted),
    TEST(the_bytes_of_a_pcpu_give_the_same_events_whatever_others_wrote),
    TEST(an_interest_adds_to_another),
    TEST(slices_are_decoded_for_rows_that_need_them),
    CU_TEST_INFO_NULL,
};
