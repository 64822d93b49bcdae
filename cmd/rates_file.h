/* The files of prices and tags: what xenmeter-rates(5) describes. */
#ifndef XENMETER_CMD_RATES_FILE_H
#define XENMETER_CMD_RATES_FILE_H

#include "account/rates.h"
#include "account/tags.h"
#include "formats/buffer.h"
#include "parser/error.h"

/* Appends the bytes of a file ("-" is none), to be read by the functions below. -1 with `err` filled. */
int rates_file(const char *path, struct buffer *text, struct error *err);
int tags_file(const char *path, struct buffer *text, struct error *err);

/*
 * Reads rates from n bytes; `tags`: those that rates may name, NULL: none. -1 with `err` filled: it is not JSON, something in it is of
 * another kind or out of range, rates overlap. rates_free in both cases.
 */
int rates_read(struct rates *r, const char *text, size_t n, const struct tags *tags, struct error *err);

#endif
