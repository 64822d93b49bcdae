#include "archive/verify.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive/frame_layout.h"
#include "archive/tar.h"
#include "archive/walk.h"

/* A member that a manifest lists, or the manifest itself. */
struct expected {
    char path[TAR_NAME_MAX];
    struct member member;
};

struct verification {
    struct walk walk;
    struct archive *archive;         /* NULL: the archive's contents or manifests cannot be read */
    const struct capture **captures; /* by their places in the file; captures_n of them */
    size_t captures_n;
    size_t capture, member; /* the next one that is expected: in this frame, or after it */
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

static int list_captures(struct verification *v, struct error *err)
{
    const struct capture *captures = NULL;
    v->captures_n = v->archive ? archive_captures(v->archive, &captures) : 0;
    v->captures = contents_by_place(captures, v->captures_n);
    return v->captures ? 0 : error_no_memory(err, "the list of members");
}

/* Whether a further member is expected in frame i: they are listed in the order of the file, the manifest last. */
static bool expected_in(const struct verification *v, size_t frame, struct expected *e)
{
    if (v->capture == v->captures_n)
        return false;
    const struct capture *p = v->captures[v->capture];
    if (v->member < p->members_n) {
        e->member = p->members[v->member];
    } else {
        e->member = (struct member){
            .name = "manifest.json", .frame = p->frames - 1, .at = TAR_BLOCK, .bytes = p->manifest_bytes};
        memcpy(e->member.digest, p->manifest_digest, DIGEST_BYTES);
    }
    capture_member_path(p, e->member.name, e->path);
    return (size_t)p->first_frame + e->member.frame == frame;
}

static void expect_next(struct verification *v)
{
    if (v->member++ == v->captures[v->capture]->members_n) {
        v->capture++;
        v->member = 0;
    }
}

/* ---- members of the file ---- */

static void check_member(struct verification *v, size_t frame, const uint8_t *content,
                         const struct tar_member *m)
{
    uint64_t offset = v->walk.frames.list[frame].offset;
    uint8_t digest[DIGEST_BYTES];
    struct expected e;
    v->totals->members++;
    v->totals->content += m->n;
    if (!v->archive || frame == v->walk.frames.n - 1)
        return;
    if (!expected_in(v, frame, &e)) {
        tell(v, offset, m->name, "no manifest tells of it");
        return;
    }
    expect_next(v);
    digest_of(content + m->at, m->n, digest);
    if (strcmp(e.path, m->name) != 0 || e.member.at != m->at || e.member.bytes != m->n)
        tell(v, offset, m->name, "the manifest has another member here");
    else if (memcmp(e.member.digest, digest, DIGEST_BYTES) != 0)
        tell(v, offset, m->name, "it has another digest than the manifest says");
}

/* What is expected of a frame and was not found. */
static void tell_of_missing(struct verification *v, size_t frame, uint64_t offset, const char *what)
{
    for (struct expected e; expected_in(v, frame, &e); expect_next(v))
        tell(v, offset, e.path, what);
}

static int check_frame(struct verification *v, size_t i, struct error *err)
{
    const struct frame *frame = &v->walk.frames.list[i];
    struct error why = {0};
    struct tar_member m;
    size_t at = 0;
    int status;
    v->totals->frames++;
    const uint8_t *content = frame_verify(&v->walk.frames, i, &v->walk.reader, &why);
    if (!content && why.code == ERROR_MEMORY) {
        *err = why;
        return -1;
    }
    if (!content) {
        uint64_t offset = why.has_offset ? why.offset : frame->offset;
        struct expected e;
        if (!expected_in(v, i, &e))
            tell(v, offset, "", why.message);
        tell_of_missing(v, i, offset, why.message);
        return 0;
    }
    while ((status = tar_next(content, frame->content, &at, &m, &why)) == 1)
        check_member(v, i, content, &m);
    if (status < 0)
        tell(v, frame->offset, "", why.message);
    tell_of_missing(v, i, frame->offset, "it is not in this frame, where the manifest has it");
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

/* Why the list of frames does not come from the seek table. */
static void check_table(struct verification *v)
{
    struct error why = v->walk.why, ends = {0};
    v->totals->finished = v->walk.by_table;
    if (v->walk.by_table)
        return;
    if (v->walk.frames.sealed && frames_verify_ends(&v->walk.frames, &ends) != 0)
        why = ends; /* it finds the first wrong byte */
    tell(v, why.has_offset ? why.offset : v->walk.frames.end, "", why.message);
}

/* Checks the magic, the seal and the seek table; their right content is known only if every data frame is whole. */
static void check_ends(struct verification *v)
{
    struct error why = {0};
    if (v->findings > 0)
        return;
    if (frames_verify_ends(&v->walk.frames, &why) != 0)
        tell(v, why.has_offset ? why.offset : 0, "", why.message);
}

static int verify(struct verification *v, const char *path, struct error *err)
{
    struct error why = {0};
    check_table(v);
    if (v->walk.by_table && !(v->archive = archive_open(path, &why)) && why.code != ERROR_FORMAT) {
        *err = why;
        return -1;
    }
    if (v->walk.by_table && !v->archive)
        tell(v, why.has_offset ? why.offset : 0, "", why.message);
    if (list_captures(v, err) != 0)
        return -1;
    for (size_t i = 1; i < v->walk.frames.n; i++)
        if (check_frame(v, i, err) != 0)
            return -1;
    check_ends(v);
    return 0;
}

long verify_archive(const char *path, verify_finding finding, void *context, struct verify_totals *totals,
                    struct error *err)
{
    struct verification v = {.finding = finding, .context = context, .totals = totals};
    int status = walk_open(&v.walk, path, err);
    uint64_t bytes = v.walk.source.mapped ? v.walk.source.size : 0;
    *totals = (struct verify_totals){.bytes = bytes, .whole_up_to = bytes};
    if (bytes && magic_damaged(&v, &v.walk.source))
        status = 0;
    else if (status == 0)
        status = verify(&v, path, err);
    archive_close(v.archive);
    free(v.captures);
    walk_close(&v.walk);
    return status == 0 ? v.findings : -1;
}
