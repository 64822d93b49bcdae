#include "formats/dump_steps.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
