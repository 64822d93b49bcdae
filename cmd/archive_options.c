#include "archive_options.h"

#include "archived.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, 'f'},
    {"host", required_argument, NULL, 'H'},
    {"partial", no_argument, NULL, 'P'},
    {"trace", no_argument, NULL, 't'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

#define OPTIONS_N (sizeof long_options / sizeof long_options[0] - 1)

static bool takes(const char *letters, int letter)
{
    return letter == 'h' || strchr(letters, letter) != NULL;
}

static void unknown_option(const char *command, const char *letters, const char *word)
{
    const char *names[OPTIONS_N + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS_N; i++)
        if (takes(letters, long_options[i].val))
            names[n++] = long_options[i].name;
    const char *near = strncmp(word, "--", 2) == 0 ? nearest_name(word + 2, names) : NULL;
    complain("archive %s has no option '%s'%s%s%s (xenmeter archive %s --help)", command, word,
             near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "", command);
}

static bool take(struct archive_arguments *a, int letter)
{
    switch (letter) {
    case 'o':
        a->output = optarg;
        return *optarg != '\0';
    case 'f':
        a->format = optarg;
        return strcmp(optarg, "table") == 0 || strcmp(optarg, "json") == 0;
    case 'H':
        a->host = optarg;
        return true;
    case 'P':
        a->partial = true;
        return true;
    case 't':
        a->trace = true;
        return true;
    case 'q':
        a->quiet = true;
        return true;
    default:
        a->verbose = true;
        return true;
    }
}

bool archive_arguments_parse(struct archive_arguments *a, const char *command, const char *letters,
                             const char *help, int argc, char **argv, int *status)
{
    *a = (struct archive_arguments){.format = "table"};
    *status = EXIT_ERROR;
    opterr = 0;
    optind = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, ":o:f:qvh", long_options, NULL)) != -1) {
        char short_word[3] = {'-', (char)optopt, '\0'};
        const char *word =
            optind > 0 && strncmp(argv[optind - 1], "--", 2) == 0 ? argv[optind - 1] : short_word;
        if (letter == 'h') {
            fputs(help, stdout);
            *status = EXIT_DONE;
            return false;
        }
        if (letter == ':') {
            complain("option '%s' wants a value (xenmeter archive %s --help)", word, command);
            return false;
        }
        if (letter == '?' || !takes(letters, letter)) {
            const char short_known[3] = {'-', (char)letter, '\0'};
            unknown_option(command, letters,
                           letter == '?'                             ? word
                           : strncmp(argv[optind - 1], "--", 2) == 0 ? argv[optind - 1]
                                                                     : short_known);
            return false;
        }
        if (!take(a, letter)) {
            complain("archive %s: -%c %s: %s (xenmeter archive %s --help)", command, letter, optarg,
                     letter == 'f' ? "table or json" : "wants the name of a file", command);
            return false;
        }
    }
    a->files = argv + optind;
    a->files_n = argc - optind;
    struct error err = {0};
    bool is;
    for (int i = 0; i < a->files_n; i++)
        if (input_is_archive(a->files[i], &is, &err) !=
            0) { /* one that comes through a pipe goes to a file */
            fail(a->files[i], &err);
            return false;
        }
    return true;
}
