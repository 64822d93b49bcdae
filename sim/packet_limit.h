/* packet_limit.h - how many bytes may pass: a filter's token bucket, which drops the rest, and netback's credit, which lets it wait. */
#ifndef XENMETER_SIM_PACKET_LIMIT_H
#define XENMETER_SIM_PACKET_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* A filter for one direction, with bursts as share/hooks/nft allows them. */
struct packet_filter {
    uint64_t bytes_per_s; /* SIM_FREE (hold.h): all pass; 0: none */
    uint64_t left;        /* bytes that may pass at once */
    uint64_t at_ns;
};

/* From now on this rate holds; nothing changes if it held before. */
void packet_filter_set(struct packet_filter *f, uint64_t bytes_per_s);

/* Whether a packet of that size passes at now_ns; then it counts. */
bool packet_filter_passes(struct packet_filter *f, uint32_t bytes, uint64_t now_ns);

/*
 * As Linux' netback has it: every period it gets credit, which it saves up to what it gets at once, or to 128 KiB if that is more; a packet
 * that is larger than the credit waits for the next time.
 */
struct packet_credit {
    uint64_t bytes_per_s, period_ns;
    uint64_t bytes; /* each time; SIM_FREE: no limit */
    uint64_t left;
    uint64_t due_ns; /* the next time, or earlier than the next packet */
};

/* From now_ns on this rate (> 0, SIM_FREE: none) holds, as share/hooks/netback-rate sets it; nothing changes if it held before. */
void packet_credit_set(struct packet_credit *c, uint64_t bytes_per_s, uint64_t now_ns);

/* Whether a packet of that size may be taken at now_ns; then it counts. If not: it may be at c->due_ns, or later. */
bool packet_credit_covers(struct packet_credit *c, uint32_t bytes, uint64_t now_ns);

#endif
