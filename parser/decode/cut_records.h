/* Records of a damaged file that a window header cut off: their last words are the header's. */
#ifndef XENMETER_PARSER_CUT_RECORDS_H
#define XENMETER_PARSER_CUT_RECORDS_H

#include "decoder.h"

/* So far before a record that makes no sense a window header is looked for. */
#define HEADER_REACH (4 * RECORD_MAX)

/*
 * Records that reach into a window header were cut off by it: what was decoded of them is removed, and they do not count. The records
 * before it begin at `p`, and the last one ends at `end`.
 */
void cut_records_remove(struct decoder *d, const uint8_t *p, const uint8_t *header, const uint8_t *end);

#endif
