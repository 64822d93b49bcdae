#include "sim/network.h"

#include "sim/emit.h"
#include "sim/kernel.h"
#include "sim/packet_limit.h"

enum {
    RING_SLOTS = 256, /* of a shared ring, each direction */
    BATCH_MOST = 64,  /* packets that netback takes at a time */
    BACKLOG = 1024,   /* packets for a guest that wait in netback */
    NIC_QUEUE = 4096, /* packets that wait in the network device */
    NIC_IRQ = 24
};
#define KIB 1024u

struct sim_vif {
    struct sim_vif *next; /* of the pair */
    struct sim_pair *pair;
    struct vif_counts counts;
    /* Packets are dropped where they leave the device and where they enter it, as a filter on it does. */
    struct packet_filter from, to;
    struct packet_credit credit; /* of what netback takes from the guest */
    /* from the guest */
    struct packet_queue tx;
    uint32_t tx_used;    /* slots that the guest cannot use again yet */
    uint32_t tx_done;    /* packets that are done with, modulo 2^32 */
    uint32_t tx_event;   /* the guest wants to hear when tx_done gets here */
    uint32_t tx_batch;   /* packets in netback's hands */
    uint32_t to_dealloc; /* packets whose pages are to be given back, those in hand included */
    uint32_t dealloc_batch;
    bool poll_sleeps;        /* netback wants to hear of packets */
    struct sim_task **waits; /* room for all programs of the guest's loads */
    uint32_t waiters;
    struct sim_task interrupt, poll, dealloc;
    /* to the guest */
    struct packet_queue backlog, rx;
    uint32_t rx_batch;
    bool guest_sleeps; /* the guest wants to hear of packets */
    bool thread_waits; /* netback waits for room in the ring */
    struct sim_task transmit;
    struct sim_task guest_interrupt, guest_poll;
};

struct sim_nic {
    struct sim_driver *driver;
    struct packet_queue rx;
    uint32_t polled; /* packets, in this poll */
    bool poll_sleeps;
    struct sim_task interrupt, poll;
};

static const struct scenario_driver *costs(const struct sim_vif *vif)
{
    return vif->pair->driver->plan;
}

/* ---- to the guest ---- */

static void drop(struct sim_host *host, const struct sim_vif *vif, const struct sim_packet *packet,
                 uint64_t now_ns)
{
    domain_did(host, vif->pair->guest, DONE_DROPPED, now_ns, 1);
    if (packet->flow->lost)
        packet->flow->lost(host, packet->flow, packet, now_ns);
}

static void queue_for_guest(struct sim_vif *vif, struct sim_vcpu *from, const struct sim_packet *packet)
{
    if (!packet_filter_passes(&vif->to, packet->bytes, from->pcpu->clock_ns))
        drop(from->pcpu->host, vif, packet, from->pcpu->clock_ns);
    else if (vif->pair->guest->alive && packet_queue_put(&vif->backlog, packet))
        thread_wake(from, &vif->transmit);
    else
        domain_did(from->pcpu->host, vif->pair->guest, DONE_DROPPED, from->pcpu->clock_ns, 1);
}

/* What a batch of packets costs to be copied into the guest. */
static uint64_t transmit_ns(const struct sim_vif *vif, uint32_t n)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < n; i++)
        bytes += packet_queue_at(&vif->backlog, i)->bytes;
    return costs(vif)->batch_ns + n * costs(vif)->transmit_packet_ns + bytes * costs(vif)->copy_kib_ns / KIB;
}

static void finish_transmit(struct sim_host *host, struct sim_vif *vif)
{
    struct sim_pcpu *pcpu = vif->transmit.vcpu->pcpu;
    emit_grant_op(pcpu, GNTTABOP_COPY, vif->rx_batch);
    vif->counts.to_guest += vif->rx_batch;
    for (; vif->rx_batch > 0; vif->rx_batch--) {
        struct sim_packet packet = packet_queue_take(&vif->backlog);
        domain_did(host, vif->pair->guest, DONE_PACKETS_IN, pcpu->clock_ns, 1);
        domain_did(host, vif->pair->guest, DONE_BYTES_IN, pcpu->clock_ns, packet.bytes);
        packet_queue_put(&vif->rx, &packet);
    }
    if (vif->guest_sleeps) {
        vif->guest_sleeps = false;
        event_channel_send(pcpu, &vif->guest_interrupt);
    }
}

