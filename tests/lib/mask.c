/*
 * mask MASK < CAPTURE: the capture, which is not compressed, as "xentrace -e MASK" would have written it. Windows stay; those
 * that become empty are left out.
 *
 * Source: xen/common/trace.c, __trace_var(): an event's class and its subclass each have to have a bit in common with the mask.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU_CHANGE 0x0001f003u /* pCPU, bytes of the records that follow */

struct window {
    uint32_t head[16]; /* its CPU_CHANGE record */
    uint8_t *bytes;
    uint32_t n, kept;
};

static uint32_t event_of(uint32_t header)
{
    return header & 0x0fffffffu;
}

static size_t size_of(uint32_t header)
{
    return 4 * (1 + (header >> 28 & 7) + (header >> 31 ? 2 : 0));
}

static int is_masked(uint32_t event, uint32_t mask)
{
    return (mask >> 16 & event >> 16 & 0xfff) == 0 || (mask >> 12 & event >> 12 & 0xf) == 0;
}

/* 1: there is one; 0: the end; -1: it is none. */
static int read_window(struct window *w)
{
    if (fread(w->head, 4, 1, stdin) != 1)
        return 0;
    size_t size = size_of(w->head[0]);
    if (event_of(w->head[0]) != CPU_CHANGE || size < 12 || fread(w->head + 1, size - 4, 1, stdin) != 1)
        return -1;
    w->n = w->head[2];
    w->bytes = realloc(w->bytes, w->n + 1);
    return w->bytes && fread(w->bytes, 1, w->n, stdin) == w->n ? 1 : -1;
}

static int keep_records(struct window *w, uint32_t mask)
{
    w->kept = 0;
    for (uint32_t at = 0; at < w->n;) {
        uint32_t header;
        if (w->n - at < sizeof header)
            return -1;
        memcpy(&header, w->bytes + at, sizeof header);
        size_t size = size_of(header);
        if (size > w->n - at)
            return -1;
        if (!is_masked(event_of(header), mask)) {
            memmove(w->bytes + w->kept, w->bytes + at, size);
            w->kept += (uint32_t)size;
        }
        at += (uint32_t)size;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct window w = {.bytes = NULL};
    int more = argc == 2 ? 1 : -1;
    uint32_t mask = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 0) : 0;
    while (more > 0 && (more = read_window(&w)) > 0) {
        if (keep_records(&w, mask) != 0)
            more = -1;
        w.head[2] = w.kept;
        if (more > 0 && w.kept &&
            (fwrite(w.head, size_of(w.head[0]), 1, stdout) != 1 || fwrite(w.bytes, w.kept, 1, stdout) != 1))
            more = -1;
    }
    free(w.bytes);
    if (more < 0)
        fputs("mask: wants MASK, and a whole capture on standard input\n", stderr);
    return more < 0 ? 2 : 0;
}
