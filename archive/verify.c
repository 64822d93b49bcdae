#include "archive/verify.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/frame_layout.h"
#include "archive/tar.h"
#include "parser/source/source.h"

/* A member that a manifest lists, and its place. */
struct expected {
    const struct capture *capture;
    const struct member *member; /* NULL: the capture's manifest */
    size_t frame;
};

struct verification {
    struct frames frames;
    struct frame_reader reader;
    bool by_table;             /* the list of frames comes from the seek table */
    struct archive *archive;   /* NULL: the archive's contents or manifests cannot be read */
    struct expected *expected; /* ordered by frame, and by place in it */
    size_t expected_n;
    size_t next; /* index of the next expected member: the first in this frame, or after it */
    verify_finding finding;
    void *context;
    long findings;
    struct verify_totals *totals;
};

static void tell(struct verification *v, uint64_t offset, const char *member, const char *what)
{
    if (v->findings++ == 0 || offset < v->totals->whole_up_to)
        v->totals->whole_up_to = offset;
    v->finding(v->context, offset, member, what);
}

/* ---- expected members ---- */

static uint32_t place_of(const struct expected *e)
{
    return e->member ? e->member->at : 0;
}

static int compare_expected(const void *a, const void *b)
{
    const struct expected *x = a, *y = b;
    if (x->frame != y->frame)
        return x->frame < y->frame ? -1 : 1;
    return (place_of(x) > place_of(y)) - (place_of(x) < place_of(y));
}

static int list_expected(struct verification *v, struct error *err)
{
    const struct capture *captures;
    size_t n = v->archive ? archive_captures(v->archive, &captures) : 0, members = n;
    for (size_t i = 0; i < n; i++)
        members += captures[i].members_n;
    v->expected = calloc(members + 1, sizeof *v->expected);
    if (!v->expected)
        return error_no_memory(err, "the list of members");
    for (size_t i = 0; i < n; i++) {
        const struct capture *p = &captures[i];
        for (size_t m = 0; m < p->members_n; m++)
            v->expected[v->expected_n++] =
                (struct expected){p, &p->members[m], (size_t)p->first_frame + p->members[m].frame};
        v->expected[v->expected_n++] = (struct expected){p, NULL, (size_t)p->first_frame + p->frames - 1};
    }
    qsort(v->expected, v->expected_n, sizeof *v->expected, compare_expected);
    return 0;
}

static void expected_path(const struct expected *e, char path[TAR_NAME_MAX])
{
    capture_member_path(e->capture, e->member ? e->member->name : "manifest.json", path);
}

/* Whether a manifest lists a further member in frame i. */
static const struct expected *expected_in(const struct verification *v, size_t frame)
{
    bool there = v->next < v->expected_n && v->expected[v->next].frame == frame;
    return there ? &v->expected[v->next] : NULL;
}

/* ---- members of the file ---- */

static void check_member(struct verification *v, size_t frame, const uint8_t *content,
                         const struct tar_member *m)
{
    uint64_t offset = v->frames.list[frame].offset;
    char path[TAR_NAME_MAX];
    uint8_t digest[DIGEST_BYTES];
    const struct expected *e = expected_in(v, frame);
    bool contents = frame == v->frames.n - 1;
    v->totals->members++;
    v->totals->content += m->n;
    if (!v->archive || contents)
        return;
    if (!e) {
        tell(v, offset, m->name, "no manifest tells of it");
        return;
    }
    v->next++;
    expected_path(e, path);
    digest_of(content + m->at, m->n, digest);
    if (strcmp(path, m->name) != 0 || (e->member && (e->member->at != m->at || e->member->bytes != m->n)))
        tell(v, offset, m->name, "the manifest has another member here");
    else if (e->member && memcmp(e->member->digest, digest, DIGEST_BYTES) != 0)
        tell(v, offset, m->name, "it has another digest than the manifest says");
}

/* The frame cannot be read, and so none of its members. */
static void tell_of_frame(struct verification *v, size_t frame, const struct error *why)
{
    const struct expected *e;
    char path[TAR_NAME_MAX];
    if (!expected_in(v, frame))
        tell(v, why->has_offset ? why->offset : v->frames.list[frame].offset, "", why->message);
    while ((e = expected_in(v, frame))) {
        expected_path(e, path);
        tell(v, why->has_offset ? why->offset : v->frames.list[frame].offset, path, why->message);
        v->next++;
    }
}