static void transmit_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    if (vif->rx_batch > 0)
        finish_transmit(host, vif);
    uint32_t room = vif->rx.size - vif->rx.count, n = vif->backlog.count;
    n = n > BATCH_MOST ? BATCH_MOST : n;
    n = n > room ? room : n;
    vif->rx_batch = n;
    vif->thread_waits = n == 0 && vif->backlog.count > 0;
    if (n > 0)
        task_work(task, transmit_ns(vif, n), pair_cell(vif->pair, WORK_TRANSMIT));
}

/* ---- in the guest ---- */

static void guest_interrupt_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    (void)host;
    if (task_works_first(task, vif->pair->guest->plan->interrupt_ns, vif->pair->guest->own_cell))
        return;
    /* As netfront does: again when half of those under way are done. */
    vif->tx_event = vif->tx_done + vif->tx_used / 2 + 1;
    task_wake(&vif->guest_poll);
    if (vif->tx_used < RING_SLOTS)
        while (vif->waiters > 0)
            thread_wake(task->vcpu, vif->waits[--vif->waiters]);
}

/* One packet each time: the work for it, then its flow has it. */
static void guest_poll_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    if (task->phase) {
        struct sim_packet packet = packet_queue_take(&vif->rx);
        if (packet.flow->received)
            packet.flow->received(host, packet.flow, &packet);
        if (vif->thread_waits) {
            vif->thread_waits = false;
            event_channel_send(task->vcpu->pcpu, &vif->interrupt);
        }
    }
    task->phase = vif->rx.count > 0;
    vif->guest_sleeps = !task->phase;
    if (task->phase)
        task_work(task, packet_queue_at(&vif->rx, 0)->flow->packet_ns, vif->pair->guest->own_cell);
}

bool vif_has_room(const struct sim_vif *vif)
{
    return vif->tx_used < RING_SLOTS;
}

void vif_send(struct sim_host *host, struct sim_vif *vif, struct sim_vcpu *from,
              const struct sim_packet *packet)
{
    domain_did(host, vif->pair->guest, DONE_PACKETS_OUT, from->pcpu->clock_ns, 1);
    domain_did(host, vif->pair->guest, DONE_BYTES_OUT, from->pcpu->clock_ns, packet->bytes);
    vif->tx_used++;
    packet_queue_put(&vif->tx, packet);
    if (!vif->poll_sleeps)
        return;
    vif->poll_sleeps = false;
    event_channel_send(from->pcpu, &vif->interrupt);
}

void vif_wait_for_room(struct sim_vif *vif, struct sim_task *task)
{
    for (uint32_t i = 0; i < vif->waiters; i++)
        if (vif->waits[i] == task)
            return;
    vif->waits[vif->waiters++] = task;
}

/* ---- from the guest ---- */

static void interrupt_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    (void)host;
    if (task_works_first(task, costs(vif)->interrupt_ns, pair_cell(vif->pair, WORK_INTERRUPT)))
        return;
    task_wake(&vif->poll);
    if (vif->backlog.count > 0)
        task_wake(&vif->transmit);
}

/* The packets of a batch go where they are to go; their pages are given back by the thread that does that. */
static void forward(struct sim_host *host, struct sim_vif *vif)
{
    struct sim_vcpu *v = vif->poll.vcpu;
    uint32_t n = vif->tx_batch;
    vif->counts.from_guest += n;
    for (; vif->tx_batch > 0; vif->tx_batch--) {
        struct sim_packet packet = packet_queue_take(&vif->tx);
        if (!packet_filter_passes(&vif->from, packet.bytes, v->pcpu->clock_ns))
            drop(host, vif, &packet, v->pcpu->clock_ns);
        else if (packet.to)
            queue_for_guest(packet.to, v, &packet);
        else if (packet.flow->left)
            packet.flow->left(host, packet.flow, &packet, v->pcpu->clock_ns);
    }
    vif->to_dealloc += n;
    thread_wake(v, &vif->dealloc);
}

static void emit_grants(struct sim_pcpu *pcpu, uint32_t command, enum trace_event event,
                        const struct sim_vif *vif, uint32_t n)
{
    emit_grant_op(pcpu, command, n);
    for (uint32_t i = 0; i < n; i++)
        EMIT(pcpu, event, vif->pair->guest->id);
}

