/*
 * Least squares with few unknowns that are not negative: y = x0*a0 + x1*a1 + ... over many equations, of which only the sums
 * are kept (the normal equations).
 */
#ifndef XENMETER_METRICS_LEAST_SQUARES_H
#define XENMETER_METRICS_LEAST_SQUARES_H

#define UNKNOWNS_MAX 9

/* The sums of a set of equations; all zero: none. */
struct normal_equations {
    double aa[UNKNOWNS_MAX][UNKNOWNS_MAX]; /* of products of two coefficients; symmetric */
    double ay[UNKNOWNS_MAX];               /* of coefficient times y */
    double yy;                             /* of y squared */
};

/* Adds the equation with these UNKNOWNS_MAX coefficients. */
void least_squares_add(struct normal_equations *e, const double *a, double y);

/* Adds the equations of `from`, `times` times: -1 takes them out again. */
void least_squares_merge(struct normal_equations *e, const struct normal_equations *from, double times);

/* The sum of the squares of what x[UNKNOWNS_MAX] leaves of each y; not negative. */
double least_squares_rest(const struct normal_equations *e, const double *x);

/*
 * The best x of which none is negative, for the unknowns in `wanted` (1u << unknown, or-ed); the others, and those without any
 * coefficient, are 0. It is found by trying all sets of unknowns that are not 0: no more than 512 small systems.
 */
void least_squares_solve(const struct normal_equations *e, unsigned wanted, double *x);

/*
 * How much larger the variance of an unknown in `wanted` is because the coefficients of the others move along: 1, not at all;
 * INFINITY: it cannot be told from them. 1 / (1 - R^2), with R^2 about 0.
 */
double least_squares_inflation(const struct normal_equations *e, unsigned wanted, unsigned unknown);

#endif
