#include "codec.h"

#define XZ_FACTS .name = "xz", .magic = {0xfd, '7', 'z', 'X', 'Z', 0}, .magic_n = 6, .package = "liblzma"

#ifdef HAVE_liblzma

#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>

#define MEMORY_LIMIT (((uint64_t)1 << CODEC_WINDOW_LOG) + ((uint64_t)1 << 20)) /* a window, and the rest */

struct xz {
    lzma_stream z;
    bool inside; /* of a stream */
};

static void *open_xz(void)
{
    return calloc(1, sizeof(struct xz)); /* as LZMA_STREAM_INIT has it */
}

static void close_xz(void *decoder)
{
    struct xz *x = decoder;
    if (x)
        lzma_end(&x->z);
    free(x);
}

static const char *text_of(lzma_ret status)
{
    switch (status) {
    case LZMA_MEM_ERROR:
        return "no memory";
    case LZMA_MEMLIMIT_ERROR:
        return "its dictionary is larger than 128 MiB";
    case LZMA_FORMAT_ERROR:
        return "not in xz's format";
    case LZMA_OPTIONS_ERROR:
        return "made with options that liblzma does not know";
    default:
        return "data corruption";
    }
}

static enum codec_status step_xz(void *decoder, struct codec_step *s, const char **why)
{
    struct xz *x = decoder;
    lzma_ret status = LZMA_OK;
    if (!x->inside) {
        codec_skip_padding(s);
        if (s->n == 0)
            return CODEC_BETWEEN;
        status = lzma_stream_decoder(&x->z, MEMORY_LIMIT, 0);
        x->inside = true;
    }
    x->z.next_in = s->from;
    x->z.avail_in = s->n;
    x->z.next_out = s->to;
    x->z.avail_out = s->room;
    if (status == LZMA_OK)
        status = lzma_code(&x->z, LZMA_RUN);
    s->from = x->z.next_in;
    s->n = x->z.avail_in;
    s->to = x->z.next_out;
    s->room = x->z.avail_out;
    x->inside = status != LZMA_STREAM_END;
    if (status == LZMA_STREAM_END || status == LZMA_OK || status == LZMA_BUF_ERROR) /* it wants more bytes */
        return x->inside ? CODEC_INSIDE : CODEC_BETWEEN;
    *why = text_of(status);
    return CODEC_DAMAGED;
}

const struct codec codec_xz = {XZ_FACTS, .open = open_xz, .close = close_xz, .step = step_xz};

#else

const struct codec codec_xz = {XZ_FACTS};

#endif
