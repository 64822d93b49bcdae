#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_words.h"
#include "json_fields.h"
#include "metrics/measure/row.h"
#include "summary.h"
#include "summary_fields.h"

#define CPU_HZ_MIN 1e-9

/* The state of reading a document into a summary. */
struct summary_reading {
    struct json_reading json;
    struct summary *summary;
    char *texts; /* where the next text goes */
};

static const char *take_text(struct summary_reading *r, struct members *m, const char *key)
{
    return json_to_bytes(&r->json, key, members_take(m, key), &r->texts);
}

/* ---- trace and clock ---- */

static void read_trace(struct summary_reading *r, json_t *value)
{
    struct trace_summary *trace = &r->summary->trace;
    struct members m = members_of(&r->json, "trace", value);
    trace->file = take_text(r, &m, "file");
    trace->compression = take_text(r, &m, "compression");
    members_take_fields(&m, trace_fields, trace);
    members_end(&m);
    const char *compression = trace->compression ? trace->compression : "";
    if (strcmp(compression, "none") != 0 && strcmp(compression, "zstd") != 0)
        json_wrong(&r->json, "compression", "is unknown");
    if (trace->tsc_last < trace->tsc_first)
        json_wrong(&r->json, "tsc_last", "is before tsc_first");
}

/*
 * Sets the conversion from the frequency. A clock without a frequency counts cycles; one that was never set counts
 * nothing.
 */
static bool clock_is_possible(const struct clock *c)
{
    struct clock same = *c;
    bool never_set = c->multiplier == 0 && c->shift == 0;
    if (c->cpu_hz > 0 && c->cpu_hz < CPU_HZ_MIN) /* a cycle would be longer than the conversion can express */
        return false;
    clock_set(&same, c->tsc_first, c->cpu_hz);
    return (c->multiplier == same.multiplier && c->shift == same.shift) || (!(c->cpu_hz > 0) && never_set);
}

static void read_clock(struct summary_reading *r, json_t *value)
{
    struct clock *clock = &r->summary->clock;
    struct members m = members_of(&r->json, "clock", value);
    members_take_fields(&m, clock_fields, clock);
    members_end(&m);
    if (!r->json.wrong && !clock_is_possible(clock))
        json_wrong(&r->json, "multiplier", "and \"shift\" do not follow from \"cpu_hz\"");
}

/* ---- quality ---- */

static void read_places(struct summary_reading *r, struct members *of)
{
    struct quality *q = &r->summary->quality;
    size_t n;
    json_t *list = members_take_array(of, "places", QUALITY_PLACES, &n);
    if (n != (q->skipped_places < QUALITY_PLACES ? q->skipped_places : QUALITY_PLACES))
        json_wrong(&r->json, "places", "is not as long as \"skipped_places\" says");
    for (size_t i = 0; i < n; i++) {
        struct members m = members_of(&r->json, "places", json_array_get(list, i));
        members_take_fields(&m, place_fields, &q->places[i]);
        q->places[i].what = take_text(r, &m, "what");
        members_end(&m);
        if (!q->places[i].what)
            json_wrong(&r->json, "what", "is not told");
    }
}

/* Reads an event number in the one form that the writer uses. */
static uint32_t take_event(struct members *m)
{
    const char *text = json_string_value(members_take(m, "event"));
    char again[SUMMARY_EVENT_BYTES] = "";
    uint32_t event = 0;
    if (text && sscanf(text, "0x%8" SCNx32, &event) == 1)
        snprintf(again, sizeof again, "0x%08" PRIx32, event);
    if (!text || strcmp(text, again) != 0 || event > 0x0fffffff)
        json_wrong(m->reading, "event", "is no event number");
    return event;
}

/* The slot of an event number that is a row of the table, or EVENT_SLOTS. */
static unsigned slot_of(uint32_t event)
{
    unsigned slot = 0;
    while (slot < EVENT_SLOTS && event_info(slot)->id != event)
        slot++;
    return slot;
}

