#include "archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/contents.h"
#include "archive/summary.h"
#include "archive/tar.h"
#include "parser/source/source.h"

#define MEMBERS_TOTAL (1u << 21) /* of all captures: bounds the cost of reading them */

struct archive {
    struct source source;
    struct frames frames;
    struct frame_reader reader;
    size_t content_frame; /* whose content the reader has; 0 (the magic): none */
    struct capture *captures;
    size_t captures_n;
    bool *continues; /* by capture: see archive_continues */
};

static bool begins_archive(int fd)
{
    uint8_t magic[ARCHIVE_MAGIC_BYTES];
    size_t n = 0;
    ssize_t got = 1;
    for (; n < sizeof magic && got > 0; n += got > 0 ? (size_t)got : 0)
        got = TEMP_FAILURE_RETRY(pread(fd, magic + n, sizeof magic - n, (off_t)n));
    return n == sizeof magic && frames_begin_archive(magic, n);
}

bool archive_file_is(const char *path)
{
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    /* Opening a FIFO, and closing it again, would be seen by the process that writes to it. */
    if (!standard && (stat(path, &st) != 0 || !S_ISREG(st.st_mode)))
        return false;
    int fd = standard ? STDIN_FILENO : TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return false;
    bool is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!standard || lseek(fd, 0, SEEK_CUR) == 0) &&
              begins_archive(fd);
    if (!standard)
        close(fd);
    return is;
}

/* ---- frames ---- */

/* The content of a frame, kept until another one is asked for. */
static const uint8_t *content_of(struct archive *a, size_t frame, struct error *err)
{
    if (frame == a->content_frame)
        return a->reader.content;
    a->content_frame = 0;
    if (!frame_read(&a->frames, frame, &a->reader, err))
        return NULL;
    a->content_frame = frame;
    return a->reader.content;
}

const uint8_t *member_in_frame(const struct frame *frame, const uint8_t *content, size_t at, const char *path,
                               size_t n, const uint8_t digest[DIGEST_BYTES], struct error *err)
{
    struct tar_member member;
    struct error why;
    uint8_t found[DIGEST_BYTES];
    if (tar_next(content, frame->content, &at, &member, &why) != 1 || strcmp(member.name, path) != 0 ||
        member.n != n) {
        error_set_at(err, ERROR_FORMAT, frame->offset, "%s is not in this frame, where the manifest has it",
                     path);
        return NULL;
    }
    digest_of(content + member.at, n, found);
    if (memcmp(found, digest, DIGEST_BYTES) == 0)
        return content + member.at;
    error_set_at(err, ERROR_FORMAT, frame->offset, "%s in this frame is damaged: its digest is another one",
                 path);
    return NULL;
}

static const uint8_t *member_at(struct archive *a, size_t frame, size_t at, const char *path, size_t n,
                                const uint8_t digest[DIGEST_BYTES], struct error *err)
{
    const uint8_t *content = content_of(a, frame, err);
    return content ? member_in_frame(&a->frames.list[frame], content, at, path, n, digest, err) : NULL;
}

int archive_read(struct archive *a, const struct capture *p, const struct member *m, const uint8_t **bytes,
                 struct error *err)
{
    char path[TAR_NAME_MAX];
    capture_member_path(p, m->name, path);
    *bytes =
        member_at(a, (size_t)p->first_frame + m->frame, m->at - TAR_BLOCK, path, m->bytes, m->digest, err);
    return *bytes ? 0 : -1;
}

/* ---- opening ---- */

/* Each member lies inside its frame, and after the one before it. */
static int check_places(const struct archive *a, const struct capture *p, struct error *err)
{
    uint64_t next = 0; /* a place: frame << 32 | at */
    for (size_t i = 0; i < p->members_n; i++) {
        const struct member *m = &p->members[i];
        uint64_t place = (uint64_t)m->frame << 32 | m->at;
        uint64_t content = m->frame < p->frames ? a->frames.list[p->first_frame + m->frame].content : 0;
        if ((uint64_t)m->at + m->bytes > content ||
            (m->kind == MEMBER_TRACE && content > tar_bytes(CHUNK_MAX)))
            return error_set(err, ERROR_FORMAT, "%s is not inside its frame, or that is too large", m->name);
        if (place < next || m->frame == p->frames - 1)
            return error_set(err, ERROR_FORMAT, "%s is not behind the member before it", m->name);
        next = place + m->bytes;
    }
    return 0;
}

