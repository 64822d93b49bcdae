/* Archives that were cut short: cut and damaged at every place, completed, and what they say then. */
#include "record/salvage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/capture_writer.h"
#include "archive/contents.h"
#include "archive/tar.h"
#include "archive/verify.h"
#include "archives.h"
#include "check.h"
#include "suites.h"

/* ---- a recording ---- */

/*
 * A cycle is a ns. In interval i of 10 ns domain 7 runs i + 1 ns, and domain 0 runs 10 ns: 4 for domain 7, 5 for itself, 1 for
 * nobody that is known. Domain 8 is seen first at 25 ns, and was blocked before; from then on it runs 2 ns in each interval. Intervals of 40 ns are
 * kept, too.
 */
struct recording {
    struct kept kept;
    struct frame_writer *frames;
    struct capture_writer *writer;
    struct consumer consumer;
    struct clock clock;
    struct summary summary;
    struct measures fine[3], coarse[3];
    uint64_t intervals;
    unsigned facts; /* members */
};

#define FIRST_TSC 1000

static struct row rows_of(const struct measures *m, int32_t domain)
{
    return (struct row){.domain = domain, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = m};
}

/* Hands out an interval with its charges; n: of 10 ns that it has. */
static void hand_out(struct recording *r, uint64_t granularity_ns, uint64_t start_ns, uint64_t end_ns,
                     const struct measures m[3])
{
    const struct meter_sink *sink = &r->consumer.rows->sink;
    const struct interval interval = {granularity_ns, start_ns, end_ns, BY_DOMAIN, 0, 0};
    const struct row rows[] = {rows_of(&m[0], 0), rows_of(&m[1], 7), rows_of(&m[2], 8)};
    uint64_t n = (end_ns - start_ns) / 10;
    const struct charge_guest guest = {.domain = 7, .life = 1, .charged_ns = 4 * n};
    const struct charge_idd idd = {.domain = 0,
                                   .life = 1,
                                   .running_ns = 10 * n,
                                   .charged_ns = 4 * n,
                                   .own_ns = 5 * n,
                                   .unattributed_ns = n,
                                   .guests = &guest,
                                   .guests_n = 1};
    bool seen = end_ns > 25;
    EQUAL(sink->interval(sink->context, &interval, rows, seen ? 3 : 2), 0);
    EQUAL(sink->charges(sink->context, &interval, &idd, 1), 0);
}

static void one_more_interval(struct recording *r)
{
    const struct meter_sink *sink = &r->consumer.rows->sink;
    uint64_t i = r->intervals++, start_ns = 10 * i;
    const struct before_seen seen = {
        .row = rows_of(NULL, 8), .by = BY_DOMAIN, .state = RUNSTATE_BLOCKED, .seen_ns = 25, .first = true};
    const int64_t ran[3] = {10, (int64_t)i + 1, i >= 2 ? 2 : 0};
    for (int k = 0; k < 3; k++) {
        measures_clear(&r->fine[k]);
        r->fine[k].state_ns[RUNSTATE_RUNNING] = ran[k];
        r->coarse[k].state_ns[RUNSTATE_RUNNING] += ran[k];
    }
    if (i == 2)
        EQUAL(sink->before_seen(sink->context, &seen), 0);
    hand_out(r, 10, start_ns, start_ns + 10, r->fine);
    if (r->intervals % 4 != 0)
        return;
    if (r->intervals == 4)
        r->coarse[2].state_ns[RUNSTATE_BLOCKED] = 20;
    hand_out(r, 40, start_ns - 30, start_ns + 10, r->coarse);
    for (int k = 0; k < 3; k++)
        measures_clear(&r->coarse[k]);
}

static void summarise(struct recording *r, uint64_t end_ns)
{
    struct summary *s = &r->summary;
    s->trace = (struct trace_summary){.file = "",
                                      .compression = "none",
                                      .tsc_first = FIRST_TSC,
                                      .tsc_last = FIRST_TSC + end_ns,
                                      .pcpus = 1};
    s->clock = r->clock;
    s->end_ns = end_ns;
    s->charged = true;
    s->charges.ran_ns = end_ns;
    s->quality.vcpu_ns = 12345;
}

