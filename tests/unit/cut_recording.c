#include "cut_recording.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/verify.h"
#include "check.h"

/* ---- a recording ---- */

static struct row rows_of(const struct measures *m, int32_t domain)
{
    return (struct row){.domain = domain, .life = 1, .vcpu = -1, .pcpu = -1, .vcpus = 1, .measures = m};
}

void hand_out(struct recording *r, uint64_t granularity_ns, uint64_t start_ns, uint64_t end_ns,
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

void begin_recording(struct recording *r, const uint64_t granularities_ns[2])
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

void check_point(struct recording *r, uint64_t settled_ns)
{
    struct error err = {0};
    char name[MEMBER_NAME];
    snprintf(name, sizeof name, "host/%06u.jsonl", r->facts++);
    EQUAL(capture_writer_add(r->writer, name, "{}\n", 3, &err), 0);
    summarise(r, settled_ns);
    EQUAL(capture_writer_checkpoint(r->writer, &err), 0);
    EQUAL(frame_writer_drain(r->frames, &err), 0);
}

void end_recording(struct recording *r)
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

void record_two(struct recording *r, size_t *first, size_t *second)
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

void complete(struct recording *r, size_t *frames)
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

static char folder[40];
char partial[80], whole[80], damaged[80];

void begin_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/xenmeter-salvage-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(whole, sizeof whole, "%s/a.xma", folder);
    snprintf(partial, sizeof partial, "%s/a.xma.partial", folder);
    snprintf(damaged, sizeof damaged, "%s/a.xma.damaged", folder);
}

void end_folder(void)
{
    unlink(whole);
    unlink(partial);
    unlink(damaged);
    EQUAL(rmdir(folder), 0); /* nothing else is left */
}

void write_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

bool is_there(const char *path)
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

void read_archive(const char *path, struct said *said, struct summary *summary)
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

void check_archive(const char *path, uint64_t n)
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
