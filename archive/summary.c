/* A summary as text: most functions describe an object in both directions, so that writing and reading cannot drift apart. */
#include "summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_words.h"
#include "json_fields.h"
#include "metrics/measure/row.h"

#define SUMMARY_SCHEMA      "xenmeter.summary/1"
#define SUMMARY_BYTES_MAX   (16u << 20)
#define SUMMARY_EVENT_BYTES 11 /* "0x0001f003" and the NUL */
#define CPU_HZ_MIN          1e-9

/* ---- the keys, in order ---- */

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "numbers of things are stored as U64");

#define U64(S, KEY)       FIELD(struct S, #KEY, KEY, U64, true, 0, UINT64_MAX, NULL)
#define U32(S, KEY, MOST) FIELD(struct S, #KEY, KEY, U32, true, 0, MOST, NULL)
#define REAL(S, KEY)      FIELD(struct S, #KEY, KEY, REAL, true, 0, 0, NULL)
#define FLAG(S, KEY)      FIELD(struct S, #KEY, KEY, FLAG, true, 0, 1, NULL)
#define SIGNED(S, KEY)    FIELD(struct S, #KEY, KEY, I64, true, 0, 0, NULL)

static const struct stored_field trace_fields[] = {
    U64(trace_summary, file_bytes),
    U64(trace_summary, tsc_first),
    U64(trace_summary, tsc_last),
    U32(trace_summary, pcpus, PCPUS_MAX),
    U32(trace_summary, pcpu_highest, PCPUS_MAX - 1),
    FLAG(trace_summary, has_runstates),
    FIELDS_END,
};

static const struct stored_field clock_fields[] = {
    U64(clock, tsc_first),
    REAL(clock, cpu_hz),
    FLAG(clock, measured),
    U64(clock, pairs),
    REAL(clock, spread_ppm),
    REAL(clock, error_ppm),
    U64(clock, multiplier),
    U32(clock, shift, 127),
    FIELD(struct clock, "check_pairs", check_pairs, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct clock, "check_hz", check_hz, REAL, false, 0, 0, NULL),
    FIELD(struct clock, "check_error_ppm", check_error_ppm, REAL, false, 0, 0, NULL),
    FIELD(struct clock, "difference_ppm", difference_ppm, REAL, false, 0, 0, NULL),
    FIELD(struct clock, "by_host", by_host, FLAG, false, 0, 1, NULL),
    FIELD(struct clock, "host_hz", host_hz, REAL, false, 0, 0, NULL),
    FIELD(struct clock, "host_error_ppm", host_error_ppm, REAL, false, 0, 0, NULL),
    FIELDS_END,
};

#define STORED_ALWAYS  true
#define STORED_NONZERO false

