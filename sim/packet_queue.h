/* packet_queue.h - packets, and queues of them of a fixed size. */
#ifndef XENMETER_SIM_PACKET_QUEUE_H
#define XENMETER_SIM_PACKET_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct sim_host;
struct sim_vif;
struct sim_flow;

struct sim_packet {
    struct sim_flow *flow; /* whose traffic it is */
    struct sim_vif *to;    /* the guest that it is for; NULL: it leaves the host */
    uint64_t request_ns;   /* when the request that it belongs to began */
    uint32_t bytes;
    bool last; /* of its request, or response */
};

/* What a load does with its packets. */
struct sim_flow {
    void *context;
    uint64_t packet_ns; /* CPU that a guest's kernel needs for one, sent or received */
    /* A guest's kernel has received it; its vCPU runs. NULL: nobody listens. */
    void (*received)(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet);
    /* It has left the host at now_ns. NULL: nobody listens. */
    void (*left)(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                 uint64_t now_ns);
    /* The driver domain has dropped it at now_ns because the guest is held. NULL: nobody notices. */
    void (*lost)(struct sim_host *host, struct sim_flow *flow, const struct sim_packet *packet,
                 uint64_t now_ns);
};

struct packet_queue {
    struct sim_packet *packets;
    uint32_t size, first, count;
};

/* False: no memory. */
static inline bool packet_queue_init(struct packet_queue *q, uint32_t size)
{
    *q = (struct packet_queue){.packets = calloc(size, sizeof *q->packets), .size = size};
    return q->packets != NULL;
}

static inline void packet_queue_free(struct packet_queue *q)
{
    free(q->packets);
}

/* False: it is full. */
static inline bool packet_queue_put(struct packet_queue *q, const struct sim_packet *packet)
{
    if (q->count == q->size)
        return false;
    q->packets[(q->first + q->count++) % q->size] = *packet;
    return true;
}

/* The packet number i from the first one, below q->count. */
static inline const struct sim_packet *packet_queue_at(const struct packet_queue *q, uint32_t i)
{
    return &q->packets[(q->first + i) % q->size];
}

/* Takes the first one; q->count must not be 0. */
static inline struct sim_packet packet_queue_take(struct packet_queue *q)
{
    struct sim_packet packet = q->packets[q->first];
    q->first = (q->first + 1) % q->size;
    q->count--;
    return packet;
}

#endif
