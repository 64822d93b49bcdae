/* Sums behind Prometheus' counters: what adds up, what is a series of its own, what is dropped. */
#include "formats/metric_book.h"

#include <string.h>

#include "check.h"
#include "formats/prometheus.h"

#define SECOND 1000000000u

/* A host on which each interval is one second, and some domains run some time of it. */
struct host {
    struct metric_book *book;
    struct measures measures[8];
    struct row rows[8];
    size_t n;
    uint64_t now_ns;
};

static void begin(struct host *h, size_t most, name_lookup name_of)
{
    const struct metric_book_options options = {.bys = 1u << BY_DOMAIN, .most = most, .name_of = name_of};
    *h = (struct host){.book = metric_book_new(&options)};
}

static void end(struct host *h)
{
    for (size_t i = 0; i < 8; i++)
        if (h->rows[i].measures)
            measures_free(&h->measures[i]);
    metric_book_free(h->book);
}

/* For the next interval. */
static struct measures *run(struct host *h, int32_t domain, uint32_t life, int64_t ns)
{
    struct measures *m = &h->measures[h->n];
    if (!h->rows[h->n].measures)
        measures_init(m);
    measures_clear(m);
    m->state_ns[RUNSTATE_RUNNING] = ns;
    h->rows[h->n++] = (struct row){domain, life, -1, -1, 1, m};
    return m;
}

static void interval(struct host *h)
{
    const struct interval i = {
        .granularity_ns = SECOND, .start_ns = h->now_ns, .end_ns = h->now_ns + SECOND, .by = BY_DOMAIN};
    const struct rows rows = {
        .relation = &relation_rows, .by = BY_DOMAIN, .interval = &i, .at = h->rows, .n = h->n};
    CHECK(metric_book_add(h->book, &rows));
    h->now_ns += SECOND;
    h->n = 0;
}

/* The running time under these labels; -1: there is no such series. */
static int64_t ran(const struct host *h, const char *labels)
{
    int64_t ns = -1;
    for (size_t i = 0; i < h->book->n; i++)
        if (strcmp(h->book->sums[i]->labels, labels) == 0)
            ns = h->book->sums[i]->measures.state_ns[RUNSTATE_RUNNING];
    return ns;
}

static void intervals_add_up(void)
{
    struct host h;
    begin(&h, 10, NULL);
    run(&h, 1, 1, 300);
    interval(&h);
    run(&h, 1, 1, 40);
    run(&h, 2, 1, 5);
    interval(&h);
    EQUAL(ran(&h, "domain=\"1\""), 340);
    EQUAL(ran(&h, "domain=\"2\""), 5);
    EQUAL(h.book->time_ns, 2 * SECOND);
    end(&h);
}

static void a_new_life_of_an_id_without_a_name_goes_on(void)
{
    struct host h;
    begin(&h, 10, NULL);
    run(&h, 7, 1, 100);
    interval(&h);
    run(&h, 7, 1, 10);
    run(&h, 7, 2, 1); /* the same id twice in one interval: one series */
    interval(&h);
    EQUAL(ran(&h, "domain=\"7\""), 111);
    EQUAL(h.book->n, 1);
    end(&h);
}

static const char *name_by_life(const void *names, int32_t domain, uint32_t life)
{
    (void)names, (void)domain;
    return life == 1 ? "old" : "new";
}

static void a_name_tells_lives_apart(void)
{
    struct host h;
    begin(&h, 10, name_by_life);
    run(&h, 7, 1, 100);
    run(&h, 7, 2, 3);
    interval(&h);
    EQUAL(ran(&h, "domain=\"7\",name=\"old\""), 100);
    EQUAL(ran(&h, "domain=\"7\",name=\"new\""), 3);
    end(&h);
}

static void what_is_gone_stays_five_minutes(void)
{
    struct host h;
    begin(&h, 10, NULL);
    run(&h, 1, 1, 9);
    interval(&h);
    for (int i = 0; i < 300; i++)
        interval(&h);
    metric_book_forget(h.book);
    EQUAL(ran(&h, "domain=\"1\""), 9);
    interval(&h);
    metric_book_forget(h.book);
    EQUAL(ran(&h, "domain=\"1\""), -1);
    end(&h);
}

static void what_is_beyond_the_limit_is_others(void)
{
    struct host h;
    begin(&h, 2, NULL);
    for (int32_t domain = 1; domain <= 5; domain++)
        run(&h, domain, 1, 1 << domain);
    interval(&h);
    EQUAL(h.book->n, 3);
    EQUAL(ran(&h, "domain=\"1\""), 2);
    EQUAL(ran(&h, "domain=\"other\""), 8 + 16 + 32);
    EQUAL(h.book->beyond, 3);
    run(&h, 1, 1, 100); /* a domain that has a series keeps it */
    interval(&h);
    EQUAL(ran(&h, "domain=\"1\""), 102);
    end(&h);
}

