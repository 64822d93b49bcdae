#include "codec.h"

#define GZIP_FACTS .name = "gzip", .magic = {0x1f, 0x8b}, .magic_n = 2, .package = "zlib"

#ifdef HAVE_zlib

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_ONLY 16 /* added to the bits of the window: neither zlib's own format nor raw data */

struct gzip {
    z_stream z;
    bool inside; /* of a member */
};

static void *open_gzip(void)
{
    struct gzip *g = calloc(1, sizeof *g);
    if (!g || inflateInit2(&g->z, MAX_WBITS + GZIP_ONLY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

static void close_gzip(void *decoder)
{
    struct gzip *g = decoder;
    if (g)
        inflateEnd(&g->z);
    free(g);
}

static enum codec_status step_gzip(void *decoder, struct codec_step *s, const char **why)
{
    struct gzip *g = decoder;
    if (!g->inside) {
        codec_skip_padding(s);
        if (s->n == 0)
            return CODEC_BETWEEN;
        inflateReset(&g->z);
        g->inside = true;
    }
    g->z.next_in = (Bytef *)(uintptr_t)s->from;
    g->z.avail_in = (uInt)s->n;
    g->z.next_out = s->to;
    g->z.avail_out = (uInt)s->room;
    int status = inflate(&g->z, Z_NO_FLUSH);
    s->from = g->z.next_in;
    s->n = g->z.avail_in;
    s->to = g->z.next_out;
    s->room = g->z.avail_out;
    g->inside = status != Z_STREAM_END;
    if (status == Z_STREAM_END || status == Z_OK || status == Z_BUF_ERROR) /* the last: it wants more bytes */
        return g->inside ? CODEC_INSIDE : CODEC_BETWEEN;
    *why = g->z.msg ? g->z.msg : status == Z_MEM_ERROR ? "no memory" : "not in gzip's format";
    return CODEC_DAMAGED;
}

const struct codec codec_gzip = {GZIP_FACTS, .open = open_gzip, .close = close_gzip, .step = step_gzip};

#else

const struct codec codec_gzip = {GZIP_FACTS};

#endif
