#include "before_seen.h"

#include <string.h>

#include "metrics/min_max.h"

enum domain_runstate domain_runstate_of(const uint32_t in_state[RUNSTATES])
{
    bool running = in_state[RUNSTATE_RUNNING] > 0;
    bool runnable = in_state[RUNSTATE_RUNNABLE] > 0;
    bool blocked = in_state[RUNSTATE_BLOCKED] + in_state[RUNSTATE_OFFLINE] > 0;
    if (in_state[RUNSTATE_UNKNOWN] > 0)
        return DOMAIN_UNKNOWN;
    if (running)
        return runnable ? DOMAIN_CONCURRENCY_HAZARD : blocked ? DOMAIN_PARTIAL_RUN : DOMAIN_FULL_RUN;
    if (runnable)
        return blocked ? DOMAIN_PARTIAL_CONTENTION : DOMAIN_FULL_CONTENTION;
    return DOMAIN_BLOCKED;
}

void before_seen_doubt(struct before_seen *s, const struct dark_clock *dark)
{
    if (s->idle || s->state == RUNSTATE_RUNNING || s->state == RUNSTATE_UNKNOWN)
        return;
    s->light_ns = dark->blind > 0 ? s->seen_ns : dark->since_ns;
    s->doubtful_ns = min64(dark_clock_ns(dark, s->seen_ns), s->seen_ns - s->from_ns);
}

void before_seen_add(const struct before_seen *s, struct measures *m, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t ns = to_ns - from_ns, dark_ns = min64(max64(from_ns, s->light_ns), to_ns) - from_ns;
    bool of_pcpu = s->row.domain < 0;
    if (s->idle)
        m->idle_ns += s->state == RUNSTATE_RUNNING ? (int64_t)ns : 0;
    else if (!of_pcpu || s->state == RUNSTATE_RUNNING)
        m->state_ns[s->state] += (int64_t)ns;
    if (!of_pcpu)
        m->doubtful_ns += (int64_t)min64(dark_ns, s->doubtful_ns);
    if (of_pcpu) /* a vCPU turns time of which nobody knew into running time; the pCPU's length is its own */
        m->pcpu_unknown_ns += s->state == RUNSTATE_RUNNING ? -(int64_t)ns : (int64_t)ns;
    if (of_pcpu ? s->state == RUNSTATE_UNKNOWN : !s->idle || s->state == RUNSTATE_RUNNING)
        m->before_seen_ns += (int64_t)ns;
}

void before_seen_add_to_domain(const struct before_seen *s, int64_t domain_ns[DOMAIN_RUNSTATES], uint64_t ns)
{
    static const uint32_t members[DOMAIN_RUNSTATES][RUNSTATES] = {
        [DOMAIN_FULL_RUN] = {[RUNSTATE_RUNNING] = 1},
        [DOMAIN_FULL_CONTENTION] = {[RUNSTATE_RUNNABLE] = 1},
        [DOMAIN_CONCURRENCY_HAZARD] = {[RUNSTATE_RUNNING] = 1, [RUNSTATE_RUNNABLE] = 1},
        [DOMAIN_BLOCKED] = {[RUNSTATE_BLOCKED] = 1},
        [DOMAIN_PARTIAL_RUN] = {[RUNSTATE_RUNNING] = 1, [RUNSTATE_BLOCKED] = 1},
        [DOMAIN_PARTIAL_CONTENTION] = {[RUNSTATE_RUNNABLE] = 1, [RUNSTATE_BLOCKED] = 1},
        [DOMAIN_UNKNOWN] = {[RUNSTATE_UNKNOWN] = 1},
    };
    int64_t moved[DOMAIN_RUNSTATES] = {0};
    if (s->first) {
        uint32_t alone[RUNSTATES] = {0};
        alone[s->state] = 1;
        domain_ns[domain_runstate_of(alone)] += (int64_t)ns;
        return;
    }
    for (int d = 0; d < DOMAIN_RUNSTATES; d++) {
        uint32_t with[RUNSTATES];
        memcpy(with, members[d], sizeof with);
        with[s->state]++;
        moved[domain_runstate_of(with)] += domain_ns[d];
    }
    memcpy(domain_ns, moved, sizeof moved);
}
