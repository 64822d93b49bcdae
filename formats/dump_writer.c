#include "formats/dump_writer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/buffer.h"
#include "formats/dump_writer_ops.h"
#include "formats/time_text.h"
#include "parser/crew.h"

static const struct dump_writer_ops *const formats[] = {&dump_text, &dump_csv, &dump_jsonl, NULL};

const char *const dump_formats[] = {"text", "csv", "jsonl", NULL};

_Static_assert(sizeof(struct dump_memo) == DUMP_MEMO_BYTES, "two lines of the cache");
_Static_assert(DIGITS_ROOM >= 20 + 4, "seconds, padded");

#define BUFFER_BYTES ((size_t)256 << 10) /* as large as the output's own buffer, which is then not needed */
#define JOB_RECORDS  2048

/* Records on their way to a thread, and their lines. */
struct dump_job {
    struct dump_record *records; /* JOB_RECORDS of them */
    size_t n;
    struct buffer lines;
};

struct dump_writer {
    struct output *out;
    struct dump_steps *steps;
    struct dump_name *names;
    struct dump_form form; /* of the caller's thread */
    char *buffer;          /* of lines; BUFFER_BYTES and room for a line more */
    size_t n;
    /* With threads: */
    struct crew *crew; /* NULL: none */
    unsigned threads;
    struct dump_form *forms;  /* by thread */
    struct dump_job *jobs;    /* by slot */
    struct dump_job *filling; /* the next one; NULL: it has no record yet */
    atomic_bool failed;       /* the output has */
};

static void make_label(struct dump_label *label, const struct dump_style *style, const char *name)
{
    int n = snprintf(label->text, sizeof label->text, "%s%s%s", style->before, name, style->between);
    assert(n > 0 && (size_t)n < sizeof label->text);
    label->length = (uint8_t)n;
}

struct dump_steps *dump_steps_new(const struct dump_style *style)
{
    struct dump_steps *all = calloc(1, sizeof *all);
    const struct field_list *list;
    for (unsigned id = 0; all && (list = event_fields_list(id)); id++) {
        for (unsigned i = 0; i < list->n; i++) {
            const struct field *f = &list->fields[i];
            struct dump_step *step = &all->lists[id].steps[all->lists[id].n];
            if (f->hidden)
                continue;
            step->field = f;
            make_label(&step->label, style, f->name);
            all->lists[id].n++;
        }
    }
    for (unsigned call = 0; all && call < HYPERCALLS; call++)
        for (unsigned i = 0; i < ARGUMENTS_NAMED; i++)
            if (hypercall_arguments(call)[i].name)
                make_label(&all->arguments[call][i], style, hypercall_arguments(call)[i].name);
    return all;
}

/* ---- what threads share, and what each has ---- */

static bool make_names(struct dump_writer *w, const struct own_events *own)
{
    size_t own_n;
    own_events_all(own, &own_n);
    w->names = calloc(EVENT_SLOTS + own_n, sizeof *w->names);
    for (unsigned slot = 0; w->names && slot < EVENT_SLOTS + own_n; slot++) {
        const char *name = own_slot_name(own, slot);
        w->names[slot].length = (uint8_t)strlen(name);
        memset(w->names[slot].text, ' ', DUMP_NAME_MOST);
        memcpy(w->names[slot].text, name, strlen(name));
    }
    return w->names != NULL;
}

/* One that makes lines as `like` does. False: no memory. */
static bool form_init(struct dump_form *form, const struct dump_form *like)
{
    *form = *like;
    form->places = calloc(PCPUS_MAX, sizeof *form->places);
    form->memos = calloc(DUMP_MEMOS, sizeof *form->memos);
    return form->places && form->memos;
}

static void form_free(struct dump_form *form)
{
    free(form->places);
    free(form->memos);
}

char *dump_put_time(const struct dump_form *w, const struct dump_record *r, char *to)
{
    char time[TIME_TEXT];
    struct value v = value_moment(w->moments, r->time_ns);
    return v.type == VALUE_TIME ? mempcpy(to, time, time_text(time, v.integer, v.local)) : to;
}

/* ---- the caller's thread ---- */

static bool prepare(struct dump_writer *w, const struct dump_writer_ops *ops,
                    const struct dump_schema *schema)
{
    w->buffer = malloc(BUFFER_BYTES + DUMP_LINE_MOST);
    w->steps = dump_steps_new(ops->style);
    if (!w->buffer || !w->steps || !make_names(w, schema->own))
        return false;
    const struct dump_form form = {
        .ops = ops, .tsc = schema->tsc, .moments = schema->moments, .steps = w->steps, .names = w->names};
    return form_init(&w->form, &form);
}

