#include "archive/frame_layout.h"

#include <stdlib.h>
#include <xxhash.h>

#include "archive/frames.h"

const uint8_t frame_magic[ARCHIVE_MAGIC_BYTES] = "\x50\x2a\x4d\x18\x14\0\0\0" MAGIC_CONTENT;
_Static_assert(SKIPPABLE_HEADER + sizeof MAGIC_CONTENT == ARCHIVE_MAGIC_BYTES, "the NUL is part of it");

static uint8_t *put32(uint8_t *to, uint32_t n)
{
    n = htole32(n);
    memcpy(to, &n, sizeof n);
    return to + sizeof n;
}

static uint8_t *put64(uint8_t *to, uint64_t n)
{
    n = htole64(n);
    memcpy(to, &n, sizeof n);
    return to + sizeof n;
}

static void digest(XXH128_canonical_t *to, const uint8_t *seal, uint64_t n)
{
    XXH128_canonicalFromHash(
        to, XXH3_128bits(seal + SKIPPABLE_HEADER, seal_bytes(n) - SKIPPABLE_HEADER - SEAL_DIGEST_BYTES));
}

struct frame_facts frame_facts_of(const uint8_t *stored, uint32_t bytes, uint32_t content)
{
    return (struct frame_facts){
        .hash = XXH3_64bits(stored, bytes),
        .bytes = bytes,
        .content = content,
        .checksum = content ? get32(stored + bytes - 4) : EMPTY_CHECKSUM,
    };
}

static uint8_t *put_seal(uint8_t *seal, const struct frame_facts *list, size_t n)
{
    uint8_t *to = put32(seal, SEAL_NUMBER);
    to = put32(to, (uint32_t)(seal_bytes(n) - SKIPPABLE_HEADER));
    memcpy(to, SEAL_NAME, SEAL_NAME_BYTES);
    to = put64(to + SEAL_NAME_BYTES, n);
    for (size_t i = 0; i < n; i++)
        to = put64(to, list[i].hash);
    XXH128_canonical_t sum;
    digest(&sum, seal, n);
    memcpy(to, sum.digest, SEAL_DIGEST_BYTES);
    return to + SEAL_DIGEST_BYTES;
}

static uint8_t *put_entry(uint8_t *to, uint32_t bytes, uint32_t content, uint32_t checksum)
{
    return put32(put32(put32(to, bytes), content), checksum);
}

static void put_table(uint8_t *to, const struct frame_facts *list, size_t n)
{
    to = put32(to, TABLE_NUMBER);
    to = put32(to, (uint32_t)(table_bytes(n + 1) - SKIPPABLE_HEADER));
    for (size_t i = 0; i < n; i++)
        to = put_entry(to, list[i].bytes, list[i].content, list[i].checksum);
    to = put_entry(to, (uint32_t)seal_bytes(n), 0, EMPTY_CHECKSUM);
    to = put32(to, (uint32_t)n + 1);
    *to++ = TABLE_CHECKSUMS;
    put32(to, TABLE_FOOTER);
}

uint8_t *frame_ends(const struct frame_facts *list, size_t n, size_t *bytes)
{
    *bytes = seal_bytes(n) + table_bytes(n + 1);
    uint8_t *ends = malloc(*bytes);
    if (ends)
        put_table(put_seal(ends, list, n), list, n);
    return ends;
}

const uint8_t *seal_read(const uint8_t *seal, uint64_t left, uint64_t n)
{
    uint64_t bytes = seal_bytes(n);
    if (left < bytes || get32(seal) != SEAL_NUMBER || get32(seal + 4) != bytes - SKIPPABLE_HEADER ||
        memcmp(seal + SKIPPABLE_HEADER, SEAL_NAME, SEAL_NAME_BYTES) != 0 ||
        get64(seal + SKIPPABLE_HEADER + SEAL_NAME_BYTES) != n)
        return NULL;
    XXH128_canonical_t sum;
    digest(&sum, seal, n);
    return memcmp(seal + bytes - SEAL_DIGEST_BYTES, sum.digest, SEAL_DIGEST_BYTES) == 0 ? seal + SEAL_HASHES
                                                                                        : NULL;
}
