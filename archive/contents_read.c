#include <stdlib.h>
#include <string.h>

#include "archive/contents.h"
#include "archive/json_fields.h"

#define CONTENTS_BYTES_MAX (64u << 20)
#define PIECES_MAX         (1u << 20)

static void read_piece(struct json_reading *r, json_t *json, struct contents_piece *p)
{
    struct members m = members_of(r, "pieces", json);
    const char *host = members_take_text(&m, "host"), *id = members_take_text(&m, "id");
    if (!host_label_fine(host) || !piece_id_fine(id)) {
        json_wrong(r, "host", "or id are none that a piece can have");
    } else {
        memcpy(p->host, host, strlen(host) + 1);
        memcpy(p->id, id, PIECE_ID_BYTES);
    }
    p->tsc_first = members_take_u64(&m, "tsc_first", UINT64_MAX);
    p->first_frame = (uint32_t)members_take_u64(&m, "first_frame", FRAMES_MAX);
    p->frames = (uint32_t)members_take_u64(&m, "frames", FRAMES_MAX);
    p->manifest_bytes = (uint32_t)members_take_u64(&m, "manifest_bytes", FRAME_CONTENT_MAX);
    members_take_hex(&m, "manifest_xxh3_128", p->manifest_digest, DIGEST_BYTES);
    members_end(&m);
}

static int compare_places(const void *a, const void *b)
{
    const struct contents_piece *x = *(const struct contents_piece *const *)a,
                                *y = *(const struct contents_piece *const *)b;
    return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

/* Between the magic and the frame of the contents each frame belongs to one piece. */
static void check_places(struct json_reading *r, const struct contents_piece *pieces, size_t n, size_t frames)
{
    const struct contents_piece **places = calloc(n + 1, sizeof(struct contents_piece *));
    size_t next = 1;
    for (size_t i = 0; places && i < n; i++)
        places[i] = &pieces[i];
    if (places)
        qsort(places, n, sizeof(struct contents_piece *), compare_places);
    for (size_t i = 0; places && i < n && !r->wrong; i++) {
        if (places[i]->first_frame != next || places[i]->frames == 0)
            json_wrong(r, "first_frame", "is not behind another piece");
        next += places[i]->frames;
    }
    if (!places || next != frames - 1)
        json_wrong(r, "pieces", places ? "do not make up the archive's frames" : "find no memory");
    free(places);
}

static void read_document(struct members *m, size_t frames, struct contents_piece **pieces, size_t *pieces_n)
{
    struct json_reading *r = m->reading;
    json_t *list = members_take_array(m, "pieces", PIECES_MAX, pieces_n);
    *pieces = calloc(*pieces_n + 1, sizeof **pieces);
    if (!*pieces)
        json_wrong(r, "pieces", "find no memory");
    for (size_t i = 0; *pieces && i < *pieces_n && !r->wrong; i++) {
        struct contents_piece *p = &(*pieces)[i];
        read_piece(r, json_array_get(list, i), p);
        if (i > 0 && contents_compare(p - 1, p) >= 0)
            json_wrong(r, "pieces", "are not in their order");
    }
    members_end(m);
    if (!r->wrong)
        check_places(r, *pieces, *pieces_n, frames);
}

int contents_read(const char *text, size_t n, size_t frames, struct contents_piece **pieces, size_t *pieces_n,
                  struct error *err)
{
    struct json_reading r = {.name = "table of contents", .err = err};
    struct members members;
    *pieces = NULL;
    json_t *document = json_document(&r, text, n, CONTENTS_BYTES_MAX, CONTENTS_SCHEMA, &members);
    if (!r.wrong)
        read_document(&members, frames, pieces, pieces_n);
    json_decref(document);
    if (!r.wrong)
        return 0;
    free(*pieces);
    *pieces = NULL;
    *pieces_n = 0;
    return -1;
}
