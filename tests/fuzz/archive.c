/*
 * Fuzz target: whatever reads archives.
 *
 * The first byte of an input says what the rest is: a whole archive, or the text of one member (enum what). Of a whole
 * archive everything is read that can be: members, results, entries, the trace. A mutator changes what is in its members and
 * puts it together again, so that what lies behind the checksums is reached. `tail -c +2 INPUT` is a file for xenmeter.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/rollup.h"
#include "archive/results.h"
#include "archive/summary.h"
#include "archive/trace_feed.h"
#include "archive/verify.h"
#include "archive/walk.h"
#include "metrics/pipeline.h"
#include "tests/fuzz/member_texts.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/repack.h"
#include "tests/fuzz/fuzz_store.h"

#define FRAME_MOST   (16u << 20)  /* of content: larger ones are fine, but slow */
#define SNAPSHOT_TSC (1ull << 42) /* of a snapshot alone */

enum what { ARCHIVE, RESULTS, SUMMARY, SNAPSHOT, MANIFEST, CONTENTS, WHATS };

/* ---- a whole archive ---- */

static void note_damage(void *context, uint64_t offset, const char *member, const char *what)
{
    (void)member;
    MUST(offset <= *(const uint64_t *)context, "damage at %" PRIu64 " of %" PRIu64, offset,
         *(const uint64_t *)context);
    MUST(*what, "damage without a reason");
}

static int see_member(void *context, const char *path, const uint8_t *bytes, size_t n)
{
    uint64_t *sum = context;
    MUST(tar_name_fine(path), "a member is called %s", path);
    *sum += n ? bytes[0] + bytes[n - 1] : 0;
    return 0;
}

static int see_damage(void *context, const struct error *why)
{
    (void)context;
    MUST(why->code != ERROR_NONE, "damage without a reason");
    return 0;
}

/* No frame is so large that the run would take long. */
static bool is_small(const char *path)
{
    struct error err;
    struct archive *a = archive_open(path, &err);
    bool small = true;
    for (size_t i = 0; a && i < archive_frames(a)->n; i++)
        small = small && archive_frames(a)->list[i].content <= FRAME_MOST;
    archive_close(a);
    return small;
}

static void try_member(const struct capture *p, const struct member *m, const char *text,
                       const struct summary *summary)
{
    struct rollup_plan plan = {
        .kept = p->options.granularities, .asked = 1, .end_ns = summary ? summary->end_ns : p->duration_ns};
    memcpy(plan.kept_ns, p->options.granularities_ns, sizeof plan.kept_ns);
    if (m->kind == MEMBER_RESULTS)
        try_results(text, m->bytes, m->by, &plan);
    else if (m->kind == MEMBER_SNAPSHOT && summary && summary->clock.cpu_hz > 0)
        try_snapshot(text, m->bytes, m->tsc, &summary->clock);
}

/* The results of one kind, as report reads them. */
static void replay(struct archive *a, const struct capture *p, enum by by, const struct summary *summary)
{
    struct handed handed = {0};
    struct rollup_plan plan = {.kept = p->options.granularities,
                               .asked = 1,
                               .end_ns = summary->end_ns,
                               .memory_limit = MEMORY_LIMIT};
    memcpy(plan.kept_ns, p->options.granularities_ns, sizeof plan.kept_ns);
    handed.plan = &plan;
    struct meter_sink last = handed_sink(&handed);
    size_t use[METER_GRANULARITIES];
    struct rollup *r = rollup_possible(&plan, use) ? rollup_new(&plan, by, &last) : NULL;
    struct results_reader *reader = results_reader_new(NULL, MEMORY_LIMIT);
    struct error err = {0};
    const uint8_t *text;
    int status = 0;
    struct meter_sink sink = r ? rollup_sink(r) : last;
    for (size_t i = 0; r && status == 0 && i < p->members_n; i++)
        if (p->members[i].kind == MEMBER_RESULTS && p->members[i].by == by) {
            status = archive_read(a, p, &p->members[i], &text, &err);
            if (status == 0)
                status = results_read(reader, (const char *)text, p->members[i].bytes, 0, &sink, &err);
        }
    if (r)
        rollup_finish(r);
    results_reader_free(reader);
    rollup_free(r);
}

