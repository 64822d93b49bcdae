/* What a sink was told, call by call, and whether two were told the same. */
#ifndef XENMETER_TESTS_UNIT_TOLD_H
#define XENMETER_TESTS_UNIT_TOLD_H

#include "metrics/meter.h"

/* Lists in a struct rollup_plan. */
#define KEPT(...)  .kept_ns = {__VA_ARGS__}, .kept = sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)
#define ASKED(...) .asked_ns = {__VA_ARGS__}, .asked = sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)

enum what { INTERVAL, EXECUTION, CHARGES, BEFORE_SEEN };

struct told {
    enum what what;
    struct interval interval;
    struct execution execution;
    size_t n;
    struct row *rows;
    struct measures *measures;
    struct charge_idd *idds;
    struct charge_guest *guests; /* of all of them */
    struct before_seen before_seen;
};

struct told_calls {
    struct told *items;
    size_t n, capacity;
};

/* Notes all calls. */
struct meter_sink told_sink(struct told_calls *r);
void told_forget(struct told_calls *r);

/*
 * The number of the first call that differs in anything; -1: none does. Fractions of a ns may differ in the last
 * digits: they may have been added in another order.
 */
long told_difference(const struct told_calls *a, const struct told_calls *b);

/* How many rows have time before they were seen. */
size_t told_before_seen(const struct told_calls *r);

/* Forgets the calls that are about rows of other bys. */
void told_only(struct told_calls *r, enum by by);

bool same_histogram(const struct histogram *a, const struct histogram *b);
bool same_interval(const struct interval *a, const struct interval *b);

#endif
