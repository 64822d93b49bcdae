/* What can be rolluped and what is damage. */
#include "archive/rollup.h"

#include "bytes.h"
#include "check.h"
#include "random.h"
#include "suites.h"
#include "told.h"

/* ---- plans ---- */

static void what_does_not_fit_is_not_possible(void)
{
    size_t use[METER_GRANULARITIES];
    const struct rollup_plan impossible[] = {
        {KEPT(0, 2 * S), ASKED(1 * S), .end_ns = 10 * S},        /* shorter */
        {KEPT(0, 2 * S), ASKED(4 * S, 5 * S), .end_ns = 10 * S}, /* no multiple */
        {KEPT(0), ASKED(1 * S), .end_ns = 10 * S},               /* no intervals */
        {KEPT(0), ASKED(0), .from_ns = 1 * S, .end_ns = 10 * S}, /* a part of the whole */
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 3 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .to_ns = 3 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 10 * S, .end_ns = 10 * S}, /* behind the end */
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 4 * S, .to_ns = 4 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .from_ns = 6 * S, .to_ns = 4 * S, .end_ns = 10 * S},
        {KEPT(0, 2 * S), ASKED(2 * S), .to_ns = 4 * S, .executions = true, .end_ns = 10 * S},
        {ASKED(0), .end_ns = 10 * S},
    };
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        CHECK(!rollup_possible(&impossible[i], use));
        CHECK(rollup_new(&impossible[i], BY_DOMAIN, &(struct meter_sink){0}) == NULL);
    }
}

static void the_longest_that_fits_is_of_use(void)
{
    size_t use[METER_GRANULARITIES];
    struct rollup_plan plan = {KEPT(100 * MS, 0, 1 * S, 2 * S), ASKED(0, 1 * S, 4 * S, 3 * S, 300 * MS),
                               .end_ns = 10500 * MS};
    CHECK(rollup_possible(&plan, use));
    EQUAL(use[0], 1);
    EQUAL(use[1], 2);
    EQUAL(use[2], 3);
    EQUAL(use[3], 2);
    EQUAL(use[4], 0);
    plan.to_ns = 10500 * MS; /* no boundary, but the end */
    CHECK(rollup_possible(&plan, use));
    EQUAL(use[0], 1);
    plan.from_ns = 1 * S;
    CHECK(rollup_possible(&plan, use));
    EQUAL(use[0], 2);
    EQUAL(use[2], 2);
    plan.asked = 0;
    CHECK(rollup_possible(&plan, use));
}

static void the_span_ends_with_the_trace(void)
{
    struct rollup_plan plan = {KEPT(1 * S), ASKED(0), .from_ns = 2 * S, .to_ns = 7 * S, .end_ns = 5500 * MS};
    struct rollup *r = rollup_new(&plan, BY_DOMAIN, &(struct meter_sink){0});
    uint64_t from_ns, to_ns;
    rollup_span(r, &from_ns, &to_ns);
    EQUAL(from_ns, 2 * S);
    EQUAL(to_ns, 5500 * MS);
    rollup_free(r);
}

/* ---- what no meter tells ---- */

/* One row, of domain 1, that ran for `ran_ns`. */
static int give(struct rollup *r, uint64_t granularity_ns, uint64_t start_ns, uint64_t end_ns)
{
    struct measures m;
    measures_init(&m);
    m.state_ns[RUNSTATE_RUNNING] = (int64_t)(end_ns - start_ns);
    struct row row = {.domain = 1, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = &m};
    struct meter_sink sink = rollup_sink(r);
    return sink.interval(sink.context, &(struct interval){granularity_ns, start_ns, end_ns, BY_DOMAIN, 0, 0},
                         &row, 1);
}

static struct rollup *rollup_to(struct told_calls *told, struct rollup_plan plan)
{
    struct meter_sink sink = told_sink(told);
    return rollup_new(&plan, BY_DOMAIN, &sink);
}

