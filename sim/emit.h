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

/*
 * A record on the pCPU, at its clock, which then moves on by what the hypervisor needs until the next one: also where the
 * event mask leaves the record out, so that no mask changes what the host does.
 */
void emit(struct sim_pcpu *pcpu, enum trace_event event, const uint32_t *words, unsigned count);

/* emit() with the words written out. */
#define EMIT(pcpu, event, ...)                                                                               \
    emit(pcpu, event, (const uint32_t[]){__VA_ARGS__},                                                       \
         sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* The two-word form: domain, vCPU. */
void emit_vcpu(struct sim_pcpu *pcpu, enum trace_event event, const struct sim_vcpu *v);

/* The vCPU that runs on the pCPU makes a PV hypercall; `count` 32-bit arguments, of which argument mask bits 20.. tell. */
void emit_hypercall(struct sim_pcpu *pcpu, enum sim_hypercall number);
void emit_hypercall_command(struct sim_pcpu *pcpu, enum sim_hypercall number, uint32_t command);

/* Instructions of the vCPU that runs on the pCPU that Xen emulates. */
void emit_privileged(struct sim_pcpu *pcpu, uint64_t count);

/* What a PV Linux asks for when it switches to another task. */
void emit_task_switch(struct sim_pcpu *pcpu);

/* A program's system call ends. */
void emit_system_call(struct sim_pcpu *pcpu);

/* grant_table_op of `count` operations. */
void emit_grant_op(struct sim_pcpu *pcpu, uint32_t command, uint32_t count);

/* The runstate change, dated now; vcpu->runstate becomes `to`. The truth is the caller's. */
void emit_runstate(struct sim_pcpu *pcpu, struct sim_vcpu *v, enum sim_runstate to);

#endif
