/* frames FILE: where each whole frame of an archive ends, complete or not: a line with the byte, and the name of its first member. */
#include <inttypes.h>
#include <stdio.h>

#include "archive/tar.h"
#include "archive/walk.h"

static void print_frame(struct walk *w, size_t i)
{
    const struct frame *f = &w->frames.list[i];
    struct tar_member m;
    struct error err;
    size_t at = 0;
    const uint8_t *content = i > 0 ? frame_read(&w->frames, i, &w->reader, &err) : NULL;
    bool named = content && tar_next(content, f->content, &at, &m, &err) == 1;
    printf("%" PRIu64 " %s\n", f->offset + f->bytes, named ? m.name : "-");
}

int main(int argc, char **argv)
{
    struct walk w;
    struct error err;
    if (argc != 2 || walk_open(&w, argv[1], &err) != 0) {
        fputs("usage: frames FILE\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < w.frames.n; i++)
        print_frame(&w, i);
    walk_close(&w);
    return 0;
}
