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

#define CREDIT_NS    50000000u
#define CREDIT_SAVED 131072u
#define CREDIT_LEAST 1514u /* bytes: what the hook sets at least, a whole packet */

void packet_credit_set(struct packet_credit *c, uint64_t bytes_per_s, uint64_t now_ns)
{
    uint64_t bytes = bytes_per_s / (S_NS / CREDIT_NS);
    bytes = bytes_per_s == SIM_FREE ? SIM_FREE : bytes > CREDIT_LEAST ? bytes : CREDIT_LEAST;
    if (bytes == c->bytes)
        return;
    *c = (struct packet_credit){.bytes = bytes, .left = bytes, .due_ns = now_ns + CREDIT_NS};
}

bool packet_credit_covers(struct packet_credit *c, uint32_t bytes, uint64_t now_ns)
{
    if (c->bytes == SIM_FREE)
        return true;
    if (now_ns >= c->due_ns) {
        uint64_t most = c->bytes > CREDIT_SAVED ? c->bytes : CREDIT_SAVED;
        c->left = c->left + c->bytes < most ? c->left + c->bytes : most;
        c->due_ns = now_ns + CREDIT_NS;
    }
    if (c->left < bytes)
        return false;
    c->left -= bytes;
    return true;
}
