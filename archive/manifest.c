#include "archive/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/document.h"
#include "archive/frames.h"
#include "archive/tar.h"
#include "metrics/array.h"
#include "metrics/relation/relation.h"

#define MEMBERS_MAX (1u << 24)
#define DOMAINS     65536

void capture_free(struct capture *p)
{
    free((void *)(uintptr_t)p->options.charge.idds);
    free((void *)(uintptr_t)p->options.charge.own);
    free(p->texts);
    free(p->members);
    memset(p, 0, sizeof *p);
}

static void *copied(const void *bytes, size_t n)
{
    void *copy = bytes ? malloc(n) : NULL;
    return copy ? memcpy(copy, bytes, n) : NULL;
}

bool capture_keep_options(struct capture *p, const struct capture_options *o)
{
    const struct charge_options *from = &o->charge;
    struct charge_options *to = &p->options.charge;
    p->options = *o;
    to->counters = NULL;
    to->idds = copied(from->idds, DOMAINS);
    to->own = copied(from->own, from->own_n * sizeof *from->own);
    return (!from->idds || to->idds) && (!from->own || to->own);
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
    static const struct {
        const char *folder, *ending;
        enum member_kind kind;
        enum by by;
    } numbered_ones[] = {
        {"trace/", ".xt", MEMBER_TRACE, 0},
        {"snapshot/", ".bin", MEMBER_SNAPSHOT, 0},
        {"entry/", ".jsonl", MEMBER_OTHER, 0}, /* of archives made before there were snapshots */
        {"checkpoint/", ".json", MEMBER_OTHER, 0},
        {"host/", ".jsonl", MEMBER_HOST, 0},
        {"io-counts/", ".csv", MEMBER_COUNTS, 0},
        {"results/domain/", ".jsonl", MEMBER_RESULTS, BY_DOMAIN},
        {"results/vcpu/", ".jsonl", MEMBER_RESULTS, BY_VCPU},
        {"results/pcpu/", ".jsonl", MEMBER_RESULTS, BY_PCPU},
        {"results/domain-pcpu/", ".jsonl", MEMBER_RESULTS, BY_DOMAIN_PCPU},
    };
    if (strlen(name) >= MEMBER_NAME || !tar_name_fine(name))
        return false;
    snprintf(m->name, sizeof m->name, "%s", name);
    for (size_t i = 0; i < sizeof numbered_ones / sizeof *numbered_ones; i++) {
        size_t n = strlen(numbered_ones[i].folder);
        if (strncmp(name, numbered_ones[i].folder, n) != 0)
            continue;
        m->kind = numbered_ones[i].kind;
        m->by = numbered_ones[i].by;
        return numbered(m, name + n, numbered_ones[i].ending);
    }
    m->kind = MEMBER_OTHER;
    return strchr(name, '/') == NULL;
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

/* ---- the document ---- */

#define WEIGHT_MAX 1e15

#define ALWAYS(S, KEY, MEMBER, TYPE, MOST) FIELD(struct S, KEY, MEMBER, TYPE, true, 0, MOST, NULL)
#define IF_ANY(S, KEY, MEMBER)             FIELD(struct S, KEY, MEMBER, U64, false, 0, UINT64_MAX, NULL)

static const struct stored_field capture_fields[] = {
    FIELD_OF(TEXT, struct capture, "tool", tool, 0),
    FIELD_OF(WORD, struct capture, "host", host, HOST_MAX),
    FIELD_OF(WORD, struct capture, "id", id, CAPTURE_ID_BYTES),
    FIELD_OF(TEXT, struct capture, "source", source, 0),
    ALWAYS(capture, "tsc_first", tsc_first, U64, UINT64_MAX),
    ALWAYS(capture, "tsc_last", tsc_last, U64, UINT64_MAX),
    ALWAYS(capture, "cpu_hz", cpu_hz, REAL, 0),
    ALWAYS(capture, "duration_ns", duration_ns, U64, UINT64_MAX),
    ALWAYS(capture, "trace_bytes", trace_bytes, U64, INT64_MAX),
    ALWAYS(capture, "trace_stored", trace_stored, FLAG, 1),
    FIELD(struct capture, "goes_on", goes_on, FLAG, false, 0, 1, NULL),
    FIELDS_END,
};

static const struct stored_field options_fields[] = {
    ALWAYS(capture_options, "executions", executions, FLAG, 1),
    ALWAYS(capture_options, "cpu_hz", cpu_hz, REAL, 0),
    FIELDS_END,
};

static const struct stored_field charge_fields[] = {
    ALWAYS(capture_options, "methods", charge.methods, U32, 2 * CHARGE_THREADS - 1),
    ALWAYS(capture_options, "interval_ns", charge.interval_ns, U64, INT64_MAX),
    ALWAYS(capture_options, "per_execution", charge.per_execution, FLAG, 1),
    ALWAYS(capture_options, "spread_own", charge.spread_own, FLAG, 1),
    ALWAYS(capture_options, "charge_idle", charge.charge_idle, FLAG, 1),
    ALWAYS(capture_options, "io_counts", io_counts, FLAG, 1),
    FIELDS_END,
};

static const struct stored_field own_fields[] = {
    FIELD_OF(U16, struct own_load, "domain", domain, DOMAINS - 1),
    ALWAYS(own_load, "ppm", ppm, U32, OWN_LOAD_PPM_MAX),
    FIELDS_END,
};

static const struct stored_field member_fields[] = {
    FIELD_OF(WORD, struct member, "name", name, MEMBER_NAME),
    ALWAYS(member, "bytes", bytes, U32, FRAME_CONTENT_MAX),
    ALWAYS(member, "frame", frame, U32, FRAMES_MAX),
    ALWAYS(member, "at", at, U32, FRAME_CONTENT_MAX),
    IF_ANY(member, "from", from),
    IF_ANY(member, "to", to),
    IF_ANY(member, "tsc", tsc),
    FIELD_OF(BYTES, struct member, "xxh3_128", digest, DIGEST_BYTES),
    FIELDS_END,
};

/* The driver domains that were given: their numbers, or no such member. */
static void idds_members(struct members *m, struct charge_options *c)
{
    if (!members_has(m, "idds", c->idds != NULL))
        return;
    bool reading = m->reading != NULL;
    uint64_t *numbers = calloc(DOMAINS, sizeof *numbers);
    uint8_t *idds = reading ? calloc(DOMAINS, 1) : NULL;
    size_t n = 0;
    for (uint64_t domain = 0; numbers && !reading && c->idds && domain < DOMAINS; domain++)
        if (c->idds[domain])
            numbers[n++] = domain;
    if (numbers && (idds || !reading))
        members_numbers(m, "idds", numbers, &n, DOMAINS, DOMAINS - 1);
    else
        members_no_memory(m);
    for (size_t i = 0; idds && numbers && i < n; i++)
        idds[numbers[i]] = 1;
    if (reading)
        c->idds = idds;
    free(numbers);
}

/* Known loads of own work; nothing without them. */
static void own_members(struct members *m, struct charge_options *c)
{
    struct stored_list list = {(void *)(uintptr_t)c->own, c->own_n, sizeof *c->own, DOMAINS};
    if (!members_has(m, "own", c->own_n > 0))
        return;
    members_list(m, "own", own_fields, &list);
    c->own = list.at;
    c->own_n = list.n;
    for (size_t i = 1; i < c->own_n; i++)
        if (c->own[i].domain <= c->own[i - 1].domain)
            members_wrong(m, "own", "is not ordered by domain");
}

static void charge_members(struct members *of, struct capture_options *o)
{
    o->charge.wanted = true;
    struct members m = members_object(of, "charge");
    members_fields(&m, charge_fields, o);
    members_named(&m, "weights", io_kind_names, IO_KINDS, SCALAR_REAL, o->charge.weights);
    idds_members(&m, &o->charge);
    own_members(&m, &o->charge);
    members_end(&m, of, "charge");
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (o->charge.weights[kind] > WEIGHT_MAX)
            members_wrong(of, "weights", "holds something that is no weight");
}

static void options_members(struct members *of, struct capture_options *o)
{
    struct members m = members_object(of, "options");
    members_bits(&m, "by", &o->bys, by_names);
    members_numbers(&m, "granularities_ns", o->granularities_ns, &o->granularities, METER_GRANULARITIES,
                    INT64_MAX);
    members_fields(&m, options_fields, o);
    charge_members(&m, o);
    members_end(&m, of, "options");
}

static void check_member(struct members *m, struct member *member)
{
    char name[MEMBER_NAME];
    memcpy(name, member->name, sizeof name);
    if (!member_named(member, name)) { /* it may hold anything: the message does not show it */
        members_wrong(m, "name", "is none that a member can have");
        return;
    }
    if (member->at < TAR_BLOCK || member->at % TAR_BLOCK != 0)
        members_wrong(m, name, "is not behind a header");
    if (member->kind == MEMBER_TRACE && (member->bytes == 0 || member->bytes > CHUNK_MAX))
        members_wrong(m, name, "has a size that no chunk has");
    if (member->kind == MEMBER_SNAPSHOT && !member->tsc)
        members_wrong(m, name, "has no tsc");
}

/* The chunks are numbered and follow each other; so are the results of one kind. */
static void check_members(struct members *m, const struct capture *p)
{
    uint64_t bytes = 0;
    uint32_t chunks = 0, results[BYS] = {0};
    for (size_t i = 0; i < p->members_n && !members_failed(m); i++) {
        struct member *member = &p->members[i];
        check_member(m, member);
        if (member->kind == MEMBER_TRACE) {
            if (member->number != chunks++ || member->from != bytes)
                members_wrong(m, member->name, "does not follow the chunk before it");
            bytes += member->bytes;
        } else if (member->kind == MEMBER_RESULTS && member->number != results[member->by]++) {
            members_wrong(m, member->name, "does not follow the results before it");
        }
    }
    if (bytes != (p->trace_stored ? p->trace_bytes : 0))
        members_wrong(m, "trace_bytes", "is not what the chunks have together");
}

static void manifest_members(struct members *m, void *what)
{
    struct capture *p = what;
    struct stored_list members = {p->members, p->members_n, sizeof *p->members, MEMBERS_MAX};
    members_fields(m, capture_fields, p);
    options_members(m, &p->options);
    members_list(m, "members", member_fields, &members);
    p->members = members.at;
    p->members_n = members.n;
    if (!m->reading || members_failed(m))
        return;
    if (!host_label_fine(p->host) || !capture_id_fine(p->id) || !p->source || !p->tool)
        members_wrong(m, "host", "or \"id\", \"source\" or \"tool\" are none that a trace can have");
    if (p->tsc_last < p->tsc_first)
        members_wrong(m, "tsc_last", "is before tsc_first");
    check_members(m, p);
}

static const struct document document = {"manifest", MANIFEST_SCHEMA, MANIFEST_BYTES_MAX, manifest_members};

void manifest_put(struct buffer *b, const struct capture *p)
{
    document_put(b, &document, p);
}

int manifest_read(struct capture *p, const char *text, size_t n, struct error *err)
{
    return document_read(&document, text, n, p, &p->texts, err);
}
