#include "archive/summary.h"

#include <stdlib.h>
#include <string.h>

#include "archive/document.h"
#include "metrics/measure/row.h"
#include "metrics/model/population.h"

#define SUMMARY_BYTES_MAX (16u << 20)
#define DOMAINS_MAX       SUMMARY_BYTES_MAX
#define CPU_HZ_MIN        1e-9
#define FORMS             16 /* of an event */
#define EVENT_FORMS_MAX   (EVENT_SLOTS * FORMS)

/* ---- the keys, in order ---- */

_Static_assert(sizeof(size_t) == sizeof(uint64_t), "numbers of things are stored as U64");

/* ADDS: how the summaries of two parts of a trace add up (SUM, MIN, MAX; MIN of a flag: it holds of both), or NOT. */
#define U64(S, KEY, ADDS)       FIELD_THAT(ADDS, struct S, #KEY, KEY, U64, true, 0, UINT64_MAX, NULL)
#define U32(S, KEY, ADDS, MOST) FIELD_THAT(ADDS, struct S, #KEY, KEY, U32, true, 0, MOST, NULL)
#define FLAG(S, KEY, ADDS)      FIELD_THAT(ADDS, struct S, #KEY, KEY, FLAG, true, 0, 1, NULL)
#define REAL(S, KEY)            FIELD(struct S, #KEY, KEY, REAL, true, 0, 0, NULL)
#define SIGNED(S, KEY)          FIELD(struct S, #KEY, KEY, I64, true, 0, 0, NULL)

static const struct stored_field trace_fields[] = {
    FIELD_OF(TEXT, struct trace_summary, "file", file, 0),
    FIELD_OF(TEXT, struct trace_summary, "compression", compression, 0),
    U64(trace_summary, file_bytes, NOT),
    U64(trace_summary, tsc_first, NOT),
    U64(trace_summary, tsc_last, MAX),
    U32(trace_summary, pcpus, MAX, PCPUS_MAX),
    U32(trace_summary, pcpu_highest, MAX, PCPUS_MAX - 1),
    FLAG(trace_summary, has_runstates, MIN),
    FIELDS_END,
};

static const struct stored_field clock_fields[] = {
    U64(clock, tsc_first, NOT),
    REAL(clock, cpu_hz),
    FLAG(clock, measured, NOT),
    U64(clock, pairs, NOT),
    REAL(clock, spread_ppm),
    REAL(clock, error_ppm),
    U64(clock, multiplier, NOT),
    U32(clock, shift, NOT, 127),
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
    FIELD_OF(TEXT, struct quality, "skipped_what", skipped_what, 0),
    FIELDS_END,
};

static const struct stored_field end_fields[] = {
    U64(summary, end_ns, NOT),
    FIELDS_END,
};

static const struct stored_field place_fields[] = {
    U64(damage, offset, NOT),
    U64(damage, bytes, NOT),
    FIELD_OF(TEXT, struct damage, "what", what, 0),
    FIELDS_END,
};

/* Records of one kind and form: words of payload, and 8 more if the record has a time stamp. */
struct event_form {
    uint32_t event, form;
    uint64_t records;
};

static const struct stored_field event_form_fields[] = {
    FIELD_OF(EVENT, struct event_form, "event", event, 0),
    U32(event_form, form, NOT, FORMS - 1),
    U64(event_form, records, NOT),
    FIELDS_END,
};

static const struct stored_field unrecognised_fields[] = {
    FIELD_OF(EVENT, struct unrecognised_event, "event", event, 0),
    U64(unrecognised_event, records, NOT),
    U64(unrecognised_event, bytes, NOT),
    FIELDS_END,
};

static const struct stored_field charges_fields[] = {
    U32(charge_summary, methods, NOT, 2 * CHARGE_THREADS - 1),
    U64(charge_summary, idds, MAX),
    U64(charge_summary, idds_unseparated, MAX),
    U64(charge_summary, idds_own_given, MAX),
    U64(charge_summary, ran_ns, SUM),
    U64(charge_summary, unattributed_ns, SUM),
    FIELD_THAT(SUM, struct charge_summary, "mixed_ns", mixed_ns, U64, false, 0, UINT64_MAX, NULL),
    FIELD_THAT(SUM, struct charge_summary, "unmarked_ns", unmarked_ns, U64, false, 0, UINT64_MAX, NULL),
    FLAG(charge_summary, counted, MIN),
    SIGNED(charge_summary, counted_from_ns),
    SIGNED(charge_summary, counted_to_ns),
    U64(charge_summary, devices_unknown, SUM),
    U64(charge_summary, devices_unused, SUM),
    U64(charge_summary, cpu_impossible_ns, SUM),
    U64(charge_summary, cpu_impossible_at_ns, NOT),
    FIELDS_END,
};

