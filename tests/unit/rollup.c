/*
 * What comes of kept intervals against a meter that runs with the granularities asked for: the same calls, in the same
 * order, with the same numbers in them.
 */
#include "archive/rollup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"
#include "random_host.h"
#include "run_program.h"
#include "suites.h"
#include "told.h"

static const enum by kinds[] = {BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- a trace on its way through a meter ---- */

struct source {
    char path[64];
    double cpu_hz;
    struct charge_options charge;
    uint64_t end_ns; /* found out by the first run */
};

static struct source fixture(const char *path)
{
    struct source s = {.charge.wanted = true};
    snprintf(s.path, sizeof s.path, "%s", path);
    memcpy(s.charge.weights, charge_default_weights, sizeof s.charge.weights);
    return s;
}

/* Its path is that of an open file: to be closed. */
static int open_capture(struct trace_bytes *c, struct source *s)
{
    sweep(c);
    int fd = memfd_create("capture", 0);
    if (fd < 0 || write(fd, c->file.data, c->file.n) != (ssize_t)c->file.n)
        abort();
    *s = fixture("");
    s->cpu_hz = 1e9; /* a cycle is a ns */
    snprintf(s->path, sizeof s->path, "/dev/fd/%d", fd);
    return fd;
}

static int read_all(struct source *s, struct trace *t, struct pipeline *p)
{
    struct event_batch batch;
    struct trace_summary summary;
    struct error err;
    int status;
    while ((status = trace_next(t, &batch, &err)) > 0)
        if (pipeline_feed(p, &batch, trace_clock(t), &err) != 0)
            return -1;
    trace_summarise(t, &summary);
    s->end_ns = clock_ns(trace_clock(t), summary.tsc_last);
    return status == 0 ? pipeline_end(p, s->end_ns, &err) : -1;
}

/* Returns the guests' unknown time. */
static uint64_t meter_source(struct source *s, struct meter_options *options, struct meter_sink sink)
{
    struct error err;
    struct trace_options trace_options = {.cpu_hz = s->cpu_hz};
    options->charge = s->charge;
    options->sink = sink;
    struct pipeline *p = rows_pipeline(options);
    pipeline_wants(p, &trace_options);
    struct trace *t = trace_open(s->path, &trace_options, &err);
    CHECK(t && read_all(s, t, p) == 0);
    uint64_t unknown_ns = meter_unknown_ns(pipeline_meter(p, 0));
    pipeline_free(p);
    trace_close(t);
    return unknown_ns;
}

/* Charges go with the rows by domain. */
static struct meter_sink sink_for(struct told_calls *told, enum by by)
{
    struct meter_sink sink = told_sink(told);
    sink.before_seen = NULL;
    sink.charges = by == BY_DOMAIN ? sink.charges : NULL;
    return sink;
}

/* What is asked for, straight from a meter. */
static uint64_t ask(struct source *s, enum by by, const struct rollup_plan *plan, struct told_calls *told)
{
    struct meter_options options = {.bys = 1u << by,
                                    .granularities = plan->asked,
                                    .executions = plan->executions,
                                    .from_ns = plan->from_ns,
                                    .to_ns = plan->to_ns,
                                    .idle_rows = true};
    memcpy(options.granularities_ns, plan->asked_ns, sizeof options.granularities_ns);
    return meter_source(s, &options, sink_for(told, by));
}

/* The same of what was kept. */
static uint64_t ask_kept(struct source *s, enum by by, const struct rollup_plan *plan,
                         struct told_calls *told)
{
    struct meter_options options = {
        .bys = 1u << by, .granularities = plan->kept, .executions = plan->executions, .idle_rows = true};
    memcpy(options.granularities_ns, plan->kept_ns, sizeof options.granularities_ns);
    struct meter_sink sink = sink_for(told, by);
    struct rollup *r = rollup_new(plan, by, &sink);
    CHECK(r != NULL);
    if (!r)
        return 0;
    struct meter_sink into = rollup_sink(r);
    if (!into.execution)
        options.executions = false;
    meter_source(s, &options, into);
    EQUAL(rollup_finish(r), 0);
    CHECK(!rollup_damaged(r) && !rollup_out_of_memory(r));
    uint64_t unknown_ns = (uint64_t)rollup_times(r)->unknown_ns;
    rollup_free(r);
    return unknown_ns;
}

/* The plan's end is the trace's. Returns how many rows have time before they were seen. */
static size_t check_plan(struct source *s, enum by by, struct rollup_plan plan)
{
    struct told_calls expected = {0}, actual = {0};
    uint64_t expected_unknown_ns = ask(s, by, &plan, &expected);
    plan.end_ns = s->end_ns;
    CHECK(expected.n > 0);
    uint64_t unknown_ns = ask_kept(s, by, &plan, &actual);
    EQUAL(told_difference(&actual, &expected), -1);
    if (by != BY_PCPU && plan.asked > 0)
        EQUAL(unknown_ns, expected_unknown_ns);
    size_t before_seen = told_before_seen(&expected);
    told_forget(&expected);
    told_forget(&actual);
    return before_seen;
}

/* Each plan by two kinds of rows: taken together, all kinds of plans by all kinds of rows. */
static void check_plans(const char *path, const struct rollup_plan *plans, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = i; k < i + 2; k++) {
            struct source s = fixture(path);
            check_plan(&s, kinds[k % KINDS], plans[i]);
        }
}
#define CHECK_PLANS(path, ...)                                                                               \
    check_plans(path, (const struct rollup_plan[]){__VA_ARGS__},                                             \
                sizeof((const struct rollup_plan[]){__VA_ARGS__}) / sizeof(struct rollup_plan))

