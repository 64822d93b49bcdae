#include "archive/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "metrics/array.h"
#include "metrics/relation/relation.h"
#include "formats/json_text.h"
#include "archive/frames.h"
#include "archive/json_fields.h"
#include "archive/tar.h"

#define MEMBERS_MAX (1u << 24)

void capture_free(struct capture *p)
{
    free((void *)(uintptr_t)p->options.charge.idds);
    free((void *)(uintptr_t)p->options.charge.own);
    free(p->source);
    free(p->tool);
    free(p->members);
    memset(p, 0, sizeof *p);
}

/* ---- names ---- */

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool host_label_fine(const char *label)
{
    size_t n = strlen(label);
    if (n == 0 || n >= HOST_MAX || !is_label_char(label[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_label_char(label[i]) && !strchr("._-", label[i]))
            return false;
    return true;
}

bool capture_id_fine(const char *id)
{
    return strlen(id) == CAPTURE_ID_BYTES - 1 && strspn(id, "0123456789abcdef") == CAPTURE_ID_BYTES - 1;
}

void capture_member_path(const struct capture *p, const char *name, char *to)
{
    snprintf(to, TAR_NAME_MAX, "%s/%s/%s", p->host, p->id, name);
}

/* "NNNNNN" and the ending: six digits or more, and no leading zeros beyond six digits. */
static bool numbered(struct member *m, const char *text, const char *ending)
{
    size_t digits = strspn(text, "0123456789");
    char again[16];
    if (digits < 6 || digits > 10 || strcmp(text + digits, ending) != 0)
        return false;
    uint64_t number = strtoull(text, NULL, 10);
    snprintf(again, sizeof again, "%06" PRIu64, number);
    m->number = (uint32_t)number;
    return number < UINT32_MAX && strlen(again) == digits;
}

bool member_named(struct member *m, const char *name)
{
    char results[32];
    if (strlen(name) >= MEMBER_NAME || !tar_name_fine(name))
        return false;
    snprintf(m->name, sizeof m->name, "%s", name);
    m->kind = MEMBER_OTHER;
    if (strncmp(name, "trace/", 6) == 0) {
        m->kind = MEMBER_TRACE;
        return numbered(m, name + 6, ".xt");
    }
    if (strncmp(name, "entry/", 6) == 0) {
        m->kind = MEMBER_ENTRY;
        return numbered(m, name + 6, ".jsonl");
    }
    if (strncmp(name, "results/", 8) != 0)
        return strchr(name, '/') == NULL;
    m->kind = MEMBER_RESULTS;
    for (int by = 0; by < 4; by++) {
        int n = snprintf(results, sizeof results, "results/%s/", by_names[by]);
        m->by = (enum by)by;
        if (strncmp(name, results, (size_t)n) == 0)
            return numbered(m, name + n, ".jsonl");
    }
    return false;
}

struct member *capture_new_member(struct capture *p)
{
    struct member *members =
        array_reserve(p->members, &p->members_capacity, p->members_n + 1, sizeof *members);
    if (!members)
        return NULL;
    p->members = members;
    return &members[p->members_n++];
}

/* ---- digests ---- */

void digest_of(const void *bytes, size_t n, uint8_t digest[DIGEST_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, n));
    memcpy(digest, canonical.digest, DIGEST_BYTES);
}

void digest_text(const uint8_t digest[DIGEST_BYTES], char text[2 * DIGEST_BYTES + 1])
{
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* ---- the keys of numbers ---- */

#define ALWAYS(S, KEY, MEMBER, TYPE, MOST) FIELD(S, KEY, MEMBER, TYPE, true, 0, MOST, NULL)

static const struct stored_field capture_fields[] = {
    ALWAYS(struct capture, "tsc_first", tsc_first, U64, UINT64_MAX),
    ALWAYS(struct capture, "tsc_last", tsc_last, U64, UINT64_MAX),
    ALWAYS(struct capture, "cpu_hz", cpu_hz, REAL, 0),
    ALWAYS(struct capture, "duration_ns", duration_ns, U64, UINT64_MAX),
    ALWAYS(struct capture, "trace_bytes", trace_bytes, U64, INT64_MAX),
    ALWAYS(struct capture, "trace_stored", trace_stored, FLAG, 1),
    FIELDS_END,
};

static const struct stored_field options_fields[] = {
    ALWAYS(struct capture_options, "executions", executions, FLAG, 1),
    ALWAYS(struct capture_options, "cpu_hz", cpu_hz, REAL, 0),
    FIELDS_END,
};

static const struct stored_field charge_fields[] = {
    ALWAYS(struct capture_options, "methods", charge.methods, U32, 2 * CHARGE_THREADS - 1),
    ALWAYS(struct capture_options, "interval_ns", charge.interval_ns, U64, INT64_MAX),
    /* older archives lack it: those versions charged per execution only */
    FIELD(struct capture_options, "per_execution", charge.per_execution, FLAG, false, true, 1, NULL),
    ALWAYS(struct capture_options, "spread_own", charge.spread_own, FLAG, 1),
    FIELD(struct capture_options, "charge_idle", charge.charge_idle, FLAG, false, false, 1, NULL),
    ALWAYS(struct capture_options, "io_counts", io_counts, FLAG, 1),
    FIELDS_END,
};

/* ---- writing ---- */

static void put_idds(struct buffer *b, const uint8_t *idds)
{
    const char *before = "[";
    if (!idds) {
        buffer_text(b, "null");
        return;
    }
    for (int domain = 0; domain < 65536; domain++)
        if (idds[domain]) {
            buffer_printf(b, "%s%d", before, domain);
            before = ",";
        }
    buffer_text(b, *before == '[' ? "[]" : "]");
}

/* Known loads of own work; nothing without them. */
static void put_own(struct buffer *b, const struct charge_options *c)
{
    for (size_t i = 0; i < c->own_n; i++)
        buffer_printf(b, "%s{\"domain\":%u,\"ppm\":%" PRIu32 "}", i ? "," : ",\"own\":[", c->own[i].domain,
                      c->own[i].ppm);
    buffer_text(b, c->own_n ? "]" : "");
}

static void put_charge_options(struct buffer *b, const struct capture_options *o)
{
    const struct charge_options *c = &o->charge;
    size_t begin = b->n;
    fields_put(b, charge_fields, o);
    if (!b->failed)
        b->at[begin] = '{'; /* in place of the first comma */
    buffer_text(b, ",\"weights\":[");
    for (int kind = 0; kind < IO_KINDS; kind++)
        buffer_printf(b, "%s%.17g", kind ? "," : "", c->weights[kind]);
    buffer_text(b, "],\"idds\":");
    put_idds(b, c->idds);
    put_own(b, c);
    buffer_text(b, "}");
}

static void put_options(struct buffer *b, const struct capture_options *o)
{
    const char *before = "";
    buffer_text(b, " \"options\":{\"by\":[");
    for (int by = 0; by < 4; by++)
        if (o->bys & 1u << by) {
            buffer_printf(b, "%s\"%s\"", before, by_names[by]);
            before = ",";
        }
    buffer_text(b, "],\"granularities_ns\":[");
    for (size_t i = 0; i < o->granularities; i++)
        buffer_printf(b, "%s%" PRIu64, i ? "," : "", o->granularities_ns[i]);
    buffer_text(b, "]");
    fields_put(b, options_fields, o);
    buffer_text(b, ",\n  \"charge\":");
    if (o->charge.wanted)
        put_charge_options(b, o);
    else
        buffer_text(b, "null");
    buffer_text(b, "},\n");
}

static void put_member(struct buffer *b, const struct member *m)
{
    char digest[2 * DIGEST_BYTES + 1];
    digest_text(m->digest, digest);
    buffer_printf(b, "  {\"name\":\"%s\",\"bytes\":%" PRIu32 ",\"frame\":%" PRIu32 ",\"at\":%" PRIu32,
                  m->name, m->bytes, m->frame, m->at);
    if (m->kind == MEMBER_TRACE)
        buffer_printf(b, ",\"offset\":%" PRIu64, m->from);
    if (m->kind == MEMBER_ENTRY)
        buffer_printf(b, ",\"tsc\":%" PRIu64, m->tsc);
    if (m->kind == MEMBER_RESULTS)
        buffer_printf(b, ",\"from_ns\":%" PRIu64 ",\"to_ns\":%" PRIu64, m->from, m->to);
    buffer_printf(b, ",\"xxh3_128\":\"%s\"}", digest);
}

void manifest_put(struct buffer *b, const struct capture *p)
{
    buffer_text(b, "{\"schema\":\"" MANIFEST_SCHEMA "\",\n \"tool\":");
    json_add_text(b, p->tool);
    buffer_printf(b, ",\n \"host\":\"%s\",\n \"id\":\"%s\",\n \"source\":", p->host, p->id);
    json_add_text(b, p->source);
    buffer_printf(b,
                  ",\n \"tsc_first\":%" PRIu64 ",\n \"tsc_last\":%" PRIu64
                  ",\n \"cpu_hz\":%.17g,\n \"duration_ns\":%" PRIu64 ",\n \"trace_bytes\":%" PRIu64
                  ",\n \"trace_stored\":%s,\n",
                  p->tsc_first, p->tsc_last, p->cpu_hz, p->duration_ns, p->trace_bytes,
                  p->trace_stored ? "true" : "false");
    put_options(b, &p->options);
    buffer_text(b, " \"members\":[\n");
    for (size_t i = 0; i < p->members_n; i++) {
        put_member(b, &p->members[i]);
        buffer_text(b, i + 1 < p->members_n ? ",\n" : "\n");
    }
    buffer_text(b, " ]}\n");
}

/* ---- reading: every value is checked before it is used ---- */

static char *copied(struct members *m, const char *key)
{
    char *copy = strdup(members_take_text(m, key));
    if (!copy)
        json_wrong(m->reading, key, "finds no memory");
    return copy;
}

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

static void read_own(struct members *m, struct charge_options *c)
{
    size_t n;
    if (!members_has(m, "own"))
        return;
    json_t *list = members_take_array(m, "own", 65536, &n);
    struct own_load *own = calloc(n + 1, sizeof *own);
    c->own = own;
    if (!own)
        json_wrong(m->reading, "own", "finds no memory");
    for (size_t i = 0; own && !m->reading->wrong && i < n; i++) {
        struct members load = members_of(m->reading, "own", json_array_get(list, i));
        own[i].domain = (uint16_t)members_take_u64(&load, "domain", 65535);
        own[i].ppm = (uint32_t)members_take_u64(&load, "ppm", OWN_LOAD_PPM_MAX);
        members_end(&load);
        if (i > 0 && own[i].domain <= own[i - 1].domain)
            json_wrong(m->reading, "own", "is not ordered by domain");
        c->own_n = i + 1;
    }
}

static void read_charge(struct json_reading *r, json_t *json, struct capture_options *to)
{
    struct charge_options *c = &to->charge;
    size_t n;
    if (json_is_null(json))
        return;
    struct members m = members_of(r, "charge", json);
    c->wanted = true;
    members_fields(&m, charge_fields, to);
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
    read_own(&m, c);
    members_end(&m);
}

static void read_bys(struct members *m, struct capture_options *to)
{
    size_t n;
    const json_t *list = members_take_array(m, "by", 4, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned by = 0;
        while (name && by_names[by] && strcmp(name, by_names[by]) != 0)
            by++;
        if (!name || !by_names[by])
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
    members_fields(&m, options_fields, to);
    read_charge(r, members_take(&m, "charge"), to);
    members_end(&m);
}

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
    members_fields(m, capture_fields, p);
    if (p->tsc_last < p->tsc_first)
        json_wrong(m->reading, "tsc_last", "is before tsc_first");
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
