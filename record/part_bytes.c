/* The bytes of the trace on their way to a part's archive, and where the next part begins. */
#include "part_state.h"

#include <string.h>

#include "metrics/min_max.h"

#define SWEEPS_BEFORE 2 /* the last one before a moment may have records only from long after it: a hole */
#define MARK_EVERY_NS 1000000000u /* between snapshots, near the end */
#define MARK_BEFORE_NS                                                                                       \
    60000000000u /* so long before the end the first one is made: sweeps may be seconds apart */

/* Gives the archive the bytes from `from` on, as far as they are this part's; n of them. */
static int give_bytes(struct part *p, uint64_t from, const uint8_t *bytes, size_t n, struct error *err)
{
    uint64_t to = min64(from + n, p->stored_end), skip = p->link->counted_to;
    if (from < skip) {
        uint64_t passed = min64(skip, to) - min64(from, to);
        bytes += passed;
        from += passed;
    }
    return from < to ? p->tap.bytes(p->tap.context, bytes, (size_t)(to - from), err) : 0;
}

/* The last bytes wait: they may begin the next part's first sweep. */
static int tap_bytes(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct part *p = context;
    uint64_t at = p->begin + p->tapped;
    size_t held = (size_t)min64(p->tapped, WINDOW_HEADER);
    p->tapped += n;
    size_t from_lag = held + n > WINDOW_HEADER ? min64(held, held + n - WINDOW_HEADER) : 0;
    if (from_lag > 0 && give_bytes(p, at - held, p->lag, from_lag, err) != 0)
        return -1;
    memmove(p->lag, p->lag + from_lag, held - from_lag);
    held -= from_lag;
    size_t kept = min64(n, WINDOW_HEADER - held);
    if (n > kept && give_bytes(p, at, bytes, n - kept, err) != 0)
        return -1;
    memcpy(p->lag + held, bytes + n - kept, kept);
    return 0;
}

int part_give_rest(struct part *p, struct error *err)
{
    size_t held = (size_t)min64(p->tapped, WINDOW_HEADER);
    return give_bytes(p, p->begin + p->tapped - held, p->lag, held, err);
}

/* Asks for a snapshot from time to time, not long before the end. */
static void mark(struct part *p, uint64_t at, uint64_t tsc, const struct io_past *pasts, size_t n)
{
    const struct clock *c = trace_clock(p->trace);
    uint64_t now_ns = clock_ns(c, tsc), end_ns = clock_ns(c, p->end_tsc);
    bool due = p->end_tsc > 0 && now_ns + SNAPSHOT_MARGIN_NS < end_ns && now_ns + MARK_BEFORE_NS >= end_ns &&
               now_ns >= clock_ns(c, p->marked_tsc) + MARK_EVERY_NS;
    if (due && snapshot_maker_mark(p->snapshots, 0, tsc, pasts, n)) {
        p->marked = at;
        p->marked_tsc = tsc;
    }
}

uint64_t part_last_sweep(const struct part *p)
{
    uint64_t kept = spool_kept(p->o->spool), end_tsc = p->end_tsc ? p->end_tsc : p->settled_tsc;
    uint64_t at = min64(p->stored_end, p->begin + p->tapped);
    unsigned before = 0;
    for (size_t i = p->sweeps_n; before < SWEEPS_BEFORE && i > 0 && i + SWEEPS_KNOWN > p->sweeps_n; i--) {
        const struct sweep_place *s = &p->sweeps[(i - 1) % SWEEPS_KNOWN];
        if (s->tsc >= end_tsc || s->at < kept)
            continue;
        at = s->at;
        before++;
    }
    return at;
}

/* The first byte that a next part may begin with: at a snapshot that there is or is being made, or at the last sweep before its beginning. */
static uint64_t wanted_from(const struct part *p)
{
    uint64_t from = p->end_tsc || p->settled_tsc ? part_last_sweep(p) : p->begin;
    if (p->marked)
        from = min64(from, p->marked);
    if (p->link->snapshot && p->link->place >= p->begin)
        from = min64(from, p->link->place);
    return from;
}

static void tap_sweep(void *context, uint64_t offset, uint64_t tsc, bool whole, const struct io_past *pasts,
                      size_t pasts_n)
{
    struct part *p = context;
    uint64_t at = p->begin + offset;
    bool mine = at < p->stored_end;
    if (!p->begun.has_read && at >= p->link->counted_to)
        part_tally_read(p, &p->begun);
    if (mine && p->end_tsc > 0 && tsc >= p->end_tsc) {
        p->stored_end = at;
        part_tally_read(p, &p->ended);
    } else if (mine && at > p->link->counted_to && p->tap.sweep) {
        p->tap.sweep(p->tap.context, at - p->link->counted_to, tsc, false, NULL, 0);
    }
    if (whole)
        mark(p, at, tsc, pasts, pasts_n);
    p->o->watch->sweep(p->o->watch->context, trace_clock(p->trace), at, tsc);
    p->sweeps[p->sweeps_n++ % SWEEPS_KNOWN] = (struct sweep_place){at, tsc};
    spool_keep(p->o->spool, wanted_from(p));
}

struct trace_tap part_tap(struct part *p)
{
    return (struct trace_tap){p, tap_bytes, tap_sweep};
}
