#include "formats/info.h"

static struct info_tally of_slot(const struct quality *q, unsigned slot)
{
    const struct event_info *e = event_info(slot);
    struct info_tally t = {.name = e->name, .id = e->id, .class_id = e->class_id};
    for (unsigned form = 0; form < 16; form++) {
        t.records += q->events[slot].forms[form];
        t.bytes += event_form_bytes(form, q->events[slot].forms[form]);
    }
    return t;
}

/* Records that were counted as unrecognised, by their numbers: an own event may have several. */
static struct info_tally of_own(const struct info *info, const struct own_event *own)
{
    const struct quality *q = info->counted;
    struct info_tally t = {.name = own->name, .id = own->id, .class_id = own->class_id};
    for (unsigned i = 0; i < q->unrecognised_kinds; i++)
        if (own_event_find(info->own, q->unrecognised[i].event) == own) {
            t.records += q->unrecognised[i].records;
            t.bytes += q->unrecognised[i].bytes;
        }
    return t;
}

static size_t add(struct info_tally *events, size_t n, const struct info_tally *t,
                  struct info_tally classes[CLASSES])
{
    if (t->records == 0)
        return n;
    classes[t->class_id].records += t->records;
    classes[t->class_id].bytes += t->bytes;
    events[n] = *t;
    return n + 1;
}

size_t info_tallies(const struct info *info, struct info_tally events[INFO_TALLIES],
                    struct info_tally classes[CLASSES])
{
    size_t n = 0, own_n;
    const struct own_event *own = own_events_all(info->own, &own_n);
    struct info_tally unrecognised = of_slot(info->counted, EVENT_UNRECOGNISED);
    for (unsigned c = 0; c < CLASSES; c++)
        classes[c] = (struct info_tally){.name = event_class_name(c), .class_id = c};
    for (size_t i = 0; i < own_n; i++) {
        struct info_tally t = of_own(info, &own[i]);
        unrecognised.records -= t.records;
        unrecognised.bytes -= t.bytes;
    }
    n = add(events, n, &unrecognised, classes);
    for (unsigned slot = EVENT_UNRECOGNISED + 1; slot < EVENT_SLOTS; slot++) {
        struct info_tally t = of_slot(info->counted, slot);
        n = add(events, n, &t, classes);
    }
    for (size_t i = 0; i < own_n; i++) {
        struct info_tally t = of_own(info, &own[i]);
        n = add(events, n, &t, classes);
    }
    return n;
}
