/*
 * hidden.h - what of a vCPU no file can show, however it is read: rows of that time are not judged.
 */
#ifndef XENMETER_TESTS_HOSTS_HIDDEN_H
#define XENMETER_TESTS_HOSTS_HIDDEN_H

#include "host_view.h"

/* Whether in [from, to) the vCPU was in a state of which nothing in the file tells. After breadth_make, which sorts the changes. */
bool is_hidden(const struct plan *plan, const struct view *v, const struct truth_vcpu *t, uint64_t from,
               uint64_t to);

#endif
