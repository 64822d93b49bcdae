#include "tests/fuzz/archived_input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/capture_writer.h"
#include "archive/contents.h"
#include "archive/results.h"
#include "archive/rollup.h"
#include "metrics/pipeline.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/fuzz_store.h"

#define MEMORY_LIMIT (64u << 20)
#define LENGTH_NS    7777777u
#define LINES_MOST   (1u << 20) /* bytes; captures that make more are passed over */

/* ---- what is handed out ---- */

struct lines {
    struct buffer text;
    bool too_long;
};

static int go_on(struct lines *l)
{
    l->too_long |= l->text.n > LINES_MOST;
    return l->too_long ? -1 : 0;
}

static int put_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct lines *l = context;
    results_put_interval(&l->text, interval, rows, n, NULL);
    return go_on(l);
}

static int put_execution(void *context, const struct execution *execution)
{
    struct lines *l = context;
    results_put_execution(&l->text, execution, NULL);
    return go_on(l);
}

static int put_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                       size_t n)
{
    struct lines *l = context;
    results_put_charges(&l->text, interval, idds, n, NULL);
    return go_on(l);
}

/* Executions and charges are kept with the rows by domain. */
static struct meter_sink sink_of(struct lines *l, const struct asked *asked)
{
    bool domain = asked->by == BY_DOMAIN;
    return (struct meter_sink){l, put_interval, domain ? put_execution : NULL,
                               domain && asked->charges ? put_charges : NULL, NULL};
}

static struct charge_options charge_of(const struct asked *asked)
{
    struct charge_options charge = {.wanted = asked->charges};
    for (int kind = 0; kind < IO_KINDS; kind++)
        charge.weights[kind] = 1;
    return charge;
}

/* ---- one pass ---- */

/* True: the trace was read to its end. */
static bool pass(const uint8_t *bytes, size_t n, const struct asked *asked, const struct consumer *consumer,
                 const struct trace_tap *tap, struct summary *summary)
{
    struct bytes_feed memory = {.at = bytes, .n = n};
    const struct feed feed = bytes_feed_of(&memory);
    const struct pipeline_control control = {0};
    struct trace_options options = {
        .cpu_hz = asked->cpu_hz_given ? 2.4e9 : 0, .memory_limit = MEMORY_LIMIT, .feed = &feed, .tap = tap};
    struct error err = {0};
    struct pipeline *p = pipeline_new(MEMORY_LIMIT);
    MUST(p && pipeline_add(p, consumer, &err) == 0, "no pipeline");
    pipeline_wants(p, &options);
    struct trace *t = trace_open("memory", &options, &err);
    bool read = t && pipeline_run(p, t, &control, &err) == 0;
    if (read && summary) {
        trace_summarise(t, &summary->trace);
        summary->trace.file = "";
        summary->clock = *trace_clock(t);
        pipeline_quality(p, t, &summary->quality);
        summary->end_ns = meter_accounted(pipeline_meter(p, 0));
        summary->charged = true;
        meter_charge_summary(pipeline_meter(p, 0), &summary->charges);
    }
    pipeline_free(p);
    trace_close(t);
    return read;
}

static bool rows_of(const uint8_t *bytes, size_t n, const struct asked *asked, struct lines *l)
{
    const struct meter_options rows = {.bys = 1u << asked->by,
                                       .granularities_ns = {LENGTH_NS, 0},
                                       .granularities = 2,
                                       .executions = asked->by == BY_DOMAIN,
                                       .charge = charge_of(asked),
                                       .sink = sink_of(l, asked)};
    const struct consumer consumer = {.context = l, .rows = &rows, .to_the_end = true};
    return pass(bytes, n, asked, &consumer, NULL, NULL);
}

/* ---- the archive ---- */

static int write_bytes(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    (void)err;
    buffer_add(context, (const char *)bytes, n);
    return 0;
}

static bool complete(struct capture_writer *w, struct frame_writer *frames)
{
    struct capture capture = {0};
    struct buffer contents = {0};
    struct error err = {0};
    bool fine = capture_writer_finish(w, &capture, &err) == 0;
    if (fine) {
        contents_put_frame(&contents, &capture, 1);
        fine = frame_writer_put(frames, (uint8_t *)contents.at, contents.n, &err) >= 0 &&
               frame_writer_finish(frames, &err) == 0;
    }
    capture_free(&capture);
    return fine;
}

