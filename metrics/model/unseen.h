/*
 * Are there pCPUs that were never recorded (xentrace -c), on which vCPUs run? Where nothing was lost, a vCPU whose next record
 * does not fit, and that was on no pCPU according to both, was woken, ran or stopped where nobody wrote it down. One such
 * contradiction may be chance, or clocks that are apart; several, of which a vCPU has more than one, and hardly any of
 * another kind, are such a pCPU. Where records were lost as well, or clocks are apart, such contradictions come up now and
 * then, and many are needed. From then on the host is in the dark (blind.h), and what the contradictions were about is
 * unknown, as far as it is not settled.
 */
#ifndef XENMETER_METRICS_MODEL_UNSEEN_H
#define XENMETER_METRICS_MODEL_UNSEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "states.h"

#define UNSEEN_PROOFS 3  /* so many at least */
#define UNSEEN_KEPT   64 /* and so many are remembered */

/* A vCPU was thought to be in a state; its next record contradicts. */
struct contradiction {
    uint32_t vcpu;
    enum runstate state;
};

struct unseen {
    uint64_t records; /* about states, so far; the caller counts */
    bool known;       /* there is such a pCPU: the caller sets it */
    bool repeated;    /* a vCPU has two of the proofs */
    uint64_t others;  /* contradictions that no such pCPU explains */
    unsigned proofs;
    struct contradiction proof[UNSEEN_KEPT]; /* the last ones: number i is at i % UNSEEN_KEPT */
};

/*
 * Notes a contradiction that lost records do not explain: the record says that the vCPU was in state `old`. `clean`: no
 * records were lost so far, and no clocks seen apart. Returns whether there is an unseen pCPU, by all contradictions so far.
 */
bool unseen_note(struct unseen *u, const struct contradiction *c, enum runstate old, bool clean);

/* The last contradiction noted of this vCPU turned out to be none. */
void unseen_take_back(struct unseen *u, uint32_t vcpu);

#endif
