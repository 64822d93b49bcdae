/* Archives that are damaged, cut short, or lie: every damage is found, and nothing worse happens. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/frames.h"
#include "archives.h"
#include "check.h"
#include "suites.h"

/* ---- damage ---- */

static void every_flipped_bit_is_found(void)
{
    struct buffer file = small_archive();
    EQUAL(verify(&file, NULL), 0);
    for (size_t bit = 0; bit < file.n * 8; bit++) {
        struct error err = {0};
        struct frames f;
        file.at[bit / 8] ^= (char)(1 << bit % 8);
        EQUAL(verify(&file, &err), -1);
        CHECK(err.code == ERROR_FORMAT && err.has_offset && err.offset <= bit / 8);
        frames_open(&f, bytes_of(&file), file.n, NULL); /* may do, and must not crash */
        frames_free(&f);
        file.at[bit / 8] ^= (char)(1 << bit % 8);
    }
    buffer_free(&file);
}

static void damage_to_the_ends_is_told_at_its_first_byte(void)
{
    struct buffer file = small_archive();
    struct frames f;
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    uint64_t end = f.end;
    frames_free(&f);
    for (size_t at = end; at < file.n; at++) {
        struct error err = {0};
        file.at[at] ^= 0x10;
        EQUAL(verify(&file, &err), -1);
        EQUAL(err.offset, at);
        file.at[at] ^= 0x10;
    }
    buffer_free(&file);
}

static void a_damaged_seal_leaves_the_archive_readable(void)
{
    struct buffer file = small_archive();
    struct frames f;
    struct error why = {0};
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    uint64_t end = f.end;
    frames_free(&f);
    for (size_t at = end; at < end + 8 + 16 + 8 + 4 * 8 + 16; at++) {
        file.at[at] ^= 0x40;
        EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
        CHECK(!f.sealed && !f.seal);
        check_frames(&f, (const size_t[]){1, 60, 200}, 3);
        frames_free(&f);
        EQUAL(frames_recover(&f, bytes_of(&file), file.n, &why, NULL), 0);
        CHECK(!f.sealed && f.n == 4);
        EQUAL(why.code, ERROR_FORMAT);
        EQUAL(why.offset, end);
        frames_free(&f);
        file.at[at] ^= 0x40;
    }
    buffer_free(&file);
}

static void an_unfinished_archive_has_the_frames_that_are_whole(void)
{
    struct buffer file = small_archive();
    struct frames whole;
    EQUAL(frames_open(&whole, bytes_of(&file), file.n, NULL), 0);
    for (size_t n = 0; n < file.n; n++) {
        uint8_t *cut = malloc(n + !n); /* exactly: what reads beyond is found */
        struct frames f;
        struct error why = {0}, err = {0};
        size_t frames = 0;
        memcpy(cut, file.at, n);
        while (frames < whole.n && whole.list[frames].offset + whole.list[frames].bytes <= n)
            frames++;
        EQUAL(frames_open(&f, cut, n, &err), -1);
        CHECK(err.code == ERROR_FORMAT && err.has_offset && err.offset <= n);
        frames_free(&f);
        EQUAL(frames_recover(&f, cut, n, &why, &err), frames ? 0 : -1);
        EQUAL(f.n, frames);
        if (frames) {
            bool sealed = n >= whole.end + 8 + 16 + 8 + 4 * 8 + 16;
            uint64_t end = whole.list[frames - 1].offset + whole.list[frames - 1].bytes;
            EQUAL(f.sealed, sealed);
            EQUAL(f.end, end);
            EQUAL(why.code, sealed ? ERROR_NONE : ERROR_FORMAT);
            EQUAL(why.offset, sealed ? 0 : end);
            check_frames(&f, (const size_t[]){1, 60, 200}, frames - 1);
            EQUAL(frames_verify_ends(&f, &err), -1);
            EQUAL(err.offset, frames == whole.n ? n : end); /* in the ends, or where they should begin */
        }
        frames_free(&f);
        free(cut);
    }
    frames_free(&whole);
    buffer_free(&file);
}

