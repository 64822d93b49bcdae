/* CSV: time, place, event, and all fields in one column, in the form of the text. */
#include <stdio.h>
#include <string.h>

#include "formats/dump_writer_ops.h"

static const struct dump_style style = {
    .before = " ", .between = "=", .behind = "", .quote = "", .open = "", .close = ""};

static void make_place(struct dump_place *place, unsigned pcpu, uint32_t current)
{
    char *to = place->text;
    *to++ = ',';
    to = digits_decimal(to, pcpu);
    *to++ = ',';
    if (current != CURRENT_UNKNOWN)
        to = digits_decimal(to, current >> 16);
    *to++ = ',';
    if (current != CURRENT_UNKNOWN)
        to = digits_decimal(to, current & 0xffff);
    *to++ = ',';
    place->length = (uint8_t)(to - place->text);
    place->current = current;
}

static char *make_tail(struct dump_form *w, const struct dump_record *r, char *to)
{
    const struct dump_name *name = &w->names[r->slot];
    memcpy(to, name->text, sizeof name->text);
    to += name->length;
    *to++ = ',';
    char *fields = to, *end = dump_put_fields(w->steps, &style, r, to);
    if (end > fields) {
        /* The first field has no blank before it; a list of words has commas in it. */
        size_t n = (size_t)(end - fields) - 1;
        bool quoted = memchr(fields + 1, ',', n) != NULL;
        memmove(fields + quoted, fields + 1, n);
        end = fields + quoted + n;
        if (quoted)
            fields[0] = *end++ = '"';
    }
    *end++ = '\n';
    return end;
}

char *dump_csv_place(struct dump_form *w, const struct dump_record *r, char *to)
{
    struct dump_place *place = &w->places[r->pcpu];
    if (place->length == 0 || place->current != r->current)
        make_place(place, r->pcpu, r->current);
    to = digits_decimal(to, w->tsc ? r->tsc : r->time_ns);
    if (w->moments) {
        *to++ = ',';
        to = dump_put_time(w, r, to);
    }
    memcpy(to, place->text, sizeof place->text);
    return to + place->length;
}

static char *line(struct dump_form *w, const struct dump_record *r, char *to)
{
    return dump_put_tail(w, r, dump_csv_place(w, r, to), make_tail);
}

static char *header(const struct dump_form *w, char *to)
{
    return to +
           sprintf(to, "%s,%spcpu,domain,vcpu,event,fields\n", dump_time_name(w), w->moments ? "time," : "");
}

const struct dump_writer_ops dump_csv = {.name = "csv", .header = header, .style = &style, .line = line};
