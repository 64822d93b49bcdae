/*
 * Fuzz target: whatever reads archives.
 *
 * The first byte of an input says what the rest is: a whole archive, or the text of one member (enum what). Of a whole
 * archive everything is read that can be: members, results, entries, the trace. A mutator changes what is in its members and
 * puts it together again, so that what lies behind the checksums is reached. `tail -c +2 INPUT` is a file for xenmeter.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/entry.h"
#include "archive/rollup.h"
#include "archive/results.h"
#include "archive/summary.h"
#include "archive/trace_feed.h"
#include "archive/verify.h"
#include "archive/walk.h"
#include "metrics/pipeline.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/repack.h"
#include "tests/fuzz/store.h"

#define MEMORY_LIMIT (64u << 20)
#define ROWS_MOST    2000         /* a few bytes can claim to last for years: enough is seen by then */
#define FRAME_MOST   (16u << 20)  /* of content: larger ones are fine, but slow */
#define ENTRY_TSC    (1ull << 42) /* of an entry alone */

enum what { ARCHIVE, RESULTS, SUMMARY, ENTRY, MANIFEST, CONTENTS, WHATS };

/* ---- what is handed out ---- */

struct handed {
    uint64_t rows;
    bool rolluped; /* by somebody who promises an order */
    uint64_t next_ns[METER_GRANULARITIES];
    const struct rollup_plan *plan;
};

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct handed *h = context;
    MUST(interval->start_ns <= interval->end_ns, "interval %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    for (size_t i = 0; i < n; i++) {
        MUST(rows[i].measures, "row %zu has no measures", i);
        MUST(rows[i].domain < 65536 && rows[i].pcpu < PCPUS_MAX, "domain %d on pcpu %d", rows[i].domain,
             rows[i].pcpu);
        for (int s = 0; s < RUNSTATES; s++)
            MUST(rows[i].measures->state_ns[s] >= 0, "state %d: %" PRId64 " ns", s,
                 rows[i].measures->state_ns[s]);
    }
    for (size_t g = 0; h->plan && g < h->plan->asked; g++) {
        if (h->plan->asked_ns[g] != interval->granularity_ns)
            continue;
        MUST(interval->start_ns == h->next_ns[g], "interval at %" PRIu64 ", expected %" PRIu64,
             interval->start_ns, h->next_ns[g]);
        h->next_ns[g] = interval->end_ns;
    }
    h->rows += n + 1;
    return h->rows > ROWS_MOST ? 1 : 0;
}

static int take_execution(void *context, const struct execution *e)
{
    struct handed *h = context;
    MUST(e->start_ns <= e->end_ns, "execution %" PRIu64 " .. %" PRIu64, e->start_ns, e->end_ns);
    return ++h->rows > ROWS_MOST ? 1 : 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct handed *h = context;
    MUST(interval->start_ns <= interval->end_ns, "charges %" PRIu64 " .. %" PRIu64, interval->start_ns,
         interval->end_ns);
    for (size_t i = 0; i < n; i++)
        MUST(idds[i].guests || idds[i].guests_n == 0, "domain %d: guests are missing", idds[i].domain);
    h->rows += n;
    return h->rows > ROWS_MOST ? 1 : 0;
}

static int take_before_seen(void *context, const struct before_seen *s)
{
    struct handed *h = context;
    MUST(s->from_ns < s->seen_ns, "seen at %" PRIu64 ", there since %" PRIu64, s->seen_ns, s->from_ns);
    return ++h->rows > ROWS_MOST ? 1 : 0;
}

static struct meter_sink sink_of(struct handed *h)
{
    return (struct meter_sink){h, take_interval, take_execution, take_charges, take_before_seen};
}

/* ---- texts ---- */

static void check_failure(int status, const struct error *err)
{
    MUST(status != -1 || (err->code != ERROR_NONE && *err->message), "failed without a reason");
}

