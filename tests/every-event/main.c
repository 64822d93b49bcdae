/* every-event - writes a xentrace capture with every record there is, and what each of them means. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/every-event/every_event.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "Usage: every-event [OPTION]... N TRACE TRUTH\n"
    "Writes N records (1..1000) of every event in every layout, of every number it can have, of every "
    "hypercall\n"
    "with every set of arguments, and of what is in no table, with drawn values, the extremes among them, "
    "and every\n"
    "value that has a name, to TRACE; to TRUTH a line of JSON for each record, in time order.\n"
    "\n"
    "      --seed N       of the random numbers (default 1)\n"
    "      --old-layout   what Xen 4.6 and older wrote differently\n"
    "      --amd          exits are those of AMD's processors\n";

enum option_id { O_SEED = 256, O_OLD, O_AMD };

static const struct option options[] = {{"seed", required_argument, NULL, O_SEED},
                                        {"old-layout", no_argument, NULL, O_OLD},
                                        {"amd", no_argument, NULL, O_AMD},
                                        {NULL, 0, NULL, 0}};

static void refuse(void)
{
    fputs(usage, stderr);
    exit(EXIT_USAGE);
}

static uint64_t parse_number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        refuse();
    return number;
}

static FILE *open_output(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        fprintf(stderr, "every-event: '%s': %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    return f;
}

static struct every_event_config parse_options(int argc, char **argv)
{
    struct every_event_config config = {.seed = 1};
    int id;
    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (id == O_SEED)
            config.seed = parse_number(optarg);
        else if (id == O_OLD)
            config.old = true;
        else if (id == O_AMD)
            config.amd = true;
        else
            refuse();
    }
    if (argc - optind != 3)
        refuse();
    uint64_t times = parse_number(argv[optind]);
    if (times < 1 || times > EVERY_EVENT_MOST)
        refuse();
    config.times = (unsigned)times;
    return config;
}

int main(int argc, char **argv)
{
    const struct every_event_config config = parse_options(argc, argv);
    FILE *trace = open_output(argv[optind + 1]), *truth = open_output(argv[optind + 2]);
    const char *wrong = every_event_write(&config, trace, truth);
    if (fclose(trace) != 0 && wrong == NULL)
        wrong = "the trace cannot be written";
    if (fclose(truth) != 0 && wrong == NULL)
        wrong = "the truth cannot be written";
    if (wrong != NULL)
        fprintf(stderr, "every-event: %s\n", wrong);
    return wrong == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
