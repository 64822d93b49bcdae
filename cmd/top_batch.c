/* top --batch: the seconds on standard output. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/output.h"
#include "formats/writer.h"
#include "host/io_clock.h"
#include "metrics/relation/charges.h"
#include "top.h"

#define COLUMNS_DEFAULT 120
#define LINES_MORE      60 /* than there are rows */
#define PAUSE_NS        2000000
#define NAMES_NS        2000000000u /* for so long the first second waits for the names of domains */

struct batch {
    struct top *top;
    const atomic_int *stop;
    struct output *output;
    struct column_choice choice;
    struct report_schema schema;
    struct writer *writer; /* NULL: text */
    struct charge_rows charges;
    uint64_t granularities_ns[SPANS];
    char remark[SCREEN_TEXT]; /* on xentrace, the last one that was printed */
};

/* ---- xentrace ---- */

static void report_restart(struct batch *b)
{
    char remark[SCREEN_TEXT];
    if (!b->top->tracer || !top_tracer_remark(b->top->tracer, remark, sizeof remark) ||
        strcmp(remark, b->remark) == 0)
        return;
    if (!b->top->options->common.quiet)
        complain("%s", remark);
    memcpy(b->remark, remark, sizeof remark);
}

/* ---- names ---- */

/* Those that are known now: the writer keeps the context. */
static const char *name_now(const void *context, int32_t domain, uint32_t life)
{
    const struct screen *s = context;
    return s->name_of ? s->name_of(s->names, domain, life) : NULL;
}

/* False: the toolstack has not answered yet. */
static bool take_names(const struct batch *b)
{
    struct top *t = b->top;
    const struct domain_names *names;
    char failure[SCREEN_TEXT];
    if (top_names_take(t->names, &names)) {
        t->screen.names = names;
        t->screen.name_of = names ? names_lookup : NULL;
        return true;
    }
    if (!top_names_failure(t->names, failure, sizeof failure))
        return t->screen.name_of != NULL;
    if (strcmp(failure, t->remark) != 0 && !t->options->common.quiet)
        complain("%s", failure);
    memcpy(t->remark, failure, sizeof failure);
    return true;
}

static void wait_for_names(const struct batch *b)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    uint64_t begun_ns = io_clock_ns();
    while (!take_names(b) && !*b->stop && io_clock_ns() - begun_ns < NAMES_NS)
        nanosleep(&pause, NULL);
}

/* ---- as text ---- */

static unsigned width_wanted(void)
{
    unsigned width = terminal_width(STDOUT_FILENO);
    const char *columns = getenv("COLUMNS");
    long given = columns ? strtol(columns, NULL, 10) : 0;
    return width ? width : given >= 20 && given <= 1000 ? (unsigned)given : COLUMNS_DEFAULT;
}

static int write_text(struct batch *b, bool first)
{
    struct top *t = b->top;
    struct buffer text = {.n = 0};
    if (!canvas_reset(&t->canvas, width_wanted(), (unsigned)t->screen.sheet.n + LINES_MORE, t->screen.ascii))
        return -1;
    screen_draw(&t->screen, &t->canvas, 0);
    if (!first)
        buffer_text(&text, "\n");
    canvas_text(&t->canvas, &text);
    int status = text.failed ? -1 : output_write(b->output, text.at, text.n);
    buffer_free(&text);
    return status;
}

/* ---- as rows ---- */

static int write_window(struct batch *b, const struct window *w, const struct view_kind *kind)
{
    struct interval interval = w->interval;
    struct rows rows = {.relation = kind->relation, .by = kind->by, .interval = &interval};
    interval.by = kind->by;
    if (kind->relation == &relation_rows) {
        rows.at = w->rows[kind->by].rows;
        rows.n = w->rows[kind->by].n;
    } else if (kind->relation == &relation_delays) {
        rows.at = w->delays;
        rows.n = w->delays_n;
    } else {
        if (!charge_rows_fill(&b->charges, w->charges.idds, w->charges.n))
            return -1;
        rows.at = b->charges.at;
        rows.n = b->charges.n;
        rows.groups = w->charges.idds;
        rows.groups_n = w->charges.n;
    }
    return writer_rows(b->writer, &rows);
}

static int write_rows(struct batch *b)
{
    struct picture *p = &b->top->screen.picture;
    const struct view_kind *kind = &view_kinds[b->top->screen.settings.view];
    if (kind->relation == &relation_executions) {
        const struct rows rows = {.relation = kind->relation, .at = p->waits, .n = p->waits_n};
        return writer_rows(b->writer, &rows);
    }
    for (enum span span = 0; span < SPANS; span++) {
        p->windows[span].interval.granularity_ns = b->granularities_ns[span];
        if (write_window(b, &p->windows[span], kind) != 0)
            return -1;
    }
    return 0;
}

