/* The arguments of the archive commands that read archives: few options, and names of files. */
#ifndef XENMETER_CMD_ARCHIVE_OPTIONS_H
#define XENMETER_CMD_ARCHIVE_OPTIONS_H

#include "archive_commands.h"

struct archive_arguments {
    const char *output; /* -o; NULL: not given */
    const char *format; /* -f: "table" or "json" */
    const char *host;   /* --host; NULL: not given */
    bool partial;       /* --partial */
    bool trace;         /* --trace */
    bool quiet, verbose;
    char **files; /* what is no option */
    int files_n;
};

/*
 * Reads them: `letters` of the options that the command takes ("o" output, "f" format, "H" --host, "P" --partial, "t"
 * --trace, "q", "v"). Returns true to go on; false when the command is over, with *status its exit code.
 */
bool archive_arguments_parse(struct archive_arguments *a, const char *command, const char *letters,
                             const char *help, int argc, char **argv, int *status);

#endif
