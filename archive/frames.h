/*
 * An archive as a sequence of zstd frames, each on its own: the file's lowest level (xenmeter-archive(5)).
 *
 *     magic | data frame ... | seal | seek table
 *
 * The magic, the seal and the seek table are skippable frames, which every zstd tool passes over. The seek table is that
 * of the zstd seekable format (contrib/seekable_format of zstd); the seal has a checksum of every frame as it is stored,
 * so that no flipped bit goes unseen, not even one that decompression does not look at.
 */
#ifndef XENMETER_ARCHIVE_FRAMES_H
#define XENMETER_ARCHIVE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

#define FRAME_CONTENT_MAX (256u << 20) /* decompressed bytes of one frame; more is refused */
#define FRAMES_MAX        (1u << 27)   /* the seekable format's own limit */

#define MAGIC_CONTENT                                                                                        \
    "xenmeter.archive/1\n" /* with the NUL behind it: 20 bytes in a skippable frame 0x184d2a50 */

struct frame {
    uint64_t offset;  /* of its first byte in the file */
    uint32_t bytes;   /* as stored */
    uint32_t content; /* decompressed; 0 for the magic, which has none */
};

/* Whether a file that begins with these bytes is an archive of ours: `n` >= ARCHIVE_MAGIC_BYTES are looked at. */
#define ARCHIVE_MAGIC_BYTES 28
bool frames_begin_archive(const uint8_t *bytes, size_t n);

/* The same as far as n bytes can tell. */
bool frames_may_begin_archive(const uint8_t *bytes, size_t n);

/* ---- reading ---- */

struct frames {
    const uint8_t *file; /* mapped, the caller's */
    uint64_t size;
    struct frame
        *list; /* the magic and the data frames, in order; the seal and the seek table are not in it */
    size_t n;
    bool sealed;         /* the seal is there and reads well */
    uint64_t end;        /* where the data frames end */
    const uint8_t *seal; /* its checksums, 8 bytes for each of n frames; NULL unless sealed */
    /* Told by frames_verify_ends of each frame that it has read through; NULL, or set by the caller after opening. */
    void (*passed)(const void *context, const struct frame *frame);
    const void *passed_context;
};

/*
 * Reads where the frames are: from the seek table, of which every number is checked against the file's size and the
 * limits; the frames are not looked at. -1 with `err` filled (offset: in the file) when it is not an archive or its table
 * is missing or damaged: frames_recover may do then. A damaged seal is no failure: the archive then is not `sealed`.
 * frames_free in both cases.
 */
int frames_open(struct frames *f, const uint8_t *file, uint64_t size, struct error *err);

/*
 * The same from the frames themselves, one after the other from the beginning, up to the first that is not whole: for
 * an archive that was never finished. -1 only without memory or when it does not begin like an archive. `f->end` is where
 * it stopped; `why` (may be NULL) says what it found there: ERROR_NONE at a seal that reads well.
 */
int frames_recover(struct frames *f, const uint8_t *file, uint64_t size, struct error *why,
                   struct error *err);
void frames_free(struct frames *f);

/* Where the next data frame begins, from index i on (i itself included); f->n: no further one. */
size_t frames_next_data(const struct frames *f, size_t i);

struct frame_reader; /* what decompression needs; one for each thread */
struct frame_reader *frame_reader_new(void);
void frame_reader_free(struct frame_reader *r);

/*
 * What can be told of data frame i without decompressing it: its stored bytes are those that were sealed (if sealed), and
 * it is one whole frame of the sizes that the list has. -1 with `err` filled (offset: in the file).
 */
int frame_check(const struct frames *f, size_t i, struct error *err);

/*
 * Decompresses data frame i into `to`, which has room for its `content` bytes. -1 with `err` filled (offset: in the file)
 * when it is damaged or says something else of its size than the table.
 */
int frame_read(const struct frames *f, size_t i, struct frame_reader *r, uint8_t *to, struct error *err);

/*
 * All that can be checked of data frame i: its stored bytes against the seal (if sealed), that it decompresses with the
 * right checksum to what the table says. As frame_read otherwise; `to` then has its content.
 */
int frame_verify(const struct frames *f, size_t i, struct frame_reader *r, uint8_t *to, struct error *err);

/*
 * The magic, the seal and the seek table are, byte for byte, what the data frames demand. To be called with what
 * frames_recover found, or frames_open if frame_verify approves of every data frame. -1 with `err` filled at the offset of the first byte that is wrong.
 */
int frames_verify_ends(const struct frames *f, struct error *err);

/* ---- writing ---- */

struct frame_sink {
    void *context;
    /* -1 with `err` filled ends the work. Called in order, by one thread at a time, but not always the same. */
    int (*write)(void *context, const uint8_t *bytes, size_t n, struct error *err);
};

struct frame_writer;

/*
 * Writes the magic. Frames are compressed at `level` (1..19) on `threads` (1..64) threads. NULL with `err` filled.
 * Everything it writes depends on what it is given only, not on the number of threads.
 */
struct frame_writer *frame_writer_new(const struct frame_sink *sink, int level, unsigned threads,
                                      struct error *err);

/*
 * The next frame, of n bytes (1 .. FRAME_CONTENT_MAX) at `content` (from malloc; the writer's from now on, in failure
 * too). Waits while as many as there are threads, and one more, are on their way; a frame is written as soon as it and
 * those before it are compressed. Returns its index in the list of frames (the magic is 0), -1 with `err` filled as soon
 * as anything has failed.
 */
int64_t frame_writer_put(struct frame_writer *w, uint8_t *content, size_t n, struct error *err);

/*
 * The next frame as data frame i is stored in another archive: checked (frame_check) and copied during the call. Returns
 * as frame_writer_put.
 */
int64_t frame_writer_copy(struct frame_writer *w, const struct frames *from, size_t i, struct error *err);

/* Waits for all frames given so far to be written. -1 with `err` filled. */
int frame_writer_drain(struct frame_writer *w, struct error *err);

/* The same, and writes the seal and the seek table. */
int frame_writer_finish(struct frame_writer *w, struct error *err);

/* Ends the threads and frees everything; what is not written by then is not. NULL is fine. */
void frame_writer_free(struct frame_writer *w);

/* Bytes written so far; those of a failed write are not among them. */
uint64_t frame_writer_bytes(const struct frame_writer *w);

#endif