/* How many packets netback takes now: as many as its credit covers. */
static uint32_t next_batch(struct sim_vif *vif, uint64_t now_ns)
{
    uint32_t most = vif->tx.count > BATCH_MOST ? BATCH_MOST : vif->tx.count, n = 0;
    while (n < most && packet_credit_covers(&vif->credit, packet_queue_at(&vif->tx, n)->bytes, now_ns))
        n++;
    return n;
}

static void poll_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    struct sim_pcpu *pcpu = task->vcpu->pcpu;
    if (vif->tx_batch > 0) {
        forward(host, vif);
        if (task->kind == TASK_SOFTIRQ && vif->tx.count > 0) {
            task_wake(task); /* others first */
            return;
        }
    }
    uint32_t n = vif->tx_batch = next_batch(vif, pcpu->clock_ns);
    vif->poll_sleeps = vif->tx.count == 0;
    if (n == 0 && vif->tx.count > 0) /* the guest hears nothing, and sends no more than its ring holds */
        task_sleep_until(host, task, vif->credit.due_ns);
    if (n == 0)
        return;
    emit_grant_op(pcpu, GNTTABOP_COPY, n); /* their headers */
    emit_grants(pcpu, GNTTABOP_MAP, TRC_PAGE_GRANT_MAP, vif, n);
    task_work(task, costs(vif)->batch_ns + n * costs(vif)->receive_packet_ns,
              pair_cell(vif->pair, WORK_RECEIVE));
}

static void finish_dealloc(struct sim_vif *vif)
{
    uint32_t n = vif->dealloc_batch, until_event = vif->tx_event - vif->tx_done;
    vif->to_dealloc -= n;
    vif->tx_used -= n;
    vif->tx_done += n;
    vif->dealloc_batch = 0;
    if (until_event > 0 && until_event <= n)
        event_channel_send(vif->dealloc.vcpu->pcpu, &vif->guest_interrupt);
}

static void dealloc_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_vif *vif = task->context;
    (void)host;
    if (vif->dealloc_batch > 0)
        finish_dealloc(vif);
    uint32_t n = vif->to_dealloc > BATCH_MOST ? BATCH_MOST : vif->to_dealloc;
    vif->dealloc_batch = n;
    if (n == 0)
        return;
    emit_grants(task->vcpu->pcpu, GNTTABOP_UNMAP, TRC_PAGE_GRANT_UNMAP, vif, n);
    task_work(task, costs(vif)->batch_ns + n * costs(vif)->dealloc_packet_ns,
              pair_cell(vif->pair, WORK_DEALLOC));
}

/* ---- the driver domain's device ---- */

static struct sim_vif *first_guest(const struct sim_nic *nic)
{
    return packet_queue_at(&nic->rx, 0)->to;
}

static void nic_interrupt_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_nic *nic = task->context;
    (void)host;
    if (!task_works_first(task, nic->driver->plan->interrupt_ns,
                          pair_cell(first_guest(nic)->pair, WORK_INTERRUPT)))
        task_wake(&nic->poll);
}

static void nic_poll_step(struct sim_host *host, struct sim_task *task)
{
    struct sim_nic *nic = task->context;
    (void)host;
    if (task->phase) {
        struct sim_packet packet = packet_queue_take(&nic->rx);
        queue_for_guest(packet.to, task->vcpu, &packet);
        nic->polled++;
    }
    nic->poll_sleeps = nic->rx.count == 0;
    task->phase = nic->rx.count > 0 && nic->polled < BATCH_MOST;
    if (!task->phase) {
        nic->polled = 0;
        if (nic->rx.count > 0)
            task_wake(task); /* others first */
    }
    if (task->phase)
        task_work(task, nic->driver->plan->device_packet_ns, pair_cell(first_guest(nic)->pair, WORK_DEVICE));
}

void network_arrive(struct sim_host *host, const struct sim_packet *packet, uint64_t now_ns)
{
    struct sim_nic *nic = packet->to->pair->driver->nic;
    if (!packet->to->pair->guest->alive || !packet_queue_put(&nic->rx, packet)) {
        domain_did(host, packet->to->pair->guest, DONE_DROPPED, now_ns, 1);
        return;
    }
    if (!nic->poll_sleeps)
        return;
    nic->poll_sleeps = false;
    device_interrupt(host, NIC_IRQ, &nic->interrupt, now_ns);
}

/* ---- building ---- */

