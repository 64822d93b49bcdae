/* An archive's frames: written on any number of threads, found and read again. */
#include "archive/frames.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>
#include <zstd.h>

#include "archives.h"
#include "check.h"
#include "suites.h"

/* ---- whole archives ---- */

/* The format, put together from the libraries' own functions. */
static void an_archive_is_laid_out_as_it_is_described(void)
{
    struct buffer file = archive((const size_t[]){1000}, 1, 1), expected = {0};
    uint8_t *one = content(1, 1000);
    char frame[2000];
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    size_t frame_n = ZSTD_compress2(zstd, frame, sizeof frame, one, 1000);
    put(&expected, 0x184d2a50, 4);
    put(&expected, 20, 4);
    buffer_add(&expected, "xenmeter.archive/2\n", 20);
    buffer_add(&expected, frame, frame_n);
    put(&expected, 0x184d2a51, 4);
    put(&expected, 16 + 8 + 2 * 8 + 16, 4);
    size_t seal = expected.n;
    buffer_text(&expected, "xenmeter.seal/1\n");
    put(&expected, 2, 8);
    put(&expected, XXH3_64bits(expected.at, 28), 8);
    put(&expected, XXH3_64bits(frame, frame_n), 8);
    XXH128_hash_t sum = XXH3_128bits(expected.at + seal, 40);
    put(&expected, __builtin_bswap64(sum.high64), 8);
    put(&expected, __builtin_bswap64(sum.low64), 8);
    put(&expected, 0x184d2a5e, 4);
    put(&expected, 3 * 12 + 9, 4);
    put(&expected, 28 | (uint64_t)0 << 32, 8);
    put(&expected, XXH64("", 0, 0) & UINT32_MAX, 4);
    put(&expected, frame_n | (uint64_t)1000 << 32, 8);
    put(&expected, XXH64(one, 1000, 0) & UINT32_MAX, 4);
    put(&expected, 64 | (uint64_t)0 << 32, 8);
    put(&expected, XXH64("", 0, 0) & UINT32_MAX, 4);
    put(&expected, 3, 4);
    put(&expected, 0x80, 1);
    put(&expected, 0x8f92eab1, 4);
    EQUAL(file.n, expected.n);
    CHECK(file.n == expected.n && memcmp(file.at, expected.at, file.n) == 0);
    CHECK(frames_begin_archive(bytes_of(&file), 28));
    CHECK(!frames_begin_archive(bytes_of(&file), 27));
    file.at[25] = '1'; /* the format before: an archive, too, but refused */
    CHECK(frames_begin_archive(bytes_of(&file), 28));
    struct frames f;
    struct error err = {0};
    EQUAL(frames_open(&f, bytes_of(&file), file.n, &err), -1);
    CHECK(strstr(err.message, "make it anew") != NULL);
    frames_free(&f);
    ZSTD_freeCCtx(zstd);
    free(one);
    buffer_free(&file);
    buffer_free(&expected);
}

#define MANY 60

static size_t some_size(size_t i)
{
    static const size_t sizes[] = {1, 2, 70, 255, 256, 65791, 65792, 200000};
    return sizes[i * 5 % 8] + (i > 7 ? i : 0);
}

static void any_number_of_threads_writes_the_same(void)
{
    static const unsigned threads[] = {2, 5, 64};
    size_t sizes[MANY], sum = 0;
    for (size_t i = 0; i < MANY; i++)
        sum += sizes[i] = some_size(i);
    struct buffer one = archive(sizes, MANY, 1);
    for (size_t i = 0; i < 3; i++) {
        struct buffer other = archive(sizes, MANY, threads[i]);
        CHECK(one.n == other.n && memcmp(one.at, other.at, one.n) == 0);
        buffer_free(&other);
    }
    struct frames f, walked;
    struct error why;
    EQUAL(frames_open(&f, bytes_of(&one), one.n, NULL), 0);
    CHECK(f.sealed);
    check_frames(&f, sizes, MANY);
    EQUAL(frames_recover(&walked, bytes_of(&one), one.n, &why, NULL), 0);
    EQUAL(why.code, ERROR_NONE);
    EQUAL(walked.end, f.end);
    CHECK(walked.sealed && walked.seal == f.seal && walked.n == f.n);
    CHECK(memcmp(walked.list, f.list, f.n * sizeof *f.list) == 0);
    EQUAL(verify(&one, NULL), 0);
    uint8_t *all = malloc(sum); /* any zstd reads it: the contents one after the other */
    EQUAL(ZSTD_decompress(all, sum, one.at, one.n), sum);
    uint8_t *last = content(MANY, sizes[MANY - 1]);
    CHECK(memcmp(all + sum - sizes[MANY - 1], last, sizes[MANY - 1]) == 0);
    free(last);
    free(all);
    frames_free(&walked);
    frames_free(&f);
    buffer_free(&one);
}

static void an_archive_of_nothing_is_whole(void)
{
    struct frames f;
    struct buffer file = archive(NULL, 0, 3);
    EQUAL(file.n, 28 + (8 + 16 + 8 + 8 + 16) + (8 + 2 * 12 + 9));
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    check_frames(&f, (const size_t[]){0}, 0);
    CHECK(f.sealed);
    EQUAL(verify(&file, NULL), 0);
    frames_free(&f);
    buffer_free(&file);
}

