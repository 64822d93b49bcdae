/* Reads a piece's manifest: nothing in it is believed before it was looked at. */
#include <stdlib.h>
#include <string.h>

#include "archive/frames.h"
#include "archive/manifest.h"
#include "archive/object.h"
#include "archive/tar.h"
#include "formats/columns.h"

static char *copied(struct object *o, const char *key)
{
    char *copy = strdup(object_text(o, key));
    if (!copy)
        object_wrong(o, key, "finds no memory");
    return copy;
}

/* ---- options ---- */

static void read_idds(struct object *o, struct charge_options *c)
{
    const json_t *list = object_member(o, "idds");
    if (!list || json_is_null(list))
        return;
    uint8_t *idds = calloc(65536, 1);
    c->idds = idds;
    if (!idds || !json_is_array(list))
        object_wrong(o, "idds", idds ? "is no list" : "finds no memory");
    for (size_t i = 0; !o->failed && i < json_array_size(list); i++) {
        const json_t *domain = json_array_get(list, i);
        json_int_t id = json_integer_value(domain);
        if (!json_is_integer(domain) || id < 0 || id > 65535)
            object_wrong(o, "idds", "holds something that is no domain's id");
        else
            idds[id] = 1;
    }
}

static void read_charge(struct object *options, struct piece_options *to)
{
    const json_t *json = object_member(options, "charge");
    if (!json || json_is_null(json))
        return;
    struct object o = object_in(options, json);
    struct charge_options *c = &to->charge;
    c->wanted = true;
    c->methods = (unsigned)object_u64(&o, "methods", 2 * CHARGE_AUTO - 1);
    c->interval_ns = object_u64(&o, "interval_ns", INT64_MAX);
    c->spread_own = object_flag(&o, "spread_own");
    to->io_counts = object_flag(&o, "io_counts");
    const json_t *weights = object_list(&o, "weights");
    if (weights && json_array_size(weights) != IO_KINDS)
        object_wrong(&o, "weights", "has not one weight for each kind");
    for (size_t kind = 0; !o.failed && kind < IO_KINDS; kind++) {
        double weight = json_number_value(json_array_get(weights, kind));
        if (!json_is_number(json_array_get(weights, kind)) || !(weight >= 0 && weight <= 1e15))
            object_wrong(&o, "weights", "holds something that is no weight");
        c->weights[kind] = weight;
    }
    read_idds(&o, c);
    options->failed = options->failed || o.failed;
}

static void read_bys(struct object *o, struct piece_options *to)
{
    const json_t *list = object_list(o, "by");
    for (size_t i = 0; !o->failed && i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        unsigned by = 0;
        while (name && by < 4 && strcmp(name, by_names[by]) != 0)
            by++;
        if (!name || by == 4)
            object_wrong(o, "by", "holds something that rows cannot be by");
        else
            to->bys |= 1u << by;
    }
}

static void read_options(struct object *piece, struct piece_options *to)
{
    const json_t *json = object_member(piece, "options");
    if (!json)
        return;
    struct object o = object_in(piece, json);
    read_bys(&o, to);
    const json_t *list = object_list(&o, "granularities_ns");
    if (list && json_array_size(list) > METER_GRANULARITIES)
        object_wrong(&o, "granularities_ns", "holds too many");
    for (size_t i = 0; !o.failed && i < json_array_size(list); i++) {
        const json_t *length = json_array_get(list, i);
        if (!json_is_integer(length) || json_integer_value(length) < 0)
            object_wrong(&o, "granularities_ns", "holds something that is no length");
        else
            to->granularities_ns[to->granularities++] = (uint64_t)json_integer_value(length);
    }
    to->executions = object_flag(&o, "executions");
    to->cpu_hz = object_real(&o, "cpu_hz");
    read_charge(&o, to);
    piece->failed = piece->failed || o.failed;
}

/* ---- members ---- */

