#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/charge_words.h"
#include "json_fields.h"
#include "summary.h"
#include "summary_fields.h"

static json_t *of_fields(const struct stored_field *fields, const void *of)
{
    json_t *o = json_object();
    json_put_fields(&o, fields, of);
    return o;
}

static json_t *of_trace(const struct trace_summary *trace)
{
    json_t *o = json_object();
    json_put(&o, "file", json_of_bytes(trace->file));
    json_put(&o, "compression", json_of_bytes(trace->compression));
    json_put_fields(&o, trace_fields, trace);
    return o;
}

/* ---- quality ---- */

static json_t *of_event_number(uint32_t event)
{
    char text[SUMMARY_EVENT_BYTES];
    snprintf(text, sizeof text, "0x%08" PRIx32, event);
    return json_string(text);
}

static json_t *of_places(const struct quality *q)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < QUALITY_PLACES && i < q->skipped_places; i++) {
        json_t *place = of_fields(place_fields, &q->places[i]);
        json_put(&place, "what", json_of_bytes(q->places[i].what));
        json_append(&list, place);
    }
    return list;
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

static json_t *of_events(const struct quality *q)
{
    json_t *list = json_array();
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++) {
        json_t *event = json_object(), *forms = of_forms(&q->events[slot]);
        if (forms && json_array_size(forms) == 0) {
            json_decref(event);
            json_decref(forms);
            continue;
        }
        json_put(&event, "event", of_event_number(event_info(slot)->id));
        json_put(&event, "forms", forms);
        json_append(&list, event);
    }
    return list;
}

static json_t *of_unrecognised(const struct quality *q)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < q->unrecognised_kinds; i++) {
        json_t *event = json_object();
        json_put(&event, "event", of_event_number(q->unrecognised[i].event));
        json_put_fields(&event, unrecognised_fields, &q->unrecognised[i]);
        json_append(&list, event);
    }
    return list;
}

static json_t *of_quality(const struct quality *q)
{
    json_t *o = of_fields(quality_fields, q);
    json_put(&o, "skipped_what", json_of_bytes(q->skipped_what));
    json_put(&o, "places", of_places(q));
    json_put(&o, "events", of_events(q));
    json_put(&o, "unrecognised", of_unrecognised(q));
    return o;
}

/* ---- charges ---- */

static json_t *of_methods(unsigned methods)
{
    json_t *list = json_array();
    for (size_t i = 0; i < charge_method_names_n; i++)
        if (methods & charge_method_names[i].method)
            json_append(&list, json_string(charge_method_names[i].name));
    return list;
}

static json_t *of_counts(const uint64_t *counts, size_t n)
{
    json_t *o = json_object();
    for (size_t kind = 0; kind < n; kind++)
        json_put(&o, io_kind_names[kind], json_of_u64(counts[kind]));
    return o;
}

static json_t *of_charges(const struct charge_summary *c)
{
    json_t *o = json_object();
    json_put(&o, "methods", of_methods(c->methods));
    json_put(&o, "events", of_counts(c->events, IO_KINDS));
    json_put(&o, "inferred", of_counts(c->inferred, IO_TRACE_KINDS));
    json_put(&o, "unassigned", of_counts(c->unassigned, IO_TRACE_KINDS));
    json_put(&o, "idds", json_of_u64(c->idds));
    json_put_fields(&o, charges_fields, c);
    json_put(&o, "devices_unknown", json_of_u64(c->devices_unknown));
    return o;
}

/* ---- the whole ---- */

static json_t *of_pcpus(const struct summary *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->pcpus_n; i++) {
        json_t *pcpu = json_object();
        json_put(&pcpu, "pcpu", json_integer(s->pcpus[i].pcpu));
        json_put(&pcpu, "blind_ns", json_of_u64(s->pcpus[i].blind_ns));
        json_append(&list, pcpu);
    }
    return list;
}

static json_t *of_domains(const struct summary *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->domains_n; i++)
        json_append(&list, of_fields(domain_fields, &s->domains[i]));
    return list;
}

void summary_put(struct buffer *b, const struct summary *s)
{
    json_t *o = json_object();
    json_put(&o, "schema", json_string(SUMMARY_SCHEMA));
    json_put(&o, "trace", of_trace(&s->trace));
    json_put(&o, "clock", of_fields(clock_fields, &s->clock));
    json_put(&o, "end_ns", json_of_u64(s->end_ns));
    json_put(&o, "quality", of_quality(&s->quality));
    if (s->charged)
        json_put(&o, "charges", of_charges(&s->charges));
    json_put(&o, "pcpus", of_pcpus(s));
    json_put(&o, "domains", of_domains(s));
    char *text = o ? json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    if (text) {
        buffer_text(b, text);
        buffer_text(b, "\n");
    } else {
        b->failed = true;
    }
    free(text);
    json_decref(o);
}
