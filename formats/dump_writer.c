#include "formats/dump_writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/dump_writer_ops.h"

static const struct dump_writer_ops *const formats[] = {&dump_text, &dump_csv, &dump_jsonl, NULL};

const char *const dump_formats[] = {"text", "csv", "jsonl", NULL};

_Static_assert(sizeof(struct dump_memo) == DUMP_MEMO_BYTES, "two lines of the cache");
_Static_assert(DIGITS_ROOM >= 20 + 4, "seconds, padded");

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

static bool prepare(struct dump_writer *w, const struct own_events *own)
{
    size_t own_n;
    own_events_all(own, &own_n);
    w->buffer = malloc(DUMP_BUFFER_BYTES + DUMP_LINE_MOST);
    w->steps = dump_steps_new(w->ops->style);
    w->places = calloc(PCPUS_MAX, sizeof *w->places);
    w->names = calloc(EVENT_SLOTS + own_n, sizeof *w->names);
    w->memos = calloc(DUMP_MEMOS, sizeof *w->memos);
    if (!w->memos || !w->buffer || !w->steps || !w->places || !w->names)
        return false;
    for (unsigned slot = 0; slot < EVENT_SLOTS + own_n; slot++) {
        const char *name = own_slot_name(own, slot);
        w->names[slot].length = (uint8_t)strlen(name);
        memset(w->names[slot].text, ' ', DUMP_NAME_MOST);
        memcpy(w->names[slot].text, name, strlen(name));
    }
    return true;
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
    struct dump_writer *w = calloc(1, sizeof *w);
    if (w)
        *w = (struct dump_writer){
            .ops = by_event ? &dump_csv_event : formats[i], .out = out, .tsc = schema->tsc};
    if (!w || !prepare(w, schema->own)) {
        dump_writer_free(w);
        error_no_memory(err, "the output");
        return NULL;
    }
    if (by_event)
        dump_columns_of(&w->columns, schema->slot, schema->own);
    if (w->ops->header)
        w->n = (size_t)(w->ops->header(w, w->buffer) - w->buffer);
    return w;
}

int dump_writer_flush(struct dump_writer *w)
{
    size_t n = w->n;
    w->n = 0;
    return output_write(w->out, w->buffer, n);
}

int dump_writer_record(struct dump_writer *w, const struct dump_record *r)
{
    w->n = (size_t)(w->ops->line(w, r, w->buffer + w->n) - w->buffer);
    return w->n < DUMP_BUFFER_BYTES ? 0 : dump_writer_flush(w);
}

void dump_writer_free(struct dump_writer *w)
{
    if (!w)
        return;
    free(w->buffer);
    free(w->steps);
    free(w->places);
    free(w->names);
    free(w->memos);
    free(w);
}
