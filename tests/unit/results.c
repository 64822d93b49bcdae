/* Results as text: every number comes back exactly. */
#include "archive/results.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "random_host.h"
#include "results_copy.h"
#include "run_program.h"
#include "suites.h"
#include "told.h"

static void check_text(const struct buffer *b, const char *expected, unsigned line)
{
    check_true(b->at && b->n == strlen(expected) && memcmp(b->at, expected, b->n) == 0, expected, __FILE__,
               line);
}
#define TEXT(b, expected) check_text(b, expected, __LINE__)

/* ---- rows ---- */

static const struct interval whole = {0, 0, 1000, BY_DOMAIN, 0, 0};
static const struct interval tenth = {100, 300, 400, BY_DOMAIN, 0, 0};

static void a_row_is_a_line_without_what_is_zero(void)
{
    struct measures m;
    measures_init(&m);
    m.state_ns[RUNSTATE_RUNNING] = 17;
    m.domain_ns[DOMAIN_BLOCKED] = 983;
    m.executions = 3;
    m.allocated_ns = 60;
    m.allocated_slices = 2;
    m.allocated_min_ns = 20;
    m.allocated_max_ns = 40;
    m.io[IO_NOTIFY] = 4;
    histogram_add(&m.run, 5, 10);
    histogram_add(&m.run, 5, 20);
    histogram_add(&m.run, 7, 30);
    histogram_add(&m.wait, UINT64_MAX, 40); /* the last of 59 * 64 buckets */
    const struct row rows[] = {{7, 2, -1, -1, 3, &m}};
    struct buffer b = {0};
    results_put_interval(&b, &whole, rows, 1, NULL);
    TEXT(&b, "{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":1}}\n"
             "{\"row\":{\"domain\":7,\"life\":2,\"vcpus\":3,\"running_ns\":17,\"domain_blocked_ns\":983,"
             "\"executions\":3,\"allocated_ns\":60,\"allocated_slices\":2,\"allocated_min_ns\":20,"
             "\"allocated_max_ns\":40,\"io_notify\":4,"
             "\"run\":{\"count\":3,\"sum_ns\":17,\"min_ns\":5,\"max_ns\":7,\"max_at_ns\":30,"
             "\"buckets\":[5,2,2,1]},"
             "\"wait\":{\"count\":1,\"sum_ns\":\"18446744073709551615\",\"min_ns\":\"18446744073709551615\","
             "\"max_ns\":\"18446744073709551615\",\"max_at_ns\":40,\"buckets\":[3775,1]}}}\n");
    struct copy c;
    COMES_BACK(&c, &b);
    copy_free(&c);
    buffer_free(&b);
    measures_free(&m);
}

/* Every word of the sums has a value of its own, so a field that no table names is missed. */
static void every_sum_of_a_row_comes_back(void)
{
    struct measures m;
    measures_init(&m);
    for (size_t at = 0; at < offsetof(struct measures, run); at += sizeof(uint64_t)) {
        uint64_t word = 0x7070605040302010u - at;
        memcpy((char *)&m + at, &word, sizeof word);
    }
    m.allocated_min_ns = 0;
    m.allocated_max_ns = UINT32_MAX;
    m.io[IO_COPY] = UINT64_MAX;
    m.charged_ns = INT64_MAX;
    const struct row rows[] = {{-1, 0, -1, 4094, 1, &m}};
    struct buffer b = {0};
    results_put_interval(&b, &tenth, rows, 1, NULL);
    struct copy c;
    COMES_BACK(&c, &b);
    CHECK(memcmp(&c.measures, &m, offsetof(struct measures, run)) == 0);
    EQUAL(c.row.domain, -1);
    EQUAL(c.row.life, 0);
    EQUAL(c.row.vcpu, -1);
    EQUAL(c.row.pcpu, 4094);
    EQUAL(c.row.vcpus, 1);
    EQUAL(c.interval.granularity_ns, 100);
    EQUAL(c.interval.start_ns, 300);
    EQUAL(c.interval.end_ns, 400);
    copy_free(&c);
    buffer_free(&b);
    measures_free(&m);
}

