/* The archive's contents: what is written is read back, nothing that cannot be gets in, and which captures are one timeline. */
#include "archive/contents.h"
#include "archive/summary.h"

#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"
#include "check.h"
#include "json_path.h"
#include "suites.h"

static const struct capture two_captures[] = {{.host = "a",
                                               .id = "00000000000000ff",
                                               .tsc_first = 7,
                                               .first_frame = 3,
                                               .frames = 1,
                                               .manifest_bytes = 1234,
                                               .manifest_digest = {1, 2, 3}},
                                              {.host = "b",
                                               .id = "0000000000000001",
                                               .tsc_first = 5,
                                               .first_frame = 1,
                                               .frames = 2,
                                               .manifest_bytes = 99,
                                               .manifest_digest = {255}}};

static void read_frame(const struct buffer *b, struct tar_member *m)
{
    size_t at = 0;
    EQUAL(tar_next((const uint8_t *)b->at, b->n, &at, m, NULL), 1);
    CHECK(strcmp(m->name, CONTENTS_NAME) == 0);
    EQUAL(b->n - at, TAR_END); /* with which a tar file ends */
    EQUAL(tar_next((const uint8_t *)b->at, b->n, &at, m, NULL), 0);
    at = 0;
    tar_next((const uint8_t *)b->at, b->n, &at, m, NULL);
}

static void contents_come_back(void)
{
    struct buffer b = {0};
    struct tar_member m;
    struct capture *back;
    size_t n;
    contents_put_frame(&b, two_captures, 2);
    read_frame(&b, &m);
    EQUAL(contents_read(b.at + m.at, m.n, 5, &back, &n, NULL), 0);
    EQUAL(n, 2);
    for (size_t i = 0; i < n; i++) {
        CHECK(strcmp(back[i].host, two_captures[i].host) == 0);
        CHECK(strcmp(back[i].id, two_captures[i].id) == 0);
        EQUAL(back[i].tsc_first, two_captures[i].tsc_first);
        EQUAL(back[i].first_frame, two_captures[i].first_frame);
        EQUAL(back[i].frames, two_captures[i].frames);
        EQUAL(back[i].manifest_bytes, two_captures[i].manifest_bytes);
        CHECK(memcmp(back[i].manifest_digest, two_captures[i].manifest_digest, DIGEST_BYTES) == 0);
    }
    free(back);
    buffer_free(&b);
}

static void contents_of_a_late_trace_come_back(void)
{
    const struct capture late = {.host = "a",
                                 .id = "00000000000000ff",
                                 .tsc_first = UINT64_MAX,
                                 .first_frame = 1,
                                 .frames = 1,
                                 .manifest_bytes = 5};
    struct buffer b = {0};
    struct tar_member m;
    struct capture *back;
    size_t n;
    contents_put_frame(&b, &late, 1);
    read_frame(&b, &m);
    EQUAL(contents_read(b.at + m.at, m.n, 3, &back, &n, NULL), 0);
    EQUAL(n, 1);
    CHECK(n == 1 && back[0].tsc_first == UINT64_MAX);
    free(back);
    buffer_free(&b);
}

static const struct json_change impossible[] = {
    {"schema", "\"xenmeter.contents/1\""},
    {"pieces", "{}"},
    {"pieces", "[]"}, /* the frames belong to nobody */
    {"pieces", NULL},
    {"pieces/0", "null"},
    {"pieces/0/host", "\"../a\""},
    {"pieces/0/host", "\"c\""}, /* out of order */
    {"pieces/1/host", "\"0\""},
    {"pieces/0/id", "\"f\""},
    {"pieces/0/id", "\"00000000000000FF\""},
    {"pieces/0/tsc_first", "-1"},
    {"pieces/0/first_frame", "0"},
    {"pieces/0/first_frame", "1"},
    {"pieces/0/first_frame", "4"},
    {"pieces/1/frames", "0"},
    {"pieces/1/frames", "1"},
    {"pieces/1/frames", "3"},
    {"pieces/1/frames", "-1"},
    {"pieces/1/frames", "4294967298"},
    {"pieces/0/manifest_bytes", "268435457"},
    {"pieces/0/manifest_xxh3_128", "\"\""},
    {"pieces/0/manifest_xxh3_128", NULL},
};