static const struct stored_field pcpu_fields[] = {
    FIELD_OF(U16, struct summary_pcpu, "pcpu", pcpu, PCPUS_MAX - 1),
    U64(summary_pcpu, blind_ns, SUM),
    FIELDS_END,
};

static const struct stored_field domain_fields[] = {
    FIELD(struct summary_domain, "domain", domain, I32, true, -1, UINT16_MAX, NULL),
    U32(summary_domain, life, NOT, UINT32_MAX),
    U32(summary_domain, vcpus, MAX, UINT32_MAX),
    FIELD_THAT(SUM, struct summary_domain, "running_ns", running_ns, U64, true, 0, INT64_MAX, NULL),
    FIELDS_END,
};

/* ---- trace and clock ---- */

static void trace_members(struct members *of, struct summary *s)
{
    struct trace_summary *trace = &s->trace;
    struct members m = members_object(of, "trace");
    members_fields(&m, trace_fields, trace);
    members_end(&m, of, "trace");
    const char *compression = trace->compression ? trace->compression : "";
    if (strcmp(compression, "none") != 0 && strcmp(compression, "zstd") != 0)
        members_wrong(of, "compression", "is unknown");
    if (trace->tsc_last < trace->tsc_first)
        members_wrong(of, "tsc_last", "is before tsc_first");
}

/*
 * Whether the conversion follows from the frequency. A clock without a frequency counts cycles; one that was never set
 * counts nothing.
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
    struct members m = members_object(of, "clock");
    members_fields(&m, clock_fields, &s->clock);
    members_end(&m, of, "clock");
    if (!members_failed(of) && !clock_is_possible(&s->clock))
        members_wrong(of, "multiplier", "and \"shift\" do not follow from \"cpu_hz\"");
}

/* ---- quality ---- */

static void places_members(struct members *m, struct quality *q)
{
    size_t kept = q->skipped_places < QUALITY_PLACES ? (size_t)q->skipped_places : QUALITY_PLACES;
    struct stored_list places = {q->places, kept, sizeof *q->places, QUALITY_PLACES};
    members_list(m, "places", place_fields, &places);
    if (places.n != kept)
        members_wrong(m, "places", "is not as long as \"skipped_places\" says");
    for (size_t i = 0; i < places.n; i++)
        if (!q->places[i].what)
            members_wrong(m, "what", "is not told");
}

/* The slot of an event number that is a row of the table, or EVENT_SLOTS. */
static unsigned slot_of(uint32_t event)
{
    unsigned slot = 0;
    while (slot < EVENT_SLOTS && event_info(slot)->id != event)
        slot++;
    return slot;
}

/* Writes what was counted to `to`, by slot and form. Returns how many. */
static size_t list_forms(const struct quality *q, struct event_form *to)
{
    size_t n = 0;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < FORMS; form++)
            if (q->events[slot].forms[form])
                to[n++] = (struct event_form){event_info(slot)->id, form, q->events[slot].forms[form]};
    return n;
}

static void events_members(struct members *m, struct quality *q)
{
    struct event_form forms[EVENT_FORMS_MAX];
    struct stored_list list = {forms, m->reading ? 0 : list_forms(q, forms), sizeof *forms, EVENT_FORMS_MAX};
    members_list(m, "events", event_form_fields, &list);
    for (size_t i = 0; m->reading && i < list.n && !members_failed(m); i++) {
        unsigned slot = slot_of(forms[i].event);
        if (slot == EVENT_SLOTS || q->events[slot].forms[forms[i].form] || !forms[i].records)
            members_wrong(m, "event", "is unknown, or there twice");
        else
            q->events[slot].forms[forms[i].form] = forms[i].records;
    }
}