static const struct stored_field quality_numbers[] = {
#define QUALITY(NAME, UNIT, PART, ADDS, STORED)                                                              \
    FIELD(struct quality, #NAME, NAME, U64, STORED_##STORED, 0, UINT64_MAX, NULL),
#include "parser/quality.def"
#undef QUALITY
    FIELDS_END,
};

static const struct stored_field place_fields[] = {
    U64(damage, offset),
    U64(damage, bytes),
    FIELDS_END,
};

static const struct stored_field unrecognised_fields[] = {
    U64(unrecognised_event, records),
    U64(unrecognised_event, bytes),
    FIELDS_END,
};

static const struct stored_field charges_fields[] = {
    U64(charge_summary, idds),
    /* older summaries lack it: those versions charged per execution only */
    FIELD(struct charge_summary, "idds_unseparated", idds_unseparated, U64, false, 1, UINT64_MAX, NULL),
    FIELD(struct charge_summary, "idds_own_given", idds_own_given, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct charge_summary, "ran_ns", ran_ns, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct charge_summary, "unattributed_ns", unattributed_ns, U64, false, 0, UINT64_MAX, NULL),
    FLAG(charge_summary, counted),
    SIGNED(charge_summary, counted_from_ns),
    SIGNED(charge_summary, counted_to_ns),
    U64(charge_summary, devices_unknown),
    FIELD(struct charge_summary, "devices_unused", devices_unused, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct charge_summary, "cpu_impossible_ns", cpu_impossible_ns, U64, false, 0, UINT64_MAX, NULL),
    FIELD(struct charge_summary, "cpu_impossible_at_ns", cpu_impossible_at_ns, U64, false, 0, UINT64_MAX,
          NULL),
    FIELDS_END,
};

static const struct stored_field domain_fields[] = {
    FIELD(struct summary_domain, "domain", domain, I32, true, -1, UINT16_MAX, NULL),
    U32(summary_domain, life, UINT32_MAX),
    U32(summary_domain, vcpus, UINT32_MAX),
    FIELD(struct summary_domain, "running_ns", running_ns, U64, true, 0, INT64_MAX, NULL),
    FIELDS_END,
};

/* An event number, in one form only. */
static void number_of_event(struct members *m, uint32_t *event)
{
    char again[SUMMARY_EVENT_BYTES] = "";
    if (!m->reading) {
        snprintf(again, sizeof again, "0x%08" PRIx32, *event);
        json_put(&m->object, "event", json_string(again));
        return;
    }
    const char *text = json_string_value(members_take(m, "event"));
    *event = 0;
    if (text && sscanf(text, "0x%8" SCNx32, event) == 1)
        snprintf(again, sizeof again, "0x%08" PRIx32, *event);
    if (!text || strcmp(text, again) != 0 || *event > 0x0fffffff)
        json_wrong(m->reading, "event", "is no event number");
}

/* ---- trace and clock ---- */

static void trace_members(struct members *of, struct summary *s)
{
    struct trace_summary *trace = &s->trace;
    struct members m = members_object(of, "trace");
    members_text(&m, "file", &trace->file);
    members_text(&m, "compression", &trace->compression);
    members_fields(&m, trace_fields, trace);
    members_end(&m);
    const char *compression = trace->compression ? trace->compression : "";
    if (strcmp(compression, "none") != 0 && strcmp(compression, "zstd") != 0)
        members_wrong(of, "compression", "is unknown");
    if (trace->tsc_last < trace->tsc_first)
        members_wrong(of, "tsc_last", "is before tsc_first");
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

static void clock_members(struct members *of, struct summary *s)
{
    struct clock *clock = &s->clock;
    struct members m = members_object(of, "clock");
    members_fields(&m, clock_fields, clock);
    members_end(&m);
    if (of->reading && !of->reading->wrong && !clock_is_possible(clock))
        members_wrong(of, "multiplier", "and \"shift\" do not follow from \"cpu_hz\"");
}

/* ---- quality ---- */

static void places_members(struct members *of, struct summary *s)
{
    struct quality *q = &s->quality;
    size_t kept = q->skipped_places < QUALITY_PLACES ? (size_t)q->skipped_places : QUALITY_PLACES;
    size_t n = kept;
    struct members l = members_list(of, "places", QUALITY_PLACES, &n);
    if (n != kept)
        members_wrong(of, "places", "is not as long as \"skipped_places\" says");
    for (size_t i = 0; i < n; i++) {
        struct members m = members_element(&l, i);
        members_fields(&m, place_fields, &q->places[i]);
        members_text(&m, "what", &q->places[i].what);
        members_end(&m);
        if (!q->places[i].what)
            members_wrong(of, "what", "is not told");
    }
    members_end(&l);
}

/* The slot of an event number that is a row of the table, or EVENT_SLOTS. */
static unsigned slot_of(uint32_t event)
{
    unsigned slot = 0;
    while (slot < EVENT_SLOTS && event_info(slot)->id != event)
        slot++;
    return slot;
}

static json_t *of_forms(const struct event_count *count)
{
    json_t *list = json_array();
    for (unsigned form = 0; form < 16; form++)
        if (count->forms[form]) {
            json_t *pair = json_array();
            json_append(&pair, json_integer(form));
            json_append(&pair, json_of_u64(count->forms[form]));
            json_append(&list, pair);
        }
    return list;
}

static void take_forms(struct members *of, struct event_count *count)
{
    size_t n;
    json_t *list = members_take_array(of, "forms", 16, &n);
    uint64_t next = 0; /* the lowest form that may come */
    for (size_t i = 0; i < n && !members_failed(of); i++) {
        json_t *pair = json_array_get(list, i);
        uint64_t form = json_to_u64(of->reading, "forms", json_array_get(pair, 0), 15);
        uint64_t records = json_to_u64(of->reading, "forms", json_array_get(pair, 1), UINT64_MAX);
        if (json_array_size(pair) != 2 || form < next || records == 0)
            json_wrong(of->reading, "forms", "is no list of forms and numbers of records");
        count->forms[form] = records;
        next = form + 1;
    }
    if (n == 0)
        json_wrong(of->reading, "forms", "is empty");
}

static void put_events(struct members *of, struct summary *s)
{
    json_t *list = json_array();
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++) {
        struct members m = {.object = json_object()};
        json_t *forms = of_forms(&s->quality.events[slot]);
        if (forms && json_array_size(forms) == 0) {
            json_decref(m.object);
            json_decref(forms);
            continue;
        }
        uint32_t event = event_info(slot)->id;
        number_of_event(&m, &event);
        json_put(&m.object, "forms", forms);
        json_append(&list, m.object);
    }
    json_put(&of->object, "events", list);
}

static void take_events(struct members *of, struct summary *s)
{
    bool seen[EVENT_SLOTS] = {false};
    size_t n = 0;
    struct members l = members_list(of, "events", EVENT_SLOTS, &n);
    for (size_t i = 0; i < n && !members_failed(of); i++) {
        struct members m = members_element(&l, i);
        uint32_t event = 0;
        number_of_event(&m, &event);
        unsigned slot = slot_of(event);
        if (slot == EVENT_SLOTS || seen[slot]) {
            members_wrong(of, "event", "is unknown, or there twice");
            return;
        }
        seen[slot] = true;
        take_forms(&m, &s->quality.events[slot]);
        members_end(&m);
    }
}

static void unrecognised_members(struct members *of, struct summary *s)
{
    struct quality *q = &s->quality;
    size_t n = q->unrecognised_kinds;
    struct members l = members_list(of, "unrecognised", QUALITY_UNRECOGNISED, &n);
    for (unsigned i = 0; i < n && !members_failed(of); i++) {
        struct unrecognised_event *event = &q->unrecognised[i];
        struct members m = members_element(&l, i);
        number_of_event(&m, &event->event);
        members_fields(&m, unrecognised_fields, event);
        members_end(&m);
        for (unsigned before = 0; before < i; before++)
            if (q->unrecognised[before].event == event->event)
                members_wrong(of, "event", "is there twice");
        if (of->reading)
            q->unrecognised_kinds = i + 1;
    }
    members_end(&l);
}

static void quality_members(struct members *of, struct summary *s)
{
    struct members m = members_object(of, "quality");
    members_fields(&m, quality_numbers, &s->quality);
    members_text(&m, "skipped_what", &s->quality.skipped_what);
    places_members(&m, s);
    if (of->reading)
        take_events(&m, s);
    else
        put_events(&m, s);
    unrecognised_members(&m, s);
    members_end(&m);
}

/* ---- charges ---- */

static unsigned take_methods(struct members *of)
{
    unsigned methods = 0;
    size_t n, at = 0; /* at: of charge_method_names, in whose order they are */
    json_t *list = members_take_array(of, "methods", charge_method_names_n, &n);
    for (size_t i = 0; i < n; i++, at++) {
        const char *name = json_string_value(json_array_get(list, i));
        while (name && at < charge_method_names_n && strcmp(charge_method_names[at].name, name) != 0)
            at++;
        if (!name || at == charge_method_names_n) {
            members_wrong(of, "methods", "has one that is unknown or out of place");
            break;
        }
        methods |= charge_method_names[at].method;
    }
    return methods;
}

static void counts_members(struct members *of, const char *key, uint64_t *counts, size_t n)
{
    struct members m = members_object(of, key);
    for (size_t kind = 0; kind < n; kind++)
        members_number(&m, io_kind_names[kind], &counts[kind], UINT64_MAX);
    members_end(&m);
}

static void charges_members(struct members *of, struct summary *s)
{
    struct charge_summary *c = &s->charges;
    struct members m = members_object(of, "charges");
    if (of->reading)
        c->methods = take_methods(&m);
    else
        json_put(&m.object, "methods", charge_json_methods(c->methods));
    counts_members(&m, "events", c->events, IO_KINDS);
    counts_members(&m, "inferred", c->inferred, IO_TRACE_KINDS);
    counts_members(&m, "unassigned", c->unassigned, IO_TRACE_KINDS);
    members_fields(&m, charges_fields, c);
    members_end(&m);
}

/* ---- pCPUs and domains ---- */

/* Room for the n elements of an array. NULL with the error filled. */
static void *new_items(struct json_reading *r, size_t n, size_t size)
{
    void *items = calloc(n + 1, size);
    if (!items && !r->wrong) {
        error_no_memory(r->err, "a summary");
        r->wrong = true;
    }
    return items;
}

static void pcpus_members(struct members *of, struct summary *s)
{
    size_t n = s->pcpus_n;
    struct members l = members_list(of, "pcpus", PCPUS_MAX, &n);
    if (of->reading) {
        s->pcpus = new_items(of->reading, n, sizeof *s->pcpus);
        s->pcpus_n = n;
    }
    for (size_t i = 0; s->pcpus && i < n && !members_failed(of); i++) {
        struct summary_pcpu *p = &s->pcpus[i];
        struct members m = members_element(&l, i);
        uint64_t pcpu = p->pcpu;
        members_number(&m, "pcpu", &pcpu, PCPUS_MAX - 1);
        members_number(&m, "blind_ns", &p->blind_ns, UINT64_MAX);
        members_end(&m);
        if (i > 0 && pcpu <= p[-1].pcpu)
            members_wrong(of, "pcpus", "is out of order");
        if (of->reading)
            p->pcpu = (uint16_t)pcpu;
    }
    members_end(&l);
}

static void domains_members(struct members *of, struct summary *s)
{
    size_t n = s->domains_n;
    struct members l = members_list(of, "domains", SUMMARY_BYTES_MAX, &n);
    if (of->reading) {
        s->domains = new_items(of->reading, n, sizeof *s->domains);
        s->domains_n = n;
    }
    for (size_t i = 0; s->domains && i < n && !members_failed(of); i++) {
        struct summary_domain *domain = &s->domains[i];
        struct members m = members_element(&l, i);
        members_fields(&m, domain_fields, domain);
        members_end(&m);
        bool follows = i == 0 || domain->domain > domain[-1].domain ||
                       (domain->domain == domain[-1].domain && domain->life > domain[-1].life);
        if (domain->life == 0 || domain->domain == IDLE_DOMAIN || !follows)
            members_wrong(of, "domains", "has one that is impossible or out of order");
    }
    members_end(&l);
}

/* ---- the whole ---- */

static void document_members(struct members *m, struct summary *s)
{
    trace_members(m, s);
    clock_members(m, s);
    members_number(m, "end_ns", &s->end_ns, UINT64_MAX);
    quality_members(m, s);
    if (m->reading)
        s->charged = members_has(m, "charges");
    if (s->charged)
        charges_members(m, s);
    pcpus_members(m, s);
    domains_members(m, s);
}

void summary_put(struct buffer *b, const struct summary *s)
{
    struct members m = {.object = json_object()};
    json_put(&m.object, "schema", json_string(SUMMARY_SCHEMA));
    document_members(&m, (struct summary *)(uintptr_t)s); /* writing changes nothing */
    char *text = m.object ? json_dumps(m.object, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    if (text) {
        buffer_text(b, text);
        buffer_text(b, "\n");
    } else {
        b->failed = true;
    }
    free(text);
    json_decref(m.object);
}

int summary_read(struct summary *s, const char *text, size_t n, struct error *err)
{
    *s = (struct summary){0};
    struct json_reading r = {.name = "summary", .err = err};
    struct members m;
    json_t *document = json_document(&r, text, n, SUMMARY_BYTES_MAX, SUMMARY_SCHEMA, &m);
    if (!document)
        return -1;
    s->texts = r.texts = new_items(&r, n, 1);
    if (s->texts && !r.wrong) {
        document_members(&m, s);
        members_end(&m);
    }
    json_decref(document);
    if (!r.wrong)
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