static void intervals_out_of_order_are_damage(void)
{
    const struct {
        uint64_t start_ns, end_ns;
    } wrong[] = {
        {2 * S, 3 * S},         /* a gap */
        {0, 1 * S},             /* again */
        {1 * S, 1500 * MS},     /* too short */
        {1 * S, 3 * S},         /* too long */
        {1500 * MS, 2500 * MS}, /* between boundaries */
        {2 * S, 1 * S},         /* backwards */
        {1 * S, 1 * S},         /* empty */
        {UINT64_MAX - 1, UINT64_MAX},
    };
    const uint64_t asked_ns[] = {1 * S, 2 * S, 0};
    for (size_t a = 0; a < 3; a++)
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            struct told_calls told = {0};
            struct rollup *r =
                rollup_to(&told, (struct rollup_plan){KEPT(1 * S), ASKED(asked_ns[a]), .end_ns = 10 * S});
            EQUAL(give(r, 1 * S, 0, 1 * S), 0);
            EQUAL(give(r, 1 * S, wrong[i].start_ns, wrong[i].end_ns), -1);
            CHECK(rollup_damaged(r));
            size_t n = told.n;
            EQUAL(give(r, 1 * S, 1 * S, 2 * S), -1);
            EQUAL(rollup_finish(r), -1);
            EQUAL(told.n, n);
            rollup_free(r);
            told_forget(&told);
        }
}

static void a_missing_interval_at_the_end_is_damage(void)
{
    const uint64_t asked_ns[] = {1 * S, 2 * S, 0};
    for (size_t a = 0; a < 3; a++) {
        struct told_calls told = {0};
        struct rollup *r =
            rollup_to(&told, (struct rollup_plan){KEPT(1 * S), ASKED(asked_ns[a]), .end_ns = 3500 * MS});
        for (uint64_t i = 0; i < 2; i++)
            EQUAL(give(r, 1 * S, i * S, (i + 1) * S), 0);
        EQUAL(rollup_finish(r), -1);
        CHECK(rollup_damaged(r));
        rollup_free(r);
        told_forget(&told);
    }
}

/* A meter that is told to stop drops the last capture, and longer intervals with it. */
static void of_a_stopped_trace_only_what_is_accounted_comes_out(void)
{
    struct told_calls told = {0};
    struct rollup *r =
        rollup_to(&told, (struct rollup_plan){KEPT(1 * S), ASKED(0, 2 * S), .end_ns = 3500 * MS});
    for (uint64_t i = 0; i < 3; i++)
        EQUAL(give(r, 1 * S, i * S, (i + 1) * S), 0);
    EQUAL(rollup_finish(r), 0);
    EQUAL(told.n, 2);
    if (told.n == 2) {
        CHECK(same_interval(&told.items[0].interval, &(struct interval){2 * S, 0, 2 * S, BY_DOMAIN, 0, 0}));
        CHECK(same_interval(&told.items[1].interval, &(struct interval){0, 0, 3 * S, BY_DOMAIN, 0, 0}));
        EQUAL(told.items[1].measures[0].state_ns[RUNSTATE_RUNNING], 3 * S);
    }
    rollup_free(r);
    told_forget(&told);
}

/* However long the time, what comes out is no more than what came in. */
static void a_long_time_is_not_filled_up(void)
{
    const uint64_t end_ns = UINT64_MAX - 1, last_ns = end_ns / 1000 * 1000;
    struct told_calls told = {0};
    struct rollup *r = rollup_to(&told, (struct rollup_plan){KEPT(1000), ASKED(2000, 1 * S),
                                                             .from_ns = last_ns - 4000, .end_ns = end_ns});
    for (uint64_t at = last_ns - 4000; at < last_ns; at += 1000)
        EQUAL(give(r, 1000, at, at + 1000), 0);
    EQUAL(give(r, 1000, last_ns, end_ns), 0);
    EQUAL(rollup_finish(r), 0);
    EQUAL(told.n, 4); /* 2000 ns long: two and the last one; 1 s long: one that the end cuts */
    rollup_free(r);
    told_forget(&told);
}

static void charges_of_another_interval_are_damage(void)
{
    struct told_calls told = {0};
    struct rollup *r = rollup_to(&told, (struct rollup_plan){KEPT(1 * S), ASKED(2 * S), .end_ns = 9 * S});
    struct meter_sink sink = rollup_sink(r);
    struct charge_idd idd = {.domain = 0, .life = 1};
    EQUAL(give(r, 1 * S, 0, 1 * S), 0);
    EQUAL(sink.charges(sink.context, &(struct interval){1 * S, 0, 1 * S, BY_DOMAIN, 0, 0}, &idd, 1), 0);
    EQUAL(sink.charges(sink.context, &(struct interval){1 * S, 1 * S, 2 * S, BY_DOMAIN, 0, 0}, &idd, 1), -1);
    CHECK(rollup_damaged(r));
    rollup_free(r);
    told_forget(&told);
}

static int end_at_once(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    (void)interval, (void)rows, (void)n;
    ++*(int *)context;
    return 7;
}

