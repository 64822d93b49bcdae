/* xenmeter archive list: what is in an archive. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "archive/archive.h"
#include "archive_commands.h"
#include "formats/charge_words.h"
#include "formats/safe_text.h"
#include "metrics/human.h"
#include "metrics/relation/relation.h"

static uint64_t stored_bytes(const struct archive *a, const struct capture *p)
{
    const struct frame *list = archive_frames(a)->list;
    const struct frame *last = &list[p->first_frame + p->frames - 1];
    return last->offset + last->bytes - list[p->first_frame].offset;
}

static void print_results(const struct capture_options *o)
{
    printf("  results   by");
    for (int by = 0; by < 4; by++)
        if (o->bys & 1u << by)
            printf(" %s", by_names[by]);
    printf("; of");
    for (size_t i = 0; i < o->granularities; i++) {
        char length[LENGTH_BYTES];
        printf(" %s", o->granularities_ns[i] ? length_in_words(length, o->granularities_ns[i]) : "total");
    }
    printf("%s; charges%s\n", o->executions ? "; executions" : "",
           o->io_counts ? " by outside counters" : "");
}

/* Names may be hostile. */
static void print_text(const char *text)
{
    char safe[PATH_MAX];
    fputs(safe_text(safe, sizeof safe, text), stdout);
}

static void print_capture(const struct archive *a, const struct capture *p, unsigned timeline, bool verbose)
{
    char bytes[HUMAN_BYTES];
    size_t chunks = 0, snapshots = 0;
    for (size_t i = 0; i < p->members_n; i++) {
        chunks += p->members[i].kind == MEMBER_TRACE;
        snapshots += p->members[i].kind == MEMBER_SNAPSHOT;
    }
    printf("%s:%u %s", p->host, timeline, p->id);
    if (timeline > 1)
        printf(" (after %s:%u by its tsc, whatever the boot)", p->host, timeline - 1);
    putchar('\n');
    printf("  trace     ");
    print_text(p->source);
    printf(", %.3f s, %s", (double)p->duration_ns / 1e9, human_bytes(bytes, p->trace_bytes));
    if (p->trace_stored)
        printf("; kept in %zu chunk%s, %zu place%s to begin\n", chunks, chunks == 1 ? "" : "s", snapshots + 1,
               snapshots ? "s" : "");
    else
        printf("; not kept\n");
    print_results(&p->options);
    printf("  stored    %s in %" PRIu32 " frames, by ", human_bytes(bytes, stored_bytes(a, p)), p->frames);
    print_text(p->tool);
    putchar('\n');
    for (size_t i = 0; verbose && i < p->members_n; i++)
        printf("  %10" PRIu32 "  %s/%s/%s\n", p->members[i].bytes, p->host, p->id, p->members[i].name);
}

static void print_table(const struct archive *a, bool verbose)
{
    const struct capture *captures;
    size_t n = archive_captures(a, &captures);
    unsigned timeline = 0;
    for (size_t i = 0; i < n; i++) {
        bool same_host = i > 0 && strcmp(captures[i - 1].host, captures[i].host) == 0;
        if (!same_host)
            timeline = 1;
        else if (!archive_continues(a, i))
            timeline++;
        print_capture(a, &captures[i], timeline, verbose);
    }
}

static int print_json(struct archive *a, struct error *err)
{
    const struct capture *captures;
    size_t n = archive_captures(a, &captures);
    printf("{\"schema\":\"xenmeter.archive/2\",\"pieces\":[\n");
    for (size_t i = 0; i < n; i++) {
        struct buffer text = {0};
        manifest_put(&text, &captures[i]);
        if (text.failed)
            return error_no_memory(err, "the list");
        fwrite(text.at, 1, text.n, stdout);
        buffer_free(&text);
        if (i + 1 < n)
            puts(",");
    }
    puts("]}");
    return 0;
}

static int run(const struct options *o)
{
    struct error err = {0};
    int status = EXIT_DONE;
    struct archive *archive = archive_for_reading(o->inputs[0], &err);
    if (!archive)
        return fail(o->inputs[0], &err);
    if (strcmp(o->format, "json") != 0)
        print_table(archive, o->verbose);
    else if (print_json(archive, &err) != 0)
        status = fail(o->inputs[0], &err);
    archive_close(archive);
    return status;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    return o->inputs_n == 1 ? 0 : error_set(err, ERROR_USAGE, "one ARCHIVE is wanted");
}

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
    OPTION_FORMAT("table, json (the manifests, as they are stored)"),
    OPTION_VERBOSE("every member"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 62,
    .name = "archive list",
    .summary = "what is in an archive",
    .usage = "[OPTIONS] ARCHIVE",
    .examples = "xenmeter archive list capture.xma",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .formats = formats,
    .check = check,
    .run = run,
};
COMMAND(command);
