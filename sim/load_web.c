/*
 * A server with its clients outside of the host: each request is a packet, the response so many packets. Open loop: requests
 * arrive at a rate, whatever becomes of them; closed loop: each client thinks, sends a request, and waits for the response.
 */
#include <stdlib.h>

#include "sim/kernel.h"
#include "sim/load.h"
#include "sim/network.h"
#include "sim/retransmission.h"

enum { PAYLOAD = 1448, QUEUE = 8192 };

struct client {
    struct sim_flow flow;
    struct sim_timer timer;
    struct web *web;
    struct retransmission retry;
    uint64_t began_ns; /* its request, which may have been sent again since */
};

enum server_stage { STAGE_IDLE, STAGE_REQUEST, STAGE_PACKET };

/* A process of the server, on its vCPU; requests are dealt out in turns. */
struct worker {
    struct web *web;
    struct sim_task task;
    struct packet_queue requests;
    struct sim_packet request; /* in hand */
    uint64_t left_bytes;       /* of the response */
    enum server_stage stage;   /* what the work was for that has been done */
};

struct web {
    const struct scenario_load *plan;
    struct sim_domain *domain;
    struct sim_vif *vif;
    struct client *clients; /* one that stands for all in an open loop */
    size_t client_count;
    struct worker *workers;
    uint64_t turn;       /* whose turn it is */
    size_t next_arrival; /* of the file's */
};

/* ---- outside ---- */

/* When the next request of an open loop arrives: as the file says, or at random. */
static uint64_t next_arrival(struct sim_host *host, struct web *web, uint64_t now_ns)
{
    const struct scenario_load *plan = web->plan;
    if (!plan->arrivals)
        return now_ns + prng_exponential(&host->rng, (uint64_t)(1e9 / plan->requests_per_s));
    return web->next_arrival < plan->arrival_count ? plan->arrivals[web->next_arrival++] : SIM_NEVER;
}

static void client_due(struct sim_host *host, void *context, uint64_t now_ns)
{
    struct client *c = context;
    const struct scenario_load *plan = c->web->plan;
    const struct sim_packet request = {.flow = &c->flow,
                                       .to = c->web->vif,
                                       .request_ns = now_ns,
                                       .bytes = (uint32_t)plan->request_bytes,
                                       .last = true};
    if (plan->clients == 0)
        host_set_timer(host, &c->timer, next_arrival(host, c->web, now_ns));
    if (c->retry.timeout_ns == 0)
        c->began_ns = now_ns;
    network_arrive(host, &request, now_ns);
}

static void left(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                 uint64_t now_ns)
{
    struct client *c = flow->context;
    const struct scenario_load *plan = c->web->plan;
    if (!packet->last)
        return;
    uint64_t began_ns = plan->clients > 0 ? c->began_ns : packet->request_ns;
    retransmission_arrived(&c->retry, packet->request_ns);
    domain_did(host, c->web->domain, DONE_REQUESTS, now_ns, 1);
    if (!true_account_respond(&host->truth, c->web->domain->index, now_ns, now_ns - began_ns))
        host->no_memory = true;
    if (plan->clients > 0)
        host_set_timer(host, &c->timer,
                       now_ns + 2 * plan->network_delay_ns +
                           (plan->think_ns ? prng_exponential(&host->rng, plan->think_ns) : 0));
}

/* A client of a closed loop asks again; one request of an open loop is gone. */
static void lost(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                 uint64_t now_ns)
{
    struct client *c = flow->context;
    if (c->web->plan->clients == 0 || !packet->last)
        return;
    retransmission_lost(&c->retry, packet->request_ns, now_ns);
    host_set_timer(host, &c->timer, c->retry.due_ns);
}

/* ---- in the guest ---- */

static void received(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet)
{
    struct client *c = flow->context;
    struct web *web = c->web;
    struct worker *w = &web->workers[web->turn++ % web->domain->plan->vcpus];
    if (packet_queue_put(&w->requests, packet))
        thread_wake(&web->domain->vcpus[0], &w->task);
    else
        domain_did(host, web->domain, DONE_DROPPED, web->domain->vcpus[0].pcpu->clock_ns, 1);
}