/* Reads the manifest of a capture that has its place. */
static int read_capture(struct archive *a, struct capture *p, struct error *err)
{
    char path[TAR_NAME_MAX];
    const struct capture place = *p;
    size_t frame = (size_t)p->first_frame + p->frames - 1;
    struct error why = {0};
    capture_member_path(p, "manifest.json", path);
    const uint8_t *text = member_at(a, frame, 0, path, p->manifest_bytes, p->manifest_digest, err);
    if (!text)
        return -1;
    int status = manifest_read(p, (const char *)text, p->manifest_bytes, &why);
    if (status == 0 && contents_compare(p, &place) != 0)
        status = error_set(&why, ERROR_FORMAT, "it is not the manifest of which the contents tell");
    if (status == 0)
        status = check_places(a, p, &why);
    return status == 0
               ? 0
               : error_set_at(err, why.code, a->frames.list[frame].offset, "%s: %s", path, why.message);
}

/* The contents are the last data frame's. */
static int read_contents(struct archive *a, struct error *err)
{
    size_t frame = a->frames.n - 1, at = 0;
    struct tar_member member;
    struct error why;
    if (a->frames.n < 2)
        return error_set_at(err, ERROR_FORMAT, 0, "the archive is empty");
    const uint8_t *content = content_of(a, frame, err);
    if (!content)
        return -1;
    uint64_t offset = a->frames.list[frame].offset;
    if (tar_next(content, a->frames.list[frame].content, &at, &member, &why) != 1 ||
        strcmp(member.name, CONTENTS_NAME) != 0)
        return error_set_at(err, ERROR_FORMAT, offset, "the last frame does not have the contents");
    if (contents_read((const char *)content + member.at, member.n, a->frames.n, &a->captures, &a->captures_n,
                      &why) != 0)
        return error_set_at(err, why.code, offset, "%s: %s", CONTENTS_NAME, why.message);
    return 0;
}

static int read_captures(struct archive *a, struct error *err)
{
    size_t members = 0;
    if (read_contents(a, err) != 0)
        return -1;
    for (size_t i = 0; i < a->captures_n; i++) {
        if (read_capture(a, &a->captures[i], err) != 0)
            return -1;
        members += a->captures[i].members_n;
        if (members > MEMBERS_TOTAL)
            return error_set(err, ERROR_MEMORY, "the captures of this archive have more than %u members",
                             MEMBERS_TOTAL);
    }
    return 0;
}

/* The summary of a capture; all zero where it has none, or none that can be read, which who needs it reports. */
static void take_summary(struct archive *a, const struct capture *p, struct summary *summary)
{
    const struct member *m = capture_member(p, "summary.json");
    const uint8_t *text;
    struct error ignored;
    *summary = (struct summary){0};
    if (m && archive_read(a, p, m, &text, &ignored) == 0)
        (void)summary_read(summary, (const char *)text, m->bytes, &ignored);
}

static bool domains_contradict(struct archive *a, const struct capture *earlier, const struct capture *later)
{
    struct summary first, second;
    take_summary(a, earlier, &first);
    take_summary(a, later, &second);
    bool contradict = summary_domains_contradict(&first, &second);
    summary_free(&first);
    summary_free(&second);
    return contradict;
}

/* Which captures continue others. */
static int find_cuts(struct archive *a, struct error *err)
{
    a->continues = calloc(a->captures_n + 1, sizeof *a->continues);
    if (!a->continues)
        return error_no_memory(err, "reading the archive");
    for (size_t i = 1; i < a->captures_n; i++)
        a->continues[i] = captures_adjoin(&a->captures[i - 1], &a->captures[i]) &&
                          !domains_contradict(a, &a->captures[i - 1], &a->captures[i]);
    return 0;
}