/* ---- whole traces ---- */

static void what_was_kept_comes_out_as_it_was(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(1 * S)}, {KEPT(0, 1 * S), ASKED(0)},
                {KEPT(0, 1 * S), ASKED(0, 1 * S), .executions = true});
}

static void longer_intervals_are_put_together(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(2 * S)}, {KEPT(1 * S), ASKED(3 * S)},
                {KEPT(500 * MS), ASKED(0)}, {KEPT(0, 500 * MS), ASKED(60 * S)});
    CHECK_PLANS("fixtures/lost-credit2.xt.zst", {KEPT(0, 1 * S), ASKED(4 * S)});
}

static void several_come_out_in_the_order_asked(void)
{
    CHECK_PLANS("fixtures/mixed-credit.xt.zst", {KEPT(0, 1 * S), ASKED(3 * S, 0, 1 * S, 6 * S)},
                {KEPT(1 * S, 500 * MS, 0), ASKED(500 * MS, 1 * S, 0)},
                {KEPT(500 * MS, 2 * S), ASKED(0, 6 * S, 1 * S, 2 * S, 500 * MS), .executions = true});
}

static void a_part_between_boundaries_is_cut_out(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst",
                {KEPT(0, 1 * S), ASKED(1 * S), .from_ns = 2 * S, .to_ns = 7 * S},
                {KEPT(0, 1 * S), ASKED(0), .from_ns = 2 * S, .to_ns = 7 * S},
                {KEPT(0, 1 * S), ASKED(3 * S, 0, 1 * S), .from_ns = 2 * S, .to_ns = 8 * S},
                {KEPT(0, 1 * S), ASKED(5 * S, 0), .from_ns = 3 * S},
                {KEPT(0, 1 * S), ASKED(2 * S, 0), .to_ns = 3 * S},
                {KEPT(0, 1 * S), ASKED(0, 2 * S), .from_ns = 1 * S, .to_ns = 100 * S});
    CHECK_PLANS("fixtures/lost-credit2.xt.zst",
                {KEPT(0, 1 * S), ASKED(5 * S, 0), .from_ns = 2 * S, .to_ns = 11 * S});
}

