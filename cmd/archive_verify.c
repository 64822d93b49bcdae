/* xenmeter archive verify: is it whole? */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "archive/verify.h"
#include "archive_commands.h"
#include "formats/safe_text.h"

/* `context` is the file's name; NULL: quiet. */
static void tell(void *context, uint64_t offset, const char *member, const char *what)
{
    char name[PATH_MAX];
    const char *file = context ? safe_text(name, sizeof name, context) : NULL;
    if (file)
        printf("%s: offset %" PRIu64 ": %s%s%s\n", file, offset, member, *member ? ": " : "", what);
}

static int verify_one(char *file, bool quiet)
{
    struct error err = {0};
    struct verify_totals totals;
    char name[PATH_MAX];
    long findings = verify_archive(file, tell, quiet ? NULL : file, &totals, &err);
    if (findings < 0)
        return fail(file, &err);
    if (quiet)
        return findings ? EXIT_FINDING : EXIT_DONE;
    safe_text(name, sizeof name, file);
    if (findings == 0)
        printf("%s: whole: %zu members of %" PRIu64 " bytes in %zu frames\n", name, totals.members,
               totals.content, totals.frames);
    else
        printf("%s: %s: whole up to byte %" PRIu64 " of %" PRIu64 ", with %zu members\n", name,
               totals.finished ? "damaged" : "not finished, or damaged", totals.whole_up_to, totals.bytes,
               totals.members);
    return findings ? EXIT_FINDING : EXIT_DONE;
}

static int run(const struct options *o)
{
    int worst = EXIT_DONE;
    for (size_t i = 0; i < o->inputs_n; i++) {
        int result = verify_one(o->inputs[i], o->quiet);
        worst = result > worst ? result : worst;
    }
    return worst;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    return o->inputs_n ? 0 : error_set(err, ERROR_USAGE, "which archive?");
}

static const struct option_spec options[] = {
    OPTION_FLAG('q', "quiet", quiet, "only the exit status"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 64,
    .name = "archive verify",
    .summary = "whether archives are whole, to the last bit",
    .usage = "[OPTIONS] ARCHIVE...",
    .text = "Checks every frame and every member of each ARCHIVE. The command reports damage on standard "
            "output, with the "
            "byte of the file where it is and the member it is in. Of an archive that was never finished "
            "(ARCHIVE.partial) it says up to where it is whole.",
    .status = "0 whole, 1 damaged or not finished, 2 error",
    .examples = "xenmeter archive verify *.xma",
    .options = options,
    .operands = OPERANDS_ARCHIVES,
    .check = check,
    .run = run,
};
COMMAND(command);