static void what_follows_the_seek_table_is_found(void)
{
    struct buffer file = small_archive();
    struct frames f;
    struct error err = {0};
    size_t n = file.n;
    buffer_add(&file, "", 1);
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
    frames_free(&f);
    EQUAL(verify(&file, &err), -1);
    EQUAL(err.offset, n);
    buffer_free(&file);
}

static void a_seal_of_other_frames_does_not_fit(void)
{
    struct buffer file = small_archive(), other = archive((const size_t[]){1, 60, 201}, 3, 1);
    struct frames f;
    struct error err = {0};
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    size_t ends = file.n - f.end;
    memcpy(file.at + f.end, other.at + other.n - ends, ends - (8 + 5 * 12 + 9));
    uint64_t at = f.list[3].offset;
    frames_free(&f);
    EQUAL(verify(&file, &err), -1);
    EQUAL(err.offset, at);
    buffer_free(&file);
    buffer_free(&other);
}

/* ---- lies ---- */

static void put32_at(struct buffer *file, size_t at, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        file->at[at + i] = (char)(n >> 8 * i);
}

static uint32_t get32_at(const struct buffer *file, size_t at)
{
    uint32_t n = 0;
    for (int i = 3; i >= 0; i--)
        n = n << 8 | (uint8_t)file->at[at + i];
    return n;
}

/* The small archive's seek table. */
#define ENTRIES 5 /* magic, three of data, seal */
#define FOOTER  9

static size_t entry(const struct buffer *file, int i)
{
    return file->n - FOOTER - (ENTRIES - i) * 12;
}

static void seek_tables_that_cannot_be_are_refused(void)
{
    static const uint32_t counts[] = {
        0,        1,          2,          4,          6,          1u << 27,  (1u << 27) + 1,
        1u << 29, 0x15555555, 0x15555556, 0x7fffffff, 0x80000005, UINT32_MAX};
    struct buffer file = small_archive();
    struct frames f;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        put32_at(&file, file.n - FOOTER, counts[i]);
        EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
        frames_free(&f);
    }
    put32_at(&file, file.n - FOOTER, ENTRIES);
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    frames_free(&f);
    static const uint32_t lies[] = {0, 1, 13, 0x7fffffff, 0x80000000, 0xfffffff0, UINT32_MAX};
    for (int e = 0; e < ENTRIES; e++)
        for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
            uint32_t was = get32_at(&file, entry(&file, e));
            put32_at(&file, entry(&file, e), lies[i]);
            EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
            frames_free(&f);
            put32_at(&file, entry(&file, e), was);
        }
    for (int e = 0; e < ENTRIES; e++) { /* contents */
        uint32_t was = get32_at(&file, entry(&file, e) + 4);
        put32_at(&file, entry(&file, e) + 4, e == 0 || e == ENTRIES - 1 ? 1 : 0);
        EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
        frames_free(&f);
        put32_at(&file, entry(&file, e) + 4, FRAME_CONTENT_MAX + 1);
        EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
        frames_free(&f);
        put32_at(&file, entry(&file, e) + 4, was);
    }
    EQUAL(verify(&file, NULL), 0);
    buffer_free(&file);
}

