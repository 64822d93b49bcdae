#include "mixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/writer_ops.h"
#include "metrics/control/debt.h"
#include "metrics/measure/delays.h"
#include "metrics/measure/dump.h"
#include "metrics/pipeline.h"
#include "metrics/relation/charges.h"
#include "metrics/relation/debts.h"
#include "random.h"

#define PARTS_MOST 6

enum kind { ROWS, DELAYS, RECORDS, DEBTS, KINDS };

/* A consumer, what it asks for, and what it got. */
struct part {
    enum kind kind;
    struct meter_options rows;
    struct delay_options delays;
    struct debt_policy policy;
    struct dump_filter records;
    bool slots[EVENT_SLOTS];
    uint8_t pcpus[PCPUS_MAX];
    uint64_t lines_most;   /* then it fails; 0: never */
    uint64_t records_most; /* then it has enough */
    bool to_the_end;

    struct delays *measure;
    struct debt *debt;
    struct dump_reader reader;
    struct buffer text;
    uint64_t lines;
};

/* ---- what comes, as text ---- */

static int count_line(struct part *p)
{
    buffer_text(&p->text, "\n");
    if (p->text.failed)
        abort();
    p->lines++;
    return p->lines_most && p->lines >= p->lines_most ? -1 : 0;
}

/* A line for the interval, and one for each row, with the values of all columns. */
static int keep_rows(struct part *p, const struct rows *rows)
{
    struct row_view view = {.interval = rows->interval, .by = rows->by};
    if (rows->interval)
        buffer_printf(&p->text, "%s %d %" PRIu64 ": %" PRIu64 " - %" PRIu64, rows->relation->name,
                      (int)rows->by, rows->interval->granularity_ns, rows->interval->start_ns,
                      rows->interval->end_ns);
    if (rows->interval && count_line(p) != 0)
        return -1;
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        for (size_t c = 0; c < rows->relation->columns_n; c++) {
            const struct column *column = &rows->relation->columns[c];
            writer_add_value(&p->text, column, column_value(column, &view), "-", buffer_text);
            buffer_text(&p->text, ",");
        }
        if (count_line(p) != 0)
            return -1;
    }
    return 0;
}

static int keep_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    const struct rows all = {
        .relation = &relation_rows, .by = interval->by, .interval = interval, .at = rows, .n = n};
    return keep_rows(context, &all);
}

static int keep_execution(void *context, const struct execution *execution)
{
    const struct rows one = {.relation = &relation_executions, .at = execution, .n = 1};
    return keep_rows(context, &one);
}

static int keep_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct charge_rows rows = {0};
    if (!charge_rows_fill(&rows, idds, n))
        abort();
    const struct rows all = {.relation = &relation_charges,
                             .interval = interval,
                             .at = rows.at,
                             .n = rows.n,
                             .groups = idds,
                             .groups_n = n};
    int status = keep_rows(context, &all);
    free(rows.at);
    return status;
}

static int keep_delays(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    const struct rows all = {.relation = &relation_delays, .interval = interval, .at = delays, .n = n};
    return keep_rows(context, &all);
}

static int keep_debts(void *context, const struct interval *interval, const struct debt_row *debts, size_t n)
{
    const struct rows all = {.relation = &relation_debts, .interval = interval, .at = debts, .n = n};
    return keep_rows(context, &all);
}

/* Not the current vCPU: how far back it becomes known to have been current depends on the records that wait. */
static int keep_records(void *context, const struct pass *pass, const struct event_batch *batch,
                        struct error *err)
{
    struct part *p = context;
    struct dump_record r;
    (void)err;
    for (size_t at = 0; dump_next(&p->reader, batch, &at, pass->clock, &r);) {
        buffer_printf(&p->text, "%" PRIu64 " %" PRIu64 " %u %u %x:", r.tsc, r.time_ns, (unsigned)r.pcpu,
                      (unsigned)r.slot, r.header);
        for (unsigned w = 0; w < (r.header >> 28 & 7); w++)
            buffer_printf(&p->text, " %x", r.w[w]);
        if (count_line(p) != 0)
            return CONSUMER_FAILED;
        if (p->lines >= p->records_most)
            return CONSUMER_HAS_ENOUGH;
    }
    return dump_is_over(&p->reader, batch, pass->clock) ? CONSUMER_HAS_ENOUGH : CONSUMER_GOES_ON;
}

