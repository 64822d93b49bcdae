#include "archive/walk.h"

#include "archive/frames.h"
#include "archive/tar.h"
#include "parser/source/source.h"

struct walk {
    const struct source *source;
    struct frames frames;
    struct frame_reader reader;
    const struct walk_visitor *visitor;
};

static int tell(const struct walk *w, const struct error *why, struct error *err)
{
    if (w->visitor->damage && why->code != ERROR_MEMORY)
        return w->visitor->damage(w->visitor->context, why);
    *err = *why;
    return -1;
}

static int walk_frame(struct walk *w, size_t i, struct error *err)
{
    const struct frame *frame = &w->frames.list[i];
    struct error why = {0};
    struct tar_member m;
    size_t at = 0;
    int status;
    const uint8_t *content = frame_verify(&w->frames, i, &w->reader, &why);
    if (!content)
        return tell(w, &why, err);
    source_release(w->source, frame->offset, frame->offset + frame->bytes);
    while ((status = tar_next(content, frame->content, &at, &m, &why)) == 1) {
        status = w->visitor->member(w->visitor->context, m.name, content + m.at, m.n);
        if (status != 0)
            return status;
    }
    if (status == 0)
        return 0;
    why.offset = frame->offset;
    return tell(w, &why, err);
}

static int walk(struct walk *w, const struct source *s, struct error *err)
{
    struct error table = {0}, why = {0};
    int status = 0;
    bool by_table = frames_open(&w->frames, s->map, s->size, &table) == 0;
    if (!by_table) {
        frames_free(&w->frames);
        if (frames_recover(&w->frames, s->map, s->size, &why, err) != 0)
            return -1;
    }
    for (size_t i = 1; i < w->frames.n && status == 0; i++)
        status = walk_frame(w, i, err);
    if (status == 0 && !by_table)
        status = tell(w, why.code != ERROR_NONE ? &why : &table, err);
    return status;
}

int walk_archive(const char *path, const struct walk_visitor *visitor, struct error *err)
{
    struct source s = {.fd = -1};
    struct walk w = {.source = &s, .visitor = visitor};
    int status = source_open(&s, path, err);
    if (status == 0 && !s.mapped)
        status = error_set(err, ERROR_IO, "is empty, or no regular file: no archive can be read there");
    if (status == 0)
        status = walk(&w, &s, err);
    frame_reader_free(&w.reader);
    frames_free(&w.frames);
    source_close(&s);
    return status;
}