/* Sizes that are right in their sum alone, also in one of 32 bits. */
static void sizes_that_only_add_up_are_refused(void)
{
    struct buffer file = small_archive();
    struct frames f;
    uint32_t a = get32_at(&file, entry(&file, 1)), b = get32_at(&file, entry(&file, 2));
    for (int e = 1; e <= 2; e++) {
        put32_at(&file, entry(&file, e), (e == 1 ? a : b) + 0x80000000);
        put32_at(&file, entry(&file, e) + 4, FRAME_CONTENT_MAX);
    }
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), -1);
    frames_free(&f);
    buffer_free(&file);

    file = small_archive();
    struct frame_reader r = {0};
    struct error err = {0};
    put32_at(&file, entry(&file, 2), b + 1);
    put32_at(&file, entry(&file, 3), get32_at(&file, entry(&file, 3)) - 1);
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    CHECK(frame_read(&f, 1, &r, &err) != NULL);
    CHECK(frame_read(&f, 2, &r, &err) == NULL);
    EQUAL(err.offset, 28 + a);
    EQUAL(frame_check(&f, 2, &err), -1);
    CHECK(frame_read(&f, 3, &r, &err) == NULL);
    EQUAL(err.offset, 28 + a + b + 1);
    frames_free(&f);
    frame_reader_free(&r);
    buffer_free(&file);
}

static void a_table_that_lies_about_content_is_found_when_it_is_read(void)
{
    static const int32_t off[] = {-1, 1, 1000};
    struct buffer file = small_archive();
    struct frame_reader r = {0};
    for (int i = 0; i < 3; i++) {
        struct frames f;
        struct error err = {0};
        put32_at(&file, entry(&file, 2) + 4, (uint32_t)(60 + off[i]));
        EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
        CHECK(frame_read(&f, 2, &r, &err) == NULL);
        EQUAL(err.offset, f.list[2].offset);
        frames_free(&f);
    }
    frame_reader_free(&r);
    buffer_free(&file);
}

/* ---- frames that we would not write ---- */

/* A frame by hand (RFC 8878): one segment, `told` bytes it says, one block that says 'x' n times over. */
static void put_frame(struct buffer *b, uint32_t told, uint32_t n, bool with_checksum)
{
    char x[200];
    memset(x, 'x', sizeof x);
    put(b, 0xfd2fb528, 4);
    put(b, 0x80 | 0x20 | (with_checksum ? 0x04 : 0), 1);
    put(b, told, 4);
    put(b, 1 | 1 << 1 | n << 3, 3);
    put(b, 'x', 1);
    if (with_checksum)
        put(b, XXH64(x, n < sizeof x ? n : sizeof x, 0), 4);
}

/* The magic, and a frame of 'x' that is fine. Returns where the next one goes. */
static size_t hand_made(struct buffer *b)
{
    *b = (struct buffer){0};
    put(b, 0x184d2a50, 4);
    put(b, sizeof MAGIC_CONTENT, 4);
    buffer_add(b, MAGIC_CONTENT, sizeof MAGIC_CONTENT);
    put_frame(b, 100, 100, true);
    return b->n;
}

/* Recovery stops in front of what was added behind a good frame. */
static void check_stops(struct buffer *b, size_t at)
{
    struct frames f;
    struct error why = {0};
    put_frame(b, 100, 100, true);
    EQUAL(frames_recover(&f, bytes_of(b), b->n, &why, NULL), 0);
    EQUAL(f.n, 2);
    EQUAL(f.end, at);
    EQUAL(why.offset, at);
    EQUAL(why.code, ERROR_FORMAT);
    CHECK(!f.sealed);
    frames_free(&f);
    buffer_free(b);
}

