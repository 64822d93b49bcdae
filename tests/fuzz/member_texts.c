#include "tests/fuzz/member_texts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/contents.h"
#include "archive/results.h"
#include "archive/rollup.h"
#include "metrics/measure/delays.h"
#include "metrics/pipeline.h"
#include "tests/fuzz/must.h"

/* ---- what is handed out ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct handed *h = context;
    MUST(interval->start_ns <= interval->end_ns, "interval %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    for (size_t i = 0; i < n; i++) {
        MUST(rows[i].measures, "row %zu has no measures", i);
        MUST(rows[i].domain < 65536 && rows[i].pcpu < PCPUS_MAX, "domain %d on pcpu %d", rows[i].domain,
             rows[i].pcpu);
        for (int s = 0; s < RUNSTATES; s++)
            MUST(rows[i].measures->state_ns[s] >= 0, "state %d: %" PRId64 " ns", s,
                 rows[i].measures->state_ns[s]);
    }
    for (size_t g = 0; h->plan && g < h->plan->asked; g++) {
        if (h->plan->asked_ns[g] != interval->granularity_ns)
            continue;
        MUST(interval->start_ns == h->next_ns[g], "interval at %" PRIu64 ", expected %" PRIu64,
             interval->start_ns, h->next_ns[g]);
        h->next_ns[g] = interval->end_ns;
    }
    h->rows += n + 1;
    return h->rows > ROWS_MOST ? 1 : 0;
}

static int take_execution(void *context, const struct execution *e)
{
    struct handed *h = context;
    MUST(e->start_ns <= e->end_ns, "execution %" PRIu64 " .. %" PRIu64, e->start_ns, e->end_ns);
    return ++h->rows > ROWS_MOST ? 1 : 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct handed *h = context;
    MUST(interval->start_ns <= interval->end_ns, "charges %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    for (size_t i = 0; i < n; i++)
        MUST(idds[i].guests || idds[i].guests_n == 0, "domain %d: guests are missing", idds[i].domain);
    h->rows += n;
    return h->rows > ROWS_MOST ? 1 : 0;
}

static int take_before_seen(void *context, const struct before_seen *s)
{
    struct handed *h = context;
    MUST(s->from_ns < s->seen_ns, "seen at %" PRIu64 ", there since %" PRIu64, s->seen_ns, s->from_ns);
    return ++h->rows > ROWS_MOST ? 1 : 0;
}

struct meter_sink handed_sink(struct handed *h)
{
    return (struct meter_sink){h, take_interval, take_execution, take_charges, take_before_seen};
}

/* ---- texts ---- */

void check_failure(int status, const struct error *err)
{
    MUST(status != -1 || (err->code != ERROR_NONE && *err->message), "failed without a reason");
}

static void feed_results(const char *text, size_t n, const struct meter_sink *sink, bool may_fail)
{
    struct results_reader *reader = results_reader_new(NULL, MEMORY_LIMIT);
    struct error err = {0};
    int status = results_read(reader, text, n, 0, sink, &err);
    if (!may_fail)
        check_failure(status, &err);
    results_reader_free(reader);
}

void try_results(const char *text, size_t n, enum by by, const struct rollup_plan *given)
{
    struct handed handed = {0};
    struct meter_sink sink = handed_sink(&handed);
    feed_results(text, n, &sink, false);
    struct rollup_plan plan = given ? *given
                                    : (struct rollup_plan){.kept_ns = {100000000, 1000000000, 0},
                                                           .kept = 3,
                                                           .asked_ns = {200000000, 1000000000, 0},
                                                           .asked = 3,
                                                           .executions = true,
                                                           .end_ns = 1 + (uint64_t)n * 1000000};
    plan.memory_limit = MEMORY_LIMIT;
    struct handed again = {.plan = &plan};
    for (size_t g = 0; g < plan.asked; g++)
        again.next_ns[g] = plan.from_ns;
    struct meter_sink last = handed_sink(&again);
    struct rollup *r = rollup_new(&plan, by, &last);
    if (!r)
        return;
    sink = rollup_sink(r);
    feed_results(text, n, &sink, true);
    int status = rollup_finish(r);
    MUST(status == 0 || rollup_damaged(r) || rollup_out_of_memory(r) || again.rows > ROWS_MOST,
         "failed without a reason");
    rollup_free(r);
}