/* ---- what is asked for ---- */

static void draw_granularities(uint64_t *random, uint64_t unit_ns, uint64_t *lengths_ns, size_t *n)
{
    const uint64_t lengths[] = {0, unit_ns, 7 * unit_ns, 10 * unit_ns};
    for (size_t i = 0; i < 4; i++)
        if (i == 0 || random_below(random, 2))
            lengths_ns[(*n)++] = lengths[i];
}

static void draw_part(uint64_t *random, uint64_t end_ns, uint64_t *from_ns, uint64_t *to_ns)
{
    if (random_below(random, 3) == 0)
        *from_ns = random_below(random, end_ns / 2);
    if (random_below(random, 3) == 0)
        *to_ns = end_ns / 2 + 1 + random_below(random, end_ns);
}

static const uint8_t *draw_pcpus(uint64_t *random, uint8_t *pcpus)
{
    for (unsigned p = 0; p < PCPUS_MAX; p++)
        pcpus[p] = random_below(random, 2) != 0;
    return random_below(random, 4) == 0 ? pcpus : NULL;
}

struct meter_options mixture_draw_rows(uint64_t *random, uint64_t unit_ns, uint64_t end_ns, uint8_t *pcpus)
{
    struct meter_options o = {.bys = 1 + (unsigned)random_below(random, 15),
                              .executions = random_below(random, 2),
                              .idle_rows = random_below(random, 2),
                              .charge = {.wanted = random_below(random, 4) > 0,
                                         .interval_ns = random_below(random, 4) ? 0 : 3 * unit_ns,
                                         .spread_own = random_below(random, 2)}};
    draw_granularities(random, unit_ns, o.granularities_ns, &o.granularities);
    for (int kind = 0; kind < IO_KINDS; kind++)
        o.charge.weights[kind] = 1;
    draw_part(random, end_ns, &o.from_ns, &o.to_ns);
    o.pcpus_wanted = draw_pcpus(random, pcpus);
    return o;
}

static void draw_delays(struct part *p, uint64_t *random, const struct mixture_trace *t)
{
    p->delays = (struct delay_options){.context = p, .rows = keep_delays};
    draw_granularities(random, t->unit_ns, p->delays.granularities_ns, &p->delays.granularities);
    draw_part(random, t->end_ns, &p->delays.from_ns, &p->delays.to_ns);
    p->delays.pcpus_wanted = draw_pcpus(random, p->pcpus);
}

static void draw_records(struct part *p, uint64_t *random, const struct mixture_trace *t)
{
    for (size_t slot = 0; slot < EVENT_SLOTS; slot++)
        p->slots[slot] = random_below(random, 3) == 0;
    draw_part(random, t->end_ns, &p->records.from_ns, &p->records.to_ns);
    p->records.slots = p->slots;
    p->records.pcpus = draw_pcpus(random, p->pcpus);
    p->records_most = random_below(random, 2) ? UINT64_MAX : 1 + random_below(random, 500);
}

/* Every guest has the same reservation. */
static void draw_debts(struct part *p, uint64_t *random, const struct mixture_trace *t)
{
    p->policy = (struct debt_policy){.feedback_ns = (1 + random_below(random, 9)) * t->unit_ns,
                                     .for_others = true,
                                     .others = {.reservation = {1 + random_below(random, 99), 100},
                                                .floor = {random_below(random, 100), 100},
                                                .spread = 1 + (uint32_t)random_below(random, 5)}};
    p->rows = (struct meter_options){.granularities = 0};
    for (int kind = 0; kind < IO_KINDS; kind++)
        p->rows.charge.weights[kind] = 1;
    draw_part(random, t->end_ns, &p->rows.from_ns, &p->rows.to_ns);
}

static void draw(struct part *p, uint64_t *random, const struct mixture_trace *t)
{
    p->kind = (enum kind)random_below(random, KINDS);
    p->to_the_end = random_below(random, 2);
    p->lines_most = random_below(random, 12) ? t->lines_most : 1 + random_below(random, 200);
    if (p->kind == DELAYS) {
        draw_delays(p, random, t);
    } else if (p->kind == RECORDS) {
        draw_records(p, random, t);
    } else if (p->kind == DEBTS) {
        draw_debts(p, random, t);
    } else {
        p->rows = mixture_draw_rows(random, t->unit_ns, t->end_ns, p->pcpus);
        p->rows.sink = (struct meter_sink){p, keep_interval, keep_execution, keep_charges, NULL};
    }
}

