#include "archive/tar.h"

#include <string.h>

/* A header's fields (POSIX.1-1988, ustar): the offsets of those that are not all zero. */
#define AT_MODE     100
#define AT_UID      108
#define AT_GID      116
#define AT_SIZE     124
#define AT_MTIME    136
#define AT_CHECKSUM 148
#define AT_TYPE     156
#define AT_MAGIC    257
#define AT_VERSION  263
#define AT_MAJOR    329
#define AT_MINOR    337

#define NUMBER_DIGITS   7
#define SIZE_DIGITS     11 /* octal: just below 8 GiB */
#define CHECKSUM_BYTES  8
#define CHECKSUM_DIGITS 6

static bool part_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("._+-", c));
}

/* The end of the part of a name that begins here; `at` itself if it is no valid part. */
static const char *part_end(const char *part)
{
    const char *c = part;
    if (*c == '.' || *c == '-')
        return part;
    while (part_byte(*c))
        c++;
    return c;
}

bool tar_name_fine(const char *name)
{
    if (strnlen(name, TAR_NAME_MAX) == TAR_NAME_MAX)
        return false;
    for (;;) {
        const char *end = part_end(name);
        if (end == name || (*end && *end != '/'))
            return false;
        if (!*end)
            return true;
        name = end + 1;
    }
}

static void put_octal(uint8_t *to, int digits, uint64_t n)
{
    while (digits-- > 0) {
        to[digits] = (uint8_t)('0' + (n & 7));
        n >>= 3;
    }
}

/* The sum of a header's bytes, those of the checksum itself counted as blanks. */
static uint64_t checksum(const uint8_t header[TAR_BLOCK])
{
    uint64_t sum = 0;
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += i >= AT_CHECKSUM && i < AT_CHECKSUM + CHECKSUM_BYTES ? ' ' : header[i];
    return sum;
}

void tar_header(uint8_t header[TAR_BLOCK], const char *name, uint64_t n)
{
    memset(header, 0, TAR_BLOCK);
    memcpy(header, name, strlen(name) + 1);
    put_octal(header + AT_MODE, NUMBER_DIGITS, 0644);
    put_octal(header + AT_UID, NUMBER_DIGITS, 0);
    put_octal(header + AT_GID, NUMBER_DIGITS, 0);
    put_octal(header + AT_SIZE, SIZE_DIGITS, n);
    put_octal(header + AT_MTIME, SIZE_DIGITS, 0);
    header[AT_TYPE] = '0';
    memcpy(header + AT_MAGIC, "ustar", sizeof "ustar");
    memset(header + AT_VERSION, '0', 2);
    put_octal(header + AT_MAJOR, NUMBER_DIGITS, 0);
    put_octal(header + AT_MINOR, NUMBER_DIGITS, 0);
    put_octal(header + AT_CHECKSUM, CHECKSUM_DIGITS, checksum(header));
    header[AT_CHECKSUM + CHECKSUM_BYTES - 1] = ' ';
}

/* ---- reading ---- */

static size_t zeros(const uint8_t *at, size_t n)
{
    size_t i = 0;
    while (i < n && at[i] == 0)
        i++;
    return i;
}

/* Reads the name and the size in a header. False: not a header that our writer writes. */
static bool read_header(const uint8_t *header, struct tar_member *member)
{
    memcpy(member->name, header, TAR_NAME_MAX);
    if (!memchr(member->name, 0, TAR_NAME_MAX) || !tar_name_fine(member->name))
        return false;
    uint64_t n = 0;
    for (int i = 0; i < SIZE_DIGITS; i++) {
        uint8_t digit = header[AT_SIZE + i];
        if (digit < '0' || digit > '7')
            return false;
        n = n << 3 | (digit - '0');
    }
    member->n = (size_t)n;
    return true;
}

int tar_next(const uint8_t *tar, size_t n, size_t *at, struct tar_member *member, struct error *err)
{
    uint8_t ours[TAR_BLOCK];
    if (*at > n)
        return error_set_at(err, ERROR_FORMAT, n, "there is no member behind the end");
    const uint8_t *header = tar + *at;
    size_t left = n - *at;
    if (zeros(header, left) == left)
        return 0;
    if (left < TAR_BLOCK)
        return error_set_at(err, ERROR_FORMAT, *at, "a member's header is cut short");
    if (!read_header(header, member))
        return error_set_at(err, ERROR_FORMAT, *at, "a member's header has no proper name or size");
    tar_header(ours, member->name, member->n);
    if (memcmp(header, ours, TAR_BLOCK) != 0)
        return error_set_at(err, ERROR_FORMAT, *at, "a member's header is damaged, or not one of ours");
    if (left - TAR_BLOCK < member->n || left < tar_bytes(member->n))
        return error_set_at(err, ERROR_FORMAT, *at, "member %s is cut short", member->name);
    size_t padding = tar_bytes(member->n) - TAR_BLOCK - member->n;
    size_t fine = zeros(header + TAR_BLOCK + member->n, padding);
    if (fine < padding)
        return error_set_at(err, ERROR_FORMAT, *at + TAR_BLOCK + member->n + fine,
                            "what fills up the last block of member %s is damaged", member->name);
    member->at = *at + TAR_BLOCK;
    *at += tar_bytes(member->n);
    return 1;
}