static void histograms_come_back_to_the_last_sample(void)
{
    struct measures m;
    measures_init(&m);
    const struct histogram *all[] = {&m.run, &m.wait, &m.block};
    uint64_t random = 1;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < 5000; k++)
            histogram_add(i ? &m.wait : &m.run, random64(&random) >> random_below(&random, 64), k);
    CHECK(histogram_add_bucket(&m.block, 0, UINT64_MAX - 1)); /* as many as there can be */
    histogram_add(&m.block, 70, 5);
    m.block.count = UINT64_MAX;
    m.block.min = 0;
    const struct row rows[] = {{0, 1, 8191, -1, 1, &m}};
    struct buffer b = {0};
    results_put_interval(&b, &whole, rows, 1, NULL);
    struct copy c;
    COMES_BACK(&c, &b);
    const struct histogram *back[] = {&c.measures.run, &c.measures.wait, &c.measures.block};
    for (unsigned i = 0; i < 3; i++) {
        CHECK(same_histogram(back[i], all[i]));
    }
    copy_free(&c);
    buffer_free(&b);
    measures_free(&m);
}

static void an_interval_may_have_no_rows(void)
{
    struct buffer b = {0};
    results_put_interval(&b, &whole, NULL, 0, NULL);
    struct copy c;
    COMES_BACK(&c, &b);
    EQUAL(c.intervals, 1);
    EQUAL(c.rows, 0);
    copy_free(&c);
    buffer_free(&b);
}

/* ---- executions ---- */

static void an_execution_is_a_line_without_what_is_unknown(void)
{
    struct execution e = {.domain = 1,
                          .life = 2,
                          .vcpu = 3,
                          .pcpu = -1,
                          .start_ns = 100,
                          .end_ns = 150,
                          .blocked_before_ns = NS_UNKNOWN,
                          .waited_ns = NS_UNKNOWN,
                          .ran_ns = 50,
                          .allocated_ns = NS_UNKNOWN,
                          .io_total = NS_UNKNOWN,
                          .end = EXECUTION_LOST};
    struct buffer b = {0};
    results_put_execution(&b, &e, NULL);
    e.pcpu = 4;
    e.blocked_before_ns = 0;
    e.waited_ns = 7;
    e.wait_kind = WAIT_WAKE;
    e.allocated_ns = 1000;
    e.io_total = 0;
    e.end = EXECUTION_TRACE_END;
    results_put_execution(&b, &e, NULL);
    TEXT(&b,
         "{\"execution\":{\"domain\":1,\"life\":2,\"vcpu\":3,\"start_ns\":100,\"end_ns\":150,\"ran_ns\":50,"
         "\"end\":\"lost\"}}\n"
         "{\"execution\":{\"domain\":1,\"life\":2,\"vcpu\":3,\"pcpu\":4,\"start_ns\":100,\"end_ns\":150,"
         "\"blocked_before_ns\":0,\"waited_ns\":7,\"wait_kind\":\"wake\",\"ran_ns\":50,"
         "\"allocated_ns\":1000,\"io_total\":0,\"end\":\"trace_end\"}}\n");
    struct copy c;
    COMES_BACK(&c, &b);
    EQUAL(c.execution.allocated_ns, 1000);
    copy_free(&c);
    buffer_free(&b);
}