static void what_contents_cannot_be_is_refused(void)
{
    struct buffer b = {0}, text = {0};
    struct tar_member m;
    struct capture *back;
    size_t n;
    struct error err = {0};
    contents_put_frame(&b, two_captures, 2);
    read_frame(&b, &m);
    buffer_add(&text, b.at + m.at, m.n);
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        const struct json_change *c = &impossible[i];
        char *json = json_changed(&text, c);
        err = (struct error){0};
        check_equal(contents_read(json, strlen(json), 5, &back, &n, &err), -1, c->path, __FILE__, __LINE__);
        check_true(err.code == ERROR_FORMAT && *err.message && !back && n == 0, c->path, __FILE__, __LINE__);
        free(json);
    }
    EQUAL(contents_read(text.at, text.n, 4, &back, &n, &err), -1);
    EQUAL(contents_read(text.at, text.n, 6, &back, &n, &err), -1);
    for (size_t cut = 0; cut < text.n - 1; cut++) {
        char *exact = malloc(cut + 1);
        memcpy(exact, text.at, cut);
        CHECK(contents_read(exact, cut, 5, &back, &n, &err) == -1);
        free(exact);
    }
    buffer_free(&b);
    buffer_free(&text);
}

/* ---- timelines ---- */

static bool adjoin(uint64_t a_last, uint64_t b_first, uint64_t b_last, double hz_a, double hz_b,
                   const char *host_b)
{
    struct capture a = {.host = "h", .tsc_first = 0, .tsc_last = a_last, .cpu_hz = hz_a};
    struct capture b = {.tsc_first = b_first, .tsc_last = b_last, .cpu_hz = hz_b};
    memcpy(b.host, host_b, strlen(host_b) + 1);
    return captures_adjoin(&a, &b);
}

static void captures_adjoin_without_a_gap(void)
{
    const uint64_t end = 10000000000;
    CHECK(adjoin(end, end, 2 * end, 1e9, 1e9, "h"));
    CHECK(
        adjoin(end, end + 10000000, 2 * end, 1e9, 1e9, "h")); /* what lies between them is known to nobody */
    CHECK(!adjoin(end, end + 10000001, 2 * end, 1e9, 1e9, "h"));
    CHECK(adjoin(end, end - 1000000000, 2 * end, 1e9, 1e9, "h"));
    CHECK(!adjoin(end, end - 1000000001, 2 * end, 1e9, 1e9, "h"));
    CHECK(!adjoin(end, end, 2 * end, 1e9, 1e9, "i"));
    CHECK(adjoin(end, end, 2 * end, 1e9, 1.0009e9, "h")); /* measured twice */
    CHECK(!adjoin(end, end, 2 * end, 1e9, 1.002e9, "h"));
    CHECK(!adjoin(end, end, 2 * end, 0, 0, "h"));
    CHECK(!adjoin(end, end - 500, end - 1, 1e9, 1e9, "h")); /* it ends before the other does */
}

/* Domains of a capture, ended by 0, which comes first as domain 0. */
static bool contradict(const int *earlier, const int *later)
{
    struct summary_domain lists[2][8] = {0};
    struct summary s[2] = {{.domains = lists[0], .domains_n = 1}, {.domains = lists[1], .domains_n = 1}};
    for (int i = 0; i < 2; i++)
        for (const int *id = i ? later : earlier; *id; id++)
            lists[i][s[i].domains_n++] = (struct summary_domain){*id, 1, 1, 1};
    return summary_domains_contradict(&s[0], &s[1]);
}

#define IDS(...)                                                                                             \
    (const int[])                                                                                            \
    {                                                                                                        \
        __VA_ARGS__, 0                                                                                       \
    }
#define NO_IDS                                                                                               \
    (const int[])                                                                                            \
    {                                                                                                        \
        0                                                                                                    \
    }

static void domains_of_two_boots_contradict(void)
{
    CHECK(contradict(IDS(5, 6), IDS(1, 2)));
    CHECK(contradict(IDS(2, 6), IDS(3))); /* a new guest's id is above all before it */
    CHECK(contradict(IDS(2, 6), IDS(3, 9)));
    CHECK(!contradict(IDS(1, 2), IDS(5, 6)));    /* all were started anew */
    CHECK(!contradict(IDS(1, 5, 6), IDS(2, 5))); /* 5 goes on; 2 had slept */
    CHECK(!contradict(IDS(5), NO_IDS));
    CHECK(!contradict(NO_IDS, IDS(1)));
    CHECK(!contradict(IDS(0x7fe0), IDS(3)));    /* ids began anew */
    CHECK(!contradict(IDS(5, 0x7ff1), IDS(7))); /* Xen's own are none */
}

CU_TestInfo contents_tests[] = {
    TEST(contents_come_back),
    TEST(contents_of_a_late_trace_come_back),
    TEST(what_contents_cannot_be_is_refused),
    TEST(captures_adjoin_without_a_gap),
    TEST(domains_of_two_boots_contradict),
    CU_TEST_INFO_NULL,
};
