/*
 * proofs.h - whether a file shows that a pCPU was not read. An unread pCPU shows by contradictions only: a record that does
 * not fit the one before of the same vCPU, by which it was on no pCPU according to both. One or two may be chance; with lost
 * records, or clocks that are apart, some come up anyway.
 */
#ifndef XENMETER_TESTS_HOSTS_PROOFS_H
#define XENMETER_TESTS_HOSTS_PROOFS_H

#include "host_view.h"

struct proofs {
    size_t n;    /* contradictions */
    bool enough; /* so many, of those a vCPU has more than one */
    /*
     * Rows that begin before are as the records say: the proof came when they may have been handed out. 0: it came while the
     * beginning of the trace was not settled.
     */
    uint64_t since_tsc;
};

/*
 * After breadth_make, which sorts the changes. end_tsc: of the result, which does not use what is after where a file was cut. False
 * when memory is short.
 */
bool proofs_make(struct proofs *proofs, const struct plan *plan, const struct recording *r,
                 const struct view *v, uint64_t end_tsc);

#endif