static void begin_recording(struct recording *r, const uint64_t granularities_ns[2])
{
    static struct part_place place;
    struct capture_options capture = {.bys = 1u << BY_DOMAIN,
                                      .granularities_ns = {granularities_ns[0], granularities_ns[1], 0},
                                      .granularities = 3,
                                      .charge = {.wanted = true}};
    struct capture_writer_options options = {.host = "web1",
                                             .source = "xentrace",
                                             .tool = "test",
                                             .level = LEVEL,
                                             .summary = &r->summary,
                                             .options = &capture,
                                             .part = &place};
    struct error err = {0};
    *r = (struct recording){0};
    clock_set(&r->clock, FIRST_TSC, 1e9);
    r->frames = writer_to(&r->kept, 1);
    r->writer = capture_writer_new(r->frames, &options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->writer);
    r->consumer = capture_writer_consumer(r->writer);
    for (int k = 0; k < 3; k++) {
        measures_init(&r->fine[k]);
        measures_init(&r->coarse[k]);
    }
    struct trace_tap tap = capture_writer_tap(r->writer);
    EQUAL(tap.bytes(tap.context, (const uint8_t *)"a trace", 7, &err), 0);
    EQUAL(r->consumer.begin(r->consumer.context, &(struct pass){.clock = &r->clock}, &err), 0);
}

static void check_point(struct recording *r, uint64_t settled_ns)
{
    struct error err = {0};
    char name[MEMBER_NAME];
    snprintf(name, sizeof name, "host/%06u.jsonl", r->facts++);
    EQUAL(capture_writer_add(r->writer, name, "{}\n", 3, &err), 0);
    summarise(r, settled_ns);
    EQUAL(capture_writer_checkpoint(r->writer, &err), 0);
    EQUAL(frame_writer_drain(r->frames, &err), 0);
}

static void end_recording(struct recording *r)
{
    capture_writer_free(r->writer);
    frame_writer_free(r->frames);
    for (int k = 0; k < 3; k++) {
        measures_free(&r->fine[k]);
        measures_free(&r->coarse[k]);
    }
    buffer_free(&r->kept.file);
    free(r->summary.domains);
}

/*
 * Two checkpoints: at 57 ns, after 5 intervals, and at 93 ns, after 9; then results without one. `first` and `second`: bytes of the
 * file with them.
 */
static void record_two(struct recording *r, size_t *first, size_t *second)
{
    static const uint64_t granularities[2] = {40, 10};
    begin_recording(r, granularities);
    while (r->intervals < 5)
        one_more_interval(r);
    check_point(r, 57);
    *first = r->kept.file.n;
    while (r->intervals < 9)
        one_more_interval(r);
    check_point(r, 93);
    *second = r->kept.file.n;
}

/* And the end, as it is after 10 intervals; `frames`: bytes without seal and seek table. */
static void complete(struct recording *r, size_t *frames)
{
    struct capture capture;
    struct error err = {0};
    one_more_interval(r);
    summarise(r, 100);
    hand_out(r, 0, 0, 100, r->coarse); /* whatever it says */
    EQUAL(capture_writer_finish(r->writer, &capture, &err), 0);
    EQUAL(contents_write(r->frames, &capture, 1, &err), 0);
    EQUAL(frame_writer_drain(r->frames, &err), 0);
    *frames = r->kept.file.n;
    EQUAL(frame_writer_finish(r->frames, &err), 0);
    capture_free(&capture);
}

/* ---- files ---- */

static char folder[40], partial[80], whole[80], damaged[80];

static void begin_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/xenmeter-salvage-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(whole, sizeof whole, "%s/a.xma", folder);
    snprintf(partial, sizeof partial, "%s/a.xma.partial", folder);
    snprintf(damaged, sizeof damaged, "%s/a.xma.damaged", folder);
}