static int open_file(struct archive *a, const char *path, struct error *err)
{
    if (source_open(&a->source, path, err) != 0)
        return -1;
    struct stat st;
    if (!a->source.mapped && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        return error_set(err, ERROR_FORMAT, "the file is empty");
    if (!a->source.mapped)
        return error_set(err, ERROR_IO,
                         "an archive is read where its table says, not from a pipe: give the file itself");
    if (frames_open(&a->frames, a->source.map, a->source.size, err) != 0)
        return -1;
    a->frames.source = &a->source;
    return 0;
}

struct archive *archive_open(const char *path, struct error *err)
{
    struct archive *a = calloc(1, sizeof *a);
    if (!a) {
        error_no_memory(err, "reading the archive");
        return NULL;
    }
    a->source.fd = -1;
    if (open_file(a, path, err) != 0 || read_captures(a, err) != 0 || find_cuts(a, err) != 0) {
        archive_close(a);
        return NULL;
    }
    return a;
}

void archive_close(struct archive *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->captures_n; i++)
        capture_free(&a->captures[i]);
    free(a->captures);
    free(a->continues);
    frame_reader_free(&a->reader);
    frames_free(&a->frames);
    source_close(&a->source);
    free(a);
}

const struct frames *archive_frames(const struct archive *a)
{
    return &a->frames;
}

size_t archive_captures(const struct archive *a, const struct capture **captures)
{
    *captures = a->captures;
    return a->captures_n;
}

const struct member *capture_member(const struct capture *p, const char *name)
{
    for (size_t i = 0; i < p->members_n; i++)
        if (strcmp(p->members[i].name, name) == 0)
            return &p->members[i];
    return NULL;
}

/* ---- timelines ---- */

bool archive_continues(const struct archive *a, size_t i)
{
    return a->continues[i];
}

size_t archive_timeline_end(const struct archive *a, size_t first)
{
    size_t end = first + 1;
    while (end < a->captures_n && a->continues[end])
        end++;
    return end;
}

/* "web1, web2 (3 timelines)" */
static void list_hosts(const struct archive *a, struct buffer *b)
{
    const char *before = "";
    for (size_t i = 0; i < a->captures_n;) {
        const char *host = a->captures[i].host;
        unsigned timelines = 0;
        while (i < a->captures_n && strcmp(a->captures[i].host, host) == 0) {
            i = archive_timeline_end(a, i);
            timelines++;
        }
        buffer_printf(b, "%s%s", before, host);
        if (timelines > 1)
            buffer_printf(b, " (%u timelines: %s:1 to %s:%u)", timelines, host, host, timelines);
        before = ", ";
    }
    buffer_add(b, "", 1);
}

static int no_choice(const struct archive *a, const char *why, struct error *err)
{
    struct buffer hosts = {0};
    list_hosts(a, &hosts);
    error_set(err, ERROR_USAGE, "%s; choose with --host: %.200s", why, hosts.failed ? "?" : hosts.at);
    buffer_free(&hosts);
    return -1;
}

/* Timelines that were asked for. */
struct timelines_found {
    size_t first, end;
    unsigned n, number;
    bool apart; /* they are of several hosts */
};

static void find_timelines(const struct archive *a, const char *host, unsigned number,
                           struct timelines_found *f)
{
    unsigned of_host = 0;
    const char *last = NULL;
    for (size_t i = 0, end; i < a->captures_n; i = end) {
        const struct capture *p = &a->captures[i];
        end = archive_timeline_end(a, i);
        of_host = last && strcmp(last, p->host) == 0 ? of_host + 1 : 1;
        last = p->host;
        if ((host && strcmp(host, p->host) != 0) || (number && number != of_host))
            continue;
        if (f->n++ == 0) {
            f->first = i;
            f->number = of_host;
        }
        f->apart |= strcmp(a->captures[f->first].host, p->host) != 0;
        f->end = end;
    }
}

int archive_timeline(const struct archive *a, const char *host, unsigned number, size_t *first, size_t *n,
                     unsigned *timelines, unsigned *of, struct error *err)
{
    struct timelines_found found = {0};
    find_timelines(a, host, number, &found);
    if (a->captures_n == 0)
        return error_set(err, ERROR_FORMAT, "there is no trace in this archive");
    if (found.n == 0)
        return no_choice(a, "it has no such host", err);
    if (found.n > 1 && (!timelines || found.apart))
        return no_choice(
            a, host ? "this host has several timelines, with gaps between them" : "it has several timelines",
            err);
    *first = found.first;
    *n = found.end - found.first;
    if (timelines)
        *timelines = found.n;
    if (of)
        *of = found.number;
    return 0;
}
