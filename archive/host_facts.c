#include "archive/host_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/host_facts_fields.h"
#include "formats/json_text.h"
#include "formats/utf8.h"

/* ---- the forms ---- */

#define WORD(STRUCT, MEMBER)                                                                                 \
    FIELD_OF(WORD, struct STRUCT, #MEMBER, MEMBER, sizeof(((const struct STRUCT *)NULL)->MEMBER))
#define NUMBER(STRUCT, MEMBER, TYPE, MOST)   FIELD(struct STRUCT, #MEMBER, MEMBER, TYPE, true, 0, MOST, NULL)
#define IF_KNOWN(STRUCT, MEMBER, TYPE, MOST) FIELD(struct STRUCT, #MEMBER, MEMBER, TYPE, false, 0, MOST, NULL)
#define TSC(STRUCT)                          NUMBER(STRUCT, tsc, U64, UINT64_MAX)
#define DOMAIN(STRUCT)                       NUMBER(STRUCT, domain, U32, UINT16_MAX)

static const struct stored_field boot[] = {
    TSC(fact_boot),
    IF_KNOWN(fact_boot, utc_ns, I64, FACT_UTC_MAX),
    WORD(fact_boot, boot_id),
    WORD(fact_boot, host),
    WORD(fact_boot, xen),
    IF_KNOWN(fact_boot, pcpus, U32, UINT32_MAX),
    FIELDS_END,
};

static const struct stored_field clock_pair[] = {
    TSC(fact_clock),
    NUMBER(fact_clock, utc_ns, I64, FACT_UTC_MAX),
    NUMBER(fact_clock, monotonic_ns, U64, FACT_UTC_MAX),
    NUMBER(fact_clock, error_ns, U64, INT64_MAX),
    IF_KNOWN(fact_clock, by_stream, FLAG, 1),
    FIELDS_END,
};

static const struct stored_field domain[] = {
    TSC(fact_domain),
    DOMAIN(fact_domain),
    WORD(fact_domain, uuid),
    WORD(fact_domain, name),
    IF_KNOWN(fact_domain, vcpus, U32, UINT32_MAX),
    IF_KNOWN(fact_domain, weight, U32, UINT32_MAX),
    IF_KNOWN(fact_domain, cap, U32, UINT32_MAX),
    IF_KNOWN(fact_domain, memory_kib, U64, UINT64_MAX),
    FIELDS_END,
};

static const struct stored_field domain_gone[] = {
    TSC(fact_domain_gone),
    DOMAIN(fact_domain_gone),
    FIELDS_END,
};

static const struct stored_field affinity[] = {
    TSC(fact_affinity),        DOMAIN(fact_affinity),     NUMBER(fact_affinity, vcpu, U32, UINT32_MAX),
    WORD(fact_affinity, hard), WORD(fact_affinity, soft), FIELDS_END,
};

static const struct stored_field gap[] = {
    TSC(fact_gap),
    IF_KNOWN(fact_gap, from_utc_ns, I64, FACT_UTC_MAX),
    IF_KNOWN(fact_gap, utc_ns, I64, FACT_UTC_MAX),
    WORD(fact_gap, why),
    FIELDS_END,
};

static const struct stored_field reduced[] = {
    TSC(fact_reduced),
    IF_KNOWN(fact_reduced, utc_ns, I64, FACT_UTC_MAX),
    NUMBER(fact_reduced, mask, U32, UINT32_MAX),
    WORD(fact_reduced, why),
    FIELDS_END,
};

static const struct stored_field recorder[] = {
    TSC(fact_recorder),
    IF_KNOWN(fact_recorder, utc_ns, I64, FACT_UTC_MAX),
    NUMBER(fact_recorder, cpu_ns, U64, UINT64_MAX),
    NUMBER(fact_recorder, rss_bytes, U64, UINT64_MAX),
    NUMBER(fact_recorder, trace_bytes, U64, UINT64_MAX),
    NUMBER(fact_recorder, lost_records, U64, UINT64_MAX),
    NUMBER(fact_recorder, stalled_ns, U64, UINT64_MAX),
    NUMBER(fact_recorder, restarts, U32, UINT32_MAX),
    FIELDS_END,
};

const struct fact_form fact_forms[FACTS] = {
    [FACT_BOOT] = {"boot", boot},
    [FACT_CLOCK] = {"clock", clock_pair},
    [FACT_DOMAIN] = {"domain", domain},
    [FACT_DOMAIN_GONE] = {"domain_gone", domain_gone},
    [FACT_AFFINITY] = {"affinity", affinity},
    [FACT_GAP] = {"gap", gap},
    [FACT_REDUCED] = {"reduced", reduced},
    [FACT_RECORDER] = {"recorder", recorder},
};

/* ---- writing ---- */

void fact_text(char *to, size_t size, const char *s)
{
    size_t n = 0;
    while (s[n]) {
        size_t length = utf8_length(s + n) ? utf8_length(s + n) : 1;
        if (n + length >= size)
            break;
        n += length;
    }
    memcpy(to, s, n);
    memset(to + n, 0, size - n);
}

static bool is_utf8(const char *s)
{
    size_t n = 1;
    while (*s && (n = utf8_length(s)) > 0)
        s += n;
    return n > 0;
}

/* What is no UTF-8 becomes the characters U+0080 to U+00FF of its bytes. */
static void put_text(struct buffer *b, const char *s)
{
    char wide[2 * FACT_NAME], *to = wide;
    if (is_utf8(s)) {
        json_add_text(b, s);
        return;
    }
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x80)
            *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    *to = '\0';
    json_add_text(b, wide);
}

/* Appends `,"key":value`, or nothing where nothing is known. */
static void put_field(struct buffer *b, const struct stored_field *f, const void *of)
{
    const struct stored_field only[] = {*f, FIELDS_END};
    const char *text = (const char *)of + f->scalar.offset;
    if (f->form != STORED_WORD) {
        fields_put(b, only, of);
    } else if (*text) {
        buffer_printf(b, ",\"%s\":", f->key);
        put_text(b, text);
    }
}

void fact_put(struct buffer *b, const struct fact *f)
{
    const struct fact_form *form = &fact_forms[f->kind];
    buffer_printf(b, "{\"%s\":{", form->name);
    size_t from = b->n;
    for (const struct stored_field *field = form->fields; field->key; field++)
        put_field(b, field, fact_struct(f));
    if (b->failed)
        return;
    memmove(b->at + from, b->at + from + 1, b->n - from - 1); /* the first one, tsc, has no comma before it */
    b->n--;
    buffer_text(b, "}}\n");
}

/* ---- looking up ---- */

const struct fact_domain *host_facts_domain(const struct host_facts *f, uint32_t domain, uint64_t tsc)
{
    const struct fact_domain *first = NULL, *found = NULL;
    size_t from = 0, to = f->domains_n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct fact_domain *d = &f->domains[middle];
        if (d->domain < domain || (d->domain == domain && d->tsc <= tsc))
            from = middle + 1;
        else
            to = middle;
    }
    if (from > 0 && f->domains[from - 1].domain == domain)
        found = &f->domains[from - 1];
    if (from < f->domains_n && f->domains[from].domain == domain)
        first = &f->domains[from];
    if (!found)
        found = first;
    return found && (*found->name || *found->uuid) ? found : NULL;
}

void host_facts_free(struct host_facts *f)
{
    free(f->clocks);
    free(f->domains);
    free(f->affinities);
    free(f->gaps);
    free(f->reduced);
    memset(f, 0, sizeof *f);
}
