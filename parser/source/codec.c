#include "codec.h"

#include <stdbool.h>
#include <string.h>

static const struct codec *const codecs[] = {&codec_zstd, &codec_gzip, &codec_xz};

/* A skippable frame of zstd (0x184d2a5?), which comes first in some seekable files. */
static bool begins_skippable(const uint8_t *bytes, size_t n)
{
    return n >= 4 && (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d && bytes[3] == 0x18;
}

const struct codec *codec_of(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
        if (n >= codecs[i]->magic_n && memcmp(bytes, codecs[i]->magic, codecs[i]->magic_n) == 0)
            return codecs[i];
    return begins_skippable(bytes, n) ? &codec_zstd : NULL;
}

void codec_skip_padding(struct codec_step *step)
{
    while (step->n > 0 && *step->from == 0) {
        step->from++;
        step->n--;
    }
}
