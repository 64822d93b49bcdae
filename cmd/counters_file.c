/*
 * Outside counters for --io-counts: the file that xenmeter-io-counts(5) describes. READINGS_MAX and DEVICES_MAX bound
 * the memory: 0.5 GiB with the copy that sorting makes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/archive.h"
#include "cli.h"
#include "metrics/array.h"
#include "metrics/measure/counters.h"
#include "parser/source/codec.h"

#define READINGS_MAX   (1u << 22)
#define DEVICES_MAX    (1u << 15)
#define SLOTS          (2 * DEVICES_MAX)
#define LINE_BYTES_MAX 4096
#define FIELDS_MAX     64

/* The columns; the counts come last, in the order of struct counter_reading, and after them a second name of CPU times. */
enum counters_column {
    TIME_NS,
    TSC,
    DOMAIN,
    IDD,
    DEVICE,
    COUNTS,
    CPU = COUNTS + COUNTER_CPU,
    CPU_NET,
    COLUMNS,
    UNKNOWN = COLUMNS
};

static const char *const column_names[COLUMNS + 1] = {"time_ns",   "tsc",        "domain",     "idd",
                                                      "device",    "tx_packets", "rx_packets", "read_ops",
                                                      "write_ops", "cpu_ns",     "cpu_net_ns", NULL};

struct counters_reader {
    FILE *file;
    uint64_t line_number;
    char line[LINE_BYTES_MAX];
    char header[LINE_BYTES_MAX];
    char *fields[FIELDS_MAX]; /* of the current line; point into it */
    size_t fields_n;
    enum counters_column columns[FIELDS_MAX]; /* the column of each field of a line */
    size_t columns_n;                         /* 0: the header was not read yet */
    bool has[COLUMNS];                        /* which columns there are */
    struct counters *counters;
    size_t readings_capacity, devices_capacity;
    uint32_t slots[SLOTS]; /* hash table of devices: index + 1, 0 is free */
};

/* ---- lines and fields ---- */

/* A byte that is no text, after n that are: of a compressed file it says so. */
static int refuse_byte(struct counters_reader *r, size_t n, int c, struct error *err)
{
    int byte = c;
    size_t first = n;
    for (; first < CODEC_MAGIC_BYTES && byte != EOF; byte = getc_unlocked(r->file))
        r->line[first++] = (char)byte;
    const struct codec *codec = r->line_number == 1 ? codec_of((const uint8_t *)r->line, first) : NULL;
    return codec ? error_set(err, ERROR_FORMAT, "is compressed: unpack it with %s first", codec->name)
                 : error_on_line(err, r->line_number, "the byte 0x%02x is no text", (unsigned)c);
}

/*
 * Reads a line without its end: 1, or 0 at the end of the file. A last line without an end is still being written:
 * its last number may be cut, so it does not count.
 */
static int next_line(struct counters_reader *r, struct error *err)
{
    size_t n = 0;
    int c;
    r->line_number++;
    while ((c = getc_unlocked(r->file)) != EOF && c != '\n') {
        if (n + 1 >= LINE_BYTES_MAX)
            return error_on_line(err, r->line_number, "longer than %d bytes", LINE_BYTES_MAX - 1);
        if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
            return refuse_byte(r, n, c, err);
        r->line[n++] = (char)c;
    }
    if (ferror(r->file))
        return error_set(err, ERROR_IO, "cannot read counters: %s", strerror(errno));
    if (n > 0 && r->line[n - 1] == '\r')
        n--;
    r->line[n] = '\0';
    return c == EOF                ? 0
           : strchr(r->line, '\r') ? error_on_line(err, r->line_number, "the byte 0x0d is no text")
                                   : 1;
}

/* Finds the field that begins at `p`; returns its end (comma or NUL); NULL: its quotes are wrong. */
static char *find_field(char *p, char **field)
{
    p += strspn(p, " \t");
    if (*p != '"') {
        *field = p;
        p += strcspn(p, ",\"");
        return *p == '"' ? NULL : p;
    }
    *field = ++p;
    p = strchr(p, '"');
    if (!p)
        return NULL;
    *p++ = '\0';
    p += strspn(p, " \t");
    return *p == ',' || !*p ? p : NULL;
}

static int cut_fields(struct counters_reader *r, struct error *err)
{
    bool more = true;
    char *p = r->line;
    for (r->fields_n = 0; more; r->fields_n++) {
        if (r->fields_n == FIELDS_MAX)
            return error_on_line(err, r->line_number, "more than %d fields", FIELDS_MAX);
        char *field, *end = find_field(p, &field);
        if (!end)
            return error_on_line(err, r->line_number, "field %zu: quotes can only stand around a whole field",
                                 r->fields_n + 1);
        more = *end == ',';
        *end = '\0';
        p = end + 1;
        for (size_t n = strlen(field); n > 0 && (field[n - 1] == ' ' || field[n - 1] == '\t'); n--)
            field[n - 1] = '\0';
        r->fields[r->fields_n] = field;
    }
    return 0;
}

