/*
 * What a run in which something failed must have come to.
 */
#ifndef TESTS_FAULTS_JUDGE_H
#define TESTS_FAULTS_JUDGE_H

#include "tests/faults/run.h"

struct undisturbed {
    struct run run;
    struct folder before; /* what was there before */
    bool varies;          /* two runs print, or write, different bytes: only how a run ends is compared */
    bool streams;         /* what was printed before a failure may stay */
    bool several;         /* files that are whole may stay */
    bool partial;         /* a file NAME.partial may stay */
    bool acts;            /* what it leaves is not judged */
};

/* What is wrong with the run, or NULL. WORDS: those of the command, for its files' names. */
const char *judge(const struct run *r, const struct undisturbed *u, const struct fault_plan *plan,
                  char *const *words);

#endif
