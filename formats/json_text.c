#include "formats/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/utf8.h"

json_t *json_of_text(const char *s)
{
    if (!s)
        return json_null();
    json_t *string = json_string(s);
    if (string)
        return string;
    struct buffer clean = {0};
    while (*s) {
        size_t n = utf8_length(s);
        if (n)
            buffer_add(&clean, s, n);
        else
            buffer_text(&clean, "\xef\xbf\xbd");
        s += n ? n : 1;
    }
    if (!clean.failed)
        string = json_stringn(clean.at, clean.n);
    buffer_free(&clean);
    return string;
}

void json_put(json_t **object, const char *key, json_t *value)
{
    if (!*object) {
        json_decref(value);
    } else if (json_object_set_new_nocheck(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

void json_append(json_t **list, json_t *value)
{
    if (!*list) {
        json_decref(value);
    } else if (json_array_append_new(*list, value) != 0) {
        json_decref(*list);
        *list = NULL;
    }
}

static bool is_plain(const char *s)
{
    while (*s >= ' ' && *s < 0x7f && *s != '"' && *s != '\\')
        s++;
    return !*s;
}

void json_add_text(struct buffer *b, const char *s)
{
    if (s && is_plain(s)) { /* nearly always, and in every execution */
        buffer_add(b, "\"", 1);
        buffer_text(b, s);
        buffer_add(b, "\"", 1);
        return;
    }
    json_t *string = json_of_text(s);
    char *escaped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    if (escaped)
        buffer_text(b, escaped);
    else
        b->failed = true;
    free(escaped);
    json_decref(string);
}

void json_add_member(struct buffer *b, const struct column *column, const struct row_view *view, bool first)
{
    size_t n = strlen(column->name);
    char *to = buffer_room(b, n + 4);
    if (!to)
        return;
    if (!first)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, column->name, n);
    to[n] = '"';
    to[n + 1] = ':';
    b->n = (size_t)(to + n + 2 - b->at);
    writer_add_value(b, column, column_value(column, view), "null", json_add_text);
}

void json_add_row(struct buffer *b, const struct shown *shown, const struct row_view *view, bool first)
{
    for (size_t c = 0; c < shown->n; c++)
        if (!(shown->columns[c]->flags & COLUMN_OF_INTERVAL)) {
            json_add_member(b, shown->columns[c], view, first);
            first = false;
        }
}

/* ---- what a document says about the trace and how far it can be trusted ---- */

/* JSON integers are int64 here; what is beyond is not reported rather than reported wrongly. */
static json_t *of_u64(uint64_t n)
{
    return n <= INT64_MAX ? json_integer((json_int_t)n) : json_null();
}

/* Rounded, so that it prints in few digits. */
static json_t *of_ppm(double ppm)
{
    return isfinite(ppm) ? json_real(round(ppm * 1000) / 1000) : json_null();
}

static json_t *of_hz(double hz)
{
    return hz > 0 && hz < 1e15 ? json_integer(llround(hz)) : json_null();
}

/* Whose trace it is, by the archive. */
static void put_origin(json_t **o, const struct origin *origin)
{
    json_put(o, "host", json_of_text(origin->host));
    json_put(o, "timeline", origin->timeline ? of_u64(origin->timeline) : json_null());
    json_put(o, "source", json_of_text(origin->source));
    if (origin->timeline)
        return;
    json_put(o, "timelines", of_u64(origin->timelines));
    json_put(o, "timelines_known_by", json_of_text("tsc"));
    json_put(o, "not_recorded_ns", of_u64(origin->not_recorded_ns));
}

json_t *json_of_trace(const struct report_summary *summary)
{
    const struct trace_summary *trace = &summary->trace;
    const struct clock *clock = &summary->clock;
    json_t *o = json_object();
    json_put(&o, "file", json_of_text(trace->file));
    json_put(&o, "bytes", of_u64(summary->quality->bytes));
    json_put(&o, "stored_bytes", trace->file_bytes ? of_u64(trace->file_bytes) : json_null());
    json_put(&o, "compression", json_of_text(trace->compression));
    if (trace->read_from)
        json_put(&o, "read_from", json_of_text(trace->read_from));
    if (summary->origin)
        put_origin(&o, summary->origin);
    json_put(&o, "records", of_u64(summary->quality->records));
    json_put(&o, "windows", of_u64(summary->quality->windows));
    json_put(&o, "pcpus", of_u64(trace->pcpus));
    json_put(&o, "tsc_first", of_u64(trace->tsc_first));
    json_put(&o, "tsc_last", of_u64(trace->tsc_last));
    json_put(&o, "duration_ns", clock->cpu_hz > 0 ? of_u64(clock_ns(clock, trace->tsc_last)) : json_null());
    json_put(&o, "reported_start_ns", of_u64(summary->start_ns));
    json_put(&o, "reported_end_ns", clock->cpu_hz > 0 ? of_u64(summary->end_ns) : json_null());
    json_put(&o, "cpu_hz", of_hz(clock->cpu_hz));
    json_put(&o, "cpu_hz_source", json_of_text(clock_source(clock)));
    json_put(&o, "cpu_hz_pairs", of_u64(clock->pairs));
    json_put(&o, "cpu_hz_spread_ppm", clock->measured ? of_ppm(clock->spread_ppm) : json_null());
    bool estimated = clock->measured || clock->by_host;
    json_put(&o, "cpu_hz_error_ppm", estimated ? of_ppm(clock->error_ppm) : json_null());
    json_put(&o, "cpu_hz_check", clock->check_pairs ? of_hz(clock->check_hz) : json_null());
    json_put(&o, "cpu_hz_check_error_ppm", clock->check_pairs ? of_ppm(clock->check_error_ppm) : json_null());
    json_put(&o, "cpu_hz_io_counts", of_hz(clock->host_hz));
    json_put(&o, "state_source", json_of_text(trace->has_runstates ? "runstate" : "switch"));
    return o;
}

static json_t *unrecognised(const struct quality *q)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < q->unrecognised_kinds; i++) {
        char event[16];
        snprintf(event, sizeof event, "0x%08" PRIx32, q->unrecognised[i].event);
        json_put(&o, event, of_u64(q->unrecognised[i].records));
    }
    if (q->unrecognised_other)
        json_put(&o, "other", of_u64(q->unrecognised_other));
    return o;
}

