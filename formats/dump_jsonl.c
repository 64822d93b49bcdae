/* JSON lines: an object for each record, its fields in an object of their own. */
#include <string.h>

#include "formats/dump_writer_ops.h"

static const struct dump_style style = {
    .before = "\"", .between = "\":", .behind = ",", .quote = "\"", .open = "[", .close = "]"};

static void make_place(struct dump_place *place, unsigned pcpu, uint32_t current)
{
    char *to = dump_put(place->text, ",\"pcpu\":");
    to = digits_decimal(to, pcpu);
    to = dump_put(to, ",\"domain\":");
    to = current == CURRENT_UNKNOWN ? dump_put(to, "null") : digits_decimal(to, current >> 16);
    to = dump_put(to, ",\"vcpu\":");
    to = current == CURRENT_UNKNOWN ? dump_put(to, "null") : digits_decimal(to, current & 0xffff);
    place->length = (uint8_t)(to - place->text);
    place->current = current;
}

static char *make_tail(struct dump_form *w, const struct dump_record *r, char *to)
{
    to = dump_put(to, ",\"event\":\"");
    const struct dump_name *name = &w->names[r->slot];
    memcpy(to, name->text, sizeof name->text);
    to = dump_put(to + name->length, "\",\"fields\":{");
    char *fields = to;
    to = dump_put_fields(w->steps, &style, r, to);
    to -= to > fields; /* without the comma after the last one */
    return dump_put(to, "}}\n");
}

static char *put_time(const struct dump_form *w, const struct dump_record *r, char *to)
{
    char *text = dump_put(to, ",\"time\":\""), *end = dump_put_time(w, r, text);
    return end > text ? dump_put(end, "\"") : dump_put(to, ",\"time\":null");
}

static char *line(struct dump_form *w, const struct dump_record *r, char *to)
{
    struct dump_place *place = &w->places[r->pcpu];
    if (place->length == 0 || place->current != r->current)
        make_place(place, r->pcpu, r->current);
    to = w->tsc ? dump_put(to, "{\"tsc\":") : dump_put(to, "{\"time_ns\":");
    to = digits_decimal(to, w->tsc ? r->tsc : r->time_ns);
    if (w->moments)
        to = put_time(w, r, to);
    memcpy(to, place->text, sizeof place->text);
    return dump_put_tail(w, r, to + place->length, make_tail);
}

const struct dump_writer_ops dump_jsonl = {.name = "jsonl", .style = &style, .line = line};
