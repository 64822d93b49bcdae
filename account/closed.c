#include "closed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "account/decimal.h"
#include "archive/document.h"
#include "formats/json_memory.h"
#include "metrics/array.h"

#define HEADER_BYTES_MAX ((size_t)256 << 20)
#define FILES_MAX        (1u << 24)
#define READ_BYTES       (1u << 20)
#define SEAL_BEGIN       "{\"xxh3_128\":\""
#define SEAL_END         "\"}\n"
#define SEAL_LINE        (sizeof SEAL_BEGIN - 1 + CLOSED_HEX - 1 + sizeof SEAL_END - 1)

void closed_free(struct closed *c)
{
    entries_free(&c->entries);
    free(c->archives);
    free(c->corrects);
    free(c->texts);
    *c = (struct closed){.digits = 0};
}

const char *closed_hex(char to[CLOSED_HEX], const uint8_t digest[DIGEST_BYTES])
{
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(to + 2 * i, 3, "%02x", digest[i]);
    return to;
}

/* ---- its first line ---- */

#define CLOSED_MOMENT(KEY, MEMBER) FIELD(struct closed, KEY, MEMBER, I64, true, 0, 0, NULL)
#define CLOSED_TEXT(KEY, MEMBER)   FIELD_OF(TEXT, struct closed, KEY, MEMBER, 0)
#define CLOSED_WORD_OF(KEY)        FIELD_OF(WORD, struct closed, #KEY, KEY, CLOSED_WORD)

static const struct stored_field header_fields[] = {
    CLOSED_WORD_OF(kind),
    CLOSED_TEXT("program", program),
    CLOSED_TEXT("period", label),
    CLOSED_TEXT("zone", zone),
    CLOSED_MOMENT("period_begin_ns", period.begin_utc_ns),
    CLOSED_MOMENT("period_end_ns", period.end_utc_ns),
    CLOSED_TEXT("closed_period", closed_label),
    CLOSED_MOMENT("closed_begin_ns", closed_period.begin_utc_ns),
    CLOSED_MOMENT("closed_end_ns", closed_period.end_utc_ns),
    CLOSED_TEXT("reason", reason),
    CLOSED_TEXT("cause", cause),
    CLOSED_WORD_OF(granularity),
    CLOSED_WORD_OF(share_idle),
    CLOSED_WORD_OF(share_overhead),
    CLOSED_WORD_OF(basis),
    CLOSED_TEXT("currency", currency),
    FIELD(struct closed, "digits", digits, U32, true, 0, DECIMAL_DIGITS_MAX, NULL),
    CLOSED_TEXT("rounding", rounding),
    CLOSED_TEXT("rates", rates),
    CLOSED_TEXT("tags", tags),
    FIELDS_END,
};

static const struct stored_field file_fields[] = {
    FIELD_OF(TEXT, struct closed_file, "file", file, 0),
    FIELD(struct closed_file, "bytes", bytes, U64, true, 0, INT64_MAX, NULL),
    FIELD_OF(BYTES, struct closed_file, "xxh3_128", digest, DIGEST_BYTES),
    FIELDS_END,
};

static void files_members(struct members *m, const char *key, struct closed_file **files, size_t *n)
{
    struct stored_list list = {*files, *n, sizeof **files, FILES_MAX};
    members_list(m, key, file_fields, &list);
    *files = list.at;
    *n = list.n;
}

static bool has_names(const struct closed_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!files[i].file)
            return false;
    return true;
}

static void header_members(struct members *m, void *what)
{
    struct closed *c = what;
    members_fields(m, header_fields, c);
    files_members(m, "archives", &c->archives, &c->archives_n);
    files_members(m, "corrects", &c->corrects, &c->corrects_n);
    if (!m->reading || members_failed(m))
        return;
    if (strcmp(c->kind, "statement") != 0 && strcmp(c->kind, "correction") != 0)
        members_wrong(m, "kind", "is neither a statement nor a correction");
    if (!c->program || !c->label || !c->closed_label)
        members_wrong(m, "program", "or \"period\" is missing");
    if (!has_names(c->archives, c->archives_n) || !has_names(c->corrects, c->corrects_n))
        members_wrong(m, "file", "has no name");
    if (c->period.begin_utc_ns >= c->period.end_utc_ns ||
        c->closed_period.begin_utc_ns >= c->closed_period.end_utc_ns)
        members_wrong(m, "period_end_ns", "is not after the beginning");
}

