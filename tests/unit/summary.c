/* The summary of a trace as text: every field comes back, and what it cannot be is refused. */
#include "archive/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/meter.h"
#include "parser/order/clock_probe.h"
#include "check.h"
#include "json_path.h"
#include "suites.h"

/* Numbers that are all different, some of them beyond int64. */
static uint64_t next_number(void)
{
    static uint64_t n;
    n += 0x1234567890abcdef;
    return n;
}

static struct summary_pcpu pcpus[] = {{0, 17}, {5, UINT64_MAX}, {4094, 0}};
static struct summary_domain domains[] = {
    {0, 1, 4, INT64_MAX}, {1, 1, 1, 5}, {1, 2, 8192, 6}, {65535, UINT32_MAX, 0, 0}};

static void fill_quality(struct quality *q)
{
    for (size_t row = 0; row < quality_fields_n; row++)
        *quality_at(q, row) = next_number();
    q->skipped_what = "no window header";
    for (unsigned i = 0; i < QUALITY_PLACES; i++)
        q->places[i] =
            (struct damage){next_number(), next_number(), i % 2 ? "odd" : "payload past the window"};
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot += 3)
        for (unsigned form = slot % 4; form < 16; form += 1 + slot % 5)
            q->events[slot].forms[form] = next_number();
    for (unsigned i = 0; i < QUALITY_UNRECOGNISED; i++)
        q->unrecognised[i] = (struct unrecognised_event){0x0fffffff - i, next_number(), next_number()};
    q->unrecognised_kinds = QUALITY_UNRECOGNISED;
}

static void fill_charges(struct charge_summary *c)
{
    c->methods = CHARGE_GRANTS | CHARGE_TRANSFERS | CHARGE_PACKETS;
    for (int kind = 0; kind < IO_KINDS; kind++)
        c->events[kind] = next_number();
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++) {
        c->inferred[kind] = next_number();
        c->unassigned[kind] = next_number();
    }
    c->idds = 3;
    c->counted = true;
    c->counted_from_ns = INT64_MIN;
    c->counted_to_ns = INT64_MAX;
    c->ran_ns = UINT64_MAX;
    c->unattributed_ns = UINT64_MAX - 1;
    c->mixed_ns = UINT64_MAX - 4;
    c->unmarked_ns = UINT64_MAX - 5;
    c->devices_unknown = SIZE_MAX;
    c->devices_unused = SIZE_MAX - 1;
    c->cpu_impossible_ns = UINT64_MAX - 2;
    c->cpu_impossible_at_ns = UINT64_MAX - 3;
}

static void fill(struct summary *s)
{
    memset(s, 0, sizeof *s);
    s->trace = (struct trace_summary){.file = "a \"trace\"\n\xc3\xa9 {{{.xt",
                                      .file_bytes = next_number(),
                                      .tsc_first = 1,
                                      .tsc_last = UINT64_MAX,
                                      .pcpus = 4095,
                                      .pcpu_highest = 4094,
                                      .has_runstates = true,
                                      .compression = "zstd"};
    clock_set(&s->clock, (uint64_t)INT64_MAX + 1, 2394454321.123456789);
    s->clock.measured = true;
    s->clock.pairs = next_number();
    s->clock.spread_ppm = 0.1;
    s->clock.error_ppm = 1.0 / 3;
    s->end_ns = next_number();
    fill_quality(&s->quality);
    s->charged = true;
    fill_charges(&s->charges);
    s->pcpus = pcpus;
    s->pcpus_n = 3;
    s->domains = domains;
    s->domains_n = 4;
}

/* Written, and read back: `back` is the caller's. */
static int round_trip(const struct summary *s, struct summary *back, struct error *err)
{
    struct buffer b = {0};
    summary_put(&b, s);
    CHECK(!b.failed);
    int status = summary_read(back, b.at, b.n, err);
    buffer_free(&b);
    return status;
}

#define SAME(member) CHECK(memcmp(&back.member, &s.member, sizeof s.member) == 0)

