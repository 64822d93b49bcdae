/* Members of a tar file, in the one form that we write. */
#include "archive/tar.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "suites.h"

#define NAME "pieces/summary.json"

#define A11        "aaaaaaaaaaa"
#define LETTERS_99 A11 A11 A11 A11 A11 A11 A11 A11 A11

/* What GNU tar 1.34 writes: tar --format=ustar --mtime=@0 --owner=:0 --group=:0 --numeric-owner --mode=644 */
static void a_header_is_that_of_any_tar(void)
{
    uint8_t expected[TAR_BLOCK] = {0}, header[TAR_BLOCK];
    memcpy(expected, NAME, sizeof NAME);
    memcpy(expected + 100,
           "0000644\0"
           "0000000\0"
           "0000000\0"
           "00000000005\0"
           "00000000000\0"
           "013040\0 0",
           57);
    memcpy(expected + 257,
           "ustar\0"
           "00",
           8);
    memcpy(expected + 329,
           "0000000\0"
           "0000000",
           15);
    tar_header(header, NAME, 5);
    CHECK(memcmp(header, expected, TAR_BLOCK) == 0);
}

static void names_that_lead_nowhere_else_are_fine(void)
{
    static const char *const fine[] = {"a",    "9",   "_",          "+",        "a.b", "a-b",
                                       "a..b", "a/b", "a/b/c.json", "A-Z_+.xt", NAME};
    static const char *const wrong[] = {
        "",   "/",    "/x",  "x/",   "a//b", "..",    "../x",     "a/..", "a/../b", "a/.", ".x",    "a/.b",
        "-x", "a/-b", "a b", "a\\b", "a\n",  "a\x7f", "\xc3\xa4", "a:b",  "a*b",    "~x",  "a/./b", "//"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        CHECK(tar_name_fine(fine[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!tar_name_fine(wrong[i]));
}

static void a_name_has_at_most_99_bytes(void)
{
    char name[101] = {0};
    CHECK(tar_name_fine(LETTERS_99));
    memset(name, 'a', 100);
    CHECK(!tar_name_fine(name));
}

/* A member of n bytes 'x' at `to`; returns what it takes. */
static size_t member(uint8_t *to, const char *name, size_t n)
{
    memset(to, 0, tar_bytes(n));
    tar_header(to, name, n);
    memset(to + TAR_BLOCK, 'x', n);
    return tar_bytes(n);
}

static void members_are_read_back(void)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 1024};
    static const char *const names[] = {"a", "b/c", LETTERS_99, NAME, "d+e", "f_g"};
    uint8_t tar[8192] = {0};
    size_t n = 0, at = 0;
    struct tar_member m;
    struct error err = {0};
    for (int i = 0; i < 6; i++)
        n += member(tar + n, names[i], sizes[i]);
    EQUAL(n, 6 * 512 + 512 + 512 + 512 + 1024 + 1024);
    for (int i = 0; i < 6; i++) {
        size_t begin = at;
        EQUAL(tar_next(tar, n, &at, &m, &err), 1);
        CHECK(strcmp(m.name, names[i]) == 0);
        EQUAL(m.at, begin + 512);
        EQUAL(m.n, sizes[i]);
    }
    EQUAL(at, n);
    EQUAL(tar_next(tar, n, &at, &m, &err), 0);
    EQUAL(tar_next(tar, n + TAR_END, &at, &m, &err), 0);
    EQUAL(err.code, ERROR_NONE);
}

static void every_flipped_bit_of_a_header_or_of_the_padding_is_refused(void)
{
    uint8_t tar[2 * TAR_BLOCK];
    size_t n = member(tar, NAME, 3);
    for (size_t bit = 0; bit < n * 8; bit++) {
        size_t at = 0;
        struct tar_member m;
        struct error err = {0};
        bool content = bit / 8 >= TAR_BLOCK && bit / 8 < TAR_BLOCK + 3;
        tar[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EQUAL(tar_next(tar, n, &at, &m, &err), content ? 1 : -1);
        EQUAL(err.has_offset, !content);
        EQUAL(err.offset, content || bit / 8 < TAR_BLOCK ? 0 : bit / 8);
        tar[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_member_that_is_not_wholly_there_is_refused(void)
{
    for (size_t n = 1; n < 2 * TAR_BLOCK; n++) {
        size_t at = 0;
        struct tar_member m;
        struct error err = {0};
        uint8_t whole[2 * TAR_BLOCK];
        member(whole, NAME, 3);
        uint8_t *cut = malloc(n); /* exactly: what reads beyond is found */
        memcpy(cut, whole, n);
        EQUAL(tar_next(cut, n, &at, &m, &err), -1);
        EQUAL(at, 0);
        free(cut);
    }
}

static void a_size_beyond_the_text_is_refused(void)
{
    static const uint64_t sizes[] = {1, 512, 513, 1u << 20, UINT32_MAX, (8ull << 30) - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t tar[TAR_BLOCK];
        size_t at = 0;
        struct tar_member m;
        tar_header(tar, NAME, sizes[i]);
        EQUAL(tar_next(tar, TAR_BLOCK, &at, &m, NULL), -1);
    }
}

/* Corrects the checksum of a header that was changed: what is wrong then is the change alone. */
static void sum_up(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += header[i];
    for (int i = 5; i >= 0; i--, sum /= 8)
        header[148 + i] = (uint8_t)('0' + sum % 8);
    header[154] = 0;
}

static void what_others_may_write_is_refused(void)
{
    static const struct {
        size_t at;
        const char *bytes;
        size_t n;
    } changes[] = {
        {0, "../passwd\0", 10},
        {0, "/", 1},
        {100, "0000755", 7},
        {108, "0001750", 7},
        {124, "          5", 11},
        {124, "\x80\0\0\0\0\0\0\0\0\0\0\5", 12},
        {136, "14000000000", 11},
        {156, "5", 1},
        {156, "2", 1},
        {156, "\0", 1},
        {157, "/etc/passwd", 11},
        {257, "ustar  ", 8},
        {265, "root", 4},
        {297, "root", 4},
        {345, "prefix", 6},
        {sizeof NAME, "hidden", 6},
        {500, "x", 1},
    };
    uint8_t tar[2 * TAR_BLOCK];
    struct tar_member m;
    size_t at = 0;
    size_t n = member(tar, NAME, 5);
    sum_up(tar);
    EQUAL(tar_next(tar, n, &at, &m, NULL), 1);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        member(tar, NAME, 5);
        memcpy(tar + changes[i].at, changes[i].bytes, changes[i].n);
        sum_up(tar);
        at = 0;
        EQUAL(tar_next(tar, n, &at, &m, NULL), -1);
    }
}

static void what_follows_the_last_member_is_zeros_only(void)
{
    uint8_t tar[TAR_END] = {0};
    struct tar_member m;
    size_t at = 0;
    EQUAL(tar_next(tar, TAR_END, &at, &m, NULL), 0);
    EQUAL(tar_next(tar, 100, &at, &m, NULL), 0);
    tar[TAR_END - 1] = 1;
    EQUAL(tar_next(tar, TAR_END, &at, &m, NULL), -1);
}

CU_TestInfo tar_tests[] = {
    TEST(a_header_is_that_of_any_tar),
    TEST(names_that_lead_nowhere_else_are_fine),
    TEST(a_name_has_at_most_99_bytes),
    TEST(members_are_read_back),
    TEST(every_flipped_bit_of_a_header_or_of_the_padding_is_refused),
    TEST(a_member_that_is_not_wholly_there_is_refused),
    TEST(a_size_beyond_the_text_is_refused),
    TEST(what_others_may_write_is_refused),
    TEST(what_follows_the_last_member_is_zeros_only),
    CU_TEST_INFO_NULL,
};
