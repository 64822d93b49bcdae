#include "account/extract.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "account/period.h"
#include "archive/document.h"

#define TEXT_MOST ((size_t)256 << 20) /* bytes of one archive's text */
#define LEVEL     1
#define LINE_MOST 4096 /* of the line about a capture */

/* ---- the line about a capture ---- */

#define NUMBER(KEY, TYPE, MOST) FIELD(struct recorded, #KEY, KEY, TYPE, true, 0, MOST, NULL)
static const struct stored_field recorded_fields[] = {
    FIELD_OF(WORD, struct recorded, "host", host, HOST_MAX),
    FIELD_OF(WORD, struct recorded, "id", id, CAPTURE_ID_BYTES),
    FIELD_OF(WORD, struct recorded, "boot_id", boot_id, FACT_UUID),
    NUMBER(timed, FLAG, 1),
    NUMBER(goes_on, FLAG, 1),
    NUMBER(whole, FLAG, 1),
    NUMBER(by_pcpu, FLAG, 1),
    NUMBER(from_tsc, U64, UINT64_MAX),
    NUMBER(to_tsc, U64, UINT64_MAX),
    NUMBER(length_ns, U64, UINT64_MAX),
    NUMBER(begin_utc_ns, U64, ACCOUNT_UTC_MAX),
    NUMBER(end_utc_ns, U64, ACCOUNT_UTC_MAX),
    NUMBER(error_ns, U64, UINT64_MAX),
    NUMBER(pcpus, U32, UINT32_MAX),
    NUMBER(idle_ns, U64, UINT64_MAX),
    NUMBER(shortest_ns, U64, UINT64_MAX),
    NUMBER(verdict, U32, VERDICT_POOR),
    FIELD_OF(WORD, struct recorded, "why", why, RECORDED_WHY),
    NUMBER(lost_records, U64, UINT64_MAX),
    FIELDS_END,
};

static const struct stored_field size_fields[] = {
    FIELD(struct extract_capture, "lives_bytes", lives_bytes, U64, true, 0, TEXT_MOST, NULL),
    FIELD(struct extract_capture, "whole_bytes", whole_bytes, U64, true, 0, TEXT_MOST, NULL),
    FIELDS_END,
};

static void members(struct members *m, void *what)
{
    struct extract_capture *c = what;
    members_fields(m, recorded_fields, &c->recorded);
    members_fields(m, size_fields, c);
    if (!m->reading || members_failed(m))
        return;
    if (!host_label_fine(c->recorded.host))
        members_wrong(m, "host", "is none");
    if (c->recorded.from_tsc > c->recorded.to_tsc || c->recorded.begin_utc_ns > c->recorded.end_utc_ns)
        members_wrong(m, "to_tsc", "is before the beginning");
}

static const struct document document = {"extract of an archive", "xenmeter.extract/1", LINE_MOST, members};

/* ---- writing ---- */

void extract_free(struct extract *e)
{
    free(e->captures);
    free(e->text);
    *e = (struct extract){.n = 0};
}

/* Appends a capture to the text. */
static void put_capture(struct buffer *text, struct extract_capture *c, const struct recorded_rows *rows)
{
    c->lives_bytes = rows->lives.n;
    c->whole_bytes = rows->whole.n;
    document_put(text, &document, c);
    c->lives_at = text->n;
    buffer_add(text, rows->lives.at, rows->lives.n);
    buffer_add(text, rows->whole.at, rows->whole.n);
}

static int compress(const struct buffer *text, struct buffer *frame, struct error *err)
{
    size_t most = ZSTD_compressBound(text->n);
    char *to = text->failed || text->n > TEXT_MOST ? NULL : buffer_room(frame, most);
    size_t n = to ? ZSTD_compress(to, most, text->at, text->n, LEVEL) : 0;
    if (!to || ZSTD_isError(n))
        return error_no_memory(err, "what is kept of an archive");
    frame->n += n;
    return 0;
}

static int make_text(struct archive *a, const struct host_facts *given, struct extract *e,
                     struct buffer *text, struct error *err)
{
    const struct capture *captures;
    size_t n = archive_captures(a, &captures);
    int status = 0;
    e->captures = calloc(n + 1, sizeof *e->captures);
    if (!e->captures)
        return error_no_memory(err, "an archive");
    for (; e->n < n && status == 0; e->n++) {
        struct recorded_rows rows = {{0}, {0}};
        struct extract_capture *c = &e->captures[e->n];
        status = recorded_read(a, &captures[e->n], given, &c->recorded, &rows, err);
        if (status == 0)
            put_capture(text, c, &rows);
        recorded_rows_free(&rows);
    }
    return status;
}

int extract_make(const char *path, const struct host_facts *given, struct extract *e, struct buffer *frame,
                 struct error *err)
{
    struct buffer text = {0};
    struct archive *a = archive_open(path, err);
    if (!a)
        return -1;
    int status = make_text(a, given, e, &text, err);
    if (status == 0)
        status = compress(&text, frame, err);
    archive_close(a);
    e->text = text.at; /* the extract's from now on */
    e->text_n = text.n;
    return status;
}

/* ---- reading ---- */

static int wrong(struct error *err)
{
    return error_set(err, ERROR_FORMAT, "damaged extract of an archive");
}

int extract_text(const void *frame, size_t n, char **text, size_t *text_n, struct error *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame, n);
    *text = NULL;
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > TEXT_MOST)
        return wrong(err);
    *text = malloc(size + 1);
    if (!*text)
        return error_no_memory(err, "an extract of an archive");
    *text_n = ZSTD_decompress(*text, size, frame, n);
    if (*text_n == size)
        return 0;
    free(*text);
    *text = NULL;
    return ZSTD_getErrorCode(*text_n) == ZSTD_error_memory_allocation
               ? error_no_memory(err, "an extract of an archive")
               : wrong(err);
}

static int read_capture(struct extract *e, size_t *at, struct extract_capture *c, struct error *err)
{
    const char *line = e->text + *at, *end = memchr(line, '\n', e->text_n - *at);
    if (!end || document_read(&document, line, (size_t)(end - line) + 1, c, NULL, err) != 0)
        return wrong(err);
    c->lives_at = (uint64_t)(end + 1 - e->text);
    uint64_t left = e->text_n - c->lives_at;
    if (c->lives_bytes > left || c->whole_bytes > left - c->lives_bytes)
        return wrong(err);
    *at = (size_t)(c->lives_at + c->lives_bytes + c->whole_bytes);
    return 0;
}

int extract_read(const void *frame, size_t n, struct extract *e, struct error *err)
{
    size_t at = 0, capacity = 0;
    if (extract_text(frame, n, &e->text, &e->text_n, err) != 0)
        return -1;
    while (at < e->text_n) {
        if (e->n == capacity) {
            capacity = capacity ? 2 * capacity : 1;
            struct extract_capture *more = realloc(e->captures, capacity * sizeof *more);
            if (!more)
                return error_no_memory(err, "an extract of an archive");
            e->captures = more;
        }
        memset(&e->captures[e->n], 0, sizeof *e->captures);
        if (read_capture(e, &at, &e->captures[e->n], err) != 0)
            return -1;
        e->n++;
    }
    return 0;
}
