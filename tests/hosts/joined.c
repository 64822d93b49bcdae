/*
 * What shows that another host's capture was joined on. Its windows are either later by far, or earlier than all of the first
 * one; but a window may hold anything that was written since its ring was read the last time. So a window is another capture's
 * for certain only if
 *
 * - the window before it was cut, or
 * - an earlier window of its pCPU is later, or
 * - a window that was read a whole round before it is later, or one of an earlier sweep by more than any sweep lasts.
 *
 * Where none of that holds, the file is, byte for byte, that of one host on which these pCPUs wrote long before the others, and
 * which was read late: a result that says so is right (struct view.blends). And where a single window is in its place within a
 * sweep, it is that of a pCPU whose clock was never that of the others: such a pCPU is dark all along, and so is what vCPUs did
 * there (is_vague).
 */
#include <string.h>

#include "host_view.h"

#define SWEEP_LONGEST (1ull << 32) /* cycles */

/* A window, as a reader finds it. */
struct found {
    uint32_t pcpu;
    uint64_t first_tsc; /* 0: it has none */
    uint64_t sweep;     /* 1, ... */
};

/* Reads windows one after another. */
struct reader {
    const unsigned char *bytes;
    size_t n, at;
    uint64_t sweep;
    uint32_t last_pcpu;
    bool is_cut; /* the last one */
};

static uint32_t word(const struct reader *r, size_t at)
{
    uint32_t v;
    memcpy(&v, r->bytes + at, sizeof v);
    return v;
}

/* Most records begin with the header and a tsc; those without are passed over. */
static uint64_t first_tsc(const struct reader *r, size_t at, size_t end)
{
    while (at + 12 <= end) {
        uint32_t header = word(r, at);
        if (header >> 31)
            return (uint64_t)word(r, at + 8) << 32 | word(r, at + 4);
        at += 4 + (header >> 28 & 7) * 4;
    }
    return 0;
}

static bool next(struct reader *r, struct found *w)
{
    enum { HEADER = 12 };
    r->is_cut |= r->n - r->at > 0 && r->n - r->at < HEADER;
    if (r->n - r->at < HEADER)
        return false;
    size_t begin = r->at + HEADER, end = begin + word(r, r->at + 8);
    w->pcpu = word(r, r->at + 4);
    r->sweep += r->sweep == 0 || w->pcpu <= r->last_pcpu;
    r->last_pcpu = w->pcpu;
    w->sweep = r->sweep;
    r->is_cut = end > r->n;
    end = r->is_cut ? r->n : end;
    w->first_tsc = first_tsc(r, begin, end);
    r->at = end;
    return true;
}

/* Whether this window of the first capture shows that the other one is none of its host. */
static bool shows(const struct found *w, const struct found *other)
{
    bool round_before =
        w->sweep + 1 < other->sweep || (w->sweep + 1 == other->sweep && w->pcpu < other->pcpu);
    bool earlier_sweep = w->sweep < other->sweep && w->first_tsc > other->first_tsc + SWEEP_LONGEST;
    return w->first_tsc > other->first_tsc && (w->pcpu == other->pcpu || round_before || earlier_sweep);
}

void view_survey_joined(struct view *v, const struct view *second, size_t begin)
{
    struct reader first = {.bytes = v->bytes, .n = begin}, both;
    struct reader alone = {.bytes = second->bytes, .n = second->n};
    struct found w, joined, other;
    size_t windows = 0;
    while (next(&alone, &other))
        windows++;
    while (next(&first, &w))
        ;
    if (windows == 0 || first.is_cut || first.sweep == 0)
        return;
    both = first;
    both.n = v->n;
    if (!next(&both, &joined))
        return;
    bool found = joined.first_tsc > v->last_tsc, in_sweep = joined.sweep == first.sweep;
    first = (struct reader){.bytes = v->bytes, .n = begin};
    while (!found && next(&first, &w))
        found = shows(&w, &joined);
    v->blends = !found;
    v->is_vague |= windows == 1 && in_sweep;
}
