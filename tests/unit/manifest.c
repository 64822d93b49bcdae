/* A capture's manifest: what is written is read back, and nothing that cannot be gets in. */
#include "archive/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "archive/frames.h"
#include "check.h"
#include "json_path.h"
#include "suites.h"

/* ---- a capture ---- */

static uint8_t some_idds[65536];
static const struct own_load some_own[] = {{3, 120000}, {5, 4096000000}};
static const char source[] = "capture \"one\".xt", tool[] = "xenmeter 0.1.0";

static void add(struct capture *p, const char *name, uint32_t frame, uint32_t at, uint32_t bytes)
{
    struct member *m = capture_new_member(p);
    CHECK(m && member_named(m, name));
    m->frame = frame;
    m->at = at;
    m->bytes = bytes;
    for (int i = 0; i < DIGEST_BYTES; i++)
        m->digest[i] = (uint8_t)(bytes + i * 17);
}

/* With every kind of member. `members` are to be freed. */
static struct capture example(void)
{
    struct capture p = {.host = "web1.example_net-7",
                        .id = "0123456789abcdef",
                        .source = source,
                        .tool = tool,
                        .tsc_first = 219632478814,
                        .tsc_last = INT64_MAX,
                        .cpu_hz = 2596566980.9797802,
                        .duration_ns = 14705881444,
                        .trace_bytes = 4663272,
                        .trace_stored = true,
                        .options = {.bys = 1u << BY_DOMAIN | 1u << BY_DOMAIN_PCPU,
                                    .granularities_ns = {1000000000, 1000, 0},
                                    .granularities = 3,
                                    .executions = true,
                                    .cpu_hz = 0.1,
                                    .charge = {.wanted = true,
                                               .methods = CHARGE_GRANTS | CHARGE_PACKETS | CHARGE_THREADS,
                                               .interval_ns = 100000000,
                                               .spread_own = true,
                                               .charge_idle = true,
                                               .idds = some_idds,
                                               .own = some_own,
                                               .own_n = 2},
                                    .io_counts = true}};
    some_idds[0] = some_idds[65535] = 1;
    for (int kind = 0; kind < IO_KINDS; kind++)
        p.options.charge.weights[kind] = kind * 1.1;
    add(&p, "trace/000000.xt", 0, 512, 4202084);
    add(&p, "snapshot/000001.bin", 2, 512, 999);
    p.members[1].tsc = 219632478815;
    add(&p, "trace/000001.xt", 1, 512, 461188);
    p.members[2].from = 4202084;
    add(&p, "results/domain/000000.jsonl", 2, 2048, 0);
    add(&p, "results/domain-pcpu/000000.jsonl", 2, 2560, 7);
    p.members[4].from = 1000000000;
    p.members[4].to = 14705881444;
    add(&p, "results/domain/000001.jsonl", 2, 3584, 100);
    add(&p, "io-counts.csv", 2, 4608, 55);
    add(&p, "summary.json", 3, 512, FRAME_CONTENT_MAX);
    return p;
}

static void check_members(const struct capture *a, const struct capture *b)
{
    EQUAL(a->members_n, b->members_n);
    for (size_t i = 0; i < a->members_n && i < b->members_n; i++) {
        const struct member *x = &a->members[i], *y = &b->members[i];
        CHECK(strcmp(x->name, y->name) == 0);
        EQUAL(x->kind, y->kind);
        EQUAL(x->frame, y->frame);
        EQUAL(x->at, y->at);
        EQUAL(x->bytes, y->bytes);
        EQUAL(x->number, y->number);
        EQUAL(x->by, y->by);
        EQUAL(x->from, y->from);
        EQUAL(x->to, y->to);
        EQUAL(x->tsc, y->tsc);
        CHECK(memcmp(x->digest, y->digest, DIGEST_BYTES) == 0);
    }
}

