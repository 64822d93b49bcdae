/* xenmeter archive: the commands below it are in archive_*.c. */
#include "command.h"

static const struct option_spec options[] = {OPTIONS_END};

static const struct command command = {
    .order = 60,
    .name = "archive",
    .summary = "traces and results in one compressed, checked, seekable file",
    .usage = "COMMAND [OPTIONS] ...",
    .text =
        "report, charge and info read an archive as they read a trace. An archive is a zstd file of a tar "
        "file, so that zstd and tar open it, too: xenmeter-archive(5).\n"
        "\"xenmeter archive COMMAND --help\" tells more.",
    .examples = "xenmeter archive create --with-trace capture.xt -o capture.xma\n"
                "xenmeter report -t 100s,101s capture.xma",
    .options = options,
};
COMMAND(command);
