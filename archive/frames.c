#include "archive/frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

#include "archive/frame_layout.h"
#include "metrics/array.h"
#include "parser/source/source.h"

#define ZSTD_DESCRIPTOR   4    /* where a zstd frame's descriptor is */
#define ZSTD_HAS_CHECKSUM 0x04 /* its bit (RFC 8878, 3.1.1.1.1) */

#define FORMAT_AT                                                                                            \
    (ARCHIVE_MAGIC_BYTES - 3) /* where the magic has the format's number; before it there was format 1 */

bool frames_may_begin_archive(const uint8_t *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && i < ARCHIVE_MAGIC_BYTES &&
           (bytes[i] == frame_magic[i] || (i == FORMAT_AT && bytes[i] == '1')))
        i++;
    return i == n || i == ARCHIVE_MAGIC_BYTES;
}

bool frames_begin_archive(const uint8_t *bytes, size_t n)
{
    return n >= ARCHIVE_MAGIC_BYTES && frames_may_begin_archive(bytes, n);
}

/* A list without frames for this file. */
static int begin(struct frames *f, const uint8_t *file, uint64_t size, struct error *err)
{
    *f = (struct frames){.file = file, .size = size};
    if (!frames_begin_archive(file, size < ARCHIVE_MAGIC_BYTES ? (size_t)size : ARCHIVE_MAGIC_BYTES))
        return error_set_at(err, ERROR_FORMAT, 0, "this is not an archive of xenmeter");
    if (file[FORMAT_AT] == '1')
        return error_set(err, ERROR_FORMAT,
                         "this archive has format 1, which is no longer read: make it anew from its trace, "
                         "which \"zstd -dc ARCHIVE | tar x\" gets out");
    return 0;
}

static void look_for_seal(struct frames *f)
{
    f->seal = seal_read(f->file + f->end, f->size - f->end, f->n);
    f->sealed = f->seal != NULL;
}

void frames_free(struct frames *f)
{
    free(f->list);
    *f = (struct frames){0};
}

/* ---- by the seek table ---- */

static struct frame entry_at(const uint8_t *entries, size_t i)
{
    const uint8_t *at = entries + i * TABLE_ENTRY_BYTES;
    return (struct frame){.bytes = get32(at), .content = get32(at + 4)};
}

/*
 * Whether a data frame can have `bytes` stored bytes and `content` decompressed ones; compression never exceeds the
 * bound.
 */
static bool plausible(uint64_t bytes, uint64_t content)
{
    return content >= 1 && content <= FRAME_CONTENT_MAX && bytes >= DATA_FRAME_MIN &&
           bytes <= ZSTD_compressBound(content);
}

/* Whether entry i of n is valid in an archive. */
static bool entry_fine(const uint8_t *entries, size_t i, size_t n)
{
    struct frame frame = entry_at(entries, i);
    if (i > 0 && i < n - 1)
        return plausible(frame.bytes, frame.content);
    uint64_t bytes = i == 0 ? ARCHIVE_MAGIC_BYTES : seal_bytes(n - 1);
    return frame.content == 0 && frame.bytes == bytes &&
           get32(entries + i * TABLE_ENTRY_BYTES + 8) == EMPTY_CHECKSUM;
}

/* The entries of the table at the end of the file, `*n` of them, and where the table begins. NULL: no valid table. */
static const uint8_t *find_table(const struct frames *f, size_t *n, uint64_t *at, struct error *err)
{
    uint64_t least = ARCHIVE_MAGIC_BYTES + seal_bytes(1) + table_bytes(2);
    const uint8_t *footer = f->size < least ? NULL : f->file + f->size - TABLE_FOOTER_BYTES;
    if (!footer || get32(footer + 5) != TABLE_FOOTER) {
        error_set_at(err, ERROR_FORMAT, f->size, "the archive does not end with a seek table");
        return NULL;
    }
    *n = get32(footer);
    if (footer[4] != TABLE_CHECKSUMS || *n < 2 || *n > FRAMES_MAX ||
        table_bytes(*n) > f->size - ARCHIVE_MAGIC_BYTES) {
        error_set_at(err, ERROR_FORMAT, f->size - TABLE_FOOTER_BYTES, "the end of the seek table is damaged");
        return NULL;
    }
    *at = f->size - table_bytes(*n);
    const uint8_t *table = f->file + *at;
    if (get32(table) != TABLE_NUMBER || get32(table + 4) != table_bytes(*n) - SKIPPABLE_HEADER) {
        error_set_at(err, ERROR_FORMAT, *at, "the beginning of the seek table is damaged");
        return NULL;
    }
    return table + SKIPPABLE_HEADER;
}