static void trace_and_clock_come_back(void)
{
    struct summary s, back;
    struct error err = {0};
    fill(&s);
    EQUAL(round_trip(&s, &back, &err), 0);
    SAME_TEXT(err.message, "");
    SAME_TEXT(back.trace.file, s.trace.file);
    SAME_TEXT(back.trace.compression, "zstd");
    SAME(trace.file_bytes);
    SAME(trace.tsc_first);
    SAME(trace.tsc_last);
    SAME(trace.pcpus);
    SAME(trace.pcpu_highest);
    SAME(trace.has_runstates);
    SAME(clock.tsc_first);
    SAME(clock.cpu_hz);
    SAME(clock.measured);
    SAME(clock.pairs);
    SAME(clock.spread_ppm);
    SAME(clock.error_ppm);
    SAME(clock.multiplier);
    SAME(clock.shift);
    SAME(end_ns);
    summary_free(&back);
}

static void quality_comes_back(void)
{
    struct summary s, back;
    fill(&s);
    EQUAL(round_trip(&s, &back, NULL), 0);
    const struct quality *a = &back.quality, *b = &s.quality;
    for (size_t row = 0; row < quality_fields_n; row++)
        EQUAL(quality_number(a, row), quality_number(b, row));
    SAME_TEXT(a->skipped_what, b->skipped_what);
    for (unsigned i = 0; i < QUALITY_PLACES; i++) {
        EQUAL(a->places[i].offset, b->places[i].offset);
        EQUAL(a->places[i].bytes, b->places[i].bytes);
        SAME_TEXT(a->places[i].what, b->places[i].what);
    }
    SAME(quality.events);
    SAME(quality.unrecognised);
    EQUAL(a->unrecognised_kinds, QUALITY_UNRECOGNISED);
    summary_free(&back);
}

static void charges_pcpus_and_domains_come_back(void)
{
    struct summary s, back;
    fill(&s);
    EQUAL(round_trip(&s, &back, NULL), 0);
    CHECK(back.charged);
    EQUAL(back.charges.methods, s.charges.methods);
    SAME(charges.events);
    SAME(charges.inferred);
    SAME(charges.unassigned);
    EQUAL(back.charges.idds, 3);
    CHECK(back.charges.counted);
    EQUAL(back.charges.counted_from_ns, INT64_MIN);
    EQUAL(back.charges.counted_to_ns, INT64_MAX);
    EQUAL(back.charges.ran_ns, UINT64_MAX);
    EQUAL(back.charges.unattributed_ns, UINT64_MAX - 1);
    EQUAL(back.charges.mixed_ns, UINT64_MAX - 4);
    EQUAL(back.charges.unmarked_ns, UINT64_MAX - 5);
    EQUAL(back.charges.devices_unknown, SIZE_MAX);
    EQUAL(back.charges.devices_unused, SIZE_MAX - 1);
    EQUAL(back.charges.cpu_impossible_ns, UINT64_MAX - 2);
    EQUAL(back.charges.cpu_impossible_at_ns, UINT64_MAX - 3);
    EQUAL(back.pcpus_n, 3);
    for (size_t i = 0; i < back.pcpus_n && i < 3; i++) {
        EQUAL(back.pcpus[i].pcpu, pcpus[i].pcpu);
        EQUAL(back.pcpus[i].blind_ns, pcpus[i].blind_ns);
    }
    EQUAL(back.domains_n, 4);
    for (size_t i = 0; i < back.domains_n && i < 4; i++)
        CHECK(memcmp(&back.domains[i], &domains[i], sizeof domains[i]) == 0);
    summary_free(&back);
}

static void an_empty_summary_comes_back(void)
{
    struct summary s = {.trace = {.compression = "none"}}, back;
    EQUAL(round_trip(&s, &back, NULL), 0);
    CHECK(back.trace.file == NULL);
    CHECK(back.quality.skipped_what == NULL);
    CHECK(!back.charged);
    EQUAL(back.pcpus_n, 0);
    EQUAL(back.domains_n, 0);
    EQUAL(back.quality.unrecognised_kinds, 0);
    summary_free(&back);
}

static void a_name_may_have_any_bytes(void)
{
    struct summary s, back;
    fill(&s);
    s.trace.file = "\xff\xfe/caf\xe9\x01";
    EQUAL(round_trip(&s, &back, NULL), 0);
    SAME_TEXT(back.trace.file, s.trace.file);
    summary_free(&back);

    char braces[4000]; /* which do not make the document too large */
    memset(braces, '{', sizeof braces - 1);
    braces[sizeof braces - 1] = '\0';
    s.trace.file = braces;
    EQUAL(round_trip(&s, &back, NULL), 0);
    SAME_TEXT(back.trace.file, braces);
    summary_free(&back);
}

