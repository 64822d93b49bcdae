/*
 * Numbers as text, written to the caller's memory: a dump writes some hundred million numbers. Eight digits are made at
 * once, in the bytes of one word, and leading zeros are shifted out: branches depend only on the size of the number.
 * (Little-endian, as the traces are.)
 */
#ifndef XENMETER_FORMATS_DIGITS_H
#define XENMETER_FORMATS_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGITS_ROOM 24 /* bytes that a number may overwrite, whatever its length */

/* The digits of n < 10^8, one in each byte, the first one in the lowest. */
static inline uint64_t digits_split(uint32_t n)
{
    uint64_t fours = n / 10000 | (uint64_t)(n % 10000) << 32;
    uint64_t hundreds = fours * 10486 >> 20 & 0x0000007f0000007f;
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = twos * 103 >> 10 & 0x000f000f000f000f;
    return tens | (twos - 10 * tens) << 8;
}

/* n < 10^8 with all eight digits; returns their end, as the functions below do. */
static inline char *digits_eight(char *to, uint32_t n)
{
    uint64_t digits = digits_split(n) | 0x3030303030303030;
    memcpy(to, &digits, 8);
    return to + 8;
}

/* n < 10^8 without leading zeros. */
static inline char *digits_short(char *to, uint32_t n)
{
    uint64_t digits = digits_split(n);
    unsigned zeros = (unsigned)__builtin_ctzll(digits | 1ull << 56) / 8;
    digits = (digits | 0x3030303030303030) >> 8 * zeros;
    memcpy(to, &digits, 8);
    return to + 8 - zeros;
}

/* n without leading zeros. */
static inline char *digits_decimal(char *to, uint64_t n)
{
    if (n < 100000000)
        return digits_short(to, (uint32_t)n);
    uint64_t upper = n / 100000000;
    if (upper < 100000000) {
        to = digits_short(to, (uint32_t)upper);
    } else {
        to = digits_short(to, (uint32_t)(upper / 100000000));
        to = digits_eight(to, (uint32_t)(upper % 100000000));
    }
    return digits_eight(to, (uint32_t)(n % 100000000));
}

static inline char *digits_signed(char *to, int64_t n)
{
    *to = '-';
    return digits_decimal(to + (n < 0), n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* The eight hexadecimal digits of n, in lower case, the first one in the lowest byte. */
static inline uint64_t digits_split_hex(uint32_t n)
{
    uint64_t x = n;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
    x = __builtin_bswap64(x);
    uint64_t letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
    return x + 0x3030303030303030 + letters * ('a' - '0' - 10);
}

/* All eight hexadecimal digits of n. */
static inline char *digits_hex_eight(char *to, uint32_t n)
{
    uint64_t digits = digits_split_hex(n);
    memcpy(to, &digits, 8);
    return to + 8;
}

/* 0x and n without leading zeros. */
static inline char *digits_hex(char *to, uint64_t n)
{
    *to++ = '0';
    *to++ = 'x';
    uint32_t head = n >> 32 ? (uint32_t)(n >> 32) : (uint32_t)n;
    unsigned zeros = (unsigned)__builtin_clz(head | 1) / 4;
    uint64_t digits = digits_split_hex(head) >> 8 * zeros;
    memcpy(to, &digits, 8);
    to += 8 - zeros;
    return n >> 32 ? digits_hex_eight(to, (uint32_t)n) : to;
}

#endif