/* ---- the header ---- */

static int take_header(struct counters_reader *r, struct error *err)
{
    memcpy(r->header, r->line, sizeof r->header);
    if (cut_fields(r, err) != 0)
        return -1;
    for (size_t i = 0; i < r->fields_n; i++) {
        int column = name_index(column_names, r->fields[i], strlen(r->fields[i]));
        r->columns[i] = column < 0 ? UNKNOWN : (enum counters_column)column;
        if (r->columns[i] == UNKNOWN)
            continue;
        if (r->has[r->columns[i]])
            return error_on_line(err, r->line_number, "there are two columns %s", r->fields[i]);
        r->has[r->columns[i]] = true;
    }
    r->columns_n = r->fields_n;
    bool counts = false;
    for (unsigned i = COUNTS; i < COLUMNS; i++)
        counts |= r->has[i];
    if (r->has[CPU] && r->has[CPU_NET])
        return error_on_line(err, r->line_number, "the header has both cpu_ns and cpu_net_ns");
    r->counters->cpu_is_net = r->has[CPU_NET];
    if (!r->has[TIME_NS] && !r->has[TSC])
        return error_on_line(err, r->line_number, "the header has no column time_ns, and no tsc");
    if (!r->has[DOMAIN] || !r->has[DEVICE])
        return error_on_line(err, r->line_number, "the header has no column %s",
                             r->has[DOMAIN] ? "device" : "domain");
    return counts ? 0
                  : error_on_line(
                        err, r->line_number,
                        "the header has none of the columns tx_packets, rx_packets, read_ops, write_ops, "
                        "cpu_ns, cpu_net_ns");
}

/* ---- rows ---- */

struct row_values {
    uint64_t numbers[COLUMNS];
    bool filled[COLUMNS];
    const char *device;
};

static int take_number(struct counters_reader *r, struct row_values *v, enum counters_column column,
                       const char *text, struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits])
        return error_on_line(err, r->line_number, "%s: '%.40s' is not a whole number", column_names[column],
                             text);
    errno = 0;
    v->numbers[column] = strtoull(text, NULL, 10);
    bool is_domain = column == DOMAIN || column == IDD;
    if (errno || (is_domain && v->numbers[column] > UINT16_MAX) ||
        (column == TIME_NS && v->numbers[column] > INT64_MAX))
        return error_on_line(err, r->line_number, "%s: %.40s is too large", column_names[column], text);
    return 0;
}

static int take_values(struct counters_reader *r, struct row_values *v, struct error *err)
{
    if (r->fields_n != r->columns_n)
        return error_on_line(err, r->line_number, "%zu fields, the header has %zu", r->fields_n,
                             r->columns_n);
    for (size_t i = 0; i < r->fields_n; i++) {
        enum counters_column column = r->columns[i] == CPU_NET ? CPU : r->columns[i];
        const char *text = r->fields[i];
        if (column == UNKNOWN || !*text)
            continue;
        v->filled[column] = true;
        if (column == DEVICE)
            v->device = text;
        else if (take_number(r, v, column, text, err) != 0)
            return -1;
    }
    if (!v->filled[DOMAIN] || !v->filled[DEVICE])
        return error_on_line(err, r->line_number, "no %s", v->filled[DOMAIN] ? "device" : "domain");
    if (strlen(v->device) >= sizeof r->counters->devices->name)
        return error_on_line(err, r->line_number, "the name of the device is longer than %zu bytes",
                             sizeof r->counters->devices->name - 1);
    return 0;
}

static bool is_device(const struct counter_device *d, const struct row_values *v)
{
    return d->domain == v->numbers[DOMAIN] && d->idd == v->numbers[IDD] && strcmp(d->name, v->device) == 0;
}

/* Adds the device of this row, whose place in the hash table is `slot`. */
static int add_device(struct counters_reader *r, const struct row_values *v, size_t slot, struct error *err)
{
    struct counters *c = r->counters;
    if (c->devices_n == DEVICES_MAX)
        return error_on_line(err, r->line_number, "more than %u devices", DEVICES_MAX);
    struct counter_device *grown =
        array_reserve(c->devices, &r->devices_capacity, c->devices_n + 1, sizeof *c->devices);
    if (!grown)
        return error_no_memory(err, "outside counters");
    c->devices = grown;
    struct counter_device *d = &c->devices[c->devices_n++];
    memcpy(d->name, v->device, strlen(v->device) + 1);
    d->domain = (uint16_t)v->numbers[DOMAIN];
    d->idd = (uint16_t)v->numbers[IDD];
    memcpy(d->counts, v->filled + COUNTS, sizeof d->counts);
    r->slots[slot] = (uint32_t)c->devices_n;
    return 0;
}

