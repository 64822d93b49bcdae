/* Runs a capture through the whole road, from bytes to rows, and keeps what came out. */
#ifndef XENMETER_TESTS_UNIT_RUN_H
#define XENMETER_TESTS_UNIT_RUN_H

#include "bytes.h"
#include "check.h"
#include "metrics/pipeline.h"

struct setup {
    enum by by;
    uint64_t
        granularities_ns[8]; /* up to the first 0; none: the whole trace. The whole trace always comes too. */
    bool executions;
    uint64_t from_ns, to_ns;
    const uint8_t *pcpus_wanted;
    double cpu_hz;                 /* 0: 1 GHz, so that a cycle is a ns; negative: measured */
    bool bytewise;                 /* through a pipe, one byte at a time */
    const struct consumer *beside; /* in the same pass; NULL: none */
    struct charge_options charge;  /* no weights given: all events weigh 1 */
};

/* A driver domain in one interval, and its guests. */
struct kept_idd {
    struct interval interval;
    struct charge_idd idd; /* its `guests` are the ones below */
    struct charge_guest guests[16];
};

struct kept_row {
    struct interval interval;
    struct row row; /* its `measures` are the ones below */
    struct measures measures;
};

struct result {
    enum by by;
    struct kept_row *rows;
    size_t rows_n, rows_capacity;
    size_t intervals; /* handed out */
    struct kept_idd *idds;
    size_t idds_n, idds_capacity;
    struct charge_summary charges;
    struct execution *executions;
    size_t executions_n, executions_capacity;
    struct quality quality;
    struct clock clock;
    struct trace_summary summary; /* without the file's name */
    uint64_t end_ns;
    size_t domains, vcpus;
    int status; /* 0, or -1 with `err` */
    struct error err;
};

struct result run(struct trace_bytes *c, struct setup setup);
void result_free(struct result *r);

/* A pipeline with one consumer, who wants these rows. */
struct pipeline *rows_pipeline(const struct meter_options *options);

struct key {
    uint64_t every, at; /* granularity and start of the interval; 0: the whole trace */
    int domain, vcpu, pcpu;
    unsigned life; /* 0: the first */
};

/* A row by the parts of its key that its kind has; missing: the check fails, and all is 0. */
#define ROW(r, ...)     find_row(r, (struct key){__VA_ARGS__}, true, __FILE__, __LINE__)
#define HAS_ROW(r, ...) (find_row(r, (struct key){__VA_ARGS__}, false, __FILE__, __LINE__) != NULL)
const struct measures *find_row(const struct result *r, struct key key, bool required, const char *file,
                                unsigned line);

/* What a driver domain was charged for in an interval (granularity `every`, begin `at`); NULL: it is not there. */
const struct charge_idd *find_idd(const struct result *r, uint64_t every, uint64_t at, int domain);
/* A guest of it; all 0 when there is none. */
const struct charge_guest *find_guest(const struct charge_idd *idd, int domain);

#endif
