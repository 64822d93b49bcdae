/* Results as text: they come back exactly, and what no meter could have handed out does not get in. */
#include "archive/results.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "random_host.h"
#include "run.h"
#include "suites.h"

/* ---- a sink that writes everything down again, and keeps the last of each ---- */

struct copy {
    struct buffer text;
    struct interval interval;
    struct row row;
    struct measures measures;
    struct execution execution;
    struct charge_idd idd;
    struct charge_guest guests[4];
    size_t intervals, rows, executions, charges;
    int answer; /* what the sink returns */
};

static int copy_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct copy *c = context;
    results_put_interval(&c->text, interval, rows, n);
    c->interval = *interval;
    c->intervals++;
    c->rows += n;
    if (n) {
        c->row = rows[n - 1];
        measures_clear(&c->measures);
        CHECK(measures_merge(&c->measures, rows[n - 1].measures));
    }
    return c->answer;
}

static int copy_execution(void *context, const struct execution *execution)
{
    struct copy *c = context;
    results_put_execution(&c->text, execution);
    c->execution = *execution;
    c->executions++;
    return c->answer;
}

static int copy_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct copy *c = context;
    results_put_charges(&c->text, interval, idds, n);
    c->interval = *interval;
    c->charges++;
    if (n) {
        c->idd = idds[n - 1];
        for (size_t i = 0; i < c->idd.guests_n && i < 4; i++)
            c->guests[i] = c->idd.guests[i];
    }
    return c->answer;
}

static void copy_init(struct copy *c)
{
    *c = (struct copy){.text = {0}};
    measures_init(&c->measures);
}

static void copy_free(struct copy *c)
{
    buffer_free(&c->text);
    measures_free(&c->measures);
}

static int read_into(struct copy *c, const char *text, size_t n, struct error *err)
{
    struct results_reader *r = results_reader_new();
    const struct meter_sink sink = {c, copy_interval, copy_execution, copy_charges};
    int status = results_read(r, text, n, 1000, &sink, err);
    results_reader_free(r);
    return status;
}

/* Reads the text, which is then written again: the same. */
static void check_comes_back(struct copy *c, const struct buffer *text, unsigned line)
{
    struct error err = {0};
    copy_init(c);
    check_equal(read_into(c, text->at, text->n, &err), 0, "the status of reading", __FILE__, line);
    check_true(err.code == ERROR_NONE, err.message, __FILE__, line);
    check_true(!text->failed && c->text.n == text->n && memcmp(c->text.at, text->at, text->n) == 0,
               "the text is the same", __FILE__, line);
}
#define COMES_BACK(c, text) check_comes_back(c, text, __LINE__)

static void check_text(const struct buffer *b, const char *expected, unsigned line)
{
    check_true(b->n == strlen(expected) && memcmp(b->at, expected, b->n) == 0, expected, __FILE__, line);
}
#define TEXT(b, expected) check_text(b, expected, __LINE__)

/* ---- rows ---- */

static const struct interval whole = {0, 0, 1000, false};
static const struct interval late_tenth = {100, 300, 400, true};

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
    results_put_interval(&b, &whole, rows, 1);
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
        uint64_t word = 0x8070605040302010u - at;
        memcpy((char *)&m + at, &word, sizeof word);
    }
    m.allocated_min_ns = 0;
    m.allocated_max_ns = UINT32_MAX;
    m.io[IO_COPY] = UINT64_MAX;
    m.charged_ns = INT64_MIN;
    const struct row rows[] = {{-1, 0, -1, 4094, 1, &m}};
    struct buffer b = {0};
    results_put_interval(&b, &late_tenth, rows, 1);
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
    CHECK(c.interval.late);
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
    results_put_interval(&b, &whole, rows, 1);
    struct copy c;
    COMES_BACK(&c, &b);
    const struct histogram *back[] = {&c.measures.run, &c.measures.wait, &c.measures.block};
    for (unsigned i = 0; i < 3; i++) {
        EQUAL(back[i]->count, all[i]->count);
        EQUAL(back[i]->sum, all[i]->sum);
        EQUAL(back[i]->min, all[i]->min);
        EQUAL(back[i]->max, all[i]->max);
        EQUAL(back[i]->max_at, all[i]->max_at);
        CHECK(memcmp(back[i]->touched, all[i]->touched, sizeof all[i]->touched) == 0);
        for (unsigned page = 0; page < HISTOGRAM_PAGES; page++)
            if (all[i]->touched[page / 64] >> page % 64 & 1)
                CHECK(memcmp(back[i]->pages[page], all[i]->pages[page],
                             HISTOGRAM_PAGE_BUCKETS * sizeof(uint64_t)) == 0);
    }
    copy_free(&c);
    buffer_free(&b);
    measures_free(&m);
}

