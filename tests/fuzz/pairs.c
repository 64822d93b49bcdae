/*
 * Fuzz target: what must be the same in two ways. The first byte of an input chooses the pair (see struct choice), the rest is
 * a capture, or decides what a made host does (tests/reference/made_host.h).
 */
#include "tests/fuzz/archived_input.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/read_back.h"
#include "tests/fuzz/ways.h"
#include "tests/reference/made_host.h"

#define CUTS     4  /* among the pairs: after the ways */
#define ARCHIVED 15 /* the trace and an archive of it */

/* What the first byte of an input decides. */
struct choice {
    unsigned pair; /* bits 0-3: ARCHIVED, or modulo all others: a way, cuts, a format */
    enum by by;    /* bits 4-5 */
    bool charges;  /* bit 6 */
    bool made;     /* bit 7: the rest decides what a made host does */
};

static struct choice choose(uint8_t byte)
{
    unsigned pair = byte & 15;
    return (struct choice){.pair = pair == ARCHIVED ? ARCHIVED : pair % (CUTS + 1 + WRITTEN_FORMATS),
                           .by = byte >> 4 & 3,
                           .charges = byte >> 6 & 1,
                           .made = byte >> 7 & 1};
}

static void check_pair(const struct choice *c, const uint8_t *bytes, size_t n)
{
    const struct asked asked = {
        .by = c->by, .charges = c->charges, .cpu_hz_given = c->made || n % 2, .chunk = 1 + n % 97};
    if (c->pair == ARCHIVED)
        archived_compare(bytes, n, &asked);
    else if (c->pair > CUTS)
        read_back(bytes, n, (enum written)(c->pair - CUTS - 1), c->by);
    else if (c->pair < CUTS)
        ways_compare(bytes, n, c->pair == WAY_WHOLE ? WAY_DRIBBLED : (enum way)c->pair, &asked);
    else if (c->made)
        ways_compare_cuts(bytes, n, c->charges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct made_host host;
    if (n < 1 + MADE_HEAD_BYTES)
        return 0;
    const struct choice c = choose(data[0]);
    if (!c.made) {
        check_pair(&c, data + 1, n - 1);
        return 0;
    }
    made_host_run(&host, data + 1, n - 1);
    check_pair(&c, host.capture.file.data, host.capture.file.n);
    made_host_free(&host);
    return 0;
}

/* Records are moved and changed where they are records. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    bool made = n > 0 && choose(data[0]).made;
    return made ? LLVMFuzzerMutate(data, n, room) : mutate(data, n, room, seed);
}
