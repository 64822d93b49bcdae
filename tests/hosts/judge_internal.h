/* judge_internal.h - a file being judged: shared by judge.c and judge_bounds.c. */
#ifndef XENMETER_TESTS_HOSTS_JUDGE_INTERNAL_H
#define XENMETER_TESTS_HOSTS_JUDGE_INTERNAL_H

#include "breadth.h"
#include "judge.h"
#include "proofs.h"
#include "host_tally.h"

enum kind { BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU, BY_UNKNOWN };

/* One file that is judged. */
struct judging {
    struct misses *misses;
    const struct plan *plan;
    const struct recording *r;
    const struct view *v;
    const struct breadth *breadth;
    struct proofs proofs; /* of unread pCPUs */
    uint64_t first_tsc;   /* as the program has it */
    double ns_per_cycle;
    double slack_ns; /* of each change of state: by so much records are off the instant */
};

/* One row of a report. */
struct place {
    enum kind by;
    uint64_t from, to; /* tsc */
    double length_ns;
    const json_t *row;
    const char *name;
    double tolerance_ns;
    bool whole; /* the row over the whole trace */
};

/* Tolerance, times and counts of a row about these vCPUs. */
struct sums {
    double states[RUNSTATE_COUNT];
    double alive_ns, breadth_ns, open_ns;
    struct tally tally;
    size_t changes, vcpus;
};

static inline bool has(const struct place *p, const char *column)
{
    return json_is_number(json_object_get(p->row, column));
}

/* 0: the row has none in this column. */
static inline double number(const struct place *p, const char *column)
{
    return json_number_value(json_object_get(p->row, column));
}

static inline double unknown(const struct place *p)
{
    return number(p, "unknown_ns");
}

static inline double doubtful(const struct place *p)
{
    return number(p, "doubtful_ns");
}

/* Notes that something of this kind does not hold; the text is that of the largest weight. `p` NULL: of no row. */
__attribute__((format(printf, 5, 6))) void judge_miss(struct judging *j, const struct place *p,
                                                      const char *kind, double weight, const char *format,
                                                      ...);

/*
 * Core scheduling shows by switches that contradict one another, again and again: in a few records it does not. A file that was
 * cut in its first sweep, or is of a host that hardly ever switches, has no more.
 */
bool judge_hides_cores(const struct judging *j);

/* No record before the row's end shows that something is missing: what the others say is all that there is. */
bool judge_is_silent(const struct judging *j, const struct place *p);

/* ns: the instant of each change is rounded to whole ns, by the hypervisor in its payloads or by the reader. */
double judge_tolerance(const struct judging *j, size_t vcpus, size_t changes);

/* The truth, in ns, lies within what the column says, its unknown and doubtful time. */
void judge_time(struct judging *j, const struct place *p, const char *column, const char *kind, double truth);

/* Adds what the vCPU did in the row's interval. */
void sums_add(struct judging *j, const struct place *p, const struct truth_vcpu *v, struct sums *sums);
/* The row, about these vCPUs, says so; sets its tolerance. */
void sums_check(struct judging *j, struct place *p, const struct sums *sums);

#endif
