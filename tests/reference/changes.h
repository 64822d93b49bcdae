/* What the records say of each vCPU: the first half of timelines.h. */
#ifndef XENMETER_TESTS_REFERENCE_CHANGES_H
#define XENMETER_TESTS_REFERENCE_CHANGES_H

#include "tests/reference/timelines.h"

/* Fills in vcpus with their changes, in time order, and losses. */
void ref_host_read_changes(struct ref_host *h, const struct ref_records *r);

#endif
