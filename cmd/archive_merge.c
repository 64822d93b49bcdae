/* xenmeter archive merge: several archives become one. Their frames are copied as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/contents.h"
#include "archive_commands.h"

/* A capture of one of the archives. */
struct source_capture {
    const char *file; /* the archive's name */
    struct archive *archive;
    const struct capture *capture;
};

struct merging {
    struct archive **archives;
    size_t archives_n;
    struct source_capture *list;
    size_t list_n;
    struct archive_file file;
};

static int compare(const void *a, const void *b)
{
    const struct source_capture *x = a, *y = b;
    return contents_compare(x->capture, y->capture);
}

static int list_captures(struct merging *m, char *const *files, struct error *err)
{
    const struct capture *captures;
    size_t most = 0;
    for (size_t i = 0; i < m->archives_n; i++)
        most += archive_captures(m->archives[i], &captures);
    m->list = calloc(most + 1, sizeof *m->list);
    if (!m->list)
        return error_no_memory(err, "the list of captures");
    for (size_t i = 0; i < m->archives_n; i++) {
        size_t n = archive_captures(m->archives[i], &captures);
        for (size_t p = 0; p < n; p++)
            m->list[m->list_n++] = (struct source_capture){files[i], m->archives[i], &captures[p]};
    }
    qsort(m->list, m->list_n, sizeof *m->list, compare);
    return 0;
}

/*
 * Keeps one of two equal captures; refuses two different ones of the same host and id, which no reader could
 * distinguish.
 */
static int drop_doubles(struct merging *m, struct error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->list_n; i++) {
        const struct capture *c = m->list[i].capture, *before = kept ? m->list[kept - 1].capture : NULL;
        bool same = before && strcmp(before->host, c->host) == 0 && strcmp(before->id, c->id) == 0;
        if (same && memcmp(before->manifest_digest, c->manifest_digest, DIGEST_BYTES) != 0)
            return error_set(
                err, ERROR_USAGE,
                "trace %s of host %s is in two archives, but with other results or of another length: "
                "leave one of them out, or give it another --host",
                c->id, c->host);
        if (!same)
            m->list[kept++] = m->list[i];
    }
    m->list_n = kept;
    return 0;
}

static int copy_capture(struct merging *m, const struct source_capture *s, struct error *err)
{
    struct capture *to = archive_file_new_capture(&m->file);
    int64_t first = -1;
    if (!to)
        return error_no_memory(err, "the list of captures");
    for (uint32_t i = 0; i < s->capture->frames; i++) {
        int64_t frame =
            frame_writer_copy(m->file.frames, archive_frames(s->archive), s->capture->first_frame + i, err);
        if (frame < 0)
            return -1;
        first = first < 0 ? frame : first;
    }
    memcpy(to->host, s->capture->host, sizeof to->host);
    memcpy(to->id, s->capture->id, sizeof to->id);
    memcpy(to->manifest_digest, s->capture->manifest_digest, DIGEST_BYTES);
    to->tsc_first = s->capture->tsc_first;
    to->first_frame = (uint32_t)first;
    to->frames = s->capture->frames;
    to->manifest_bytes = s->capture->manifest_bytes;
    m->file.captures_n++;
    return 0;
}

static int open_all(struct merging *m, const struct options *o)
{
    struct error err = {0};
    m->archives = calloc(o->inputs_n, sizeof(struct archive *));
    if (!m->archives) {
        complain("not enough memory");
        return EXIT_ERROR;
    }
    for (size_t i = 0; i < o->inputs_n; i++) {
        if (same_file(o->inputs[i], o->output)) {
            complain("--output %s is one of the archives: it would be lost", o->output);
            return EXIT_ERROR;
        }
        m->archives[i] = archive_for_reading(o->inputs[i], &err);
        if (!m->archives[i])
            return fail(o->inputs[i], &err);
        m->archives_n++;
    }
    return EXIT_DONE;
}

static int merge(struct merging *m, const struct options *o)
{
    struct error err = {0};
    if (open_all(m, o) != EXIT_DONE)
        return EXIT_ERROR;
    if (list_captures(m, o->inputs, &err) != 0 || drop_doubles(m, &err) != 0)
        return fail(NULL, &err);
    if (archive_file_open(&m->file, o->output, LEVEL_DEFAULT, 1, &err) != 0)
        return fail(archive_file_name(&m->file), &err);
    for (size_t i = 0; i < m->list_n; i++)
        if (copy_capture(m, &m->list[i], &err) != 0)
            return archive_file_fail(&m->file, m->list[i].file, &err);
    int status = archive_file_commit(&m->file);
    if (m->file.complete && !o->quiet)
        complain("%s: %zu trace%s of %zu archive%s", o->output, m->list_n, m->list_n == 1 ? "" : "s",
                 o->inputs_n, o->inputs_n == 1 ? "" : "s");
    return status;
}

static int run(const struct options *o)
{
    struct merging m = {0};
    int status = merge(&m, o);
    archive_file_close(&m.file);
    for (size_t i = 0; i < m.archives_n; i++)
        archive_close(m.archives[i]);
    free(m.archives);
    free(m.list);
    return status;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    if (!o->output)
        return error_set(err, ERROR_USAGE, "where to? --output names the new archive");
    if (!o->inputs_n)
        return error_set(err, ERROR_USAGE, "which archives?");
    if (strcmp(o->output, "-") == 0 && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_USAGE, "standard output is a terminal: an archive is not for reading");
    return 0;
}

static const struct option_spec options[] = {
    OPTION_OUTPUT_AS("FILE", "the new archive; \"-\": standard output", ":archive"),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 65,
    .name = "archive merge",
    .summary = "several archives into one",
    .usage = "[OPTIONS] ARCHIVE... -o ARCHIVE",
    .text =
        "What the archives hold is copied, not computed anew. Traces of one host (--host at creation) that "
        "follow each other, with no gap between them, are read as one; other hosts stay apart under their "
        "labels. Whatever the order, and however often they are merged, the same traces make the same "
        "archive, byte for byte.",
    .examples = "xenmeter archive merge monday.xma tuesday.xma -o week.xma",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .check = check,
    .run = run,
};
COMMAND(command);
