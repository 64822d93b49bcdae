/* emit.h - records of a simulated host's pCPUs. */
#ifndef XENMETER_SIM_EMIT_H
#define XENMETER_SIM_EMIT_H

#include "sim/host.h"

/* PV hypercalls (xen/include/public/xen.h), and the sub-operations that records name. */
enum sim_hypercall {
    HYPERCALL_STACK_SWITCH = 3,
    HYPERCALL_GRANT_TABLE_OP = 20,
    HYPERCALL_IRET = 23,
    HYPERCALL_VCPU_OP = 24,
    HYPERCALL_SET_SEGMENT_BASE = 25,
    HYPERCALL_SCHED_OP = 29,
    HYPERCALL_EVENT_CHANNEL_OP = 32
};
enum { GNTTABOP_MAP = 0, GNTTABOP_UNMAP = 1, GNTTABOP_COPY = 5 };
enum { SCHEDOP_YIELD = 0, SCHEDOP_BLOCK = 1 };
enum { VCPUOP_SET_SINGLESHOT_TIMER = 8 };

/* Why an HVM guest exits (Intel SDM volume 3, appendix C). */
enum sim_exit {
    EXIT_EXTERNAL_INTERRUPT = 1,
    EXIT_CPUID = 10,
    EXIT_HLT = 12,
    EXIT_VMCALL = 18,
    EXIT_CR_ACCESS = 28,
    EXIT_IO_INSTRUCTION = 30,
    EXIT_RDMSR = 31,
    EXIT_WRMSR = 32,
    EXIT_EPT_VIOLATION = 48
};

/*
 * A record on the pCPU, at its clock, which then moves on by what the hypervisor needs until the next one: also where the
 * event mask leaves the record out, so that no mask changes what the host does. An HVM guest that runs there is
 * interrupted: it exits before.
 */
void emit(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count);

/* Xen works on the pCPU for as long as between two of the scheduler's records. */
void emit_nothing(struct sim_pcpu *pcpu);

/* emit() with the words written out. */
#define EMIT(pcpu, event, ...)                                                                               \
    emit(pcpu, event, (const uint32_t[]){__VA_ARGS__},                                                       \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The current vCPU, of an HVM guest, exits; it enters before if it has not. */
void emit_exit(struct sim_pcpu *pcpu, enum sim_exit reason);

/* What the exit was about: a record without a time of its own, after emit_exit(). */
void emit_handler(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count);
#define EMIT_HANDLER(pcpu, event, ...)                                                                       \
    emit_handler(pcpu, event, (const uint32_t[]){__VA_ARGS__},                                               \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The current vCPU goes on: that of an HVM guest enters if it has not. */
void emit_entry(struct sim_pcpu *pcpu);

/* The two-word form: domain, vCPU. */
void emit_vcpu(struct sim_pcpu *pcpu, enum trace_event event, const struct sim_vcpu *v);

/*
 * The vCPU that runs on the pCPU makes a hypercall. Of a PV guest the record has the arguments that it says it has; an HVM
 * guest exits for it, and makes none that only PV guests need.
 */
void emit_hypercall(struct sim_pcpu *pcpu, enum sim_hypercall number);
void emit_hypercall_command(struct sim_pcpu *pcpu, enum sim_hypercall number, uint32_t command);

/* Instructions of the vCPU that runs on the pCPU that Xen emulates. */
void emit_privileged(struct sim_pcpu *pcpu, uint64_t count);

/* The vCPU that runs on the pCPU has nothing to do: SCHEDOP_block, of an HVM guest HLT. */
void emit_halt(struct sim_pcpu *pcpu);

/* What a PV Linux asks for when it switches to another task. */
void emit_task_switch(struct sim_pcpu *pcpu);

/* A program's system call ends. */
void emit_system_call(struct sim_pcpu *pcpu);

/* grant_table_op of `count` operations. */
void emit_grant_op(struct sim_pcpu *pcpu, uint32_t command, uint32_t count);

/* The runstate change, dated now; vcpu->runstate becomes `to`. The truth is the caller's. */
void emit_runstate(struct sim_pcpu *pcpu, struct sim_vcpu *v, enum sim_runstate to);

#endif