static void end_folder(void)
{
    unlink(whole);
    unlink(partial);
    unlink(damaged);
    EQUAL(rmdir(folder), 0); /* nothing else is left */
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void no_finding(void *context, uint64_t offset, const char *member, const char *what)
{
    (void)context;
    (void)offset;
    (void)member;
    check_true(false, what, __FILE__, __LINE__);
}

/* ---- what an archive says ---- */

struct said {
    uint64_t whole_ns, whole_ran[9], whole_blocked[9], charged, own, unattributed, cut_start, cut_end;
    int64_t cut_ran; /* of domain 7, in the interval of 40 ns that ends with the archive */
    size_t wholes, fine, coarse;
};

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct said *s = context;
    s->wholes += interval->granularity_ns == 0;
    s->fine += interval->granularity_ns == 10;
    s->coarse += interval->granularity_ns == 40;
    for (size_t i = 0; i < n; i++) {
        const int64_t *ns = rows[i].measures->state_ns;
        if (interval->granularity_ns == 0) {
            s->whole_ns = interval->end_ns;
            s->whole_ran[rows[i].domain] = (uint64_t)ns[RUNSTATE_RUNNING];
            s->whole_blocked[rows[i].domain] = (uint64_t)ns[RUNSTATE_BLOCKED];
        } else if (interval->granularity_ns == 40 && rows[i].domain == 7) {
            s->cut_start = interval->start_ns;
            s->cut_end = interval->end_ns;
            s->cut_ran = ns[RUNSTATE_RUNNING];
        }
    }
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct said *s = context;
    for (size_t i = 0; i < n && interval->granularity_ns == 0; i++) {
        s->charged += idds[i].guests_n == 1 ? idds[i].guests[0].charged_ns : 0;
        s->own += idds[i].own_ns;
        s->unattributed += idds[i].unattributed_ns;
    }
    return 0;
}

