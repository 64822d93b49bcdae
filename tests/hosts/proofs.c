#include "proofs.h"

#include <stdlib.h>

/* The records that contradict, by time; those of one vCPU have the same number. */
struct proof {
    uint64_t tsc;
    uint32_t vcpu;
};

static bool contradicts(const struct seen_change *a, const struct seen_change *b)
{
    return a->domain == b->domain && a->vcpu == b->vcpu && a->to != b->from && a->to != RUNSTATE_RUNNING &&
           b->from != RUNSTATE_RUNNING;
}

/* Whether the second one is of another life of the domain. */
static bool is_reborn(const struct recording *r, const struct seen_change *a, const struct seen_change *b)
{
    for (size_t i = 0; i < r->vcpus_n; i++)
        if (r->vcpus[i].domain == b->domain && r->vcpus[i].vcpu == b->vcpu && r->vcpus[i].born_tsc > a->tsc &&
            r->vcpus[i].born_tsc <= b->tsc)
            return true;
    return false;
}

static size_t find(struct proof *found, const struct recording *r, const struct view *v, uint64_t end_tsc)
{
    size_t n = 0;
    for (size_t i = 1; i < v->changes_n; i++) {
        const struct seen_change *a = &v->changes[i - 1], *b = &v->changes[i];
        if (b->tsc <= end_tsc && contradicts(a, b) && !is_reborn(r, a, b))
            found[n++] = (struct proof){b->tsc, (uint32_t)b->domain << 16 | b->vcpu};
    }
    return n;
}

static int by_time(const void *a, const void *b)
{
    const struct proof *x = a, *y = b;
    return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

static bool is_repeated(const struct proof *found, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (found[i].vcpu == found[n - 1].vcpu)
            return true;
    return false;
}

/* When there were enough; 0: never. */
static uint64_t enough_at(const struct proof *found, size_t n)
{
    enum { LEAST = 3 };
    bool repeated = false;
    for (size_t i = 0; i < n; i++) {
        repeated = repeated || is_repeated(found, i + 1);
        if (repeated && i + 1 >= LEAST)
            return found[i].tsc;
    }
    return 0;
}

bool proofs_make(struct proofs *proofs, const struct plan *plan, const struct recording *r,
                 const struct view *v, uint64_t end_tsc)
{
    enum { SHARE = 50 };
    bool unclean = v->lost || plan->hole_ms || plan->skew_ns; /* full rings lose records, too */
    struct proof *found = calloc(v->changes_n + 1, sizeof *found);
    if (!found)
        return false;
    size_t n = find(found, r, v, end_tsc);
    qsort(found, n, sizeof *found, by_time);
    uint64_t tsc = enough_at(found, n);
    *proofs = (struct proofs){.n = n, .enough = tsc && (!unclean || n * SHARE >= v->changes_n)};
    if (tsc && unclean) /* of many contradictions, or few */
        tsc = found[n - 1].tsc;
    /* A loss may be reported half a second late; what is known after a second is too late for the beginning. */
    if (tsc - v->first_tsc > r->cpu_hz / 2)
        proofs->since_tsc = tsc + r->cpu_hz / 2;
    free(found);
    return true;
}
