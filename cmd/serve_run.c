#include "serve.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/prometheus.h"
#include "host/io_clock.h"
#include "reading_parts.h"
#include "serve_names.h"
#include "serve_pages.h"
#include "serve_source.h"

#define AGE_INTERVALS 3            /* without --max-age: so many intervals, */
#define AGE_LEAST_NS  30000000000u /* but not less than this */
/* Between new pages of a recorded trace, which is read faster than anybody looks at them. */
#define PUT_LEAST_NS 200000000u

struct serve {
    struct reading reading; /* of the trace that is read now */
    const struct serve_options *own;
    struct serve_source source;
    struct serve_names names;
    struct serve_pages pages;
    struct http_server *server;
    struct metric_book *book;
    struct charge_rows charges; /* of an interval */
    struct options options;     /* those given, and where the trace is now */
    uint64_t put_ns, traces;    /* */
    int64_t start_utc_ns,
        data_utc_ns; /* when it began; when the last interval of a live trace was complete, 0: none was */
    bool fresh;      /* the pages lack an interval that is complete */
};

static int64_t utc_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- new pages ---- */

static int put_pages(struct serve *s, const struct judgement *judgement, bool is_data, struct error *err)
{
    struct http_text *texts[2];
    if (is_data && s->source.is_live)
        s->data_utc_ns = utc_now_ns();
    const struct prometheus_live live = {.data_utc_ns = s->data_utc_ns,
                                         .start_utc_ns = s->start_utc_ns,
                                         .cpu_ns = own_cpu_ns(),
                                         .traces = s->traces};
    for (int form = 0; form < 2; form++) {
        struct buffer b = {0};
        prometheus_put(&b, (enum prometheus_form)form, s->book, &s->reading.choice, &live);
        texts[form] = http_text_new(&b);
    }
    if (!texts[0] || !texts[1]) {
        http_text_release(texts[0]);
        http_text_release(texts[1]);
        return error_no_memory(err, "the metrics");
    }
    serve_pages_put(&s->pages, texts, judgement, is_data);
    metric_book_forget(s->book);
    s->put_ns = io_clock_ns();
    s->fresh = false;
    return 0;
}

static int put_data(struct serve *s, struct error *err)
{
    struct ending e;
    reading_judge(&s->reading, &e);
    struct report_summary summary = reading_summary(&s->reading, &e);
    metric_book_note(s->book, &summary);
    return put_pages(s, &e.judgement, true, err);
}

static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct serve *s = context;
    (void)pass, (void)settled_ns;
    bool wanted = s->fresh && (s->source.is_live || io_clock_ns() - s->put_ns >= PUT_LEAST_NS);
    return wanted ? put_data(s, err) : 0;
}

/* ---- rows ---- */

static int take(struct serve *s, const struct rows *rows)
{
    if (!metric_book_add(s->book, rows))
        return reading_no_memory(&s->reading, rows->n);
    s->fresh = true;
    return 0;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct serve *s = context;
    struct error err = {0};
    if (serve_names_update(&s->names, &err) != 0)
        return reading_fail(&s->reading, &err);
    return take(
        s, &(struct rows){
               .relation = &relation_rows, .by = interval->by, .interval = interval, .at = rows, .n = n});
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct serve *s = context;
    if (!charge_rows_fill(&s->charges, idds, n))
        return reading_no_memory(&s->reading, n);
    return take(s, &(struct rows){.relation = &relation_charges,
                                  .interval = interval,
                                  .at = s->charges.at,
                                  .n = s->charges.n,
                                  .groups = idds,
                                  .groups_n = n});
}

/* ---- one trace ---- */

static void prepare(struct serve *s)
{
    struct reading *r = &s->reading;
    const struct options *o = r->options;
    const struct shown *charges = choice_find(&r->choice, &relation_charges);
    r->schema.bys = o->bys ? o->bys : 1u << BY_DOMAIN;
    r->stoppable = true;
    r->run.control.stop_at_once = true;
    r->meter = (struct meter_options){.bys = r->schema.bys,
                                      .no_slices = true,
                                      .charge.wanted = charges && charges->n > 0,
                                      .granularities = 1,
                                      .granularities_ns = {s->source.is_live ? o->live_ns : 0},
                                      .sink = {s, take_interval, NULL, take_charges, NULL}};
    r->consumer = (struct consumer){.context = s, .settled = settled, .asks_quality = true};
    s->names.names = r->run.names;
    s->names.host = &r->run.host;
}

/* Reads the trace to its end. -1 with `err` filled. */
static int read_trace(struct serve *s, struct error *err)
{
    struct reading *r = &s->reading;
    prepare(s);
    if (reading_complete_meter(r, err) != 0 || reading_open_source(r, err) != 0)
        return -1;
    serve_pages_set_state(&s->pages, s->source.is_live ? SERVE_FOLLOWS : SERVE_READS);
    int status = reading_pass(r, err);
    if (status != 0 && r->why.code != ERROR_NONE)
        *err = r->why;
    if (status == 0 && (s->fresh || !s->source.is_live))
        status = put_data(s, err);
    return status;
}

/* Lets go of what belongs to the trace that has ended; what is known of names and the counters stays. */
static void end_trace(struct serve *s)
{
    struct reading *r = &s->reading;
    struct column_choice choice = r->choice;
    s->names.names = NULL;
    s->names.host = NULL;
    trace_run_close(&r->run);
    *r = (struct reading){.options = &s->options, .choice = choice};
    serve_source_end(&s->source);
}

