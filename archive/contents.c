#include "archive/contents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "archive/document.h"
#include "archive/tar.h"

#define CONTENTS_BYTES_MAX (64u << 20)
#define PIECES_MAX         (1u << 20)
#define SAME_HZ_PPM        1000.0 /* two measurements of one host's frequency differ by less */

int contents_compare(const struct capture *a, const struct capture *b)
{
    int order = strcmp(a->host, b->host);
    if (order == 0)
        order = (a->tsc_first > b->tsc_first) - (a->tsc_first < b->tsc_first);
    return order ? order : strcmp(a->id, b->id);
}

uint64_t captures_overlap_ns(const struct capture *a, const struct capture *b)
{
    double ns = b->tsc_first < a->tsc_last ? (double)(a->tsc_last - b->tsc_first) / a->cpu_hz * 1e9 : 0;
    return ns < 1e18 ? (uint64_t)ns : UINT64_MAX;
}

bool captures_adjoin(const struct capture *a, const struct capture *b)
{
    if (strcmp(a->host, b->host) != 0 || !(a->cpu_hz > 0) || !(b->cpu_hz > 0))
        return false;
    if (fabs(a->cpu_hz / b->cpu_hz - 1) * 1e6 > SAME_HZ_PPM || b->tsc_last < a->tsc_last)
        return false;
    if (b->tsc_first <= a->tsc_last)
        return captures_overlap_ns(a, b) <= ADJOINING_OVERLAP_NS;
    return (double)(b->tsc_first - a->tsc_last) / a->cpu_hz * 1e9 <= (double)ADJOINING_GAP_NS;
}

static int compare_places(const void *a, const void *b)
{
    const struct capture *x = *(const struct capture *const *)a, *y = *(const struct capture *const *)b;
    return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

const struct capture **contents_by_place(const struct capture *captures, size_t n)
{
    const struct capture **places = calloc(n + 1, sizeof(struct capture *));
    for (size_t i = 0; places && i < n; i++)
        places[i] = &captures[i];
    if (places)
        qsort(places, n, sizeof(struct capture *), compare_places);
    return places;
}

/* ---- the document ---- */

#define NUMBER(KEY, TYPE, MOST) FIELD(struct capture, #KEY, KEY, TYPE, true, 0, MOST, NULL)

static const struct stored_field place_fields[] = {
    FIELD_OF(WORD, struct capture, "host", host, HOST_MAX),
    FIELD_OF(WORD, struct capture, "id", id, CAPTURE_ID_BYTES),
    NUMBER(tsc_first, U64, UINT64_MAX),
    NUMBER(first_frame, U32, FRAMES_MAX),
    NUMBER(frames, U32, FRAMES_MAX),
    NUMBER(manifest_bytes, U32, FRAME_CONTENT_MAX),
    FIELD_OF(BYTES, struct capture, "manifest_xxh3_128", manifest_digest, DIGEST_BYTES),
    FIELDS_END,
};

struct contents {
    struct stored_list pieces;
    size_t frames; /* of the archive */
};

/* Between the magic and the frame of the contents each frame belongs to one capture. */
static void check_places(struct members *m, const struct capture *captures, size_t n, size_t frames)
{
    const struct capture **places = contents_by_place(captures, n);
    size_t next = 1;
    if (!places) {
        members_no_memory(m);
        return;
    }
    for (size_t i = 0; i < n && !members_failed(m); i++) {
        if (places[i]->first_frame != next || places[i]->frames == 0)
            members_wrong(m, "first_frame", "is not behind another capture");
        next += places[i]->frames;
    }
    if (next != frames - 1)
        members_wrong(m, "pieces", "do not make up the archive's frames");
    free(places);
}

static void contents_members(struct members *m, void *what)
{
    struct contents *c = what;
    members_list(m, "pieces", place_fields, &c->pieces);
    const struct capture *captures = c->pieces.at;
    for (size_t i = 0; m->reading && i < c->pieces.n && !members_failed(m); i++) {
        if (!host_label_fine(captures[i].host) || !capture_id_fine(captures[i].id))
            members_wrong(m, "host", "or id are none that a capture can have");
        if (i > 0 && contents_compare(&captures[i - 1], &captures[i]) >= 0)
            members_wrong(m, "pieces", "are not in their order");
    }
    if (m->reading && !members_failed(m))
        check_places(m, captures, c->pieces.n, c->frames);
}

static const struct document document = {"table of contents", CONTENTS_SCHEMA, CONTENTS_BYTES_MAX,
                                         contents_members};

void contents_put_frame(struct buffer *b, const struct capture *captures, size_t n)
{
    const struct contents c = {.pieces = {(void *)(uintptr_t)captures, n, sizeof *captures, n}};
    buffer_fill(b, '\0', TAR_BLOCK);
    document_put(b, &document, &c);
    if (b->failed)
        return;
    size_t bytes = b->n - TAR_BLOCK;
    tar_header((uint8_t *)b->at, CONTENTS_NAME, bytes);
    buffer_fill(b, '\0', tar_bytes(bytes) - TAR_BLOCK - bytes + TAR_END);
}

int contents_write(struct frame_writer *w, const struct capture *captures, size_t n, struct error *err)
{
    struct buffer text = {0};
    contents_put_frame(&text, captures, n);
    if (!text.failed)
        return frame_writer_put(w, (uint8_t *)text.at, text.n, err) < 0 ? -1 : 0;
    buffer_free(&text);
    return error_no_memory(err, "the contents of the archive");
}

int contents_read(const char *text, size_t n, size_t frames, struct capture **captures, size_t *captures_n,
                  struct error *err)
{
    struct contents c = {.pieces = {.size = sizeof **captures, .most = PIECES_MAX}, .frames = frames};
    int status = document_read(&document, text, n, &c, NULL, err);
    if (status != 0)
        free(c.pieces.at);
    *captures = status == 0 ? c.pieces.at : NULL;
    *captures_n = status == 0 ? c.pieces.n : 0;
    return status;
}
