#include "sim/hold.h"

#include "sim/disk.h"
#include "sim/network.h"
#include "sim/scheduler_ops.h"

#define PPM 1000000u

/* A part of one pCPU's time. */
struct time_part {
    uint64_t part_ns, of_ns;
};

/* What the scenario gives the domain's vCPUs together. */
static struct time_part own_part(const struct sim_host *host, const struct scenario_domain *d)
{
    switch (host->plan->scheduler) {
    case SCENARIO_SEDF:
        return (struct time_part){d->slice_ns * d->vcpus, d->period_ns};
    case SCENARIO_RTDS:
        return (struct time_part){d->budget_ns * d->vcpus, d->period_ns};
    default:
        return (struct time_part){d->cap_pct > 0 ? (uint64_t)(d->cap_pct * PPM / 100) : d->vcpus * PPM, PPM};
    }
}

/* The smallest cap at any driver domain. */
static uint64_t cap_of(const struct sim_host *host, const struct sim_domain *guest)
{
    uint64_t cap_ppm = SIM_FREE;
    for (const struct sim_pair *p = host->pairs; p; p = p->next)
        if (p->guest == guest && p->cap_ppm < cap_ppm)
            cap_ppm = p->cap_ppm;
    return cap_ppm;
}

static void set_cap(struct sim_host *host, struct sim_pair *pair, uint64_t cap_ppm)
{
    uint64_t before_ppm = cap_of(host, pair->guest);
    pair->cap_ppm = cap_ppm;
    cap_ppm = cap_of(host, pair->guest);
    if (cap_ppm == before_ppm)
        return;
    struct time_part part = own_part(host, pair->guest->plan);
    if (cap_ppm != SIM_FREE && (uint128)cap_ppm * part.of_ns < (uint128)part.part_ns * PPM)
        part = (struct time_part){cap_ppm, PPM};
    host->scheduler->set_allowance(host->scheduler_state, pair->guest, part.part_ns, part.of_ns);
}

void hold_pair(struct sim_host *host, struct sim_pair *pair, const struct sim_hold *hold, uint64_t now_ns)
{
    for (struct sim_vif *vif = pair->vifs; vif; vif = vif_next(vif))
        vif_hold(vif, hold, now_ns);
    if (pair->vbd)
        disk_hold(pair->vbd, hold, now_ns);
    if (host->scheduler->set_allowance)
        set_cap(host, pair, hold->cap_ppm);
}
