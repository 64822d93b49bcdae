#include "metrics/measure/noise.h"

#include <math.h>
#include <stdbool.h>

#define CONFIDENCE 0.95

/* ---- blocks ---- */

size_t noise_block_length(size_t n)
{
    return n < 2 * NOISE_BLOCKS ? 1 : n / NOISE_BLOCKS;
}

static double block_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double block_max(const double *x, size_t n)
{
    double max = x[0];
    for (size_t i = 1; i < n; i++)
        max = fmax(max, x[i]);
    return max;
}

/* `around`: what the blocks spread around; NAN: their mean. */
static struct noise spread(const double *x, size_t n, size_t length, double around,
                           double (*block)(const double *x, size_t n))
{
    struct noise noise = {.blocks = n / length};
    if (noise.blocks < NOISE_BLOCKS_MIN)
        return (struct noise){0};
    for (size_t i = 0; i < noise.blocks; i++)
        noise.mean += block(x + i * length, length) / (double)noise.blocks;
    around = isnan(around) ? noise.mean : around;
    for (size_t i = 0; i < noise.blocks; i++) {
        double off = block(x + i * length, length) - around;
        noise.variance += off * off;
    }
    noise.variance /= (double)(noise.blocks - 1) * (double)noise.blocks;
    return noise;
}

struct noise noise_of(const double *x, size_t n, size_t length, double whole)
{
    return spread(x, n, length, whole, block_mean);
}

struct noise noise_of_maxima(const double *x, size_t n, size_t length)
{
    return spread(x, n, length, NAN, block_max);
}

/* ---- Student's t ---- */

/*
 * The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by Lentz's method; it converges
 * fast for x < (a + 1) / (a + b + 2).
 */
static double beta_fraction(double a, double b, double x)
{
    enum { STEPS = 500 };
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d, change = 0;
    for (int m = 1; m < STEPS && fabs(change - 1) > 1e-15; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int part = 0; part < 2; part++) {
            double term = part == 0 ? even : odd;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            value *= change;
        }
    }
    return value;
}

/* The regularised incomplete beta function; y = 1 - x, which may be too small to be had from x. */
static double beta_share(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, y) / b;
}

double noise_student_tail(double t, double freedom)
{
    double square = t * t;
    return isinf(square)
               ? 0
               : beta_share(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
}

/* ---- Welch's test ---- */

static double standard_error(const struct noise *a, const struct noise *b)
{
    return sqrt(a->variance + b->variance);
}

/* Welch and Satterthwaite; both variances together are above 0. Scaled first, as squares of squares leave a double's range. */
static double degrees_of_freedom(const struct noise *a, const struct noise *b)
{
    double share = a->variance / (a->variance + b->variance), rest = 1 - share;
    return 1 / (share * share / (double)(a->blocks - 1) + rest * rest / (double)(b->blocks - 1));
}

double noise_p_value(const struct noise *a, const struct noise *b, double difference)
{
    double error = standard_error(a, b);
    if (!(error > 0))
        return difference > 0 ? 0 : 1;
    return noise_student_tail(difference / error, degrees_of_freedom(a, b));
}

double noise_half_width(const struct noise *a, const struct noise *b)
{
    double error = standard_error(a, b), low = 0, high = 1;
    if (!(error > 0))
        return 0;
    double freedom = degrees_of_freedom(a, b);
    while (noise_student_tail(high, freedom) > 1 - CONFIDENCE)
        high *= 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        bool inside = noise_student_tail(middle, freedom) > 1 - CONFIDENCE;
        low = inside ? middle : low;
        high = inside ? high : middle;
    }
    return high * error;
}

void noise_adjust(double *p, const size_t *order, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fmin(1, p[order[i]] * (double)(n - i)));
        p[order[i]] = largest;
    }
}
