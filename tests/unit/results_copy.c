#include "results_copy.h"

#include <string.h>

static int copy_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct copy *c = context;
    results_put_interval(&c->text, interval, rows, n, NULL);
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
    results_put_execution(&c->text, execution, NULL);
    c->execution = *execution;
    c->executions++;
    return c->answer;
}

static int copy_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct copy *c = context;
    results_put_charges(&c->text, interval, idds, n, NULL);
    c->interval = *interval;
    c->charges++;
    if (n) {
        c->idd = idds[n - 1];
        for (size_t i = 0; i < c->idd.guests_n && i < 4; i++)
            c->guests[i] = c->idd.guests[i];
    }
    return c->answer;
}

static int copy_before_seen(void *context, const struct before_seen *seen)
{
    struct copy *c = context;
    results_put_before_seen(&c->text, seen, NULL);
    c->before_seen = *seen;
    return c->answer;
}

struct meter_sink copy_sink(struct copy *c)
{
    return (struct meter_sink){c, copy_interval, copy_execution, copy_charges, copy_before_seen};
}

void copy_init(struct copy *c)
{
    *c = (struct copy){.text = {0}};
    measures_init(&c->measures);
}

void copy_free(struct copy *c)
{
    buffer_free(&c->text);
    measures_free(&c->measures);
}

int copy_read(struct copy *c, const char *text, size_t n, struct error *err)
{
    struct results_reader *r = results_reader_new(NULL, 0);
    const struct meter_sink sink = copy_sink(c);
    int status = results_read(r, text, n, 1000, &sink, err);
    results_reader_free(r);
    return status;
}

void check_comes_back(struct copy *c, const struct buffer *text, const char *file, unsigned line)
{
    struct error err = {0};
    copy_init(c);
    check_equal(copy_read(c, text->at, text->n, &err), 0, "the status of reading", file, line);
    check_true(err.code == ERROR_NONE, err.message, file, line);
    check_true(!text->failed && c->text.at && c->text.n == text->n &&
                   memcmp(c->text.at, text->at, text->n) == 0,
               "the text is the same", file, line);
}

void put_one_of_each(struct buffer *b)
{
    static const struct interval whole = {0, 0, 1000, BY_DOMAIN, 0, 0};
    static const struct charge_guest guest = {
        .domain = 1, .life = 2, .charged_ns = 4, .events = {[IO_MAP] = 3}, .charged_by_ns = {[IO_MAP] = 0.1}};
    static const struct charge_idd idd = {.domain = 0,
                                          .life = 1,
                                          .running_ns = 9,
                                          .charged_ns = 4,
                                          .own_ns = 5,
                                          .guests = &guest,
                                          .guests_n = 1};
    static const struct execution e = {.domain = 1, .life = 1, .start_ns = 5, .end_ns = 9, .ran_ns = 4};
    struct measures m;
    measures_init(&m);
    m.executions = 1;
    CHECK(histogram_add(&m.wait, 70, 90));
    CHECK(histogram_add(&m.wait, 700, 900));
    const struct row rows[] = {{1, 1, 0, -1, 1, &m}, {1, 1, 1, -1, 1, &m}};
    results_put_interval(b, &whole, rows, 2, NULL);
    results_put_charges(b, &whole, &idd, 1, NULL);
    results_put_execution(b, &e, NULL);
    measures_free(&m);
}
