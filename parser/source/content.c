#include "content.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

/* Compression that is not read: the command decompresses its standard input, or the file it is given. */
struct foreign {
    const char *name, *magic;
    size_t magic_n;
    const char *command;
};

static const struct foreign filters[] = {
    {"a bzip2 file", "BZh", 3, "bzip2 -dc"},
    {"an lz4 file", "\x04\x22\x4d\x18", 4, "lz4 -dc"},
    {"an lz4 file", "\x02\x21\x4c\x18", 4, "lz4 -dc"}, /* of its first versions */
    {"an lzop file", "\x89LZO\0\r\n\x1a\n", 9, "lzop -dc"},
    {"an lzip file", "LZIP", 4, "lzip -dc"},
    {"an lzma file", "\x5d\0\0", 3, "xz --format=lzma -dc"},
    {"a file of compress", "\x1f\x9d", 2, "gzip -dc"},
};

/* Files that hold other files: the command writes them to its standard output. */
static const struct foreign archives[] = {
    {"a zip archive", "PK\3\4", 4, "unzip -p"},
    {"an empty zip archive", "PK\5\6", 4, "unzip -p"},
    {"a 7-Zip archive", "7z\xbc\xaf\x27\x1c", 6, "7z x -so"},
    {"a RAR archive", "Rar!\x1a\x07", 6, "unrar p -inul"},
};

/* Captures whose bytes are in another order. */
static const struct foreign swapped[] = {
    {"words", "\x20\x01\xf0\x03", 4, "objcopy -I binary -O binary --reverse-bytes=4 FILE NEW"},
    {"half-words", "\xf0\x03\x20\x01", 4, "dd if=FILE of=NEW conv=swab"},
};

#define FIND(TABLE, BYTES, N) find(TABLE, sizeof(TABLE) / sizeof(TABLE)[0], BYTES, N)

static const struct foreign *find(const struct foreign *table, size_t rows, const uint8_t *bytes, size_t n)
{
    for (const struct foreign *f = table; f < table + rows; f++)
        if (n >= f->magic_n && memcmp(bytes, f->magic, f->magic_n) == 0)
            return f;
    return NULL;
}

/* The header of a tar file of any kind: its bytes add up to the number, in octal, at 148, which counts as blanks. */
static bool is_tar(const uint8_t *bytes, size_t n)
{
    enum { HEADER = 512, SUM = 148, SUM_BYTES = 8 };
    char text[SUM_BYTES + 1] = "";
    unsigned long sum = SUM_BYTES * ' ';
    if (n < HEADER || bytes[0] == 0)
        return false;
    for (size_t i = 0; i < HEADER; i++)
        sum += i >= SUM && i < SUM + SUM_BYTES ? 0 : bytes[i];
    memcpy(text, bytes + SUM, SUM_BYTES);
    return strtoul(text, NULL, 8) == sum;
}

static bool is_text(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((bytes[i] < ' ' && !(bytes[i] && strchr("\t\n\f\r\033", bytes[i]))) || bytes[i] == 0x7f)
            return false;
    return n > 0;
}

/* Compressed, what is within `outer` ("none": nothing). */
static int say_filter(const char *what, const char *command, const char *outer, struct error *err)
{
    if (strcmp(outer, "none") == 0)
        return error_set(err, ERROR_FORMAT, "%s: decompress it first: %s FILE | xenmeter report -", what,
                         command);
    return error_set(
        err, ERROR_FORMAT,
        "compressed twice, %s within %s: decompress it first: %s -dc FILE | %s | xenmeter report -", what,
        outer, outer, command);
}

static int say_codec(const char *inner, const char *outer, struct error *err)
{
    return error_set(
        err, ERROR_FORMAT,
        "compressed twice, %s within %s: decompress it once first: %s -dc FILE | xenmeter report -", inner,
        outer, outer);
}

static int say_archive(const char *what, const char *command, const char *outer, struct error *err)
{
    if (strcmp(outer, "none") == 0)
        return error_set(err, ERROR_FORMAT, "%s: take the capture out first: %s FILE | xenmeter report -",
                         what, command);
    return error_set(err, ERROR_FORMAT,
                     "%s, compressed by %s: decompress it (%s -dc FILE > NEW), and take the capture out: "
                     "%s NEW | xenmeter report -",
                     what, outer, outer, command);
}

int content_check(const uint8_t *bytes, size_t n, const char *outer, struct error *err)
{
    const struct foreign *f;
    const struct codec *codec = codec_of(bytes, n);
    if (codec && strcmp(outer, "none") != 0)
        return say_codec(codec->name, outer, err);
    if ((f = FIND(filters, bytes, n)))
        return say_filter(f->name, f->command, outer, err);
    if ((f = FIND(archives, bytes, n)))
        return say_archive(f->name, f->command, outer, err);
    if ((f = FIND(swapped, bytes, n)))
        return error_set(
            err, ERROR_FORMAT,
            "a capture in big-endian byte order, where Xen on x86 and Arm writes little-endian: swap the "
            "bytes of its %s first: %s",
            f->name, f->command);
    if (is_tar(bytes, n)) /* tar decompresses by itself */
        return say_archive("a tar archive", "tar -xOf", "none", err);
    if (is_text(bytes, n))
        return error_set(err, ERROR_FORMAT,
                         "not a xentrace capture, but text: give the file that xentrace wrote, not what "
                         "xenalyze or xentrace_format made of it");
    return 0;
}
