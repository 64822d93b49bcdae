#include "sim/packet_limit.h"

#include "sim/hold.h"
#include "sim/prng.h"

#define S_NS        1000000000u
#define BURST_LEAST 3072u /* bytes: of a filter that lets almost nothing pass */

/* ---- the filter ---- */

static uint64_t burst_bytes(const struct packet_filter *f)
{
    return f->bytes_per_s / 5 + BURST_LEAST;
}

void packet_filter_set(struct packet_filter *f, uint64_t bytes_per_s)
{
    if (bytes_per_s == f->bytes_per_s)
        return;
    f->bytes_per_s = bytes_per_s;
    f->left = bytes_per_s && bytes_per_s != SIM_FREE ? burst_bytes(f) : 0;
}

bool packet_filter_passes(struct packet_filter *f, uint32_t bytes, uint64_t now_ns)
{
    if (f->bytes_per_s == SIM_FREE)
        return true;
    if (f->bytes_per_s > 0 && now_ns > f->at_ns) {
        uint64_t more = (uint64_t)((uint128)(now_ns - f->at_ns) * f->bytes_per_s / S_NS);
        uint64_t most = burst_bytes(f);
        /* What is less than a byte stays for the next time. */
        f->at_ns = more ? now_ns : f->at_ns;
        f->left = f->left + more < most ? f->left + more : most;
    }
    if (f->left < bytes)
        return false;
    f->left -= bytes;
    return true;
}

/* ---- netback's credit ---- */

/* As the hook sets it: a period is as long as three packets take, within these bounds, and lets a packet through at least. */
#define CREDIT_NS      50000000u
#define CREDIT_MOST_NS 1000000000u
#define CREDIT_PACKETS 3
#define CREDIT_SAVED   131072u
#define CREDIT_LEAST   1514u

static uint64_t credit_period_ns(uint64_t bytes_per_s)
{
    uint64_t ns =
        bytes_per_s == SIM_FREE ? CREDIT_NS : (uint64_t)CREDIT_PACKETS * CREDIT_LEAST * S_NS / bytes_per_s;
    return ns < CREDIT_NS ? CREDIT_NS : ns < CREDIT_MOST_NS ? ns : CREDIT_MOST_NS;
}

void packet_credit_set(struct packet_credit *c, uint64_t bytes_per_s, uint64_t now_ns)
{
    if (bytes_per_s == c->bytes_per_s || (bytes_per_s == SIM_FREE && c->bytes == SIM_FREE))
        return;
    uint64_t period_ns = credit_period_ns(bytes_per_s);
    uint64_t bytes = bytes_per_s == SIM_FREE ? SIM_FREE : (uint64_t)((uint128)bytes_per_s * period_ns / S_NS);
    if (bytes < CREDIT_LEAST)
        bytes = CREDIT_LEAST;
    *c = (struct packet_credit){.bytes_per_s = bytes_per_s,
                                .period_ns = period_ns,
                                .bytes = bytes,
                                .left = bytes,
                                .due_ns = now_ns + period_ns};
}

bool packet_credit_covers(struct packet_credit *c, uint32_t bytes, uint64_t now_ns)
{
    if (c->bytes == SIM_FREE)
        return true;
    if (now_ns >= c->due_ns) {
        uint64_t most = c->bytes > CREDIT_SAVED ? c->bytes : CREDIT_SAVED;
        c->left = c->left + c->bytes < most ? c->left + c->bytes : most;
        c->due_ns = now_ns + c->period_ns;
    }
    if (c->left < bytes)
        return false;
    c->left -= bytes;
    return true;
}
