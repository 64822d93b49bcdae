/* The texts that domains are known from. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_clean.h"
#include "formats/json_memory.h"
#include "host/domain_info.h"
#include "host/xl_line.h"

#define UUID_TEXT (FACT_UUID - 1)

/* ---- xl list -l ---- */

static uint32_t count_of(const json_t *value, uint64_t most)
{
    json_int_t n = json_integer_value(value);
    return n > 0 && (uint64_t)n <= most ? (uint32_t)n : 0;
}

static bool is_uuid(const char *text, size_t n)
{
    if (n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static void set_uuid(struct fact_domain *d, const char *text, size_t n)
{
    if (!*d->uuid && is_uuid(text, n) && strspn(text, "0-") < n) /* domain 0 may have none but zeros */
        memcpy(d->uuid, text, n);
}

/* xl prints "(null)" for the name of a domain that is going. */
static void set_name(struct fact_domain *d, const char *text, size_t n)
{
    if (!*d->name && !(n == strlen("(null)") && memcmp(text, "(null)", n) == 0))
        domain_info_set_text(d->name, text, n);
}

static void take_config(struct fact_domain *d, const json_t *config)
{
    const json_t *created = json_object_get(config, "c_info"), *built = json_object_get(config, "b_info");
    const json_t *name = json_object_get(created, "name"), *uuid = json_object_get(created, "uuid");
    const json_t *scheduling = json_object_get(built, "sched_params"),
                 *online = json_object_get(built, "avail_vcpus");
    json_int_t kib = json_integer_value(json_object_get(built, "target_memkb"));
    if (json_is_string(name))
        set_name(d, json_string_value(name), json_string_length(name));
    if (json_is_string(uuid))
        set_uuid(d, json_string_value(uuid), json_string_length(uuid));
    if (d->vcpus == 0)
        d->vcpus = json_array_size(online) > 0 ? (uint32_t)json_array_size(online)
                                               : count_of(json_object_get(built, "max_vcpus"), XL_VCPUS_END);
    if (d->memory_kib == 0 && kib > 0)
        d->memory_kib = (uint64_t)kib;
    if (d->weight == 0 && (d->weight = count_of(json_object_get(scheduling, "weight"), UINT32_MAX)) > 0)
        d->cap = count_of(json_object_get(scheduling, "cap"), UINT32_MAX);
}

static int take_object(struct domain_info *info, size_t i, const json_t *object, struct error *err)
{
    const json_t *id = json_object_get(object, "domid");
    json_int_t number = json_integer_value(id);
    if (json_is_null(id))
        return 0; /* it is not running */
    if (!json_is_integer(id) || number < 0 || number >= XL_DOMAINS_END)
        return error_set(err, ERROR_FORMAT, "the list of domains: number %zu of it has no \"domid\"", i + 1);
    struct fact_domain *d = domain_info_domain(info, (uint32_t)number);
    if (!d)
        return error_no_memory(err, "the list of domains");
    take_config(d, json_object_get(object, "config"));
    return 0;
}

static int read_json(struct domain_info *info, const char *text, size_t n, struct error *err)
{
    json_error_t why;
    size_t i;
    int status = 0;
    const json_t *object;
    struct buffer clean = {0}; /* xl prints names as they are */
    json_memory_begin();
    json_clean(&clean, text, n);
    json_t *list = clean.failed ? NULL : json_parse(clean.at, clean.n, &why);
    bool no_memory = clean.failed || json_memory_failed();
    buffer_free(&clean);
    if (!list && no_memory)
        return error_no_memory(err, "the list of domains");
    if (!list)
        return error_on_line(err, why.line > 0 ? (uint64_t)why.line : 1, "the list of domains is no JSON");
    json_array_foreach(list, i, object) if (status == 0) status = take_object(info, i, object, err);
    json_decref(list);
    return status;
}

/* Bytes of the JSON list that the text begins with; n: it does not end. */
static size_t json_bytes(const char *text, size_t n)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{'))
            depth++;
        else if (!quoted && (c == ']' || c == '}') && --depth == 0)
            return i + 1;
    }
    return n;
}

/* ---- tables ---- */

enum table { NO_TABLE, DOMAINS, VCPUS };

enum taken { TAKEN, NO_ROW, NO_MEMORY };

/* "NAME ID MEM VCPUS STATE TIME ...": words after the time depend on the options of xl list. */
static enum taken take_domain(struct domain_info *info, struct span line)
{
    const struct xl_line w = xl_line_cut(line);
    struct xl_domain row;
    for (size_t time = 0; time < w.n; time++) {
        if (!xl_line_domain(&w, time, &row))
            continue;
        struct fact_domain *d = domain_info_domain(info, (uint32_t)row.id);
        struct span name = xl_line_before(line, w.words[time + 4]);
        if (!d)
            return NO_MEMORY;
        set_name(d, name.at, name.n);
        d->vcpus = d->vcpus ? d->vcpus : (uint32_t)row.vcpus;
        d->memory_kib = d->memory_kib ? d->memory_kib : row.mib * 1024;
        if (time > 0)
            set_uuid(d, w.words[time - 1].at, w.words[time - 1].n);
        return TAKEN;
    }
    return NO_ROW;
}

/* "HARD / SOFT", or before Xen 4.5 "AFFINITY", at the end of a line. Returns how many words that takes. */
static size_t affinity_of(const struct xl_line *w, struct span *hard, struct span *soft)
{
    static const struct span all = {"all", 3};
    *hard = w->words[0];
    *soft = (struct span){"", 0};
    if (w->n > 2 && span_is(w->words[1], "/")) {
        *hard = w->words[2];
        *soft = w->words[0];
        return 3;
    }
    if (w->n > 1 && span_is(w->words[0], "cpu") && span_is(w->words[1], "any")) {
        *hard = all;
        return 2;
    }
    return 1;
}

/* A list of pCPUs that is too long ends with an ellipsis after one of them. */
static void set_pcpus(char to[FACT_NAME], struct span s)
{
    static const char more[] = ",...";
    size_t n = s.n;
    if (n >= FACT_NAME)
        for (n = FACT_NAME - sizeof more; n > 0 && s.at[n] != ',';)
            n--;
    domain_info_set_text(to, s.at, n);
    if (n < s.n)
        memcpy(to + n, more, sizeof more);
}

/* "NAME ID VCPU CPU STATE TIME AFFINITY"; *online: vCPUs of the domain that are, as far as the table was read. */
static enum taken take_vcpu(struct domain_info *info, struct span line, uint32_t *online)
{
    struct xl_line w = xl_line_cut(line);
    struct span hard, soft;
    size_t n = affinity_of(&w, &hard, &soft);
    const struct span *at = w.words + n;
    uint64_t id, vcpu, pcpu;
    if (w.n < n + 5 || !span_is_time(at[0]) || at[1].n != 3 || !span_consists_of(at[1], "rbp-") ||
        !(span_number(at[2], UINT32_MAX, &pcpu) || span_is(at[2], "-")) ||
        !span_number(at[3], XL_VCPUS_END, &vcpu) || !span_number(at[4], XL_DOMAINS_END, &id))
        return NO_ROW;
    struct fact_domain *d = domain_info_domain(info, (uint32_t)id);
    struct fact_affinity *a = d ? domain_info_affinity(info, (uint32_t)id, (uint32_t)vcpu) : NULL;
    struct span name = xl_line_before(line, at[4]);
    if (!a)
        return NO_MEMORY;
    set_name(d, name.at, name.n);
    set_pcpus(a->hard, hard);
    set_pcpus(a->soft, soft);
    online[id] += at[1].at[2] != 'p';
    return TAKEN;
}

static enum table table_of(struct span line)
{
    if (line.n < 4 || memcmp(line.at, "Name", 4) != 0 || !memmem(line.at, line.n, "ID", 2))
        return NO_TABLE;
    return memmem(line.at, line.n, "VCPUs", 5)  ? DOMAINS
           : memmem(line.at, line.n, "VCPU", 4) ? VCPUS
                                                : NO_TABLE;
}

static enum taken take_row(struct domain_info *info, enum table table, struct span line, uint32_t *online)
{
    return table == DOMAINS ? take_domain(info, line)
           : table == VCPUS ? take_vcpu(info, line, online)
                            : NO_ROW;
}

static int read_tables(struct domain_info *info, const char *text, size_t n, uint64_t number,
                       uint32_t *online, struct error *err)
{
    enum table table = NO_TABLE;
    for (size_t from = 0; from < n; number++) {
        const char *newline = memchr(text + from, '\n', n - from);
        struct span line = {text + from, newline ? (size_t)(newline - text) - from : n - from};
        from += line.n + 1;
        if (xl_line_cut(line).n == 0)
            continue;
        enum taken taken = take_row(info, table, line, online); /* a name may be as a title */
        enum table next = taken == NO_ROW ? table_of(line) : table;
        if (taken == NO_MEMORY)
            return error_no_memory(err, "the list of domains");
        if (next == NO_TABLE)
            return error_on_line(err, number, "no line of \"xl list\" or \"xl vcpu-list\"");
        table = next;
    }
    return 0;
}

/* ---- the text ---- */

static uint64_t lines_in(const char *text, size_t n)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

int domain_info_read(struct domain_info *info, const char *text, size_t n, struct error *err)
{
    size_t blanks = 0, json = 0;
    if (n > 0 && memchr(text, '\0', n))
        return error_set(err, ERROR_FORMAT, "the list of domains is no text");
    while (blanks < n && isspace((unsigned char)text[blanks]))
        blanks++;
    if (blanks < n && text[blanks] == '[') {
        json = blanks + json_bytes(text + blanks, n - blanks);
        if (read_json(info, text, json, err) != 0)
            return -1;
    }
    uint32_t *online = calloc(XL_DOMAINS_END, sizeof *online);
    if (!online)
        return error_no_memory(err, "the list of domains");
    int status = read_tables(info, text + json, n - json, lines_in(text, json) + 1, online, err);
    for (size_t i = 0; i < info->domains_n; i++)
        if (info->domains[i].vcpus == 0)
            info->domains[i].vcpus = online[info->domains[i].domain];
    free(online);
    return status;
}
