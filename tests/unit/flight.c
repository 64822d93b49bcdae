/* The flight recorder: which sweeps are kept, the bytes that a spool holds for them, and dumps of these. */
#include "record/flight_ring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "record/flight_dump.h"
#include "record/flight_rule.h"
#include "record/spool.h"
#include "suites.h"

#define MIB ((uint64_t)1 << 20)

/* ---- places ---- */

/* Sweeps of so many bytes and cycles each, up to number `last`. */
static void sweeps(struct flight_ring *r, unsigned last, uint64_t bytes, uint64_t cycles, uint64_t age_max)
{
    flight_ring_begin(r, MIB, 1000);
    for (unsigned i = 1; i <= last; i++)
        flight_ring_sweep(r, (struct flight_place){i * bytes, 1000 + i * cycles}, age_max);
}

static struct flight_ring ring;

static void what_begins_with_the_trace_is_kept(void)
{
    sweeps(&ring, 10, 1000, 100, 100000);
    EQUAL(flight_ring_oldest(&ring).at, 0);
    EQUAL(flight_ring_oldest(&ring).tsc, 1000);
    EQUAL(ring.bound, FLIGHT_BY_BEGIN);
    EQUAL(ring.newest.at, 10000);
    EQUAL(ring.before.at, 9000);
}

static void so_many_bytes_are_kept(void)
{
    sweeps(&ring, 100, 100000, 1, 0);
    EQUAL(flight_ring_oldest(&ring).at, 10000000 - 1000000);
    EQUAL(ring.bound, FLIGHT_BY_SIZE);
    sweeps(&ring, 3000000, 7, 1,
           0); /* places are remembered each 1 KiB, no more of them than there is room for */
    CHECK(ring.newest.at - flight_ring_oldest(&ring).at <= MIB);
    CHECK(ring.newest.at - flight_ring_oldest(&ring).at > MIB - 2 * MIB / FLIGHT_PARTS);
}

/* Of what all pCPUs have: up to the sweep before the newest. */
static void so_much_time_is_kept(void)
{
    sweeps(&ring, 100, 1000, 100, 2000);
    EQUAL(flight_ring_oldest(&ring).tsc, 1000 + 99 * 100 - 2000);
    EQUAL(ring.bound, FLIGHT_BY_AGE);
    sweeps(&ring, 1000000, 1, 1, 5000);
    CHECK(ring.before.tsc - flight_ring_oldest(&ring).tsc >= 5000);
    CHECK(ring.before.tsc - flight_ring_oldest(&ring).tsc < 5100);
}

static void both_limits_hold_and_the_one_that_is_met_is_known(void)
{
    sweeps(&ring, 100, 100000, 100, 5000); /* 50 sweeps of time, 10 of bytes */
    EQUAL(ring.newest.at - flight_ring_oldest(&ring).at, 1000000);
    EQUAL(ring.bound, FLIGHT_BY_SIZE);
    for (unsigned i = 101; i < 200; i++) /* a quieter host */
        flight_ring_sweep(&ring, (struct flight_place){10000000 + i, 1000 + i * 100}, 5000);
    EQUAL(ring.bound, FLIGHT_BY_AGE);
}

static void sweeps_that_are_read_again_are_passed_over(void)
{
    sweeps(&ring, 100, 1000, 100, 2000);
    struct flight_place oldest = flight_ring_oldest(&ring);
    for (unsigned i = 50; i <= 100; i++)
        flight_ring_sweep(&ring, (struct flight_place){i * 1000, 5}, 2000);
    EQUAL(flight_ring_oldest(&ring).at, oldest.at);
    EQUAL(ring.newest.tsc, 11000);
}

static void a_sweep_that_is_too_large_leaves_nothing(void)
{
    sweeps(&ring, 10, 1000, 100, 0);
    flight_ring_sweep(&ring, (struct flight_place){5 * MIB, 3000}, 0);
    EQUAL(flight_ring_oldest(&ring).at, 5 * MIB);
    flight_ring_sweep(&ring, (struct flight_place){5 * MIB + 10, 3100}, 0);
    EQUAL(flight_ring_oldest(&ring).at, 5 * MIB);
    EQUAL(ring.bound, FLIGHT_BY_SIZE);
}

