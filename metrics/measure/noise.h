/*
 * How far a number of a capture may be off by chance, from its values in the intervals of the capture; and whether two
 * captures differ by more.
 *
 * Consecutive intervals are put together to 10 to 19 blocks, so that what one interval passes on to the next hardly
 * counts (method of batch means). The spread of the blocks around the value over all the time gives its variance, for a
 * percentile as for a mean (sectioning: Asmussen and Glynn, Stochastic Simulation, 2007, III.5). Two values are compared
 * by Welch's t test, which does not ask for equal variances or equally many blocks.
 */
#ifndef XENMETER_METRICS_NOISE_H
#define XENMETER_METRICS_NOISE_H

#include <stddef.h>

#define NOISE_BLOCKS     10 /* at least, where there are so many intervals; less than twice as many */
#define NOISE_BLOCKS_MIN 4  /* fewer say nothing */

/* Of one value; in its unit. */
struct noise {
    size_t blocks;   /* 0: there is no estimate, and the rest is 0 */
    double mean;     /* of the blocks */
    double variance; /* of the value; the square of its standard error */
};

/* How many of n intervals make a block: 1 or more. */
size_t noise_block_length(size_t n);

/* The noise of the value `whole`, of which x[0..n) are the values in n intervals: each block is the mean of `length`. */
struct noise noise_of(const double *x, size_t n, size_t length, double whole);

/* The noise of the mean of the blocks' maxima: of `length` intervals each. */
struct noise noise_of_maxima(const double *x, size_t n, size_t length);

/*
 * The probability, 0 to 1, of a difference as large as this one (0 or more) or larger by chance, in either direction. Both have an
 * estimate. Without any variance: 0 if there is a difference, else 1.
 */
double noise_p_value(const struct noise *a, const struct noise *b, double difference);

/* Half the width of the 95 % confidence interval of the difference; 0 without any variance. Both have an estimate. */
double noise_half_width(const struct noise *a, const struct noise *b);

/* The two-sided tail of Student's t with `freedom` degrees of freedom, above 0 and not always whole: P(|T| >= t), t >= 0. */
double noise_student_tail(double t, double freedom);

/*
 * Adjusts n p-values for their number, by Holm's method: if all differences are chance, one of them is below x afterwards with a
 * probability of x at most. p[order[0]] <= p[order[1]] <= ...
 */
void noise_adjust(double *p, const size_t *order, size_t n);

#endif