static void clocks_of_every_frequency_come_back(void)
{
    static const double hz[] = {0, 0.25, 1000, 1e9, 2.4e9, 3333333333.3333335, 1e12, 9e22};
    for (size_t i = 0; i < sizeof hz / sizeof hz[0]; i++) {
        struct summary s = {.trace = {.compression = "none"}}, back;
        clock_set(&s.clock, 12345, hz[i]);
        EQUAL(round_trip(&s, &back, NULL), 0);
        SAME(clock.cpu_hz);
        SAME(clock.multiplier);
        EQUAL(clock_ns(&back.clock, 1000012345), clock_ns(&s.clock, 1000012345));
        summary_free(&back);
    }
}

static void events_are_written_by_their_number(void)
{
    static struct summary s = {.trace = {.compression = "none"}};
    s.quality.events[EVENT_CPU_CHANGE].forms[2] = 7;
    s.quality.events[EVENT_CPU_CHANGE].forms[10] = 9;
    struct buffer b = {0};
    summary_put(&b, &s);
    json_t *document = json_loadb(b.at, b.n, 0, NULL);
    json_t *events = json_object_get(json_object_get(document, "quality"), "events");
    char *text = json_dumps(events, JSON_COMPACT);
    SAME_TEXT(text, "[{\"event\":\"0x0001f003\",\"form\":2,\"records\":7},"
                    "{\"event\":\"0x0001f003\",\"form\":10,\"records\":9}]");
    free(text);
    json_decref(document);
    buffer_free(&b);
}

/* ---- two parts of a trace ---- */

/* The second part begins 1 s after the first: at 1000 cycles of a clock of 1 kHz. */
static void summaries_of_two_parts_add_up(void)
{
    struct summary all = {.trace = {.tsc_last = 900, .pcpus = 4, .pcpu_highest = 3, .has_runstates = true},
                          .charges = {.methods = CHARGE_COPIES,
                                      .idds = 2,
                                      .ran_ns = 10,
                                      .mixed_ns = 1,
                                      .unmarked_ns = 2,
                                      .counted = true,
                                      .counted_to_ns = 5,
                                      .events[IO_COPY] = 7}};
    struct summary next = {.trace = {.tsc_first = 1000, .tsc_last = 1500, .pcpus = 2, .pcpu_highest = 8},
                           .end_ns = 500000000,
                           .charges = {.methods = CHARGE_GRANTS,
                                       .idds = 1,
                                       .ran_ns = 5,
                                       .mixed_ns = 2,
                                       .counted_to_ns = 9,
                                       .cpu_impossible_ns = 3,
                                       .cpu_impossible_at_ns = 4,
                                       .events[IO_COPY] = 8,
                                       .unassigned[IO_MAP] = 6}};
    clock_set(&all.clock, 0, 1000);
    summary_add(&all, &next);
    EQUAL(all.trace.tsc_last, 1500);
    EQUAL(all.trace.pcpus, 4);
    EQUAL(all.trace.pcpu_highest, 8);
    CHECK(!all.trace.has_runstates);
    EQUAL(all.end_ns, 1500000000);
    EQUAL(all.charges.methods, CHARGE_COPIES | CHARGE_GRANTS);
    EQUAL(all.charges.idds, 2);
    EQUAL(all.charges.ran_ns, 15);
    EQUAL(all.charges.mixed_ns, 3);
    CHECK(!all.charges.counted);
    EQUAL(all.charges.counted_to_ns, 5);
    EQUAL(all.charges.cpu_impossible_ns, 3);
    EQUAL(all.charges.cpu_impossible_at_ns, 1000000004);
    EQUAL(all.charges.events[IO_COPY], 15);
    EQUAL(all.charges.unassigned[IO_MAP], 6);
}