static void a_clock_that_leaps_does_no_harm(void)
{
    sweeps(&ring, 100, 1000, 100, 2000);
    flight_ring_sweep(&ring, (struct flight_place){200000, UINT64_MAX}, 2000);
    flight_ring_sweep(&ring, (struct flight_place){201000, 5}, 2000);
    flight_ring_sweep(&ring, (struct flight_place){202000, 5000}, 2000);
    CHECK(flight_ring_oldest(&ring).at <= 202000);
    EQUAL(ring.newest.at, 202000);
}

/* ---- bytes ---- */

static void tick(void *context)
{
    (void)context;
}

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 2654435761u >> 13);
}

/* A spool of so much, into whose pipe the test writes. */
struct fed {
    struct spool *spool;
    struct feed feed;
    int to;
    uint64_t written;
};

static struct fed fed_new(size_t bytes_max, size_t held_max)
{
    struct fed f = {.to = -1};
    struct error err = {0};
    int pipe_fds[2] = {-1, -1};
    const struct spool_watch watch = {NULL, tick, NULL};
    CU_ASSERT_FATAL(pipe2(pipe_fds, O_CLOEXEC) == 0);
    f.to = pipe_fds[1];
    f.spool = spool_new(pipe_fds[0], bytes_max, held_max, &watch, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f.spool);
    f.feed = spool_feed(f.spool, 0);
    return f;
}

/* So many bytes more go through the pipe, and are read. */
static void pass(struct fed *f, uint64_t n)
{
    uint8_t piece[4096];
    const uint8_t *bytes;
    struct error err;
    size_t got;
    for (uint64_t end = f->written + n; f->written < end;) {
        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = byte_at(f->written + i);
        CU_ASSERT_FATAL(write(f->to, piece, sizeof piece) == (ssize_t)sizeof piece);
        for (uint64_t left = sizeof piece; left > 0; left -= got)
            CU_ASSERT_FATAL(f->feed.next(f->feed.context, &bytes, &got, &err) == 1 && got <= left);
        f->written += sizeof piece;
        spool_keep(f->spool, f->written);
    }
}

static void fed_free(struct fed *f)
{
    close(f->to);
    spool_free(f->spool);
}

static bool copies(struct fed *f, uint64_t offset, size_t n)
{
    uint8_t *to = malloc(n);
    bool there = to && spool_copy(f->spool, offset, to, n), same = true;
    for (size_t i = 0; there && i < n; i++)
        same = same && to[i] == byte_at(offset + i);
    CHECK(same);
    free(to);
    return there;
}

static void what_is_held_can_be_copied_after_it_was_decoded(void)
{
    struct fed f = fed_new(2 * MIB, 4 * MIB);
    spool_hold(f.spool, 0);
    pass(&f, 4 * MIB);
    CHECK(copies(&f, 0, 4 * MIB));
    CHECK(copies(&f, 1234567, 1));
    CHECK(copies(&f, 4 * MIB, 0));
    CHECK(!copies(&f, 4 * MIB - 10, 11));
    CHECK(!copies(&f, 5 * MIB, 1));
    fed_free(&f);
}

static void what_is_held_no_more_goes(void)
{
    struct fed f = fed_new(2 * MIB, 4 * MIB);
    spool_hold(f.spool, 0);
    pass(&f, 3 * MIB);
    spool_hold(f.spool, 2 * MIB);
    pass(&f, MIB);
    CHECK(!copies(&f, 0, 1));
    CHECK(copies(&f, 2 * MIB, 2 * MIB));
    EQUAL(spool_kept(f.spool), 2 * MIB);
    spool_hold(f.spool, UINT64_MAX);
    pass(&f, MIB);
    CHECK(!copies(&f, 2 * MIB, 1));
    fed_free(&f);
}