static void an_interval_may_have_no_rows(void)
{
    struct buffer b = {0};
    results_put_interval(&b, &whole, NULL, 0);
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
    results_put_execution(&b, &e);
    e.pcpu = 4;
    e.blocked_before_ns = 0;
    e.waited_ns = 7;
    e.wait_kind = WAIT_WAKE;
    e.allocated_ns = 1000;
    e.io_total = 0;
    e.end = EXECUTION_TRACE_END;
    results_put_execution(&b, &e);
    TEXT(&b, "{\"execution\":{\"domain\":1,\"life\":2,\"vcpu\":3,\"start_ns\":100,\"end_ns\":150,\"ran_ns\":50,"
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
            results_put_execution(&b, &e);
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
     .events = {1, 2, 3, 4, 5, 6, 7, UINT64_MAX, 9},
     .counted = {true, true, true, true},
     .inferred = {1, 1, 2, 3, 5},
     .charged_by_ns = {0.1, 1.0 / 3, 100, 5e-324, 1e17, 123456789012345.67, 2, 1e300, 4},
     .charged_inferred_ns = 12.5},
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
    results_put_charges(&b, &late_tenth, idds, 2);
    struct copy c;
    COMES_BACK(&c, &b);
    EQUAL(c.charges, 1);
    EQUAL(c.idd.guests_n, 2);
    CHECK(memcmp(&c.idd, &idds[1], offsetof(struct charge_idd, guests)) == 0);
    CHECK(memcmp(c.guests, guests, sizeof guests) == 0);
    CHECK(c.interval.late);
    copy_free(&c);
    buffer_free(&b);
}

static void charges_are_one_line(void)
{
    static const struct charge_guest guest = {
        .domain = 1, .life = 1, .charged_ns = 6, .events = {[IO_COPY] = 2}, .charged_by_ns = {[IO_COPY] = 5.5}};
    static const struct charge_idd some[] = {
        {.domain = 0, .life = 1, .running_ns = 7, .charged_ns = 6, .own_ns = 1, .guests = &guest, .guests_n = 1},
        {.domain = 2, .life = 4}};
    struct buffer b = {0};
    results_put_charges(&b, &whole, some, 2);
    TEXT(&b, "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"idds\":[{\"domain\":0,\"life\":1,"
             "\"running_ns\":7,\"charged_ns\":6,\"own_ns\":1,\"guests\":[{\"domain\":1,\"life\":1,"
             "\"charged_ns\":6,\"copy\":2,\"charged_by_copy_ns\":5.5}]},{\"domain\":2,\"life\":4}]}}\n");
    b.n = 0;
    results_put_charges(&b, &whole, NULL, 0);
    TEXT(&b, "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"idds\":[]}}\n");
    struct copy c;
    COMES_BACK(&c, &b);
    copy_free(&c);
    buffer_free(&b);
}

/* ---- all that a meter hands out ---- */

static bool same_interval(const struct interval *a, const struct interval *b)
{
    return a->granularity_ns == b->granularity_ns && a->start_ns == b->start_ns && a->end_ns == b->end_ns;
}

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