static void feed_results(const char *text, size_t n, const struct meter_sink *sink, bool may_fail)
{
    struct results_reader *reader = results_reader_new(NULL, MEMORY_LIMIT);
    struct error err = {0};
    int status = results_read(reader, text, n, 0, sink, &err);
    if (!may_fail)
        check_failure(status, &err);
    results_reader_free(reader);
}

/* As it is, and made into other intervals. */
static void try_results(const char *text, size_t n, enum by by, const struct rollup_plan *given)
{
    struct handed handed = {0};
    struct meter_sink sink = sink_of(&handed);
    feed_results(text, n, &sink, false);
    struct rollup_plan plan = given ? *given
                                    : (struct rollup_plan){.kept_ns = {100000000, 1000000000, 0},
                                                           .kept = 3,
                                                           .asked_ns = {200000000, 1000000000, 0},
                                                           .asked = 3,
                                                           .executions = true,
                                                           .end_ns = 1 + (uint64_t)n * 1000000};
    plan.memory_limit = MEMORY_LIMIT;
    struct handed rolluped = {.plan = &plan};
    for (size_t g = 0; g < plan.asked; g++)
        rolluped.next_ns[g] = plan.from_ns;
    struct meter_sink last = sink_of(&rolluped);
    struct rollup *r = rollup_new(&plan, by, &last);
    if (!r)
        return;
    sink = rollup_sink(r);
    feed_results(text, n, &sink, true);
    int status = rollup_finish(r);
    MUST(status == 0 || rollup_damaged(r) || rollup_out_of_memory(r) || rolluped.rows > ROWS_MOST,
         "failed without a reason");
    rollup_free(r);
}

static void try_summary(const char *text, size_t n)
{
    static struct summary summary, again;
    struct error err = {0};
    struct buffer first = {0}, second = {0};
    int status = summary_read(&summary, text, n, &err);
    check_failure(status, &err);
    if (status != 0)
        return;
    summary_put(&first, &summary);
    MUST(summary_read(&again, first.at, first.n, &err) == 0, "what was written is not read: %s", err.message);
    summary_put(&second, &again);
    MUST(first.n == second.n && memcmp(first.at, second.at, first.n) == 0, "it changes when it is copied");
    buffer_free(&first);
    buffer_free(&second);
    summary_free(&summary);
    summary_free(&again);
}