static const struct document header = {"statement", "xenmeter.statement/1", HEADER_BYTES_MAX, header_members};

/* ---- writing ---- */

void closed_put(struct buffer *b, struct closed *c)
{
    char hex[CLOSED_HEX];
    entries_sort(&c->entries);
    size_t begin = b->n;
    document_put(b, &header, c);
    if (!b->failed && b->at[b->n - 1] != '\n')
        buffer_text(b, "\n");
    for (size_t i = 0; i < c->entries.n; i++)
        entry_put(b, &c->entries.at[i], c->digits);
    if (b->failed)
        return;
    digest_of(b->at + begin, b->n - begin, c->seal);
    buffer_printf(b, SEAL_BEGIN "%s" SEAL_END, closed_hex(hex, c->seal));
}

/* ---- reading ---- */

/* Checks the seal, the last line, and returns what is before it. 0: it is not there, or not that of these bytes. */
static size_t sealed(struct closed *c, const char *text, size_t n)
{
    char line[SEAL_LINE + 1], hex[CLOSED_HEX];
    if (n <= SEAL_LINE)
        return 0;
    digest_of(text, n - SEAL_LINE, c->seal);
    snprintf(line, sizeof line, SEAL_BEGIN "%s" SEAL_END, closed_hex(hex, c->seal));
    return memcmp(line, text + n - SEAL_LINE, SEAL_LINE) == 0 ? n - SEAL_LINE : 0;
}

static int read_entry(struct closed *c, const char *line, size_t n, uint64_t number, struct error *err)
{
    struct error why = {0};
    json_t *object = json_parse(line, n, NULL);
    int status = object ? entry_read(&c->entries, object, c->digits, &why) : -1;
    json_decref(object);
    if (status != 0 && (object ? why.code == ERROR_MEMORY : json_memory_failed()))
        return error_no_memory(err, "an entry");
    return status == 0 ? 0 : error_on_line(err, number, "%s", object ? why.message : "is not JSON");
}

int closed_read(struct closed *c, const char *text, size_t n, struct error *err)
{
    *c = (struct closed){.digits = 0};
    size_t left = sealed(c, text, n);
    const char *first = left ? memchr(text, '\n', left) : NULL;
    if (!left)
        return error_set(err, ERROR_FORMAT,
                         n > 0 && memchr(text, '{', 1) ? "was altered after it was closed: its seal is broken"
                                                       : "is no closed statement");
    if (!first)
        return error_set(err, ERROR_FORMAT, "is no closed statement");
    if (document_read(&header, text, (size_t)(first - text) + 1, c, &c->texts, err) != 0)
        return -1;
    uint64_t number = 2;
    for (const char *at = first + 1, *end = text + left; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            return error_on_line(err, number, "has no end");
        if (read_entry(c, at, (size_t)(stop - at), number, err) != 0)
            return -1;
        at = stop + 1;
    }
    entries_sort(&c->entries);
    return 0;
}

/* ---- archives ---- */

static int digest_file(int fd, uint64_t *bytes, uint8_t digest[DIGEST_BYTES], struct error *err)
{
    XXH3_state_t *state = XXH3_createState();
    char *room = malloc(READ_BYTES);
    ssize_t n = -1;
    *bytes = 0;
    if (state && room && XXH3_128bits_reset(state) == XXH_OK)
        while ((n = TEMP_FAILURE_RETRY(read(fd, room, READ_BYTES))) > 0) {
            XXH3_128bits_update(state, room, (size_t)n);
            *bytes += (uint64_t)n;
        }
    else
        error_no_memory(err, "an archive");
    if (n < 0 && state && room)
        error_set(err, ERROR_IO, "cannot read it: %s", strerror(errno));
    if (n == 0) {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
        memcpy(digest, canonical.digest, DIGEST_BYTES);
    }
    XXH3_freeState(state);
    free(room);
    return n == 0 ? 0 : -1;
}

int closed_add_archive(struct closed *c, size_t *capacity, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    int fd = TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot read it: %s", strerror(errno));
    struct closed_file file = {.file = slash ? slash + 1 : path};
    int status = digest_file(fd, &file.bytes, file.digest, err);
    close(fd);
    if (status != 0)
        return -1;
    if (!array_make_room(&c->archives, capacity, c->archives_n + 1, sizeof *c->archives))
        return error_no_memory(err, "the archives");
    c->archives[c->archives_n++] = file;
    return 0;
}