static int one_trace(struct serve *s)
{
    struct error err = {0};
    int more = serve_source_next(&s->source, &s->options.input, &err);
    int status = more == 0 ? EXIT_DONE : EXIT_ERROR;
    if (more > 0 && trace_run_find(&s->reading.run, &s->options) == EXIT_DONE) {
        s->reading.options = s->reading.run.options;
        status = read_trace(s, &err) == 0 ? EXIT_DONE : EXIT_ERROR;
    }
    if (err.code != ERROR_NONE && !(s->source.stop && *s->source.stop))
        fail(s->source.path ? s->source.path : "xentrace", &err);
    return status;
}

/* ---- all of them ---- */

static bool stopped(const struct serve *s)
{
    return *s->source.stop != 0;
}

static void wait_for_signal(const struct serve *s)
{
    while (!stopped(s))
        sigsuspend(s->source.wait_mask);
}

/* The next trace of a source that goes on: counters go on, too. */
static int follow_on(struct serve *s)
{
    struct error err = {0};
    metric_book_trace_ended(s->book);
    s->traces++;
    serve_pages_set_state(&s->pages, SERVE_WAITS);
    return put_pages(s, NULL, false, &err) == 0 ? EXIT_DONE : fail(NULL, &err);
}

static int follow(struct serve *s)
{
    int status = EXIT_DONE;
    while (!stopped(s)) {
        status = one_trace(s);
        end_trace(s);
        bool began = s->source.tracer ? tracer_starts(s->source.tracer) > 0 : true;
        if (!serve_source_goes_on(&s->source) || !began || stopped(s))
            break;
        status = follow_on(s);
        if (status != EXIT_DONE)
            break;
    }
    if (status == EXIT_DONE && !s->source.is_live) {
        serve_pages_set_state(&s->pages, SERVE_HAS_ALL);
        wait_for_signal(s);
    }
    return stopped(s) ? EXIT_DONE : status;
}

/* ---- setting up ---- */

static int choose(struct serve *s, struct error *err)
{
    static const struct relation *const relations[] = {&relation_rows, &relation_charges, NULL};
    const struct options *o = &s->options;
    if (choice_make(&s->reading.choice, relations, 2, o->columns, NULL, 0, err) != 0)
        return -1;
    const struct shown *rows = choice_find(&s->reading.choice, &relation_rows);
    for (size_t i = 0; rows && i < rows->n; i++)
        if (prometheus_takes(rows->columns[i]))
            return 0;
    return error_set(
        err, ERROR_USAGE,
        "--columns %.100s: none of them is a time or a count that adds up, for example running_ns",
        o->columns);
}

static int begin_names(struct serve *s, struct error *err)
{
    const char *source = s->own->domain_info;
    bool on_xen = access("/proc/xen/capabilities", R_OK) == 0 && s->source.is_live && !s->options.names;
    return source || on_xen ? serve_names_watch(&s->names, source, err) : 0;
}

static int begin_source(struct serve *s, struct error *err)
{
    const struct options *o = &s->options;
    struct tracer_options tracer = tracer_defaults;
    s->source.stop = signals_stop_flag(&s->source.wait_mask);
    if (s->own->xentrace)
        tracer.path = s->own->xentrace;
    tracer.mask = tracer_mask(s->own->cpu_only ? FOR_CPU : FOR_CHARGES);
    tracer.pages = tracer_pages(tracer_pcpus(""));
    return serve_source_init(&s->source, o->inputs_n ? o->inputs[0] : NULL, &tracer, err);
}

/* -1 with `err` filled; *file: what it is about. */
static int begin(struct serve *s, const char **file, struct error *err)
{
    const struct options *o = &s->options;
    const struct metric_book_options book = {.bys = o->bys ? o->bys : 1u << BY_DOMAIN,
                                             .domains = o->domains,
                                             .most = s->own->most,
                                             .name_of = serve_names_name,
                                             .names = &s->names,
                                             .uuid_of = serve_names_uuid,
                                             .uuids = &s->names};
    uint64_t age_ns = AGE_INTERVALS * o->live_ns;
    age_ns = s->own->max_age_ns ? s->own->max_age_ns : age_ns > AGE_LEAST_NS ? age_ns : AGE_LEAST_NS;
    s->start_utc_ns = utc_now_ns();
    if (choose(s, err) != 0)
        return -1;
    *file = o->inputs_n ? o->inputs[0] : NULL;
    if (begin_source(s, err) != 0)
        return -1;
    *file = NULL;
    const char *name = !s->source.path                    ? "xentrace"
                       : strcmp(s->source.path, "-") == 0 ? "standard input"
                                                          : s->source.path;
    serve_pages_init(&s->pages, name, age_ns);
    s->book = metric_book_new(&book);
    if (!s->book)
        return error_no_memory(err, "the metrics");
    if (begin_names(s, err) != 0 || put_pages(s, NULL, false, err) != 0)
        return -1;
    s->server =
        http_server_new(s->own->listen ? s->own->listen : SERVE_LISTEN, serve_pages_answer, &s->pages, err);
    return s->server ? 0 : -1;
}

static void end(struct serve *s)
{
    http_server_free(s->server);
    serve_pages_free(&s->pages);
    serve_names_free(&s->names);
    serve_source_free(&s->source);
    metric_book_free(s->book);
    choice_free(&s->reading.choice);
    free(s->charges.at);
}

int serve_run(const struct options *o)
{
    struct error err = {0};
    const char *file = NULL;
    struct serve s = {
        .own = (const struct serve_options *)o, .options = *o, .pages.lock = PTHREAD_MUTEX_INITIALIZER};
    if (options_list_columns(o))
        return reading_list_columns(o);
    s.reading.options = &s.options;
    int status = begin(&s, &file, &err) == 0 ? EXIT_DONE : fail(file, &err);
    if (status == EXIT_DONE) {
        if (!o->quiet)
            complain("serving on %s", http_server_url(s.server));
        status = follow(&s);
    }
    end(&s);
    return status;
}