static int open_writer(struct batch *b, struct error *err)
{
    const struct options *o = &b->top->options->common;
    const struct view_kind *kind = &view_kinds[b->top->screen.settings.view];
    const struct relation *const relations[] = {kind->relation, NULL};
    b->granularities_ns[SPAN_ONE] = SECOND_NS;
    b->granularities_ns[SPAN_TEN] = 10 * (uint64_t)SECOND_NS;
    if (choice_make(&b->choice, relations, 1, o->columns, o->sort, 0, err) != 0)
        return -1;
    b->schema = (struct report_schema){.name = "top",
                                       .choice = &b->choice,
                                       .selection = {.domains = o->domains},
                                       .bys = 1u << kind->by,
                                       .granularities_ns = b->granularities_ns,
                                       .granularities = SPANS,
                                       .name_of = name_now,
                                       .names = &b->top->screen,
                                       .raw_names = o->raw_names,
                                       .live = true};
    b->writer = writer_new(o->format, b->output, &b->schema, err);
    return b->writer ? 0 : -1;
}

/* ---- one second after the other ---- */

/* Waits for the next second: its end; 0: there is none. */
static uint64_t next_second(const struct batch *b, uint64_t after_ns)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct history_status status;
    for (;;) {
        history_status(b->top->history, &status);
        uint64_t end_ns = history_next(b->top->history, after_ns);
        if (end_ns || status.state >= SOURCE_ENDED || *b->stop)
            return end_ns;
        nanosleep(&pause, NULL);
    }
}

/* The number of seconds that were written. */
static size_t write_seconds(struct batch *b)
{
    struct top *t = b->top;
    size_t limit = t->options->common.limit, n = 0;
    int status = 0;
    uint64_t ns = 0;
    struct error why;
    while (status == 0 && !*b->stop && (!limit || n < limit) && (ns = next_second(b, ns)) > 0) {
        report_restart(b);
        if (ns < t->start_ns)
            continue;
        if (t->names && n == 0)
            wait_for_names(b);
        else if (t->names)
            take_names(b);
        screen_show_second(&t->screen, ns);
        screen_update(&t->screen, 0);
        status = t->screen.no_memory ? -1 : b->writer ? write_rows(b) : write_text(b, n == 0);
        if (status == 0)
            status = output_flush(b->output);
        n++;
    }
    if (status != 0) { /* if it was not the output: */
        error_no_memory(&why, "the second");
        output_fail(b->output, &why);
    }
    return n;
}

/* --at lies after the last second. */
static int begins_too_late(const struct top *t, uint64_t last_ns)
{
    struct error err;
    error_set(&err, ERROR_USAGE, "--at is at %.9g s, but the trace ends at %.9g s", (double)t->start_ns / 1e9,
              (double)last_ns / 1e9);
    return fail(t->reader.options.input, &err);
}

static int write_all(struct batch *b)
{
    struct top *t = b->top;
    struct history_status end;
    struct error err = {0};
    bool text = strcmp(t->options->common.format, "table") == 0;
    if (!(b->output = output_open(NULL, &err)) || (!text && open_writer(b, &err) != 0))
        return fail(NULL, &err);
    if (!top_reader_start(&t->reader, t->start_ns > 10 * (uint64_t)SECOND_NS
                                          ? t->start_ns / SECOND_NS * SECOND_NS - 10 * (uint64_t)SECOND_NS
                                          : 0))
        return error_no_memory(&err, "the reader"), fail(NULL, &err);
    size_t seconds = write_seconds(b);
    history_status(t->history, &end);
    if (output_reader_gone(b->output))
        return EXIT_DONE;
    if (commit(&b->output, NULL) != EXIT_DONE)
        return EXIT_ERROR;
    if (end.state == SOURCE_FAILED)
        return top_source_failed(t, end.why);
    return seconds == 0 && end.state == SOURCE_ENDED && end.last_ns < t->start_ns && !*b->stop
               ? begins_too_late(t, end.last_ns)
               : EXIT_DONE;
}

int top_batch(struct top *t)
{
    const sigset_t *mask;
    struct batch b = {.top = t, .stop = signals_stop_flag(&mask)};
    sigset_t open = *mask;
    pthread_sigmask(SIG_SETMASK, &open, NULL); /* every wait is short */
    setlocale(LC_CTYPE, "");
    t->screen.batch = t->screen.paused = true;
    t->screen.source = FROM_REPLAY;
    t->screen.ascii = t->options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    t->reader.paced = true;
    int status = write_all(&b);
    writer_free(b.writer);
    output_abort(b.output);
    choice_free(&b.choice);
    free(b.charges.at);
    return status;
}
