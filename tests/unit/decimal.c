/* Exact decimals: what is read, rounded, printed and divided. Expected values are worked out by hand. */
#include "account/decimal.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "new_seed.h"
#include "random.h"
#include "suites.h"

/* The text of a price, rounded to so many digits. */
static const char *rounded(const char *price, unsigned digits)
{
    static char text[256];
    struct buffer b = {0};
    mpq_t exact;
    mpz_t units;
    mpq_init(exact);
    mpz_init(units);
    CHECK(decimal_parse(exact, price));
    decimal_round(units, exact, digits);
    decimal_put(&b, units, digits);
    snprintf(text, sizeof text, "%.*s", (int)b.n, b.at);
    buffer_free(&b);
    mpq_clear(exact);
    mpz_clear(units);
    return text;
}

static void amounts_are_rounded_half_away_from_zero(void)
{
    SAME_TEXT(rounded("0.0000123", 7), "0.0000123");
    SAME_TEXT(rounded("0.0000123", 5), "0.00001");
    SAME_TEXT(rounded("0.0000123", 2), "0.00");
    SAME_TEXT(rounded("0.005", 2), "0.01");
    SAME_TEXT(rounded("0.00499999999999999999999999999999", 2), "0.00");
    SAME_TEXT(rounded("2.5", 0), "3");
    SAME_TEXT(rounded("007", 1), "7.0");
    SAME_TEXT(rounded("123456789012345678901234567890.129", 2), "123456789012345678901234567890.13");
}

static void what_is_no_price_is_refused(void)
{
    static const char *const wrong[] = {"",   "-1", "+1", "1.",    ".5",  "1e3", "0x10", "1,5",
                                        "1 ", " 1", ".",  "1.2.3", "inf", "nan", "1.-2"};
    mpq_t exact;
    mpq_init(exact);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!decimal_parse(exact, wrong[i]));
    mpq_clear(exact);
}

static void amounts_are_read_as_they_are_written(void)
{
    mpz_t units;
    mpz_init(units);
    CHECK(decimal_read(units, "-1.05", 2));
    EQUAL(mpz_get_si(units), -105);
    CHECK(decimal_read(units, "0.00", 2));
    EQUAL(mpz_get_si(units), 0);
    CHECK(!decimal_read(units, "1.5", 2));
    CHECK(!decimal_read(units, "1", 2));
    CHECK(!decimal_read(units, "--1.05", 2));
    CHECK(!decimal_read(units, "", 0));
    mpz_clear(units);
}