static void read_archive(const char *path, struct said *said, struct summary *summary)
{
    struct error err = {0};
    struct verify_totals totals;
    const struct capture *captures;
    const uint8_t *text;
    *said = (struct said){0};
    EQUAL(verify_archive(path, no_finding, NULL, &totals, &err), 0);
    struct archive *a = archive_open(path, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    EQUAL(archive_captures(a, &captures), 1);
    struct results_reader *reader = results_reader_new(NULL, 0);
    const struct meter_sink sink = {.context = said, .interval = take_interval, .charges = take_charges};
    for (size_t i = 0; i < captures[0].members_n; i++) {
        const struct member *m = &captures[0].members[i];
        EQUAL(archive_read(a, &captures[0], m, &text, &err), 0);
        if (m->kind == MEMBER_RESULTS)
            EQUAL(results_read(reader, (const char *)text, m->bytes, 0, &sink, &err), 0);
        if (strcmp(m->name, "summary.json") == 0)
            EQUAL(summary_read(summary, (const char *)text, m->bytes, &err), 0);
    }
    results_reader_free(reader);
    archive_close(a);
}

/* What the archive of n intervals says: all sums worked out from the comment above. */
static void check_archive(const char *path, uint64_t n)
{
    struct said said;
    struct summary s = {0};
    read_archive(path, &said, &s);
    EQUAL(said.wholes, 1);
    EQUAL(said.fine, n);
    EQUAL(said.coarse, n / 4 + 1);
    EQUAL(said.whole_ns, 10 * n);
    EQUAL(said.whole_ran[0], 10 * n);
    EQUAL(said.whole_ran[7], n * (n + 1) / 2);
    EQUAL(said.whole_ran[8], 2 * (n - 2));
    EQUAL(said.whole_blocked[8], 20);
    EQUAL(said.charged, 4 * n);
    EQUAL(said.own, 5 * n);
    EQUAL(said.unattributed, n);
    EQUAL(said.cut_start, 40 * (n / 4));
    EQUAL(said.cut_end, 10 * n);
    EQUAL(said.cut_ran, n); /* the last interval alone: n is 5 or 9 */
    EQUAL(s.end_ns, 10 * n);
    EQUAL(s.trace.tsc_last, FIRST_TSC + 10 * n);
    EQUAL(s.charges.ran_ns, 10 * n);
    EQUAL(s.charges.unattributed_ns, n);
    EQUAL(s.quality.vcpu_ns, 10 * n + n * (n + 1) / 2 + 2 * (n - 2) + 20);
    EQUAL(s.domains_n, 3);
    EQUAL(s.domains_n == 3 ? s.domains[1].running_ns : 0, n * (n + 1) / 2);
    summary_free(&s);
}

/* ---- salvaging ---- */

static void the_whole_is_added_up_from_what_was_kept(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    write_file(partial, r.kept.file.at, first);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    check_archive(whole, 5);
    CHECK(is_there(partial));
    CHECK(!result.nothing && !result.complete);
    EQUAL(result.cut_bytes, 0);
    EQUAL(result.tsc_first, FIRST_TSC);
    EQUAL(result.tsc_last, FIRST_TSC + 50);
    EQUAL(result.duration_ns, 50);
    SAME_TEXT(result.host, "web1");
    struct stat st;
    EQUAL(stat(whole, &st), 0);
    EQUAL(result.stored, st.st_size);
    end_recording(&r);
    end_folder();
}

/* The archive begins with the bytes of the file: frames are copied. */
static void frames_are_copied_as_they_are(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    write_file(partial, r.kept.file.at, second);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    check_archive(whole, 9);
    char *bytes = malloc(second);
    int fd = open(whole, O_RDONLY);
    CHECK(bytes && read(fd, bytes, second) == (ssize_t)second);
    CHECK(bytes && memcmp(bytes, r.kept.file.at, second) == 0);
    close(fd);
    free(bytes);
    end_recording(&r);
    end_folder();
}

static bool is_near(size_t n, size_t place)
{
    return n + 2 >= place && n <= place + 2;
}

static void wherever_it_is_cut_the_last_whole_checkpoint_counts(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    const struct buffer *file = &r.kept.file;
    for (size_t n = 0; n < file->n; n++) {
        if (n % 29 != 0 && !is_near(n, first) && !is_near(n, second) && !is_near(n, frames))
            continue;
        write_file(partial, file->at, n);
        int status = salvage_archive(partial, whole, &result, &err);
        EQUAL(status, n < first ? -1 : 0);
        EQUAL(result.nothing, n < first && n >= ARCHIVE_MAGIC_BYTES);
        EQUAL(is_there(whole), n >= first);
        EQUAL(result.complete, n >= frames);
        if (status != 0) {
            EQUAL(err.code, ERROR_FORMAT);
        } else if (n < frames) {
            EQUAL(result.cut_bytes, n - (n < second ? first : second));
            check_archive(whole, n < second ? 5 : 9);
        }
        unlink(whole);
    }
    end_recording(&r);
    end_folder();
}

/* All frames are there, without a part of the seal: the archive is as it would have been. */
static void what_lacks_only_its_seal_is_as_it_would_have_been(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    struct stat st;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    for (size_t n = frames; n < r.kept.file.n; n += 7) {
        write_file(partial, r.kept.file.at, n);
        EQUAL(salvage_archive(partial, whole, &result, &err), 0);
        CHECK(result.complete);
        EQUAL(result.duration_ns, 100);
        char *bytes = malloc(r.kept.file.n);
        int fd = open(whole, O_RDONLY);
        EQUAL(fstat(fd, &st) == 0 ? st.st_size : -1, r.kept.file.n);
        CHECK(read(fd, bytes, r.kept.file.n) == (ssize_t)r.kept.file.n);
        CHECK(memcmp(bytes, r.kept.file.at, r.kept.file.n) == 0);
        close(fd);
        free(bytes);
    }
    end_recording(&r);
    end_folder();
}

/*
 * A damaged frame ends what can be used: the checkpoint before it counts. A frame's header has a bit that nobody reads.
 */
static void damaged_at_any_place_it_is_never_wrong(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    unsigned none = 0, five = 0, unseen = 0;
    begin_folder();
    record_two(&r, &first, &second);
    for (size_t at = 0; at < second; at += 5) {
        r.kept.file.at[at] ^= (char)(1 << at % 8);
        write_file(partial, r.kept.file.at, second);
        int status = salvage_archive(partial, whole, &result, &err);
        uint64_t n = status == 0 ? result.duration_ns / 10 : 0;
        none += n == 0;
        five += n == 5;
        unseen += n == 9;
        CHECK(n == 0 ? at < first : n == 9 || at >= first);
        if (n > 0)
            check_archive(whole, n);
        unlink(whole);
        r.kept.file.at[at] ^= (char)(1 << at % 8);
    }
    CHECK(none + 6 > first / 5);
    CHECK(five + 6 > (second - first) / 5);
    CHECK(unseen <= 6); /* one a frame */
    end_recording(&r);
    end_folder();
}

static void what_is_complete_is_refused(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), -1);
    EQUAL(err.code, ERROR_USAGE);
    write_file(partial, r.kept.file.at, second);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    write_file(damaged, "", 0);
    EQUAL(salvage_archive(whole, damaged, &result, &err), -1); /* what was salvaged, too */
    EQUAL(err.code, ERROR_USAGE);
    end_recording(&r);
    end_folder();
}

