/* xenmeter COMMAND ...: finds the command and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "command.h"

static const struct option_spec options[] = {
    OPTION('V', "version", NULL, "the version", .set = NULL),
    OPTIONS_END,
};

const struct command xenmeter = {
    .name = "",
    .summary = "where the CPU of a Xen host went, and for whom, from the records of xentrace",
    .usage = "COMMAND [OPTIONS] [FILE]",
    .text = "FILE is a capture, plain or compressed by zstd, or an archive; \"-\" is standard input.\n"
            "\"xenmeter COMMAND --help\" tells more; the definitions are in xenmeter-metrics(7).",
    .examples = "xenmeter report capture.xt\n"
                "xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -",
    .options = options,
};

static int run_command(const struct command *c, int argc, char **argv)
{
    int status;
    struct options *o = options_parse(c, argc, argv, &status);
    if (o)
        status = c->run(o);
    options_free(o);
    return status;
}

/* argv[1] names a command below `above`. */
static int run_below(const struct command *above, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    bool top = above == &xenmeter;
    if (argc < 2 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        help_print(above, argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_ERROR : EXIT_DONE;
    }
    if (top && (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)) {
        puts("xenmeter " XENMETER_VERSION);
        return EXIT_DONE;
    }
    const struct command *c = command_find(above, word);
    if (!c)
        return command_unknown(above, word);
    return c->run ? run_command(c, argc - 1, argv + 1) : run_below(c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    signals_install();
    int status = run_below(&xenmeter, argc, argv);
    if (fflush(stdout) != 0 && errno != EPIPE) {
        complain("standard output: %s", strerror(errno));
        return EXIT_ERROR;
    }
    return status;
}
