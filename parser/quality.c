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

static void merge_places(struct quality *into, const struct quality *from)
{
    for (uint64_t i = 0; i < from->skipped_places && into->skipped_places + i < QUALITY_PLACES; i++)
        into->places[into->skipped_places + i] = from->places[i];
    into->skipped_places += from->skipped_places;
    into->skipped_bytes += from->skipped_bytes;
}

/* The members that are plain sums. */
#define SUM(MEMBER) offsetof(struct quality, MEMBER)
static const size_t sums[] = {SUM(bytes),
                              SUM(records),
                              SUM(windows),
                              SUM(sweeps),
                              SUM(lost_records),
                              SUM(lost_markers),
                              SUM(truncated_bytes),
                              SUM(tsc_backwards),
                              SUM(tsc_implausible),
                              SUM(inconsistent),
                              SUM(blind_ns),
                              SUM(blind_late_ns),
                              SUM(unrecognised_other),
                              SUM(unknown_ns),
                              SUM(ignored_records)};

void quality_merge(struct quality *into, const struct quality *from)
{
    if (from->inconsistent && (!into->inconsistent || from->inconsistent_at_ns < into->inconsistent_at_ns))
        into->inconsistent_at_ns = from->inconsistent_at_ns;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        *(uint64_t *)((char *)into + sums[i]) += *(const uint64_t *)((const char *)from + sums[i]);
    if (from->skew_max_ns > into->skew_max_ns)
        into->skew_max_ns = from->skew_max_ns;
    if (from->core_pcpus > into->core_pcpus)
        into->core_pcpus = from->core_pcpus;
    if (from->core_pcpus_unknown > into->core_pcpus_unknown)
        into->core_pcpus_unknown = from->core_pcpus_unknown;
    merge_places(into, from);
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++)
            into->events[slot].forms[form] += from->events[slot].forms[form];
    for (unsigned i = 0; i < from->unrecognised_kinds; i++)
        count_unrecognised(into, from->unrecognised[i].event, from->unrecognised[i].records,
                           from->unrecognised[i].bytes);
}
