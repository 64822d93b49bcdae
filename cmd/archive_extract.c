/* xenmeter archive extract: members, or the trace, out of an archive. */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar.h"
#include "archive/trace_feed.h"
#include "archive/walk.h"
#include "archive_commands.h"

struct extract_options {
    struct options common;
    bool trace, partial;
};

struct extraction {
    const struct extract_options *options;
    const struct options *common; /* its beginning */
    const char *archive;
    const char *to; /* --output; NULL: not given */
    char host[HOST_MAX];
    unsigned timeline;
    bool missing;     /* something is damaged */
    bool checkpoints; /* a recorder wrote it */
    bool failed;      /* something could not be written; already reported */
    size_t members;
    uint64_t bytes;
    /* --trace of a damaged archive */
    struct output *output;
    char capture[TAR_NAME_MAX]; /* "HOST/ID/" of the trace being written; "": none yet */
    uint32_t chunk;             /* the next one */
    bool gap;                   /* a chunk was missing: later chunks are useless */
};

/* ---- members ---- */

static bool is_wanted(const struct extraction *x, const char *path)
{
    size_t n = strlen(x->host);
    if (n > 0 && (strncmp(path, x->host, n) != 0 || path[n] != '/'))
        return false;
    for (size_t i = 1; i < x->common->inputs_n; i++)
        if (fnmatch(x->common->inputs[i], path, 0) == 0)
            return true;
    return x->common->inputs_n == 1;
}

/* Makes the directories of a path; an existing file in their place is an error. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int status = mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -1;
        *slash = '/';
        if (status != 0)
            return -1;
    }
    return 0;
}

static int write_file(struct extraction *x, const char *path, const uint8_t *bytes, size_t n)
{
    struct error err = {0};
    const char *folder = x->to ? x->to : ".";
    char *to;
    if (asprintf(&to, "%s/%s", folder, path) < 0) {
        complain("not enough memory");
        return -1;
    }
    int status = make_folders(to);
    if (status != 0)
        error_set(&err, ERROR_IO, "cannot make its folder: %s", strerror(errno));
    struct output *out = status == 0 ? output_open(to, &err) : NULL;
    if (out) {
        output_write(out, bytes, n);
        status = output_commit(out, &err);
    }
    if (!out || status != 0)
        fail(to, &err);
    free(to);
    return out && status == 0 ? 0 : -1;
}

static int take_member(void *context, const char *path, const uint8_t *bytes, size_t n)
{
    struct extraction *x = context;
    x->checkpoints |= strstr(path, "/checkpoint/") != NULL;
    if (!is_wanted(x, path))
        return 0;
    x->members++;
    x->bytes += n;
    x->failed = write_file(x, path, bytes, n) != 0;
    return x->failed ? -1 : 0;
}

static int take_damage(void *context, const struct error *why)
{
    struct extraction *x = context;
    x->missing = true;
    if (!x->common->quiet)
        fail(x->archive, why);
    return 0;
}

static int extract_members(struct extraction *x)
{
    struct error err = {0};
    struct walk_visitor visitor = {x, take_member, x->options->partial ? take_damage : NULL};
    if (walk_archive(x->archive, &visitor, &err) != 0)
        return x->failed ? EXIT_ERROR : fail(x->archive, &err);
    if (x->members == 0 && x->common->inputs_n > 1) {
        complain("%s: no member has such a name (xenmeter archive list -v shows them)", x->archive);
        return EXIT_ERROR;
    }
    if (!x->common->quiet)
        complain("%zu members, %" PRIu64 " bytes", x->members, x->bytes);
    if (!x->common->quiet && x->missing && x->checkpoints && ends_in_partial(x->archive))
        complain("a recorder left this file: \"xenmeter archive salvage\" makes an archive of it");
    return x->missing ? EXIT_FINDING : EXIT_DONE;
}

/* ---- the trace ---- */

/* Writes a chunk if it is the next one of the trace: the first trace of the archive, or of the host. */
static int take_chunk(void *context, const char *path, const uint8_t *bytes, size_t n)
{
    struct extraction *x = context;
    char next[TAR_NAME_MAX + 32];
    const char *chunk = strstr(path, "/trace/");
    if (!chunk || !is_wanted(x, path))
        return 0;
    if (!*x->capture)
        snprintf(x->capture, sizeof x->capture, "%.*s", (int)(chunk - path), path);
    if (strncmp(path, x->capture, strlen(x->capture)) != 0 || path[strlen(x->capture)] != '/')
        return 0;
    snprintf(next, sizeof next, "%s/trace/%06" PRIu32 ".xt", x->capture, x->chunk);
    x->gap = x->gap || strcmp(path, next) != 0;
    x->chunk++;
    if (x->gap)
        return 0;
    x->bytes += n;
    return output_write(x->output, bytes, n);
}

static int finish_trace(struct extraction *x)
{
    if (output_reader_gone(x->output))
        return EXIT_DONE;
    if (commit(&x->output, x->to) != EXIT_DONE)
        return EXIT_ERROR;
    if (!x->common->quiet && x->to)
        complain("%" PRIu64 " bytes", x->bytes);
    return x->missing || x->gap ? EXIT_FINDING : EXIT_DONE;
}