static void every_way_to_wait_and_to_end_comes_back(void)
{
    for (int wait = WAIT_UNKNOWN; wait <= WAIT_PREEMPT; wait++)
        for (int end = EXECUTION_BLOCKED; end <= EXECUTION_TRACE_END; end++) {
            struct execution e = {.domain = 65535,
                                  .life = UINT32_MAX,
                                  .vcpu = 8191,
                                  .pcpu = 4094,
                                  .start_ns = 1,
                                  .end_ns = UINT64_MAX,
                                  .blocked_before_ns = UINT64_MAX - 1,
                                  .waited_ns = INT64_MAX,
                                  .wait_kind = (enum wait_kind)wait,
                                  .ran_ns = UINT64_MAX - 1,
                                  .allocated_ns = UINT32_MAX,
                                  .io_total = (uint64_t)INT64_MAX + 1,
                                  .end = (enum execution_end)end};
            struct buffer b = {0};
            results_put_execution(&b, &e, NULL);
            struct copy c;
            COMES_BACK(&c, &b);
            CHECK(memcmp(&c.execution, &e, sizeof e) == 0);
            copy_free(&c);
            buffer_free(&b);
        }
}

/* ---- charges ---- */

static const struct charge_guest guests[] = {
    {.domain = 1,
     .life = 1,
     .charged_ns = 1000,
     .measured_ns = 3,
     .certain_ns = 997,
     .events = {1, 2, 3, 4, 5, 6, 7, UINT64_MAX, 9},
     .counted = {true, true, true, true},
     .inferred = {1, 1, 2, 3, 5},
     .charged_by_ns = {0.1, 1.0 / 3, 100, 5e-324, 1e17, 123456789012345.67, 2, 1e300, 4},
     .charged_inferred_ns = 12.5,
     .charged_measured_ns = 1.0 / 7},
    {.domain = 1, .life = 2, .events = {[IO_MAP] = 1}, .counted = {false, true}},
};
static const struct charge_idd idds[] = {
    {.domain = 0, .life = 1},
    {.domain = 3,
     .life = 1,
     .running_ns = 1111,
     .charged_ns = 1000,
     .own_ns = 100,
     .unattributed_ns = 11,
     .executions = 5,
     .io_free_executions = 2,
     .unassigned = {1, 2, 3, 4, 5},
     .guests = guests,
     .guests_n = 2},
};

static void charges_come_back_with_every_digit(void)
{
    struct buffer b = {0};
    results_put_charges(&b, &tenth, idds, 2, NULL);
    struct copy c;
    COMES_BACK(&c, &b);
    EQUAL(c.charges, 1);
    EQUAL(c.idd.guests_n, 2);
    CHECK(memcmp(&c.idd, &idds[1], offsetof(struct charge_idd, guests)) == 0);
    CHECK(memcmp(c.guests, guests, sizeof guests) == 0);
    copy_free(&c);
    buffer_free(&b);
}

static void time_before_somebody_was_seen_is_one_line(void)
{
    static const struct before_seen vcpu = {
        .row = {.domain = 7, .life = 2, .vcpu = 3, .pcpu = -1, .vcpus = 1},
        .state = RUNSTATE_BLOCKED,
        .from_ns = 5,
        .seen_ns = 1000};
    static const struct before_seen driver = {
        .row = {.domain = 0, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 2},
        .state = RUNSTATE_RUNNING,
        .seen_ns = 9,
        .first = true,
        .driver_domain = true};
    static const struct before_seen pcpu = {.row = {.domain = -1, .vcpu = -1, .pcpu = 4, .vcpus = 1},
                                            .state = RUNSTATE_RUNNING,
                                            .seen_ns = 9,
                                            .idle = true};
    struct buffer b = {0};
    results_put_before_seen(&b, &vcpu, NULL);
    results_put_before_seen(&b, &driver, NULL);
    results_put_before_seen(&b, &pcpu, NULL);
    TEXT(&b, "{\"before_seen\":{\"domain\":7,\"life\":2,\"vcpu\":3,\"vcpus\":1,\"state\":\"blocked\","
             "\"from_ns\":5,\"seen_ns\":1000}}\n"
             "{\"before_seen\":{\"domain\":0,\"life\":1,\"vcpus\":2,\"state\":\"running\",\"from_ns\":0,"
             "\"seen_ns\":9,\"first\":true,\"driver_domain\":true}}\n"
             "{\"before_seen\":{\"pcpu\":4,\"vcpus\":1,\"state\":\"running\",\"from_ns\":0,\"seen_ns\":9,"
             "\"idle\":true}}\n");
    struct copy c;
    COMES_BACK(&c, &b);
    EQUAL(c.before_seen.row.pcpu, 4);
    EQUAL(c.before_seen.seen_ns, 9);
    copy_free(&c);
    buffer_free(&b);
}

