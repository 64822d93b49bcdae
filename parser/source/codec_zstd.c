#include <zstd.h>

#include "codec.h"

static void *open_zstd(void)
{
    ZSTD_DStream *zstd = ZSTD_createDStream();
    if (zstd)
        ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, CODEC_WINDOW_LOG);
    return zstd;
}

static void close_zstd(void *zstd)
{
    ZSTD_freeDStream(zstd);
}

static enum codec_status step_zstd(void *zstd, struct codec_step *s, const char **why)
{
    ZSTD_inBuffer from = {s->from, s->n, 0};
    ZSTD_outBuffer to = {s->to, s->room, 0};
    size_t status = ZSTD_decompressStream(zstd, &to, &from);
    s->from += from.pos;
    s->n -= from.pos;
    s->to += to.pos;
    s->room -= to.pos;
    if (!ZSTD_isError(status))
        return status == 0 ? CODEC_BETWEEN : CODEC_INSIDE;
    *why = ZSTD_getErrorName(status);
    return CODEC_DAMAGED;
}

const struct codec codec_zstd = {.name = "zstd",
                                 .magic = {0x28, 0xb5, 0x2f, 0xfd},
                                 .magic_n = 4,
                                 .package = "libzstd",
                                 .open = open_zstd,
                                 .close = close_zstd,
                                 .step = step_zstd};
