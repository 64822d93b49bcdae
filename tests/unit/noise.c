/* The noise of a capture, and what is more than noise: worked out by hand, or from printed tables of Student's t. */
#include "metrics/measure/noise.h"

#include <math.h>

#include "check.h"

static bool is_near(double x, double expected)
{
    return fabs(x - expected) <= 1e-6;
}

static void students_t_is_that_of_the_tables(void)
{
    CHECK(is_near(noise_student_tail(0, 5), 1));
    CHECK(is_near(noise_student_tail(1, 1), 0.5));                   /* Cauchy: quartiles at 1 */
    CHECK(is_near(noise_student_tail(sqrt(2), 2), 1 - sqrt(2) / 2)); /* 1 - t / sqrt(2 + t^2) */
    CHECK(is_near(noise_student_tail(2.2281388520, 10), 0.05));
    CHECK(is_near(noise_student_tail(3.1692726726, 10), 0.01));
    CHECK(is_near(noise_student_tail(1.9599639845, 1e9), 0.05)); /* the normal distribution */
    CHECK(noise_student_tail(1e200, 9) == 0);
}

static void intervals_make_10_to_19_blocks(void)
{
    EQUAL(noise_block_length(4), 1);
    EQUAL(noise_block_length(19), 1);
    EQUAL(noise_block_length(20), 2);
    EQUAL(noise_block_length(99), 9);
    EQUAL(noise_block_length(200), 20);
}

static void blocks_spread_around_the_value_of_all_the_time(void)
{
    const double x[] = {1, 3, 1, 3};
    struct noise n = noise_of(x, 4, 1, 2);
    EQUAL(n.blocks, 4);
    CHECK(is_near(n.mean, 2));
    CHECK(is_near(n.variance, 4.0 / 3 / 4));
    n = noise_of(x, 4, 1, 1); /* it is not their mean: that counts, too */
    CHECK(is_near(n.variance, 8.0 / 3 / 4));
}

static void what_alternates_within_a_block_is_no_noise(void)
{
    const double x[] = {1, 3, 3, 1, 1, 3, 1, 3, 7};
    struct noise n = noise_of(x, 9, 2, 2); /* the last interval makes no block */
    EQUAL(n.blocks, 4);
    CHECK(n.variance == 0);
}

static void three_blocks_say_nothing(void)
{
    const double x[] = {1, 2, 3};
    EQUAL(noise_of(x, 3, 1, 2).blocks, 0);
    EQUAL(noise_of(x, 0, 1, 2).blocks, 0);
}

static void of_maxima_the_blocks_are_compared(void)
{
    const double x[] = {1, 5, 2, 4, 3, 3, 6, 0}; /* 5 4 3 6 */
    struct noise n = noise_of_maxima(x, 8, 2);
    CHECK(is_near(n.mean, 4.5));
    CHECK(is_near(n.variance, 5.0 / 3 / 4));
}

/* Both standard errors are sqrt(1/3): that of the difference is sqrt(2/3), with 6 degrees of freedom; t(0.975, 6) = 2.446912. */
static void welch_with_equal_variances_is_students_test(void)
{
    const struct noise a = {4, 2, 1.0 / 3}, b = {4, 4, 1.0 / 3};
    CHECK(is_near(noise_half_width(&a, &b), 2.4469118511 * sqrt(2.0 / 3)));
    CHECK(is_near(noise_p_value(&a, &b, 2.4469118511 * sqrt(2.0 / 3)), 0.05));
    CHECK(noise_p_value(&a, &b, 0) == 1);
}

/* (4 + 1)^2 / (4^2 / 4 + 1^2 / 9) = 6.0811; P(|T| >= 2) = 0.0917 with that, by interpolation of 6 (0.0924) and 7 (0.0856). */
static void degrees_of_freedom_need_not_be_whole(void)
{
    const struct noise a = {5, 0, 4}, b = {10, 0, 1};
    double p = noise_p_value(&a, &b, 2 * sqrt(5));
    CHECK(p > 0.0910 && p < 0.0924);
}

static void without_variance_any_difference_counts(void)
{
    const struct noise steady = {10, 1, 0};
    CHECK(noise_p_value(&steady, &steady, 0) == 1);
    CHECK(noise_p_value(&steady, &steady, 0.1) == 0);
    CHECK(noise_half_width(&steady, &steady) == 0);
}

/* Holm: 0.01 * 3, then 0.03 * 2, then 0.04 * 1, but never less than the one before. */
static void many_comparisons_ask_for_more(void)
{
    double p[] = {0.01, 0.04, 0.03};
    const size_t order[] = {0, 2, 1};
    noise_adjust(p, order, 3);
    CHECK(is_near(p[0], 0.03));
    CHECK(is_near(p[2], 0.06));
    CHECK(is_near(p[1], 0.06));
    double large[] = {0.6, 0.7};
    const size_t both[] = {0, 1};
    noise_adjust(large, both, 2);
    CHECK(large[0] == 1 && large[1] == 1);
}

CU_TestInfo noise_tests[] = {TEST(students_t_is_that_of_the_tables),
                             TEST(intervals_make_10_to_19_blocks),
                             TEST(blocks_spread_around_the_value_of_all_the_time),
                             TEST(what_alternates_within_a_block_is_no_noise),
                             TEST(three_blocks_say_nothing),
                             TEST(of_maxima_the_blocks_are_compared),
                             TEST(welch_with_equal_variances_is_students_test),
                             TEST(degrees_of_freedom_need_not_be_whole),
                             TEST(without_variance_any_difference_counts),
                             TEST(many_comparisons_ask_for_more),
                             CU_TEST_INFO_NULL};
