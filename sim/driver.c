#include "sim/driver.h"

#include <stdlib.h>

#include "sim/emit.h"
#include "sim/hold.h"
#include "sim/kernel.h"
#include "sim/pcpu.h"

const char *const sim_work_names[SIM_WORKS] = {"interrupt", "receive", "dealloc", "transmit",
                                               "device",    "disk",    "pages"};
const char *const sim_done_names[SIM_DONES] = {
    "requests",   "bytes_in",    "bytes_out",       "packets_in",         "packets_out",    "disk_requests",
    "disk_reads", "disk_writes", "disk_bytes_read", "disk_bytes_written", "packets_dropped"};

struct sim_driver *driver_of(struct sim_host *host, uint64_t id)
{
    struct sim_driver *d = host->drivers;
    while (d->domain->id != id)
        d++;
    return d;
}

struct sim_pair *driver_pair(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver)
{
    struct sim_pair **last = &host->pairs;
    for (; *last; last = &(*last)->next)
        if ((*last)->guest == guest && (*last)->driver == driver)
            return *last;
    struct sim_pair *pair = *last = calloc(1, sizeof *pair);
    if (!pair)
        return NULL;
    pair->guest = guest;
    pair->driver = driver;
    pair->guest_vcpu = &guest->vcpus[0];
    pair->driver_vcpu = &driver->domain->vcpus[driver->pairs++ % driver->domain->plan->vcpus];
    pair->cap_ppm = SIM_FREE;
    pair->first_cell = true_account_cell(&host->truth);
    for (int i = 1; i < SIM_WORKS; i++)
        true_account_cell(&host->truth);
    return pair;
}

/* How long Xen's own part of an interrupt takes. */
#define XEN_INTERRUPT_NS 400u

void device_interrupt(struct sim_host *host, uint32_t irq, struct sim_task *handler, uint64_t now_ns)
{
    struct sim_pcpu *pcpu = handler->vcpu->pcpu;
    pcpu_enter(pcpu, now_ns);
    uint64_t in = host_tsc(host, pcpu->clock_ns);
    pcpu->clock_ns += XEN_INTERRUPT_NS;
    uint64_t out = host_tsc(host, pcpu->clock_ns);
    interrupt_raise(pcpu, handler);
    EMIT(pcpu, TRC_IRQ_HANDLED, irq, (uint32_t)in, (uint32_t)out);
    pcpu_leave(pcpu);
}

void thread_wake(struct sim_vcpu *from, struct sim_task *thread)
{
    bool awake = thread->queued || thread->active;
    task_wake(thread);
    if (!awake && thread->vcpu != from && !thread->vcpu->reschedule->queued)
        event_channel_send(from->pcpu, thread->vcpu->reschedule);
}
