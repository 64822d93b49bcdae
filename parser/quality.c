#include "quality.h"

#define STRETCH_GAP 2048 /* bytes of a window that may be decoded before the rest is skipped */

#define FORM_HAS_TSC 8u /* the bit of a form index that says so; the bits below are the payload words */

uint64_t event_form_bytes(unsigned form, uint64_t n)
{
    uint64_t words = 1 + (form & (FORM_HAS_TSC - 1)) + (form & FORM_HAS_TSC ? 2 : 0);
    return n * words * sizeof(uint32_t);
}

void quality_skip(struct quality *q, uint64_t offset, uint64_t bytes, const char *what)
{
    /* Consecutive windows skipped for the same reason are one stretch: only their beginnings lie between. */
    bool goes_on = q->skipped_places > 0 && q->skipped_what == what && offset - q->skipped_end <= STRETCH_GAP;
    q->skipped_bytes += bytes;
    q->skipped_end = offset + bytes;
    q->skipped_what = what;
    if (!goes_on && q->skipped_places++ < QUALITY_PLACES)
        q->places[q->skipped_places - 1] = (struct damage){offset, bytes, what};
    else if (goes_on && q->skipped_places <= QUALITY_PLACES)
        q->places[q->skipped_places - 1].bytes = q->skipped_end - q->places[q->skipped_places - 1].offset;
}

/* Adds to the entry of that event number, which is made if there is room; else counts the records only. */
static void count_unrecognised(struct quality *q, uint32_t event, uint64_t records, uint64_t bytes)
{
    unsigned i = 0;
    while (i < q->unrecognised_kinds && q->unrecognised[i].event != event)
        i++;
    if (i == QUALITY_UNRECOGNISED) {
        q->unrecognised_other += records;
        return;
    }
    if (i == q->unrecognised_kinds) {
        q->unrecognised[i] = (struct unrecognised_event){.event = event};
        q->unrecognised_kinds++;
    }
    q->unrecognised[i].records += records;
    q->unrecognised[i].bytes += bytes;
}

void quality_unrecognised(struct quality *q, uint32_t event, unsigned bytes)
{
    count_unrecognised(q, event, 1, bytes);
}

void quality_not_unrecognised(struct quality *q, uint32_t event, unsigned bytes)
{
    unsigned i = 0;
    while (i < q->unrecognised_kinds && q->unrecognised[i].event != event)
        i++;
    if (i == q->unrecognised_kinds) {
        q->unrecognised_other--;
        return;
    }
    q->unrecognised[i].records--;
    q->unrecognised[i].bytes -= bytes;
    if (q->unrecognised[i].records == 0)
        q->unrecognised[i] = q->unrecognised[--q->unrecognised_kinds];
}

static void merge_places(struct quality *into, const struct quality *from)
{
    for (uint64_t i = 0; i < from->skipped_places && into->skipped_places + i < QUALITY_PLACES; i++)
        into->places[into->skipped_places + i] = from->places[i];
}

const struct quality_field quality_fields[] = {
#define QUALITY(NAME, UNIT, PART, ADDS, STORED)                                                              \
    {#NAME, QUALITY_##UNIT, QUALITY_##PART, QUALITY_##ADDS, offsetof(struct quality, NAME)},
#include "parser/quality.def"
#undef QUALITY
};

const size_t quality_fields_n = sizeof quality_fields / sizeof quality_fields[0];

uint64_t *quality_at(struct quality *q, size_t row)
{
    return (uint64_t *)((char *)q + quality_fields[row].offset);
}

uint64_t quality_number(const struct quality *q, size_t row)
{
    return *(const uint64_t *)((const char *)q + quality_fields[row].offset);
}

bool quality_applies(const struct quality *q, size_t row)
{
    return quality_fields[row].adds != QUALITY_FIRST || quality_number(q, row - 1) > 0;
}

static void merge_number(struct quality *into, const struct quality *from, size_t row, uint64_t offset_ns)
{
    const struct quality_field *f = &quality_fields[row];
    uint64_t *a = quality_at(into, row), b = quality_number(from, row);
    if (f->unit == QUALITY_INSTANT)
        b += offset_ns;
    if (f->adds == QUALITY_SUM)
        *a += b;
    else if ((f->adds == QUALITY_MAX && b > *a) || (f->adds == QUALITY_FIRST && quality_applies(from, row) &&
                                                    (!quality_applies(into, row) || b < *a)))
        *a = b;
}

void quality_merge(struct quality *into, const struct quality *from, uint64_t offset_ns)
{
    merge_places(into, from);
    for (size_t row = quality_fields_n; row-- > 0;) /* what is FIRST looks at the row above before it adds */
        merge_number(into, from, row, offset_ns);
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++)
            into->events[slot].forms[form] += from->events[slot].forms[form];
    for (unsigned i = 0; i < from->unrecognised_kinds; i++)
        count_unrecognised(into, from->unrecognised[i].event, from->unrecognised[i].records,
                           from->unrecognised[i].bytes);
}

/* ---- a later part ---- */

static void part_number(struct quality *q, const struct quality *before, size_t row, uint64_t origin_ns)
{
    const struct quality_field *f = &quality_fields[row];
    uint64_t *n = quality_at(q, row), had = quality_number(before, row);
    if (f->adds == QUALITY_SUM)
        *n -= had < *n ? had : *n;
    if (f->adds == QUALITY_FIRST && (!quality_applies(q, row) || quality_applies(before, row)))
        *n = 0;
    else if (f->unit == QUALITY_INSTANT)
        *n -= origin_ns < *n ? origin_ns : *n;
}

static void part_events(struct quality *q, const struct quality *before)
{
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++)
            q->events[slot].forms[form] -= before->events[slot].forms[form];
    unsigned kept = 0;
    for (unsigned i = 0; i < q->unrecognised_kinds; i++) {
        struct unrecognised_event e = q->unrecognised[i];
        for (unsigned k = 0; k < before->unrecognised_kinds; k++)
            if (before->unrecognised[k].event == e.event) {
                e.records -= before->unrecognised[k].records;
                e.bytes -= before->unrecognised[k].bytes;
            }
        if (e.records > 0)
            q->unrecognised[kept++] = e;
    }
    q->unrecognised_kinds = kept;
}

void quality_since(struct quality *q, const struct quality *before, uint64_t origin_ns)
{
    uint64_t places = before->skipped_places, all = q->skipped_places;
    for (uint64_t i = 0; i < QUALITY_PLACES; i++) {
        bool kept = i + places < QUALITY_PLACES && i + places < all;
        q->places[i] =
            kept ? q->places[i + places] : (struct damage){.offset = q->skipped_end, .what = q->skipped_what};
    }
    for (size_t row = 0; row < quality_fields_n;
         row++) /* what is FIRST looks at what is left in the row above */
        part_number(q, before, row, origin_ns);
    part_events(q, before);
}