void try_summary(const char *text, size_t n)
{
    static struct summary summary, again;
    struct error err = {0};
    struct buffer first = {0}, second = {0};
    int status = summary_read(&summary, text, n, &err);
    check_failure(status, &err);
    if (status != 0)
        return;
    summary_put(&first, &summary);
    MUST(summary_read(&again, first.at, first.n, &err) == 0, "what was written is not read: %s", err.message);
    summary_put(&second, &again);
    MUST(first.n == second.n && memcmp(first.at, second.at, first.n) == 0, "it changes when it is copied");
    buffer_free(&first);
    buffer_free(&second);
    summary_free(&summary);
    summary_free(&again);
}

static int take_delays(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    struct handed *h = context;
    (void)delays;
    MUST(interval->start_ns <= interval->end_ns, "delays %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    h->rows += n + 1;
    return h->rows > ROWS_MOST ? 1 : 0;
}

static void try_with_charges(const char *bytes, size_t n, uint64_t tsc, const struct clock *clock,
                             bool charges)
{
    struct error err = {0};
    struct handed handed = {0};
    struct meter_options options = {.bys = 1u << BY_VCPU | 1u << BY_PCPU | 1u << BY_DOMAIN_PCPU,
                                    .granularities = 2,
                                    .granularities_ns = {1000000000, 0},
                                    .executions = true,
                                    .charge.wanted = charges,
                                    .sink = handed_sink(&handed)};
    memcpy(options.charge.weights, charge_default_weights, sizeof options.charge.weights);
    struct delays *delays =
        delays_new(&(struct delay_options){.granularities = 1, .context = &handed, .rows = take_delays});
    struct consumer rows = {.rows = &options};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(delays && pipeline && pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    rows = delays_consumer(delays);
    MUST(pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    int status = pipeline_restore(pipeline, bytes, n, tsc, clock, &err);
    check_failure(status, &err);
    if (status == 0)
        pipeline_end(pipeline, clock_ns(clock, tsc), &err);
    pipeline_free(pipeline);
    delays_free(delays);
}

void try_snapshot(const char *bytes, size_t n, uint64_t tsc, const struct clock *clock)
{
    struct io_pasts pasts = {0};
    pipeline_restore_pasts(bytes, n, &pasts);
    io_pasts_free(&pasts);
    try_with_charges(bytes, n, tsc, clock, false);
    try_with_charges(bytes, n, tsc, clock, true);
}

void try_manifest(const char *text, size_t n)
{
    struct capture capture = {0}, again = {0};
    struct error err = {0};
    struct buffer first = {0}, second = {0};
    int status = manifest_read(&capture, text, n, &err);
    check_failure(status, &err);
    if (status == 0) {
        manifest_put(&first, &capture);
        MUST(manifest_read(&again, first.at, first.n, &err) == 0, "what was written is not read: %s",
             err.message);
        manifest_put(&second, &again);
        MUST(first.n == second.n && memcmp(first.at, second.at, first.n) == 0,
             "it changes when it is copied");
    }
    buffer_free(&first);
    buffer_free(&second);
    capture_free(&capture);
    capture_free(&again);
}

void try_contents(const char *text, size_t n)
{
    struct capture *captures;
    size_t captures_n;
    struct error err = {0};
    int status = contents_read(text, n, 9, &captures, &captures_n, &err);
    check_failure(status, &err);
    for (size_t i = 0; i < captures_n; i++)
        MUST(captures[i].first_frame >= 1 && captures[i].first_frame + captures[i].frames <= 8,
             "frames %" PRIu32 " + %" PRIu32, captures[i].first_frame, captures[i].frames);
    free(captures);
}