/* The entries are all possible, and the frames reach exactly up to the table. */
static int check_table(const uint8_t *entries, size_t n, uint64_t at, struct error *err)
{
    uint64_t sum = 0; /* at most 2^27 * 2^32 */
    for (size_t i = 0; i < n; i++) {
        if (!entry_fine(entries, i, n))
            return error_set_at(err, ERROR_FORMAT, at + SKIPPABLE_HEADER + i * TABLE_ENTRY_BYTES,
                                "entry %zu of the seek table is damaged", i);
        sum += entry_at(entries, i).bytes;
    }
    if (sum != at)
        return error_set_at(err, ERROR_FORMAT, at,
                            "the frames of the seek table end at byte %" PRIu64 ", not where it begins", sum);
    return 0;
}

int frames_open(struct frames *f, const uint8_t *file, uint64_t size, struct error *err)
{
    size_t entries_n = 0;
    uint64_t at = 0;
    if (begin(f, file, size, err) != 0)
        return -1;
    const uint8_t *entries = find_table(f, &entries_n, &at, err);
    if (!entries || check_table(entries, entries_n, at, err) != 0)
        return -1;
    f->list = calloc(entries_n - 1, sizeof *f->list);
    if (!f->list)
        return error_no_memory(err, "the list of frames");
    for (f->n = 0; f->n < entries_n - 1; f->n++) {
        f->list[f->n] = entry_at(entries, f->n);
        f->list[f->n].offset = f->end;
        f->end += f->list[f->n].bytes;
    }
    look_for_seal(f);
    return 0;
}

/* ---- by the frames themselves ---- */

/*
 * Checks that the `left` bytes at `at` begin with a whole data frame, and gives its stored and decompressed size. NULL,
 * or what is wrong. Walks the headers of the blocks; nothing is decompressed.
 */
static const char *measure(const uint8_t *at, uint64_t left, struct frame *frame)
{
    if (left < DATA_FRAME_MIN)
        return "a frame is cut short";
    if (get32(at) != ZSTD_MAGICNUMBER) /* the library may accept older formats and skippable frames, too */
        return "there is no zstd frame";
    unsigned long long content = ZSTD_getFrameContentSize(at, left);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN)
        return "a frame does not say how large its content is";
    if (content == 0 || content > FRAME_CONTENT_MAX)
        return "a frame says that its content is larger than any may be, or none";
    if (!(at[ZSTD_DESCRIPTOR] & ZSTD_HAS_CHECKSUM))
        return "a frame has no checksum";
    size_t bytes = ZSTD_findFrameCompressedSize(at, left);
    if (ZSTD_isError(bytes))
        return "a frame is cut short or damaged";
    if (!plausible(bytes, content))
        return "a frame has a size that its content cannot have";
    frame->bytes = (uint32_t)bytes;
    frame->content = (uint32_t)content;
    return NULL;
}

static int push(struct frames *f, size_t *capacity, struct frame frame, struct error *err)
{
    struct frame *list = array_reserve(f->list, capacity, f->n + 1, sizeof *list);
    if (!list)
        return error_no_memory(err, "the list of frames");
    f->list = list;
    list[f->n++] = frame;
    f->end += frame.bytes;
    return 0;
}

/* Fills `why`: the reason why the data frames end at f->end; `problem`: why no data frame begins there. */
static void explain(const struct frames *f, const char *problem, struct error *why)
{
    uint64_t left = f->size - f->end;
    uint32_t number = left >= 4 ? get32(f->file + f->end) : 0;
    if (left == 0)
        problem = "the archive was not finished: it ends here, without a seal";
    else if (number == SEAL_NUMBER)
        problem = "the seal is damaged";
    else if (number == TABLE_NUMBER)
        problem = "the seal is missing";
    if (!f->sealed)
        error_set_at(why, ERROR_FORMAT, f->end, "%s", problem);
}

int frames_recover(struct frames *f, const uint8_t *file, uint64_t size, struct error *why, struct error *err)
{
    size_t capacity = 0;
    struct frame frame = {.bytes = ARCHIVE_MAGIC_BYTES};
    const char *problem = NULL;
    if (why)
        *why = (struct error){0};
    if (begin(f, file, size, err) != 0)
        return -1;
    while (!problem) {
        if (push(f, &capacity, frame, err) != 0)
            return -1;
        frame.offset = f->end;
        problem = f->n < FRAMES_MAX - 1 ? measure(file + f->end, size - f->end, &frame)
                                        : "there are more frames than an archive may have";
    }
    look_for_seal(f);
    explain(f, problem, why);
    return 0;
}

/* ---- one frame ---- */

void frame_reader_free(struct frame_reader *r)
{
    ZSTD_freeDCtx(r->zstd);
    free(r->content);
    *r = (struct frame_reader){0};
}

