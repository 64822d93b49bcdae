/*
 * proofs.h - whether a file shows that a pCPU was not read. An unread pCPU shows by contradictions only: a record that does
 * not fit the one before of the same vCPU, by which it was on no pCPU according to both. One or two may be chance; with lost
 * records, or clocks that are apart, some come up anyway.
 */
#ifndef XENMETER_TESTS_HOSTS_PROOFS_H
#define XENMETER_TESTS_HOSTS_PROOFS_H

#include "view.h"

struct proofs {
    size_t n;    /* contradictions */
    bool enough; /* so many, of those a vCPU has more than one */
};

/* After breadth_make, which sorts the changes. */
struct proofs proofs_of(const struct plan *plan, const struct view *v);

#endif