static bool make_nic(struct sim_driver *driver)
{
    struct sim_vcpu *v = &driver->domain->vcpus[0];
    struct sim_nic *nic = driver->nic = calloc(1, sizeof *nic);
    if (!nic)
        return false;
    nic->driver = driver;
    nic->poll_sleeps = true;
    return packet_queue_init(&nic->rx, NIC_QUEUE) &&
           task_init(&nic->interrupt, v, TASK_INTERRUPT, nic_interrupt_step, nic) &&
           task_init(&nic->poll, v, TASK_SOFTIRQ, nic_poll_step, nic);
}

static bool make_tasks(struct sim_vif *vif)
{
    const struct sim_domain *by = vif->pair->driver->domain;
    /* Those of further devices are on the driver domain's next vCPUs. */
    struct sim_vcpu *driver = &by->vcpus[(vif->pair->driver_vcpu->id + vif->counts.number) % by->plan->vcpus];
    struct sim_vcpu *guest = vif->pair->guest_vcpu;
    enum sim_task_kind poll = costs(vif)->threaded_napi ? TASK_THREAD : TASK_SOFTIRQ;
    return task_init(&vif->interrupt, driver, TASK_INTERRUPT, interrupt_step, vif) &&
           task_init(&vif->poll, driver, poll, poll_step, vif) &&
           task_init(&vif->dealloc, driver, TASK_THREAD, dealloc_step, vif) &&
           task_init(&vif->transmit, driver, TASK_THREAD, transmit_step, vif) &&
           task_init(&vif->guest_interrupt, guest, TASK_INTERRUPT, guest_interrupt_step, vif) &&
           task_init(&vif->guest_poll, guest, TASK_SOFTIRQ, guest_poll_step, vif);
}

/* False: no memory. */
static bool make_vif(struct sim_vif *vif, struct sim_pair *pair, uint64_t number)
{
    const struct scenario_domain *guest = pair->guest->plan;
    vif->pair = pair;
    vif->counts.number = (uint32_t)number;
    vif->poll_sleeps = vif->guest_sleeps = true;
    vif->tx_event = 1;
    vif->from.bytes_per_s = vif->to.bytes_per_s = vif->credit.bytes = SIM_FREE;
    vif->waits = calloc(guest->vcpus * guest->load_count + 1, sizeof *vif->waits);
    return vif->waits && packet_queue_init(&vif->tx, RING_SLOTS) && packet_queue_init(&vif->rx, RING_SLOTS) &&
           packet_queue_init(&vif->backlog, BACKLOG) && make_tasks(vif);
}

struct sim_vif *network_vif(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver,
                            uint64_t number)
{
    struct sim_pair *pair = driver_pair(host, guest, driver);
    if (!pair || (!driver->nic && !make_nic(driver)))
        return NULL;
    struct sim_vif **at = &pair->vifs;
    while (*at && (*at)->counts.number < number)
        at = &(*at)->next;
    struct sim_vif *next = *at;
    if (next && next->counts.number == number)
        return next;
    struct sim_vif *vif = calloc(1, sizeof *vif);
    if (!vif)
        return NULL;
    vif->next = next;
    *at = vif;
    return make_vif(vif, pair, number) ? vif : NULL;
}

struct sim_vif *vif_next(const struct sim_vif *vif)
{
    return vif->next;
}

struct vif_counts vif_counts(const struct sim_vif *vif)
{
    return vif->counts;
}

void vif_hold(struct sim_vif *vif, const struct sim_hold *hold, uint64_t now_ns)
{
    packet_filter_set(&vif->from, hold->filter_bytes_per_s);
    packet_filter_set(&vif->to, hold->filter_bytes_per_s);
    packet_credit_set(&vif->credit, hold->receive_bytes_per_s, now_ns);
    task_set_low(&vif->transmit, hold->low_priority);
    task_set_low(&vif->dealloc, hold->low_priority);
    task_set_low(&vif->poll, hold->low_priority && vif->poll.kind == TASK_THREAD);
}

void network_vifs_free(struct sim_vif *first)
{
    for (struct sim_vif *vif = first; vif; vif = first) {
        first = vif->next;
        packet_queue_free(&vif->tx);
        packet_queue_free(&vif->rx);
        packet_queue_free(&vif->backlog);
        free(vif->waits);
        free(vif);
    }
}

void network_nic_free(struct sim_nic *nic)
{
    if (!nic)
        return;
    packet_queue_free(&nic->rx);
    free(nic);
}
