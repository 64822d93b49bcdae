#include "decimal.h"

#include <stdlib.h>
#include <string.h>

#include "parser/order/clock.h"

#define DIGITS_AT_ONCE 1000000000u /* scale of so many digits: fits an unsigned long everywhere */

static void power_of_ten(mpz_t to, size_t exponent)
{
    mpz_ui_pow_ui(to, 10, exponent);
}

/* Digits with at most one point among them, which has digits before and after it. Its place from the end; -1: something else. */
static ptrdiff_t digits_after_point(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    size_t after = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    bool complete = text[whole] == '.' ? after > 0 && !text[whole + 1 + after] : !text[whole];
    return whole > 0 && complete && whole + after <= DECIMAL_TEXT_MAX ? (ptrdiff_t)after : -1;
}

/* The digits without the point. */
static void set_digits(mpz_t to, const char *text)
{
    mpz_set_ui(to, 0);
    for (unsigned long part = 0, scale = 1; *text; part = 0, scale = 1) {
        for (; *text && scale < DIGITS_AT_ONCE; text++)
            if (*text != '.') {
                part = 10 * part + (unsigned long)(*text - '0');
                scale *= 10;
            }
        mpz_mul_ui(to, to, scale);
        mpz_add_ui(to, to, part);
    }
}

bool decimal_parse(mpq_t to, const char *text)
{
    ptrdiff_t after = digits_after_point(text);
    if (after < 0)
        return false;
    set_digits(mpq_numref(to), text);
    power_of_ten(mpq_denref(to), (size_t)after);
    mpq_canonicalize(to);
    return true;
}

void decimal_round(mpz_t units, const mpq_t exact, unsigned digits)
{
    mpz_t twice;
    mpz_init(twice);
    power_of_ten(units, digits);
    mpz_mul(units, units, mpq_numref(exact));
    mpz_mul_ui(units, units, 2);
    mpz_mul_ui(twice, mpq_denref(exact), 2);
    if (mpz_sgn(units) < 0)
        mpz_sub(units, units, mpq_denref(exact));
    else
        mpz_add(units, units, mpq_denref(exact));
    mpz_tdiv_q(units, units, twice);
    mpz_clear(twice);
}

/* ---- text ---- */

void decimal_put(struct buffer *b, const mpz_t units, unsigned digits)
{
    size_t size = mpz_sizeinbase(units, 10) + 2; /* a sign and a NUL; one more than needed, perhaps */
    char *to = buffer_room(b, size + digits + 2);
    if (!to)
        return;
    char *text = mpz_get_str(to, 10, units), *number = text + (*text == '-');
    size_t n = strlen(number);
    if (digits > 0 && n <= digits) {
        memmove(number + digits + 1 - n, number, n + 1);
        memset(number, '0', digits + 1 - n);
        n = digits + 1;
    }
    if (digits > 0) {
        memmove(number + n - digits + 1, number + n - digits, digits + 1);
        number[n - digits] = '.';
    }
    b->n += strlen(text);
}

bool decimal_read(mpz_t units, const char *text, unsigned digits)
{
    bool negative = *text == '-';
    if (digits_after_point(text + negative) != (ptrdiff_t)digits)
        return false;
    set_digits(units, text + negative);
    if (negative)
        mpz_neg(units, units);
    return true;
}

void decimal_put_exact(struct buffer *b, const mpq_t exact, unsigned most)
{
    unsigned digits = 0;
    mpz_t scaled;
    mpz_init_set(scaled, mpq_numref(exact));
    for (; digits < most && !mpz_divisible_p(scaled, mpq_denref(exact)); digits++)
        mpz_mul_ui(scaled, scaled, 10);
    mpz_tdiv_q(scaled, scaled, mpq_denref(exact));
    decimal_put(b, scaled, digits);
    mpz_clear(scaled);
}

/* ---- largest remainder ---- */

struct remainder {
    mpq_t left; /* of the exact amount, in units: 0 .. 1 */
    size_t place;
};

static int by_remainder(const void *a, const void *b)
{
    const struct remainder *x = a, *y = b;
    int order = mpq_cmp(y->left, x->left);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* Rounds each one down, notes what is left of it, and adds to both sums. */
static void round_down(mpz_t *units, struct remainder *r, mpq_t *exact, size_t n, unsigned digits,
                       mpq_t exact_sum, mpz_t units_sum)
{
    mpz_t scale;
    mpz_init(scale);
    power_of_ten(scale, digits);
    for (size_t i = 0; i < n; i++) {
        mpq_init(r[i].left);
        r[i].place = i;
        mpz_mul(units[i], mpq_numref(exact[i]), scale);
        mpz_fdiv_qr(units[i], mpq_numref(r[i].left), units[i], mpq_denref(exact[i]));
        mpz_set(mpq_denref(r[i].left), mpq_denref(exact[i]));
        mpq_canonicalize(r[i].left);
        mpq_add(exact_sum, exact_sum, exact[i]);
        mpz_add(units_sum, units_sum, units[i]);
    }
    mpz_clear(scale);
}

bool decimal_round_all(mpz_t *units, mpq_t *exact, size_t n, unsigned digits, const mpz_t total)
{
    struct remainder *r = calloc(n + 1, sizeof *r);
    mpq_t exact_sum;
    mpz_t units_sum, missing;
    if (!r)
        return false;
    mpq_init(exact_sum);
    mpz_inits(units_sum, missing, NULL);
    round_down(units, r, exact, n, digits, exact_sum, units_sum);
    if (total)
        mpz_set(missing, total);
    else
        decimal_round(missing, exact_sum, digits);
    mpz_sub(missing, missing, units_sum);
    qsort(r, n, sizeof *r, by_remainder);
    size_t up = mpz_get_ui(missing); /* 0 .. n: each was rounded down by less than one */
    for (size_t i = 0; i < n; i++) {
        if (i < up)
            mpz_add_ui(units[r[i].place], units[r[i].place], 1);
        mpq_clear(r[i].left);
    }
    mpq_clear(exact_sum);
    mpz_clears(units_sum, missing, NULL);
    free(r);
    return true;
}

struct rest {
    uint64_t left;
    size_t place;
};

static int by_rest(const void *a, const void *b)
{
    const struct rest *x = a, *y = b;
    int order = (x->left < y->left) - (x->left > y->left);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

uint64_t divide_ns(uint64_t *parts, uint64_t total, const uint64_t *weights, size_t n, bool *failed)
{
    struct rest *rests = calloc(n + 1, sizeof *rests);
    uint64_t sum = 0, left = total;
    *failed = *failed || !rests;
    memset(parts, 0, n * sizeof *parts);
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    for (size_t i = 0; rests && sum > 0 && i < n; i++) {
        uint128 product = (uint128)total * weights[i];
        parts[i] = (uint64_t)(product / sum);
        rests[i] = (struct rest){(uint64_t)(product % sum), i};
        left -= parts[i];
    }
    if (rests && sum > 0) {
        qsort(rests, n, sizeof *rests, by_rest);
        for (size_t i = 0; i < left; i++) /* fewer than n: each was rounded down by less than one */
            parts[rests[i].place]++;
    }
    free(rests);
    return rests && sum > 0 ? total : 0;
}
