#include "archive/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "metrics/array.h"
#include "metrics/relation/relation.h"
#include "formats/json_text.h"
#include "archive/frames.h"
#include "archive/tar.h"

void capture_free(struct capture *p)
{
    free((void *)(uintptr_t)p->options.charge.idds);
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

/* ---- writing ---- */

static void put_charge_options(struct buffer *b, const struct charge_options *c, bool io_counts)
{
    buffer_printf(
        b, "{\"methods\":%u,\"interval_ns\":%" PRIu64 ",\"spread_own\":%s,\"io_counts\":%s,\"weights\":[",
        c->methods, c->interval_ns, c->spread_own ? "true" : "false", io_counts ? "true" : "false");
    for (int kind = 0; kind < IO_KINDS; kind++)
        buffer_printf(b, "%s%.17g", kind ? "," : "", c->weights[kind]);
    buffer_text(b, "],\"idds\":");
    if (!c->idds) {
        buffer_text(b, "null}");
        return;
    }
    const char *before = "[";
    for (int domain = 0; domain < 65536; domain++)
        if (c->idds[domain]) {
            buffer_printf(b, "%s%d", before, domain);
            before = ",";
        }
    buffer_text(b, *before == '[' ? "[]}" : "]}");
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
    buffer_printf(b, "],\"executions\":%s,\"cpu_hz\":%.17g,\n  \"charge\":", o->executions ? "true" : "false",
                  o->cpu_hz);
    if (o->charge.wanted)
        put_charge_options(b, &o->charge, o->io_counts);
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
