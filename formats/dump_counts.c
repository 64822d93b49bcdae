#include "formats/dump_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/human.h"

#define KEYS       3
#define LABEL_MOST 48

/* The key columns of a row. */
struct count_key {
    const char *name;
    unsigned bys; /* 1 << enum by, or-ed: the bys that have it */
};

static const struct count_key keys[KEYS] = {
    {"domain", 1u << BY_DOMAIN | 1u << BY_VCPU | 1u << BY_DOMAIN_PCPU},
    {"vcpu", 1u << BY_VCPU},
    {"pcpu", 1u << BY_PCPU | 1u << BY_DOMAIN_PCPU}};

static bool has_key(const struct dump_counts *d, int key)
{
    return d->grouped && keys[key].bys & 1u << d->by;
}

static int32_t key_value(const struct counted *c, int key)
{
    return key == 0 ? c->domain : key == 1 ? c->vcpu : c->pcpu;
}

static bool same_group(const struct counted *a, const struct counted *b)
{
    return a->domain == b->domain && a->vcpu == b->vcpu && a->pcpu == b->pcpu;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double rate(const struct dump_counts *d, uint64_t records)
{
    return (double)records * 1e9 / (double)d->span_ns;
}

/* ---- text ---- */

static const char *name_of(char to[LABEL_MOST], const struct dump_counts *d, const struct counted *c)
{
    bool by_number = c->slot == EVENT_UNRECOGNISED && c->number != UINT32_MAX;
    if (by_number)
        snprintf(to, LABEL_MOST, "unrecognised 0x%08" PRIx32, c->number);
    return by_number ? to : own_slot_name(d->own, c->slot);
}

static int name_width(const struct dump_counts *d, const struct counted *list, size_t n)
{
    size_t width = strlen("event");
    char name[LABEL_MOST];
    for (size_t i = 0; i < n; i++)
        if (strlen(name_of(name, d, &list[i])) > width)
            width = strlen(name_of(name, d, &list[i]));
    return (int)width;
}

static void put_number(struct output *out, const char *text)
{
    output_printf(out, " %14s", text);
}

static void put_text_row(struct output *out, const struct dump_counts *d, const struct counted *c,
                         const struct counted *all, int width)
{
    char text[HUMAN_BYTES], name[LABEL_MOST];
    for (int key = 0; key < KEYS; key++) {
        if (!has_key(d, key))
            continue;
        if (c == all)
            output_printf(out, "%6s ", "");
        else if (key_value(c, key) < 0)
            output_printf(out, "%6s ", "?");
        else
            output_printf(out, "%6" PRId32 " ", key_value(c, key));
    }
    output_printf(out, "%-*s", width, c == all ? "all" : name_of(name, d, c));
    put_number(out, human_count(text, c->records));
    output_printf(out, " %9.2f", percent(c->records, all->records));
    if (d->span_ns)
        put_number(out, human_count(text, (uint64_t)(rate(d, c->records) + 0.5)));
    else
        put_number(out, "-");
    put_number(out, human_count(text, c->bytes));
    output_printf(out, " %7.2f\n", percent(c->bytes, all->bytes));
}

static void put_text_header(struct output *out, const struct dump_counts *d, int name)
{
    size_t width = (size_t)name + 3 * 15 + 10 + 8;
    for (int key = 0; key < KEYS; key++)
        if (has_key(d, key)) {
            output_printf(out, "%6s ", keys[key].name);
            width += 7;
        }
    output_printf(out, "%-*s %14s %9s %14s %14s %7s\n", name, "event", "records", "records %", "records/s",
                  "bytes", "bytes %");
    while (width--)
        output_write(out, "-", 1);
    output_write(out, "\n", 1);
}

/* ---- csv and jsonl ---- */

static void put_csv_header(struct output *out, const struct dump_counts *d)
{
    for (int key = 0; key < KEYS; key++)
        if (has_key(d, key))
            output_printf(out, "%s,", keys[key].name);
    output_printf(out, "event,id,records,records_pct,records_per_s,bytes,bytes_pct\n");
}

static void put_csv_row(struct output *out, const struct dump_counts *d, const struct counted *c,
                        const struct counted *all)
{
    for (int key = 0; key < KEYS; key++)
        if (has_key(d, key))
            output_printf(out, key_value(c, key) < 0 ? "," : "%" PRId32 ",", key_value(c, key));
    output_printf(out, "%s,", own_slot_name(d->own, c->slot));
    output_printf(out, c->number == UINT32_MAX ? "," : "0x%08" PRIx32 ",", c->number);
    output_printf(out, "%" PRIu64 ",%.3f,", c->records, percent(c->records, all->records));
    output_printf(out, d->span_ns ? "%.3f," : ",", rate(d, c->records));
    output_printf(out, "%" PRIu64 ",%.3f\n", c->bytes, percent(c->bytes, all->bytes));
}

static void put_json_row(struct output *out, const struct dump_counts *d, const struct counted *c,
                         const struct counted *all)
{
    output_printf(out, "{");
    for (int key = 0; key < KEYS; key++)
        if (has_key(d, key))
            output_printf(out, key_value(c, key) < 0 ? "\"%s\":null," : "\"%s\":%" PRId32 ",", keys[key].name,
                          key_value(c, key));
    output_printf(out, "\"event\":\"%s\",", own_slot_name(d->own, c->slot));
    output_printf(out, c->number == UINT32_MAX ? "\"id\":null," : "\"id\":\"0x%08" PRIx32 "\",", c->number);
    output_printf(out, "\"records\":%" PRIu64 ",\"records_pct\":%.3f,", c->records,
                  percent(c->records, all->records));
    output_printf(out, d->span_ns ? "\"records_per_s\":%.3f," : "\"records_per_s\":null,",
                  rate(d, c->records));
    output_printf(out, "\"bytes\":%" PRIu64 ",\"bytes_pct\":%.3f}\n", c->bytes,
                  percent(c->bytes, all->bytes));
}

int dump_counts_write(struct output *out, const char *format, const struct dump_counts *d)
{
    size_t n, of_group = 0;
    struct counted *list = event_counts_list(d->counts, &n), all = {0};
    bool text = strcmp(format, "text") == 0, csv = strcmp(format, "csv") == 0;
    if (!list) {
        struct error why;
        error_no_memory(&why, "the counts of events");
        return output_fail(out, &why);
    }
    for (size_t i = 0; i < n; i++) {
        all.records += list[i].records;
        all.bytes += list[i].bytes;
    }
    int width = name_width(d, list, n);
    if (text)
        put_text_header(out, d, width);
    else if (csv)
        put_csv_header(out, d);
    for (size_t i = 0; i < n; i++) {
        of_group = i > 0 && same_group(&list[i - 1], &list[i]) ? of_group + 1 : 0;
        if (d->limit && of_group >= d->limit)
            continue;
        if (text)
            put_text_row(out, d, &list[i], &all, width);
        else if (csv)
            put_csv_row(out, d, &list[i], &all);
        else
            put_json_row(out, d, &list[i], &all);
    }
    if (text)
        put_text_row(out, d, &all, &all, width);
    free(list);
    return output_failure(out) ? -1 : 0;
}
