/* xenmeter archive salvage: an archive of what a recorder left when it was cut short. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive_commands.h"
#include "metrics/human.h"
#include "record/salvage.h"

static void say_what_was_made(const struct options *o, const struct salvage_result *r)
{
    char bytes[HUMAN_BYTES];
    if (r->complete)
        complain("%s: all of it was there", o->output);
    else
        complain("%s: %.3f s of host %s; %s after the last checkpoint were cut", o->output,
                 (double)r->duration_ns / 1e9, r->host, human_bytes(bytes, r->cut_bytes));
}

static int run(const struct options *o)
{
    struct salvage_result result;
    struct error err = {0};
    const char *from = o->inputs[0];
    if (same_file(from, o->output)) {
        complain("--output %s is the file itself: it would be lost", o->output);
        return EXIT_ERROR;
    }
    if (salvage_archive(from, o->output, &result, &err) != 0)
        return fail(from, &err);
    if (!o->quiet)
        say_what_was_made(o, &result);
    return EXIT_DONE;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    size_t n = o->output ? strlen(o->output) : 0;
    if (!o->output)
        return error_set(err, ERROR_USAGE, "where to? --output names the new archive");
    if (o->inputs_n != 1)
        return error_set(err, ERROR_USAGE, "which file? One that a recorder left: FILE.partial");
    if (strcmp(o->output, "-") == 0 && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_USAGE, "standard output is a terminal: an archive is not for reading");
    if (n >= 4 && strcmp(o->output + n - 4, ".zst") == 0)
        return error_set(err, ERROR_USAGE, "an archive is compressed already: name it FILE.xma");
    return 0;
}

static const struct option_spec options[] = {
    OPTION_OUTPUT_AS("FILE", "the new archive; \"-\": standard output", ":archive"),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 66,
    .name = "archive salvage",
    .summary = "an archive of what a recorder left when it was cut short",
    .usage = "[OPTIONS] FILE.partial -o ARCHIVE",
    .text =
        "A recorder that was killed, or whose host crashed, leaves its open archive as FILE.partial, with "
        "a checkpoint of each minute. The new archive holds all up to the last whole checkpoint; "
        "FILE.partial stays as it is. The new archive appears when every byte of it was verified.",
    .status = "0 done, 2 error",
    .examples = "xenmeter archive salvage 2026-11-29T07Z-0a1b2c3d-0000.xma.partial -o saved.xma",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .check = check,
    .run = run,
};
COMMAND(command);