/* Who asks for more than there is room for does not stop the pipe. */
static void the_pipe_does_not_wait_for_what_is_held(void)
{
    struct fed f = fed_new(2 * MIB, 4 * MIB);
    spool_hold(f.spool, 0);
    pass(&f, 20 * MIB);
    CHECK(!copies(&f, 0, 1));
    CHECK(copies(&f, 16 * MIB, 4 * MIB));
    fed_free(&f);
}

/* What decoding keeps does not take the place of what is held. */
static void decoding_keeps_no_more_than_its_part(void)
{
    struct fed f = fed_new(2 * MIB, 8 * MIB);
    struct error err;
    const uint8_t *bytes;
    size_t got;
    for (unsigned i = 0; i < 7 * MIB / 4096; i++) {
        uint8_t piece[4096] = {0};
        CU_ASSERT_FATAL(write(f.to, piece, sizeof piece) == (ssize_t)sizeof piece);
        CU_ASSERT_FATAL(f.feed.next(f.feed.context, &bytes, &got, &err) == 1);
    }
    CHECK(spool_kept(f.spool) >= 4 * MIB);
    fed_free(&f);
}

/* ---- dumps ---- */

static char folder[] = "/tmp/xenmeter-flight-XXXXXX";

static bool is_there(const char *path, uint64_t from, uint64_t to)
{
    struct stat st;
    FILE *file = fopen(path, "re");
    bool same = file && fstat(fileno(file), &st) == 0 && (uint64_t)st.st_size == to - from;
    for (uint64_t at = from; same && at < to; at++)
        same = fgetc(file) == byte_at(at);
    if (file)
        fclose(file);
    return same;
}

