/* xenmeter COMMAND ...: finds the command and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "archive_commands.h"
#include "cli.h"
#include "command.h"
#include "pager.h"

static const struct option_spec options[] = {
    OPTION('V', "version", NULL, "the version", .set = NULL),
    OPTIONS_END,
};

const struct command xenmeter = {
    .name = "",
    .summary = "where the CPU of a Xen host went, and for whom, from the records of xentrace",
    .usage = "COMMAND [OPTIONS] [FILE]",
    .text = "FILE is a capture, plain or compressed by zstd, gzip or xz, or an archive; \"-\" is "
            "standard input.\n"
            "\"xenmeter COMMAND --help\" tells more; the definitions are in xenmeter-metrics(7).",
    .examples = "xenmeter report capture.xt\n"
                "xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -",
    .options = options,
};

static int run_command(const struct command *c, int argc, char **argv)
{
    int status;
    struct options *o = options_parse(c, argc, argv, &status);
    if (o && (c->operands != OPERANDS_ARCHIVES || archive_inputs_prepare(o) == EXIT_DONE))
        status = c->run(o);
    options_free(o);
    return status;
}

/* argv[0] is a command that has others below it. */
static int print_instead(const struct command *c, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_print(c, argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_DONE : EXIT_ERROR;
    }
    if (c != &xenmeter || (strcmp(word, "--version") != 0 && strcmp(word, "-V") != 0))
        return command_unknown(c, word);
    puts("xenmeter " XENMETER_VERSION);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    const struct command *c = &xenmeter, *below;
    while (argc > 1 && (below = command_find(c, argv[1]))) {
        c = below;
        argc--;
        argv++;
    }
    return c->run ? run_command(c, argc, argv) : print_instead(c, argc, argv);
}

int main(int argc, char **argv)
{
    signals_install();
    int status = run(argc, argv);
    if (fflush(stdout) != 0 && errno != EPIPE) {
        complain("standard output: %s", strerror(errno));
        status = EXIT_ERROR;
    }
    pager_end();
    return status;
}