/* Everything a run told, late rows added to the others. */
static void put_result(struct buffer *b, struct result *r)
{
    static struct row rows[4096];
    qsort(r->rows, r->rows_n, sizeof *r->rows, compare_kept);
    for (size_t i = 0; i < r->rows_n; i++) /* they have moved */
        r->rows[i].row.measures = &r->rows[i].measures;
    for (size_t i = 0, n; i < r->rows_n; i += n) {
        for (n = 0; i + n < r->rows_n && same_interval(&r->rows[i].interval, &r->rows[i + n].interval); n++)
            rows[n] = r->rows[i + n].row;
        r->rows[i].interval.late = false;
        results_put_interval(b, &r->rows[i].interval, rows, n);
    }
    for (size_t i = 0; i < r->executions_n; i++)
        results_put_execution(b, &r->executions[i]);
    for (size_t i = 0; i < r->idds_n; i++)
        results_put_charges(b, &r->idds[i].interval, &r->idds[i].idd, 1);
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

static void put_one_of_each(struct buffer *b)
{
    struct measures m;
    measures_init(&m);
    m.executions = 1;
    histogram_add(&m.wait, 70, 90);
    histogram_add(&m.wait, 700, 900);
    const struct row rows[] = {{1, 1, 0, -1, 1, &m}, {1, 1, 1, -1, 1, &m}};
    const struct execution e = {.domain = 1, .life = 1, .start_ns = 5, .end_ns = 9, .ran_ns = 4};
    results_put_interval(b, &whole, rows, 2);
    results_put_charges(b, &whole, idds, 2);
    results_put_execution(b, &e);
    measures_free(&m);
}

static void what_the_sink_has_no_function_for_is_passed_over(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    for (unsigned wanted = 0; wanted < 8; wanted++) {
        struct copy c;
        copy_init(&c);
        const struct meter_sink sink = {&c, wanted & 1 ? copy_interval : NULL,
                                        wanted & 2 ? copy_execution : NULL, wanted & 4 ? copy_charges : NULL};
        struct results_reader *r = results_reader_new();
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
    EQUAL(read_into(&c, b.at, b.n, &err), 42);
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
    struct results_reader *r = results_reader_new();
    for (int i = 0; i < 3; i++) {
        struct copy c;
        copy_init(&c);
        const struct meter_sink sink = {&c, copy_interval, copy_execution, copy_charges};
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
    const struct meter_sink sink = {&c, copy_interval, NULL, NULL};
    struct results_reader *r = results_reader_new();
    results_reader_limit(r, 2000); /* one row with a histogram needs 118 pointers */
    EQUAL(results_read(r, b.at, b.n, 0, &sink, &err), -1);
    EQUAL(err.code, ERROR_MEMORY);
    results_reader_limit(r, 0);
    EQUAL(results_read(r, b.at, b.n, 0, &sink, &err), 0);
    results_reader_free(r);
    copy_free(&c);
    buffer_free(&b);
}

/* ---- what does not get in ---- */

/* An interval of the whole trace that says it has one row, with this one. */
#define INTERVAL "{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":1}}\n"
#define ROW_OF(members) INTERVAL "{\"row\":{" members "}}\n"
#define RUN(count, sum, min, max, buckets)                                                                   \
    ROW_OF("\"domain\":1,\"life\":1,\"run\":{\"count\":" count ",\"sum_ns\":" sum ",\"min_ns\":" min                 \
           ",\"max_ns\":" max ",\"max_at_ns\":1,\"buckets\":" buckets "}")
#define EXECUTION(begin, end)                                                                                \
    "{\"execution\":{\"domain\":1,\"life\":1,\"vcpu\":0," begin ",\"ran_ns\":50," end "}}\n"
#define CHARGES(idds) "{\"charges\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"idds\":[" idds "]}}\n"
#define SECOND        (sizeof(INTERVAL) - 1)
#define THIRD         (sizeof(ROW_OF("\"domain\":1,\"life\":1")) - 1)
#define MANY_ROWS     "{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"rows\":9223372036854775807}}\n"

static const struct {
    const char *text;
    uint64_t at; /* of the line that is refused */
} hostile[] = {
    /* lines */
    {"\n", 0},
    {"{}\n", 0},
    {"{\"interval\":{}}\n", 0},
    {"{\"unknown\":{\"a\":1}}\n", 0},
    {"{\"row\":{\"domain\":1,\"life\":1}}\n", 0},
    {"[[[[[[[[[[[[[[[[[[[[[[[[\n", 0},
    {"{\"interval\":[[[[[[[[[[[[[[[[[[[[[[[[\n", 0},
    {INTERVAL, SECOND},
    {INTERVAL INTERVAL, SECOND},
    {ROW_OF("\"domain\":1,\"life\":1") "{\"row\":{\"domain\":2,\"life\":1}}\n", THIRD},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":9,\"rows\":18446744073709551615}}\n", 0},
    {MANY_ROWS, sizeof(MANY_ROWS) - 1},
    /* intervals */
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":9,\"end_ns\":8,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":6,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":5,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":3,\"end_ns\":7,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":3,\"end_ns\":7,\"late\":true,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"late\":1,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"late\":false,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":-5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5.0,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":\"5\",\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":00,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"start_ns\":0,\"end_ns\":5,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"end_ns\":5,\"start_ns\":0,\"rows\":0}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5}}\n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}} \n", 0},
    {"{\"interval\":{\"granularity_ns\":5,\"start_ns\":0,\"end_ns\":5,\"rows\":0}\n", 0},
    /* rows */
    {ROW_OF("\"life\":1"), SECOND},
    {ROW_OF("\"domain\":1"), SECOND},
    {ROW_OF("\"domain\":-1,\"life\":1"), SECOND},
    {ROW_OF("\"domain\":65536,\"life\":1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":4294967296"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"vcpu\":8192"), SECOND},
    {ROW_OF("\"pcpu\":4095"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"vcpu\":1,\"pcpu\":1"), SECOND},
    {ROW_OF("\"vcpu\":1"), SECOND},
    {ROW_OF("\"vcpus\":1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"running_ns\":-1"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"running_ns\":9223372036854775808"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":18446744073709551616"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":\"18446744073709551616\""), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":\"18446744073709551615"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":0"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":1e3"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":null"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":{}"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"wakes\":2,\"wakes\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"blocks\":2,\"wakes\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"laughs\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"allocated_ns\":2"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"allocated_slices\":1,\"allocated_min_ns\":3,\"allocated_max_ns\":2"),
     SECOND},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":2}}\n"
     "{\"row\":{\"domain\":1,\"life\":1}}\n{\"row\":{\"domain\":1,\"life\":1}}\n",
     THIRD},
    {"{\"interval\":{\"granularity_ns\":0,\"start_ns\":0,\"end_ns\":1000,\"rows\":2}}\n"
     "{\"row\":{\"domain\":1,\"life\":1}}\n{\"row\":{\"domain\":0,\"life\":2}}\n",
     THIRD},
    /* histograms */
    {RUN("1", "5", "5", "5", "[3776,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[18446744073709551615,1]"), SECOND},
    {RUN("2", "5", "5", "5", "[5,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,0,1]"), SECOND},
    {RUN("2", "10", "5", "5", "[5,1,0,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,3771,0]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,3771,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1,]"), SECOND},
    {RUN("1", "5", "5", "5", "[,5,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,1"), SECOND},
    {RUN("1", "5", "5", "5", "[5,0]"), SECOND},
    {RUN("1", "5", "5", "5", "{}"), SECOND},
    {RUN("0", "0", "0", "0", "[]"), SECOND},
    {RUN("0", "0", "\"18446744073709551615\"", "0", "[]"), SECOND},
    {RUN("1", "5", "6", "5", "[5,1]"), SECOND},
    {RUN("1", "5", "5", "6", "[5,1]"), SECOND},
    {RUN("2", "9", "5", "5", "[5,2]"), SECOND},
    {RUN("2", "11", "5", "5", "[5,2]"), SECOND},
    {RUN("2", "13", "5", "7", "[5,1,2,1]"), SECOND},
    {RUN("2", "12", "5", "7", "[5,1,3,1]"), SECOND},
    {RUN("1", "5", "5", "5", "[5,\"18446744073709551615\",1,2]"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"run\":{\"count\":1}"), SECOND},
    {ROW_OF("\"domain\":1,\"life\":1,\"run\":[]"), SECOND},
    /* executions */
    {EXECUTION("\"start_ns\":100,\"end_ns\":149", "\"end\":\"lost\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":99", "\"end\":\"lost\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"won\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":lost"), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"lost"), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"allocated_ns\":\"18446744073709551615\",\"end\":\"lost\""), 0},
    {EXECUTION("\"start_ns\":100,\"end_ns\":150,\"wait_kind\":\"lost\"", "\"end\":\"lost\""), 0},
    {"{\"execution\":{\"domain\":1,\"life\":1,\"start_ns\":1,\"end_ns\":1,\"ran_ns\":0,\"end\":\"lost\"}}\n", 0},
    /* charges */
    {CHARGES("{}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1},"), 0},
    {CHARGES("{\"domain\":1,\"life\":1}{\"domain\":2,\"life\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1},{\"domain\":1,\"life\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"running_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"running_ns\":1,\"charged_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"own_ns\":\"18446744073709551615\",\"unattributed_ns\":1}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":{\"domain\":2,\"life\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1}}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":1,\"life\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":3,\"life\":1},{\"domain\":2,\"life\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"map\":1,\"map_inferred\":2}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"tx\":1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":-1}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":1e999}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":nan}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":0x10}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":1.10}]}"), 0},
    {CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"charged_by_map_ns\":"
             "1111111111111111111111111111111111111111111111111111}]}"),
     0},
};