struct dump_writer *dump_writer_new(const char *format, struct output *out, const struct dump_schema *schema,
                                    struct error *err)
{
    bool by_event = strcmp(format, dump_csv.name) == 0 && schema->slot != DUMP_SEVERAL_EVENTS;
    size_t i = 0;
    while (formats[i] && strcmp(formats[i]->name, format) != 0)
        i++;
    if (!formats[i]) {
        error_set(err, ERROR_USAGE, "unknown format \"%s\"", format);
        return NULL;
    }
    const struct dump_writer_ops *ops = by_event ? &dump_csv_event : formats[i];
    struct dump_writer *w = calloc(1, sizeof *w);
    if (!w || !prepare(w, ops, schema)) {
        dump_writer_free(w);
        error_no_memory(err, "the output");
        return NULL;
    }
    w->out = out;
    if (by_event)
        dump_columns_of(&w->form.columns, schema->slot, schema->own);
    if (ops->header)
        w->n = (size_t)(ops->header(&w->form, w->buffer) - w->buffer);
    return w;
}

static int flush_buffer(struct dump_writer *w)
{
    size_t n = w->n;
    w->n = 0;
    return output_write(w->out, w->buffer, n);
}

/* ---- other threads ---- */

static void make_lines(void *context, size_t slot, unsigned thread)
{
    struct dump_writer *w = context;
    struct dump_form *form = &w->forms[thread];
    struct dump_job *job = &w->jobs[slot];
    for (size_t i = 0; i < job->n && !atomic_load(&w->failed); i++) {
        char *to = buffer_room(&job->lines, DUMP_LINE_MOST);
        if (!to)
            break;
        job->lines.n = (size_t)(form->ops->line(form, &job->records[i], to) - job->lines.at);
    }
}

static void write_lines(void *context, size_t slot)
{
    struct dump_writer *w = context;
    struct buffer *lines = &w->jobs[slot].lines;
    struct error why;
    if (!atomic_load(&w->failed) && lines->failed) {
        error_no_memory(&why, "the lines of records");
        output_fail(w->out, &why);
    }
    if (!atomic_load(&w->failed) && (lines->failed || output_write(w->out, lines->at, lines->n) != 0))
        atomic_store(&w->failed, true);
    lines->n = 0;
}

static void free_threads(struct dump_writer *w)
{
    crew_free(w->crew);
    for (size_t i = 0; w->jobs && i < w->threads + 1u; i++) {
        free(w->jobs[i].records);
        buffer_free(&w->jobs[i].lines);
    }
    for (unsigned i = 0; w->forms && i < w->threads; i++)
        form_free(&w->forms[i]);
    free(w->jobs);
    free(w->forms);
    w->crew = NULL;
    w->jobs = NULL;
    w->forms = NULL;
}

void dump_writer_use_threads(struct dump_writer *w, unsigned threads)
{
    size_t slots = threads + 1u;
    struct crew_jobs jobs = {"format", w, make_lines, write_lines};
    w->threads = threads;
    w->forms = calloc(threads, sizeof *w->forms);
    w->jobs = calloc(slots, sizeof *w->jobs);
    bool fine = w->forms && w->jobs;
    for (size_t i = 0; fine && i < slots; i++)
        fine = (w->jobs[i].records = malloc(JOB_RECORDS * sizeof *w->jobs[i].records)) != NULL;
    for (unsigned i = 0; fine && i < threads; i++)
        fine = form_init(&w->forms[i], &w->form);
    if (fine)
        w->crew = crew_new(&jobs, threads, slots);
    if (!w->crew)
        free_threads(w);
}

/* Gives the records so far to a thread. */
static int give(struct dump_writer *w)
{
    crew_give(w->crew);
    w->filling = NULL;
    return atomic_load(&w->failed) ? -1 : 0;
}

static int put(struct dump_writer *w, const struct dump_record *r)
{
    if (w->n > 0 && flush_buffer(w) != 0) /* the header, which the caller's thread made */
        return -1;
    if (!w->filling) {
        w->filling = &w->jobs[crew_room(w->crew)];
        w->filling->n = 0;
    }
    w->filling->records[w->filling->n++] = *r;
    return w->filling->n < JOB_RECORDS ? 0 : give(w);
}

/* ---- records ---- */

int dump_writer_record(struct dump_writer *w, const struct dump_record *r)
{
    if (w->crew)
        return put(w, r);
    w->n = (size_t)(w->form.ops->line(&w->form, r, w->buffer + w->n) - w->buffer);
    return w->n < BUFFER_BYTES ? 0 : flush_buffer(w);
}

int dump_writer_flush(struct dump_writer *w)
{
    if (!w->crew)
        return flush_buffer(w);
    if (w->n > 0 && flush_buffer(w) != 0)
        return -1;
    if (w->filling)
        give(w);
    crew_drain(w->crew);
    return atomic_load(&w->failed) ? -1 : 0;
}

void dump_writer_free(struct dump_writer *w)
{
    if (!w)
        return;
    free_threads(w);
    form_free(&w->form);
    free(w->buffer);
    free(w->steps);
    free(w->names);
    free(w);
}