static void an_exact_number_has_the_digits_it_needs(void)
{
    static const struct {
        unsigned long above, below;
        const char *text;
    } cases[] = {{1, 8, "0.125"}, {36, 1, "36"}, {1, 3, "0.333333"}, {0, 1, "0"}, {1, 1000000, "0.000001"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer b = {0};
        mpq_t exact;
        mpq_init(exact);
        mpq_set_ui(exact, cases[i].above, cases[i].below);
        mpq_canonicalize(exact);
        decimal_put_exact(&b, exact, 6);
        buffer_add(&b, "", 1);
        SAME_TEXT(b.at, cases[i].text);
        buffer_free(&b);
        mpq_clear(exact);
    }
}

/* ---- largest remainder ---- */

#define MANY 12

static void check_rounded_all(const char *const *prices, size_t n, unsigned digits, const long *expected)
{
    mpq_t exact[MANY];
    mpz_t units[MANY];
    for (size_t i = 0; i < n; i++) {
        mpq_init(exact[i]);
        mpz_init(units[i]);
        CHECK(decimal_parse(exact[i], prices[i]));
    }
    CHECK(decimal_round_all(units, exact, n, digits, NULL));
    for (size_t i = 0; i < n; i++) {
        EQUAL(mpz_get_si(units[i]), expected[i]);
        mpq_clear(exact[i]);
        mpz_clear(units[i]);
    }
}

static void the_residue_goes_to_the_largest_remainders(void)
{
    /* 0.333 x 3 = 0.999 -> 1.00; each down 0.33; the cent that is missing: to the first of equals */
    check_rounded_all((const char *const[]){"0.333", "0.333", "0.333"}, 3, 2, (const long[]){34, 33, 33});
    /* 1.25 + 0.09 + 0.06 = 1.40 -> 1.4; down 1.2 + 0 + 0; two missing: 0.09, then 0.06 */
    check_rounded_all((const char *const[]){"1.25", "0.09", "0.06"}, 3, 1, (const long[]){12, 1, 1});
    /* 0.004 x 4 = 0.016 -> 0.02, where each alone is 0.00 */
    check_rounded_all((const char *const[]){"0.004", "0.004", "0.004", "0.004"}, 4, 2,
                      (const long[]){1, 1, 0, 0});
    check_rounded_all(NULL, 0, 2, NULL);
}

static void nanoseconds_are_divided_without_rest(void)
{
    bool failed = false;
    uint64_t parts[3];
    EQUAL(divide_ns(parts, 10, (const uint64_t[]){1, 1, 1}, 3, &failed), 10);
    EQUAL(parts[0], 4);
    EQUAL(parts[1], 3);
    EQUAL(parts[2], 3);
    EQUAL(divide_ns(parts, 10, (const uint64_t[]){0, 3, 1}, 3, &failed), 10); /* 0, 7.5, 2.5 */
    EQUAL(parts[0], 0);
    EQUAL(parts[1], 8);
    EQUAL(parts[2], 2);
    EQUAL(divide_ns(parts, 10, (const uint64_t[]){0, 0, 0}, 3, &failed), 0);
    EQUAL(parts[0] + parts[1] + parts[2], 0);
    EQUAL(divide_ns(parts, 7, NULL, 0, &failed), 0);
    CHECK(!failed);
}

/* ---- random numbers, others each time ---- */

static void whatever_is_divided_adds_up(void)
{
    uint64_t seed = new_seed(), state = seed, weights[MANY], parts[MANY];
    bool failed = false, good = true;
    for (unsigned run = 0; run < 20000 && good; run++) {
        size_t n = 1 + random_below(&state, MANY);
        uint64_t total = random64(&state) >> random_below(&state, 64), sum = 0, all = 0;
        for (size_t i = 0; i < n; i++)
            all += weights[i] =
                random_below(&state, 4) ? random64(&state) >> (4 + random_below(&state, 60)) : 0;
        uint64_t divided = divide_ns(parts, total, weights, n, &failed);
        for (size_t i = 0; i < n; i++) {
            long double exact = all ? (long double)total * (long double)weights[i] / (long double)all : 0;
            long double off = (long double)parts[i] - exact;
            good = good && off < 1.001L && off > -1.001L && (weights[i] || !parts[i]);
            sum += parts[i];
        }
        good = good && !failed && divided == (all ? total : 0) && sum == divided;
    }
    CHECK(good);
    if (!good)
        printf("SEED=%llu\n", (unsigned long long)seed);
}

static void whatever_is_rounded_adds_up(void)
{
    uint64_t seed = new_seed(), state = seed;
    bool good = true;
    mpq_t exact[MANY], sum;
    mpz_t units[MANY], all, expected;
    mpq_init(sum);
    mpz_inits(all, expected, NULL);
    for (size_t i = 0; i < MANY; i++) {
        mpq_init(exact[i]);
        mpz_init(units[i]);
    }
    for (unsigned run = 0; run < 5000 && good; run++) {
        size_t n = 1 + random_below(&state, MANY);
        unsigned digits = (unsigned)random_below(&state, 19);
        mpq_set_ui(sum, 0, 1);
        mpz_set_ui(all, 0);
        for (size_t i = 0; i < n; i++) {
            mpq_set_ui(exact[i], random64(&state) >> random_below(&state, 64), 1 + (random64(&state) >> 30));
            mpq_canonicalize(exact[i]);
            mpq_add(sum, sum, exact[i]);
        }
        good = decimal_round_all(units, exact, n, digits, NULL);
        for (size_t i = 0; i < n; i++) {
            mpz_add(all, all, units[i]);
            good = good && mpz_sgn(units[i]) >= 0;
        }
        decimal_round(expected, sum, digits);
        good = good && mpz_cmp(all, expected) == 0;
    }
    for (size_t i = 0; i < MANY; i++) {
        mpq_clear(exact[i]);
        mpz_clear(units[i]);
    }
    mpz_clears(all, expected, NULL);
    mpq_clear(sum);
    CHECK(good);
    if (!good)
        printf("SEED=%llu\n", (unsigned long long)seed);
}

CU_TestInfo decimal_tests[] = {
    TEST(amounts_are_rounded_half_away_from_zero),
    TEST(what_is_no_price_is_refused),
    TEST(amounts_are_read_as_they_are_written),
    TEST(an_exact_number_has_the_digits_it_needs),
    TEST(the_residue_goes_to_the_largest_remainders),
    TEST(nanoseconds_are_divided_without_rest),
    TEST(whatever_is_divided_adds_up),
    TEST(whatever_is_rounded_adds_up),
    CU_TEST_INFO_NULL,
};
