#include "proofs.h"

static size_t contradictions(const struct view *v, bool *repeated)
{
    const struct seen_change *before = NULL;
    size_t n = 0;
    *repeated = false;
    for (size_t i = 1; i < v->changes_n; i++) {
        const struct seen_change *a = &v->changes[i - 1], *b = &v->changes[i];
        if (a->domain != b->domain || a->vcpu != b->vcpu || a->to == b->from || a->to == RUNSTATE_RUNNING ||
            b->from == RUNSTATE_RUNNING)
            continue;
        *repeated |= before && before->domain == b->domain && before->vcpu == b->vcpu;
        before = b;
        n++;
    }
    return n;
}

struct proofs proofs_of(const struct plan *plan, const struct view *v)
{
    enum { LEAST = 3, SHARE = 50 };
    bool repeated, unclean = plan->losses || plan->hole_ms || plan->skew_ns;
    size_t n = contradictions(v, &repeated);
    return (struct proofs){n, n >= LEAST && repeated && (!unclean || n * SHARE >= v->changes_n)};
}