static int extract_partial_trace(struct extraction *x)
{
    struct error err = {0};
    struct walk_visitor visitor = {x, take_chunk, take_damage};
    if (walk_archive(x->archive, &visitor, &err) != 0 && !output_failure(x->output))
        return fail(x->archive, &err);
    if (x->bytes == 0 && !output_failure(x->output)) {
        complain("%s: no whole chunk of a trace is in it", x->archive);
        return EXIT_ERROR;
    }
    return finish_trace(x);
}

static int copy_trace(struct extraction *x, const struct archive *a, struct error *err)
{
    const struct capture *captures;
    size_t first, n;
    archive_captures(a, &captures);
    if (archive_timeline(a, *x->host ? x->host : NULL, x->timeline, &first, &n, NULL, NULL, err) != 0)
        return -1;
    for (size_t i = first; i < first + n; i++)
        if (!captures[i].trace_stored)
            return error_set(err, ERROR_USAGE,
                             "the trace %s of host %s was not kept (create --with-trace does)",
                             captures[i].source, captures[i].host);
    struct trace_feed *feed =
        trace_feed_new(a, captures + first, n, 0, threads_wanted(&(struct options){0}), err);
    if (!feed)
        return -1;
    struct feed bytes = trace_feed_of(feed);
    const uint8_t *at;
    size_t got;
    int status;
    while ((status = bytes.next(bytes.context, &at, &got, err)) > 0) {
        x->bytes += got;
        if (output_write(x->output, at, got) != 0)
            break; /* finish_trace prints why */
    }
    trace_feed_free(feed);
    return status < 0 ? -1 : 0;
}

static int extract_whole_trace(struct extraction *x)
{
    struct error err = {0};
    struct archive *a = archive_for_reading(x->archive, &err);
    int status = a ? copy_trace(x, a, &err) : -1;
    archive_close(a);
    return status == 0 ? finish_trace(x) : fail(x->archive, &err);
}

static int extract_trace(struct extraction *x)
{
    struct error err = {0};
    const char *to = x->to;
    if (!to && isatty(STDOUT_FILENO)) {
        complain("standard output is a terminal: --output names the file (xenmeter archive extract --help)");
        return EXIT_ERROR;
    }
    if (same_file(x->archive, to)) {
        complain("--output %s is the archive itself: it would be lost", to);
        return EXIT_ERROR;
    }
    x->output = output_open(to, &err);
    if (!x->output)
        return fail(to, &err);
    int status = x->options->partial ? extract_partial_trace(x) : extract_whole_trace(x);
    output_abort(x->output);
    return status;
}

static int run(const struct options *o)
{
    struct error err = {0};
    const struct extract_options *e = (const struct extract_options *)o;
    struct extraction x = {.options = e, .common = o, .archive = o->inputs[0], .to = o->output};
    if (o->host && parse_host(o->host, x.host, &x.timeline, &err) != 0)
        return fail(NULL, &err);
    if (x.timeline && (!e->trace || e->partial)) {
        complain("--host %s: a timeline goes with --trace only, and not with --partial", o->host);
        return EXIT_ERROR;
    }
    return e->trace ? extract_trace(&x) : extract_members(&x);
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    const struct extract_options *e = (const struct extract_options *)o;
    if (!o->inputs_n)
        return error_set(err, ERROR_USAGE, "which archive?");
    if (e->trace && o->inputs_n > 1)
        return error_set(err, ERROR_USAGE, "--trace takes the archive only, no MEMBER");
    return 0;
}

static const struct option_spec options[] = {
    OPTION(0, "trace", NULL, "the trace, to FILE of --output or standard output", .set = set_flag,
           .offset = offsetof(struct extract_options, trace)),
    OPTION_OUTPUT_AS("DIR", "where members go (default: here); with --trace: the file", ":file"),
    OPTION_HOST("of this host only; N: its Nth timeline (--trace)"),
    OPTION(0, "partial", NULL,
           "what is whole of a damaged or unfinished archive; of the trace: up to the first gap",
           .set = set_flag, .offset = offsetof(struct extract_options, partial)),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 63,
    .name = "archive extract",
    .summary = "members, or the trace, out of an archive",
    .usage = "[OPTIONS] ARCHIVE [MEMBER...]\n--trace [OPTIONS] ARCHIVE",
    .text = "Writes the members, each checked, below DIR under their names in the archive: "
            "HOST/TRACE/trace/000000.xt and so on. MEMBER is such a name or a pattern ('*/results/*'); none: "
            "all members. With --trace the trace itself is written, as it went in, byte for byte.",
    .status = "0 done, 1 done with --partial and something is missing, 2 error",
    .examples = "xenmeter archive extract --trace capture.xma -o capture.xt\n"
                "xenmeter archive extract -o results capture.xma '*/results/*'\n"
                "xenmeter archive extract --partial --trace live.xma.partial -o live.xt",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .options_size = sizeof(struct extract_options),
    .check = check,
    .run = run,
};
COMMAND(command);