static void executions_of_a_part_begin_with_it(void)
{
    CHECK_PLANS("fixtures/pvh-credit2.xt.zst", {KEPT(0, 1 * S), .executions = true, .from_ns = 2500 * MS},
                {KEPT(0, 1 * S), ASKED(2 * S, 0), .executions = true, .from_ns = 3 * S});
}

static void without_charges_none_come_out(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct source s = fixture("fixtures/membuf-credit2.xt.zst");
        s.charge.wanted = false;
        check_plan(&s, kinds[k],
                   (struct rollup_plan){KEPT(0, 100 * MS), ASKED(300 * MS, 0), .to_ns = 900 * MS});
    }
}

/* ---- somebody is seen late ---- */

/*
 * For 5 s only vCPU 0 of domain 1 and what I/O domain 0 does for it are seen, and then that somebody else ran or
 * waited all the time: another domain, another vCPU of domain 1 and one of domain 0. With `late_pcpu` on pCPUs of
 * which nothing at all had come.
 */
static void speak_late(struct trace_bytes *c, bool late_pcpu)
{
    trace_bytes_init(c);
    for (unsigned p = 1; p < 3 && !late_pcpu; p++) {
        on(c, p);
        mark(c, 0);
    }
    for (uint64_t i = 0; i < 50; i++) {
        on(c, 0);
        mark(c, i * 100 * MS);
        starts(c, i * 100 * MS + 1 * MS, 1, 0);
        stops(c, i * 100 * MS + 2 * MS, 1, 0, RUNNABLE);
        starts(c, i * 100 * MS + 3 * MS, 0, 0);
        rec_map(c, i * 100 * MS + 4 * MS, 1);
        stops(c, i * 100 * MS + 5 * MS, 0, 0, RUNNABLE);
        sweep(c);
    }
    on(c, 1);
    stops(c, 5050 * MS, 2, 0, BLOCKED);
    starts(c, 5100 * MS, 1, 1);
    stops(c, 5200 * MS, 1, 1, RUNNABLE);
    on(c, 2);
    stops(c, 5300 * MS, 0, 1, BLOCKED); /* of a driver domain: its time before is unattributed */
    on(c, 0);
    mark(c, 8500 * MS);
}

static size_t check_late(enum by by, struct rollup_plan plan)
{
    size_t rows[2];
    for (int late_pcpu = 0; late_pcpu < 2; late_pcpu++) {
        struct trace_bytes c;
        struct source s;
        speak_late(&c, late_pcpu);
        int fd = open_capture(&c, &s);
        rows[late_pcpu] = check_plan(&s, by, plan);
        close(fd);
        trace_bytes_free(&c);
    }
    return rows[1];
}

static void longer_intervals_have_the_time_before_somebody_was_seen(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(0, 1 * S), ASKED(1 * S, 0)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(0, 1 * S), ASKED(2 * S)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(500 * MS), ASKED(2 * S, 1 * S, 0)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(0, 250 * MS, 1 * S),
                                                        ASKED(1 * S, 4 * S, 500 * MS, 250 * MS)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(1 * S), ASKED(6 * S)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(100 * MS), ASKED(10 * S, 0)}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(1 * S), ASKED(0, 8 * S)}) > 0);
    }
}

static void so_have_those_of_a_part(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        CHECK(check_late(kinds[k],
                         (struct rollup_plan){KEPT(0, 1 * S), ASKED(2 * S, 1 * S), .from_ns = 1 * S}) > 0);
        CHECK(check_late(kinds[k], (struct rollup_plan){KEPT(0, 500 * MS), ASKED(2 * S, 0),
                                                        .from_ns = 1500 * MS, .to_ns = 7 * S}) > 0);
        check_late(kinds[k], (struct rollup_plan){KEPT(1 * S), ASKED(0), .from_ns = 6 * S});
        /* seen when the part was over */
        EQUAL(check_late(kinds[k], (struct rollup_plan){KEPT(0, 1 * S), ASKED(1 * S, 0), .to_ns = 4 * S}), 0);
    }
}