static void try_entry(const char *text, size_t n, uint64_t tsc, const struct clock *clock)
{
    struct entry entry;
    struct error err = {0};
    int status = entry_read(&entry, text, n, tsc, &err);
    check_failure(status, &err);
    struct handed handed = {0};
    struct meter_options options = {.bys = 1u << BY_VCPU,
                                    .granularities = 2,
                                    .granularities_ns = {1000000000, 0},
                                    .sink = sink_of(&handed)};
    const struct consumer rows = {.rows = &options};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(pipeline && pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    if (status == 0) {
        struct event_batch batch = entry_batch(&entry, tsc);
        for (size_t i = 0; i < batch.n; i++)
            MUST(batch.events[i].tsc <= tsc && (i == 0 || batch.events[i - 1].tsc <= batch.events[i].tsc),
                 "event %zu is at %" PRIu64 " of %" PRIu64, i, batch.events[i].tsc, tsc);
        if (pipeline_feed(pipeline, &batch, clock, &err) == 0)
            pipeline_end(pipeline, clock_ns(clock, tsc), &err);
    }
    pipeline_free(pipeline);
    entry_free(&entry);
}

static void try_manifest(const char *text, size_t n)
{
    struct capture capture = {0}, again = {0};
    struct error err = {0};
    struct buffer first = {0}, second = {0};
    int status = manifest_read(&capture, text, n, &err);
    check_failure(status, &err);
    if (status == 0) {
        manifest_put(&first, &capture);
        MUST(manifest_read(&again, first.at, first.n, &err) == 0, "what was written is not read: %s",
             err.message);
        manifest_put(&second, &again);
        MUST(first.n == second.n && memcmp(first.at, second.at, first.n) == 0,
             "it changes when it is copied");
    }
    buffer_free(&first);
    buffer_free(&second);
    capture_free(&capture);
    capture_free(&again);
}

static void try_contents(const char *text, size_t n)
{
    struct capture *captures;
    size_t captures_n;
    struct error err = {0};
    int status = contents_read(text, n, 9, &captures, &captures_n, &err);
    check_failure(status, &err);
    for (size_t i = 0; i < captures_n; i++)
        MUST(captures[i].first_frame >= 1 && captures[i].first_frame + captures[i].frames <= 8,
             "frames %" PRIu32 " + %" PRIu32, captures[i].first_frame, captures[i].frames);
    free(captures);
}

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
    else if (m->kind == MEMBER_ENTRY && summary && summary->clock.cpu_hz > 0)
        try_entry(text, m->bytes, m->tsc, &summary->clock);
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
    struct meter_sink last = sink_of(&handed);
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
                       const struct member *entry, const struct summary *summary)
{
    struct error err = {0};
    struct trace_feed *chunks = trace_feed_new(a, captures, n, entry ? entry->number : 0, 1, &err);
    struct handed handed = {0};
    MUST(chunks, "%s", err.message);
    struct feed feed = trace_feed_of(chunks);
    struct trace_resume resume;
    struct trace_options options = {.memory_limit = MEMORY_LIMIT, .feed = &feed};
    if (entry) {
        resume = (struct trace_resume){.clock = summary->clock, .after_tsc = entry->tsc};
        options.resume = &resume;
    }
    struct meter_options what = {.bys = 1u << BY_VCPU,
                                 .granularities = 2,
                                 .granularities_ns = {0, 100000000},
                                 .charge.wanted = !entry,
                                 .sink = sink_of(&handed)};
    memcpy(what.charge.weights, charge_default_weights, sizeof what.charge.weights);
    const struct consumer rows = {.rows = &what};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(pipeline && pipeline_add(pipeline, &rows, &err) == 0, "%s", err.message);
    pipeline_wants(pipeline, &options);
    struct trace *trace = trace_open("archive", &options, &err);
    struct event_batch batch;
    int status = trace ? 1 : -1;
    uint64_t last = 0;
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
    trace_feed_free(chunks);
}

static void read_capture(struct archive *a, const struct capture *p, bool whole)
{
    static struct summary summary;
    struct error err = {0};
    const uint8_t *bytes;
    const struct member *m = capture_member(p, "summary.json"), *entry = NULL;
    bool summarised = m && archive_read(a, p, m, &bytes, &err) == 0 &&
                      summary_read(&summary, (const char *)bytes, m->bytes, &err) == 0;
    for (size_t i = 0; i < p->members_n && i < REPACK_MEMBERS; i++) {
        int status = archive_read(a, p, &p->members[i], &bytes, &err);
        check_failure(status, &err);
        MUST(!whole || status == 0, "verify says it is whole, but %s", err.message);
        if (status == 0)
            try_member(p, &p->members[i], (const char *)bytes, summarised ? &summary : NULL);
        if (p->members[i].kind == MEMBER_ENTRY)
            entry = &p->members[i];
    }
    for (int by = 0; by < 4 && summarised; by++)
        if (p->options.bys & 1u << by)
            replay(a, p, (enum by)by, &summary);
    if (p->trace_stored)
        read_trace(a, p, 1, NULL, NULL);
    if (p->trace_stored && entry && summarised && summary.clock.cpu_hz > 0)
        read_trace(a, p, 1, entry, &summary);
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
    if (n > 1 && archive_timeline(a, NULL, 0, &first, &several, &err) == 0 && several > 1) {
        bool stored = true;
        for (size_t i = first; i < first + several; i++)
            stored = stored && captures[i].trace_stored;
        if (stored)
            read_trace(a, captures + first, several, NULL, NULL);
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
    case ENTRY:
        try_entry(text, n, ENTRY_TSC, &clock);
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