static void charges_are_one_line(void)
{
    static const struct charge_guest guest = {.domain = 1,
                                              .life = 1,
                                              .charged_ns = 6,
                                              .certain_ns = 5,
                                              .events = {[IO_COPY] = 2},
                                              .charged_by_ns = {[IO_COPY] = 5.5}};
    static const struct charge_idd some[] = {{.domain = 0,
                                              .life = 1,
                                              .running_ns = 7,
                                              .charged_ns = 6,
                                              .own_ns = 1,
                                              .guests = &guest,
                                              .guests_n = 1},
                                             {.domain = 2, .life = 4}};
    struct buffer b = {0};
    results_put_charges(&b, &whole, some, 2, NULL);
    TEXT(&b, "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"idds\":[{\"domain\":0,"
             "\"life\":1,"
             "\"running_ns\":7,\"charged_ns\":6,\"own_ns\":1,\"guests\":[{\"domain\":1,\"life\":1,"
             "\"charged_ns\":6,\"certain_ns\":5,\"copy\":2,\"charged_by_copy_ns\":5.5}]},{"
             "\"domain\":2,\"life\":4}]}}\n");
    b.n = 0;
    results_put_charges(&b, &whole, NULL, 0, NULL);
    TEXT(&b, "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"idds\":[]}}\n");
    struct copy c;
    COMES_BACK(&c, &b);
    copy_free(&c);
    buffer_free(&b);
}

/* ---- all that a meter hands out ---- */

