/*
 * Are there pCPUs that were never recorded (xentrace -c), on which vCPUs run? Where nothing was lost, a vCPU whose next record
 * does not fit, and that was on no pCPU according to both, was woken, ran or stopped where nobody wrote it down. One such
 * contradiction may be chance, or clocks that are apart; several, of which a vCPU has more than one, and hardly any of
 * another kind, are such a pCPU. Where records were lost as well, or clocks are apart, such contradictions come up now and
 * then, and many are needed; clocks are apart where most contradictions turn out to be records that came late. A loss may be reported after the contradictions that it explains: it takes them back, and so
 * nothing is concluded for a while. From then on the host is in the dark (blind.h), and what the contradictions were about
 * is unknown, as far as it is not settled.
 */
#ifndef XENMETER_METRICS_MODEL_UNSEEN_H
#define XENMETER_METRICS_MODEL_UNSEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "states.h"

#define UNSEEN_PROOFS  3          /* so many at least */
#define UNSEEN_KEPT    64         /* and so many are remembered */
#define UNSEEN_WAIT_NS 100000000u /* how long it takes until a loss is reported: so long at least, */
#define UNSEEN_MOST_NS 500000000u /* and so long at most */
#define UNSEEN_NEVER   UINT64_MAX

/* A vCPU was thought to be in a state; its next record contradicts. */
struct contradiction {
    uint64_t at_ns;
    uint32_t vcpu;
    enum runstate state;
};

struct unseen {
    uint64_t records;   /* about states, so far; the caller counts */
    bool known;         /* there is such a pCPU: the caller sets it */
    bool repeated;      /* a vCPU has two of the proofs */
    uint64_t others;    /* contradictions that no such pCPU explains */
    uint64_t late;      /* that were none: records that came late, as they do where clocks are apart */
    uint64_t enough_ns; /* since when there are enough proofs, UNSEEN_NEVER: there are not */
    unsigned tickled;   /* pCPUs that Xen made schedule and that never wrote; the caller sets it */
    unsigned proofs;
    struct contradiction proof[UNSEEN_KEPT]; /* the last ones: number i is at i % UNSEEN_KEPT */
};

/*
 * Notes a contradiction that lost records do not explain: the record says that the vCPU was in state `old`. `clean`: no
 * records were lost so far. Since enough_ns there is an unseen pCPU, unless a loss that is reported
 * later explains the contradictions.
 */
void unseen_note(struct unseen *u, const struct contradiction *c, enum runstate old, bool clean);

/* Lost records explain the contradictions after from_ns. */
void unseen_explain(struct unseen *u, uint64_t from_ns);

/* The last contradiction noted of this vCPU turned out to be none. */
void unseen_take_back(struct unseen *u, uint32_t vcpu);

#endif
