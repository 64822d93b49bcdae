/* The bytes of an archive's skippable frames, for its reader and its writer (xenmeter-archive(5)). */
#ifndef XENMETER_ARCHIVE_FRAME_LAYOUT_H
#define XENMETER_ARCHIVE_FRAME_LAYOUT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All numbers are little-endian. A skippable frame: its number, the bytes of its content (both u32), the content. */
#define SKIPPABLE_HEADER 8
#define SEAL_NUMBER      0x184d2a51u
#define TABLE_NUMBER     0x184d2a5eu

/*
 * The seal: its name, u64 number of frames before it, u64 XXH3-64 of each as stored, XXH3-128 (canonical) of all these
 * bytes.
 */
#define SEAL_NAME         "xenmeter.seal/1\n" /* without the NUL */
#define SEAL_NAME_BYTES   (sizeof SEAL_NAME - 1)
#define SEAL_HASHES       (SKIPPABLE_HEADER + SEAL_NAME_BYTES + 8) /* where the checksums begin */
#define SEAL_HASH_BYTES   8
#define SEAL_DIGEST_BYTES 16

/* The seek table: an entry for each frame before it (u32 bytes stored, bytes of content, checksum), and a footer. */
#define TABLE_ENTRY_BYTES  12
#define TABLE_FOOTER_BYTES 9 /* u32 entries, u8 descriptor, u32 number */
#define TABLE_FOOTER       0x8f92eab1u
#define TABLE_CHECKSUMS    0x80        /* the descriptor: entries have checksums, all other bits 0 */
#define EMPTY_CHECKSUM     0x51d8e999u /* low half of the XXH64 of no bytes: that of a skippable frame */

/* A zstd frame of one byte of content: number 4, descriptor 1, size 1, block 3 + 1, checksum 4. */
#define DATA_FRAME_MIN 14

/* The entries of the seal and of the seek table for one frame. */
struct frame_facts {
    uint64_t hash; /* XXH3-64 of its stored bytes */
    uint32_t bytes, content;
    uint32_t checksum; /* low half of the XXH64 of its content */
};

static inline uint32_t get32(const uint8_t *at)
{
    uint32_t n;
    memcpy(&n, at, sizeof n);
    return le32toh(n);
}

static inline uint64_t get64(const uint8_t *at)
{
    uint64_t n;
    memcpy(&n, at, sizeof n);
    return le64toh(n);
}

/* Bytes of the whole seal of n frames, and of a seek table of n entries. n at most FRAMES_MAX. */
static inline uint64_t seal_bytes(uint64_t n)
{
    return SEAL_HASHES + n * SEAL_HASH_BYTES + SEAL_DIGEST_BYTES;
}

static inline uint64_t table_bytes(uint64_t n)
{
    return SKIPPABLE_HEADER + n * TABLE_ENTRY_BYTES + TABLE_FOOTER_BYTES;
}

/* The magic as it is stored: ARCHIVE_MAGIC_BYTES. */
extern const uint8_t frame_magic[];

/* The facts of a whole frame: the magic, or a data frame (which ends with its checksum). */
struct frame_facts frame_facts_of(const uint8_t *stored, uint32_t bytes, uint32_t content);

/*
 * The seal and the seek table of these n frames, as one block of `*bytes` bytes, the caller's to free. NULL: no memory.
 */
uint8_t *frame_ends(const struct frame_facts *list, size_t n, size_t *bytes);

/*
 * Where the checksums are in the seal of n frames at `seal`, of which `left` bytes are in the file. NULL: the seal is
 * damaged.
 */
const uint8_t *seal_read(const uint8_t *seal, uint64_t left, uint64_t n);

#endif
