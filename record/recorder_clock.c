/* The time of day of the trace, and where archives end by it. */
#include "recorder_state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/io_clock.h"
#include "host/wall_clock.h"
#include "metrics/human.h"

#define READ_EVERY_NS       10000000000u    /* here, */
#define READ_EVERY_TRACE_S  1.0             /* or in the trace, */
#define FIRST_EVERY_TRACE_S 0.1             /* and until the frequency is known */
#define LAST_SWEEP_NS       1000000000u     /* the last records came so long before the end, at most */
#define TEST_LATE_NS        3600000000000u  /* where the time runs as fast as a test can */
#define SOON_S              4.0             /* a snapshot lies two seconds before an end */
#define AHEAD_MOST_NS       3600000000000   /* a clock that is ahead by less is believed at once, */
#define BELIEVED_NS         86400000000000u /* and by more after so long */
#define SLACK_NS            1000000000      /* a clock that is set back by less begins no archive */

/* ---- a given trace, whose own clock goes on from a known time ---- */

static int read_trace_time(void *context, struct time_reading *t, struct error *err)
{
    const struct recorder *r = context;
    uint64_t ns = clock_ns(&r->stream_clock, r->newest_tsc);
    (void)err;
    *t = (struct time_reading){.utc_ns = r->o->trace_begins_utc_ns + (int64_t)ns,
                               .monotonic_ns = ns,
                               .boot_ns = ns,
                               .tsc = r->newest_tsc};
    return 0;
}

static bool by_trace(const struct recorder *r)
{
    return r->o->trace_begins_utc_ns != 0;
}

int recorder_clock_begin(struct recorder *r, struct error *err)
{
    struct time_source source = r->o->time ? *r->o->time : time_source_host();
    if (by_trace(r))
        source = (struct time_source){r, read_trace_time};
    recorder_clock_end(r);
    r->clocks_n = 0;
    struct time_reading now;
    if (!by_trace(r) && source.read(source.context, &now, err) != 0)
        return -1;
    r->clock = wall_clock_new(&source, r->o->time ? TEST_LATE_NS : WALL_CLOCK_LATE_NS, err);
    return r->clock ? 0 : -1;
}

void recorder_clock_end(struct recorder *r)
{
    wall_clock_free(r->clock);
    r->clock = NULL;
}

/* ---- readings ---- */

static bool is_due(const struct recorder *r, uint64_t now_ns)
{
    double cycles = r->newest_tsc > r->read_at_tsc ? (double)(r->newest_tsc - r->read_at_tsc) : 0;
    bool few = r->clocks_n < 2 && now_ns >= r->read_at_ns + SPOOL_TICK_NS; /* until the frequency is known */
    if (by_trace(r)) /* its time alone counts: the same trace gives the same pairs, however fast it comes */
        return cycles > READ_EVERY_TRACE_S * r->stream_clock.cpu_hz ||
               (r->clocks_n < 2 && cycles > FIRST_EVERY_TRACE_S * r->stream_clock.cpu_hz);
    return few || now_ns >= r->read_at_ns + READ_EVERY_NS ||
           (r->trace_clock.cpu_hz > 0 && cycles > READ_EVERY_TRACE_S * r->trace_clock.cpu_hz);
}

static void take_pair(struct recorder *r, const struct fact_clock *pair)
{
    if (r->clocks_n == CLOCKS_KEPT)
        memmove(r->clocks, r->clocks + 1, --r->clocks_n * sizeof *r->clocks);
    r->clocks[r->clocks_n++] = *pair;
    fact_put(&r->lines, &(struct fact){.kind = FACT_CLOCK, .clock = *pair});
}

/* The time of day went on, and nothing was recorded. */
static void put_suspended(struct recorder *r, uint64_t ns)
{
    int64_t now_ns = recorder_utc_now(r);
    struct fact f = {.kind = FACT_GAP,
                     .gap = {.tsc = r->newest_tsc, .from_utc_ns = now_ns - (int64_t)ns, .utc_ns = now_ns}};
    snprintf(f.gap.why, sizeof f.gap.why, "this machine was suspended");
    fact_put(&r->lines, &f);
    recorder_say(r, false, "this machine was suspended for %.3f s", (double)ns / 1e9);
}

/* `newest`: NULL: not known when it came. */
static void read_clock(struct recorder *r, uint64_t now_ns, const struct stream_moment *newest)
{
    struct clock_news news;
    struct error err = {0};
    r->read_at_ns = now_ns;
    r->read_at_tsc = r->newest_tsc;
    if (wall_clock_read(r->clock, newest, &news, &err) != 0) {
        error_set(&r->full, ERROR_IO, "the time of day: %.200s", err.message);
        return;
    }
    if (news.broken)
        r->clocks_n = 0;
    if (news.step_ns != 0)
        recorder_say(r, false, "the time of day was set by %+.3f s", (double)news.step_ns / 1e9);
    if (news.suspended_ns > 0)
        put_suspended(r, news.suspended_ns);
    if (news.has_pair)
        take_pair(r, &news.pair);
}

void recorder_clock_read(struct recorder *r)
{
    uint64_t now_ns = io_clock_ns();
    const struct stream_moment newest = {
        .tsc = r->newest_tsc, .age_ns = now_ns - r->newest_at_ns, .sweep_ns = r->sweep_ns};
    if (is_due(r, now_ns) && (!by_trace(r) || r->stream_clock.cpu_hz > 0))
        read_clock(r, now_ns, r->newest_tsc && !r->late_until ? &newest : NULL);
}