/* The index of the row's device, added if new; a known device must have the same counters as before. */
static int find_device(struct counters_reader *r, const struct row_values *v, uint32_t *device,
                       struct error *err)
{
    const struct counters *c = r->counters;
    uint64_t seed = v->numbers[DOMAIN] << 16 | v->numbers[IDD];
    size_t slot = XXH64(v->device, strlen(v->device), seed) % SLOTS;
    while (r->slots[slot] && !is_device(&c->devices[r->slots[slot] - 1], v))
        slot = (slot + 1) % SLOTS;
    if (!r->slots[slot] && add_device(r, v, slot, err) != 0)
        return -1;
    *device = r->slots[slot] - 1;
    const bool *counts = c->devices[*device].counts;
    for (unsigned i = 0; i < COUNTER_COUNTS; i++)
        if (counts[i] != v->filled[COUNTS + i])
            return error_on_line(err, r->line_number, "%s: %s is %s here, and was not in an earlier line",
                                 v->device, column_names[COUNTS + i], counts[i] ? "empty" : "filled");
    return 0;
}

/* All readings have a tsc, or none has: the first one decides. */
static int check_moment(const struct counters_reader *r, const struct row_values *v, struct error *err)
{
    struct counters *c = r->counters;
    if (c->readings_n == 0)
        c->has_tsc = v->filled[TSC];
    if (c->has_tsc != v->filled[TSC])
        return error_on_line(err, r->line_number, "%s tsc, but the lines before have %s",
                             c->has_tsc ? "no" : "a", c->has_tsc ? "one" : "none");
    return v->filled[TSC] || v->filled[TIME_NS]
               ? 0
               : error_on_line(err, r->line_number, "neither time_ns nor tsc");
}

static int take_row(struct counters_reader *r, struct error *err)
{
    struct row_values v = {.device = ""};
    struct counters *c = r->counters;
    uint32_t device;
    if (cut_fields(r, err) != 0 || take_values(r, &v, err) != 0 || check_moment(r, &v, err) != 0 ||
        find_device(r, &v, &device, err) != 0)
        return -1;
    if (c->readings_n == READINGS_MAX)
        return error_on_line(err, r->line_number, "more than %u readings", READINGS_MAX);
    struct counter_reading *grown =
        array_reserve(c->readings, &r->readings_capacity, c->readings_n + 1, sizeof *c->readings);
    if (!grown)
        return error_no_memory(err, "outside counters");
    c->readings = grown;
    struct counter_reading *reading = &c->readings[c->readings_n++];
    *reading = (struct counter_reading){.tsc = v.numbers[TSC],
                                        .time_ns = v.numbers[TIME_NS],
                                        .device = device,
                                        .line = (uint32_t)r->line_number};
    memcpy(reading->count, v.numbers + COUNTS, sizeof reading->count);
    return 0;
}

/* ---- the file ---- */

/* A line like the header occurs where files were joined. */
static int take_line(struct counters_reader *r, struct error *err)
{
    const char *text = r->line + strspn(r->line, " \t");
    if (!*text || *text == '#')
        return 0;
    if (r->columns_n == 0)
        return take_header(r, err);
    return strcmp(r->line, r->header) == 0 ? 0 : take_row(r, err);
}

static int read_lines(struct counters_reader *r, struct error *err)
{
    int status;
    while ((status = next_line(r, err)) > 0)
        if (take_line(r, err) != 0)
            return -1;
    if (status < 0)
        return -1;
    if (r->columns_n == 0)
        return error_set(err, ERROR_FORMAT, "no whole header line: time_ns,tsc,domain,device,tx_packets,...");
    return counters_sort(r->counters, err);
}

/* Reads and closes the file; NULL: opening it failed, with `errno` set. */
static struct counters *read_file(FILE *file, struct error *err)
{
    if (!file) {
        error_set(err, ERROR_IO, "cannot read counters: %s", strerror(errno));
        return NULL;
    }
    struct counters_reader *r = calloc(1, sizeof *r);
    struct counters *c = calloc(1, sizeof *c);
    int status = -1;
    if (r && c) {
        r->file = file;
        r->counters = c;
        status = read_lines(r, err);
    } else {
        error_no_memory(err, "outside counters");
    }
    fclose(file);
    free(r);
    if (status == 0)
        return c;
    counters_free(c);
    return NULL;
}

struct counters *counters_read(const char *path, struct error *err)
{
    return archive_file_is(path) ? counters_read_archive(path, err) : read_file(fopen(path, "re"), err);
}

struct counters *counters_read_text(const char *text, size_t n, struct error *err)
{
    return read_file(fmemopen((void *)(uintptr_t)text, n, "r"), err);
}
