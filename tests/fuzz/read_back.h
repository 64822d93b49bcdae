/* What a writer wrote, parsed again: each value of each row is the one that the relation has. */
#ifndef XENMETER_TESTS_FUZZ_READ_BACK_H
#define XENMETER_TESTS_FUZZ_READ_BACK_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/row.h"

enum written { WRITTEN_CSV, WRITTEN_TSV, WRITTEN_JSONL, WRITTEN_JSON, WRITTEN_SQLITE, WRITTEN_FORMATS };

/* Writes a report of n bytes of a capture in that format, reads it back, and aborts if a value differs. */
void read_back(const uint8_t *bytes, size_t n, enum written format, enum by by);

#endif
