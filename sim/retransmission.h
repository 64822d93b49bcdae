/*
 * retransmission.h - what a sender of TCP does when packets vanish: nothing is acknowledged, so it stops; after a timeout it sends one
 * packet again, and waits twice as long each time that this one vanishes, too. Linux' numbers.
 */
#ifndef XENMETER_SIM_RETRANSMISSION_H
#define XENMETER_SIM_RETRANSMISSION_H

#include <stdint.h>

#define RETRANSMISSION_FIRST_NS ((uint64_t)200000000)
#define RETRANSMISSION_MOST_NS  ((uint64_t)120000000000)

/* All zero: nothing is missing. */
struct retransmission {
    uint64_t timeout_ns; /* 0: nothing is missing */
    uint64_t due_ns;     /* nothing is sent before, and then one packet */
    uint64_t sent_ns;    /* that packet was, if not before due_ns */
};

/* A packet that was sent at sent_ns has vanished. Those that were on their way with the first one change nothing. */
static inline void retransmission_lost(struct retransmission *r, uint64_t sent_ns, uint64_t now_ns)
{
    if (r->timeout_ns > 0 && sent_ns < r->due_ns)
        return;
    r->timeout_ns = r->timeout_ns == 0 ? RETRANSMISSION_FIRST_NS : 2 * r->timeout_ns;
    if (r->timeout_ns > RETRANSMISSION_MOST_NS)
        r->timeout_ns = RETRANSMISSION_MOST_NS;
    r->due_ns = now_ns + r->timeout_ns;
}

/* A packet that was sent at sent_ns has arrived. */
static inline void retransmission_arrived(struct retransmission *r, uint64_t sent_ns)
{
    if (sent_ns >= r->due_ns)
        r->timeout_ns = 0;
}

/* Something is missing, and the one packet is on its way. */
static inline int retransmission_awaits(const struct retransmission *r)
{
    return r->timeout_ns > 0 && r->sent_ns >= r->due_ns;
}

#endif
