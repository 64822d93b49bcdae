#include "record/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/member_writer.h"
#include "archive/tar.h"
#include "archive/verify.h"
#include "archive/walk.h"
#include "formats/output.h"
#include "record/salvage_rows.h"

#define PARTIAL   ".partial"
#define DAMAGED   ".damaged"
#define LEVEL     3 /* of compression, of the last frames */
#define FIRST     1 /* frame of the capture: a recording has one a file */
#define CHECKED   "checkpoint/"
#define CHECKED_N (sizeof CHECKED - 1)

struct salvage {
    struct walk walk;
    struct salvage_result *result;
    struct capture there; /* host, id and members, as they lie in the file; those of whole frames */
    size_t frames_n;      /* whole frames, with the magic */
    struct error why;     /* why the next one is not */
    bool has_contents;    /* the last whole one has the contents */
    /* at the checkpoint */
    struct member_writer writer;
    struct summary summary;
    size_t copied; /* frames up to here are copied */
    struct output *output;
};

/* ---- what the file has ---- */

/* Takes "HOST/ID/NAME" apart. False: it cannot be a member of this capture. */
static bool note_member(struct capture *there, const char *path, const struct tar_member *t,
                        const uint8_t *content, size_t frame, struct error *err)
{
    struct capture named = {0};
    const char *id = strchr(path, '/'), *name = id ? strchr(id + 1, '/') : NULL;
    if (!name || id - path >= HOST_MAX || name - id - 1 >= CAPTURE_ID_BYTES)
        return false;
    snprintf(named.host, sizeof named.host, "%.*s", (int)(id - path), path);
    snprintf(named.id, sizeof named.id, "%.*s", (int)(name - id - 1), id + 1);
    if (there->members_n == 0) {
        memcpy(there->host, named.host, sizeof there->host);
        memcpy(there->id, named.id, sizeof there->id);
    }
    if (strcmp(there->host, named.host) != 0 || strcmp(there->id, named.id) != 0)
        return false;
    struct member *m = capture_new_member(there);
    if (!m) {
        error_no_memory(err, "the list of members");
        return false;
    }
    *m = (struct member){0};
    if (!member_named(m, name + 1)) {
        there->members_n--;
        return false;
    }
    m->frame = (uint32_t)(frame - FIRST);
    m->at = (uint32_t)t->at;
    m->bytes = (uint32_t)t->n;
    digest_of(content + t->at, t->n, m->digest);
    return true;
}

/* Notes the members of a frame. False, and why, if it is not whole, or holds something else. */
static bool note_frame(struct salvage *s, size_t i)
{
    const struct frame *frame = &s->walk.frames.list[i];
    struct tar_member t;
    size_t at = 0;
    int status;
    const uint8_t *content = frame_verify(&s->walk.frames, i, &s->walk.reader, &s->why);
    if (!content)
        return false;
    while ((status = tar_next(content, frame->content, &at, &t, &s->why)) == 1) {
        s->has_contents = strcmp(t.name, CONTENTS_NAME) == 0;
        if (s->has_contents)
            return true;
        if (!note_member(&s->there, t.name, &t, content, i, &s->why)) {
            if (s->why.code == ERROR_NONE)
                error_set_at(&s->why, ERROR_FORMAT, frame->offset,
                             "a recording has no member like this one: %s", t.name);
            return false;
        }
    }
    return status == 0;
}

/* Finds what is whole, from the beginning on. -1 with `err` filled: no memory. */
static int look(struct salvage *s, struct error *err)
{
    s->frames_n = FIRST;
    while (s->frames_n < s->walk.frames.n && !s->has_contents) {
        size_t before = s->there.members_n;
        if (!note_frame(s, s->frames_n)) {
            s->there.members_n = before;
            break;
        }
        s->frames_n++;
    }
    if (s->why.code == ERROR_MEMORY) {
        *err = s->why;
        return -1;
    }
    if (s->why.code == ERROR_NONE)
        s->why = s->walk.why;
    return 0;
}

/* ---- the checkpoint ---- */

static bool same_members(const struct capture *a, const struct capture *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct member *x = &a->members[i], *y = &b->members[i];
        if (strcmp(x->name, y->name) != 0 || x->frame != y->frame || x->at != y->at || x->bytes != y->bytes ||
            memcmp(x->digest, y->digest, DIGEST_BYTES) != 0)
            return false;
    }
    return true;
}

/* Whether a manifest describes exactly what lies in the file before member `place`. */
static bool describes(const struct salvage *s, const struct capture *p, size_t place)
{
    const struct capture *there = &s->there;
    return strcmp(p->host, there->host) == 0 && strcmp(p->id, there->id) == 0 && p->members_n == place &&
           same_members(p, there, place);
}

/* Reads the two lines of a checkpoint. */
static int read_checkpoint(struct salvage *s, const char *text, size_t n, struct error *err)
{
    const char *newline = memchr(text, '\n', n);
    size_t first = newline ? (size_t)(newline - text) : 0;
    if (!newline)
        return error_set(err, ERROR_FORMAT, "a checkpoint without a summary");
    if (manifest_read(&s->writer.capture, text, first, err) != 0)
        return -1;
    return summary_read(&s->summary, newline + 1, n - first - 1, err);
}

