/*
 * The kinds of compression that are read. A compressed file is one member after another (zstd calls them frames, xz
 * streams), each of which decompresses by itself.
 */
#ifndef XENMETER_PARSER_CODEC_H
#define XENMETER_PARSER_CODEC_H

#include <stddef.h>
#include <stdint.h>

/* The largest window that is accepted, that of zstd --long=27: bounds the memory of decompression. */
#define CODEC_WINDOW_LOG 27

/* One step of decompression: from `from` to `to`. The codec moves both past what it used, and reduces n and room. */
struct codec_step {
    const uint8_t *from;
    size_t n;
    uint8_t *to;
    size_t room;
};

enum codec_status {
    CODEC_DAMAGED = -1,
    CODEC_BETWEEN = 0, /* a member has ended, and none began after it */
    CODEC_INSIDE = 1   /* of a member: it goes on */
};

struct codec {
    const char *name; /* "zstd", as trace_summary.compression has it, and of the command that decompresses */
    uint8_t magic[6]; /* the first bytes, */
    size_t magic_n;
    const char *package; /* whose functions decompress it */
    void *(*open)(void); /* NULL: it was not there at build time. Returns a decoder, or NULL: no memory. */
    void (*close)(void *decoder); /* NULL is allowed */
    /* Decompresses as far as bytes and room reach. CODEC_DAMAGED sets *why to a static text. */
    enum codec_status (*step)(void *decoder, struct codec_step *step, const char **why);
};

extern const struct codec codec_zstd, codec_gzip, codec_xz;

/* The longest magic. */
#define CODEC_MAGIC_BYTES 6

/* The codec whose magic these bytes begin with; NULL: none. */
const struct codec *codec_of(const uint8_t *bytes, size_t n);

/* Moves a step past zero bytes, with which some tools pad a file between and after its members. */
void codec_skip_padding(struct codec_step *step);

#endif
