/*
 * What holds of any bytes: the order of events, and that the states of a row are no more than its time. Tried on captures of
 * random hosts whose windows are damaged; other ones each time, by a seed that a failure prints (STREAMS_SEED repeats it).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes_feed.h"
#include "damaged_windows.h"
#include "random.h"
#include "random_host.h"
#include "run_program.h"
#include "suites.h"

#define STREAMS     600 /* tried */
#define BYTES_MOST  (1u << 18)
#define RING_BYTES  (2 * 4096 - 8) /* two pages less the indices, as of random hosts */
#define LONG_SWEEPS 70             /* more than a pCPU whose ring was full is waited for */

struct stream_of_bytes {
    uint8_t bytes[BYTES_MOST];
    size_t n;
};

static uint64_t first_seed(void)
{
    const char *given = getenv("STREAMS_SEED");
    return given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * STREAMS;
}

/* The ring of pCPU 1 is full, and pCPU 0 alone goes on for so long that the other one is waited for no longer. */
static void fill_and_fall_silent(struct host *h)
{
    struct trace_bytes *c = &h->capture;
    on(c, 1);
    while (c->pcpus[1].n + 16 <= RING_BYTES)
        mark(c, h->now);
    sweep(c);
    for (unsigned i = 0; i < LONG_SWEEPS; i++) {
        on(c, 0);
        mark(c, h->now += 100 * US);
        flush(c, 0);
    }
}

/* The capture of a random host, undamaged or damaged up to 12 times. */
static void make(struct stream_of_bytes *s, uint64_t seed)
{
    static struct host h;
    uint64_t random = seed;
    unsigned steps = 20 + (unsigned)random_below(&random, 400);
    bool loses = random_below(&random, 3) == 0;
    host_run(&h, random64(&random), steps, loses, random_below(&random, 2));
    sweep(&h.capture);
    if (loses && h.pcpus > 1 && random_below(&random, 2))
        fill_and_fall_silent(&h);
    s->n = h.capture.file.n < BYTES_MOST ? h.capture.file.n : BYTES_MOST;
    memcpy(s->bytes, h.capture.file.data, s->n);
    host_free(&h);
    for (uint64_t n = random_below(&random, 2) * random_below(&random, 13); n > 0; n--)
        s->n = damage_windows(s->bytes, s->n, BYTES_MOST, &random);
    for (uint64_t n = random_below(&random, 8) ? 0 : 1 + random_below(&random, 3); n > 0 && s->n > 0; n--)
        s->bytes[random_below(&random, s->n)] ^= (uint8_t)(1u << random_below(&random, 8));
}

/* ---- the order ---- */

/* NULL, or what does not hold of the events of the stream. */
static const char *wrong_order(const struct stream_of_bytes *s, uint64_t seed)
{
    struct bytes_feed bytes = {s->bytes, s->n, seed % 3 ? 0 : 1 + seed % 5000, 0};
    const struct feed feed = bytes_feed_of(&bytes);
    struct trace_options options = {.cpu_hz = seed % 2 ? 1e9 : 0, .feed = &feed};
    struct event_batch batch;
    struct error err = {0};
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        options.interest.raw[slot] = seed % 4 && (slot + seed) % 3;
    const struct meter_options rows = {.granularities = 1};
    struct pipeline *p = rows_pipeline(&rows);
    pipeline_wants(p, &options);
    options.cycles = false;
    pipeline_free(p);
    const char *wrong = NULL;
    uint64_t last = 0, watermark = 0;
    struct trace *t = trace_open("memory", &options, &err);
    while (t && trace_next(t, &batch, &err) > 0) {
        for (size_t i = 0; i < batch.n; i++) {
            wrong = batch.events[i].tsc < last ? "an event is earlier than the one before" : wrong;
            wrong = batch.events[i].tsc < watermark ? "an event is before the watermark" : wrong;
            wrong = batch.events[i].tsc > batch.watermark ? "an event is after its batch's watermark" : wrong;
            last = batch.events[i].tsc;
        }
        wrong = batch.watermark < watermark ? "the watermark goes back" : wrong;
        watermark = batch.watermark;
    }
    trace_close(t);
    return wrong;
}

/* ---- rows ---- */

#define INTERVAL_NS (7 * MS)
#define ROWS_MOST   3000 /* times that leap may last for years */

struct checked {
    enum by by;
    int64_t whole_ns, intervals_ns; /* accounted, but for what was before it was seen */
    uint64_t rows;
    const char *wrong;
};

static int64_t states_of(const struct measures *m)
{
    int64_t sum = 0;
    for (int i = 0; i < RUNSTATES; i++)
        sum += m->state_ns[i];
    return sum;
}

