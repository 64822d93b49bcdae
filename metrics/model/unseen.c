#include "unseen.h"

#define UNCLEAN_SHARE 100 /* in a trace that is not clean one record of so many at least must be a proof */
#define OTHERS_SHARE                                                                                         \
    4 /* others must be fewer than the proofs by this factor, and so must records that came late */

static bool is_off_pcpu(enum runstate state)
{
    return state == RUNSTATE_RUNNABLE || state == RUNSTATE_BLOCKED || state == RUNSTATE_OFFLINE;
}

/* Whether the vCPU of proof number `at` has another one before it. */
static bool is_repeated(const struct unseen *u, unsigned at)
{
    unsigned oldest = at > UNSEEN_KEPT ? at - UNSEEN_KEPT : 0;
    for (unsigned i = oldest; i < at; i++)
        if (u->proof[i % UNSEEN_KEPT].vcpu == u->proof[at % UNSEEN_KEPT].vcpu)
            return true;
    return false;
}

void unseen_note(struct unseen *u, const struct contradiction *c, enum runstate old, bool clean)
{
    if (!is_off_pcpu(c->state) || !is_off_pcpu(old)) {
        u->others++;
        return;
    }
    u->proof[u->proofs % UNSEEN_KEPT] = *c;
    u->repeated |= is_repeated(u, u->proofs++);
    clean = clean && u->late * OTHERS_SHARE < u->proofs;
    bool enough = u->proofs >= UNSEEN_PROOFS && (clean || u->proofs >= u->records / UNCLEAN_SHARE) &&
                  u->repeated && u->others * OTHERS_SHARE < u->proofs;
    if (!enough)
        u->enough_ns = UNSEEN_NEVER;
    else if (u->enough_ns == UNSEEN_NEVER)
        u->enough_ns = c->at_ns;
}

void unseen_explain(struct unseen *u, uint64_t from_ns)
{
    unsigned before = u->proofs;
    while (u->proofs > 0 && u->proof[(u->proofs - 1) % UNSEEN_KEPT].at_ns > from_ns)
        u->proofs--;
    if (u->proofs == before)
        return;
    u->enough_ns = UNSEEN_NEVER;
    u->repeated = false;
    unsigned oldest = before > UNSEEN_KEPT ? before - UNSEEN_KEPT : 0;
    for (unsigned i = oldest; i < u->proofs; i++)
        u->repeated |= is_repeated(u, i);
}

void unseen_take_back(struct unseen *u, uint32_t vcpu)
{
    if (u->proofs > 0 && u->proof[(u->proofs - 1) % UNSEEN_KEPT].vcpu == vcpu)
        u->proofs--;
    else if (u->others > 0)
        u->others--;
}