/* Goes on after the checkpoint that is member `place` of the file. 0; -1: it is none, or none that can be used. */
static int take_checkpoint(struct salvage *s, size_t place, struct error *err)
{
    const struct member *m = &s->there.members[place];
    struct capture *p = &s->writer.capture;
    bool last = place + 1 == s->there.members_n || m[1].frame > m->frame;
    if (!last || strncmp(m->name, CHECKED, CHECKED_N) != 0)
        return error_set(err, ERROR_FORMAT, "no checkpoint");
    const uint8_t *content = frame_read(&s->walk.frames, FIRST + (size_t)m->frame, &s->walk.reader, err);
    if (!content || read_checkpoint(s, (const char *)content + m->at, m->bytes, err) != 0)
        return -1;
    if (!describes(s, p, place))
        return error_set(err, ERROR_FORMAT, "a checkpoint of something else");
    p->members_capacity = p->members_n;
    struct member *own = capture_new_member(p);
    if (!own)
        return error_no_memory(err, "the list of members");
    *own = *m;
    p->first_frame = FIRST;
    p->frames = m->frame + 1;
    s->copied = FIRST + (size_t)p->frames;
    return 0;
}

static int find_checkpoint(struct salvage *s, struct error *err)
{
    struct error why = {0};
    for (size_t place = s->there.members_n; place-- > 0;) {
        if (take_checkpoint(s, place, &why) == 0)
            return 0;
        capture_free(&s->writer.capture);
        summary_free(&s->summary);
        if (why.code == ERROR_MEMORY) {
            *err = why;
            return -1;
        }
    }
    s->result->nothing = true;
    return error_set_at(err, ERROR_FORMAT, s->walk.frames.end,
                        "no whole checkpoint is in it, from which an archive could be made (%.150s)",
                        s->why.message);
}

/* ---- the new archive ---- */

static int copy_frames(struct salvage *s, struct error *err)
{
    for (size_t i = FIRST; i < s->copied; i++)
        if (frame_writer_copy(s->writer.frames, &s->walk.frames, i, err) < 0)
            return -1;
    return 0;
}

/* What the archive has after the checkpoint. */
static int put_end(struct salvage *s, struct error *err)
{
    struct capture complete = {0};
    int status = salvage_rows(&s->walk, &s->writer, &s->summary, err);
    if (status > 0)
        s->result->nothing = true;
    if (status == 0)
        status = member_writer_finish(&s->writer, &s->summary, s->writer.capture.trace_bytes, &complete, err);
    if (status == 0)
        status = contents_write(s->writer.frames, &complete, 1, err);
    s->result->tsc_first = complete.tsc_first;
    s->result->tsc_last = complete.tsc_last;
    s->result->duration_ns = complete.duration_ns;
    capture_free(&complete);
    return status == 0 ? 0 : -1;
}

static void keep_first(void *context, uint64_t offset, const char *member, const char *what)
{
    struct error *first = context;
    if (first->code == ERROR_NONE)
        error_set_at(first, ERROR_FORMAT, offset, "it is no whole archive: %.60s%s%.150s", member,
                     *member ? ": " : "", what);
}

/* What a complete archive holds. */
static void describe(const char *path, struct salvage_result *r)
{
    struct error ignored;
    const struct capture *captures;
    struct archive *a = archive_open(path, &ignored);
    size_t n = a ? archive_captures(a, &captures) : 0;
    if (n > 0) {
        memcpy(r->host, captures[0].host, sizeof r->host);
        memcpy(r->id, captures[0].id, sizeof r->id);
        r->tsc_first = captures[0].tsc_first;
        r->tsc_last = captures[n - 1].tsc_last;
    }
    r->duration_ns = 0;
    for (size_t i = 0; i < n; i++)
        r->duration_ns += captures[i].duration_ns;
    archive_close(a);
}

/* Reads all that was written, before it gets its name. */
static int verify(struct salvage *s, struct error *err)
{
    const char *path = output_file(s->output);
    struct verify_totals totals;
    struct error finding = {0};
    if (output_flush(s->output) != 0) {
        *err = *output_failure(s->output);
        return -1;
    }
    long findings = path ? verify_archive(path, keep_first, &finding, &totals, err) : 0;
    if (findings > 0)
        *err = finding;
    if (findings == 0 && path)
        describe(path, s->result);
    return findings == 0 ? 0 : -1;
}

static int write_archive(struct salvage *s, const char *to, struct error *err)
{
    s->output = output_open(to, err);
    if (!s->output)
        return -1;
    struct frame_sink sink = frame_sink_to(s->output);
    s->writer.frames = frame_writer_new(&sink, LEVEL, 1, err);
    if (!s->writer.frames || copy_frames(s, err) != 0)
        return -1;
    if (!s->result->complete && put_end(s, err) != 0)
        return -1;
    if (frame_writer_finish(s->writer.frames, err) != 0 || verify(s, err) != 0)
        return -1;
    s->result->stored = frame_writer_bytes(s->writer.frames);
    struct output *output = s->output;
    s->output = NULL;
    return output_commit(output, err);
}