static void read_member(struct object *piece, const json_t *json, struct piece *p, uint32_t frames)
{
    struct object o = object_in(piece, json);
    struct member *m = piece_new_member(p);
    if (!m)
        object_wrong(&o, "members", "find no memory");
    else if (!member_named(m, object_text(&o, "name")))
        object_wrong(&o, "name", "is none that a member can have");
    if (o.failed) {
        piece->failed = true;
        return;
    }
    uint64_t most = m->kind == MEMBER_TRACE ? CHUNK_MAX : FRAME_CONTENT_MAX;
    m->bytes = (uint32_t)object_u64(&o, "bytes", most);
    m->frame = (uint32_t)object_u64(&o, "frame", frames - 1);
    m->at = (uint32_t)object_u64(&o, "at", FRAME_CONTENT_MAX);
    if (m->at < TAR_BLOCK || m->at % TAR_BLOCK != 0)
        object_wrong(&o, "at", "is not behind a header");
    if (m->kind == MEMBER_TRACE)
        m->from = object_u64(&o, "offset", INT64_MAX);
    if (m->kind == MEMBER_ENTRY)
        m->tsc = object_u64(&o, "tsc", UINT64_MAX);
    if (m->kind == MEMBER_RESULTS) {
        m->from = object_u64(&o, "from_ns", UINT64_MAX);
        m->to = object_u64(&o, "to_ns", UINT64_MAX);
    }
    object_hex(&o, "xxh3_128", m->digest, DIGEST_BYTES);
    piece->failed = piece->failed || o.failed;
}

/* The chunks are numbered and follow each other; so are the results of one kind. */
static void check_order(struct object *o, const struct piece *p)
{
    uint64_t bytes = 0;
    uint32_t chunks = 0, results[4] = {0};
    for (size_t i = 0; i < p->members_n && !o->failed; i++) {
        const struct member *m = &p->members[i];
        if (m->kind == MEMBER_TRACE) {
            if (m->number != chunks++ || m->from != bytes || m->bytes == 0)
                object_wrong(o, m->name, "does not follow the chunk before it");
            bytes += m->bytes;
        } else if (m->kind == MEMBER_RESULTS && m->number != results[m->by]++) {
            object_wrong(o, m->name, "does not follow the results before it");
        }
    }
    if (!o->failed && p->trace_stored && bytes != p->trace_bytes)
        object_wrong(o, "trace_bytes", "is not what the chunks have together");
    if (!o->failed && !p->trace_stored && chunks > 0)
        object_wrong(o, "trace_stored", "is false, but there are chunks of it");
}

int manifest_read(struct piece *p, const char *text, size_t n, uint32_t frames, struct error *err)
{
    json_t *root;
    struct object o = object_document(text, n, MANIFEST_SCHEMA, &root, err);
    const char *host = object_text(&o, "host"), *id = object_text(&o, "id");
    if (!o.failed && !host_label_fine(host))
        object_wrong(&o, "host", "is none that a host can have");
    if (!o.failed &&
        (strlen(id) != PIECE_ID_BYTES - 1 || strspn(id, "0123456789abcdef") != PIECE_ID_BYTES - 1))
        object_wrong(&o, "id", "is not 16 hexadecimal digits");
    if (!o.failed) {
        memcpy(p->host, host, strlen(host) + 1);
        memcpy(p->id, id, PIECE_ID_BYTES);
    }
    p->source = copied(&o, "source");
    p->tool = copied(&o, "tool");
    p->tsc_first = object_u64(&o, "tsc_first", UINT64_MAX);
    p->tsc_last = object_u64(&o, "tsc_last", UINT64_MAX);
    if (p->tsc_last < p->tsc_first)
        object_wrong(&o, "tsc_last", "is before tsc_first");
    p->cpu_hz = object_real(&o, "cpu_hz");
    p->duration_ns = object_u64(&o, "duration_ns", UINT64_MAX);
    p->trace_bytes = object_u64(&o, "trace_bytes", INT64_MAX);
    p->trace_stored = object_flag(&o, "trace_stored");
    read_options(&o, &p->options);
    const json_t *members = object_list(&o, "members");
    for (size_t i = 0; !o.failed && i < json_array_size(members); i++)
        read_member(&o, json_array_get(members, i), p, frames);
    if (!o.failed)
        check_order(&o, p);
    json_decref(root);
    return o.failed ? -1 : 0;
}
