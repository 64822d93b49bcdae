/*
 * parts LEN FOLDER < TRACE - makes archives FOLDER/0.xma, 1.xma ... of a trace that comes through a pipe, each of LEN ns, which
 * adjoin; prints a line for each: its begin and end (tsc), and how it ended. A further argument: "trace": they keep it; "anew": none goes
 * on with what the one before knew.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/part.h"

struct cutting {
    uint64_t len_ns, number, first_tsc;
    const struct part_link *link;
};

/* Parts end at multiples of the length from the recording's beginning. */
static uint64_t end(void *context, const struct clock *clock, uint64_t settled_tsc)
{
    struct cutting *c = context;
    (void)settled_tsc;
    c->first_tsc = c->number == 0 ? clock->tsc_first : c->first_tsc;
    return c->first_tsc + (uint64_t)((double)(c->number + 1) * (double)c->len_ns * clock->cpu_hz / 1e9);
}

static void sweep(void *context, const struct clock *clock, uint64_t at, uint64_t tsc)
{
    (void)context;
    (void)clock;
    (void)at;
    (void)tsc;
}

static void facts(void *context, bool first, struct buffer *lines)
{
    (void)context;
    (void)first;
    (void)lines;
}

static void counts(void *context, bool first, struct buffer *lines)
{
    (void)context, (void)first, (void)lines;
}

static void summary(void *context, struct summary *s)
{
    (void)context;
    (void)s;
}

static void tick(void *context)
{
    (void)context;
}

int main(int argc, char **argv)
{
    static struct capture_options capture = {
        .bys = 1u << BY_DOMAIN | 1u << BY_VCPU | 1u << BY_PCPU,
        .granularities_ns = {100000000, 0},
        .granularities = 2,
        .executions = true,
        .charge = {.wanted = true},
    };
    struct cutting cutting = {.len_ns = argc > 2 ? strtoull(argv[1], NULL, 10) : 0};
    struct spool_watch spool_watch = {NULL, tick, NULL};
    struct part_watch watch = {&cutting, end, sweep, NULL, facts, counts, summary};
    struct part_link link = {0};
    struct part_result result;
    struct error err = {0};
    char path[PATH_MAX];
    if (cutting.len_ns == 0)
        return 2;
    memcpy(capture.charge.weights, charge_default_weights, sizeof capture.charge.weights);
    struct spool *spool = spool_new(dup(STDIN_FILENO), 80u << 20, 0, &spool_watch, &err);
    struct part_options options = {.path = path,
                                   .identity = path,
                                   .host = "host",
                                   .tool = "parts",
                                   .level = 1,
                                   .threads = 1,
                                   .with_trace = argc > 3 && strcmp(argv[3], "trace") == 0,
                                   .memory_limit = 1u << 30,
                                   .capture = &capture,
                                   .spool = spool,
                                   .watch = &watch};
    do {
        snprintf(path, sizeof path, "%s/%" PRIu64 ".xma", argv[2], cutting.number);
        if (part_run(&options, &link, &result, &err) != 0) {
            fprintf(stderr, "%s: %s\n", path, err.message);
            return 2;
        }
        printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %u %s\n", cutting.number, result.begin_tsc,
               result.end_tsc, result.end, link.snapshot ? "goes on" : "anew");
        cutting.number++;
        if (argc > 3 && strcmp(argv[3], "anew") == 0)
            part_link_free(&link);
    } while (result.end == PART_MOMENT);
    part_link_free(&link);
    spool_free(spool);
    return 0;
}
