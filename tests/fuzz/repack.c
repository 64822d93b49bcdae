#include "repack.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/contents.h"
#include "archive/frames.h"
#include "archive/manifest.h"
#include "archive/walk.h"

/* ---- apart ---- */

static int take_member(void *context, const char *path, const uint8_t *bytes, size_t n)
{
    struct loose *l = context;
    if (l->n == REPACK_MEMBERS)
        return 0;
    struct loose_member *m = &l->members[l->n++];
    snprintf(m->path, sizeof m->path, "%s", path);
    buffer_add(&m->bytes, (const char *)bytes, n);
    return 0;
}

static int pass_over(void *context, const struct error *why)
{
    (void)context;
    (void)why;
    return 0;
}

bool loose_read(struct loose *l, const char *path)
{
    memset(l, 0, sizeof *l);
    return walk_archive(path, &(struct walk_visitor){l, take_member, pass_over}, NULL) == 0;
}

void loose_free(struct loose *l)
{
    for (size_t i = 0; i < l->n; i++)
        buffer_free(&l->members[i].bytes);
    l->n = 0;
}

size_t loose_find(const struct loose *l, const char *ending)
{
    size_t n = strlen(ending);
    for (size_t i = 0; i < l->n; i++) {
        size_t length = strlen(l->members[i].path);
        if (length >= n && strcmp(l->members[i].path + length - n, ending) == 0)
            return i;
    }
    return l->n;
}

void loose_replace(struct loose *l, size_t member, const void *bytes, size_t n)
{
    struct buffer *b = &l->members[member].bytes;
    b->n = 0;
    buffer_add(b, bytes, n);
}

/* ---- made right again ---- */

static json_t *document_of(const struct loose_member *m)
{
    return json_loadb(m->bytes.at ? m->bytes.at : "", m->bytes.n, JSON_REJECT_DUPLICATES, NULL);
}

static void put_document(struct loose_member *m, json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17));
    m->bytes.n = 0;
    if (text)
        buffer_text(&m->bytes, text);
    free(text);
}

static json_t *digest_json(const struct loose_member *m)
{
    uint8_t digest[DIGEST_BYTES];
    char text[2 * DIGEST_BYTES + 1];
    digest_of(m->bytes.at ? m->bytes.at : "", m->bytes.n, digest);
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return json_string(text);
}

static bool is_manifest(const struct loose_member *m)
{
    const char *slash = strrchr(m->path, '/');
    return slash && strcmp(slash, "/manifest.json") == 0;
}

/* The manifest is member number `last`, its piece's others are from `first` on. */
static void repair_manifest(struct loose *l, size_t first, size_t last)
{
    json_t *manifest = document_of(&l->members[last]);
    json_t *entry;
    size_t i;
    json_array_foreach(json_object_get(manifest, "members"), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        for (size_t k = first; name && k < last; k++) {
            const char *part = strchr(l->members[k].path, '/');
            part = part ? strchr(part + 1, '/') : NULL;
            if (!part || strcmp(part + 1, name) != 0)
                continue;
            json_object_set_new(entry, "bytes", json_integer((json_int_t)l->members[k].bytes.n));
            json_object_set_new(entry, "frame", json_integer((json_int_t)(k - first)));
            json_object_set_new(entry, "at", json_integer(TAR_BLOCK));
            json_object_set_new(entry, "xxh3_128", digest_json(&l->members[k]));
        }
    }
    if (manifest)
        put_document(&l->members[last], manifest);
    json_decref(manifest);
}

static void repair_contents(struct loose *l, size_t contents)
{
    json_t *document = document_of(&l->members[contents]);
    json_t *pieces = json_object_get(document, "pieces");
    size_t first = 0;
    for (size_t k = 0; k < contents; k++) {
        if (!is_manifest(&l->members[k]))
            continue;
        size_t i;
        json_t *piece;
        json_array_foreach(pieces, i, piece)
        {
            char path[TAR_NAME_MAX * 2];
            const char *host = json_string_value(json_object_get(piece, "host"));
            const char *id = json_string_value(json_object_get(piece, "id"));
            snprintf(path, sizeof path, "%.90s/%.90s/manifest.json", host ? host : "", id ? id : "");
            if (strcmp(path, l->members[k].path) != 0)
                continue;
            json_object_set_new(piece, "first_frame", json_integer((json_int_t)first + 1));
            json_object_set_new(piece, "frames", json_integer((json_int_t)(k - first) + 1));
            json_object_set_new(piece, "manifest_bytes", json_integer((json_int_t)l->members[k].bytes.n));
            json_object_set_new(piece, "manifest_xxh3_128", digest_json(&l->members[k]));
        }
        first = k + 1;
    }
    if (document)
        put_document(&l->members[contents], document);
    json_decref(document);
}

void loose_repair(struct loose *l, size_t but)
{
    size_t first = 0, contents = loose_find(l, CONTENTS_NAME);
    for (size_t i = 0; i < l->n; i++)
        if (is_manifest(&l->members[i])) {
            if (i != but)
                repair_manifest(l, first, i);
            first = i + 1;
        }
    if (contents < l->n && contents != but)
        repair_contents(l, contents);
}

/* ---- together ---- */

static int append(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    (void)err;
    buffer_add(context, (const char *)bytes, n);
    return 0;
}

bool loose_pack(const struct loose *l, struct buffer *file)
{
    struct frame_writer *w = frame_writer_new(&(struct frame_sink){file, append}, 1, 1, NULL);
    bool fine = w != NULL;
    for (size_t i = 0; i < l->n && fine; i++) {
        const struct loose_member *m = &l->members[i];
        size_t n = tar_bytes(m->bytes.n) + (i + 1 == l->n ? TAR_END : 0);
        uint8_t *content = calloc(1, n);
        if (content) {
            tar_header(content, m->path, m->bytes.n);
            if (m->bytes.n)
                memcpy(content + TAR_BLOCK, m->bytes.at, m->bytes.n);
        }
        fine = content && frame_writer_put(w, content, n, NULL) >= 0;
    }
    fine = fine && frame_writer_finish(w, NULL) == 0 && !file->failed;
    frame_writer_free(w);
    return fine;
}