static json_t *skipped(const struct quality *q)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < QUALITY_PLACES && i < q->skipped_places; i++) {
        json_t *place = json_object();
        json_put(&place, "offset", of_u64(q->places[i].offset));
        json_put(&place, "bytes", of_u64(q->places[i].bytes));
        json_put(&place, "what", json_of_text(q->places[i].what));
        json_append(&list, place);
    }
    return list;
}

static json_t *reasons(const struct judgement *j)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < j->reasons; i++)
        json_append(&list, json_of_text(j->why[i]));
    return list;
}

json_t *json_of_quality(const struct report_summary *summary)
{
    const struct quality *q = summary->quality;
    json_t *o = json_object();
    for (enum quality_part part = 0; part < QUALITY_PARTS; part++)
        for (size_t row = 0; row < quality_fields_n; row++)
            if (quality_fields[row].part == part)
                json_put(&o, quality_fields[row].name,
                         quality_applies(q, row) ? of_u64(quality_number(q, row)) : json_null());
    json_put(&o, "skipped", skipped(q));
    json_put(&o, "unrecognised", unrecognised(q));
    json_put(&o, "verdict", json_of_text(verdict_name(summary->judgement->verdict)));
    json_put(&o, "why", reasons(summary->judgement));
    if (summary->charges_judgement) {
        json_put(&o, "charges_verdict", json_of_text(verdict_name(summary->charges_judgement->verdict)));
        json_put(&o, "charges_why", reasons(summary->charges_judgement));
    }
    return o;
}

json_t *json_of_compared(const struct compared *of)
{
    json_t *o = json_object();
    json_put(&o, "file", json_of_text(of->file));
    json_put(&o, "trace", of->trace ? json_incref(of->trace) : json_null());
    json_put(&o, "quality", of->quality ? json_incref(of->quality) : json_null());
    json_put(&o, "noise_interval_ns", of->intervals ? of_u64(of->interval_ns) : json_null());
    json_put(&o, "noise_intervals", of_u64(of->intervals));
    return o;
}