/* All frames are there, and lack only the seal: the archive is as it would have been. */
static int take_all(struct salvage *s, struct error *err)
{
    struct capture *captures = NULL;
    struct tar_member t;
    size_t n = 0, at = 0, frame = s->frames_n - 1;
    const uint8_t *content = frame_read(&s->walk.frames, frame, &s->walk.reader, err);
    if (!content || tar_next(content, s->walk.frames.list[frame].content, &at, &t, err) != 1 ||
        contents_read((const char *)content + t.at, t.n, s->frames_n, &captures, &n, err) != 0)
        return -1;
    free(captures);
    s->copied = s->frames_n;
    s->result->complete = true;
    return 0;
}

static int open_file(struct salvage *s, const char *partial, struct error *err)
{
    struct stat st;
    if (walk_open(&s->walk, partial, err) == 0)
        return 0;
    if (stat(partial, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        error_set(err, ERROR_FORMAT, "is empty");
    return -1;
}

static int salvage(struct salvage *s, const char *partial, const char *to, struct error *err)
{
    if (open_file(s, partial, err) != 0)
        return -1;
    if (s->walk.by_table)
        return error_set(err, ERROR_USAGE, "is an archive that was completed: there is nothing to salvage");
    if (look(s, err) != 0)
        return -1;
    bool all = s->has_contents && take_all(s, err) == 0;
    if (!all && find_checkpoint(s, err) != 0)
        return -1;
    memcpy(s->result->host, s->there.host, sizeof s->result->host);
    memcpy(s->result->id, s->there.id, sizeof s->result->id);
    uint64_t whole =
        s->copied < s->walk.frames.n ? s->walk.frames.list[s->copied].offset : s->walk.frames.end;
    s->result->cut_bytes = s->walk.source.size - whole;
    return write_archive(s, to, err);
}

int salvage_archive(const char *partial, const char *to, struct salvage_result *result, struct error *err)
{
    struct salvage *s = calloc(1, sizeof *s);
    *result = (struct salvage_result){0};
    if (!s)
        return error_no_memory(err, "salvaging");
    s->walk.source.fd = -1;
    s->result = result;
    int status = salvage(s, partial, to, err);
    frame_writer_free(s->writer.frames);
    output_abort(s->output);
    member_writer_free(&s->writer);
    summary_free(&s->summary);
    capture_free(&s->there);
    walk_close(&s->walk);
    free(s);
    return status;
}

/* ---- in a recorder's folder ---- */

/* Gives the file another name, which must be free. */
static int rename_to(const char *from, const char *to, struct error *err)
{
    if (access(to, F_OK) == 0)
        return error_set(err, ERROR_IO, "%.200s is there already", to);
    if (rename(from, to) != 0)
        return error_set(err, ERROR_IO, "cannot be renamed to %.200s: %s", to, strerror(errno));
    output_sync_folder(to);
    return 0;
}

/* The archive is in its place: the file it was made of is not needed any more. */
static int remove_partial(const char *partial, struct error *err)
{
    if (unlink(partial) != 0)
        return error_set(err, ERROR_IO, "cannot be removed: %s", strerror(errno));
    output_sync_folder(partial);
    return 0;
}

static int set_aside(const char *partial, const char *path, struct salvage_result *result, struct error *err)
{
    struct error why = {0};
    char *damaged;
    result->nothing = true;
    if (asprintf(&damaged, "%s" DAMAGED, path) < 0)
        return error_no_memory(err, "a name");
    if (rename_to(partial, damaged, &why) != 0)
        *err = why;
    free(damaged);
    return -1;
}

/* An archive that is whole lacks its name only. 1 with `err` filled: it is damaged. */
static int name_complete(const char *partial, const char *path, struct salvage_result *result,
                         struct error *err)
{
    struct verify_totals totals;
    struct error finding = {0};
    long findings = verify_archive(partial, keep_first, &finding, &totals, err);
    if (findings < 0)
        return -1;
    if (findings > 0) {
        *err = finding;
        return 1;
    }
    result->complete = true;
    result->stored = totals.bytes;
    describe(partial, result);
    return rename_to(partial, path, err);
}

int salvage_partial(const char *partial, struct salvage_result *result, struct error *err)
{
    size_t n = strlen(partial), end = sizeof PARTIAL - 1;
    if (n <= end || strcmp(partial + n - end, PARTIAL) != 0)
        return error_set(err, ERROR_USAGE, "does not end in " PARTIAL);
    char *path = strndup(partial, n - end);
    if (!path)
        return error_no_memory(err, "a name");
    int status = salvage_archive(partial, path, result, err);
    if (status == 0)
        status = remove_partial(partial, err);
    else if (err->code == ERROR_USAGE)
        status = name_complete(partial, path, result, err);
    if (status > 0 || (status < 0 && err->code == ERROR_FORMAT))
        status = set_aside(partial, path, result, err);
    free(path);
    return status;
}
