/* Reads a capture's manifest: every value is checked before it is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/frames.h"
#include "archive/json_fields.h"
#include "archive/manifest.h"
#include "archive/tar.h"
#include "metrics/relation/relation.h"

#define MEMBERS_MAX (1u << 24)

static char *copied(struct members *m, const char *key)
{
    char *copy = strdup(members_take_text(m, key));
    if (!copy)
        json_wrong(m->reading, key, "finds no memory");
    return copy;
}

/* ---- options ---- */

static void read_idds(struct members *m, struct charge_options *c)
{
    json_t *list = members_take(m, "idds");
    if (json_is_null(list))
        return;
    uint8_t *idds = calloc(65536, 1);
    c->idds = idds;
    if (!idds || !json_is_array(list))
        json_wrong(m->reading, "idds", idds ? "is no list" : "finds no memory");
    for (size_t i = 0; idds && !m->reading->wrong && i < json_array_size(list); i++)
        idds[json_to_u64(m->reading, "idds", json_array_get(list, i), 65535)] = 1;
}

static void read_charge(struct json_reading *r, json_t *json, struct capture_options *to)
{
    struct charge_options *c = &to->charge;
    size_t n;
    if (json_is_null(json))
        return;
    struct members m = members_of(r, "charge", json);
    c->wanted = true;
    c->methods = (unsigned)members_take_u64(&m, "methods", 2 * CHARGE_AUTO - 1);
    c->interval_ns = members_take_u64(&m, "interval_ns", INT64_MAX);
    c->spread_own = members_take_flag(&m, "spread_own");
    to->io_counts = members_take_flag(&m, "io_counts");
    const json_t *weights = members_take_array(&m, "weights", IO_KINDS, &n);
    if (n != IO_KINDS)
        json_wrong(r, "weights", "has not one weight for each kind");
    for (size_t kind = 0; !r->wrong && kind < IO_KINDS; kind++) {
        double weight = json_number_value(json_array_get(weights, kind));
        if (!json_is_number(json_array_get(weights, kind)) || !(weight >= 0 && weight <= 1e15))
            json_wrong(r, "weights", "holds something that is no weight");
        c->weights[kind] = weight;
    }
    read_idds(&m, c);
    members_end(&m);
}

static void read_bys(struct members *m, struct capture_options *to)
{
    size_t n;
    const json_t *list = members_take_array(m, "by", 4, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned by = 0;
        while (name && by < 4 && strcmp(name, by_names[by]) != 0)
            by++;
        if (!name || by == 4)
            json_wrong(m->reading, "by", "holds something that rows cannot be by");
        else
            to->bys |= 1u << by;
    }
}

static void read_options(struct json_reading *r, json_t *json, struct capture_options *to)
{
    struct members m = members_of(r, "options", json);
    size_t n;
    read_bys(&m, to);
    const json_t *list = members_take_array(&m, "granularities_ns", METER_GRANULARITIES, &n);
    for (; to->granularities < n; to->granularities++)
        to->granularities_ns[to->granularities] =
            json_to_u64(r, "granularities_ns", json_array_get(list, to->granularities), INT64_MAX);
    to->executions = members_take_flag(&m, "executions");
    to->cpu_hz = members_take_real(&m, "cpu_hz");
    read_charge(r, members_take(&m, "charge"), to);
    members_end(&m);
}

/* ---- members ---- */

