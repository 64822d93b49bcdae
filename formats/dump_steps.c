#include "formats/dump_steps.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dump_steps *dump_steps_new(const struct dump_style *style)
{
    struct dump_steps *all = calloc(FIELD_LISTS_MAX, sizeof *all);
    const struct field_list *list;
    for (unsigned id = 0; all && (list = event_fields_list(id)); id++) {
        for (unsigned i = 0; i < list->n; i++) {
            const struct field *f = &list->fields[i];
            struct dump_step *step = &all[id].steps[all[id].n];
            if (f->hidden)
                continue;
            step->field = *f;
            int n =
                snprintf(step->label, sizeof step->label, "%s%s%s", style->before, f->name, style->between);
            assert(n > 0 && (size_t)n < sizeof step->label);
            step->length = (uint8_t)n;
            all[id].n++;
        }
    }
    return all;
}
