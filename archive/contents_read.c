#include <stdlib.h>
#include <string.h>

#include "archive/contents.h"
#include "archive/object.h"

static void read_piece(struct object *contents, const json_t *json, struct contents_piece *p)
{
    struct object o = object_in(contents, json);
    const char *host = object_text(&o, "host"), *id = object_text(&o, "id");
    if (!o.failed && (!host_label_fine(host) || strlen(id) != PIECE_ID_BYTES - 1 ||
                      strspn(id, "0123456789abcdef") != PIECE_ID_BYTES - 1))
        object_wrong(&o, "host", "or id are none that a piece can have");
    if (!o.failed) {
        memcpy(p->host, host, strlen(host) + 1);
        memcpy(p->id, id, PIECE_ID_BYTES);
    }
    p->tsc_first = object_u64(&o, "tsc_first", UINT64_MAX);
    p->first_frame = (uint32_t)object_u64(&o, "first_frame", FRAMES_MAX);
    p->frames = (uint32_t)object_u64(&o, "frames", FRAMES_MAX);
    p->manifest_bytes = (uint32_t)object_u64(&o, "manifest_bytes", FRAME_CONTENT_MAX);
    object_hex(&o, "manifest_xxh3_128", p->manifest_digest, DIGEST_BYTES);
    contents->failed = contents->failed || o.failed;
}

static int compare_places(const void *a, const void *b)
{
    const struct contents_piece *x = *(const struct contents_piece *const *)a,
                                *y = *(const struct contents_piece *const *)b;
    return (x->first_frame > y->first_frame) - (x->first_frame < y->first_frame);
}

/* Between the magic and the frame of the contents each frame belongs to one piece. */
static void check_places(struct object *o, const struct contents_piece *pieces, size_t n, size_t frames)
{
    const struct contents_piece **places = calloc(n + 1, sizeof(struct contents_piece *));
    size_t next = 1;
    for (size_t i = 0; places && i < n; i++)
        places[i] = &pieces[i];
    if (places)
        qsort(places, n, sizeof(struct contents_piece *), compare_places);
    for (size_t i = 0; places && i < n && !o->failed; i++) {
        if (places[i]->first_frame != next || places[i]->frames == 0)
            object_wrong(o, "first_frame", "is not behind another piece");
        next += places[i]->frames;
    }
    if (!places || next != frames - 1)
        object_wrong(o, "pieces", places ? "do not make up the archive's frames" : "find no memory");
    free(places);
}

int contents_read(const char *text, size_t n, size_t frames, struct contents_piece **pieces, size_t *pieces_n,
                  struct error *err)
{
    json_t *root;
    struct object o = object_document(text, n, CONTENTS_SCHEMA, &root, err);
    const json_t *list = object_list(&o, "pieces");
    size_t count = o.failed ? 0 : json_array_size(list);
    *pieces = calloc(count + 1, sizeof **pieces);
    *pieces_n = count;
    if (!*pieces)
        object_wrong(&o, "pieces", "find no memory");
    for (size_t i = 0; i < count && !o.failed; i++) {
        struct contents_piece *p = &(*pieces)[i];
        read_piece(&o, json_array_get(list, i), p);
        if (!o.failed && i > 0 && contents_compare(p - 1, p) >= 0)
            object_wrong(&o, "pieces", "are not in their order");
    }
    if (!o.failed)
        check_places(&o, *pieces, count, frames);
    json_decref(root);
    if (!o.failed)
        return 0;
    free(*pieces);
    *pieces = NULL;
    *pieces_n = 0;
    return -1;
}