static void a_manifest_comes_back(void)
{
    struct capture p = example(), back = {0};
    struct buffer b = {0}, again = {0};
    struct error err = {0};
    manifest_put(&b, &p);
    EQUAL(manifest_read(&back, b.at, b.n, &err), 0);
    CHECK(strcmp(back.host, p.host) == 0);
    CHECK(strcmp(back.id, p.id) == 0);
    CHECK(back.source && strcmp(back.source, source) == 0);
    CHECK(back.tool && strcmp(back.tool, tool) == 0);
    EQUAL(back.tsc_first, 219632478814);
    EQUAL(back.tsc_last, INT64_MAX);
    CHECK(back.cpu_hz == p.cpu_hz);
    EQUAL(back.duration_ns, 14705881444);
    EQUAL(back.trace_bytes, 4663272);
    CHECK(back.trace_stored);
    EQUAL(back.options.bys, p.options.bys);
    EQUAL(back.options.granularities, 3);
    CHECK(memcmp(back.options.granularities_ns, p.options.granularities_ns,
                 sizeof p.options.granularities_ns) == 0);
    CHECK(back.options.executions);
    CHECK(back.options.cpu_hz == 0.1);
    CHECK(back.options.io_counts);
    CHECK(back.options.charge.wanted && back.options.charge.spread_own && back.options.charge.charge_idle &&
          !back.options.charge.counters);
    EQUAL(back.options.charge.methods, p.options.charge.methods);
    EQUAL(back.options.charge.interval_ns, 100000000);
    CHECK(memcmp(back.options.charge.weights, p.options.charge.weights, sizeof p.options.charge.weights) ==
          0);
    CHECK(back.options.charge.idds && memcmp(back.options.charge.idds, some_idds, 65536) == 0);
    EQUAL(back.options.charge.own_n, 2);
    CHECK(memcmp(back.options.charge.own, some_own, sizeof some_own) == 0);
    check_members(&p, &back);
    manifest_put(&again, &back);
    CHECK(again.n == b.n && memcmp(again.at, b.at, b.n) == 0);
    capture_free(&back);
    free(p.members);
    buffer_free(&b);
    buffer_free(&again);
}

static void a_manifest_without_trace_or_members_comes_back(void)
{
    struct capture p = {.host = "h", .id = "ffffffffffffffff", .source = source, .tool = tool}, back = {0};
    struct buffer b = {0};
    manifest_put(&b, &p);
    EQUAL(manifest_read(&back, b.at, b.n, NULL), 0);
    CHECK(!back.trace_stored && back.options.charge.wanted && !back.options.charge.idds);
    EQUAL(back.members_n, 0);
    EQUAL(back.options.bys, 0);
    EQUAL(back.options.granularities, 0);
    CHECK(back.options.cpu_hz == 0);
    capture_free(&back);
    buffer_free(&b);
}

static void the_latest_times_there_are_come_back(void)
{
    struct capture p = {.host = "h",
                        .id = "ffffffffffffffff",
                        .source = source,
                        .tool = tool,
                        .tsc_first = UINT64_MAX - 1,
                        .tsc_last = UINT64_MAX,
                        .duration_ns = UINT64_MAX},
                   back = {0};
    struct buffer b = {0};
    add(&p, "snapshot/000001.bin", 0, 512, 0);
    p.members[0].tsc = UINT64_MAX;
    add(&p, "results/pcpu/000000.jsonl", 0, 1024, 0);
    p.members[1].from = UINT64_MAX - 1;
    p.members[1].to = UINT64_MAX;
    manifest_put(&b, &p);
    EQUAL(manifest_read(&back, b.at, b.n, NULL), 0);
    EQUAL(back.tsc_first, p.tsc_first);
    EQUAL(back.tsc_last, p.tsc_last);
    EQUAL(back.duration_ns, p.duration_ns);
    check_members(&p, &back);
    capture_free(&back);
    free(p.members);
    buffer_free(&b);
}

/* ---- what does not get in ---- */