/* ---- a pass ---- */

static struct consumer consumer_of(struct part *p)
{
    struct consumer c = {.context = p, .rows = &p->rows, .from_ns = p->rows.from_ns};
    if (p->kind == DELAYS) {
        if (!(p->measure = delays_new(&p->delays)))
            abort();
        c = delays_consumer(p->measure);
    } else if (p->kind == RECORDS) {
        dump_reader_init(&p->reader, &p->records);
        c = (struct consumer){
            .context = p, .records = p->slots, .pcpus = p->records.pcpus, .batch = keep_records};
    }
    if (p->kind == DEBTS) {
        const struct debt_options options = {.policy = &p->policy, .context = p, .rows = keep_debts};
        if (!(p->debt = debt_new(&options)))
            abort();
        debt_wants(p->debt, &p->rows);
    }
    c.to_the_end = p->to_the_end;
    return c;
}

/* Whether the pass came to its end. */
static bool pass_over(struct part *parts, size_t n, const struct mixture_trace *t)
{
    const struct pipeline_control control = {0};
    struct trace_options options = {.cpu_hz = t->cpu_hz, .memory_limit = t->memory_limit};
    struct error err;
    struct pipeline *pipeline = pipeline_new(t->memory_limit);
    for (size_t i = 0; i < n; i++) {
        const struct consumer c = consumer_of(&parts[i]);
        if (pipeline_add(pipeline, &c, &err) != 0)
            abort();
    }
    pipeline_wants(pipeline, &options);
    struct feed feed;
    if (t->bytes) {
        feed = bytes_feed_of(t->bytes);
        options.feed = &feed;
    }
    struct trace *trace = trace_open(t->path, &options, &err);
    bool complete = trace && pipeline_run(pipeline, trace, &control, &err) == 0;
    pipeline_free(pipeline);
    trace_close(trace);
    for (size_t i = 0; i < n; i++) {
        delays_free(parts[i].measure);
        parts[i].measure = NULL;
        debt_free(parts[i].debt);
        parts[i].debt = NULL;
    }
    return complete;
}

/* ---- the comparison ---- */

/* Where the texts differ; of two passes that did not both come to their ends the longer one may have more. */
static const char *compare(const struct part *together, const struct part *alone, bool complete)
{
    static const char *const names[] = {"rows", "delays", "records", "debts"};
    static char said[600];
    const struct buffer *a = &together->text, *b = &alone->text;
    size_t n = a->n < b->n ? a->n : b->n, at = 0, line = 0;
    while (at < n && a->at[at] == b->at[at])
        if (a->at[at++] == '\n')
            line = at;
    if (at == n && (!complete || a->n == b->n))
        return NULL;
    snprintf(said, sizeof said, "%s: \"%.*s\", alone \"%.*s\"", names[together->kind],
             (int)(a->n - line < 250 ? a->n - line : 250), a->n ? a->at + line : "",
             (int)(b->n - line < 250 ? b->n - line : 250), b->n ? b->at + line : "");
    return said;
}

const char *mixture_difference(uint64_t seed, const struct mixture_trace *trace)
{
    const char *difference = NULL;
    uint64_t random = seed;
    size_t n = 1 + random_below(&random, PARTS_MOST);
    struct part *parts = calloc(n, sizeof *parts);
    if (!parts)
        abort();
    for (size_t i = 0; i < n; i++)
        draw(&parts[i], &random, trace);
    bool together = pass_over(parts, n, trace);
    for (size_t i = 0; i < n; i++) {
        struct part alone = parts[i];
        alone.text = (struct buffer){0};
        alone.lines = 0;
        alone.rows.sink.context = alone.delays.context = &alone;
        bool by_itself = pass_over(&alone, 1, trace);
        if (!difference)
            difference = compare(&parts[i], &alone, together && by_itself);
        buffer_free(&alone.text);
        buffer_free(&parts[i].text);
    }
    free(parts);
    return difference;
}
