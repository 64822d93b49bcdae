/*
 * Reads the values of options. `option` is the long name, without dashes. Each returns 0, or -1 with `err` saying what was
 * wrong and what is wanted.
 */
#ifndef XENMETER_CMD_VALUES_H
#define XENMETER_CMD_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

/* "10s" "100ms" "500us" "1500ns" "2m" "1h"; a bare number is seconds. Reads n characters of text. */
int parse_duration(const char *option, const char *text, size_t n, uint64_t *ns, struct error *err);

/* "0,3-5": sets a byte for each number, all of them below `limit`. */
int parse_numbers(const char *option, const char *text, uint8_t *set, size_t limit, struct error *err);

/* A whole number from 1 on. */
int parse_count(const char *option, const char *text, size_t *count, struct error *err);

/* "2.4G" "2595918170" "24M": Hz. */
int parse_frequency(const char *text, double *hz, struct error *err);

/* "256M" "1G" "65536": bytes, units of 1024. */
int parse_size(const char *text, uint64_t *bytes, struct error *err);

#endif
