#include "archive/without_trace.h"

#include <stdlib.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/member_writer.h"
#include "archive/verify.h"
#include "formats/output.h"

#define LEVEL 3 /* of the manifests' and the contents' compression */

struct dropping {
    struct archive *archive;
    struct frame_writer *frames;
    struct output *output;
    struct frame_sink to; /* that output */
    const struct write_limit *limit;
    struct capture *captures; /* of the new archive, in the order of the contents */
    size_t captures_n;
};

static bool is_dropped(const struct member *m)
{
    return m->kind == MEMBER_TRACE || m->kind == MEMBER_SNAPSHOT;
}

/* Marks the frames of the capture that have something else than what is dropped. NULL: no memory. */
static bool *frames_kept(const struct capture *p)
{
    bool *kept = calloc(p->frames, sizeof *kept);
    for (size_t i = 0; kept && i < p->members_n; i++)
        kept[p->members[i].frame] |= !is_dropped(&p->members[i]);
    return kept;
}

/* Copies the frames that are kept; `places` gets the number of each in the new capture. */
static int copy_frames(struct dropping *d, struct member_writer *w, const struct capture *p, const bool *kept,
                       uint32_t *places, struct error *err)
{
    for (uint32_t i = 0; i + 1 < p->frames; i++) { /* the last one has the manifest */
        if (!kept[i])
            continue;
        int64_t frame = frame_writer_copy(d->frames, archive_frames(d->archive), p->first_frame + i, err);
        if (frame < 0)
            return -1;
        if (w->capture.frames == 0)
            w->capture.first_frame = (uint32_t)frame;
        places[i] = w->capture.frames++;
    }
    return 0;
}

/* A snapshot that shares its frame with results stays where it is, and in the list. */
static int copy_members(struct member_writer *w, const struct capture *p, const bool *kept,
                        const uint32_t *places, struct error *err)
{
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *from = &p->members[i];
        if (!kept[from->frame])
            continue;
        struct member *to = capture_new_member(&w->capture);
        if (!to)
            return error_no_memory(err, "the list of members");
        *to = *from;
        to->frame = places[from->frame];
    }
    return 0;
}

/* The description of the capture, without its members and its place. False: no memory. */
static bool describe(struct capture *to, const struct capture *from)
{
    *to = *from;
    to->members = NULL;
    to->members_n = to->members_capacity = 0;
    to->texts = NULL; /* they are those of the archive, which outlives it */
    to->frames = to->first_frame = 0;
    to->trace_stored = false;
    return capture_keep_options(to, &from->options);
}

static int write_capture(struct dropping *d, const struct capture *p, struct capture *to, struct error *err)
{
    struct member_writer w = {.frames = d->frames};
    bool *kept = frames_kept(p);
    uint32_t *places = calloc(p->frames, sizeof *places);
    int status = -1;
    if (!describe(&w.capture, p) || !kept || !places)
        error_no_memory(err, "an archive");
    else if (copy_frames(d, &w, p, kept, places, err) == 0)
        status = copy_members(&w, p, kept, places, err);
    if (status == 0)
        status = member_writer_manifest(&w, to, err);
    member_writer_free(&w);
    free(kept);
    free(places);
    return status;
}

static void keep_first(void *context, uint64_t offset, const char *member, const char *what)
{
    struct error *first = context;
    if (first->code == ERROR_NONE)
        error_set_at(first, ERROR_FORMAT, offset, "what was written is not whole: %.60s: %.150s", member,
                     what);
}

static int verify(const struct dropping *d, struct error *err)
{
    const char *path = output_file(d->output);
    struct verify_totals totals;
    struct error finding = {0};
    if (output_flush(d->output) != 0) {
        *err = *output_failure(d->output);
        return -1;
    }
    long findings = path ? verify_archive(path, keep_first, &finding, &totals, err) : 0;
    if (findings > 0)
        *err = finding;
    return findings == 0 ? 0 : -1;
}

static int write_frame(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    const struct dropping *d = context;
    if (d->limit && d->limit->room(d->limit->context, n, err) != 0)
        return -1;
    return d->to.write(d->to.context, bytes, n, err);
}

static int rewrite(struct dropping *d, const char *path, uint64_t *bytes, struct error *err)
{
    const struct capture *captures;
    size_t n = archive_captures(d->archive, &captures);
    d->captures = calloc(n + 1, sizeof *d->captures);
    d->captures_n = d->captures ? n : 0;
    d->output = d->captures ? output_open(path, err) : NULL;
    if (!d->output)
        return d->captures ? -1 : error_no_memory(err, "an archive");
    const struct frame_sink sink = {d, write_frame};
    d->to = frame_sink_to(d->output);
    d->frames = frame_writer_new(&sink, LEVEL, 1, err);
    const struct capture **places = d->frames ? contents_by_place(captures, n) : NULL;
    if (!places)
        return d->frames ? error_no_memory(err, "an archive") : -1;
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++)
        status = write_capture(d, places[i], &d->captures[places[i] - captures], err);
    free(places);
    if (status != 0 || contents_write(d->frames, d->captures, n, err) != 0 ||
        frame_writer_finish(d->frames, err) != 0 || verify(d, err) != 0)
        return -1;
    *bytes = frame_writer_bytes(d->frames);
    struct output *output = d->output;
    d->output = NULL;
    return output_commit(output, err);
}

static bool keeps_trace(const struct archive *a)
{
    const struct capture *captures;
    size_t n = archive_captures(a, &captures);
    for (size_t i = 0; i < n; i++)
        if (captures[i].trace_stored)
            return true;
    return false;
}

int archive_drop_trace(const char *path, const struct write_limit *limit, uint64_t *freed, struct error *err)
{
    struct dropping d = {.archive = archive_open(path, err), .limit = limit};
    uint64_t bytes = 0;
    *freed = 0;
    if (!d.archive)
        return -1;
    int status = 0;
    if (keeps_trace(d.archive)) {
        uint64_t before = archive_frames(d.archive)->size;
        status = rewrite(&d, path, &bytes, err);
        *freed = status == 0 && bytes < before ? before - bytes : 0;
    }
    frame_writer_free(d.frames);
    output_abort(d.output);
    for (size_t i = 0; i < d.captures_n; i++)
        capture_free(&d.captures[i]);
    free(d.captures);
    archive_close(d.archive);
    return status;
}
