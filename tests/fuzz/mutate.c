#include "tests/fuzz/mutate.h"

#include <stdbool.h>
#include <string.h>

#include "parser/decode/event_table.h"
#include "tests/unit/damaged_windows.h"
#include "tests/unit/random.h"
#include "tests/unit/random_host.h"

#define RECORDS_MOST  4096
#define RECORD_WORDS  10 /* header, tsc, 7 words */
#define CPU_CHANGE    0x2001f003u
#define RUNSTATE      0x90021001u /* a runstate change: bits 4-5 are the new state, 8-9 the old one */
#define RUNSTATE_BITS 0x00000330u

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);

static uint32_t below(unsigned *state, uint32_t n)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * n >> 24);
}

static uint32_t load(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void save(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static size_t record_bytes(uint32_t header)
{
    return 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
}

/* Offsets of the records as far as they can be followed; returns how many. */
static size_t find_records(const uint8_t *trace, size_t n, size_t *at)
{
    size_t found = 0;
    for (size_t o = 0; found < RECORDS_MOST && o + 4 <= n; found++) {
        size_t length = record_bytes(load(trace + o));
        if (length > n - o)
            break;
        at[found] = o;
        o += length;
    }
    return found;
}

/* Makes each window as long as the records up to the next one. */
static void fix_windows(uint8_t *trace, size_t n)
{
    uint8_t *window = NULL;
    size_t o = 0;
    while (o + 4 <= n) {
        uint32_t header = load(trace + o);
        size_t length = record_bytes(header);
        if (length > n - o)
            break;
        if (header == CPU_CHANGE) {
            if (window)
                save(window + 8, (uint32_t)(trace + o - (window + 12)));
            window = trace + o;
        }
        o += length;
    }
    if (window)
        save(window + 8, (uint32_t)(trace + o - (window + 12)));
}

/* A value like those already there: small, one of another record, or anything. */
static uint32_t pick_value(const uint8_t *trace, size_t n, unsigned *state)
{
    static const uint32_t special[] = {0,      1,    2,    3,      0x7fff,     0x7ff0,
                                       0x7ff4, 8191, 8192, 0xffff, 0x7fffffff, UINT32_MAX};
    switch (below(state, 3)) {
    case 0:
        return special[below(state, sizeof special / sizeof special[0])];
    case 1:
        return load(trace + below(state, (uint32_t)(n / 4)) * 4);
    default:
        return below(state, 1u << 24);
    }
}

/* Moves the time of one record. */
static void move_time(uint8_t *record, unsigned *state)
{
    uint64_t tsc;
    if (!(load(record) >> 31))
        return;
    memcpy(&tsc, record + 4, sizeof tsc);
    uint64_t step = 1ull << below(state, below(state, 8) == 0 ? 64 : 36);
    tsc = below(state, 2) ? tsc + step : tsc - step;
    memcpy(record + 4, &tsc, sizeof tsc);
}

static void change_word(uint8_t *trace, size_t n, uint8_t *record, unsigned *state)
{
    uint32_t header = load(record);
    unsigned words = header >> 28 & 7;
    if (words > 0)
        save(record + record_bytes(header) - 4 * (size_t)(1 + below(state, words)),
             pick_value(trace, n, state));
}

/* Another old or new state. */
static void change_runstate(uint8_t *record, unsigned *state)
{
    static const uint8_t bits[] = {4, 5, 8, 9};
    uint32_t header = load(record);
    if ((header & ~RUNSTATE_BITS) == RUNSTATE)
        save(record, header ^ 1u << bits[below(state, sizeof bits)]);
}

/* Makes it a record of another event; its words stay. */
static void change_event(uint8_t *record, unsigned *state)
{
    uint32_t header = load(record);
    const struct event_info *info = event_info(1 + below(state, EVENT_SLOTS - 1));
    if (info->id != (CPU_CHANGE & 0x0fffffff))
        save(record, (header & 0xf0000000) | info->id | (info->variants & below(state, 0x1000)));
}

/* Takes away or adds some of its words, or its time: what is behind is cut off there, or seen twice. */
static size_t change_form(uint8_t *trace, size_t n, size_t room, size_t at, unsigned *state)
{
    uint32_t old = load(trace + at), header = (old & 0x0fffffff) | below(state, 16) << 28;
    size_t from = at + record_bytes(old), to = at + record_bytes(header);
    if (below(state, 2)) /* mostly with the time it had */
        to = at + record_bytes(header = (header & 0x7fffffff) | (old & 0x80000000));
    if (old == CPU_CHANGE || n - from + to > room)
        return n;
    memmove(trace + to, trace + from, n - from);
    save(trace + at, header);
    return n - from + to;
}

/* Copies or moves a run of records elsewhere; a run that does not fit is dropped. */
static size_t transplant(uint8_t *trace, size_t n, size_t room, const size_t *at, size_t records,
                         unsigned *state)
{
    uint8_t run[RECORD_WORDS * 4 * 16];
    uint32_t first = below(state, (uint32_t)records);
    uint32_t last = first + below(state, 16);
    size_t end =
        last + 1 < records ? at[last + 1] : at[records - 1] + record_bytes(load(trace + at[records - 1]));
    size_t length = end - at[first];
    memcpy(run, trace + at[first], length);
    if (below(state, 2)) { /* take it away */
        memmove(trace + at[first], trace + end, n - end);
        n -= length;
        if (below(state, 2) || n == 0)
            return n;
    }
    size_t to = at[below(state, (uint32_t)records)];
    if (to > n || n + length > room)
        return n;
    memmove(trace + to + length, trace + to, n - to);
    memcpy(trace + to, run, length);
    return n + length;
}

/* A capture of another host, in its place: events that go together, in sweeps of few records. */
static size_t replace(uint8_t *trace, size_t room, uint64_t seed)
{
    static struct host host;
    uint64_t random = seed;
    host_run(&host, random64(&random), (unsigned)(5 + random_below(&random, 80)), false,
             random_below(&random, 2));
    sweep(&host.capture);
    size_t n = host.capture.file.n < room ? host.capture.file.n : room;
    memcpy(trace, host.capture.file.data, n);
    host_free(&host);
    return n;
}

size_t mutate(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    static size_t at[RECORDS_MOST];
    unsigned state = seed;
    uint64_t random = seed;
    if (n > 0 && room > 1 && below(&state, 64) == 0)
        return 1 + replace(data + 1, room - 1, seed);
    if (n > 5 && below(&state, 4) == 0)
        return 1 + damage_windows(data + 1, n - 1, room - 1, &random);
    size_t records = n > 5 ? find_records(data + 1, n - 1, at) : 0;
    if (records < 2 || below(&state, 4) == 0)
        return LLVMFuzzerMutate(data, n, room);
    uint8_t *trace = data + 1;
    size_t chosen = at[below(&state, (uint32_t)records)];
    uint8_t *record = trace + chosen;
    switch (below(&state, 10)) {
    case 0:
        data[0] = (uint8_t)below(&state, 256);
        break;
    case 1:
    case 2:
        move_time(record, &state);
        break;
    case 3:
        change_word(trace, n - 1, record, &state);
        break;
    case 4:
        change_runstate(record, &state);
        break;
    case 5:
        change_event(record, &state);
        break;
    case 6:
        n = 1 + change_form(trace, n - 1, room - 1, chosen, &state);
        break;
    default:
        n = 1 + transplant(trace, n - 1, room - 1, at, records, &state);
    }
    bool framed = below(&state, 16) != 0;
    if (framed)
        fix_windows(trace, n - 1);
    return n;
}
