/*
 * An archive as a sequence of independent zstd frames: the file's lowest level (xenmeter-archive(5)).
 *
 *     magic | data frame ... | seal | seek table
 *
 * The magic, the seal and the seek table are skippable frames, which every zstd tool skips. The seek table is that of
 * the zstd seekable format (contrib/seekable_format of zstd); the seal has a checksum of every frame as it is stored,
 * so that every flipped bit is found, even one that decompression does not look at.
 */
#ifndef XENMETER_ARCHIVE_FRAMES_H
#define XENMETER_ARCHIVE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct source;

#define FRAME_CONTENT_MAX (256u << 20) /* decompressed bytes of one frame; larger frames are refused */
#define FRAMES_MAX        (1u << 27)   /* the seekable format's own limit */

#define MAGIC_CONTENT "xenmeter.archive/2\n" /* with its NUL: 20 bytes in a skippable frame 0x184d2a50 */

struct frame {
    uint64_t offset;  /* of its first byte in the file */
    uint32_t bytes;   /* as stored */
    uint32_t content; /* decompressed; 0 for the magic, which has none */
};

/* Whether a file that begins with these n bytes is an archive of ours, be it of format 1, which cannot be read. */
#define ARCHIVE_MAGIC_BYTES 28
bool frames_begin_archive(const uint8_t *bytes, size_t n);

/* Whether n bytes, of any number, can be the beginning of an archive. */
bool frames_may_begin_archive(const uint8_t *bytes, size_t n);

/* ---- reading ---- */

struct frames {
    const uint8_t *file; /* mapped, the caller's */
    uint64_t size;
    struct frame
        *list; /* the magic, and from 1 on the data frames, in order; without the seal and the seek table */
    size_t n;
    bool sealed;         /* the seal is present and valid */
    uint64_t end;        /* where the data frames end */
    const uint8_t *seal; /* its checksums, 8 bytes for each of n frames; NULL unless sealed */
    /* NULL, or set by the caller after opening: the pages of each frame that was read are released there. */
    const struct source *source;
};

/*
 * Lists the frames from the seek table. Every number is checked against the file's size and the limits; the frames
 * themselves are not read. -1 with `err` filled (offset: in the file) when it is not an archive or its table is missing
 * or damaged: frames_recover may help then. A damaged seal is no error: the archive is then not `sealed`. Call
 * frames_free in both cases.
 */
int frames_open(struct frames *f, const uint8_t *file, uint64_t size, struct error *err);

/*
 * Lists the frames by walking them from the beginning up to the first that is not whole: for an archive that was never
 * completed. -1: no memory, or the file does not begin like an archive. `f->end` is where the walk stopped; `why` (may
 * be NULL) says what is there: ERROR_NONE at a valid seal.
 */
int frames_recover(struct frames *f, const uint8_t *file, uint64_t size, struct error *why,
                   struct error *err);
void frames_free(struct frames *f);

/* Decompresses frames; one for each thread. All zero is a new one. */
struct frame_reader {
    struct ZSTD_DCtx_s *zstd;
    uint8_t *content; /* of the last frame read */
    size_t room;
};
void frame_reader_free(struct frame_reader *r);

/*
 * Checks data frame i without decompressing it: its stored bytes have the checksum of the seal (if sealed), and it is
 * one whole frame of the sizes in the list. -1 with `err` filled (offset: in the file).
 */
int frame_check(const struct frames *f, size_t i, struct error *err);

/*
 * Decompresses data frame i. Returns its `content` bytes, which are the reader's and valid until its next frame; NULL
 * with `err` filled (offset: in the file) when it is damaged or its size is not that of the table.
 */
const uint8_t *frame_read(const struct frames *f, size_t i, struct frame_reader *r, struct error *err);

/*
 * Every check of data frame i: frame_check, and that it decompresses with the right checksum to the size in the table.
 * Else as frame_read.
 */
const uint8_t *frame_verify(const struct frames *f, size_t i, struct frame_reader *r, struct error *err);

/*
 * Checks that the magic, the seal and the seek table are, byte for byte, what the data frames demand. Call with the
 * list of frames_recover, or of frames_open if frame_verify accepted every data frame. -1 with `err` filled at the
 * offset of the first wrong byte.
 */
int frames_verify_ends(const struct frames *f, struct error *err);

/* ---- writing ---- */

struct frame_sink {
    void *context;
    /*
     * Writes the next bytes; -1 with `err` filled ends the work. Called in order, by one thread at a time, not always
     * the same.
     */
    int (*write)(void *context, const uint8_t *bytes, size_t n, struct error *err);
};

struct frame_writer;
struct output;

/* A sink that writes to this output, and flushes after each frame. */
struct frame_sink frame_sink_to(struct output *out);

/*
 * Writes the magic. Frames are compressed at `level` (1..19) on `threads` (1..64) threads. NULL with `err` filled.
 * The bytes written depend on the frames and the level only, not on the number of threads.
 */
struct frame_writer *frame_writer_new(const struct frame_sink *sink, int level, unsigned threads,
                                      struct error *err);

/*
 * The next frame, of n bytes (1 .. FRAME_CONTENT_MAX) at `content` (from malloc; the writer's from now on, in failure
 * too). Waits while more frames than threads are being compressed or written; a frame is written as soon as it and
 * those before it are compressed. Returns its index in the list of frames (the magic is 0), -1 with `err` filled as
 * soon as anything has failed.
 */
int64_t frame_writer_put(struct frame_writer *w, uint8_t *content, size_t n, struct error *err);

/*
 * Takes data frame i of another archive as the next frame, as it is stored: checked (frame_check) and written during the
 * call, after those before it. Returns as frame_writer_put.
 */
int64_t frame_writer_copy(struct frame_writer *w, const struct frames *from, size_t i, struct error *err);

/* Waits for all frames given so far to be written. -1 with `err` filled. */
int frame_writer_drain(struct frame_writer *w, struct error *err);

/* As frame_writer_drain; then writes the seal and the seek table. */
int frame_writer_finish(struct frame_writer *w, struct error *err);

/* Ends the threads and frees everything; frames not yet written are dropped. NULL is allowed. */
void frame_writer_free(struct frame_writer *w);

/* Bytes written so far, without those of a failed write. */
uint64_t frame_writer_bytes(const struct frame_writer *w);

#endif
