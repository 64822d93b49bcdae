/* xenmeter archive verify: is it whole? */
#include <inttypes.h>
#include <stdio.h>

#include "archive/verify.h"
#include "archive_options.h"

static const char help[] =
    "xenmeter archive verify - whether archives are whole, to the last bit\n"
    "\n"
    "Usage: xenmeter archive verify [OPTIONS] ARCHIVE...\n"
    "\n"
    "Checks every frame and every member of each ARCHIVE. A damage is told on standard output, with the\n"
    "byte of the file where it is and the member it is in. Of an archive that was never finished\n"
    "(ARCHIVE.partial) it says up to where it is whole.\n"
    "\n"
    "  -q, --quiet             only the exit status\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit status: 0 whole, 1 damaged or not finished, 2 error.\n"
    "\n"
    "Example:\n"
    "  xenmeter archive verify *.xma\n";

struct verify_report {
    const char *file;
    bool quiet;
};

static void tell(void *context, uint64_t offset, const char *member, const char *what)
{
    const struct verify_report *t = context;
    if (!t->quiet)
        printf("%s: offset %" PRIu64 ": %s%s%s\n", t->file, offset, member, *member ? ": " : "", what);
}

static int verify_one(const char *file, bool quiet)
{
    struct error err = {0};
    struct verify_totals totals;
    struct verify_report telling = {file, quiet};
    long findings = verify_archive(file, tell, &telling, &totals, &err);
    if (findings < 0)
        return fail(file, &err);
    if (quiet)
        return findings ? EXIT_FINDING : EXIT_DONE;
    if (findings == 0)
        printf("%s: whole: %zu members of %" PRIu64 " bytes in %zu frames\n", file, totals.members,
               totals.content, totals.frames);
    else
        printf("%s: %s: whole up to byte %" PRIu64 " of %" PRIu64 ", with %zu members\n", file,
               totals.finished ? "damaged" : "not finished, or damaged", totals.whole_up_to, totals.bytes,
               totals.members);
    return findings ? EXIT_FINDING : EXIT_DONE;
}

int archive_verify(int argc, char **argv)
{
    struct archive_arguments a;
    int status;
    if (!archive_arguments_parse(&a, "verify", "q", help, argc, argv, &status))
        return status;
    if (a.files_n == 0) {
        complain("which archive? (xenmeter archive verify --help)");
        return EXIT_ERROR;
    }
    int worst = EXIT_DONE;
    for (int i = 0; i < a.files_n; i++) {
        int result = verify_one(a.files[i], a.quiet);
        worst = result > worst ? result : worst;
    }
    return worst;
}
