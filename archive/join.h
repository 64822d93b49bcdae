/*
 * The results of captures that follow each other, as those of one trace: times go on from the first capture's start,
 * domain ids keep their incarnations, whole-trace rows are added up. What straddles the cut between two captures (an execution, a
 * wait) is known to neither and is no sample; and what domain id was there at the end of one capture and at the beginning
 * of the next is taken for the same domain.
 */
#ifndef XENMETER_ARCHIVE_JOIN_H
#define XENMETER_ARCHIVE_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/results.h"
#include "metrics/measure/meter_options.h"

struct join;

/* The sink is copied. NULL: no memory. */
struct join *join_new(const struct meter_sink *sink);
void join_free(struct join *j);

/*
 * What comes next is of a capture that begins offset_ns after the first one; `timeline`: as intervals say of which they are
 * (struct interval), 0 where they are of one; `goes_on`: its lives have the numbers of the capture before. Returns its place, for its reader
 * (results_reader_new): valid until the next capture.
 */
struct timeline_place *join_begin_capture(struct join *j, uint64_t offset_ns, unsigned timeline,
                                          bool goes_on);

/* Where a capture's results go, once they have their place. Its functions are NULL where the sink's are; they return what the sink did, or -1 without memory. */
struct meter_sink join_sink(struct join *j);

/*
 * After the last capture: emits the rows of the whole, which ends at end_ns and lacks gap_ns between captures, if any capture
 * had them. As the sink's functions.
 */
int join_finish(struct join *j, uint64_t end_ns, uint64_t gap_ns);
bool join_out_of_memory(const struct join *j);

#endif
