#include "recorder_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/io_clock.h"
#include "host/io_file.h"
#include "metrics/human.h"

#define SWEEP_NS        1000000000u /* until it is known */
#define LIMITS_EVERY_NS 10000000000u
#define END_LIMIT_NS    2000000000u
#define STOP_LIMIT_NS   20000000000u /* how long xentrace may take to end, before what came is all there is */
#define CAUGHT_UP_NS    1000000000u  /* what waited was decoded in so little time: what comes now is new */
#define CATCH_UPS       8            /* attempts */

void recorder_say(const struct recorder *r, bool wrong, const char *format, ...)
{
    char line[PATH_MAX + 256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    r->o->say(r->o->context, wrong, line);
}

/* ---- what goes on beside the decoding ---- */

/* Told to stop: xentrace gives what it has, and ends; its pipe is at its end then, and so is the part. */
static void stop(struct recorder *r)
{
    if (!r->stopping)
        r->stopping_at_ns = io_clock_ns();
    r->stopping = true;
    if (r->tracer)
        tracer_stop(r->tracer);
    if (r->spool && (!r->tracer || io_clock_ns() > r->stopping_at_ns + STOP_LIMIT_NS))
        spool_end(r->spool);
}

static void reload(struct recorder *r)
{
    if (!r->o->reload || atomic_exchange(r->o->reload, 0) == 0)
        return;
    notify_reloading(r->notify);
    if (r->o->read_again && r->o->read_again(r->o->context, &r->limits))
        recorder_say(r, false, "the limits were read again");
    r->rotate = r->open;
    r->room.keep_bytes = r->limits.keep_bytes;
    recorder_unlimit(r);
    notify_ready(r->notify);
}

/* The open archive grows; where there is no room any more, recording ends. */
static void keep_limits(struct recorder *r, bool now)
{
    uint64_t now_ns = io_clock_ns();
    now = now || atomic_exchange(&r->room.near, false);
    if ((!now && now_ns < r->limits_at_ns + LIMITS_EVERY_NS) || r->full.code != ERROR_NONE)
        return;
    r->limits_at_ns = now_ns;
    if (recorder_check_open(r, &r->full) != 0)
        return;
    if (recorder_make_room(r, &r->full) == 0 ||
        (recorder_flight_give_up(r, &r->full) && recorder_make_room(r, &r->full) == 0))
        r->full.code = ERROR_NONE;
}

/* Called several times in a second, while the trace is decoded and while it is waited for. */
static void look_after(struct recorder *r)
{
    const struct timespec none = {0, 0};
    ppoll(NULL, 0, &none, r->o->wait_mask); /* signals: while bytes always wait, nothing else lets them in */
    recorder_clock_read(r);
    recorder_facts_take(r);
    recorder_status_write(r, false);
    notify_watchdog(r->notify);
    reload(r);
    if (r->tracer)
        r->tracer_state = tracer_check(r->tracer);
    keep_limits(r, false);
    recorder_trimmed(r);
    recorder_flight_look(r);
    recorder_limit_cpu(r);
    if (*r->o->stop || r->full.code != ERROR_NONE)
        stop(r);
}

static void tick(void *context)
{
    look_after(context);
}

/* ---- the open part ---- */

static void take_clock(struct recorder *r, const struct clock *clock)
{
    r->trace_clock = *clock;
    if (!(r->stream_clock.cpu_hz > 0))
        r->stream_clock = *clock;
}

/*
 * What came before decoding began says nothing about the time of day at which it is decoded; nor does what came meanwhile, unless that was
 * little.
 */
static void catch_up(struct recorder *r, uint64_t at)
{
    uint64_t now_ns = io_clock_ns();
    if (r->late_until == 0 || at < r->late_until)
        return;
    bool again = now_ns - r->late_at_ns > CAUGHT_UP_NS && r->catch_ups++ < CATCH_UPS;
    r->late_until = again ? spool_state(r->spool).bytes : 0;
    r->late_at_ns = now_ns;
}

/* The largest tsc so far came with the sweep before. */
static void part_sweep(void *context, const struct clock *clock, uint64_t at, uint64_t tsc)
{
    struct recorder *r = context;
    uint64_t now_ns = io_clock_ns();
    if (tsc > r->newest_tsc) {
        r->newest_tsc = tsc;
        r->newest_at_ns = r->sweep_at_ns ? r->sweep_at_ns : now_ns;
    }
    r->sweep_ns = r->sweep_at_ns ? now_ns - r->sweep_at_ns : SWEEP_NS;
    r->sweep_at_ns = now_ns;
    take_clock(r, clock);
    catch_up(r, at);
    recorder_flight_sweep(r, at, tsc);
    look_after(r);
}

static void part_interval(void *context, const struct part_interval *i)
{
    recorder_flight_interval(context, i);
}

static uint64_t part_end(void *context, const struct clock *clock, uint64_t settled_tsc)
{
    struct recorder *r = context;
    take_clock(r, clock);
    if (r->o->input >= 0)
        look_after(r);
    return recorder_part_end(r, settled_tsc);
}

static void part_facts(void *context, bool first, struct buffer *lines)
{
    struct recorder *r = context;
    keep_limits(r, true); /* more is written now */
    if (first)
        recorder_facts_begin(r, lines);
    recorder_clock_read_last(r);
    if (r->lines.n > 0)
        buffer_add(lines, r->lines.at, r->lines.n);
    r->lines.n = 0;
}

static void part_counts(void *context, bool first, struct buffer *lines)
{
    recorder_counts_take(context, first, lines);
}

static void part_summary(void *context, struct summary *s)
{
    struct recorder *r = context;
    r->open_records = s->quality.records;
    r->open_lost_records = s->quality.lost_records;
    s->clock.host_hz = wall_clock_hz(r->clock, &s->clock.host_error_ppm);
}

static void say_part(struct recorder *r, const struct part_result *p)
{
    char bytes[HUMAN_BYTES];
    double s =
        (double)(clock_ns(&r->trace_clock, p->end_tsc) - clock_ns(&r->trace_clock, p->begin_tsc)) / 1e9;
    r->parts++;
    r->open_records = r->open_lost_records = 0;
    r->records += p->records;
    r->lost_records += p->lost_records;
    r->stored_bytes += p->stored;
    recorder_say(r, false, "%s: %.9g s, %" PRIu64 " records, %" PRIu64 " lost, %s", r->path, s, p->records,
                 p->lost_records, human_bytes(bytes, p->stored));
}

/* Where the next part begins. */
static int64_t next_begin(struct recorder *r)
{
    int64_t utc_ns;
    if (r->next_utc_ns && !r->rotate)
        return r->next_utc_ns;
    return recorder_utc_of(r, r->link.moment_tsc, &utc_ns) ? utc_ns : recorder_utc_now(r);
}

static void begin_next(struct recorder *r)
{
    r->begin_utc_ns = next_begin(r);
    if (!r->link.snapshot)
        recorder_say(r, false,
                     "the next archive adjoins, but states begin anew in it: %s could not be continued",
                     r->path);
}

static int run_part(struct recorder *r, struct part_result *result, struct error *err)
{
    const struct recorder_options *o = r->o;
    const struct part_watch watch = {r,          part_end,    part_sweep,  part_interval,
                                     part_facts, part_counts, part_summary};
    double host_error_ppm = 0, host_hz = wall_clock_hz(r->clock, &host_error_ppm);
    char identity[PATH_MAX + 64];
    const struct part_options options = {.path = r->path,
                                         .identity = identity,
                                         .host = o->host,
                                         .tool = o->tool,
                                         .level = o->level,
                                         .threads = o->threads,
                                         .with_trace = o->with_trace,
                                         .cpu_hz = o->cpu_hz,
                                         .host_hz = host_hz,
                                         .host_error_ppm = host_error_ppm,
                                         .memory_limit = o->memory_limit,
                                         .capture = &o->capture,
                                         .spool = r->spool,
                                         .watch = &watch,
                                         .room = &r->room};
    struct store_name name;
    if (recorder_make_room(r, err) != 0 ||
        store_new(r->store, (uint64_t)r->begin_utc_ns, r->boot_id, false, &name, r->path, err) != 0)
        return -1;
    snprintf(identity, sizeof identity, "%s %s %" PRId64, r->path, r->boot_id, r->begin_utc_ns);
    r->open = true;
    r->open_records = r->open_lost_records = 0;
    notify_status(r->notify, r->path);
    r->next_utc_ns = 0;
    r->end_tsc = 0;
    r->ends_soon = false;
    recorder_flight_part_begins(r);
    int status = part_run(&options, &r->link, result, err);
    r->open = false;
    if (status != 0 && err->code == ERROR_IO) {
        const struct error why = *err;
        error_set(err, ERROR_IO, "%.150s: %.150s", r->path, why.message);
    }
    if (status != 0 || result->end == PART_NOTHING)
        return status;
    say_part(r, result);
    if (result->end == PART_MOMENT)
        begin_next(r);
    else
        recorder_utc_of(r, result->end_tsc, &r->ended_utc_ns);
    r->rotate = false;
    store_sync(r->store);
    recorder_trim(r);
    return 0;
}

/* ---- a trace that is not interrupted ---- */

/* It is read from now on, and kept until record_trace decodes it. */
static int begin_trace(struct recorder *r, int fd, struct error *err)
{
    const struct spool_watch watch = {r, tick, r->o->wait_mask};
    r->spool = spool_new(fd, r->o->buffer_bytes, r->o->flight.bytes_max, &watch, err);
    if (!r->spool)
        return -1;
    part_link_free(&r->link);
    r->link = (struct part_link){0};
    r->newest_tsc = r->sweep_at_ns = 0;
    r->stream_clock = (struct clock){.cpu_hz = 0};
    if (wall_clock_by_stream(r->clock) && recorder_clock_begin(r, err) != 0)
        return -1;
    r->begin_utc_ns = recorder_utc_now(r);
    return 0;
}

/* Parts of it, until it ends. */
static int record_trace(struct recorder *r, struct error *err)
{
    struct part_result result = {0};
    int status;
    r->late_until = r->tracer ? spool_state(r->spool).bytes : 0;
    r->late_at_ns = io_clock_ns();
    r->catch_ups = 0;
    recorder_flight_trace_begins(r);
    do
        status = run_part(r, &result, err);
    while (status == 0 && result.end == PART_MOMENT);
    recorder_flight_trace_ends(r, status != 0 || result.cut);
    struct spool_state state = spool_state(r->spool);
    r->trace_bytes += state.bytes;
    r->stalled_ns += state.stalled_ns;
    if (status == 0 && state.error != 0 && !r->stopping && r->o->input >= 0)
        status = error_set(err, ERROR_FORMAT, "cannot be read: %s", strerror(state.error));
    else if (status == 0 && state.error != 0 && !r->stopping)
        recorder_say(r, true, "reading the trace: %s", strerror(state.error));
    else if (status == 0 && state.bytes == 0 && !r->stopping && r->o->input >= 0)
        status = error_set(err, ERROR_FORMAT, "is empty: there is nothing in it to record");
    spool_free(r->spool);
    r->spool = NULL;
    return status;
}

/* Waits, and looks after the rest, until xentrace is to be started again. */
static void wait_for_tracer(struct recorder *r)
{
    const struct timespec most = {0, SPOOL_TICK_NS};
    while (tracer_pause_ns(r->tracer) > 0 && !r->stopping) {
        ppoll(NULL, 0, &most, r->o->wait_mask);
        look_after(r);
    }
}

/* Its pipe is at its end: how it has ended is known soon. */
static void wait_for_end(struct recorder *r)
{
    const struct timespec pause = {0, SPOOL_TICK_NS / 10};
    uint64_t until_ns = io_clock_ns() + END_LIMIT_NS;
    do {
        look_after(r);
        if (r->tracer_state == TRACER_RUNNING)
            ppoll(NULL, 0, &pause, r->o->wait_mask);
    } while (r->tracer_state == TRACER_RUNNING && io_clock_ns() < until_ns);
}

/*
 * What came is no trace, though there was one before: xentrace is to be started again; or it is too short to say anything, as the recorder
 * is to end. -1: nobody knows how to go on.
 */
static int give_up_trace(struct recorder *r, struct error *err)
{
    if (err->code != ERROR_FORMAT || (r->parts == 0 && !r->stopping))
        return -1;
    recorder_say(r, true, "xentrace: %s", err->message);
    *err = (struct error){.code = ERROR_NONE};
    wait_for_end(r);
    if (r->tracer_state == TRACER_RUNNING)
        tracer_stop(r->tracer); /* it is killed if it does not end */
    while (r->tracer_state == TRACER_RUNNING && !r->stopping)
        wait_for_end(r);
    return recorder_salvage(r, err);
}

static int start_tracer(struct recorder *r, struct error *err)
{
    int fd = tracer_start(r->tracer, err);
    return fd >= 0 ? begin_trace(r, fd, err) : -1;
}

/* The first xentrace was started by begin(), if it could be. */
static int record_host(struct recorder *r, struct error *err)
{
    while (!r->stopping) {
        struct error why = {0};
        bool runs = r->spool || start_tracer(r, &why) == 0;
        if (!runs && (tracer_starts(r->tracer) == 0 || why.code == ERROR_MEMORY)) {
            *err = why;
            return -1;
        }
        if (runs && record_trace(r, err) != 0 && give_up_trace(r, err) != 0)
            return -1;
        wait_for_end(r);
        if (r->stopping)
            break;
        if (r->changes_mask) {
            r->changes_mask = false;
            continue;
        }
        snprintf(r->interruption, sizeof r->interruption, "xentrace: %.100s",
                 runs ? tracer_failure(r->tracer) : why.message);
        if (!runs)
            recorder_say(r, true, "%s; it is tried again", why.message);
        else
            recorder_say(r, true, "xentrace has ended (%s); it is started again", tracer_failure(r->tracer));
        r->restarts++;
        wait_for_tracer(r);
    }
    return 0;
}

/* ---- the beginning ---- */

static void read_boot_id(struct recorder *r)
{
    if (!io_file_all("/proc/sys/kernel/random/boot_id", '\n', r->boot_id, sizeof r->boot_id))
        snprintf(r->boot_id, sizeof r->boot_id, "00000000");
    r->boot_id[strcspn(r->boot_id, "\n")] = '\0';
}

/*
 * Before all that takes time: what comes meanwhile waits in the spool. One that cannot be started, or read, is no reason to leave the rest
 * undone: record_host says why.
 */
static int start_tracer_first(struct recorder *r, struct error *err)
{
    struct error why = {0};
    r->tracer = tracer_new(&r->o->tracer, err);
    if (!r->tracer)
        return -1;
    if (start_tracer(r, &why) == 0 || why.code != ERROR_MEMORY)
        return 0;
    *err = why;
    return -1;
}

static int begin(struct recorder *r, struct error *err)
{
    const struct recorder_options *o = r->o;
    r->limits = o->limits;
    r->purpose = o->purpose;
    read_boot_id(r);
    const struct store_options folder = {.dir = o->folder, .host = o->host, .longest_ns = o->rotate_ns};
    r->store = store_open(&folder, err);
    r->room.store = r->store;
    r->room.removes = !o->stop_when_full;
    r->room.keep_bytes = r->limits.keep_bytes;
    if (!r->store || recorder_clock_begin(r, err) != 0)
        return -1;
    if (o->input < 0 && (recorder_tracing_begin(r, err) != 0 || start_tracer_first(r, err) != 0))
        return -1;
    if (recorder_salvage(r, err) != 0)
        return -1;
    recorder_find_last(r);
    if (recorder_flight_begin(r, err) != 0)
        return -1;
    if ((o->input < 0 || o->domains.source) && !(r->domains = domain_watch_new(&o->domains, err)))
        return -1;
    if (recorder_counts_begin(r, err) != 0)
        return -1;
    if (o->with_trace && o->keep_trace_ns > 0 && !(r->trimmer = trimmer_new(&r->room, o->keep_trace_ns, err)))
        return -1;
    recorder_trim(r);
    r->notify = notify_new();
    r->begun_utc_ns = recorder_utc_now(r);
    notify_ready(r->notify);
    return 0;
}

/* Nothing is to be recorded after all: xentrace, which runs already, disables tracing as it ends. */
static void end_unread(struct recorder *r)
{
    const struct timespec pause = {0, SPOOL_TICK_NS / 10};
    uint64_t until_ns = io_clock_ns() + END_LIMIT_NS;
    if (r->spool && r->tracer)
        for (tracer_stop(r->tracer); tracer_check(r->tracer) == TRACER_RUNNING && io_clock_ns() < until_ns;)
            ppoll(NULL, 0, &pause, NULL);
    spool_free(r->spool);
    r->spool = NULL;
}

static void end(struct recorder *r)
{
    end_unread(r);
    notify_stopping(r->notify);
    tracer_free(r->tracer);
    r->tracer = NULL;
    recorder_tracing_end(r);
    if (r->store)
        recorder_status_write(r, true);
    recorder_flight_free(r);
    domain_watch_free(r->domains);
    recorder_counts_end(r);
    trimmer_free(r->trimmer);
    recorder_clock_end(r);
    part_link_free(&r->link);
    buffer_free(&r->lines);
    notify_free(r->notify);
    store_close(r->store);
}

int recorder_run(const struct recorder_options *o, struct error *err)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "the recorder");
    r->o = o;
    int status = begin(r, err);
    if (status == 0 && o->input >= 0)
        status = begin_trace(r, o->input, err) != 0 ? -1 : record_trace(r, err);
    else if (status == 0)
        status = record_host(r, err);
    end(r);
    if (r->full.code != ERROR_NONE) { /* what failed later follows from it */
        *err = r->full;
        status = -1;
    }
    free(r);
    return status;
}
