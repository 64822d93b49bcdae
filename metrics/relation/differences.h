/* The differences between two captures, and which of them are more than noise: a relation of struct difference. */
#ifndef XENMETER_METRICS_RELATION_DIFFERENCES_H
#define XENMETER_METRICS_RELATION_DIFFERENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/relation/sides.h"

/* What a difference is worth. */
enum change {
    CHANGE_SIGNIFICANT, /* more than noise */
    CHANGE_APPEARED,    /* the subject, or any value of it, is in the second capture only */
    CHANGE_GONE,        /* in the first only */
    CHANGE_UNKNOWN,     /* unknown or doubtful time may be all of it */
    CHANGE_UNJUDGED,    /* too few intervals or samples to know the noise */
    CHANGE_NOISE,       /* chance makes as much */
    CHANGE_NONE         /* the same value */
};

/* The words for them, ended by NULL. */
extern const char *const change_words[];

#define SIGNIFICANCE 0.01 /* of all differences of a report together */

/* One value of one subject in both captures. */
struct difference {
    int32_t domain; /* in the first capture, where it is in it; -1: rows are by pCPU */
    uint32_t life;
    int32_t after_domain; /* in the second; -1: it is not in it */
    uint32_t after_life;
    int32_t vcpu, pcpu;
    const char *name; /* the side's; NULL: not known */
    const struct comparable *of;
    double before, after; /* in the column's unit; NAN: unknown, or not in this capture */
    double noise;         /* 95 % of differences by chance are no larger; NAN: not known */
    double p_value;       /* adjusted for the number of differences; NAN: not known */
    double after_least,
        after_most; /* what `after` can be, for all that is known; the latter may be INFINITY */
    enum change change;
};

struct differences {
    struct difference *at;
    size_t n;
};

struct difference_options {
    bool brief; /* without values that are 0 on both sides, and totals that are the running time */
    bool poor;  /* one side is not to be trusted: nothing is significant */
    bool (*wanted)(const void *context, const struct difference *d); /* only these are compared; NULL: all */
    const void *context;
};

/*
 * Compares the sides: of each subject and column of the plan one difference, unless neither side has a
 * value. Subjects are the same by name where both sides know names, else by id and life. The significant ones come
 * first, larger changes before smaller ones; then by domain. They point into both sides. The caller frees `at`. False: no memory.
 */
bool differences_make(struct differences *d, const struct side *before, const struct side *after,
                      const struct difference_options *options);

/* The least and the most that the value can be, for all that is known of unknown and doubtful time; *most may be INFINITY. */
void value_bounds(const struct side_row *row, const struct comparison_plan *plan, size_t of, double *least,
                  double *most);

/* Per cent of before; NAN where that is 0 or not known. */
double relative_pct(const struct difference *d);

extern const struct relation relation_differences;

#endif