static void without_an_interval_there_is_nothing(void)
{
    static const uint64_t granularities[2] = {40, 10};
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    begin_folder();
    begin_recording(&r, granularities);
    check_point(&r, 7);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), -1);
    CHECK(result.nothing);
    CHECK(!is_there(whole));
    end_recording(&r);
    end_folder();
}

/* 15 ns do not fit into 40: what was open of these is left out. */
static void lengths_that_do_not_fit_end_with_what_was_kept(void)
{
    static const uint64_t granularities[2] = {40, 15};
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    struct said said;
    struct summary s = {0};
    begin_folder();
    begin_recording(&r, granularities);
    for (int k = 0; k < 3; k++)
        r.fine[k].state_ns[RUNSTATE_RUNNING] = 1;
    for (uint64_t at = 0; at < 90; at += 15) {
        if (at == 45)
            hand_out(&r, 40, 0, 40, r.fine);
        if (at == 75)
            hand_out(&r, 40, 40, 80, r.fine);
        if (at < 75)
            hand_out(&r, 15, at, at + 15, r.fine);
    }
    check_point(&r, 81); /* 15 ns reach 75, 40 ns reach 80 */
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    read_archive(whole, &said, &s);
    EQUAL(said.wholes, 1);
    EQUAL(said.whole_ns, 80);
    EQUAL(said.whole_ran[7], 2); /* of the intervals of 40 ns */
    EQUAL(said.coarse, 2);
    EQUAL(s.end_ns, 80);
    summary_free(&s);
    end_recording(&r);
    end_folder();
}

/* The first n bytes, without frame `without`, and with `extra` after the content of the last one. */
static struct buffer changed(const struct recording *r, size_t n, size_t without, const void *extra,
                             size_t extra_n)
{
    struct frames f;
    struct frame_reader reader = {0};
    struct kept k;
    struct error err = {0};
    EQUAL(frames_recover(&f, bytes_of(&r->kept.file), n, NULL, &err), 0);
    struct frame_writer *w = writer_to(&k, 1);
    for (size_t i = 1; i + 1 < f.n; i++)
        if (i != without)
            CHECK(frame_writer_copy(w, &f, i, &err) > 0);
    size_t last_n = f.list[f.n - 1].content;
    const uint8_t *last = frame_read(&f, f.n - 1, &reader, &err);
    uint8_t *more = malloc(last_n + extra_n);
    CU_ASSERT_FATAL(last && more);
    memcpy(more, last, last_n);
    memcpy(more + last_n, extra, extra_n);
    CHECK(frame_writer_put(w, more, last_n + extra_n, &err) > 0);
    EQUAL(frame_writer_drain(w, &err), 0);
    frame_writer_free(w);
    frame_reader_free(&reader);
    frames_free(&f);
    return k.file;
}

/* Which intervals are salvaged of it: of the first checkpoint 5, of the second 9. */
static uint64_t salvaged_of(struct buffer file)
{
    struct salvage_result result;
    struct error err = {0};
    write_file(partial, file.at, file.n);
    buffer_free(&file);
    if (salvage_archive(partial, whole, &result, &err) != 0)
        return 0;
    check_archive(whole, result.duration_ns / 10);
    return result.duration_ns / 10;
}

/* Of checkpoints that do not describe what lies before them, or are not the end of a whole frame. */
static void a_checkpoint_that_cannot_be_does_not_count(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    struct frames f;
    size_t first, second;
    uint8_t header[TAR_BLOCK];
    char path[TAR_NAME_MAX];
    begin_folder();
    record_two(&r, &first, &second);
    EQUAL(frames_recover(&f, bytes_of(&r.kept.file), first, NULL, &err), 0);
    EQUAL(salvaged_of(changed(&r, second, 0, "", 0)), 9);
    EQUAL(salvaged_of(changed(&r, second, f.n, "", 0)), 5); /* a frame between the two is missing */
    EQUAL(salvaged_of(changed(&r, second, 1, "", 0)), 0);   /* or before both */
    write_file(partial, r.kept.file.at, first);
    EQUAL(salvage_archive(partial, whole, &result, &err), 0);
    snprintf(path, sizeof path, "web1/%s/names.txt", result.id);
    tar_header(header, path, 0);
    EQUAL(salvaged_of(changed(&r, second, 0, header, sizeof header)), 5);
    header[0] ^= 1; /* no header that there can be */
    EQUAL(salvaged_of(changed(&r, second, 0, header, sizeof header)), 5);
    frames_free(&f);
    end_recording(&r);
    end_folder();
}

