/*
 * The program against the reference: one made capture, read by both. Records and their order, the state of each vCPU at each
 * moment, and the sums of a report must be the same.
 */
#ifndef XENMETER_TESTS_REFERENCE_TRUTH_H
#define XENMETER_TESTS_REFERENCE_TRUTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first byte decides how the capture is read and what is asked for, the others what the host does (made_host.h). NULL, or
 * what differs (static, until the next call).
 */
const char *truth_difference(const uint8_t *bytes, size_t n);

#endif