static int compare_kept(const void *a, const void *b)
{
    const struct kept_row *x = a, *y = b;
    const uint64_t keys[][2] = {{x->interval.granularity_ns, y->interval.granularity_ns},
                                {x->interval.start_ns, y->interval.start_ns},
                                {(uint64_t)x->row.domain + 1, (uint64_t)y->row.domain + 1},
                                {x->row.life, y->row.life},
                                {(uint64_t)x->row.vcpu + 1, (uint64_t)y->row.vcpu + 1},
                                {(uint64_t)x->row.pcpu + 1, (uint64_t)y->row.pcpu + 1}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

/* Everything a run told. */
static void put_result(struct buffer *b, struct result *r)
{
    static struct row rows[4096];
    qsort(r->rows, r->rows_n, sizeof *r->rows, compare_kept);
    for (size_t i = 0; i < r->rows_n; i++) /* they have moved */
        r->rows[i].row.measures = &r->rows[i].measures;
    for (size_t i = 0, n; i < r->rows_n; i += n) {
        for (n = 0; i + n < r->rows_n && same_interval(&r->rows[i].interval, &r->rows[i + n].interval); n++)
            rows[n] = r->rows[i + n].row;
        results_put_interval(b, &r->rows[i].interval, rows, n, NULL);
    }
    for (size_t i = 0; i < r->executions_n; i++)
        results_put_execution(b, &r->executions[i], NULL);
    for (size_t i = 0; i < r->idds_n; i++)
        results_put_charges(b, &r->idds[i].interval, &r->idds[i].idd, 1, NULL);
}

static void what_a_meter_tells_comes_back(void)
{
    static const enum by kinds[] = {BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU};
    for (size_t kind = 0; kind < 4; kind++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct host h;
            host_run(&h, seed, 1000, seed == 1, seed == 2);
            struct result r = run(&h.capture, (struct setup){.by = kinds[kind],
                                                             .granularities_ns = {10 * MS * h.scale},
                                                             .executions = true,
                                                             .charge = {.wanted = true}});
            struct buffer b = {0};
            put_result(&b, &r);
            struct copy c;
            COMES_BACK(&c, &b);
            EQUAL(c.rows, r.rows_n);
            EQUAL(c.executions, r.executions_n);
            EQUAL(c.charges, r.idds_n);
            CHECK(c.rows >= 10 && c.executions > 100);
            copy_free(&c);
            buffer_free(&b);
            result_free(&r);
            host_free(&h);
        }
}

/* ---- what the sink wants ---- */

static void what_the_sink_has_no_function_for_is_passed_over(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    for (unsigned wanted = 0; wanted < 8; wanted++) {
        struct copy c;
        copy_init(&c);
        struct meter_sink sink = copy_sink(&c);
        sink.interval = wanted & 1 ? sink.interval : NULL;
        sink.execution = wanted & 2 ? sink.execution : NULL;
        sink.charges = wanted & 4 ? sink.charges : NULL;
        struct results_reader *r = results_reader_new(NULL, 0);
        EQUAL(results_read(r, b.at, b.n, 0, &sink, NULL), 0);
        EQUAL(c.intervals, wanted & 1);
        EQUAL(c.executions, wanted >> 1 & 1);
        EQUAL(c.charges, wanted >> 2);
        results_reader_free(r);
        copy_free(&c);
    }
    buffer_free(&b);
}

static void the_answer_of_the_sink_ends_the_work(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    struct copy c;
    struct error err = {0};
    copy_init(&c);
    c.answer = 42;
    EQUAL(copy_read(&c, b.at, b.n, &err), 42);
    EQUAL(err.code, ERROR_NONE);
    EQUAL(c.intervals, 1);
    EQUAL(c.charges, 0);
    copy_free(&c);
    buffer_free(&b);
}

static void one_reader_reads_many_members(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    struct results_reader *r = results_reader_new(NULL, 0);
    for (int i = 0; i < 3; i++) {
        struct copy c;
        copy_init(&c);
        const struct meter_sink sink = copy_sink(&c);
        EQUAL(results_read(r, b.at, b.n, 0, &sink, NULL), 0);
        CHECK(c.text.n == b.n && memcmp(c.text.at, b.at, b.n) == 0);
        EQUAL(results_read(r, b.at, b.n - 1, 0, &sink, NULL), -1); /* and goes on after damage */
        copy_free(&c);
    }
    results_reader_free(r);
    buffer_free(&b);
}

static void rows_beyond_the_memory_limit_are_refused(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    struct copy c;
    struct error err = {0};
    copy_init(&c);
    const struct meter_sink sink = copy_sink(&c);
    struct results_reader *r =
        results_reader_new(NULL, 2000); /* one row with a histogram needs 118 pointers */
    EQUAL(results_read(r, b.at, b.n, 0, &sink, &err), -1);
    EQUAL(err.code, ERROR_MEMORY);
    results_reader_free(r);
    r = results_reader_new(NULL, 0);
    EQUAL(results_read(r, b.at, b.n, 0, &sink, &err), 0);
    results_reader_free(r);
    copy_free(&c);
    buffer_free(&b);
}

CU_TestInfo results_tests[] = {
    TEST(a_row_is_a_line_without_what_is_zero),
    TEST(every_sum_of_a_row_comes_back),
    TEST(histograms_come_back_to_the_last_sample),
    TEST(an_interval_may_have_no_rows),
    TEST(an_execution_is_a_line_without_what_is_unknown),
    TEST(every_way_to_wait_and_to_end_comes_back),
    TEST(charges_come_back_with_every_digit),
    TEST(charges_are_one_line),
    TEST(time_before_somebody_was_seen_is_one_line),
    TEST(what_a_meter_tells_comes_back),
    TEST(what_the_sink_has_no_function_for_is_passed_over),
    TEST(the_answer_of_the_sink_ends_the_work),
    TEST(one_reader_reads_many_members),
    TEST(rows_beyond_the_memory_limit_are_refused),
    CU_TEST_INFO_NULL,
};