/* Results that no meter hands out: the checkpoint is whole, and yet no archive is made. */
static void results_that_cannot_be_are_an_error(void)
{
    static const uint64_t granularities[2] = {40, 10};
    static const uint64_t starts[][3] = {
        {0, 20, 30},                        /* a gap */
        {0, 10, 10},                        /* twice */
        {10, 20, 30},                       /* no beginning */
        {0, 10, UINT64_MAX / 10 * 10 - 10}, /* far away */
    };
    struct salvage_result result;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct recording r;
        struct error err = {0};
        begin_folder();
        begin_recording(&r, granularities);
        for (int k = 0; k < 3; k++)
            hand_out(&r, 10, starts[i][k], starts[i][k] + 10, r.fine);
        check_point(&r, 41);
        write_file(partial, r.kept.file.at, r.kept.file.n);
        EQUAL(salvage_archive(partial, whole, &result, &err), -1);
        EQUAL(err.code, ERROR_FORMAT);
        CHECK(!result.nothing && !is_there(whole));
        EQUAL(salvage_partial(partial, &result, &err), -1); /* it will not become better */
        CHECK(result.nothing && is_there(damaged) && !is_there(partial));
        end_recording(&r);
        end_folder();
    }
}

/* ---- as a recorder does ---- */

static void a_recorder_puts_the_archive_in_its_place(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second;
    begin_folder();
    record_two(&r, &first, &second);
    for (int again = 0; again < 2; again++) { /* the second time it was killed before it removed the file */
        write_file(partial, r.kept.file.at, second);
        EQUAL(salvage_partial(partial, &result, &err), 0);
        CHECK(is_there(whole) && !is_there(partial) && !is_there(damaged));
        check_archive(whole, 9);
    }
    end_recording(&r);
    end_folder();
}

static void a_recorder_sets_aside_what_holds_nothing(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, lengths[] = {0, 10, 100, 0};
    begin_folder();
    record_two(&r, &first, &second);
    lengths[3] = first - 1;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_file(partial, r.kept.file.at, lengths[i]);
        EQUAL(salvage_partial(partial, &result, &err), -1);
        CHECK(result.nothing);
        CHECK(!is_there(whole) && !is_there(partial) && is_there(damaged));
        struct stat st;
        EQUAL(stat(damaged, &st) == 0 ? st.st_size : -1, lengths[i]);
        unlink(damaged);
    }
    end_recording(&r);
    end_folder();
}

static void a_recorder_names_what_is_complete(void)
{
    struct recording r;
    struct salvage_result result;
    struct error err = {0};
    size_t first, second, frames;
    begin_folder();
    record_two(&r, &first, &second);
    complete(&r, &frames);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), 0);
    CHECK(result.complete);
    EQUAL(result.duration_ns, 100);
    CHECK(is_there(whole) && !is_there(partial));
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), -1); /* the name is taken: nothing is lost */
    CHECK(is_there(whole) && is_there(partial));
    EQUAL(salvage_partial(whole, &result, &err), -1); /* no such name */
    r.kept.file.at[second + 20] ^= 1;
    unlink(whole);
    write_file(partial, r.kept.file.at, r.kept.file.n);
    EQUAL(salvage_partial(partial, &result, &err), -1);
    CHECK(result.nothing && is_there(damaged));
    end_recording(&r);
    end_folder();
}

CU_TestInfo salvage_tests[] = {
    TEST(the_whole_is_added_up_from_what_was_kept),
    TEST(frames_are_copied_as_they_are),
    TEST(wherever_it_is_cut_the_last_whole_checkpoint_counts),
    TEST(what_lacks_only_its_seal_is_as_it_would_have_been),
    TEST(damaged_at_any_place_it_is_never_wrong),
    TEST(what_is_complete_is_refused),
    TEST(without_an_interval_there_is_nothing),
    TEST(lengths_that_do_not_fit_end_with_what_was_kept),
    TEST(a_checkpoint_that_cannot_be_does_not_count),
    TEST(results_that_cannot_be_are_an_error),
    TEST(a_recorder_puts_the_archive_in_its_place),
    TEST(a_recorder_sets_aside_what_holds_nothing),
    TEST(a_recorder_names_what_is_complete),
    CU_TEST_INFO_NULL,
};
