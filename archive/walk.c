#include "archive/walk.h"

#include "archive/tar.h"

int walk_open(struct walk *w, const char *path, struct error *err)
{
    struct error table = {0};
    *w = (struct walk){.source.fd = -1};
    if (source_open(&w->source, path, err) != 0)
        return -1;
    if (!w->source.mapped)
        return error_set(err, ERROR_IO, "is empty, or no regular file: no archive can be read there");
    w->by_table = frames_open(&w->frames, w->source.map, w->source.size, &table) == 0;
    if (table.code == ERROR_MEMORY) {
        *err = table;
        return -1;
    }
    if (!w->by_table) {
        frames_free(&w->frames);
        if (frames_recover(&w->frames, w->source.map, w->source.size, &w->why, err) != 0)
            return -1;
        if (w->why.code == ERROR_NONE)
            w->why = table;
    }
    w->frames.source = &w->source;
    return 0;
}

void walk_close(struct walk *w)
{
    frame_reader_free(&w->reader);
    frames_free(&w->frames);
    source_close(&w->source);
}

static int tell(const struct walk_visitor *v, const struct error *why, struct error *err)
{
    if (v->damage && why->code != ERROR_MEMORY)
        return v->damage(v->context, why);
    *err = *why;
    return -1;
}

static int walk_frame(struct walk *w, size_t i, const struct walk_visitor *v, struct error *err)
{
    const struct frame *frame = &w->frames.list[i];
    struct error why = {0};
    struct tar_member m;
    size_t at = 0;
    int status;
    const uint8_t *content = frame_verify(&w->frames, i, &w->reader, &why);
    if (!content)
        return tell(v, &why, err);
    while ((status = tar_next(content, frame->content, &at, &m, &why)) == 1) {
        status = v->member(v->context, m.name, content + m.at, m.n);
        if (status != 0)
            return status;
    }
    if (status == 0)
        return 0;
    why.offset = frame->offset;
    return tell(v, &why, err);
}

int walk_archive(const char *path, const struct walk_visitor *visitor, struct error *err)
{
    struct walk w;
    int status = walk_open(&w, path, err);
    for (size_t i = 1; i < w.frames.n && status == 0; i++)
        status = walk_frame(&w, i, visitor, err);
    if (status == 0 && !w.by_table)
        status = tell(visitor, &w.why, err);
    walk_close(&w);
    return status;
}
