/*
 * Text that must wait for its turn: kept in memory up to a bound, beyond it in a temporary file without a
 * name (in $TMPDIR, else /tmp), which vanishes with the process.
 */
#ifndef XENMETER_FORMATS_SPILL_H
#define XENMETER_FORMATS_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "formats/output.h"
#include "parser/error.h"

#define SPILL_MEMORY_BYTES ((size_t)4 * 1024 * 1024)

struct spill {
    struct buffer text;  /* to append to: what is not in the file, everything or its end */
    int fd;              /* -1: no file */
    uint64_t file_bytes; /* written to it */
};

void spill_init(struct spill *s);
void spill_free(struct spill *s);

/* To be called after each piece that was appended: keeps the memory bounded. 0, or -1 with `err` filled. */
int spill_settle(struct spill *s, struct error *err);

/* Appends all of it to an output. 0, or -1 with the output failed. */
int spill_copy(const struct spill *s, struct output *out);

/* The same for n bytes of it from `at` on. */
int spill_copy_part(const struct spill *s, uint64_t at, uint64_t n, struct output *out);

bool spill_is_empty(const struct spill *s);

#endif
