/*
 * Exact decimals of any magnitude, on libgmp: prices as people write them, amounts that are rounded once, and numbers that are
 * divided among several without losing a digit.
 *
 * How amounts are rounded: the exact sum of a group of amounts is rounded half away from zero to the digits of the currency.
 * Each amount is rounded down, and what is missing to the sum goes, one unit of the last digit each, to the amounts with the
 * largest remainders; of equal remainders to the earlier one (largest remainder). So rounded amounts add up to the rounded sum.
 */
#ifndef XENMETER_ACCOUNT_DECIMAL_H
#define XENMETER_ACCOUNT_DECIMAL_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"

#define DECIMAL_DIGITS_MAX 18   /* after the point of an amount */
#define DECIMAL_TEXT_MAX   4096 /* digits of a number that is read */

/* The rule, in words: for statements. */
#define DECIMAL_RULE                                                                                         \
    "the exact sum of a host in a period is rounded half away from zero, its rows by largest remainder, so " \
    "that "                                                                                                  \
    "they add up to it"

/*
 * Reads "12", "0.0000123": digits, at most DECIMAL_TEXT_MAX, and a point with digits after it. False for anything else: signs, exponents, blanks, an empty
 * text. `to` is initialised by the caller, and canonical afterwards.
 */
bool decimal_parse(mpq_t to, const char *text);

/* The nearest whole number of units of 10^-digits, half away from zero. */
void decimal_round(mpz_t units, const mpq_t exact, unsigned digits);

/* Adds a number of units of 10^-digits, with all its digits: -1234 with 3 digits is "-1.234". */
void decimal_put(struct buffer *b, const mpz_t units, unsigned digits);

/*
 * Reads what decimal_put writes, with a sign where it is below zero: exactly `digits` digits after the point. False: it is none of
 * these.
 */
bool decimal_read(mpz_t units, const char *text, unsigned digits);

/* Adds an exact number with as many digits as it needs; one that never ends is cut off after `most`. It is 0 or more. */
void decimal_put_exact(struct buffer *b, const mpq_t exact, unsigned most);

/*
 * Rounds n amounts of 0 or more by the rule above, to `total` units, or, where that is NULL, to the rounded sum. A total is off the exact
 * sum by less than one unit. *units are initialised by the caller. False: no memory.
 */
bool decimal_round_all(mpz_t *units, mpq_t *exact, size_t n, unsigned digits, const mpz_t total);

/*
 * Divides `total` in proportion to weights, by largest remainder: parts add up to it. Where all weights are zero it divides
 * nothing, and parts are zero. Returns what was divided: `total` or 0. The sum of the weights is below 2^64. `parts` may not be
 * `weights`. *failed is set where memory ran out.
 */
uint64_t divide_ns(uint64_t *parts, uint64_t total, const uint64_t *weights, size_t n, bool *failed);

#endif
