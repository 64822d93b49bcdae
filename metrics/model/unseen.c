#include "unseen.h"

#define UNCLEAN_SHARE 100 /* in a trace that is not clean one record of so many at least must be a proof */
#define OTHERS_SHARE  4   /* others must be fewer than the proofs by this factor */

static bool is_off_pcpu(enum runstate state)
{
    return state == RUNSTATE_RUNNABLE || state == RUNSTATE_BLOCKED || state == RUNSTATE_OFFLINE;
}

static struct unexplained *number(struct unseen *u, uint64_t i)
{
    return &u->unexplained[i % UNEXPLAINED_MAX];
}

static bool is_proof(const struct unexplained *e)
{
    return e->kind == UNEXPLAINED_PROOF && e->vcpu != NOBODY;
}

/* Whether the vCPU of number `at`, a proof, has another one before it. */
static bool is_repeated(struct unseen *u, uint64_t at)
{
    unsigned proofs = 0;
    for (uint64_t i = at; i-- > unseen_oldest(u) && proofs < UNSEEN_KEPT;) {
        if (is_proof(number(u, i)) && number(u, i)->vcpu == number(u, at)->vcpu)
            return true;
        proofs += is_proof(number(u, i));
    }
    return false;
}

static void note(struct unseen *u, const struct unexplained *e, enum unexplained_kind kind)
{
    *number(u, u->n) = *e;
    number(u, u->n++)->kind = (uint8_t)kind;
}

void unseen_note_first(struct unseen *u, const struct unexplained *first)
{
    note(u, first, UNEXPLAINED_FIRST);
}

void unseen_note(struct unseen *u, const struct unexplained *contradiction, enum runstate old, bool clean)
{
    if (!is_off_pcpu((enum runstate)contradiction->state) || !is_off_pcpu(old)) {
        note(u, contradiction, UNEXPLAINED_OTHER);
        u->others++;
        return;
    }
    note(u, contradiction, UNEXPLAINED_PROOF);
    u->proofs++;
    u->repeated = u->repeated || is_repeated(u, u->n - 1);
    clean = clean && u->late < u->proofs; /* most contradictions were not records that came late */
    bool enough = u->proofs >= UNSEEN_PROOFS && (clean || u->proofs >= u->records / UNCLEAN_SHARE) &&
                  u->repeated && u->others * OTHERS_SHARE < u->proofs;
    if (!enough)
        u->enough_ns = UNSEEN_NEVER;
    else if (u->enough_ns == UNSEEN_NEVER)
        u->enough_ns = contradiction->at_ns;
}

/* A contradiction turned out to be none. */
static void clear_muddle(struct unseen *u)
{
    uint64_t muddle = unseen_muddle(u);
    u->muddle = muddle > MUDDLE_SHARE ? muddle - MUDDLE_SHARE : 0;
    u->muddle_records = u->records;
}

void unseen_explain(struct unseen *u, struct unexplained *explained)
{
    if (is_proof(explained)) {
        u->proofs--;
        u->enough_ns = UNSEEN_NEVER;
        u->repeated = false;
    }
    if (explained->kind != UNEXPLAINED_FIRST)
        clear_muddle(u);
    explained->vcpu = NOBODY;
}

void unseen_reconsider(struct unseen *u)
{
    for (uint64_t i = unseen_oldest(u); i < u->n && !u->repeated; i++)
        u->repeated = is_proof(number(u, i)) && is_repeated(u, i);
}

bool unseen_take_back(struct unseen *u, uint32_t vcpu)
{
    for (uint64_t i = u->n; i-- > unseen_oldest(u);) {
        struct unexplained *e = number(u, i);
        if (e->vcpu != vcpu || e->kind == UNEXPLAINED_FIRST)
            continue;
        *(e->kind == UNEXPLAINED_PROOF ? &u->proofs : &u->others) -= 1;
        e->vcpu = NOBODY;
        clear_muddle(u);
        return true;
    }
    return false;
}

bool unseen_muddled(struct unseen *u)
{
    u->muddle = unseen_muddle(u) + MUDDLE_SHARE;
    u->muddle_records = u->records;
    return u->muddle >= MUDDLE_SHARE * MUDDLE_PROOFS;
}