static void recovery_stops_at_what_is_no_frame_of_ours(void)
{
    struct buffer b;
    struct frames f;
    hand_made(&b);
    put_frame(&b, 50, 50, true); /* to see that those made by hand are good */
    EQUAL(frames_recover(&f, bytes_of(&b), b.n, NULL, NULL), 0);
    EQUAL(f.n, 3);
    EQUAL(f.end, b.n);
    frames_free(&f);
    buffer_free(&b);

    size_t at = hand_made(&b);
    put_frame(&b, 100, 100, false);
    check_stops(&b, at);
    at = hand_made(&b);
    put_frame(&b, FRAME_CONTENT_MAX + 1, 100, true);
    check_stops(&b, at);
    at = hand_made(&b);
    put_frame(&b, UINT32_MAX, 100, true);
    check_stops(&b, at);
    at = hand_made(&b);
    put_frame(&b, 0, 0, true);
    check_stops(&b, at);
    at = hand_made(&b);
    put(&b, 0x184d2a55, 4); /* skippable */
    put(&b, 8, 4);
    put(&b, 0, 8);
    check_stops(&b, at);
    at = hand_made(&b);
    put(&b, 0, 4096);
    check_stops(&b, at);
    at = hand_made(&b);
    put(&b, 0xfd2fb528, 4); /* a window of 1 KiB, no size told; a raw block of 1 byte */
    put(&b, 0x04, 1);
    put(&b, 0, 1);
    put(&b, 1 | 1 << 3, 3);
    put(&b, 'x', 1);
    put(&b, XXH64("x", 1, 0), 4);
    check_stops(&b, at);
    at = hand_made(&b);
    put(&b, 0xfd2fb528, 4); /* 1 byte told, and empty blocks beyond all measure in front of it */
    put(&b, 0x24, 1);
    put(&b, 1, 1);
    put(&b, 0, 3 * 100);
    put(&b, 1 | 1 << 3, 3);
    put(&b, 'x', 1);
    put(&b, XXH64("x", 1, 0), 4);
    check_stops(&b, at);
}

static void content_of_another_size_than_told_is_refused(void)
{
    static const struct {
        uint32_t told, n;
        bool fine;
    } frames[] = {{100, 100, true},
                  {99, 100, false},
                  {101, 100, false},
                  {1, 131072, false},
                  {FRAME_CONTENT_MAX, 1, false}};
    for (int i = 0; i < 5; i++) {
        struct buffer b;
        struct frames f;
        struct error err = {0};
        struct frame_reader r = {0}; /* room for exactly this frame: what writes beyond is found */
        size_t at = hand_made(&b);
        put_frame(&b, frames[i].told, frames[i].n, true);
        EQUAL(frames_recover(&f, bytes_of(&b), b.n, NULL, NULL), 0);
        EQUAL(f.n, 3);
        EQUAL(f.list[2].content, frames[i].told);
        EQUAL(frame_verify(&f, 2, &r, &err) != NULL, frames[i].fine);
        EQUAL(err.offset, frames[i].fine ? 0 : at);
        frame_reader_free(&r);
        frames_free(&f);
        buffer_free(&b);
    }
}

/* The list of an open archive comes from its table: what lies there may be anything. */
static void what_is_no_data_frame_is_not_read(void)
{
    struct buffer file = small_archive();
    struct frames f;
    struct frame_reader r = {0};
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    put32_at(&file, f.list[3].offset, 0x184d2a53); /* a skippable frame that fills the place exactly */
    put32_at(&file, f.list[3].offset + 4, f.list[3].bytes - 8);
    struct error err = {0};
    CHECK(frame_read(&f, 3, &r, &err) == NULL);
    EQUAL(err.offset, f.list[3].offset);
    frames_free(&f);
    frame_reader_free(&r);
    buffer_free(&file);
}

CU_TestInfo frame_damage_tests[] = {
    TEST(every_flipped_bit_is_found),
    TEST(damage_to_the_ends_is_told_at_its_first_byte),
    TEST(a_damaged_seal_leaves_the_archive_readable),
    TEST(an_unfinished_archive_has_the_frames_that_are_whole),
    TEST(what_follows_the_seek_table_is_found),
    TEST(a_seal_of_other_frames_does_not_fit),
    TEST(seek_tables_that_cannot_be_are_refused),
    TEST(sizes_that_only_add_up_are_refused),
    TEST(a_table_that_lies_about_content_is_found_when_it_is_read),
    TEST(recovery_stops_at_what_is_no_frame_of_ours),
    TEST(content_of_another_size_than_told_is_refused),
    TEST(what_is_no_data_frame_is_not_read),
    CU_TEST_INFO_NULL,
};