static void a_frame_is_written_without_waiting_for_the_next(void)
{
    struct kept k;
    struct frame_writer *w = writer_to(&k, 2);
    EQUAL(frame_writer_put(w, content(1, 100), 100, NULL), 1);
    for (int i = 0; i < 2000 && frame_writer_bytes(w) == 28; i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    CHECK(frame_writer_bytes(w) > 28);
    frame_writer_free(w);
    buffer_free(&k.file);
}

static void copies_are_what_was_copied_and_in_their_place(void)
{
    size_t sizes[MANY];
    for (size_t i = 0; i < MANY; i++)
        sizes[i] = some_size(i);
    struct buffer file = archive(sizes, MANY, 1);
    struct frames f;
    struct kept k;
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    struct frame_writer *w = writer_to(&k, 3);
    for (size_t i = 1; i <= MANY; i++) {
        if (i % 3 && i % 7)
            EQUAL(frame_writer_copy(w, &f, i, NULL), i);
        else
            EQUAL(frame_writer_put(w, content(i, sizes[i - 1]), sizes[i - 1], NULL), i);
        if (i == 40) {
            EQUAL(frame_writer_drain(w, NULL), 0);
            EQUAL(frame_writer_bytes(w), f.list[41].offset);
        }
    }
    EQUAL(frame_writer_finish(w, NULL), 0);
    frame_writer_free(w);
    CHECK(k.file.n == file.n && memcmp(k.file.at, file.at, file.n) == 0);
    frames_free(&f);
    buffer_free(&k.file);
    buffer_free(&file);
}

/* ---- failures while writing ---- */

static void the_first_error_of_the_sink_stays(void)
{
    for (int fail_at = 2; fail_at <= 12; fail_at++) { /* 1 is the magic, 12 the end */
        struct kept k;
        struct error err = {0};
        int64_t status = 0;
        struct frame_writer *w = writer_to(&k, 2);
        k.fail_at = fail_at;
        for (int i = 0; i < 10 && status >= 0; i++)
            status = frame_writer_put(w, content(1, 50000), 50000, &err);
        EQUAL(frame_writer_finish(w, &err), -1);
        CHECK(strcmp(err.message, "the disk is full") == 0);
        memset(&err, 0, sizeof err);
        EQUAL(frame_writer_put(w, content(1, 50000), 50000, &err), -1);
        CHECK(strcmp(err.message, "the disk is full") == 0);
        memset(&err, 0, sizeof err);
        EQUAL(frame_writer_drain(w, &err), -1);
        CHECK(err.code == ERROR_IO);
        frame_writer_free(w);
        EQUAL(k.calls, fail_at);
        buffer_free(&k.file);
    }
}

static void a_sink_that_fails_at_once_makes_no_writer(void)
{
    struct kept k = {.main = pthread_self(), .fail_at = 1};
    struct error err = {0};
    CHECK(!frame_writer_new(&(struct frame_sink){&k, keep}, LEVEL, 2, &err));
    CHECK(strcmp(err.message, "the disk is full") == 0);
    buffer_free(&k.file);
}

static void a_writer_may_be_freed_at_any_time(void)
{
    for (int n = 0; n < 5; n++) {
        struct kept k;
        struct frame_writer *w = writer_to(&k, 2);
        for (int i = 0; i < n; i++)
            frame_writer_put(w, content(1, 300000), 300000, NULL);
        frame_writer_free(w);
        CHECK(k.file.n >= 28);
        buffer_free(&k.file);
    }
    frame_writer_free(NULL);
}

static void a_damaged_frame_is_not_copied(void)
{
    struct buffer file = small_archive();
    struct frames f;
    struct kept k;
    struct error err = {0};
    EQUAL(frames_open(&f, bytes_of(&file), file.n, NULL), 0);
    uint64_t at = f.list[2].offset;
    file.at[at + 20] ^= 1;
    struct frame_writer *w = writer_to(&k, 2);
    EQUAL(frame_writer_copy(w, &f, 1, &err), 1);
    EQUAL(frame_writer_copy(w, &f, 2, &err), -1);
    EQUAL(err.offset, at);
    EQUAL(frame_writer_finish(w, &err), -1);
    EQUAL(err.offset, at);
    frame_writer_free(w);
    frames_free(&f);
    buffer_free(&k.file);
    buffer_free(&file);
}

CU_TestInfo frames_tests[] = {
    TEST(an_archive_is_laid_out_as_it_is_described),
    TEST(any_number_of_threads_writes_the_same),
    TEST(an_archive_of_nothing_is_whole),
    TEST(a_frame_is_written_without_waiting_for_the_next),
    TEST(copies_are_what_was_copied_and_in_their_place),
    TEST(the_first_error_of_the_sink_stays),
    TEST(a_sink_that_fails_at_once_makes_no_writer),
    TEST(a_writer_may_be_freed_at_any_time),
    TEST(a_damaged_frame_is_not_copied),
    CU_TEST_INFO_NULL,
};
