/* xenmeter archive: finds the sub-command. */
#include "archive_commands.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "xenmeter archive - traces and results in one compressed, checked, seekable file\n"
    "\n"
    "Usage: xenmeter archive COMMAND [OPTIONS] ...\n"
    "\n"
    "  create   traces, and what they tell, into an archive\n"
    "  list     what is in an archive\n"
    "  extract  members, or the trace, out of it\n"
    "  verify   whether it is whole, to the last bit\n"
    "  merge    several archives into one\n"
    "\n"
    "report, charge and info read an archive as they read a trace. An archive is a zstd file of a tar\n"
    "file, so that zstd and tar open it, too: xenmeter-archive(5).\n"
    "\"xenmeter archive COMMAND --help\" tells more.\n"
    "\n"
    "Examples:\n"
    "  xenmeter archive create --with-trace capture.xt -o capture.xma\n"
    "  xenmeter report -t 100s,101s capture.xma\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands_of_archive[] = {{"create", archive_create},
                           {"list", archive_list},
                           {"extract", archive_extract},
                           {"verify", archive_verify},
                           {"merge", archive_merge}};

#define COMMANDS_N (sizeof commands_of_archive / sizeof commands_of_archive[0])

int command_archive(int argc, char **argv)
{
    const char *names[COMMANDS_N + 1] = {NULL};
    const char *word = argc > 1 ? argv[1] : NULL;
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < COMMANDS_N; i++) {
        names[i] = commands_of_archive[i].name;
        if (word && strcmp(word, names[i]) == 0)
            return commands_of_archive[i].run(argc - 1, argv + 1);
    }
    if (!word) {
        fputs(help, stderr);
        return EXIT_ERROR;
    }
    const char *near = nearest_name(word, names);
    if (near)
        complain("archive has no command '%s'; did you mean '%s'? (xenmeter archive --help)", word, near);
    else
        complain("archive has no command '%s' (xenmeter archive --help)", word);
    return EXIT_ERROR;
}