static void read_trace(struct archive *a, const struct capture *captures, size_t n,
                       const struct member *snapshot, const uint8_t *bytes, const struct summary *summary)
{
    struct error err = {0};
    struct trace_feed *chunks = trace_feed_new(a, captures, n, snapshot ? snapshot->number : 0, 1, &err);
    struct handed handed = {0};
    MUST(chunks, "%s", err.message);
    struct feed feed = trace_feed_of(chunks);
    struct trace_resume resume;
    struct trace_options options = {.memory_limit = MEMORY_LIMIT, .feed = &feed};
    struct io_pasts pasts = {0};
    bool charges = !snapshot || pipeline_restore_pasts(bytes, snapshot->bytes, &pasts);
    if (snapshot) {
        resume = (struct trace_resume){
            .clock = summary->clock, .after_tsc = snapshot->tsc, .pasts = pasts.at, .pasts_n = pasts.n};
        options.resume = &resume;
    }
    struct meter_options what = {.bys = 1u << BY_VCPU,
                                 .granularities = 2,
                                 .granularities_ns = {0, 100000000},
                                 .charge.wanted = charges,
                                 .sink = handed_sink(&handed)};
    memcpy(what.charge.weights, charge_default_weights, sizeof what.charge.weights);
    const struct consumer rows = {.rows = &what};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(pipeline && pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    pipeline_wants(pipeline, &options);
    struct trace *trace = trace_open("archive", &options, &err);
    struct event_batch batch;
    int status = trace ? 1 : -1;
    uint64_t last = 0;
    if (snapshot && status > 0)
        status = pipeline_restore(pipeline, bytes, snapshot->bytes, snapshot->tsc, &summary->clock, &err) == 0
                     ? 1
                     : -1;
    while (status > 0 && (status = trace_next(trace, &batch, &err)) > 0) {
        for (size_t i = 0; i < batch.n; i++) {
            MUST(batch.events[i].tsc >= last, "event at %" PRIu64 " after %" PRIu64, batch.events[i].tsc,
                 last);
            last = batch.events[i].tsc;
        }
        if (!(trace_clock(trace)->cpu_hz > 0) ||
            pipeline_feed(pipeline, &batch, trace_clock(trace), &err) != 0)
            break;
    }
    MUST(status >= 0 || handed.rows > ROWS_MOST || err.code != ERROR_NONE, "failed without a reason");
    if (status == 0) {
        struct trace_summary s;
        trace_summarise(trace, &s);
        pipeline_end(pipeline, clock_ns(trace_clock(trace), s.tsc_last), &err);
    }
    pipeline_free(pipeline);
    trace_close(trace);
    io_pasts_free(&pasts);
    trace_feed_free(chunks);
}

static void read_capture(struct archive *a, const struct capture *p, bool whole)
{
    static struct summary summary;
    struct error err = {0};
    const uint8_t *bytes;
    const struct member *m = capture_member(p, "summary.json"), *snapshot = NULL;
    bool summarised = m && archive_read(a, p, m, &bytes, &err) == 0 &&
                      summary_read(&summary, (const char *)bytes, m->bytes, &err) == 0;
    for (size_t i = 0; i < p->members_n && i < REPACK_MEMBERS; i++) {
        int status = archive_read(a, p, &p->members[i], &bytes, &err);
        check_failure(status, &err);
        MUST(!whole || status == 0, "verify says it is whole, but %s", err.message);
        if (status == 0)
            try_member(p, &p->members[i], (const char *)bytes, summarised ? &summary : NULL);
        if (p->members[i].kind == MEMBER_SNAPSHOT)
            snapshot = &p->members[i];
    }
    for (int by = 0; by < 4 && summarised; by++)
        if (p->options.bys & 1u << by)
            replay(a, p, (enum by)by, &summary);
    if (p->trace_stored)
        read_trace(a, p, 1, NULL, NULL, NULL);
    if (p->trace_stored && snapshot && summarised && summary.clock.cpu_hz > 0 &&
        archive_read(a, p, snapshot, &bytes, &err) == 0)
        read_trace(a, p, 1, snapshot, bytes, &summary);
    if (summarised)
        summary_free(&summary);
}

static void try_archive(const char *path, uint64_t size)
{
    struct error err = {0};
    struct verify_totals totals;
    uint64_t sum = 0;
    if (!is_small(path))
        return;
    long damages = verify_archive(path, note_damage, &size, &totals, &err);
    MUST(damages >= 0 || err.code != ERROR_NONE, "failed without a reason");
    MUST(damages < 0 || totals.whole_up_to <= size, "whole up to %" PRIu64 " of %" PRIu64, totals.whole_up_to,
         size);
    walk_archive(path, &(struct walk_visitor){&sum, see_member, see_damage}, &err);
    err = (struct error){0};
    struct archive *a = archive_open(path, &err);
    MUST(a || err.code != ERROR_NONE, "failed without a reason");
    MUST(a || damages != 0, "verify says it is whole, but %s", err.message);
    const struct capture *captures;
    size_t n = a ? archive_captures(a, &captures) : 0, first = 0, several = 0;
    for (size_t i = 0; i < n && i < 8; i++)
        read_capture(a, &captures[i], damages == 0);
    if (n > 1 && archive_timeline(a, NULL, 0, &first, &several, NULL, NULL, &err) == 0 && several > 1) {
        bool stored = true;
        for (size_t i = first; i < first + several; i++)
            stored = stored && captures[i].trace_stored;
        if (stored)
            read_trace(a, captures + first, several, NULL, NULL, NULL);
    }
    archive_close(a);
}

/* ---- libFuzzer ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct clock clock = {0};
    char path[STORE_PATH];
    char *text = malloc(n); /* exactly: what reads beyond is found */
    clock_set(&clock, 0, 2.4e9);
    memcpy(text, data + 1, --n);
    switch (data[0] % WHATS) {
    case RESULTS:
        try_results(text, n, (enum by)(data[0] / WHATS % 4), NULL);
        break;
    case SUMMARY:
        try_summary(text, n);
        break;
    case SNAPSHOT:
        try_snapshot(text, n, SNAPSHOT_TSC, &clock);
        break;
    case MANIFEST:
        try_manifest(text, n);
        break;
    case CONTENTS:
        try_contents(text, n);
        break;
    default: {
        int fd = store_capture(data + 1, n, false, path);
        try_archive(path, n);
        close(fd);
    }
    }
    free(text);
    return 0;
}