static void a_sink_that_wants_no_more_is_told_no_more(void)
{
    for (uint64_t asked_s = 1; asked_s <= 2; asked_s++) {
        int calls = 0;
        struct meter_sink sink = {.context = &calls, .interval = end_at_once};
        struct rollup_plan plan = {KEPT(1 * S), ASKED(asked_s * S), .end_ns = 9 * S};
        struct rollup *r = rollup_new(&plan, BY_DOMAIN, &sink);
        int status = 0;
        for (uint64_t i = 0; i < 9; i++)
            status = give(r, 1 * S, i * S, (i + 1) * S);
        EQUAL(status, 7);
        EQUAL(rollup_finish(r), 7);
        EQUAL(calls, 1);
        CHECK(!rollup_damaged(r));
        rollup_free(r);
    }
}

static void more_rows_than_the_limit_allows_are_refused(void)
{
    struct told_calls told = {0};
    struct measures m;
    struct rollup *r = rollup_to(
        &told, (struct rollup_plan){KEPT(1 * S), ASKED(0), .end_ns = 100 * S, .memory_limit = 20000});
    struct meter_sink sink = rollup_sink(r);
    measures_init(&m);
    int status = 0;
    unsigned life = 1;
    for (; status == 0 && life < 100; life++) {
        struct row row = {.domain = 1, .life = life, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = &m};
        struct interval interval = {1 * S, (life - 1) * S, life * S, BY_DOMAIN, 0, 0};
        status = sink.interval(sink.context, &interval, &row, 1);
    }
    EQUAL(status, -1);
    CHECK(life > 10 && life < 40); /* some 700 bytes each */
    CHECK(rollup_out_of_memory(r) && !rollup_damaged(r));
    rollup_free(r);
    told_forget(&told);
}

/* Anything may come, nothing breaks. Little differs from what is right, so that it gets far. */
static void nonsense_ends_well(void)
{
    uint64_t random = 1;
    for (int round = 0; round < 3000; round++) {
        struct told_calls told = {0};
        struct rollup_plan plan = {KEPT(1 * S, 2 * S, 0), ASKED(4 * S, 1 * S, 0), .executions = round % 2,
                                   .from_ns = random_below(&random, 3) * S, .end_ns = 12500 * MS};
        struct rollup *r = rollup_to(&told, plan);
        struct meter_sink sink = rollup_sink(r);
        for (uint64_t at = 0; at < 13;) {
            struct execution e = {.start_ns = random64(&random), .end_ns = random64(&random)};
            struct charge_idd idd = {.domain = (int32_t)random_below(&random, 3), .life = 1};
            uint64_t kind = random_below(&random, 24), length = kind == 3 ? 2 : 1;
            struct interval interval = {length * S, at * S, at == 12 ? 12500 * MS : (at + length) * S,
                                        BY_DOMAIN,  0,      0};
            struct before_seen seen = {
                .row = {.domain = 1 + (int32_t)random_below(&random, 2), .life = 1, .vcpu = -1, .pcpu = -1},
                .state = (enum runstate)random_below(&random, RUNSTATES),
                .from_ns = random64(&random) >> random_below(&random, 64),
                .seen_ns = random64(&random) >> random_below(&random, 64),
                .first = kind % 2};
            if (kind == 0)
                interval.start_ns = random64(&random);
            if (kind == 1)
                interval.end_ns = random64(&random) >> random_below(&random, 64);
            if (kind == 2 && sink.execution)
                sink.execution(sink.context, &e);
            else if (kind > 18)
                sink.before_seen(sink.context, &seen);
            else
                give(r, interval.granularity_ns, interval.start_ns, interval.end_ns);
            if (kind % 2)
                sink.charges(sink.context, &interval, &idd, kind % 3 ? 1 : 0);
            at += kind > 2 && kind <= 18;
        }
        int status = rollup_finish(r);
        CHECK(status == 0 ? !rollup_damaged(r) : rollup_damaged(r));
        rollup_free(r);
        told_forget(&told);
    }
}

CU_TestInfo rollup_plans_tests[] = {
    TEST(what_does_not_fit_is_not_possible),
    TEST(the_longest_that_fits_is_of_use),
    TEST(the_span_ends_with_the_trace),
    TEST(intervals_out_of_order_are_damage),
    TEST(a_missing_interval_at_the_end_is_damage),
    TEST(of_a_stopped_trace_only_what_is_accounted_comes_out),
    TEST(a_long_time_is_not_filled_up),
    TEST(charges_of_another_interval_are_damage),
    TEST(a_sink_that_wants_no_more_is_told_no_more),
    TEST(more_rows_than_the_limit_allows_are_refused),
    TEST(nonsense_ends_well),
    CU_TEST_INFO_NULL,
};