static void lists_of_parts_add_up(void)
{
    struct summary_domain one[] = {{0, 1, 2, 10}, {3, 1, 1, 20}}, two[] = {{0, 1, 4, 5}, {1, 1, 1, 1}};
    struct summary_pcpu light[] = {{0, 1}, {2, 2}}, dark[] = {{2, 8}, {1, 3}};
    const struct summary parts[] = {{.domains = one, .domains_n = 2, .pcpus = light, .pcpus_n = 2},
                                    {.domains = two, .domains_n = 2, .pcpus = dark, .pcpus_n = 2}};
    const struct summary_domain domains_of_all[] = {{0, 1, 4, 15}, {1, 1, 1, 1}, {3, 1, 1, 20}};
    const struct summary_pcpu pcpus_of_all[] = {{0, 1}, {1, 3}, {2, 10}};
    struct summary all = {0};
    EQUAL(summary_add_lists(&all, parts, 2), 0);
    EQUAL(all.domains_n, 3);
    EQUAL(all.pcpus_n, 3);
    for (size_t i = 0; i < all.domains_n && i < 3; i++) { /* field by field: there is padding */
        EQUAL(all.domains[i].domain, domains_of_all[i].domain);
        EQUAL(all.domains[i].life, domains_of_all[i].life);
        EQUAL(all.domains[i].vcpus, domains_of_all[i].vcpus);
        EQUAL(all.domains[i].running_ns, domains_of_all[i].running_ns);
    }
    for (size_t i = 0; i < all.pcpus_n && i < 3; i++) {
        EQUAL(all.pcpus[i].pcpu, pcpus_of_all[i].pcpu);
        EQUAL(all.pcpus[i].blind_ns, pcpus_of_all[i].blind_ns);
    }
    summary_free(&all);
}

/* ---- what does not get in ---- */

static const struct json_change impossible[] = {
    {"schema", "\"xenmeter.summary/1\""},
    {"schema", "1"},
    {"trace", NULL},
    {"trace", "[]"},
    {"trace/file", "5"},
    {"trace/file", "{}"},
    {"trace/file", "{\"hex\":\"6\"}"},
    {"trace/file", "{\"hex\":\"00\"}"},
    {"trace/file", "{\"hex\":\"6g\"}"},
    {"trace/compression", "\"gzip\""},
    {"trace/compression", "null"},
    {"trace/tsc_first", "-1"},
    {"trace/tsc_last", "0"},
    {"trace/tsc_last", "\"18446744073709551616\""},
    {"trace/tsc_last", "\"5\""},
    {"trace/tsc_last", "\"\""},
    {"trace/tsc_last", "5.0"},
    {"trace/pcpus", "4096"},
    {"trace/pcpu_highest", "4095"},
    {"trace/has_runstates", "1"},
    {"trace/more", "1"},
    {"clock/cpu_hz", "-1.0"},
    {"clock/cpu_hz", "1e-300"},
    {"clock/cpu_hz", "2.4e9"},
    {"clock/cpu_hz", "\"2\""},
    {"clock/multiplier", "0"},
    {"clock/shift", "0"},
    {"clock/shift", "128"},
    {"clock/shift", "4294967297"},
    {"end_ns", "-5"},
    {"end_ns", NULL},
    {"quality/bytes", NULL},
    {"quality/skipped_places", "7"},
    {"quality/skipped_places", "0"},
    {"quality/places", "[]"},
    {"quality/places/3", "1"},
    {"quality/places/7/what", "null"},
    {"quality/places/7/bytes", "null"},
    {"quality/skipped_what", "[]"},
    {"quality/events", "{}"},
    {"quality/events/0", "[]"},
    {"quality/events/0/event", "\"0x00021011\""}, /* a variant: not itself in the table */
    {"quality/events/0/event", "\"0x0001F003\""},
    {"quality/events/0/event", "\"0x1f003\""},
    {"quality/events/0/event", "\"0x1001f003\""},
    {"quality/events/0/event", "\"0x0001f0033\""},
    {"quality/events/0/event", "127"},
    {"quality/events/0/form", "16"},
    {"quality/events/0/form", "-1"},
    {"quality/events/0/form", NULL},
    {"quality/events/1/form", "0"}, /* that of the first one */
    {"quality/events/0/records", "0"},
    {"quality/events/0/records", "[5]"},
    {"quality/unrecognised/63", "1"},
    {"quality/unrecognised/63/event", "\"0x0fffffff\""},
    {"quality/unrecognised/63/records", "-1"},
    {"charges", "null"},
    {"charges/methods", "[\"grants\"]"},
    {"charges/methods", "128"},
    {"charges/events/map", NULL},
    {"charges/events/fly", "1"},
    {"charges/inferred/tx", "1"},
    {"charges/counted", "0"},
    {"charges/counted_from_ns", "0.5"},
    {"pcpus", "{}"},
    {"pcpus/0/pcpu", "4095"},
    {"pcpus/1/pcpu", "0"},
    {"pcpus/2/pcpu", "4"},
    {"pcpus/1", "[]"},
    {"domains/0/domain", "-1"},
    {"domains/3/domain", "65536"},
    {"domains/3/domain", "32767"},
    {"domains/2/life", "1"},
    {"domains/0/life", "0"},
    {"domains/1/domain", "2"},
    {"domains/0/vcpus", "4294967296"},
    {"domains/0/running_ns", "\"9223372036854775808\""},
    {"domains/0/running_ns", "-1"},
    {"more", "1"},
};