void recorder_clock_read_last(struct recorder *r)
{
    struct spool_state spool = r->spool ? spool_state(r->spool) : (struct spool_state){0};
    uint64_t now_ns = io_clock_ns();
    if (!r->tracer || !r->newest_tsc || !spool.ended || spool.waiting > 0)
        return;
    const struct stream_moment newest = {.tsc = r->newest_tsc,
                                         .age_ns = now_ns - spool.read_at_ns,
                                         .sweep_ns =
                                             r->sweep_ns > LAST_SWEEP_NS ? r->sweep_ns : LAST_SWEEP_NS};
    read_clock(r, now_ns, &newest);
}

/* False: the source failed. */
static bool read_now(struct recorder *r, struct time_reading *t)
{
    struct time_source source = r->o->time ? *r->o->time : time_source_host();
    struct error err;
    if (!by_trace(r))
        return source.read(source.context, t, &err) == 0;
    uint64_t ns = r->newest_tsc ? clock_ns(&r->stream_clock, r->newest_tsc) : 0;
    *t = (struct time_reading){.utc_ns = r->o->trace_begins_utc_ns + (int64_t)ns, .boot_ns = ns};
    return true;
}

int64_t recorder_utc_now(struct recorder *r)
{
    struct time_reading t;
    return read_now(r, &t) ? t.utc_ns : 0;
}

/* A given trace's own clock is exact, pairs are to a ns. */
bool recorder_utc_of(const struct recorder *r, uint64_t tsc, int64_t *utc_ns)
{
    if (!by_trace(r))
        return wall_clock_utc_of(r->clock, tsc, utc_ns);
    *utc_ns = r->o->trace_begins_utc_ns + (int64_t)clock_ns(&r->stream_clock, tsc);
    return r->stream_clock.cpu_hz > 0;
}

/* The other way round. */
static bool tsc_of(const struct recorder *r, int64_t utc_ns, uint64_t *tsc)
{
    if (!by_trace(r))
        return wall_clock_tsc_of(r->clock, utc_ns, tsc);
    int64_t ns = utc_ns - r->o->trace_begins_utc_ns;
    *tsc = clock_tsc(&r->stream_clock, ns > 0 ? (uint64_t)ns : 0);
    return r->stream_clock.cpu_hz > 0 && *tsc < UINT64_MAX;
}

/* ---- the time for what is old ---- */

static void say_belief(struct recorder *r, int64_t by_ns)
{
    struct believed_time *b = &r->believed;
    char length[HUMAN_BYTES];
    if (by_ns < AHEAD_MOST_NS)
        b->said = false;
    else if (!b->said && (r->limits.keep_ns > 0 || r->trimmer)) {
        b->said = true;
        recorder_say(
            r, false,
            "the clock is %s ahead of what was recorded: until it has gone on for a day, nothing more "
            "is removed because it is old",
            human_duration(length, (uint64_t)by_ns));
    }
}

int64_t recorder_utc_believed(struct recorder *r)
{
    struct believed_time *b = &r->believed;
    struct time_reading t;
    if (!read_now(r, &t))
        return 0;
    int64_t clock_ahead_ns = t.utc_ns - (int64_t)t.boot_ns;
    int64_t set_ns = clock_ahead_ns - b->clock_ahead_ns;
    if (!b->known) {
        bool before = r->ended_utc_ns > 0 && r->ended_utc_ns < t.utc_ns;
        b->ahead_ns = (before ? r->ended_utc_ns : t.utc_ns) - (int64_t)t.boot_ns;
    }
    if (!b->known || set_ns > SLACK_NS || set_ns < -SLACK_NS)
        b->steady_ns = t.boot_ns;
    b->known = true;
    b->clock_ahead_ns = clock_ahead_ns;
    if (clock_ahead_ns - b->ahead_ns < AHEAD_MOST_NS || t.boot_ns - b->steady_ns >= BELIEVED_NS)
        b->ahead_ns = clock_ahead_ns;
    say_belief(r, clock_ahead_ns - b->ahead_ns);
    return (int64_t)t.boot_ns + b->ahead_ns;
}

/* ---- where a part ends ---- */

static int64_t slot_of(const struct recorder *r, int64_t utc_ns)
{
    int64_t length = (int64_t)r->o->rotate_ns;
    return utc_ns >= 0 ? utc_ns / length : -((length - 1 - utc_ns) / length);
}

/* Not at once, so that the next part can go on with what this one knows. */
static uint64_t end_soon(struct recorder *r, uint64_t settled_tsc)
{
    r->end_tsc = settled_tsc + (uint64_t)(SOON_S * r->trace_clock.cpu_hz);
    r->next_utc_ns = 0;
    r->ends_soon = true;
    return r->end_tsc;
}

uint64_t recorder_part_end(struct recorder *r, uint64_t settled_tsc)
{
    int64_t utc_ns, slot = slot_of(r, r->begin_utc_ns);
    uint64_t tsc;
    if (r->end_tsc && (settled_tsc >= r->end_tsc || r->ends_soon))
        return r->end_tsc; /* it is being completed */
    if (r->rotate)
        return end_soon(r, settled_tsc);
    if (!recorder_utc_of(r, settled_tsc, &utc_ns))
        return 0;
    r->next_utc_ns = 0;
    r->end_tsc = 0;
    if (utc_ns < r->begin_utc_ns && (settled_tsc < r->link.moment_tsc || r->begin_utc_ns - utc_ns < SLACK_NS))
        utc_ns = r->begin_utc_ns;   /* what is before the part is decoded again; and pairs are not exact */
    if (slot_of(r, utc_ns) != slot) /* the clock was set, or the end came before it was known */
        return end_soon(r, settled_tsc);
    if (!tsc_of(r, (slot + 1) * (int64_t)r->o->rotate_ns, &tsc) || tsc <= settled_tsc)
        return 0;
    r->next_utc_ns = (slot + 1) * (int64_t)r->o->rotate_ns;
    r->end_tsc = tsc;
    return tsc;
}
