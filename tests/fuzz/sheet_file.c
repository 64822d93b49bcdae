#include "tests/fuzz/sheet_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/must.h"
#include "tests/fuzz/fuzz_store.h"

const char *sheet_format_name(const struct sheet *s)
{
    static const char *const names[] = {"text", "csv", "jsonl"};
    return names[s->format];
}

void sheet_read(struct sheet *s)
{
    MUST(output_flush(s->output) == 0, "the output failed");
    ssize_t n;
    for (s->n = 0; (n = read(s->from, s->lines + s->n, sizeof s->lines - s->n)) > 0; s->n += (size_t)n)
        ;
    MUST(s->n < sizeof s->lines, "too many lines");
}

void sheet_begin(struct sheet *s, enum format format, bool cycles)
{
    struct error err = {0};
    s->format = format;
    s->cycles = cycles;
    if (!s->output) {
        int ends[2];
        char path[STORE_PATH];
        MUST(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 &&
                 fcntl(ends[1], F_SETPIPE_SZ, LINES_BYTES) >= (int)LINES_BYTES,
             "pipe");
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
        s->from = ends[0];
        s->output = output_open(path, &err);
        close(ends[1]);
        MUST(s->output, "%s", err.message);
    }
    const struct dump_schema schema = {.tsc = cycles, .slot = DUMP_SEVERAL_EVENTS};
    s->writer = dump_writer_new(sheet_format_name(s), s->output, &schema, &err);
    MUST(s->writer, "%s", err.message);
}

/* ---- a line ---- */

static void check_text(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        MUST((uint8_t)line[i] >= ' ' && (uint8_t)line[i] < 127, "byte 0x%02x in line \"%.*s\"", line[i],
             (int)n, line);
}

/* How many fields a line of CSV has. */
static unsigned csv_fields(const char *line, size_t n)
{
    unsigned commas = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '"') {
            MUST(quoted ? i + 1 == n || line[i + 1] == ',' : line[i - 1] == ',', "a quote in \"%.*s\"",
                 (int)n, line);
            quoted = !quoted;
        }
        commas += line[i] == ',' && !quoted;
    }
    MUST(!quoted, "a quote that does not end in \"%.*s\"", (int)n, line);
    return commas + 1;
}

static json_t *json_line(const char *line, size_t n)
{
    json_error_t why;
    json_t *document = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    if (!document) /* 64 bits without a sign are more than it takes for an integer */
        document = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    MUST(json_is_object(document), "\"%.*s\" is no JSON: %s", (int)n, line, why.text);
    return document;
}

static bool json_is(const json_t *document, const char *key, uint64_t value)
{
    const json_t *v = json_object_get(document, key);
    return json_is_integer(v) ? json_integer_value(v) == (json_int_t)value
                              : json_is_real(v) && json_real_value(v) == (double)value;
}

static void check_json_record(const char *line, size_t n, const struct dump_record *r, const char *times)
{
    json_t *document = json_line(line, n);
    bool known = r->current != CURRENT_UNKNOWN;
    MUST(json_object_size(document) == 6 && json_is_object(json_object_get(document, "fields")),
         "members of \"%.*s\"", (int)n, line);
    MUST(json_is(document, "pcpu", r->pcpu), "\"%.*s\" is of pcpu %d", (int)n, line, r->pcpu);
    MUST(known
             ? json_is(document, "domain", r->current >> 16) && json_is(document, "vcpu", r->current & 0xffff)
             : json_is_null(json_object_get(document, "domain")) &&
                   json_is_null(json_object_get(document, "vcpu")),
         "\"%.*s\" is of vcpu 0x%08" PRIx32, (int)n, line, r->current);
    uint64_t time = strcmp(times, "tsc") == 0 ? r->tsc : r->time_ns;
    MUST(json_is(document, times, time), "\"%.*s\" is of %s %" PRIu64, (int)n, line, times, time);
    json_decref(document);
}

/* Text and CSV: time, place and event. */
static void check_beginning(const struct sheet *s, const char *line, size_t n, const struct dump_record *r)
{
    char time[32], place[48], expected[128];
    bool known = r->current != CURRENT_UNKNOWN, csv = s->format == CSV;
    unsigned domain = r->current >> 16, vcpu = r->current & 0xffff;
    if (s->cycles)
        snprintf(time, sizeof time, "%" PRIu64, r->tsc);
    else if (csv)
        snprintf(time, sizeof time, "%" PRIu64, r->time_ns);
    else
        snprintf(time, sizeof time, "%4" PRIu64 ".%09" PRIu64, r->time_ns / 1000000000,
                 r->time_ns % 1000000000);
    if (known)
        snprintf(place, sizeof place, csv ? ",%d,%u,%u," : " p%-3d d%uv%u", r->pcpu, domain, vcpu);
    else
        snprintf(place, sizeof place, csv ? ",%d,,," : " p%-3d d?v?", r->pcpu);
    int length = snprintf(expected, sizeof expected, csv ? "%s%s%s," : "%s%-15s %s", time, place,
                          event_info(r->slot)->name);
    MUST(n >= (size_t)length && memcmp(line, expected, (size_t)length) == 0,
         "\"%.*s\" does not begin with \"%s\"", (int)n, line, expected);
    MUST(line[n - 1] != ' ', "a blank at the end of \"%.*s\"", (int)n, line);
}

void sheet_check_record(const struct sheet *s, const char *line, size_t n, const struct dump_record *r)
{
    check_text(line, n);
    if (s->format == JSONL) {
        check_json_record(line, n, r, s->cycles ? "tsc" : "time_ns");
        return;
    }
    if (s->format == CSV)
        MUST(csv_fields(line, n) == 6, "\"%.*s\" has not six fields", (int)n, line);
    check_beginning(s, line, n, r);
}

size_t sheet_next_line(const struct sheet *s, const char **line)
{
    const char *end = memchr(*line, '\n', (size_t)(s->lines + s->n - *line));
    MUST(end, "a line without an end");
    size_t n = (size_t)(end - *line);
    *line = end + 1;
    return n;
}

void sheet_check_header(struct sheet *s)
{
    static const char fields[] = ",pcpu,domain,vcpu,event,fields";
    const char *line = s->lines, *expected = s->cycles ? "tsc" : "time_ns";
    if (s->format != CSV)
        return;
    size_t n = sheet_next_line(s, &line), length = strlen(expected);
    MUST(n == length + strlen(fields) && memcmp(s->lines, expected, length) == 0 &&
             memcmp(s->lines + length, fields, strlen(fields)) == 0,
         "header \"%.*s\"", (int)n, s->lines);
    s->n -= n + 1;
    memmove(s->lines, line, s->n);
}

/* ---- counts ---- */

void sheet_check_counts(struct sheet *s)
{
    sheet_read(s);
    const char *line = s->lines;
    unsigned header = 0;
    while (line < s->lines + s->n) {
        const char *begin = line;
        size_t n = sheet_next_line(s, &line);
        check_text(begin, n);
        if (s->format == CSV) {
            header = header ? header : csv_fields(begin, n);
            MUST(csv_fields(begin, n) == header, "\"%.*s\" has not %u fields", (int)n, begin, header);
        } else if (s->format == JSONL) {
            json_decref(json_line(begin, n));
        }
    }
}