static const struct json_change impossible[] = {
    {"schema", "\"xenmeter.piece/1\""},
    {"schema", "1"},
    {"schema", NULL},
    {"tool", "5"},
    {"tool", NULL},
    {"source", "null"},
    {"host", "\"\""},
    {"host", "\".web\""},
    {"host", "\"-web\""},
    {"host", "\"a/b\""},
    {"host", "\"..\""},
    {"host", "\"a b\""},
    {"host", "\"01234567890123456789012345678901234567890\""}, /* 41 */
    {"host", "7"},
    {"id", "\"0123456789abcde\""},
    {"id", "\"0123456789abcdef0\""},
    {"id", "\"0123456789ABCDEF\""},
    {"id", "\"0123456789abcde/\""},
    {"id", "null"},
    {"tsc_first", "-1"},
    {"tsc_first", "1.0"},
    {"tsc_last", "219632478813"},
    {"tsc_last", "\"18446744073709551616\""},
    {"cpu_hz", "-1.0"},
    {"cpu_hz", "\"2\""},
    {"duration_ns", "-1"},
    {"trace_bytes", "4663271"},
    {"trace_bytes", "-1"},
    {"trace_stored", "false"},
    {"trace_stored", "1"},
    {"options", "null"},
    {"options", NULL},
    {"options/by", "\"domain\""},
    {"options/by/0", "\"host\""},
    {"options/by/0", "0"},
    {"options/granularities_ns", "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"},
    {"options/granularities_ns/1", "-1"},
    {"options/granularities_ns/1", "0.5"},
    {"options/granularities_ns/1", "\"9223372036854775808\""},
    {"options/executions", "null"},
    {"options/cpu_hz", "-0.5"},
    {"options/charge", "[]"},
    {"options/charge/methods", "128"},
    {"options/charge/interval_ns", "-1"},
    {"options/charge/spread_own", "0"},
    {"options/charge/charge_idle", "0"},
    {"options/charge/io_counts", "0"},
    {"options/charge/methods", NULL},
    {"options/charge/weights", "[1,2,3]"},
    {"options/charge/weights/tx", NULL},
    {"options/charge/weights/map", "-1"},
    {"options/charge/weights/map", "1e16"},
    {"options/charge/weights/map", "\"1\""},
    {"options/charge/idds", "{}"},
    {"options/charge/idds/0", "65536"},
    {"options/charge/idds/0", "-1"},
    {"options/charge/idds/0", "0.0"},
    {"options/charge/own", "null"},
    {"options/charge/own/0", "[]"},
    {"options/charge/own/0/domain", "7"},
    {"options/charge/own/1/domain", "65536"},
    {"options/charge/own/1/ppm", "4096000001"},
    {"options/charge/own/1/ppm", "-1"},
    {"members", "{}"},
    {"members", NULL},
    {"members/0", "null"},
    {"members/0", "[]"},
    {"members/0/name", "\"trace/000001.xt\""},
    {"members/0/name", "\"trace/00000.xt\""},
    {"members/0/name", "\"trace/0000000.xt\""},
    {"members/0/name", "\"trace/000000.xt/\""},
    {"members/0/name", "\"trace/../000000.xt\""},
    {"members/0/name", "\"trace\""}, /* without its chunks the trace is not stored */
    {"members/0/name", "5"},
    {"members/0/bytes", "67108865"},
    {"members/0/bytes", "0"},
    {"members/0/bytes", "-1"},
    {"members/0/frame", "-1"},
    {"members/0/frame", "4294967296"},
    {"members/0/at", "0"},
    {"members/0/at", "511"},
    {"members/0/at", "513"},
    {"members/0/at", "268435968"},
    {"members/0/at", "4294967808"},
    {"members/0/from", "1"},
    {"members/0/xxh3_128", "\"00\""},
    {"members/0/xxh3_128", "\"0011223344556677889900112233445g\""},
    {"members/0/xxh3_128", "\"0011223344556677889900112233445A\""},
    {"members/0/xxh3_128", "5"},
    {"members/1/name", "\"snapshot/1.bin\""},
    {"members/1/tsc", NULL},
    {"members/1/tsc", "-1"},
    {"members/2/from", "4202083"},
    {"members/3/name", "\"results/domain/000001.jsonl\""},
    {"members/3/name", "\"results/host/000000.jsonl\""},
    {"members/3/name", "\"results/000000.jsonl\""},
    {"members/2/from", NULL},
    {"members/4/from", "-1"},
    {"members/4/to", "null"},
    {"members/5/name", "\"results/domain/000000.jsonl\""},
    {"members/6/name", "\"../io-counts.csv\""},
    {"members/6/name", "\"/etc/passwd\""},
    {"members/6/name", "\"other/io-counts.csv\""},
    {"members/6/name", "\"\""},
    {"members/7/name", "\"0123456789012345678901234567890123456789012345678\""},
    {"members/7/bytes", "268435457"},
};

