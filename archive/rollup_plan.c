/* What can be made of what. */
#include "archive/rollup_internal.h"
#include "metrics/min_max.h"

uint64_t rollup_to_ns(const struct rollup_plan *plan)
{
    return plan->to_ns ? min64(plan->to_ns, plan->end_ns) : plan->end_ns;
}

/* Whether intervals of this length, cut at `from` and `to`, are made of whole ones of the kept length. */
static bool fits(const struct rollup_plan *plan, uint64_t kept_ns, uint64_t asked_ns)
{
    bool to_the_end = rollup_to_ns(plan) == plan->end_ns;
    if (kept_ns == 0)
        return asked_ns == 0 && plan->from_ns == 0 && to_the_end;
    return asked_ns % kept_ns == 0 && plan->from_ns % kept_ns == 0 &&
           (to_the_end || plan->to_ns % kept_ns == 0);
}

static bool is_longer(uint64_t kept_ns, uint64_t than_ns)
{
    return than_ns != 0 && (kept_ns == 0 || kept_ns > than_ns);
}

bool rollup_possible(const struct rollup_plan *plan, size_t use[METER_GRANULARITIES])
{
    uint64_t to_ns = rollup_to_ns(plan);
    if (plan->kept > METER_GRANULARITIES || plan->asked > METER_GRANULARITIES)
        return false;
    if (plan->from_ns > 0 && plan->from_ns >= to_ns)
        return false;
    if (plan->executions && to_ns < plan->end_ns)
        return false;
    for (size_t i = 0; i < plan->asked; i++) {
        bool any = false;
        for (size_t k = 0; k < plan->kept; k++) {
            bool better = !any || is_longer(plan->kept_ns[k], plan->kept_ns[use[i]]);
            if (!better || !fits(plan, plan->kept_ns[k], plan->asked_ns[i]))
                continue;
            use[i] = k;
            any = true;
        }
        if (!any)
            return false;
    }
    return true;
}
