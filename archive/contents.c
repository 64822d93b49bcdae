#include "archive/contents.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/json_fields.h"
#include "archive/tar.h"

#define CONTENTS_BYTES_MAX (64u << 20)
#define PIECES_MAX         (1u << 20)
#define SAME_HZ_PPM        1000.0 /* two measurements of one host's frequency differ by less */

void contents_of_capture(const struct capture *p, struct contents_capture *c)
{
    memcpy(c->host, p->host, sizeof c->host);
    memcpy(c->id, p->id, sizeof c->id);
    c->tsc_first = p->tsc_first;
    c->first_frame = p->first_frame;
    c->frames = p->frames;
    c->manifest_bytes = p->manifest_bytes;
    memcpy(c->manifest_digest, p->manifest_digest, DIGEST_BYTES);
}

int contents_compare(const struct contents_capture *a, const struct contents_capture *b)
{
    int order = strcmp(a->host, b->host);
    if (order == 0)
        order = (a->tsc_first > b->tsc_first) - (a->tsc_first < b->tsc_first);
    return order ? order : strcmp(a->id, b->id);
}

void contents_put_frame(struct buffer *b, const struct contents_capture *captures, size_t n)
{
    size_t begin = b->n;
    char digest[2 * DIGEST_BYTES + 1];
    buffer_fill(b, '\0', TAR_BLOCK);
    buffer_text(b, "{\"schema\":\"" CONTENTS_SCHEMA "\",\n \"pieces\":[\n");
    for (size_t i = 0; i < n; i++) {
        const struct contents_capture *p = &captures[i];
        digest_text(p->manifest_digest, digest);
        buffer_printf(b,
                      "  {\"host\":\"%s\",\"id\":\"%s\",\"tsc_first\":%" PRIu64 ",\"first_frame\":%" PRIu32
                      ",\"frames\":%" PRIu32 ",\"manifest_bytes\":%" PRIu32
                      ",\"manifest_xxh3_128\":\"%s\"}%s\n",
                      p->host, p->id, p->tsc_first, p->first_frame, p->frames, p->manifest_bytes, digest,
                      i + 1 < n ? "," : "");
    }
    buffer_text(b, " ]}\n");
    size_t bytes = b->n - begin - TAR_BLOCK;
    if (b->failed)
        return;
    tar_header((uint8_t *)b->at + begin, CONTENTS_NAME, bytes);
    buffer_fill(b, '\0', tar_bytes(bytes) - TAR_BLOCK - bytes + TAR_END);
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

/* ---- reading ---- */

static void read_capture(struct json_reading *r, json_t *json, struct contents_capture *p)
{
    struct members m = members_of(r, "pieces", json);
    const char *host = members_take_text(&m, "host"), *id = members_take_text(&m, "id");
    if (!host_label_fine(host) || !capture_id_fine(id))
        json_wrong(r, "host", "or id are none that a capture can have");
    snprintf(p->host, sizeof p->host, "%s", host);
    snprintf(p->id, sizeof p->id, "%s", id);
    p->tsc_first = members_take_u64(&m, "tsc_first", UINT64_MAX);
    p->first_frame = (uint32_t)members_take_u64(&m, "first_frame", FRAMES_MAX);
    p->frames = (uint32_t)members_take_u64(&m, "frames", FRAMES_MAX);
    p->manifest_bytes = (uint32_t)members_take_u64(&m, "manifest_bytes", FRAME_CONTENT_MAX);
    members_take_hex(&m, "manifest_xxh3_128", p->manifest_digest, DIGEST_BYTES);
    members_end(&m);
}

static int compare_places(const void *a, const void *b)
{
    const struct contents_capture *x = *(const struct contents_capture *const *)a,
                                  *y = *(const struct contents_capture *const *)b;
    return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

/* Between the magic and the frame of the contents each frame belongs to one capture. */
static void check_places(struct json_reading *r, const struct contents_capture *captures, size_t n,
                         size_t frames)
{
    const struct contents_capture **places = calloc(n + 1, sizeof(struct contents_capture *));
    size_t next = 1;
    for (size_t i = 0; places && i < n; i++)
        places[i] = &captures[i];
    if (places)
        qsort(places, n, sizeof(struct contents_capture *), compare_places);
    for (size_t i = 0; places && i < n && !r->wrong; i++) {
        if (places[i]->first_frame != next || places[i]->frames == 0)
            json_wrong(r, "first_frame", "is not behind another capture");
        next += places[i]->frames;
    }
    if (!places || next != frames - 1)
        json_wrong(r, "pieces", places ? "do not make up the archive's frames" : "find no memory");
    free(places);
}

static void read_document(struct members *m, size_t frames, struct contents_capture **captures,
                          size_t *captures_n)
{
    struct json_reading *r = m->reading;
    json_t *list = members_take_array(m, "pieces", PIECES_MAX, captures_n);
    *captures = calloc(*captures_n + 1, sizeof **captures);
    if (!*captures)
        json_wrong(r, "pieces", "find no memory");
    for (size_t i = 0; *captures && i < *captures_n && !r->wrong; i++) {
        struct contents_capture *p = &(*captures)[i];
        read_capture(r, json_array_get(list, i), p);
        if (i > 0 && contents_compare(p - 1, p) >= 0)
            json_wrong(r, "pieces", "are not in their order");
    }
    members_end(m);
    if (!r->wrong)
        check_places(r, *captures, *captures_n, frames);
}

int contents_read(const char *text, size_t n, size_t frames, struct contents_capture **captures,
                  size_t *captures_n, struct error *err)
{
    struct json_reading r = {.name = "table of contents", .err = err};
    struct members members;
    *captures = NULL;
    json_t *document = json_document(&r, text, n, CONTENTS_BYTES_MAX, CONTENTS_SCHEMA, &members);
    if (!r.wrong)
        read_document(&members, frames, captures, captures_n);
    json_decref(document);
    if (!r.wrong)
        return 0;
    free(*captures);
    *captures = NULL;
    *captures_n = 0;
    return -1;
}