static void what_no_meter_hands_out_is_refused_where_it_is(void)
{
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct copy c;
        struct error err = {0};
        copy_init(&c);
        check_equal(read_into(&c, hostile[i].text, strlen(hostile[i].text), &err), -1, hostile[i].text,
                    __FILE__, __LINE__);
        check_true(err.code == ERROR_FORMAT && err.has_offset, hostile[i].text, __FILE__, __LINE__);
        check_equal((int64_t)err.offset, (int64_t)(1000 + hostile[i].at), hostile[i].text, __FILE__, __LINE__);
        copy_free(&c);
    }
    /* What they are made of is fine. */
    static const char *const fine[] = {
        ROW_OF("\"domain\":1,\"life\":1"), RUN("2", "12", "5", "7", "[5,1,2,1]"),
        EXECUTION("\"start_ns\":100,\"end_ns\":150", "\"end\":\"lost\""),
        CHARGES("{\"domain\":1,\"life\":1,\"guests\":[{\"domain\":2,\"life\":1,\"map\":1}]}")};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct buffer b = {.at = (char *)(uintptr_t)fine[i], .n = strlen(fine[i])};
        struct copy c;
        COMES_BACK(&c, &b);
        copy_free(&c);
    }
}

/* Cut off anywhere but behind its last line; behind a line that needs no further one it is only shorter. */
static void text_that_is_cut_off_is_refused(void)
{
    struct buffer b = {0};
    put_one_of_each(&b);
    unsigned fine = 0;
    for (size_t n = 0; n < b.n; n++) {
        char *exact = malloc(n + 1); /* so that a step too far is seen */
        memcpy(exact, b.at, n);
        struct copy c;
        struct error err = {0};
        copy_init(&c);
        int status = read_into(&c, exact, n, &err);
        CHECK(status == 0 || (status == -1 && err.code == ERROR_FORMAT && err.offset <= 1000 + n));
        fine += status == 0;
        copy_free(&c);
        free(exact);
    }
    EQUAL(fine, 3); /* nothing at all; behind the rows; behind the charges */
    buffer_free(&b);
}

static void a_line_of_more_than_16_mib_is_refused(void)
{
    size_t n = (16u << 20) + 2;
    char *text = malloc(n);
    memset(text, ' ', n);
    text[n - 1] = '\n';
    struct copy c;
    struct error err = {0};
    copy_init(&c);
    EQUAL(read_into(&c, text, n, &err), -1);
    EQUAL(err.offset, 1000);
    CHECK(strstr(err.message, "without end") != NULL);
    copy_free(&c);
    free(text);
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
    TEST(what_a_meter_tells_comes_back),
    TEST(what_the_sink_has_no_function_for_is_passed_over),
    TEST(the_answer_of_the_sink_ends_the_work),
    TEST(one_reader_reads_many_members),
    TEST(rows_beyond_the_memory_limit_are_refused),
    TEST(what_no_meter_hands_out_is_refused_where_it_is),
    TEST(text_that_is_cut_off_is_refused),
    TEST(a_line_of_more_than_16_mib_is_refused),
    CU_TEST_INFO_NULL,
};
