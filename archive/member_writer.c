#include "archive/member_writer.h"

#include <string.h>

#include "archive/tar.h"

void member_writer_free(struct member_writer *w)
{
    capture_free(&w->capture);
    buffer_free(&w->small);
}

/* It fails from now on, unless it has failed before. Returns -1. */
static int fail(struct member_writer *w, const struct error *why)
{
    if (!w->failed)
        w->why = *why;
    w->failed = true;
    return -1;
}

int member_writer_no_memory(struct member_writer *w)
{
    struct error why;
    error_no_memory(&why, "the archive");
    return fail(w, &why);
}

int member_writer_status(const struct member_writer *w, struct error *err)
{
    if (w->failed)
        *err = w->why;
    return w->failed ? -1 : 0;
}

static int too_large(struct member_writer *w, const char *name, size_t n)
{
    struct error why;
    error_set(&why, ERROR_MEMORY, "%s would have %zu bytes: more than an archive's member may have", name, n);
    return fail(w, &why);
}

/* ---- frames and members ---- */

/* Hands the capture's next frame over, whose content is taken. */
static int put_frame(struct member_writer *w, struct buffer *content)
{
    struct error err = {0};
    int64_t frame = frame_writer_put(w->frames, (uint8_t *)content->at, content->n, &err);
    *content = (struct buffer){0};
    if (frame < 0)
        return fail(w, &err);
    if (w->capture.frames++ == 0)
        w->capture.first_frame = (uint32_t)frame;
    return 0;
}

int member_writer_flush(struct member_writer *w)
{
    if (w->failed)
        return -1;
    return w->small.n ? put_frame(w, &w->small) : 0;
}

/* Notes a member whose content lies at `at` of the next frame. */
static struct member *note_member(struct member_writer *w, const char *name, const char *bytes, size_t n,
                                  size_t at)
{
    struct member *m = capture_new_member(&w->capture);
    if (!m || !member_named(m, name)) {
        member_writer_no_memory(w);
        return NULL;
    }
    m->frame = w->capture.frames;
    m->at = (uint32_t)at;
    m->bytes = (uint32_t)n;
    digest_of(bytes, n, m->digest);
    return m;
}

struct member *member_writer_add(struct member_writer *w, const char *name, const void *bytes, size_t n)
{
    size_t whole = tar_bytes(n);
    if (w->failed)
        return NULL;
    if (whole > FRAME_CONTENT_MAX) {
        too_large(w, name, n);
        return NULL;
    }
    if (w->small.n + whole > FRAME_CONTENT_MAX && member_writer_flush(w) != 0)
        return NULL;
    char path[TAR_NAME_MAX];
    size_t at = w->small.n + TAR_BLOCK;
    capture_member_path(&w->capture, name, path);
    buffer_fill(&w->small, '\0', TAR_BLOCK);
    buffer_add(&w->small, bytes, n);
    buffer_fill(&w->small, '\0', whole - TAR_BLOCK - n);
    if (w->small.failed) {
        member_writer_no_memory(w);
        return NULL;
    }
    tar_header((uint8_t *)w->small.at + at - TAR_BLOCK, path, n);
    return note_member(w, name, w->small.at + at, n, at);
}

struct member *member_writer_add_large(struct member_writer *w, const char *name, struct buffer *content,
                                       size_t n)
{
    char path[TAR_NAME_MAX];
    struct member *m = NULL;
    capture_member_path(&w->capture, name, path);
    buffer_fill(content, '\0', tar_bytes(n) - TAR_BLOCK - n);
    if (content->failed)
        member_writer_no_memory(w);
    else if (member_writer_flush(w) == 0)
        m = note_member(w, name, content->at + TAR_BLOCK, n, TAR_BLOCK);
    if (!m) {
        buffer_free(content);
        return NULL;
    }
    tar_header((uint8_t *)content->at, path, n);
    return put_frame(w, content) == 0 ? m : NULL;
}

/* ---- the end ---- */

void member_writer_describe(struct member_writer *w, const struct summary *s, uint64_t trace_bytes)
{
    struct capture *p = &w->capture;
    p->tsc_first = s->trace.tsc_first;
    p->tsc_last = s->trace.tsc_last;
    p->cpu_hz = s->clock.cpu_hz;
    p->duration_ns = clock_ns(&s->clock, s->trace.tsc_last);
    p->trace_bytes = trace_bytes;
}

/* Puts a document into a frame with what waits. */
static int write_document(struct member_writer *w, const char *name, const struct buffer *text)
{
    struct capture *p = &w->capture;
    if (text->failed)
        return member_writer_no_memory(w);
    if (!member_writer_add(w, name, text->at, text->n) || member_writer_flush(w) != 0)
        return -1;
    p->manifest_bytes = (uint32_t)text->n; /* it is the last document */
    digest_of(text->at, text->n, p->manifest_digest);
    return 0;
}

static int write_manifest(struct member_writer *w, struct buffer *text)
{
    manifest_put(text, &w->capture); /* it does not list itself: a frame of its own, the capture's last */
    if (text->n > MANIFEST_BYTES_MAX)
        return too_large(w, "manifest.json", text->n);
    return write_document(w, "manifest.json", text);
}

static int finish(struct member_writer *w, const struct summary *s, uint64_t trace_bytes, struct buffer *text)
{
    summary_put(text, s);
    if (write_document(w, "summary.json", text) != 0)
        return -1;
    text->n = 0;
    member_writer_describe(w, s, trace_bytes);
    return write_manifest(w, text);
}

/* Frees the text, and gives the description away. */
static int give_capture(struct member_writer *w, bool failed, struct buffer *text, struct capture *capture,
                        struct error *err)
{
    buffer_free(text);
    if (failed)
        return member_writer_status(w, err);
    *capture = w->capture;
    memset(&w->capture, 0, sizeof w->capture);
    return 0;
}

int member_writer_finish(struct member_writer *w, const struct summary *s, uint64_t trace_bytes,
                         struct capture *capture, struct error *err)
{
    struct buffer text = {0};
    bool failed = w->failed || finish(w, s, trace_bytes, &text) != 0;
    return give_capture(w, failed, &text, capture, err);
}

int member_writer_manifest(struct member_writer *w, struct capture *capture, struct error *err)
{
    struct buffer text = {0};
    bool failed = w->failed || write_manifest(w, &text) != 0;
    return give_capture(w, failed, &text, capture, err);
}