/* ---- domains that end ---- */

/* Domain 1 ends at 1250 ms; domain 0 unmaps its pages until 2800 ms. */
static void ends(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 0);
    for (uint64_t at = 0; at < 4 * S; at += 100 * MS) {
        bool alive = at < 1250 * MS;
        mark(c, at);
        starts(c, at + 1 * MS, alive ? 1 : 2, 0);
        stops(c, at + 2 * MS, alive ? 1 : 2, 0, BLOCKED);
        if (at == 1200 * MS)
            rec_dom_rem(c, 1250 * MS, 1);
        starts(c, at + 60 * MS, 0, 0);
        rec_map(c, at + 61 * MS, 2);
        if (at < 2800 * MS)
            rec_unmap(c, at + 62 * MS, 1);
        stops(c, at + 70 * MS, 0, 0, BLOCKED);
    }
    mark(c, 4 * S);
}

static void what_is_charged_to_a_domain_after_its_end_is_there(void)
{
    const struct rollup_plan plans[] = {{KEPT(0, 500 * MS), ASKED(2 * S)},
                                        {KEPT(500 * MS), ASKED(0), .from_ns = 500 * MS},
                                        {KEPT(500 * MS), ASKED(1 * S, 0), .from_ns = 2 * S}};
    struct trace_bytes c;
    struct source s;
    ends(&c);
    int fd = open_capture(&c, &s);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < 3; i++)
            check_plan(&s, kinds[k], plans[i]);
    close(fd);
    trace_bytes_free(&c);
}

/* ---- random hosts ---- */

static void check_random(uint64_t seed, unsigned steps)
{
    static struct host h;
    struct source s;
    uint64_t random = seed;
    host_run(&h, seed, steps, seed % 2, seed % 3 == 0);
    int fd = open_capture(&h.capture, &s);
    uint64_t unit = h.scale * MS, parts = h.now / unit;
    s.charge.interval_ns = seed % 4 == 0 ? 3 * unit / 2 : 0;
    s.charge.spread_own = seed % 7 == 0;
    for (size_t k = 0; k < KINDS; k++) {
        struct rollup_plan plan = {KEPT(0, unit, 5 * unit), ASKED(0, 10 * unit, unit, 7 * unit, 5 * unit)};
        for (size_t i = plan.asked; i-- > 1;) { /* in any order */
            size_t other = random_below(&random, i + 1);
            uint64_t asked_ns = plan.asked_ns[i];
            plan.asked_ns[i] = plan.asked_ns[other];
            plan.asked_ns[other] = asked_ns;
        }
        plan.asked = 2 + random_below(&random, 4);
        if (random_below(&random, 2) && parts > 4)
            plan.from_ns = random_below(&random, parts / 2) * unit;
        if (random_below(&random, 2) && parts > 4)
            plan.to_ns = (parts / 2 + 1 + random_below(&random, parts)) * unit;
        plan.executions = plan.to_ns == 0;
        if (random_below(&random, 2))
            plan.kept = 2;
        check_plan(&s, kinds[k], plan);
    }
    close(fd);
    host_free(&h);
}

static void random_hosts_come_out_the_same(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        check_random(seed, 600);
}

CU_TestInfo rollup_tests[] = {
    TEST(what_was_kept_comes_out_as_it_was),
    TEST(longer_intervals_are_put_together),
    TEST(several_come_out_in_the_order_asked),
    TEST(a_part_between_boundaries_is_cut_out),
    TEST(executions_of_a_part_begin_with_it),
    TEST(without_charges_none_come_out),
    TEST(longer_intervals_have_the_time_before_somebody_was_seen),
    TEST(so_have_those_of_a_part),
    TEST(what_is_charged_to_a_domain_after_its_end_is_there),
    TEST(random_hosts_come_out_the_same),
    CU_TEST_INFO_NULL,
};