static int check_frame(struct verification *v, size_t i, struct error *err)
{
    const struct frame *frame = &v->frames.list[i];
    struct error why = {0};
    struct tar_member m;
    size_t at = 0;
    int status;
    char path[TAR_NAME_MAX];
    v->totals->frames++;
    const uint8_t *content = frame_verify(&v->frames, i, &v->reader, &why);
    if (!content) {
        if (why.code == ERROR_MEMORY) {
            *err = why;
            return -1;
        }
        tell_of_frame(v, i, &why);
        return 0;
    }
    while ((status = tar_next(content, frame->content, &at, &m, &why)) == 1)
        check_member(v, i, content, &m);
    if (status < 0)
        tell(v, frame->offset, "", why.message);
    for (const struct expected *e; (e = expected_in(v, i)); v->next++) {
        expected_path(e, path);
        tell(v, frame->offset, path, "it is not in this frame, where the manifest has it");
    }
    return 0;
}

/* ---- the whole ---- */

/* A file that begins almost like an archive is a damaged archive. */
static bool magic_damaged(struct verification *v, const struct source *s)
{
    size_t differ = 0, first = 0;
    for (size_t i = ARCHIVE_MAGIC_BYTES; i-- > 0 && s->size >= ARCHIVE_MAGIC_BYTES;)
        if (s->map[i] != frame_magic[i]) {
            differ++;
            first = i;
        }
    if (differ == 0 || frames_begin_archive(s->map, s->size) || differ > ARCHIVE_MAGIC_BYTES / 4)
        return false;
    tell(v, first, "", "the beginning, which says that this is an archive, is damaged");
    return true;
}

/* Lists the frames from the seek table if it is valid; else by walking them, up to the first that is not whole. */
static int find_frames(struct verification *v, const struct source *s, struct error *err)
{
    struct error table = {0}, why = {0};
    v->by_table = frames_open(&v->frames, s->map, s->size, &table) == 0;
    v->totals->finished = v->by_table;
    if (v->by_table)
        return 0;
    frames_free(&v->frames);
    if (frames_recover(&v->frames, s->map, s->size, &why, err) != 0)
        return -1;
    if (why.code == ERROR_NONE)
        frames_verify_ends(&v->frames, &why); /* finds the damage after the frames, and its offset */
    if (why.code != ERROR_NONE)
        tell(v, why.offset, "", why.message);
    if (why.code == ERROR_NONE)
        tell(v, table.has_offset ? table.offset : v->frames.end, "", table.message);
    return 0;
}

/* Checks the magic, the seal and the seek table; their right content is known only if every data frame is whole. */
static void check_ends(struct verification *v)
{
    struct error why = {0};
    if (v->findings > 0)
        return;
    if (frames_verify_ends(&v->frames, &why) != 0)
        tell(v, why.has_offset ? why.offset : 0, "", why.message);
}

static int verify(struct verification *v, const char *path, const struct source *s, struct error *err)
{
    struct error why = {0};
    if (magic_damaged(v, s))
        return 0;
    if (find_frames(v, s, err) != 0)
        return -1;
    v->frames.source = s;
    if (v->by_table && !(v->archive = archive_open(path, &why)))
        tell(v, why.has_offset ? why.offset : 0, "", why.message);
    if (list_expected(v, err) != 0)
        return -1;
    for (size_t i = 1; i < v->frames.n; i++)
        if (check_frame(v, i, err) != 0)
            return -1;
    check_ends(v);
    return 0;
}

long verify_archive(const char *path, verify_finding finding, void *context, struct verify_totals *totals,
                    struct error *err)
{
    struct source s = {.fd = -1};
    struct verification v = {.finding = finding, .context = context, .totals = totals};
    *totals = (struct verify_totals){0};
    int status = source_open(&s, path, err);
    if (status == 0 && !s.mapped)
        status =
            error_set(err, ERROR_IO, "is empty, or no regular file: an archive cannot be verified on a pipe");
    if (status == 0) {
        totals->bytes = totals->whole_up_to = s.size;
        status = verify(&v, path, &s, err);
    }
    archive_close(v.archive);
    frames_free(&v.frames);
    frame_reader_free(&v.reader);
    free(v.expected);
    source_close(&s);
    return status == 0 ? v.findings : -1;
}