static void read_forms(struct summary_reading *r, struct members *of, struct event_count *count)
{
    size_t n;
    json_t *list = members_take_array(of, "forms", 16, &n);
    uint64_t next = 0; /* the lowest form that may come */
    for (size_t i = 0; i < n && !r->json.wrong; i++) {
        json_t *pair = json_array_get(list, i);
        uint64_t form = json_to_u64(&r->json, "forms", json_array_get(pair, 0), 15);
        uint64_t records = json_to_u64(&r->json, "forms", json_array_get(pair, 1), UINT64_MAX);
        if (json_array_size(pair) != 2 || form < next || records == 0)
            json_wrong(&r->json, "forms", "is no list of forms and numbers of records");
        count->forms[form] = records;
        next = form + 1;
    }
    if (n == 0)
        json_wrong(&r->json, "forms", "is empty");
}

static void read_events(struct summary_reading *r, struct members *of)
{
    bool seen[EVENT_SLOTS] = {false};
    size_t n;
    json_t *list = members_take_array(of, "events", EVENT_SLOTS, &n);
    for (size_t i = 0; i < n && !r->json.wrong; i++) {
        struct members m = members_of(&r->json, "events", json_array_get(list, i));
        unsigned slot = slot_of(take_event(&m));
        if (slot == EVENT_SLOTS || seen[slot]) {
            json_wrong(&r->json, "event", "is unknown, or told twice");
            return;
        }
        seen[slot] = true;
        read_forms(r, &m, &r->summary->quality.events[slot]);
        members_end(&m);
    }
}

static void read_unrecognised(struct summary_reading *r, struct members *of)
{
    struct quality *q = &r->summary->quality;
    size_t n;
    json_t *list = members_take_array(of, "unrecognised", QUALITY_UNRECOGNISED, &n);
    for (size_t i = 0; i < n && !r->json.wrong; i++) {
        struct members m = members_of(&r->json, "unrecognised", json_array_get(list, i));
        struct unrecognised_event *event = &q->unrecognised[i];
        event->event = take_event(&m);
        members_take_fields(&m, unrecognised_fields, event);
        members_end(&m);
        for (size_t before = 0; before < i; before++)
            if (q->unrecognised[before].event == event->event)
                json_wrong(&r->json, "event", "is told twice");
        q->unrecognised_kinds++;
    }
}

static void read_quality(struct summary_reading *r, json_t *value)
{
    struct members m = members_of(&r->json, "quality", value);
    members_take_fields(&m, quality_fields, &r->summary->quality);
    r->summary->quality.skipped_what = take_text(r, &m, "skipped_what");
    read_places(r, &m);
    read_events(r, &m);
    read_unrecognised(r, &m);
    members_end(&m);
}

/* ---- charges ---- */

static unsigned take_methods(struct summary_reading *r, struct members *of)
{
    unsigned methods = 0;
    size_t n, at = 0; /* at: of charge_method_names, in whose order they are */
    json_t *list = members_take_array(of, "methods", charge_method_names_n, &n);
    for (size_t i = 0; i < n; i++, at++) {
        const char *name = json_string_value(json_array_get(list, i));
        while (name && at < charge_method_names_n && strcmp(charge_method_names[at].name, name) != 0)
            at++;
        if (!name || at == charge_method_names_n) {
            json_wrong(&r->json, "methods", "has one that is unknown or out of place");
            break;
        }
        methods |= charge_method_names[at].method;
    }
    return methods;
}

static void take_counts(struct summary_reading *r, struct members *of, const char *key, uint64_t *counts,
                        size_t n)
{
    struct members m = members_of(&r->json, key, members_take(of, key));
    for (size_t kind = 0; kind < n; kind++)
        counts[kind] = members_take_u64(&m, io_kind_names[kind], UINT64_MAX);
    members_end(&m);
}