static void unrecognised_members(struct members *m, struct quality *q)
{
    struct stored_list list = {q->unrecognised, q->unrecognised_kinds, sizeof *q->unrecognised,
                               QUALITY_UNRECOGNISED};
    members_list(m, "unrecognised", unrecognised_fields, &list);
    q->unrecognised_kinds = (unsigned)list.n;
    for (size_t i = 0; i < list.n; i++)
        for (size_t before = 0; before < i; before++)
            if (q->unrecognised[before].event == q->unrecognised[i].event)
                members_wrong(m, "event", "is there twice");
}

static void quality_members(struct members *of, struct summary *s)
{
    struct members m = members_object(of, "quality");
    members_fields(&m, quality_numbers, &s->quality);
    places_members(&m, &s->quality);
    events_members(&m, &s->quality);
    unrecognised_members(&m, &s->quality);
    members_end(&m, of, "quality");
}

/* ---- charges, pCPUs and domains ---- */

static void charges_members(struct members *of, struct summary *s)
{
    struct charge_summary *c = &s->charges;
    struct members m = members_object(of, "charges");
    members_fields(&m, charges_fields, c);
    members_named(&m, "events", io_kind_names, IO_KINDS, SCALAR_U64, c->events);
    members_named(&m, "inferred", io_kind_names, IO_TRACE_KINDS, SCALAR_U64, c->inferred);
    members_named(&m, "unassigned", io_kind_names, IO_TRACE_KINDS, SCALAR_U64, c->unassigned);
    members_end(&m, of, "charges");
}

static void pcpus_members(struct members *m, struct summary *s)
{
    struct stored_list list = {s->pcpus, s->pcpus_n, sizeof *s->pcpus, PCPUS_MAX};
    members_list(m, "pcpus", pcpu_fields, &list);
    s->pcpus = list.at;
    s->pcpus_n = list.n;
    for (size_t i = 1; i < s->pcpus_n; i++)
        if (s->pcpus[i].pcpu <= s->pcpus[i - 1].pcpu)
            members_wrong(m, "pcpus", "is out of order");
}

static void domains_members(struct members *m, struct summary *s)
{
    struct stored_list list = {s->domains, s->domains_n, sizeof *s->domains, DOMAINS_MAX};
    members_list(m, "domains", domain_fields, &list);
    s->domains = list.at;
    s->domains_n = list.n;
    for (size_t i = 0; i < s->domains_n; i++) {
        const struct summary_domain *d = &s->domains[i];
        bool follows = i == 0 || life_compare(d[-1].domain, d[-1].life, d->domain, d->life) < 0;
        if (d->life == 0 || d->domain == IDLE_DOMAIN || !follows)
            members_wrong(m, "domains", "has one that is impossible or out of order");
    }
}

/* ---- the whole ---- */

static void summary_members(struct members *m, void *what)
{
    struct summary *s = what;
    trace_members(m, s);
    clock_members(m, s);
    members_fields(m, end_fields, s);
    quality_members(m, s);
    s->charged = members_has(m, "charges", s->charged);
    if (s->charged)
        charges_members(m, s);
    pcpus_members(m, s);
    domains_members(m, s);
}

static const struct document document = {"summary", "xenmeter.summary/2", SUMMARY_BYTES_MAX, summary_members};

void summary_put(struct buffer *b, const struct summary *s)
{
    document_put(b, &document, s);
}

int summary_read(struct summary *s, const char *text, size_t n, struct error *err)
{
    *s = (struct summary){0};
    int status = document_read(&document, text, n, s, &s->texts, err);
    if (status != 0)
        summary_free(s);
    return status;
}

/* ---- adding ---- */

static void add_counts(uint64_t *into, const uint64_t *from, int n)
{
    for (int i = 0; i < n; i++)
        into[i] += from[i];
}

static void add_charges(struct charge_summary *into, const struct charge_summary *next, uint64_t offset_ns)
{
    if (into->cpu_impossible_ns == 0 && next->cpu_impossible_ns > 0)
        into->cpu_impossible_at_ns = offset_ns + next->cpu_impossible_at_ns;
    into->methods |= next->methods;
    into->cuts += next->cuts;
    fields_add(charges_fields, into, next);
    add_counts(into->events, next->events, IO_KINDS);
    add_counts(into->inferred, next->inferred, IO_TRACE_KINDS);
    add_counts(into->unassigned, next->unassigned, IO_TRACE_KINDS);
}

