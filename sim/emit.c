#include "sim/emit.h"

/* What the hypervisor needs between two records of one act. */
enum { EMIT_STEP_NS = 20, EMIT_STEP_MASK = 63 };

/* How a hypercall's record says which arguments follow: two bits for each, from bit 20 on; 1: one word. */
#define ARGUMENT(n) (1u << (20 + 2 * (n)))

void emit(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count)
{
    struct sim_host *host = pcpu->host;
    if (host->recorded[event]) {
        trace_ring_insert(&pcpu->ring, event, host_tsc(host, pcpu->clock_ns), words, count);
        if (pcpu->clock_ns > host->last_ns)
            host->last_ns = pcpu->clock_ns;
    }
    pcpu->clock_ns += EMIT_STEP_NS + (prng_next(&host->rng) & EMIT_STEP_MASK);
}

void emit_vcpu(struct sim_pcpu *pcpu, enum trace_event event, const struct sim_vcpu *v)
{
    EMIT(pcpu, event, v->domain->id, v->id);
}

void emit_hypercall(struct sim_pcpu *pcpu, enum sim_hypercall number)
{
    EMIT(pcpu, TRC_PV_HYPERCALL_V2, number);
}

void emit_hypercall_command(struct sim_pcpu *pcpu, enum sim_hypercall number, uint32_t command)
{
    if (number == HYPERCALL_VCPU_OP)
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, number | ARGUMENT(0) | ARGUMENT(1), command, pcpu->current->id);
    else
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, number | ARGUMENT(0), command);
}

void emit_privileged(struct sim_pcpu *pcpu, uint64_t count)
{
    const uint32_t rip_low = 0x8107ee03u, rip_high = 0xffffffffu; /* somewhere in the kernel */
    for (; count > 0; count--)
        EMIT(pcpu, TRC_PV_EMULATE_PRIVOP_64, rip_low, rip_high);
}

void emit_task_switch(struct sim_pcpu *pcpu)
{
    emit_privileged(pcpu, 1);
    emit_hypercall(pcpu, HYPERCALL_SET_SEGMENT_BASE);
    emit_hypercall(pcpu, HYPERCALL_STACK_SWITCH);
}

void emit_system_call(struct sim_pcpu *pcpu)
{
    emit_privileged(pcpu, pcpu->current->domain->plan->privileged);
    emit_hypercall(pcpu, HYPERCALL_IRET);
}

void emit_grant_op(struct sim_pcpu *pcpu, uint32_t command, uint32_t count)
{
    EMIT(pcpu, TRC_PV_HYPERCALL_V2, HYPERCALL_GRANT_TABLE_OP | ARGUMENT(0) | ARGUMENT(2), command, count);
}

void emit_runstate(struct sim_pcpu *pcpu, struct sim_vcpu *v, enum sim_runstate to)
{
    EMIT(pcpu, (enum trace_event)(TRC_RUNSTATE_CHANGE + v->runstate * 4 + to), vcpu_word(v));
    v->runstate = (uint8_t)to;
}
