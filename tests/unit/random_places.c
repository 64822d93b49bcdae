/*
 * The order of a trace is that of (tsc, pCPU, place in the pCPU's stream), and follows from the bytes (parser/order/order.h):
 * random captures whose times are few and equal, go back, come late and leap, read by those who want little and much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "metrics/model/runstate.h"
#include "parser/trace.h"
#include "random.h"
#include "run_program.h"
#include "suites.h"

#define CAPTURES   1200
#define EVENTS_MAX 4096
#define PCPUS      4

/* A WAKE that names itself. */
struct place {
    uint64_t tsc;
    uint32_t number;
    uint16_t pcpu;
};

/* ---- captures ---- */

struct maker {
    struct trace_bytes c;
    uint64_t random;
    uint64_t unit; /* all times are so many ns, times a small number */
    uint64_t time[PCPUS];
    uint32_t number; /* of the last WAKE */
    unsigned pcpus;
};

static void write_record(struct maker *m, unsigned pcpu)
{
    uint64_t t = m->time[pcpu];
    const uint32_t words[] = {1, ++m->number};
    switch (random_below(&m->random, 10)) {
    case 0: /* nobody wants it */
        mark(&m->c, t);
        break;
    case 1: /* the clock does */
        rec_infprev(&m->c, t, 1, pcpu, random_below(&m->random, 5) * m->unit);
        break;
    case 2: /* the model does */
        replaces(&m->c, t, 1, pcpu, BLOCKED, IDLE, pcpu);
        break;
    case 3:
        rec_lost(&m->c, t, 3, IDLE, pcpu, t - random_below(&m->random, 3) * m->unit);
        break;
    case 4:
        record_untimed(&m->c, 0x00028004, 2, words);
        break;
    default:
        rec_wake(&m->c, t, 1, m->number);
        break;
    }
}

/* Now and then its clock goes back, falls behind for a while, or leaps. */
static void pass_time(struct maker *m, unsigned pcpu)
{
    uint64_t *t = &m->time[pcpu], back = random_below(&m->random, 12) * m->unit;
    switch (random_below(&m->random, 60)) {
    case 0:
        *t -= back < *t ? back : *t;
        break;
    case 1:
        *t += random_below(&m->random, 400) * m->unit;
        break;
    case 2:
        *t += random64(&m->random) >> (10 + random_below(&m->random, 40));
        break;
    default:
        *t += random_below(&m->random, 3) * m->unit;
        break;
    }
}

/* Clocks that go with one another, by and large, and are equal again and again. */
static void meet(struct maker *m)
{
    uint64_t latest = 0;
    for (unsigned p = 0; p < m->pcpus; p++)
        latest = m->time[p] > latest ? m->time[p] : latest;
    for (unsigned p = 0; p < m->pcpus; p++)
        if (random_below(&m->random, 3) == 0 && latest - m->time[p] < 50 * m->unit)
            m->time[p] = latest;
}

static void make(struct maker *m, uint64_t seed)
{
    static const uint64_t units[] = {1, 100 * US, 20 * MS, 300 * MS};
    *m = (struct maker){.random = seed};
    trace_bytes_init(&m->c);
    m->unit = units[random_below(&m->random, 4)];
    m->pcpus = 1 + (unsigned)random_below(&m->random, PCPUS);
    for (uint64_t sweeps = 3 + random_below(&m->random, 12); sweeps > 0; sweeps--) {
        for (unsigned p = 0; p < m->pcpus; p++) {
            on(&m->c, p);
            for (uint64_t n = random_below(&m->random, 6); n > 0; n--) {
                pass_time(m, p);
                write_record(m, p);
            }
        }
        sweep(&m->c);
        meet(m);
    }
    on(&m->c, 0);
    mark(&m->c, m->time[0]);
    sweep(&m->c);
}

/* ---- readers ---- */

/* Those who look: how soon records are delivered, and which events wait beside them, differs. */
enum looker { ALL_RECORDS, WAKES, MEASURED, IN_CYCLES, WITH_MODEL, WITH_IO, LOOKERS };

static void ask(struct trace_options *o, enum looker looker)
{
    *o = (struct trace_options){.cpu_hz = looker == MEASURED ? 0 : 1e9, .cycles = looker == IN_CYCLES};
    o->interest.raw[EVENT_WAKE] = true;
    if (looker == ALL_RECORDS)
        memset(o->interest.raw, true, sizeof o->interest.raw);
    if (looker == WITH_MODEL || looker == WITH_IO)
        runstates_interest(&o->interest);
    o->interest.io = looker == WITH_IO;
}

/* Whether the event comes after the other one, by the order of their pCPUs if both have one time. A hole is of no pCPU. */
static bool is_after(const struct event *e, const struct event *other)
{
    return e->tsc > other->tsc || e->pcpu >= other->pcpu || e->slot == EVENT_HOLE;
}

/*
 * Returns how many WAKEs there are. All that comes is in the order of time and, at a time, of pCPUs; but where another capture is
 * joined on, records without a time of its pCPUs are among those of one of the first.
 */
static size_t read_places(const char *path, enum looker looker, struct place places[EVENTS_MAX])
{
    static struct trace_options options;
    struct event_batch batch;
    struct error err = {0};
    struct event last = {0};
    uint64_t watermark = 0;
    size_t n = 0;
    ask(&options, looker);
    struct trace *t = trace_open(path, &options, &err);
    while (t && trace_next(t, &batch, &err) > 0) {
        for (size_t i = 0; i < batch.n; i++) {
            const struct event *e = &batch.events[i];
            CHECK(e->tsc >= watermark && e->tsc >= last.tsc);
            CHECK(is_after(e, &last) || trace_quality(t)->joined_at > 0);
            last = e->slot == EVENT_HOLE ? last : *e;
            if (e->slot == EVENT_WAKE && e->flags & EVENT_RAW && n < EVENTS_MAX)
                places[n++] = (struct place){e->tsc, e->w[1], e->pcpu};
        }
        watermark = batch.watermark;
    }
    CHECK(t != NULL && err.code == ERROR_NONE);
    trace_close(t);
    return n;
}

/* Whether all readers find the same. */
static bool is_same(const struct bytes *file)
{
    static struct place all[EVENTS_MAX], places[EVENTS_MAX];
    bool same = true;
    char path[64];
    int fd = memfd_create("capture", 0);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    CHECK(write(fd, file->data, file->n) == (ssize_t)file->n);
    size_t n = read_places(path, ALL_RECORDS, all);
    for (enum looker looker = WAKES; looker < LOOKERS; looker++) {
        bool others = read_places(path, looker, places) != n;
        for (size_t i = 0; i < n && !others; i++)
            others = all[i].tsc != places[i].tsc || all[i].number != places[i].number ||
                     all[i].pcpu != places[i].pcpu;
        same = same && !others;
    }
    close(fd);
    return same;
}

static void the_order_of_a_trace_follows_from_its_bytes(void)
{
    for (uint64_t seed = 1; seed <= CAPTURES; seed++) {
        struct maker m;
        make(&m, seed);
        bool same = is_same(&m.c.file);
        CHECK(same);
        if (!same)
            printf("\nseed %llu\n", (unsigned long long)seed);
        trace_bytes_free(&m.c);
    }
}

CU_TestInfo random_places_tests[] = {
    TEST(the_order_of_a_trace_follows_from_its_bytes),
    CU_TEST_INFO_NULL,
};
