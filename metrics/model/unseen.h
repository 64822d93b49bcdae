/*
 * Are there pCPUs that were never recorded (xentrace -c), on which vCPUs run? Where nothing was lost, a vCPU whose next record
 * does not fit, and that was on no pCPU according to both, was woken, ran or stopped where nobody wrote it down. One such
 * contradiction may be chance, or clocks that are apart; several, of which a vCPU has more than one, and hardly any of
 * another kind, are such a pCPU. Where records were lost as well, or clocks are apart, such contradictions come up now and
 * then, and many are needed; clocks are apart where most contradictions turn out to be records that came late. A loss
 * may be reported after the contradictions that it explains: it takes them back, and so
 * nothing is concluded for a while. From then on the host is in the dark (blind.h), and what the contradictions were about
 * is unknown, as far as it is not settled.
 *
 * Where many records contradict what went before, whatever the reason (a counter that was set by less than shows), who ran where
 * is not sure, either: the host is in the dark from then on, too.
 */
#ifndef XENMETER_METRICS_MODEL_UNSEEN_H
#define XENMETER_METRICS_MODEL_UNSEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "population.h"
#include "states.h"

#define UNSEEN_PROOFS   3          /* so many at least */
#define UNSEEN_KEPT     64         /* of so many the last ones it is known whose they are */
#define UNSEEN_WAIT_NS  100000000u /* how long it takes until a loss is reported: so long at least, */
#define UNSEEN_MOST_NS  500000000u /* and so long at most */
#define UNSEEN_NEVER    UINT64_MAX
#define MUDDLE_SHARE    64 /* one record in so many contradicts what went before, */
#define MUDDLE_PROOFS   16 /* and so many more have: records are not in the order in which things happened */
#define UNEXPLAINED_MAX 2048 /* so many records are kept */

enum unexplained_kind {
    UNEXPLAINED_FIRST, /* a vCPU's first record: since_ns is its birth; it contradicts nothing */
    UNEXPLAINED_PROOF, /* a contradiction that a pCPU which is not recorded would explain, */
    UNEXPLAINED_OTHER  /* and one that it would not */
};

/* A record that nothing explained when it came: a loss may still be reported that does. */
struct unexplained {
    uint64_t since_ns, at_ns; /* of the record before, of the record */
    uint32_t vcpu;            /* NOBODY: it is explained by now */
    uint16_t pcpu;            /* where the vCPU was thought to be, */
    uint8_t state;            /* and in which state (enum runstate) */
    uint8_t kind;             /* enum unexplained_kind */
};

struct unseen {
    uint64_t records;        /* about states, so far; the caller counts */
    bool known;              /* there is such a pCPU: the caller sets it */
    bool repeated;           /* a vCPU has two of the proofs */
    uint64_t proofs;         /* contradictions that nothing explained so far, */
    uint64_t others;         /* and those that no such pCPU explains */
    uint64_t late;           /* that were none: records that came late, and fit nothing else */
    uint64_t muddle;         /* contradictions, each as MUDDLE_SHARE, less the records since, down to 0, */
    uint64_t muddle_records; /* when there were so many records */
    uint64_t enough_ns;      /* since when there are enough proofs, UNSEEN_NEVER: there are not */
    unsigned tickled;        /* pCPUs that Xen made schedule and that never wrote; the caller sets it */
    uint64_t n; /* how many records came that nothing explained: number i is at i % UNEXPLAINED_MAX */
    struct unexplained unexplained[UNEXPLAINED_MAX];
};

/* Notes the first record of a vCPU. The kind is set. */
void unseen_note_first(struct unseen *u, const struct unexplained *first);

/*
 * Notes a contradiction that lost records do not explain: the record says that the vCPU was in state `old`. The kind is set.
 * `clean`: no records were lost so far. Since enough_ns there is an unseen pCPU, unless a loss that is reported later explains
 * the contradictions.
 */
void unseen_note(struct unseen *u, const struct unexplained *contradiction, enum runstate old, bool clean);

/* A record contradicts what went before, and nothing explains it. Whether there are too many of these: see MUDDLE_SHARE. */
bool unseen_muddled(struct unseen *u);

/* What is left of unseen.muddle. */
static inline uint64_t unseen_muddle(const struct unseen *u)
{
    uint64_t since = u->records - u->muddle_records;
    return u->muddle > since ? u->muddle - since : 0;
}

/* The number of the oldest record that is kept. */
static inline uint64_t unseen_oldest(const struct unseen *u)
{
    return u->n > UNEXPLAINED_MAX ? u->n - UNEXPLAINED_MAX : 0;
}

/* Lost records explain it. After all that they explain unseen_reconsider is due. */
void unseen_explain(struct unseen *u, struct unexplained *explained);
void unseen_reconsider(struct unseen *u);

/* The last contradiction noted of this vCPU turned out to be none. False: there is none that nothing else explained. */
bool unseen_take_back(struct unseen *u, uint32_t vcpu);

#endif
