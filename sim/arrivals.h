/* arrivals.h - times at which requests arrive, from a file. */
#ifndef XENMETER_SIM_ARRIVALS_H
#define XENMETER_SIM_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

#define ARRIVALS_MAX 50000000u

/*
 * Reads a file of lines, each a time in seconds from the beginning, such as 1.25; times must not fall. Empty lines and those that
 * begin with # are skipped. The file's path is relative to `folder` ("" is the current one). *times, in ns, is the caller's to free.
 * 0; -1 with `err` filled.
 */
int arrivals_read(const char *folder, const char *path, uint64_t **times, size_t *n, struct error *err);

#endif
