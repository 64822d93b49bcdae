#include "sim/credit2_load.h"

#include "sim/emit.h"

enum { GRANULARITY_SHIFT = 10, WINDOW_SHIFT = 20, PRECISION_SHIFT = 18 };

/* The load was `load->now` since the last update. */
static void update(struct credit2_load *load, uint64_t now_ns)
{
    int64_t now = (int64_t)(now_ns >> GRANULARITY_SHIFT), scaled = load->now << PRECISION_SHIFT;
    int64_t delta = now > load->updated ? now - load->updated : 0;
    if (delta > (int64_t)1 << WINDOW_SHIFT)
        load->average = scaled;
    else
        load->average += ((delta * scaled) >> WINDOW_SHIFT) - ((delta * load->average) >> WINDOW_SHIFT);
    load->updated = now;
}

void credit2_load_of_runq(struct sim_pcpu *on, struct credit2_load *runq, int change)
{
    update(runq, on->clock_ns);
    runq->now += change;
    uint32_t low = (uint32_t)runq->average, high = (uint32_t)(runq->average >> 32);
    EMIT(on, TRC_CSCHED2_UPDATE_RUNQ_LOAD, low, high, low, high,
         (uint32_t)runq->now | (uint32_t)PRECISION_SHIFT << 24);
}

static void record_both(struct sim_pcpu *on, struct credit2_load *runq, int change)
{
    emit(on, TRC_CSCHED2_UPDATE_LOAD, NULL, 0);
    credit2_load_of_runq(on, runq, change);
}

void credit2_load_change(struct sim_pcpu *on, struct credit2_load *runq, struct credit2_load *vcpu,
                         const struct sim_vcpu *v, int change)
{
    record_both(on, runq, change);
    update(vcpu, on->clock_ns);
    vcpu->now += change;
    EMIT(on, TRC_CSCHED2_UPDATE_UNIT_LOAD, (uint32_t)vcpu->average, (uint32_t)(vcpu->average >> 32),
         vcpu_word(v), PRECISION_SHIFT);
}

void credit2_load_unchanged(struct sim_pcpu *on, struct credit2_load *runq)
{
    record_both(on, runq, 0);
}
