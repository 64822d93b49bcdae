#include "least_squares.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SINGULAR 1e-9 /* of a coefficient's square that others leave: rounding, and no information */

void least_squares_add(struct normal_equations *e, const double *a, double y)
{
    for (unsigned i = 0; i < UNKNOWNS_MAX; i++) {
        for (unsigned j = 0; j < UNKNOWNS_MAX; j++)
            e->aa[i][j] += a[i] * a[j];
        e->ay[i] += a[i] * y;
    }
    e->yy += y * y;
}

void least_squares_merge(struct normal_equations *e, const struct normal_equations *from, double times)
{
    for (unsigned i = 0; i < UNKNOWNS_MAX; i++) {
        for (unsigned j = 0; j < UNKNOWNS_MAX; j++)
            e->aa[i][j] += times * from->aa[i][j];
        e->ay[i] += times * from->ay[i];
    }
    e->yy += times * from->yy;
}

double least_squares_rest(const struct normal_equations *e, const double *x)
{
    double rest = e->yy;
    for (unsigned i = 0; i < UNKNOWNS_MAX; i++) {
        rest -= 2 * x[i] * e->ay[i];
        for (unsigned j = 0; j < UNKNOWNS_MAX; j++)
            rest += x[i] * x[j] * e->aa[i][j];
    }
    return rest > 0 ? rest : 0;
}

/* Some of the unknowns, as a system that is being solved. */
struct system {
    unsigned unknowns[UNKNOWNS_MAX], n;
    double l[UNKNOWNS_MAX][UNKNOWNS_MAX]; /* of Cholesky's decomposition */
};

/* Decomposes the unknowns of `set` in ascending order, and `last` (UNKNOWNS_MAX: none) after them. False: it is singular. */
static bool decompose(struct system *s, const struct normal_equations *e, unsigned set, unsigned last)
{
    s->n = 0;
    for (unsigned i = 0; i < UNKNOWNS_MAX; i++)
        if (set & 1u << i && i != last)
            s->unknowns[s->n++] = i;
    if (last < UNKNOWNS_MAX)
        s->unknowns[s->n++] = last;
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned j = 0; j <= i; j++) {
            double left = e->aa[s->unknowns[i]][s->unknowns[j]];
            for (unsigned k = 0; k < j; k++)
                left -= s->l[i][k] * s->l[j][k];
            if (i == j && !(left > SINGULAR * e->aa[s->unknowns[i]][s->unknowns[i]]))
                return false;
            s->l[i][j] = i == j ? sqrt(left) : left / s->l[j][j];
        }
    return true;
}

/* What the decomposed system has, by number of unknown; the others are 0. False: one is negative. */
static bool substitute(const struct system *s, const struct normal_equations *e, double *x)
{
    double z[UNKNOWNS_MAX] = {0};
    bool positive = true;
    for (unsigned i = 0; i < s->n; i++) {
        z[i] = e->ay[s->unknowns[i]];
        for (unsigned k = 0; k < i; k++)
            z[i] -= s->l[i][k] * z[k];
        z[i] /= s->l[i][i];
    }
    memset(x, 0, UNKNOWNS_MAX * sizeof *x);
    for (unsigned i = s->n; i-- > 0;) {
        for (unsigned k = i + 1; k < s->n; k++)
            z[i] -= s->l[k][i] * z[k];
        z[i] /= s->l[i][i];
        x[s->unknowns[i]] = z[i];
        positive = positive && z[i] >= 0;
    }
    return positive;
}

void least_squares_solve(const struct normal_equations *e, unsigned wanted, double *x)
{
    double best = e->yy, at[UNKNOWNS_MAX];
    struct system s;
    memset(x, 0, UNKNOWNS_MAX * sizeof *x);
    for (unsigned i = 0; i < UNKNOWNS_MAX; i++)
        if (!(e->aa[i][i] > 0))
            wanted &= ~(1u << i);
    for (unsigned set = wanted; set; set = (set - 1) & wanted) {
        if (!decompose(&s, e, set, UNKNOWNS_MAX) || !substitute(&s, e, at))
            continue;
        double rest = least_squares_rest(e, at);
        if (rest < best) {
            best = rest;
            memcpy(x, at, UNKNOWNS_MAX * sizeof *x);
        }
    }
}

double least_squares_inflation(const struct normal_equations *e, unsigned wanted, unsigned unknown)
{
    struct system s;
    double all = e->aa[unknown][unknown];
    if (!(all > 0) || !decompose(&s, e, wanted, unknown))
        return INFINITY;
    double left = s.l[s.n - 1][s.n - 1];
    return all / (left * left);
}