static void a_dump_is_there_when_it_is_complete(void)
{
    struct fed f = fed_new(2 * MIB, 8 * MIB);
    struct error err = {0};
    char path[64], partial[80];
    strcpy(folder, "/tmp/xenmeter-flight-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.xt", folder);
    snprintf(partial, sizeof partial, "%s.partial", path);
    spool_hold(f.spool, 0);
    pass(&f, 6 * MIB);
    struct flight_dump *d = flight_dump_new(path, f.spool, 12345, NULL, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    EQUAL(flight_dump_give(d, 3 * MIB, true, &err), 0);
    EQUAL(flight_dump_next(d), 3 * MIB);
    CHECK(access(path, F_OK) != 0 && access(partial, F_OK) == 0);
    while (flight_dump_next(d) < 5 * MIB)
        EQUAL(flight_dump_give(d, 5 * MIB, false, &err), 0);
    EQUAL(flight_dump_end(d, &err), 0);
    EQUAL(flight_dump_poll(d, true, &err), 1);
    EQUAL(flight_dump_written(d), 5 * MIB - 12345);
    EQUAL(flight_dump_commit(d, &err), 0);
    CHECK(is_there(path, 12345, 5 * MIB));
    CHECK(access(partial, F_OK) != 0);
    d = flight_dump_new(path, f.spool, 0, NULL, &err);
    EQUAL(flight_dump_give(d, MIB, true, &err), 0);
    flight_dump_discard(d);
    CHECK(is_there(path, 12345, 5 * MIB));
    CHECK(access(partial, F_OK) != 0);
    unlink(path);
    rmdir(folder);
    fed_free(&f);
}

static void a_dump_whose_bytes_are_gone_fails(void)
{
    struct fed f = fed_new(MIB, MIB);
    struct error err = {0};
    char path[64];
    strcpy(folder, "/tmp/xenmeter-flight-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.xt", folder);
    spool_hold(f.spool, 0);
    pass(&f, MIB);
    struct flight_dump *d = flight_dump_new(path, f.spool, 0, NULL, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    pass(&f, 4 * MIB);
    EQUAL(flight_dump_give(d, 4 * MIB, true, &err), -1);
    EQUAL(err.code, ERROR_IO);
    flight_dump_discard(d);
    EQUAL(rmdir(folder), 0); /* it is empty */
    fed_free(&f);
}

/* ---- rules ---- */

static const char *names_of(const void *names, int32_t domain, uint32_t life)
{
    (void)life;
    return domain == 2 ? names : NULL;
}

/* Domains 1 and 2, of whom one ran for 100 ms of a second and the other for 300. */
static bool fires(const struct condition *rule, uint64_t lost, struct flight_finding *finding)
{
    static struct measures measures[2];
    static const struct interval interval = {.granularity_ns = 1000000000, .end_ns = 1000000000};
    struct row rows[2];
    for (int i = 0; i < 2; i++) {
        measures_init(&measures[i]);
        measures[i].state_ns[RUNSTATE_RUNNING] = i == 0 ? 100000000 : 300000000;
        measures[i].state_ns[RUNSTATE_UNKNOWN] = 7;
        rows[i] = (struct row){
            .domain = i + 1, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = &measures[i]};
    }
    const struct flight_interval i = {
        .interval = &interval, .rows = rows, .n = 2, .lost = lost, .name_of = names_of, .names = "web"};
    bool held = flight_rule_fires(rule, &i, finding);
    for (int k = 0; k < 2; k++)
        measures_free(&measures[k]);
    return held;
}

static void a_rule_holds_of_rows(void)
{
    struct flight_finding f;
    struct condition rule = {
        .of = comparable_find("running_pct"), .kind = CONDITION_ABOVE, .limit = 5, .first = -1};
    CHECK(fires(&rule, 0, &f)); /* of both: the larger one is found */
    EQUAL(f.domain, 2);
    EQUAL(f.value, 30);
    EQUAL(f.unknown_ns, 7);
    SAME_TEXT(f.name, "web");
    rule.limit = 30;
    CHECK(!fires(&rule, 0, &f));
    rule.kind = CONDITION_BELOW;
    CHECK(fires(&rule, 0, &f));
    EQUAL(f.domain, 1);
    SAME_TEXT(f.name, "");
    rule.where = "w?b";
    CHECK(!fires(&rule, 0, &f));
    rule.limit = 31;
    CHECK(fires(&rule, 0, &f));
    EQUAL(f.domain, 2);
    rule.where = "1-1";
    rule.first = rule.last = 1;
    CHECK(fires(&rule, 0, &f));
    EQUAL(f.domain, 1);
    rule.of = comparable_find("wait_p99_ns"); /* of which there is no sample */
    CHECK(!fires(&rule, 0, &f));
}

static void a_rule_holds_of_lost_records(void)
{
    struct flight_finding f;
    const struct condition rule = {.of = &flight_lost, .kind = CONDITION_ABOVE, .limit = 2, .first = -1};
    CHECK(!fires(&rule, 2, &f));
    CHECK(fires(&rule, 3, &f));
    EQUAL(f.value, 3);
    EQUAL(f.domain, -1);
}

CU_TestInfo flight_tests[] = {
    TEST(what_begins_with_the_trace_is_kept),
    TEST(so_many_bytes_are_kept),
    TEST(so_much_time_is_kept),
    TEST(both_limits_hold_and_the_one_that_is_met_is_known),
    TEST(sweeps_that_are_read_again_are_passed_over),
    TEST(a_sweep_that_is_too_large_leaves_nothing),
    TEST(a_clock_that_leaps_does_no_harm),
    TEST(what_is_held_can_be_copied_after_it_was_decoded),
    TEST(what_is_held_no_more_goes),
    TEST(the_pipe_does_not_wait_for_what_is_held),
    TEST(decoding_keeps_no_more_than_its_part),
    TEST(a_dump_is_there_when_it_is_complete),
    TEST(a_dump_whose_bytes_are_gone_fails),
    TEST(a_rule_holds_of_rows),
    TEST(a_rule_holds_of_lost_records),
    CU_TEST_INFO_NULL,
};