void summary_add(struct summary *into, const struct summary *next)
{
    uint64_t offset_ns = clock_ns(&into->clock, next->trace.tsc_first);
    quality_merge(&into->quality, &next->quality, offset_ns);
    add_charges(&into->charges, &next->charges, offset_ns);
    fields_add(trace_fields, &into->trace, &next->trace);
    into->end_ns = offset_ns + next->end_ns;
}

static int compare_domains(const void *a, const void *b)
{
    const struct summary_domain *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

static int compare_pcpus(const void *a, const void *b)
{
    const struct summary_pcpu *x = a, *y = b;
    return (x->pcpu > y->pcpu) - (x->pcpu < y->pcpu);
}

/* Orders a list of structs, and adds up those that are equal in the order. Returns how many are left. */
static size_t add_up(void *list, size_t n, size_t size, int (*compare)(const void *, const void *),
                     const struct stored_field *fields)
{
    char *last = NULL, *end = (char *)list + n * size;
    qsort(list, n, size, compare);
    for (char *at = list; at < end; at += size)
        if (last && compare(last, at) == 0)
            fields_add(fields, last, at);
        else
            last = memmove(last ? last + size : list, at, size);
    return last ? (size_t)(last - (char *)list) / size + 1 : 0;
}

int summary_add_lists(struct summary *to, const struct summary *from, size_t n)
{
    size_t domains = 0, pcpus = 0;
    for (size_t i = 0; i < n; i++) {
        domains += from[i].domains_n;
        pcpus += from[i].pcpus_n;
    }
    to->domains = calloc(domains + 1, sizeof *to->domains);
    to->pcpus = calloc(pcpus + 1, sizeof *to->pcpus);
    to->domains_n = to->pcpus_n = 0;
    if (!to->domains || !to->pcpus)
        return -1;
    for (size_t i = 0; i < n; i++) {
        memcpy(to->domains + to->domains_n, from[i].domains, from[i].domains_n * sizeof *to->domains);
        memcpy(to->pcpus + to->pcpus_n, from[i].pcpus, from[i].pcpus_n * sizeof *to->pcpus);
        to->domains_n += from[i].domains_n;
        to->pcpus_n += from[i].pcpus_n;
    }
    to->domains_n = add_up(to->domains, domains, sizeof *to->domains, compare_domains, domain_fields);
    to->pcpus_n = add_up(to->pcpus, pcpus, sizeof *to->pcpus, compare_pcpus, pcpu_fields);
    return 0;
}

#define ID_RESERVED 0x7ff0 /* Xen's DOMID_FIRST_RESERVED: below it ids begin anew, */
#define ID_LATE     0x7000 /* which may have happened where one is so high */

static bool is_guest(const struct summary_domain *d)
{
    return d->domain > 0 && d->domain < ID_RESERVED;
}

bool summary_domains_contradict(const struct summary *earlier, const struct summary *later)
{
    int32_t highest = 0, lowest = ID_RESERVED;
    size_t a = 0;
    for (size_t i = 0; i < earlier->domains_n; i++)
        if (is_guest(&earlier->domains[i]))
            highest = earlier->domains[i].domain; /* they are ordered */
    for (size_t b = 0; b < later->domains_n; b++) {
        const struct summary_domain *d = &later->domains[b];
        if (!is_guest(d))
            continue;
        while (a < earlier->domains_n && earlier->domains[a].domain < d->domain)
            a++;
        if (a < earlier->domains_n && earlier->domains[a].domain == d->domain)
            return false;
        lowest = lowest < d->domain ? lowest : d->domain;
    }
    return lowest < highest && highest < ID_LATE;
}

int summary_take_domains(struct summary *s, const struct row *rows, size_t n)
{
    s->domains = calloc(n + 1, sizeof *s->domains);
    for (const struct row *row = rows; s->domains && row < rows + n; row++)
        if (row->domain != IDLE_DOMAIN)
            s->domains[s->domains_n++] =
                (struct summary_domain){.domain = row->domain,
                                        .life = row->life,
                                        .vcpus = row->vcpus,
                                        .running_ns = (uint64_t)row->measures->state_ns[RUNSTATE_RUNNING]};
    return s->domains ? 0 : -1;
}

void summary_free(struct summary *s)
{
    free(s->pcpus);
    free(s->domains);
    free(s->texts);
    *s = (struct summary){0};
}
