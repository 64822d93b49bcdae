/* A line for each record, aligned:  TIME pPCPU dDOMvVCPU EVENT FIELDS */
#include <string.h>

#include "formats/dump_writer_ops.h"
#include "formats/time_text.h"

#define NAME_WIDTH  24
#define PLACE_WIDTH 16 /* " p0   d3v0      " */
#define PLACE_MOST  24 /* " p4094 d65535v65535 " */
#define VCPU_COLUMN 6

static const struct dump_style style = {
    .before = " ", .between = "=", .behind = "", .quote = "", .open = "", .close = ""};

static void make_place(struct dump_place *place, unsigned pcpu, uint32_t current)
{
    memset(place->text, ' ', sizeof place->text);
    memcpy(place->text, " p", 2);
    char *to = digits_decimal(place->text + 2, pcpu), *column = place->text + VCPU_COLUMN;
    *to++ = ' ';
    to = to < column ? memset(to, ' ', (size_t)(column - to)), column : to;
    if (current == CURRENT_UNKNOWN) {
        to = dump_put(to, "d?v?");
    } else {
        *to++ = 'd';
        to = digits_decimal(to, current >> 16);
        *to++ = 'v';
        to = digits_decimal(to, current & 0xffff);
    }
    *to++ = ' ';
    char *end = place->text + PLACE_WIDTH;
    if (to < end)
        memset(to, ' ', (size_t)(end - to));
    place->length = (uint8_t)((to < end ? end : to) - place->text);
    place->current = current;
}

/* Seconds right-aligned to four digits, and nine after the point. */
static char *put_time(struct dump_form *w, uint64_t time_ns, char *to)
{
    uint64_t ns = time_ns - w->second_from_ns;
    if (ns >= 1000000000 || w->second_length == 0) {
        uint64_t seconds = time_ns / 1000000000;
        w->second_from_ns = seconds * 1000000000;
        ns = time_ns - w->second_from_ns;
        memset(w->second, ' ', 4);
        unsigned pad = seconds < 10 ? 3 : seconds < 100 ? 2 : seconds < 1000 ? 1 : 0;
        char *end = digits_decimal(w->second + pad, seconds);
        *end++ = '.';
        w->second_length = (unsigned)(end - w->second);
    }
    memcpy(to, w->second, sizeof w->second);
    to = digits_eight(to + w->second_length, (uint32_t)(ns / 10));
    *to++ = (char)('0' + ns % 10);
    return to;
}

/* The time of day, to the nanosecond. */
static char *put_day_time(struct dump_form *w, const struct dump_record *r, char *to)
{
    char time[TIME_TEXT];
    struct value v = value_moment(w->moments, r->time_ns);
    if (v.type != VALUE_TIME)
        return put_time(w, r->time_ns, to);
    return mempcpy(to, time, time_of_day_text(time, v.integer, v.local, 9));
}

static char *make_tail(struct dump_form *w, const struct dump_record *r, char *to)
{
    const struct dump_name *name = &w->names[r->slot];
    memcpy(to, name->text, sizeof name->text);
    char *fields = to + (name->length > NAME_WIDTH ? name->length : NAME_WIDTH);
    char *end = dump_put_fields(w->steps, &style, r, fields);
    end = end > fields ? end : to + name->length;
    *end++ = '\n';
    return end;
}

static char *line(struct dump_form *w, const struct dump_record *r, char *to)
{
    struct dump_place *place = &w->places[r->pcpu];
    if (place->length == 0 || place->current != r->current)
        make_place(place, r->pcpu, r->current);
    to = w->tsc       ? digits_decimal(to, r->tsc)
         : w->moments ? put_day_time(w, r, to)
                      : put_time(w, r->time_ns, to);
    memcpy(to, place->text, PLACE_MOST);
    return dump_put_tail(w, r, to + place->length, make_tail);
}

const struct dump_writer_ops dump_text = {.name = "text", .style = &style, .line = line};
