/* xenmeter COMMAND ...: finds the command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

const struct command commands[] = {
    {"report", "where the CPU went: per domain, vCPU or pCPU, at any granularity", command_report},
    {"info", "what is in a trace, and whether it can be trusted", command_info},
    {"dump", "every record, decoded, in time order", command_dump},
    {"charge", "who used the driver domains: guest by driver domain, with the evidence", command_charge},
    {"io-counts", "log the packets and requests of guests' devices, beside a trace", command_io_counts},
    {"archive", "traces and results in one compressed, checked, seekable file", command_archive},
    {"help", "this list, or the help of a command", command_help},
    {NULL, NULL, NULL},
};

#define COMMANDS_N (sizeof commands / sizeof commands[0])

static void print_commands(FILE *to)
{
    fputs("xenmeter - where the CPU of a Xen host went, and for whom, from the records of xentrace\n\n"
          "Usage: xenmeter COMMAND [OPTIONS] [FILE]\n\nCommands:\n",
          to);
    for (const struct command *c = commands; c->name; c++)
        fprintf(to, "  %-9s %s\n", c->name, c->summary);
    fputs("\nFILE is a capture, plain or compressed by zstd, or an archive; \"-\" is standard input.\n"
          "\"xenmeter COMMAND --help\" tells more; the definitions are in xenmeter-metrics(7).\n\n"
          "Examples:\n"
          "  xenmeter report capture.xt\n"
          "  xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -\n",
          to);
}

static const struct command *find_command(const char *name)
{
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_N] = {NULL};
    for (size_t i = 0; i < COMMANDS_N - 1; i++)
        names[i] = commands[i].name;
    const char *near = nearest_name(name, names);
    if (near)
        complain("there is no command '%s'; did you mean '%s'? (xenmeter help lists them)", name, near);
    else
        complain("there is no command '%s' (xenmeter help lists them)", name);
    return EXIT_ERROR;
}

int command_help(int argc, char **argv)
{
    const char *name = NULL;
    for (int i = 1; i < argc && !name; i++)
        if (argv[i][0] != '-')
            name = argv[i];
    if (!name || strcmp(name, "help") == 0) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    const struct command *c = find_command(name);
    if (!c)
        return unknown_command(name);
    char help[] = "--help";
    char *sub_command = argc > 2 && strcmp(name, "archive") == 0 ? argv[2] : help;
    char *arguments[] = {argv[0], sub_command, help, NULL};
    return c->run(3, arguments);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_ERROR;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("xenmeter " XENMETER_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    const struct command *c = find_command(argv[1]);
    return c ? c->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
    signals_install();
    int status = run(argc, argv);
    if (fflush(stdout) != 0 && errno != EPIPE) {
        complain("standard output: %s", strerror(errno));
        return EXIT_ERROR;
    }
    return status;
}