static void what_a_summary_cannot_be_is_refused(void)
{
    static struct summary s;
    fill(&s);
    struct buffer b = {0};
    summary_put(&b, &s);
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        char *text = json_changed(&b, &impossible[i]);
        struct summary back;
        struct error err = {0};
        check_equal(summary_read(&back, text, strlen(text), &err), -1, impossible[i].path, __FILE__,
                    __LINE__);
        check_true(err.code == ERROR_FORMAT && *err.message, impossible[i].path, __FILE__, __LINE__);
        CHECK(back.texts == NULL && back.pcpus == NULL && back.domains == NULL);
        free(text);
    }
    struct summary back; /* as it is, it is fine, without spaces too */
    char *text = json_compact(&b);
    EQUAL(summary_read(&back, text, strlen(text), NULL), 0);
    summary_free(&back);
    free(text);
    buffer_free(&b);
}

static void text_that_is_no_summary_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"schema\":\"xenmeter.summary/2\"}",
        "{\"schema\":\"xenmeter.summary/2\",\"schema\":\"xenmeter.summary/2\"}",
        "\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct summary back;
        struct error err = {0};
        EQUAL(summary_read(&back, texts[i], strlen(texts[i]), &err), -1);
        EQUAL(err.code, ERROR_FORMAT);
    }
    /* Deep, and made of nothing but objects. */
    size_t n = 1 << 20;
    char *text = malloc(n);
    struct summary back;
    memset(text, '[', n);
    EQUAL(summary_read(&back, text, n, NULL), -1);
    for (size_t i = 1; i + 3 <= n; i += 3)
        text[i] = '{', text[i + 1] = '}', text[i + 2] = ',';
    EQUAL(summary_read(&back, text, n, NULL), -1);
    free(text);
}

static void a_summary_that_is_cut_off_is_refused(void)
{
    static struct summary s = {.trace = {.file = "trace.xt", .compression = "none"}};
    s.quality.events[EVENT_CPU_CHANGE].forms[2] = 7;
    s.pcpus = pcpus;
    s.pcpus_n = 3;
    struct buffer b = {0};
    summary_put(&b, &s);
    for (size_t n = 0; n < b.n - 1; n++) { /* the last byte is a newline */
        char *exact = malloc(n + 1);
        memcpy(exact, b.at, n);
        struct summary back;
        CHECK(summary_read(&back, exact, n, NULL) == -1);
        free(exact);
    }
    buffer_free(&b);
}

CU_TestInfo summary_tests[] = {
    TEST(trace_and_clock_come_back),
    TEST(quality_comes_back),
    TEST(charges_pcpus_and_domains_come_back),
    TEST(summaries_of_two_parts_add_up),
    TEST(lists_of_parts_add_up),
    TEST(an_empty_summary_comes_back),
    TEST(a_name_may_have_any_bytes),
    TEST(clocks_of_every_frequency_come_back),
    TEST(events_are_written_by_their_number),
    TEST(what_a_summary_cannot_be_is_refused),
    TEST(text_that_is_no_summary_is_refused),
    TEST(a_summary_that_is_cut_off_is_refused),
    CU_TEST_INFO_NULL,
};
