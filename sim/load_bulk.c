/* Bulk transfer: packets out of a guest, or from outside into one, as fast as it goes or at a rate. */
#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/network.h"
#include "sim/retransmission.h"

#define PROBE_NS 1000000u /* how often a sender looks whether its one packet has arrived */

/* ---- out ---- */

struct bulk_out {
    const struct scenario_load *plan;
    struct sim_vif *vif, *to;
    struct sim_flow flow;
    struct sim_task task;
    struct retransmission retry;
    bool paid;        /* CPU for the next packet has been used */
    uint64_t next_ns; /* of a load with a rate: not before */
};

static void out_lost(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                     uint64_t now_ns)
{
    struct bulk_out *b = flow->context;
    (void)host;
    retransmission_lost(&b->retry, packet->request_ns, now_ns);
}

static void out_left(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                     uint64_t now_ns)
{
    struct bulk_out *b = flow->context;
    (void)host, (void)now_ns;
    retransmission_arrived(&b->retry, packet->request_ns);
}

static void out_received(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet)
{
    out_left(host, flow, packet, 0);
}

/* Until when nothing is sent: the load has not begun, or packets vanish. 0: it goes on. */
static uint64_t out_silent_until(struct bulk_out *b, uint64_t now_ns)
{
    uint64_t until_ns = now_ns < b->plan->start_ns ? b->plan->start_ns : 0;
    if (b->retry.timeout_ns > 0 && now_ns < b->retry.due_ns)
        until_ns = b->retry.due_ns;
    else if (retransmission_awaits(&b->retry))
        until_ns = now_ns + PROBE_NS;
    if (until_ns > b->next_ns)
        b->next_ns = until_ns; /* what was not sent is not made up for */
    return until_ns;
}

static void out_step(struct sim_host *host, struct sim_task *task)
{
    struct bulk_out *b = task->context;
    uint64_t now_ns = task->vcpu->pcpu->clock_ns;
    uint64_t silent_ns = out_silent_until(b, now_ns);
    if (silent_ns > 0) {
        task_sleep_until(host, task, silent_ns);
        return;
    }
    if (b->paid && !vif_has_room(b->vif)) {
        vif_wait_for_room(b->vif, task);
        return;
    }
    if (b->paid) {
        struct sim_packet packet = {.flow = &b->flow,
                                    .to = b->to,
                                    .request_ns = now_ns,
                                    .bytes = (uint32_t)b->plan->packet_bytes,
                                    .last = true};
        vif_send(host, b->vif, task->vcpu, &packet);
        b->paid = false;
        b->retry.sent_ns = now_ns;
    }
    if (b->plan->packets_per_s > 0 && now_ns < b->next_ns) {
        task_sleep_until(host, task, b->next_ns);
        return;
    }
    if (b->plan->packets_per_s > 0)
        b->next_ns += (uint64_t)(1e9 / b->plan->packets_per_s);
    b->paid = true;
    task_work(task, b->plan->packet_ns, task->vcpu->domain->own_cell);
}

static struct sim_domain *domain_of(struct sim_host *host, uint64_t id)
{
    struct sim_domain *d = host->domains;
    while (d->id != id)
        d++;
    return d;
}

static bool out_create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                       void *state)
{
    struct bulk_out *b = state;
    struct sim_driver *driver = driver_of(host, plan->driver);
    b->plan = plan;
    b->flow = (struct sim_flow){.context = b,
                                .packet_ns = plan->packet_ns,
                                .received = out_received,
                                .left = out_left,
                                .lost = plan->transport == 0 ? out_lost : NULL};
    b->vif = network_vif(host, domain, driver, plan->vif);
    if (plan->to_given && !(b->to = network_vif(host, domain_of(host, plan->to), driver, 0)))
        return false;
    if (!b->vif || !task_init(&b->task, &domain->vcpus[0], TASK_PROGRAM, out_step, b))
        return false;
    task_wake(&b->task);
    return true;
}

