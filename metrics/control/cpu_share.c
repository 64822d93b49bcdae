#include "metrics/control/cpu_share.h"

#include "parser/order/clock.h"

uint64_t cpu_share_ns(struct cpu_share share, uint64_t length_ns)
{
    uint128 ns = ((uint128)length_ns * share.part + share.of / 2) / share.of;
    return ns < UINT64_MAX ? (uint64_t)ns : UINT64_MAX;
}