static void send_packet(struct sim_host *host, struct worker *w)
{
    uint32_t bytes = w->left_bytes < PAYLOAD ? (uint32_t)w->left_bytes : PAYLOAD;
    w->left_bytes -= bytes;
    const struct sim_packet packet = {.flow = w->request.flow,
                                      .request_ns = w->request.request_ns,
                                      .bytes = bytes,
                                      .last = w->left_bytes == 0};
    vif_send(host, w->web->vif, w->task.vcpu, &packet);
}

static void work(struct worker *w, enum server_stage stage)
{
    const struct scenario_load *plan = w->web->plan;
    w->stage = stage;
    task_work(&w->task, stage == STAGE_REQUEST ? plan->request_ns : plan->packet_ns,
              w->web->domain->own_cell);
}

static void next_request(struct worker *w)
{
    w->stage = STAGE_IDLE;
    if (w->requests.count == 0)
        return;
    w->request = packet_queue_take(&w->requests);
    w->left_bytes = w->web->plan->response_bytes;
    work(w, STAGE_REQUEST);
}

static void step(struct sim_host *host, struct sim_task *task)
{
    struct worker *w = task->context;
    switch (w->stage) {
    case STAGE_IDLE:
        next_request(w);
        return;
    case STAGE_REQUEST:
        work(w, STAGE_PACKET);
        return;
    case STAGE_PACKET:
        if (!vif_has_room(w->web->vif)) {
            vif_wait_for_room(w->web->vif, task);
            return;
        }
        send_packet(host, w);
        if (w->left_bytes > 0)
            work(w, STAGE_PACKET);
        else
            next_request(w);
    }
}

/* ---- building ---- */

static bool make_client(struct sim_host *host, struct web *web, struct client *c)
{
    c->web = web;
    c->flow = (struct sim_flow){
        .context = c, .packet_ns = web->plan->packet_ns, .received = received, .left = left, .lost = lost};
    c->timer = (struct sim_timer){.due = client_due, .context = c};
    return host_add_timer(host, &c->timer);
}

static bool make_worker(struct web *web, struct worker *w, size_t vcpu)
{
    w->web = web;
    return packet_queue_init(&w->requests, QUEUE) &&
           task_init(&w->task, &web->domain->vcpus[vcpu], TASK_PROGRAM, step, w);
}

static bool create(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state)
{
    struct web *web = state;
    web->plan = plan;
    web->domain = domain;
    web->client_count = plan->clients ? plan->clients : 1;
    web->clients = calloc(web->client_count, sizeof *web->clients);
    web->workers = calloc(domain->plan->vcpus, sizeof *web->workers);
    web->vif = network_vif(host, domain, driver_of(host, plan->driver), plan->vif);
    bool fine = web->clients && web->workers && web->vif;
    for (size_t i = 0; fine && i < domain->plan->vcpus; i++)
        fine = make_worker(web, &web->workers[i], i);
    for (size_t i = 0; fine && i < web->client_count; i++)
        fine = make_client(host, web, &web->clients[i]);
    return fine;
}

/* The first requests of a closed loop come within a think time. */
static void start(struct sim_host *host, void *state, uint64_t now_ns)
{
    struct web *web = state;
    const struct scenario_load *plan = web->plan;
    uint64_t from_ns = now_ns > plan->start_ns ? now_ns : plan->start_ns;
    while (web->next_arrival < plan->arrival_count && plan->arrivals[web->next_arrival] < now_ns)
        web->next_arrival++;
    if (plan->clients == 0)
        host_set_timer(host, &web->clients[0].timer, next_arrival(host, web, from_ns));
    for (size_t i = 0; i < plan->clients; i++)
        host_set_timer(host, &web->clients[i].timer,
                       from_ns + plan->network_delay_ns +
                           (plan->think_ns ? prng_exponential(&host->rng, plan->think_ns) : 0));
}

static void destroy(void *state)
{
    struct web *web = state;
    for (size_t i = 0; web->workers && web->domain && i < web->domain->plan->vcpus; i++)
        packet_queue_free(&web->workers[i].requests);
    free(web->workers);
    free(web->clients);
}

const struct sim_load_ops load_web = {
    .size = sizeof(struct web), .create = create, .start = start, .destroy = destroy};
