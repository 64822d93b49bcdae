/*
 * A simulated host for the tests of its schedulers: what ran when, read from the bytes of its trace by a decoder of its own,
 * which knows nothing but windows and runstate changes.
 */
#ifndef XENMETER_TESTS_UNIT_SIM_RUN_H
#define XENMETER_TESTS_UNIT_SIM_RUN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "sim/scenario.h"

struct sim_span {
    uint64_t from_ns, to_ns;
    uint32_t vcpu; /* domain << 16 | vcpu */
    uint32_t pcpu;
};

/* A record of the scheduler's own. */
struct sim_mark {
    uint64_t at_ns;
    uint32_t event;
};

struct sim_run {
    struct sim_mark *marks; /* in the order of the windows */
    size_t mark_count, mark_space;
    struct sim_span *spans; /* of running, complete ones, in the order in which they ended on their pCPU */
    size_t count, space;
    json_t *truth;
};

/*
 * Makes a scenario, which the caller frees; and runs one, in which ' stands for ". The host has a tsc of 1 GHz,
 * interrupts between pCPUs and switches that take no time,
 * and no ticks; records of an act are only 50 ns apart, so that schedules worked out by hand hold, unless `host` has 'record_ns'.
 * `host` are further members of the object "host".
 */
struct scenario *sim_scenario(const char *duration, const char *host, const char *domains);
struct sim_run sim_run(const char *duration, const char *host, const char *domains);
void sim_run_end(struct sim_run *run);

/* The domain's vCPU 0 ran in exactly these spans at first: from, to, from, to ... in us, give or take 10 us. */
#define RAN(run, domain, ...)                                                                                \
    check_ran(run, domain, (const uint64_t[]){__VA_ARGS__},                                                  \
              sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t) / 2, __FILE__, __LINE__)
void check_ran(const struct sim_run *run, uint32_t domain, const uint64_t *us, size_t n, const char *file,
               unsigned line);

/* Records of that event were written at exactly these times, in us, give or take 10 us, on a host of one pCPU. */
#define RECORDED(run, event, ...)                                                                            \
    check_recorded(run, event, (const uint64_t[]){__VA_ARGS__},                                              \
                   sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), __FILE__, __LINE__)
void check_recorded(const struct sim_run *run, uint32_t event, const uint64_t *us, size_t n, const char *file,
                    unsigned line);

/* ns of a vCPU's state by the truth: "running_ns" and so on. */
int64_t sim_truth(const struct sim_run *run, uint32_t domain, const char *state);

/* Whether `value` is from `least` to `most`. */
#define WITHIN(value, least, most) CHECK((value) >= (least) && (value) <= (most))

#endif