static void a_place_that_is_free_again_is_taken(void)
{
    struct host h;
    begin(&h, 1, NULL);
    run(&h, 1, 1, 5);
    interval(&h);
    for (int i = 0; i < 301; i++)
        interval(&h);
    metric_book_forget(h.book);
    run(&h, 2, 1, 6);
    interval(&h);
    EQUAL(ran(&h, "domain=\"2\""), 6);
    EQUAL(h.book->beyond, 0);
    end(&h);
}

static void counts_of_traces_add_up(void)
{
    struct host h;
    struct judgement judgement = {.verdict = VERDICT_GOOD};
    struct quality quality = {.lost_records = 5};
    const struct report_summary summary = {.quality = &quality, .judgement = &judgement};
    begin(&h, 1, NULL);
    metric_book_note(h.book, &summary);
    quality.lost_records = 7; /* of the same trace */
    metric_book_note(h.book, &summary);
    EQUAL(h.book->ended.lost_records + h.book->quality.lost_records, 7);
    metric_book_trace_ended(h.book);
    EQUAL(h.book->ended.lost_records + h.book->quality.lost_records, 7);
    quality.lost_records = 1;
    metric_book_note(h.book, &summary);
    EQUAL(h.book->ended.lost_records + h.book->quality.lost_records, 8);
    end(&h);
}

/* ---- the text ---- */

static bool says(const struct host *h, enum prometheus_form form, const char *line)
{
    static const struct relation *const relations[] = {&relation_rows};
    struct column_choice choice = {0};
    struct buffer b = {0};
    CHECK(choice_make(&choice, relations, 1, NULL, NULL, 0, NULL) == 0);
    prometheus_put(&b, form, h->book, &choice, NULL);
    buffer_add(&b, "", 1);
    bool is = strstr(b.at, line) != NULL;
    buffer_free(&b);
    choice_free(&choice);
    return is;
}

static void bounds_of_histograms_are_powers_of_two(void)
{
    struct host h;
    begin(&h, 10, NULL);
    struct measures *m = run(&h, 1, 1, 0);
    histogram_add(&m->wait, 1023, 0);
    histogram_add(&m->wait, 1024, 0);
    histogram_add(&m->wait, 1048575, 0);
    histogram_add(&m->wait, UINT64_C(1) << 33, 0); /* beyond the last bound */
    interval(&h);
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"1.024e-06\"} 1\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"2.048e-06\"} 2\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"0.000524288\"} 2\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"0.001048576\"} 3\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"8.589934592\"} 3\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_bucket{domain=\"1\",le=\"+Inf\"} 4\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_sum{domain=\"1\"} 8.590985214\n"));
    CHECK(says(&h, PROMETHEUS_TEXT, "wait_seconds_count{domain=\"1\"} 4\n"));
    end(&h);
}

static void the_two_forms_differ_in_heads_alone(void)
{
    struct host h;
    begin(&h, 10, NULL);
    run(&h, 1, 1, 1500000000);
    interval(&h);
    CHECK(says(&h, PROMETHEUS_TEXT,
               "# TYPE xenmeter_domain_running_seconds_total counter\n"
               "xenmeter_domain_running_seconds_total{domain=\"1\"} 1.5\n"));
    CHECK(says(&h, PROMETHEUS_OPENMETRICS,
               "# TYPE xenmeter_domain_running_seconds counter\n"
               "# UNIT xenmeter_domain_running_seconds seconds\n"
               "xenmeter_domain_running_seconds_total{domain=\"1\"} 1.5\n"));
    CHECK(!says(&h, PROMETHEUS_TEXT, "# EOF"));
    CHECK(says(&h, PROMETHEUS_OPENMETRICS, "\n# EOF\n"));
    end(&h);
}

CU_TestInfo metric_book_tests[] = {TEST(intervals_add_up),
                                   TEST(a_new_life_of_an_id_without_a_name_goes_on),
                                   TEST(a_name_tells_lives_apart),
                                   TEST(what_is_gone_stays_five_minutes),
                                   TEST(what_is_beyond_the_limit_is_others),
                                   TEST(a_place_that_is_free_again_is_taken),
                                   TEST(counts_of_traces_add_up),
                                   TEST(bounds_of_histograms_are_powers_of_two),
                                   TEST(the_two_forms_differ_in_heads_alone),
                                   CU_TEST_INFO_NULL};
