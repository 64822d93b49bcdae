#include "sim/emit.h"

/* What the hypervisor needs between two records of one act: 0.4 to 1.66 of the scenario's `record` or `guest_record`. */
enum { STEP_LEAST = 20, STEP_MASK = 63, STEP_UNIT = 50 };
/* Records of what guests ask for: the classes TRC_HVM, TRC_MEM and TRC_PV. */
enum { GUEST_CLASSES = 0x08 | 0x10 | 0x20 };

/* How a hypercall's record says which arguments follow: two bits for each, from bit 20 on; 1: one word. */
#define ARGUMENT(n) (1u << (20 + 2 * (n)))

/* The words are today's. */
static void write_record(struct sim_pcpu *pcpu, enum trace_event event, uint64_t ns, const uint32_t *words,
                         unsigned count)
{
    const struct sim_host *host = pcpu->host;
    uint32_t then[TRACE_EXTRA_MAX];
    if (host->layout.past[event]) {
        for (unsigned i = 0; i < count; i++)
            then[i] = words[i];
        count = trace_layout_words(&host->layout, event, then, count);
        words = then;
    }
    if (host->tap)
        host->tap->record(host->tap->context, pcpu, event, ns, words, count);
    else
        trace_ring_insert(&pcpu->ring, event, host_tsc(host, ns), words, count);
}

static void take_step(struct sim_pcpu *pcpu, uint64_t record_ns)
{
    pcpu->clock_ns += (STEP_LEAST + (prng_next(&pcpu->host->rng) & STEP_MASK)) * record_ns / STEP_UNIT;
}

void emit_nothing(struct sim_pcpu *pcpu)
{
    take_step(pcpu, pcpu->host->plan->record_ns);
}

static void put(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count)
{
    struct sim_host *host = pcpu->host;
    const bool of_guest = (trace_event_info[event].id >> 16 & GUEST_CLASSES) != 0;
    if (host->recorded[event]) {
        write_record(pcpu, event, pcpu->clock_ns, words, count);
        if (pcpu->clock_ns > host->last_ns)
            host->last_ns = pcpu->clock_ns;
    }
    take_step(pcpu, of_guest ? host->plan->guest_record_ns : host->plan->record_ns);
}

/* ---- HVM guests ---- */

void emit_entry(struct sim_pcpu *pcpu)
{
    if (pcpu->in_guest || !vcpu_is_hvm(pcpu->current))
        return;
    put(pcpu, TRC_VMENTRY, NULL, 0);
    pcpu->in_guest = true;
}

void emit_exit(struct sim_pcpu *pcpu, enum sim_exit reason)
{
    const uint32_t rip_low = 0x81060000u + (uint32_t)reason * 0x140,
                   rip_high = 0xffffffffu; /* in its kernel */
    const uint32_t words[] = {reason, rip_low, rip_high};
    emit_entry(pcpu);
    pcpu->in_guest = false;
    pcpu->exit_ns = pcpu->clock_ns;
    put(pcpu, TRC_VMX_EXIT_64, words, 3);
}

void emit_handler(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count)
{
    if (pcpu->host->recorded[event])
        write_record(pcpu, event, pcpu->exit_ns, words, count);
}

/* Something else happens on the pCPU of an HVM guest: an interrupt has brought it there. */
static void interrupt_guest(struct sim_pcpu *pcpu)
{
    const uint32_t vector = 0xf0u - (pcpu->id & 0x3f);
    emit_exit(pcpu, EXIT_EXTERNAL_INTERRUPT);
    EMIT_HANDLER(pcpu, TRC_HVM_INTR, vector);
}

void emit(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count)
{
    if (pcpu->in_guest)
        interrupt_guest(pcpu);
    put(pcpu, event, words, count);
}

/* ---- what guests do ---- */

void emit_vcpu(struct sim_pcpu *pcpu, enum trace_event event, const struct sim_vcpu *v)
{
    EMIT(pcpu, event, v->domain->id, v->id);
}

/* Whether the vCPU is that of an HVM guest, which has exited for the hypercall then. */
static bool exited(struct sim_pcpu *pcpu, enum sim_hypercall number)
{
    if (!vcpu_is_hvm(pcpu->current))
        return false;
    if (number != HYPERCALL_IRET && number != HYPERCALL_STACK_SWITCH &&
        number != HYPERCALL_SET_SEGMENT_BASE) {
        emit_exit(pcpu, EXIT_VMCALL);
        EMIT_HANDLER(pcpu, TRC_HVM_VMMCALL, number);
    }
    return true;
}

void emit_hypercall(struct sim_pcpu *pcpu, enum sim_hypercall number)
{
    if (!exited(pcpu, number))
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, number);
}

void emit_hypercall_command(struct sim_pcpu *pcpu, enum sim_hypercall number, uint32_t command)
{
    if (exited(pcpu, number))
        return;
    if (number == HYPERCALL_VCPU_OP)
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, number | ARGUMENT(0) | ARGUMENT(1), command, pcpu->current->id);
    else
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, number | ARGUMENT(0), command);
}

void emit_halt(struct sim_pcpu *pcpu)
{
    if (!vcpu_is_hvm(pcpu->current)) {
        emit_hypercall_command(pcpu, HYPERCALL_SCHED_OP, SCHEDOP_BLOCK);
        return;
    }
    emit_exit(pcpu, EXIT_HLT);
    EMIT_HANDLER(pcpu, TRC_HVM_HLT, 0);
}

static void emit_end_of_interrupt(struct sim_pcpu *pcpu)
{
    const uint32_t x2apic_eoi = 0x80b;
    emit_exit(pcpu, EXIT_WRMSR);
    EMIT_HANDLER(pcpu, TRC_HVM_MSR_WRITE, x2apic_eoi, 0, 0);
}

void emit_privileged(struct sim_pcpu *pcpu, uint64_t count)
{
    const uint32_t rip_low = 0x8107ee03u, rip_high = 0xffffffffu; /* somewhere in the kernel */
    for (; count > 0; count--)
        if (vcpu_is_hvm(pcpu->current))
            emit_end_of_interrupt(pcpu);
        else
            EMIT(pcpu, TRC_PV_EMULATE_PRIVOP_64, rip_low, rip_high);
}

void emit_task_switch(struct sim_pcpu *pcpu)
{
    if (vcpu_is_hvm(pcpu->current))
        return;
    emit_privileged(pcpu, 1);
    emit_hypercall(pcpu, HYPERCALL_SET_SEGMENT_BASE);
    emit_hypercall(pcpu, HYPERCALL_STACK_SWITCH);
}

void emit_system_call(struct sim_pcpu *pcpu)
{
    if (vcpu_is_hvm(pcpu->current))
        return;
    emit_privileged(pcpu, pcpu->current->domain->plan->privileged);
    emit_hypercall(pcpu, HYPERCALL_IRET);
}

void emit_grant_op(struct sim_pcpu *pcpu, uint32_t command, uint32_t count)
{
    if (!exited(pcpu, HYPERCALL_GRANT_TABLE_OP))
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, HYPERCALL_GRANT_TABLE_OP | ARGUMENT(0) | ARGUMENT(2), command, count);
}

void emit_runstate(struct sim_pcpu *pcpu, struct sim_vcpu *v, enum sim_runstate to)
{
    EMIT(pcpu, (enum trace_event)(TRC_RUNSTATE_CHANGE + v->runstate * 4 + to), vcpu_word(v));
    v->runstate = (uint8_t)to;
}