static void read_member(struct json_reading *r, json_t *json, struct capture *p, uint32_t frames)
{
    struct members m = members_of(r, "members", json);
    struct member *to = capture_new_member(p);
    if (!to || !member_named(to, members_take_text(&m, "name")))
        json_wrong(r, "name", to ? "is none that a member can have" : "finds no memory");
    if (r->wrong || !to)
        return;
    to->bytes =
        (uint32_t)members_take_u64(&m, "bytes", to->kind == MEMBER_TRACE ? CHUNK_MAX : FRAME_CONTENT_MAX);
    to->frame = (uint32_t)members_take_u64(&m, "frame", frames - 1);
    to->at = (uint32_t)members_take_u64(&m, "at", FRAME_CONTENT_MAX);
    if (to->at < TAR_BLOCK || to->at % TAR_BLOCK != 0)
        json_wrong(r, "at", "is not behind a header");
    if (to->kind == MEMBER_TRACE)
        to->from = members_take_u64(&m, "offset", INT64_MAX);
    if (to->kind == MEMBER_ENTRY)
        to->tsc = members_take_u64(&m, "tsc", UINT64_MAX);
    if (to->kind == MEMBER_RESULTS) {
        to->from = members_take_u64(&m, "from_ns", UINT64_MAX);
        to->to = members_take_u64(&m, "to_ns", UINT64_MAX);
    }
    members_take_hex(&m, "xxh3_128", to->digest, DIGEST_BYTES);
    members_end(&m);
}

/* The chunks are numbered and follow each other; so are the results of one kind. */
static void check_order(struct json_reading *r, const struct capture *p)
{
    uint64_t bytes = 0;
    uint32_t chunks = 0, results[4] = {0};
    for (size_t i = 0; i < p->members_n && !r->wrong; i++) {
        const struct member *m = &p->members[i];
        if (m->kind == MEMBER_TRACE) {
            if (m->number != chunks++ || m->from != bytes || m->bytes == 0)
                json_wrong(r, m->name, "does not follow the chunk before it");
            bytes += m->bytes;
        } else if (m->kind == MEMBER_RESULTS && m->number != results[m->by]++) {
            json_wrong(r, m->name, "does not follow the results before it");
        }
    }
    if (p->trace_stored && bytes != p->trace_bytes)
        json_wrong(r, "trace_bytes", "is not what the chunks have together");
    if (!p->trace_stored && chunks > 0)
        json_wrong(r, "trace_stored", "is false, but there are chunks of it");
}

static void read_name(struct members *m, struct capture *p)
{
    const char *host = members_take_text(m, "host"), *id = members_take_text(m, "id");
    if (!host_label_fine(host))
        json_wrong(m->reading, "host", "is none that a host can have");
    if (!capture_id_fine(id))
        json_wrong(m->reading, "id", "is not 16 hexadecimal digits");
    snprintf(p->host, sizeof p->host, "%s", host);
    snprintf(p->id, sizeof p->id, "%s", id);
}

static void read_document(struct members *m, struct capture *p, uint32_t frames)
{
    size_t n;
    p->tool = copied(m, "tool");
    read_name(m, p);
    p->source = copied(m, "source");
    p->tsc_first = members_take_u64(m, "tsc_first", UINT64_MAX);
    p->tsc_last = members_take_u64(m, "tsc_last", UINT64_MAX);
    if (p->tsc_last < p->tsc_first)
        json_wrong(m->reading, "tsc_last", "is before tsc_first");
    p->cpu_hz = members_take_real(m, "cpu_hz");
    p->duration_ns = members_take_u64(m, "duration_ns", UINT64_MAX);
    p->trace_bytes = members_take_u64(m, "trace_bytes", INT64_MAX);
    p->trace_stored = members_take_flag(m, "trace_stored");
    read_options(m->reading, members_take(m, "options"), &p->options);
    json_t *members = members_take_array(m, "members", MEMBERS_MAX, &n);
    for (size_t i = 0; !m->reading->wrong && i < n; i++)
        read_member(m->reading, json_array_get(members, i), p, frames);
    members_end(m);
    if (!m->reading->wrong)
        check_order(m->reading, p);
}

int manifest_read(struct capture *p, const char *text, size_t n, uint32_t frames, struct error *err)
{
    struct json_reading r = {.name = "manifest", .err = err};
    struct members members;
    json_t *document = json_document(&r, text, n, MANIFEST_BYTES_MAX, MANIFEST_SCHEMA, &members);
    if (!r.wrong)
        read_document(&members, p, frames);
    json_decref(document);
    return r.wrong ? -1 : 0;
}