/* Room for the content of a frame, and the state of decompression. */
static int reader_reserve(struct frame_reader *r, size_t n, struct error *err)
{
    if (!r->zstd && !(r->zstd = ZSTD_createDCtx()))
        return error_no_memory(err, "decompression");
    if (r->room >= n)
        return 0;
    free(r->content);
    r->content = malloc(n);
    r->room = r->content ? n : 0;
    return r->content ? 0 : error_no_memory(err, "a frame");
}

/* Gives back the pages of a frame that was read, so that they do not count as memory. */
static void release(const struct frames *f, const struct frame *frame)
{
    if (f->source)
        source_release(f->source, frame->offset, frame->offset + frame->bytes);
}

/* Checks that frame i is one whole data frame of the sizes in the list. */
static int check_size(const struct frames *f, size_t i, struct error *err)
{
    const struct frame *frame = &f->list[i];
    struct frame found = {0};
    const char *problem = measure(f->file + frame->offset, frame->bytes, &found);
    if (!problem && (found.bytes != frame->bytes || found.content != frame->content))
        problem = "a frame is not of the size that the seek table tells";
    return problem ? error_set_at(err, ERROR_FORMAT, frame->offset, "%s", problem) : 0;
}

static int check_hash(const struct frames *f, size_t i, struct error *err)
{
    const struct frame *frame = &f->list[i];
    if (f->sealed &&
        XXH3_64bits(f->file + frame->offset, frame->bytes) != get64(f->seal + i * SEAL_HASH_BYTES))
        return error_set_at(err, ERROR_FORMAT, frame->offset,
                            "a frame is damaged: it is not the one that was sealed");
    return 0;
}

int frame_check(const struct frames *f, size_t i, struct error *err)
{
    return check_hash(f, i, err) == 0 && check_size(f, i, err) == 0 ? 0 : -1;
}

/*
 * The frame is decompressed in one call, straight into the reader's room: no window is allocated, whatever its header
 * asks for, and nothing is written beyond the room.
 */
static int decompress(const struct frames *f, const struct frame *frame, struct frame_reader *r,
                      struct error *err)
{
    size_t n =
        ZSTD_decompressDCtx(r->zstd, r->content, frame->content, f->file + frame->offset, frame->bytes);
    if (ZSTD_isError(n))
        return error_set_at(err, ERROR_FORMAT, frame->offset, "a frame is damaged: %s", ZSTD_getErrorName(n));
    if (n != frame->content)
        return error_set_at(err, ERROR_FORMAT, frame->offset,
                            "a frame has less content than its header tells");
    return 0;
}

const uint8_t *frame_read(const struct frames *f, size_t i, struct frame_reader *r, struct error *err)
{
    const struct frame *frame = &f->list[i];
    if (check_size(f, i, err) != 0 || reader_reserve(r, frame->content, err) != 0 ||
        decompress(f, frame, r, err) != 0)
        return NULL;
    release(f, frame);
    return r->content;
}

const uint8_t *frame_verify(const struct frames *f, size_t i, struct frame_reader *r, struct error *err)
{
    return check_hash(f, i, err) == 0 ? frame_read(f, i, r, err) : NULL;
}

/* ---- the ends ---- */

/* The bytes that the file must have from f->end on. */
static uint8_t *demanded_ends(const struct frames *f, size_t *bytes)
{
    struct frame_facts *facts = calloc(f->n, sizeof *facts);
    uint8_t *ends = NULL;
    for (size_t i = 0; facts && i < f->n; i++) {
        facts[i] = frame_facts_of(f->file + f->list[i].offset, f->list[i].bytes, f->list[i].content);
        release(f, &f->list[i]);
    }
    if (facts)
        ends = frame_ends(facts, f->n, bytes);
    free(facts);
    return ends;
}

static size_t same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t i = 0;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

int frames_verify_ends(const struct frames *f, struct error *err)
{
    uint64_t there = f->size - f->end;
    size_t same = same_bytes(f->file, frame_magic, ARCHIVE_MAGIC_BYTES), bytes = 0;
    if (same < ARCHIVE_MAGIC_BYTES)
        return error_set_at(err, ERROR_FORMAT, same, "this is not an archive of xenmeter");
    uint8_t *ends = demanded_ends(f, &bytes);
    if (!ends)
        return error_no_memory(err, "the list of frames");
    same = same_bytes(f->file + f->end, ends, there < bytes ? (size_t)there : bytes);
    free(ends);
    if (same == bytes && same == there)
        return 0;
    const char *problem = same == bytes             ? "something follows the seek table"
                          : same == there           ? "the archive was not finished: it ends here"
                          : same < seal_bytes(f->n) ? "the seal is not that of these frames"
                                                    : "the seek table is not that of these frames";
    return error_set_at(err, ERROR_FORMAT, f->end + same, "%s", problem);
}
