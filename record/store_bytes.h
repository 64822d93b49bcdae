/* What counts against the limit of a recorder's folder, but is none of the recorder's files (record/store.h). */
#ifndef XENMETER_RECORD_STORE_BYTES_H
#define XENMETER_RECORD_STORE_BYTES_H

#include <stdint.h>

/*
 * Bytes of the archives and dumps of other hosts in `dir`, of files that are being rewritten, and of the recorder's state. What cannot be
 * read counts as nothing.
 */
uint64_t store_other_bytes(const char *dir, const char *host);

#endif