static void read_charges(struct summary_reading *r, json_t *value)
{
    struct charge_summary *c = &r->summary->charges;
    struct members m = members_of(&r->json, "charges", value);
    r->summary->charged = true;
    c->methods = take_methods(r, &m);
    take_counts(r, &m, "events", c->events, IO_KINDS);
    take_counts(r, &m, "inferred", c->inferred, IO_TRACE_KINDS);
    take_counts(r, &m, "unassigned", c->unassigned, IO_TRACE_KINDS);
    c->idds = (size_t)members_take_u64(&m, "idds", SIZE_MAX);
    members_take_fields(&m, charges_fields, c);
    c->devices_unknown = (size_t)members_take_u64(&m, "devices_unknown", SIZE_MAX);
    members_end(&m);
}

/* ---- pCPUs and domains ---- */

/* Room for the n elements of an array. NULL with the error filled. */
static void *new_items(struct summary_reading *r, size_t n, size_t size)
{
    void *items = calloc(n + 1, size);
    if (!items && !r->json.wrong) {
        error_no_memory(r->json.err, "a summary");
        r->json.wrong = true;
    }
    return items;
}

static void read_pcpus(struct summary_reading *r, struct members *of)
{
    struct summary *s = r->summary;
    size_t n;
    json_t *list = members_take_array(of, "pcpus", PCPUS_MAX, &n);
    s->pcpus = new_items(r, n, sizeof *s->pcpus);
    for (; s->pcpus && s->pcpus_n < n && !r->json.wrong; s->pcpus_n++) {
        struct summary_pcpu *p = &s->pcpus[s->pcpus_n];
        struct members m = members_of(&r->json, "pcpus", json_array_get(list, s->pcpus_n));
        p->pcpu = (uint16_t)members_take_u64(&m, "pcpu", PCPUS_MAX - 1);
        p->blind_ns = members_take_u64(&m, "blind_ns", UINT64_MAX);
        members_end(&m);
        if (s->pcpus_n > 0 && p->pcpu <= p[-1].pcpu)
            json_wrong(&r->json, "pcpus", "is out of order");
    }
}

static void read_domains(struct summary_reading *r, struct members *of)
{
    struct summary *s = r->summary;
    size_t n;
    json_t *list = members_take_array(of, "domains", SUMMARY_BYTES_MAX, &n);
    s->domains = new_items(r, n, sizeof *s->domains);
    for (; s->domains && s->domains_n < n && !r->json.wrong; s->domains_n++) {
        struct summary_domain *d = &s->domains[s->domains_n];
        struct members m = members_of(&r->json, "domains", json_array_get(list, s->domains_n));
        members_take_fields(&m, domain_fields, d);
        members_end(&m);
        bool behind = s->domains_n == 0 || d->domain > d[-1].domain ||
                      (d->domain == d[-1].domain && d->life > d[-1].life);
        if (d->life == 0 || d->domain == IDLE_DOMAIN || !behind)
            json_wrong(&r->json, "domains", "has one that is impossible or out of order");
    }
}

/* ---- the whole ---- */

static void read_document(struct summary_reading *r, struct members m)
{
    read_trace(r, members_take(&m, "trace"));
    read_clock(r, members_take(&m, "clock"));
    r->summary->end_ns = members_take_u64(&m, "end_ns", UINT64_MAX);
    read_quality(r, members_take(&m, "quality"));
    json_t *charges = members_look(&m, "charges");
    if (charges)
        read_charges(r, charges);
    read_pcpus(r, &m);
    read_domains(r, &m);
    members_end(&m);
}

int summary_read(struct summary *s, const char *text, size_t n, struct error *err)
{
    *s = (struct summary){0};
    struct summary_reading r = {.json = {.name = "summary", .err = err}, .summary = s};
    struct members members;
    json_t *document = json_document(&r.json, text, n, SUMMARY_BYTES_MAX, SUMMARY_SCHEMA, &members);
    if (!document)
        return -1;
    s->texts = r.texts = new_items(&r, n, 1);
    if (s->texts && !r.json.wrong)
        read_document(&r, members);
    json_decref(document);
    if (!r.json.wrong)
        return 0;
    summary_free(s);
    return -1;
}

void summary_free(struct summary *s)
{
    free(s->pcpus);
    free(s->domains);
    free(s->texts);
    *s = (struct summary){0};
}
