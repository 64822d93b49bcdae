/*
 * Which frequency do stretches allow whose ns are known modulo 2^32 only?
 *
 * Nothing is supposed of how often a payload wrapped. A stretch of n cycles that Xen's clock calls p ns allows a frequency f
 * only if n / f = p + k * 2^32 ns for some whole k, but for some slack: stamps are made a little after Xen read its
 * clock. Going from the shortest stretches to the longest, the frequencies that most stretches allow are kept, and narrowed
 * as far as the slack allows. Where stretches of several lengths leave only one, it is the counter's; stretches that are all
 * alike leave several, and the frequency is not known.
 */
#ifndef XENMETER_PARSER_CLOCK_SIEVE_H
#define XENMETER_PARSER_CLOCK_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

#include "clock_marks.h"

#define CLOCK_HZ_LEAST 0.95e6 /* counters run at 1 MHz (Arm) */
#define CLOCK_HZ_MOST  6.5e9  /* to 6 GHz (x86) */

struct candidate;

/* Frequencies from .. to, in Hz. */
struct hz_range {
    double from, to;
};

/* Room for clock_sieve, which the caller frees. NULL: no memory. */
struct candidate *clock_sieve_room(void);

/*
 * The frequencies within `range` that the stretches allow: true with them in `range` when they lie within 5 % of one another.
 * False: there are others besides, or none. Sorts the stretches.
 */
bool clock_sieve(struct stretch *s, size_t n, struct candidate *room, struct hz_range *range);

/*
 * The ns of a stretch if its frequency is in `range`: the least one that it allows, whether it is the only one in `only`.
 * False: the range allows none.
 */
bool clock_unwrap(const struct stretch *s, const struct hz_range *range, double *ns, bool *only);

#endif