static bool write_archive(const uint8_t *bytes, size_t n, const struct asked *asked, struct buffer *file,
                          uint64_t *end_ns)
{
    const struct capture_options kept = {.bys = 1u << BY_DOMAIN | 1u << asked->by,
                                         .granularities_ns = {LENGTH_NS, 0},
                                         .granularities = 2,
                                         .executions = true,
                                         .cpu_hz = asked->cpu_hz_given ? 2.4e9 : 0,
                                         .charge = charge_of(asked)};
    struct summary summary = {0};
    struct error err = {0};
    const struct capture_writer_options options = {
        .host = "host", .source = "memory", .tool = "", .level = 1, .summary = &summary, .options = &kept};
    struct frame_writer *frames = frame_writer_new(&(struct frame_sink){file, write_bytes}, 1, 1, &err);
    struct capture_writer *w = frames ? capture_writer_new(frames, &options) : NULL;
    MUST(w, "no archive");
    const struct consumer consumer = capture_writer_consumer(w);
    const struct trace_tap tap = capture_writer_tap(w);
    bool fine = pass(bytes, n, asked, &consumer, &tap, &summary);
    if (fine)
        MUST(complete(w, frames), "the archive cannot be completed");
    *end_ns = summary.end_ns;
    capture_writer_free(w);
    frame_writer_free(frames);
    free(summary.domains);
    return fine;
}

static void read_members(struct archive *a, const struct capture *p, enum by by, struct rollup *rollup)
{
    const struct meter_sink sink = rollup_sink(rollup);
    struct results_reader *reader = results_reader_new(NULL, 0);
    struct error err = {0};
    const uint8_t *text;
    MUST(reader, "no reader");
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *m = &p->members[i];
        if (m->kind != MEMBER_RESULTS || m->by != by)
            continue;
        MUST(archive_read(a, p, m, &text, &err) == 0, "%s", err.message);
        int status = results_read(reader, (const char *)text, m->bytes, 0, &sink, &err);
        MUST(status == 0 || err.code == ERROR_NONE, "%s: %s", m->name, err.message);
    }
    results_reader_free(reader);
}

static void read_archive(const struct buffer *file, uint64_t end_ns, const struct asked *asked,
                         struct lines *l)
{
    char path[STORE_PATH];
    struct error err = {0};
    int fd = store_capture((const uint8_t *)file->at, file->n, false, path);
    struct archive *a = archive_open(path, &err);
    MUST(a, "%s", err.message);
    const struct capture *captures;
    MUST(archive_captures(a, &captures) == 1, "not one capture");
    struct rollup_plan plan = {.kept_ns = {LENGTH_NS, 0},
                               .kept = 2,
                               .asked_ns = {LENGTH_NS, 0},
                               .asked = 2,
                               .executions = asked->by == BY_DOMAIN,
                               .end_ns = end_ns};
    const struct meter_sink sink = sink_of(l, asked);
    struct rollup *rollup = rollup_new(&plan, asked->by, &sink);
    MUST(rollup, "no such rows");
    read_members(a, &captures[0], asked->by, rollup);
    MUST(rollup_finish(rollup) == 0 || l->too_long, "what the archive has is not in order");
    rollup_free(rollup);
    archive_close(a);
    close(fd);
}

void archived_compare(const uint8_t *bytes, size_t n, const struct asked *asked)
{
    struct lines direct = {0}, kept = {0};
    struct buffer file = {0};
    uint64_t end_ns = 0;
    bool read = rows_of(bytes, n, asked, &direct);
    if (read && write_archive(bytes, n, asked, &file, &end_ns)) {
        MUST(!file.failed && !direct.text.failed, "no memory");
        read_archive(&file, end_ns, asked, &kept);
        size_t same = 0;
        while (same < direct.text.n && same < kept.text.n && direct.text.at[same] == kept.text.at[same])
            same++;
        MUST(same == direct.text.n && same == kept.text.n, "the archive: \"%.300s\"\nthe trace: \"%.300s\"",
             kept.text.at ? kept.text.at + (same > 150 ? same - 150 : 0) : "",
             direct.text.at ? direct.text.at + (same > 150 ? same - 150 : 0) : "");
    }
    buffer_free(&direct.text);
    buffer_free(&kept.text);
    buffer_free(&file);
}
