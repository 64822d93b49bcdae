#include "damaged_windows.h"

#include <stdbool.h>
#include <string.h>

#include "random.h"

#define WINDOWS_MOST 512
#define CPU_CHANGE   0x2001f003u
#define HEADER_BYTES 12
#define RING_PCPUS   8 /* a window is given to one of so many */

struct window {
    size_t at, n; /* with its header */
    uint32_t pcpu;
};

struct windows {
    uint8_t *trace;
    struct window list[WINDOWS_MOST];
    size_t n;
};

static uint32_t load(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static size_t record_bytes(uint32_t header)
{
    return 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
}

/* The windows as far as their sizes lead from one to the next. */
static void find_windows(struct windows *w, uint8_t *trace, size_t n)
{
    w->trace = trace;
    w->n = 0;
    for (size_t at = 0; w->n < WINDOWS_MOST && n - at >= HEADER_BYTES && load(trace + at) == CPU_CHANGE;) {
        size_t bytes = HEADER_BYTES + (size_t)load(trace + at + 8);
        if (bytes > n - at)
            bytes = n - at; /* it is cut */
        w->list[w->n++] = (struct window){at, bytes, load(trace + at + 4)};
        at += bytes;
    }
}

/* Moves the times of one window's records. */
static void move_times(const struct windows *w, const struct window *one, uint64_t by)
{
    size_t end = one->at + one->n;
    for (size_t at = one->at + HEADER_BYTES; end - at >= 4;) {
        uint32_t header = load(w->trace + at);
        uint64_t tsc;
        if (record_bytes(header) > end - at)
            return;
        if (header >> 31) {
            memcpy(&tsc, w->trace + at + 4, sizeof tsc);
            tsc += by;
            memcpy(w->trace + at + 4, &tsc, sizeof tsc);
        }
        at += record_bytes(header);
    }
}

/* Of one window, of it and the later ones of its pCPU, or of it and all later ones. */
static void move_clock(const struct windows *w, size_t first, uint64_t *random)
{
    uint64_t by = 1ull << random_below(random, random_below(random, 6) == 0 ? 64 : 38);
    uint64_t how = random_below(random, 3);
    if (random_below(random, 2))
        by = 0 - by;
    for (size_t i = first; i < w->n && (i == first || how > 0); i++)
        if (how != 1 || w->list[i].pcpu == w->list[first].pcpu)
            move_times(w, &w->list[i], by);
}

static void give_to(const struct windows *w, size_t first, uint64_t *random)
{
    uint32_t pcpu = (uint32_t)random_below(random, RING_PCPUS);
    bool later = random_below(random, 2);
    for (size_t i = first; i < w->n && (i == first || later); i++)
        if (w->list[i].pcpu == w->list[first].pcpu)
            memcpy(w->trace + w->list[i].at + 4, &pcpu, sizeof pcpu);
}

/* Takes a window away, or with it the next ones, so that those before and after it may be of one sweep. */
static size_t drop(const struct windows *w, size_t n, size_t first, uint64_t *random)
{
    size_t last = first + random_below(random, 3);
    last = last < w->n ? last : w->n - 1;
    size_t from = w->list[first].at, to = w->list[last].at + w->list[last].n;
    memmove(w->trace + from, w->trace + to, n - to);
    return n - (to - from);
}

/* Repeats a window, or several, before another one: in another sweep, or in the same one. */
static size_t repeat(const struct windows *w, size_t n, size_t room, size_t first, uint64_t *random)
{
    static uint8_t copy[1 << 16];
    size_t last = first + random_below(random, 4);
    last = last < w->n ? last : w->n - 1;
    size_t bytes = w->list[last].at + w->list[last].n - w->list[first].at;
    size_t to = w->list[random_below(random, w->n)].at;
    if (bytes > sizeof copy || bytes > room - n)
        return n;
    memcpy(copy, w->trace + w->list[first].at, bytes);
    memmove(w->trace + to + bytes, w->trace + to, n - to);
    memcpy(w->trace + to, copy, bytes);
    return n + bytes;
}

/* The last bytes of a window are missing, so that the next header lies where its records still are, or within one. */
static size_t cut(const struct windows *w, size_t n, size_t first, uint64_t *random)
{
    const struct window *one = &w->list[first];
    size_t end = one->at + one->n, bytes = 1 + random_below(random, 60);
    if (bytes > one->n - HEADER_BYTES)
        return n;
    memmove(w->trace + end - bytes, w->trace + end, n - end);
    return n - bytes;
}

/* Two windows after one another were read the other way round. */
static void exchange(const struct windows *w, size_t first)
{
    static uint8_t copy[1 << 16];
    const struct window *a = &w->list[first], *b = &w->list[first + 1];
    if (first + 1 >= w->n || a->n > sizeof copy)
        return;
    memcpy(copy, w->trace + a->at, a->n);
    memmove(w->trace + a->at, w->trace + b->at, b->n);
    memcpy(w->trace + a->at + b->n, copy, a->n);
}

size_t damage_windows(uint8_t *trace, size_t n, size_t room, uint64_t *random)
{
    static struct windows w;
    find_windows(&w, trace, n);
    if (w.n == 0)
        return n;
    size_t first = random_below(random, w.n);
    switch (random_below(random, 9)) {
    case 0:
        return drop(&w, n, first, random);
    case 1:
    case 2:
        return repeat(&w, n, room, first, random);
    case 3:
        exchange(&w, first);
        return n;
    case 4:
        return cut(&w, n, first, random);
    case 5:
        give_to(&w, first, random);
        return n;
    default:
        move_clock(&w, first, random);
        return n;
    }
}
