#include "unseen.h"

#define UNCLEAN_SHARE 100 /* in a trace that is not clean one record of so many at least must be a proof */
#define OTHERS_SHARE  4   /* others must be fewer than the proofs by this factor */

static bool is_off_pcpu(enum runstate state)
{
    return state == RUNSTATE_RUNNABLE || state == RUNSTATE_BLOCKED || state == RUNSTATE_OFFLINE;
}

bool unseen_note(struct unseen *u, const struct contradiction *c, enum runstate old, bool clean)
{
    if (!is_off_pcpu(c->state) || !is_off_pcpu(old)) {
        u->others++;
        return false;
    }
    unsigned kept = u->proofs < UNSEEN_KEPT ? u->proofs : UNSEEN_KEPT;
    for (unsigned i = 0; i < kept; i++)
        u->repeated |= u->proof[i].vcpu == c->vcpu;
    u->proof[u->proofs++ % UNSEEN_KEPT] = *c;
    bool enough = u->proofs >= UNSEEN_PROOFS && (clean || u->proofs >= u->records / UNCLEAN_SHARE);
    return enough && u->repeated && u->others * OTHERS_SHARE < u->proofs;
}

void unseen_take_back(struct unseen *u, uint32_t vcpu)
{
    if (u->proofs > 0 && u->proof[(u->proofs - 1) % UNSEEN_KEPT].vcpu == vcpu)
        u->proofs--;
    else if (u->others > 0)
        u->others--;
}