static void what_a_manifest_cannot_be_is_refused(void)
{
    struct capture p = example(), back = {0};
    struct buffer b = {0};
    manifest_put(&b, &p);
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        char *text = json_changed(&b, &impossible[i]);
        struct error err = {0};
        check_equal(manifest_read(&back, text, strlen(text), &err), -1, impossible[i].path, __FILE__,
                    __LINE__);
        check_true(err.code == ERROR_FORMAT && *err.message, impossible[i].path, __FILE__, __LINE__);
        capture_free(&back);
        free(text);
    }
    char *text = json_changed(
        &b, &(struct json_change){"host", "\"other\""}); /* else it is fine, without spaces too */
    EQUAL(manifest_read(&back, text, strlen(text), NULL), 0);
    free(text);
    capture_free(&back);
    free(p.members);
    buffer_free(&b);
}

static void a_manifest_that_is_cut_off_is_refused(void)
{
    struct capture p = example(), back = {0};
    struct buffer b = {0};
    manifest_put(&b, &p);
    for (size_t n = 0; n < b.n - 1; n++) { /* the last byte is a newline */
        char *exact = malloc(n + 1);
        memcpy(exact, b.at, n);
        CHECK(manifest_read(&back, exact, n, NULL) == -1);
        capture_free(&back);
        free(exact);
    }
    free(p.members);
    buffer_free(&b);
}

static void names_say_what_a_member_is(void)
{
    struct member m;
    CHECK(member_named(&m, "trace/123456.xt") && m.kind == MEMBER_TRACE && m.number == 123456);
    CHECK(member_named(&m, "trace/1234567.xt") && m.number == 1234567);
    CHECK(member_named(&m, "trace/4294967294.xt") && m.number == 4294967294);
    CHECK(member_named(&m, "entry/000009.jsonl") && m.kind == MEMBER_OTHER);
    CHECK(member_named(&m, "snapshot/000009.bin") && m.kind == MEMBER_SNAPSHOT && m.number == 9);
    CHECK(member_named(&m, "results/pcpu/000000.jsonl") && m.kind == MEMBER_RESULTS && m.by == BY_PCPU);
    CHECK(member_named(&m, "results/domain-pcpu/000010.jsonl") && m.by == BY_DOMAIN_PCPU && m.number == 10);
    CHECK(member_named(&m, "summary.json") && m.kind == MEMBER_OTHER);
    CHECK(!member_named(&m, "trace/4294967295.xt"));
    CHECK(!member_named(&m, "trace/18446744073709551616.xt"));
    CHECK(!member_named(&m, "trace/-00001.xt"));
    CHECK(!member_named(&m, "trace/000001.XT"));
    CHECK(!member_named(&m, "trace/000001.xt.xt"));
    CHECK(!member_named(&m, "results/domain/x/000000.jsonl"));
}

CU_TestInfo manifest_tests[] = {
    TEST(a_manifest_comes_back),
    TEST(a_manifest_without_trace_or_members_comes_back),
    TEST(the_latest_times_there_are_come_back),
    TEST(what_a_manifest_cannot_be_is_refused),
    TEST(a_manifest_that_is_cut_off_is_refused),
    TEST(names_say_what_a_member_is),
    CU_TEST_INFO_NULL,
};
