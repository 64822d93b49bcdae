#include "sim/vcpu_noise.h"

#include "sim/emit.h"

/* What Xen needs for an exit, and for anything else, beside the records. */
enum { EXIT_NS = 500, TRAP_NS = 150 };

#define ARGUMENT_1 (1u << 22) /* a hypercall's record has its second argument */

static double rate(const struct sim_vcpu *v)
{
    double sum = 0;
    for (int i = 0; i < SCENARIO_NOISES; i++)
        sum += v->domain->plan->noise_per_s[i];
    return sum;
}

static void draw(struct sim_host *host, struct sim_vcpu *v)
{
    v->noise_ns = prng_skewed(&host->rng, v->noise_mean_ns);
}

void noise_init(struct sim_host *host, struct sim_vcpu *v)
{
    double per_s = rate(v);
    v->noise_ns = SIM_NEVER;
    if (per_s <= 0)
        return;
    v->noise_mean_ns = (uint64_t)(1e9 / per_s) + 1;
    draw(host, v);
}

static void hypercall(struct sim_pcpu *pcpu, uint32_t random)
{
    enum { MMU_UPDATE = 1, UPDATE_VA_MAPPING = 14, MMUEXT_OP = 26 };
    if ((random & 3) == 0)
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, UPDATE_VA_MAPPING);
    else
        EMIT(pcpu, TRC_PV_HYPERCALL_V2, ((random & 3) == 1 ? MMUEXT_OP : MMU_UPDATE) | ARGUMENT_1,
             1 + (random >> 2 & 7));
}

static void trap(struct sim_pcpu *pcpu, uint32_t random)
{
    enum { DEVICE_NOT_AVAILABLE = 7, GENERAL_PROTECTION = 13, USE_ERROR_CODE = 1 << 15 };
    EMIT(pcpu, TRC_PV_TRAP_64, random << 4, 0x7f49,
         random & 1 ? DEVICE_NOT_AVAILABLE : GENERAL_PROTECTION | USE_ERROR_CODE);
}

static void page_fault(struct sim_pcpu *pcpu, uint32_t random)
{
    const uint32_t user_write = 6;
    EMIT(pcpu, TRC_PV_PAGE_FAULT_64, random << 4, 0x7f49, random & ~0xfffu, 0x7f49, user_write);
}

/* Those of a busy PVH or HVM Linux: timers and ends of interrupts, devices that are emulated, pages, CPUID. */
static void guest_exit(struct sim_pcpu *pcpu, uint32_t random)
{
    enum { TSC_DEADLINE = 0x6e0, SERIAL_PORT = 0x3f8, MMIO = 4, HVM_OP = 34 };
    const uint32_t more = random >> 4;
    switch (random & 15) {
    case 0:
        emit_exit(pcpu, EXIT_CPUID);
        EMIT_HANDLER(pcpu, TRC_HVM_CPUID, 0x40000000 | (more & 7), 0, 0x40000005, 0x566e6558, 0x65584d4d,
                     0x4d4d566e);
        break;
    case 1:
        emit_exit(pcpu, EXIT_CR_ACCESS);
        EMIT_HANDLER(pcpu, TRC_HVM_CR_WRITE_64, 3, more << 12, 0);
        break;
    case 2:
        emit_exit(pcpu, EXIT_RDMSR);
        EMIT_HANDLER(pcpu, TRC_HVM_MSR_READ, TSC_DEADLINE, more, 0x21);
        break;
    case 3:
        emit_exit(pcpu, EXIT_VMCALL);
        EMIT_HANDLER(pcpu, TRC_HVM_VMMCALL, HVM_OP);
        break;
    case 4:
    case 5:
        emit_exit(pcpu, EXIT_EPT_VIOLATION);
        EMIT_HANDLER(pcpu, TRC_HVM_NPF, more << 12, 0, more | 1, 0, 0x181 + (more & 2), MMIO);
        break;
    case 6:
    case 7:
        emit_exit(pcpu, EXIT_IO_INSTRUCTION);
        EMIT_HANDLER(pcpu, TRC_HVM_IOPORT_WRITE, SERIAL_PORT, more & 0xff);
        break;
    case 8:
    case 9:
    case 10:
        emit_exit(pcpu, EXIT_EXTERNAL_INTERRUPT);
        EMIT_HANDLER(pcpu, TRC_HVM_INTR, 0x30 + (more & 0x3f));
        break;
    default:
        emit_exit(pcpu, EXIT_WRMSR);
        EMIT_HANDLER(pcpu, TRC_HVM_MSR_WRITE, TSC_DEADLINE, more, 0x21);
    }
}

/* One of the kinds, by their rates. */
static enum scenario_noise kind(const struct sim_vcpu *v, uint32_t random)
{
    const double *per_s = v->domain->plan->noise_per_s;
    double at = rate(v) * random / 4294967296.0;
    int i = 0;
    while (i + 1 < SCENARIO_NOISES && at >= per_s[i])
        at -= per_s[i++];
    return (enum scenario_noise)i;
}

void noise_make(struct sim_vcpu *v)
{
    struct sim_pcpu *pcpu = v->pcpu;
    const uint64_t random = prng_next(&pcpu->host->rng);
    const uint32_t more = (uint32_t)random;
    draw(pcpu->host, v);
    if (v->domain->plan->guest == GUEST_HVM) {
        guest_exit(pcpu, more);
        pcpu->clock_ns += EXIT_NS;
        return;
    }
    switch (kind(v, (uint32_t)(random >> 32))) {
    case NOISE_HYPERCALL:
        hypercall(pcpu, more);
        break;
    case NOISE_PRIVILEGED:
        emit_privileged(pcpu, 1);
        break;
    case NOISE_TRAP:
        trap(pcpu, more);
        break;
    default:
        page_fault(pcpu, more);
    }
    pcpu->clock_ns += TRAP_NS;
}