static void out_start(struct sim_host *host, void *state, uint64_t now_ns)
{
    struct bulk_out *b = state;
    (void)host;
    b->next_ns = now_ns;
}

const struct sim_load_ops load_bulk_out = {
    .size = sizeof(struct bulk_out), .create = out_create, .start = out_start};

/* ---- in ---- */

struct bulk_in {
    const struct scenario_load *plan;
    struct sim_domain *guest;
    struct sim_vif *vif;
    struct sim_flow flow;
    struct sim_timer source; /* outside of the host */
    uint64_t due_ns;         /* when the source acts; SIM_NEVER: it waits */
    uint64_t to_send;        /* without a rate: what the window lets through */
    uint64_t missing;        /* packets of the window that have vanished */
    struct retransmission retry;
};

static void arm_source(struct sim_host *host, struct bulk_in *b, uint64_t due_ns)
{
    b->due_ns = due_ns;
    host_set_timer(host, &b->source, due_ns);
}

/* Packets vanish: nothing is sent until it is time for one packet, whose fate is awaited then. True: it is not. */
static bool source_waits(struct sim_host *host, struct bulk_in *b, uint64_t now_ns)
{
    if (b->retry.timeout_ns == 0)
        return false;
    if (now_ns < b->retry.due_ns)
        arm_source(host, b, b->retry.due_ns);
    else if (!retransmission_awaits(&b->retry)) {
        b->retry.sent_ns = now_ns;
        return false;
    }
    return true;
}

static void source_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct bulk_in *b = context;
    const struct sim_packet packet = {.flow = &b->flow,
                                      .to = b->vif,
                                      .request_ns = now_ns,
                                      .bytes = (uint32_t)b->plan->packet_bytes,
                                      .last = true};
    b->due_ns = SIM_NEVER;
    if (source_waits(host, b, now_ns))
        return;
    if (b->retry.timeout_ns > 0) {
        b->missing -= b->missing > 0;
        network_arrive(host, &packet, now_ns);
        return;
    }
    if (b->plan->packets_per_s > 0) {
        b->to_send = 1;
        arm_source(host, b, now_ns + (uint64_t)(1e9 / b->plan->packets_per_s));
    }
    for (; b->to_send > 0; b->to_send--)
        network_arrive(host, &packet, now_ns);
}

static void in_lost(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                    uint64_t now_ns)
{
    struct bulk_in *b = flow->context;
    b->missing++;
    retransmission_lost(&b->retry, packet->request_ns, now_ns);
    arm_source(host, b, b->retry.due_ns);
}

/* The guest has it: the source hears of that after the network's delay, and sends the next one. */
static void received(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet)
{
    struct bulk_in *b = flow->context;
    retransmission_arrived(&b->retry, packet->request_ns);
    b->to_send++;
    if (b->retry.timeout_ns == 0) {
        b->to_send += b->missing;
        b->missing = 0;
    }
    if (b->due_ns == SIM_NEVER)
        arm_source(host, b, b->guest->vcpus[0].pcpu->clock_ns + 2 * b->plan->network_delay_ns);
}

static bool in_create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                      void *state)
{
    struct bulk_in *b = state;
    b->plan = plan;
    b->guest = domain;
    b->to_send = plan->window;
    b->flow = (struct sim_flow){.context = b,
                                .packet_ns = plan->packet_ns,
                                .received = received,
                                .lost = plan->transport == 0 ? in_lost : NULL};
    b->source = (struct sim_timer){.due = source_due, .context = b};
    b->vif = network_vif(host, domain, driver_of(host, plan->driver), plan->vif);
    return b->vif && host_add_timer(host, &b->source);
}

static void in_start(struct sim_host *host, void *state, uint64_t now_ns)
{
    struct bulk_in *b = state;
    arm_source(host, b,
               (now_ns > b->plan->start_ns ? now_ns : b->plan->start_ns) + b->plan->network_delay_ns);
}

const struct sim_load_ops load_bulk_in = {
    .size = sizeof(struct bulk_in), .create = in_create, .start = in_start};