/* Another number in a text. 0: it has none, or no room. */
static size_t change_number(uint8_t *text, size_t n, size_t room, unsigned seed)
{
    static const char *const numbers[] = {"0",          "1",          "511",        "512",
                                          "1024",       "65536",      "4294966784", "99999744",
                                          "268435456",  "1000000000", "4294967295", "9223372036854775807",
                                          "2147483648", "3",          "7",          "1000000"};
    size_t digits = 0, at = n ? seed * 2654435761u % n : 0;
    const char *number = numbers[seed / 7 % (sizeof numbers / sizeof numbers[0])];
    size_t length = strlen(number);
    while (at < n && (text[at] < '0' || text[at] > '9'))
        at++;
    while (at + digits < n && text[at + digits] >= '0' && text[at + digits] <= '9')
        digits++;
    if (digits == 0 || n - digits + length > room)
        return 0;
    memmove(text + at + length, text + at + digits, n - at - digits);
    for (size_t i = 0; i < length; i++)
        text[at + i] = (uint8_t)number[i];
    return n - digits + length;
}

/* Changes one member of an archive and makes the rest fit. 0: it is none. */
static size_t mutate_member(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    static struct loose loose;
    struct buffer file = {0};
    char path[STORE_PATH];
    int fd = store_capture(data + 1, n - 1, false, path);
    size_t mutated = 0;
    if (is_small(path) && loose_read(&loose, path) && loose.n > 0) {
        size_t which = seed % loose.n, bytes = loose.members[which].bytes.n, most = bytes + bytes / 4 + 64;
        uint8_t *changed = malloc(most);
        if (bytes)
            memcpy(changed, loose.members[which].bytes.at, bytes);
        size_t n_changed = seed & 0x20000 ? change_number(changed, bytes, most, seed) : 0;
        bytes = n_changed ? n_changed : LLVMFuzzerMutate(changed, bytes, most);
        loose_replace(&loose, which, changed, bytes);
        loose_repair(&loose, seed & 0x10000 ? which : loose.n);
        if (loose_pack(&loose, &file) && file.n < room) {
            memcpy(data + 1, file.at, file.n);
            mutated = file.n + 1;
        }
        free(changed);
    }
    buffer_free(&file);
    loose_free(&loose);
    close(fd);
    return mutated;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    size_t mutated = 0;
    if (n > 1 && data[0] % WHATS == ARCHIVE && seed % 8 != 0)
        mutated = mutate_member(data, n, room, seed / 8);
    if (mutated || n < 2)
        return mutated ? mutated : LLVMFuzzerMutate(data, n, room);
    if (data[0] % WHATS != ARCHIVE && seed % 2)
        mutated = change_number(data + 1, n - 1, room - 1, seed / 2);
    return 1 + (mutated ? mutated : LLVMFuzzerMutate(data + 1, n - 1, room - 1)); /* it stays what it is */
}