/* NULL, or what does not hold of a row. By domain and pCPU vCPUs come and go, and count where they were first. */
static const char *wrong_row(enum by by, int64_t length_ns, const struct row *row)
{
    const struct measures *m = row->measures;
    for (int i = 0; i < RUNSTATES; i++)
        if (m->state_ns[i] < 0)
            return "a state is negative";
    if ((by == BY_DOMAIN || by == BY_VCPU) && states_of(m) > length_ns * row->vcpus)
        return "states exceed the time of the row's vCPUs";
    if (by == BY_PCPU && m->state_ns[RUNSTATE_RUNNING] + m->idle_ns + m->pcpu_unknown_ns != length_ns)
        return "running, idle and unknown are not the pCPU's time";
    if (by == BY_DOMAIN_PCPU && m->state_ns[RUNSTATE_RUNNING] > length_ns)
        return "a domain ran on a pCPU for longer than there was time";
    return NULL;
}

static int check_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct checked *c = context;
    int64_t length_ns = (int64_t)(interval->end_ns - interval->start_ns);
    int64_t *sum = interval->granularity_ns ? &c->intervals_ns : &c->whole_ns;
    for (size_t i = 0; i < n; i++) {
        const struct measures *m = rows[i].measures;
        const char *wrong = wrong_row(c->by, length_ns, &rows[i]);
        c->wrong = wrong ? wrong : c->wrong;
        *sum += states_of(m) + m->idle_ns + m->pcpu_unknown_ns - m->before_seen_ns;
    }
    c->rows += n + 1;
    return c->rows > ROWS_MOST ? -1 : 0;
}

static const char *wrong_rows(const struct stream_of_bytes *s, uint64_t seed)
{
    struct bytes_feed bytes = {s->bytes, s->n, 0, 0};
    const struct feed feed = bytes_feed_of(&bytes);
    struct trace_options options = {.cpu_hz = seed % 2 ? 1e9 : 0, .feed = &feed};
    struct checked c = {.by = (enum by)(seed / 2 % 4)};
    const struct meter_options rows = {.bys = 1u << c.by,
                                       .granularities = 2,
                                       .granularities_ns = {0, INTERVAL_NS},
                                       .sink = {&c, check_interval, NULL, NULL, NULL}};
    const struct pipeline_control control = {0};
    struct error err = {0};
    struct pipeline *p = rows_pipeline(&rows);
    pipeline_wants(p, &options);
    struct trace *t = trace_open("memory", &options, &err);
    bool complete = t && pipeline_run(p, t, &control, &err) == 0;
    pipeline_free(p);
    trace_close(t);
    if (!c.wrong && complete && c.whole_ns != c.intervals_ns)
        return "intervals do not add up to the whole";
    return c.wrong;
}

/* ---- the tests ---- */

static void try_streams(const char *(*wrong_of)(const struct stream_of_bytes *s, uint64_t seed))
{
    static struct stream_of_bytes s;
    uint64_t first = first_seed();
    for (uint64_t seed = first; seed < first + STREAMS; seed++) {
        make(&s, seed);
        const char *wrong = wrong_of(&s, seed);
        CHECK(wrong == NULL);
        if (wrong)
            fprintf(stderr, "STREAMS_SEED=%" PRIu64 ": %s\n", seed, wrong);
    }
}

static void no_event_comes_before_the_watermark(void)
{
    try_streams(wrong_order);
}

static void states_never_exceed_their_time_and_intervals_add_up(void)
{
    try_streams(wrong_rows);
}

/* ---- what was found ---- */

static void order_holds(struct trace_bytes *c)
{
    static struct stream_of_bytes s;
    s.n = c->file.n;
    memcpy(s.bytes, c->file.data, s.n);
    for (uint64_t seed = 0; seed < 12; seed++)
        CHECK(wrong_order(&s, seed) == NULL);
    trace_bytes_free(c);
}

/* So many switches that events are delivered from the next sweep on. */
static void switches(struct trace_bytes *c, uint64_t t)
{
    for (unsigned i = 0; i < 40; i++) {
        starts(c, t + i * 20 * US, 1, 0);
        stops(c, t + i * 20 * US + 10 * US, 1, 0, BLOCKED);
    }
}

/* The first window of pCPU 0 shows that the second sweep has ended, and begins with a loss since before the first one. */
static void a_loss_in_the_window_that_begins_a_sweep_begins_at_the_watermark(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned i = 1; i <= 3; i++) {
        on(&c, 1);
        switches(&c, i * 10 * MS);
        flush(&c, 1);
    }
    on(&c, 0);
    rec_lost(&c, 33 * MS, 30, 0, 1, 10 * MS);
    mark(&c, 34 * MS);
    sweep(&c);
    order_holds(&c);
}

CU_TestInfo random_streams_tests[] = {
    TEST(no_event_comes_before_the_watermark),
    TEST(states_never_exceed_their_time_and_intervals_add_up),
    TEST(a_loss_in_the_window_that_begins_a_sweep_begins_at_the_watermark),
    CU_TEST_INFO_NULL,
};
