#include "snapshot.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "metrics/array.h"

#define NOW_MOST (1ull << 55) /* a year: sums of times stay far below 64 bits */

bool snapshot_is_read(const struct snapshot *s)
{
    return !s->failed && s->at == s->n;
}

static void put_byte(struct snapshot *s, uint8_t byte)
{
    if (!array_make_room(&s->bytes, &s->capacity, s->n + 1, 1)) {
        s->failed = true;
        return;
    }
    s->bytes[s->n++] = byte;
}

static void put(struct snapshot *s, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        put_byte(s, (uint8_t)(value | 0x80));
    put_byte(s, (uint8_t)value);
}

/* The next number, in its only form. */
static uint64_t get(struct snapshot *s)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && s->at < s->n; shift += 7) {
        uint8_t byte = s->from[s->at++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        s->failed |= (byte == 0 && shift > 0) || (shift == 63 && byte > 1);
        return value;
    }
    s->failed = true;
    return 0;
}

uint64_t snapshot_number(struct snapshot *s, uint64_t value, uint64_t most)
{
    if (s->from && !s->failed)
        value = get(s);
    s->failed = s->failed || value > most;
    if (!s->from && !s->failed)
        put(s, value);
    return s->failed && s->from ? 0 : value;
}

int64_t snapshot_signed(struct snapshot *s, int64_t value, int64_t least, int64_t most)
{
    uint64_t above = snapshot_number(s, (uint64_t)value - (uint64_t)least, (uint64_t)most - (uint64_t)least);
    return (int64_t)((uint64_t)least + above);
}

#define CODE_NONE 1 /* 0: time 0, as of what never was */

uint64_t snapshot_time(struct snapshot *s, uint64_t ns, bool none)
{
    bool is_none = none && ns == UINT64_MAX;
    if (!s->from && !is_none && ns > s->now_ns)
        s->failed = true;
    uint64_t code = ns == 0 ? 0 : is_none ? CODE_NONE : s->now_ns - ns + CODE_NONE + 1;
    code = snapshot_number(s, code, s->now_ns + CODE_NONE);
    if (code == CODE_NONE && !none)
        s->failed = true;
    return code == 0 ? 0 : code == CODE_NONE ? UINT64_MAX : s->now_ns - (code - CODE_NONE - 1);
}

uint64_t snapshot_span(struct snapshot *s, uint64_t ns)
{
    return snapshot_number(s, ns + 1, s->now_ns + 1) - 1;
}

size_t snapshot_count(struct snapshot *s, size_t n, size_t most)
{
    if (s->from && s->n - s->at < most)
        most = s->n - s->at;
    return (size_t)snapshot_number(s, n, most);
}

double snapshot_real(struct snapshot *s, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = snapshot_number(s, bits, UINT64_MAX);
    memcpy(&x, &bits, sizeof x);
    if (x >= 0 && x <= DBL_MAX && !signbit(x))
        return x;
    s->failed = true;
    return 0;
}

void snapshot_put_part(struct snapshot *s, const struct snapshot *part)
{
    size_t n = snapshot_count(s, part->failed ? 0 : part->n, SIZE_MAX);
    for (size_t i = 0; i < n && !s->failed; i++)
        put_byte(s, part->bytes[i]);
}

struct snapshot snapshot_take_part(struct snapshot *s)
{
    struct snapshot part;
    size_t n = snapshot_count(s, 0, SIZE_MAX);
    snapshot_read(&part, s->from + s->at, n, s->now_ns);
    s->at += n;
    return part;
}

static void check_version(struct snapshot *s)
{
    if (snapshot_number(s, SNAPSHOT_VERSION, SNAPSHOT_VERSION) != SNAPSHOT_VERSION)
        s->failed = true;
}

void snapshot_write(struct snapshot *s, uint64_t now_ns)
{
    s->from = NULL;
    s->n = 0;
    s->now_ns = now_ns;
    s->failed = now_ns > NOW_MOST;
    check_version(s);
}

void snapshot_read(struct snapshot *s, const void *bytes, size_t n, uint64_t now_ns)
{
    *s = (struct snapshot){.from = bytes, .n = n, .now_ns = now_ns, .failed = now_ns > NOW_MOST};
    check_version(s);
}
