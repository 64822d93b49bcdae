/* Parts of time, as policies have them. */
#ifndef XENMETER_METRICS_CONTROL_CPU_SHARE_H
#define XENMETER_METRICS_CONTROL_CPU_SHARE_H

#include <stdint.h>

/* CPU time as part of a pCPU's: `part` ns of every `of` ns. SEDF's slice and period; 60 %: 60 of 100. */
struct cpu_share {
    uint64_t part, of;
};

/* The share of length_ns, rounded to the nearest ns; at most UINT64_MAX. */
uint64_t cpu_share_ns(struct cpu_share share, uint64_t length_ns);

#endif
