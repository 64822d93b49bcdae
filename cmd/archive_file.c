/* An archive being written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_commands.h"
#include "archive/contents.h"

unsigned threads_wanted(const struct options *o)
{
    unsigned cpus = usable_cpus();
    if (o->threads || o->jobs)
        return o->threads ? o->threads : o->jobs;
    return cpus > 16 ? 16 : cpus;
}

int parse_host(const char *text, char label[HOST_MAX], unsigned *number, struct error *err)
{
    const char *colon = number ? strchr(text, ':') : NULL;
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    snprintf(label, HOST_MAX, "%.*s", n < HOST_MAX ? (int)n : HOST_MAX - 1, text);
    bool fine = n < HOST_MAX && host_label_fine(label);
    if (number)
        *number = 0;
    if (fine && colon) {
        char *end;
        unsigned long value = strtoul(colon + 1, &end, 10);
        fine = colon[1] >= '1' && colon[1] <= '9' && *end == '\0' && value < 1000000000;
        *number = (unsigned)value;
    }
    if (fine)
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "--host %.60s: a label is 1 to %d letters, digits, '.', '_' and '-', the first a letter or digit",
        text, HOST_MAX - 1);
}

/* ---- the file ---- */

const char *archive_file_name(const struct archive_file *f)
{
    return f->path && strcmp(f->path, "-") != 0 ? f->path : "standard output";
}

int archive_file_open(struct archive_file *f, const char *path, int level, unsigned threads,
                      struct error *err)
{
    *f = (struct archive_file){.path = path};
    f->output = output_open_partial(path, err);
    if (!f->output)
        return -1;
    struct frame_sink sink = frame_sink_to(f->output);
    f->frames = frame_writer_new(&sink, level, threads, err);
    return f->frames ? 0 : -1;
}

struct capture *archive_file_new_capture(struct archive_file *f)
{
    struct capture *larger = realloc(f->captures, (f->captures_n + 1) * sizeof *larger);
    if (!larger)
        return NULL;
    f->captures = larger;
    memset(&larger[f->captures_n], 0, sizeof *larger);
    return &larger[f->captures_n];
}

static int compare(const void *a, const void *b)
{
    return contents_compare(a, b);
}

static int write_contents(struct archive_file *f, struct error *err)
{
    if (f->captures_n)
        qsort(f->captures, f->captures_n, sizeof *f->captures, compare);
    return contents_write(f->frames, f->captures, f->captures_n, err);
}

int archive_file_fail(struct archive_file *f, const char *file, const struct error *err)
{
    const struct error *failure = f->output ? output_failure(f->output) : NULL;
    struct error ignored;
    if (f->output && output_reader_gone(f->output))
        return EXIT_DONE;
    /* Frames still being compressed are worth keeping, too. */
    if (f->frames)
        frame_writer_drain(f->frames, &ignored);
    bool any = f->frames && frame_writer_bytes(f->frames) > ARCHIVE_MAGIC_BYTES;
    if (f->output && !(any && (f->keep_partial || failure)))
        output_discard_partial(f->output);
    const char *partial = f->output ? output_partial(f->output) : NULL;
    fail(failure ? archive_file_name(f) : file, failure ? failure : err);
    if (partial)
        complain("what was written is in %s: \"xenmeter archive verify\" says up to where it is whole, "
                 "\"xenmeter archive extract --partial\" gets it out",
                 partial);
    return EXIT_ERROR;
}

int archive_file_commit(struct archive_file *f)
{
    struct error err = {0};
    const char *name = archive_file_name(f);
    if (write_contents(f, &err) != 0 || frame_writer_finish(f->frames, &err) != 0)
        return archive_file_fail(f, name, &err);
    struct output *output = f->output;
    f->output = NULL;
    f->complete = output_commit(output, &err) == 0;
    return f->complete ? EXIT_DONE : fail(name, &err);
}

void archive_file_close(struct archive_file *f)
{
    frame_writer_free(f->frames);
    output_abort(f->output);
    for (size_t i = 0; i < f->captures_n; i++)
        capture_free(&f->captures[i]);
    free(f->captures);
}
