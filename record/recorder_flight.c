/* The flight recorder: the last of the trace, written when a rule holds or a signal asks for it. */
#include "record/recorder_flight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/output.h"
#include "metrics/human.h"
#include "metrics/min_max.h"

#define SHARE_OF_KEPT 2 /* a dump takes at most this part of all that may be kept, */
#define SHARE_OF_FREE 2 /* and of what is free */

/* 0: the clock is not known yet. */
static uint64_t cycles(const struct recorder *r, uint64_t ns)
{
    return (uint64_t)((double)ns * (r->stream_clock.cpu_hz / 1e9));
}

/* 0: there are no intervals. */
static uint64_t shortest_interval(const struct capture_options *c)
{
    uint64_t shortest = UINT64_MAX;
    for (size_t i = 0; i < c->granularities; i++)
        if (c->granularities_ns[i] > 0)
            shortest = min64(shortest, c->granularities_ns[i]);
    return shortest < UINT64_MAX ? shortest : 0;
}

int recorder_flight_begin(struct recorder *r, struct error *err)
{
    if (r->o->flight.bytes_max == 0)
        return 0;
    r->flight = calloc(1, sizeof *r->flight);
    if (!r->flight)
        return error_no_memory(err, "the flight recorder");
    r->flight->granularity_ns = shortest_interval(&r->o->capture);
    r->flight->absent = calloc(r->o->flight.rules_n + 1, sizeof *r->flight->absent);
    return r->flight->absent ? 0 : error_no_memory(err, "the flight recorder");
}

void recorder_flight_free(struct recorder *r)
{
    if (r->flight) {
        flight_dump_discard(r->flight->dump);
        free(r->flight->absent);
    }
    free(r->flight);
    r->flight = NULL;
}

uint64_t recorder_flight_ns(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    uint64_t span = f->to.tsc > f->from.tsc ? f->to.tsc - f->from.tsc : 0;
    return r->stream_clock.cpu_hz > 0 ? (uint64_t)((double)span * (1e9 / r->stream_clock.cpu_hz)) : 0;
}

/* ---- the end of a dump ---- */

/* Nothing of the dump is left. */
static void give_up(struct recorder *r, const struct error *why)
{
    struct recorder_flight *f = r->flight;
    recorder_say(r, true, "%s: not written: %s", *f->path ? f->path : "a dump of the trace", why->message);
    flight_dump_discard(f->dump);
    f->dump = NULL;
    f->failed++;
}

static int write_note(const struct recorder *r, struct error *err)
{
    char path[PATH_MAX];
    const char *dot = strrchr(r->flight->path, '.');
    json_t *note = recorder_flight_note(r);
    char *text = note ? json_dumps(note, JSON_INDENT(2)) : NULL;
    json_decref(note);
    if (!text)
        return error_no_memory(err, "the note of a dump");
    snprintf(path, sizeof path, "%.*s.json", (int)(dot - r->flight->path), r->flight->path);
    struct output *out = output_open(path, err);
    int status = out ? 0 : -1;
    if (out) {
        output_printf(out, "%s\n", text);
        status = output_commit(out, err);
    }
    free(text);
    return status;
}

static void say_dump(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    char bytes[HUMAN_BYTES];
    const struct condition *rule = f->trigger.finding.rule;
    recorder_say(r, false, "%s: %.9g s, %s: %s%s%s", f->path, (double)recorder_flight_ns(r) / 1e9,
                 human_bytes(bytes, f->to.at - f->from.at), rule ? rule->text : "SIGUSR1",
                 *f->trigger.finding.name ? ": " : "", f->trigger.finding.name);
}

static void complete(struct recorder *r)
{
    struct recorder_flight *f = r->flight;
    struct error why = {0};
    struct flight_dump *dump = f->dump;
    if (write_note(r, &why) != 0) {
        give_up(r, &why);
        return;
    }
    f->dump = NULL;
    if (flight_dump_commit(dump, &why) != 0) {
        give_up(r, &why);
        return;
    }
    f->dumps++;
    f->passed_over = 0;
    snprintf(f->last, sizeof f->last, "%s", f->path);
    say_dump(r);
    if (recorder_make_room(r, &why) != 0)
        recorder_say(r, true, "%s", why.message);
}

/* Writes on, as far as that is possible now; with `wait` all that is known of the dump. */
static void write_on(struct recorder *r, bool wait)
{
    struct recorder_flight *f = r->flight;
    struct error why = {0};
    if (!f->dump)
        return;
    int status =
        f->has_end && f->to.at <= f->from.at
            ? error_set(&why, ERROR_FORMAT, "there is no whole sweep, or one is larger than --flight")
            : flight_dump_give(f->dump, f->to.at, wait, &why);
    if (status == 0 && f->has_end && !f->ended && flight_dump_next(f->dump) >= f->to.at) {
        status = flight_dump_end(f->dump, &why);
        f->ended = true;
    }
    if (status == 0 && f->ended)
        status = flight_dump_poll(f->dump, wait, &why);
    if (status < 0)
        give_up(r, &why);
    else if (status > 0)
        complete(r);
}

/* The bytes of a trace that is given wait. */
static bool may_wait(const struct recorder *r)
{
    return !r->tracer;
}

static void hold(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    uint64_t from = flight_ring_oldest(&f->ring).at;
    spool_hold(r->spool, f->dump ? min64(from, flight_dump_next(f->dump)) : from);
}

/* ---- the beginning of a dump ---- */

static uint64_t most_bytes(const struct recorder_flight *f)
{
    return f->has_end ? f->to.at - f->from.at : f->bytes_max;
}

uint64_t recorder_flight_room(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    if (!f || !f->dump)
        return 0;
    uint64_t all = most_bytes(f), written = flight_dump_written(f->dump);
    return all > written ? all - written : 0;
}

bool recorder_flight_give_up(struct recorder *r, const struct error *why)
{
    bool any = r->flight && r->flight->dump;
    if (any)
        give_up(r, why);
    return any;
}

/* A dump does not take the place of most archives, nor the last of the file system. */
static int check_room(struct recorder *r, struct error *err)
{
    struct store_usage usage;
    uint64_t bytes = most_bytes(r->flight);
    char most[HUMAN_BYTES], there[HUMAN_BYTES];
    if (r->limits.keep_bytes && bytes > r->limits.keep_bytes / SHARE_OF_KEPT)
        return error_set(err, ERROR_IO, "up to %s would be more than half of what may be kept (--keep-bytes)",
                         human_bytes(most, bytes));
    if (store_usage(r->store, &usage, err) != 0)
        return -1;
    return usage.free_bytes / SHARE_OF_FREE >= bytes
               ? 0
               : error_set(err, ERROR_IO, "up to %s would be more than half of what is free, %s",
                           human_bytes(most, bytes), human_bytes(there, usage.free_bytes));
}

/* Opens the file of a dump, for which there is room then. -1 with `err` filled. */
static int open_dump(struct recorder *r, struct error *err)
{
    struct recorder_flight *f = r->flight;
    struct store_name name;
    *f->path = '\0';
    if (!recorder_utc_of(r, f->trigger.tsc, &f->utc_ns))
        f->utc_ns = recorder_utc_now(r);
    if (store_new(r->store, (uint64_t)f->utc_ns, r->boot_id, true, &name, f->path, err) != 0)
        return -1;
    if (check_room(r, err) != 0)
        return -1;
    f->dump = flight_dump_new(f->path, r->spool, f->from.at, &r->room, err);
    return f->dump ? recorder_make_room(r, err) : -1;
}

static void set_end(struct recorder_flight *f, enum flight_end end)
{
    f->has_end = true;
    f->end = end;
}

static void begin_is_known(struct recorder *r)
{
    if (r->stream_clock.cpu_hz > 0)
        flight_ring_began(&r->flight->ring, r->stream_clock.tsc_first);
}

/* Begins a dump, unless one is being made already. */
static void fire(struct recorder *r, const struct flight_trigger *t)
{
    struct recorder_flight *f = r->flight;
    struct error why = {0};
    if (f->dump || !r->spool) {
        f->passed_over++;
        return;
    }
    uint64_t after = cycles(r, r->o->flight.after_ns);
    begin_is_known(r);
    f->trigger = *t;
    f->from = flight_ring_oldest(&f->ring);
    f->to = (struct flight_place){f->ring.newest.at, f->ring.before.tsc};
    f->bound = f->ring.bound;
    f->bytes_max = f->to.at - f->from.at + r->o->flight.bytes_max;
    f->target_tsc = max64(f->to.tsc, t->tsc) + after;
    f->has_end = f->ended = false;
    if (f->to.tsc >= f->target_tsc)
        set_end(f, FLIGHT_AFTER);
    f->quiet_from = t->tsc;
    f->quiet_to = t->tsc + cycles(r, r->o->flight.cooldown_ns);
    if (open_dump(r, &why) != 0) {
        give_up(r, &why);
        return;
    }
    hold(r);
    write_on(r, may_wait(r));
}

/* A sweep begins: the dump may end there, or has to end before. */
static void find_end(struct recorder_flight *f)
{
    if (!f->dump || f->has_end)
        return;
    if (f->ring.newest.at - f->from.at > f->bytes_max) {
        set_end(f, FLIGHT_AT_SIZE);
        return;
    }
    f->to = (struct flight_place){f->ring.newest.at, f->ring.before.tsc};
    if (f->to.tsc >= f->target_tsc)
        set_end(f, FLIGHT_AFTER);
}

/* ---- what makes a dump ---- */

static const char *name_of(const void *context, int32_t domain, uint32_t life)
{
    const struct recorder *r = context;
    (void)life;
    return r->domains && domain >= 0 ? domain_watch_name(r->domains, (uint32_t)domain) : NULL;
}

static bool is_about(const void *rule, uint32_t domain, const char *name)
{
    return condition_is_about(rule, (int32_t)domain, name);
}

void recorder_flight_domains(struct recorder *r, const struct domain_watch_state *s)
{
    struct recorder_flight *f = r->flight;
    if (!f || s->looks == f->looks || s->error.code != ERROR_NONE)
        return;
    f->looks = s->looks;
    for (size_t i = 0; i < r->o->flight.rules_n; i++) {
        const struct condition *rule = &r->o->flight.rules[i];
        bool absent = rule->where && !domain_watch_any(r->domains, is_about, rule);
        if (absent && !f->absent[i])
            recorder_say(r, true, "--when '%s': there is no domain '%s' now", rule->text, rule->where);
        f->absent[i] = absent;
    }
}

static bool is_quiet(const struct recorder_flight *f, uint64_t tsc)
{
    return tsc >= f->quiet_from && tsc < f->quiet_to;
}

void recorder_flight_interval(struct recorder *r, const struct part_interval *i)
{
    struct recorder_flight *f = r->flight;
    struct flight_trigger t = {.start_tsc = i->start_tsc, .tsc = i->end_tsc};
    if (!f || i->interval->by != BY_DOMAIN || i->interval->granularity_ns != f->granularity_ns)
        return;
    const struct flight_interval rows = {.interval = i->interval,
                                         .rows = i->rows,
                                         .n = i->n,
                                         .lost = i->lost_records - min64(f->lost_seen, i->lost_records),
                                         .name_of = name_of,
                                         .names = r};
    f->lost_seen = i->lost_records;
    for (size_t k = 0; k < r->o->flight.rules_n; k++) {
        const struct condition *rule = &r->o->flight.rules[k];
        if (!flight_rule_fires(rule, &rows, &t.finding))
            continue;
        f->held++;
        if (rule->of == &flight_lost) /* they were lost in what was read since, perhaps after the interval */
            t.tsc = max64(t.tsc, f->ring.newest.tsc);
        if (is_quiet(f, t.tsc))
            f->passed_over++;
        else
            fire(r, &t);
        return;
    }
}

void recorder_flight_look(struct recorder *r)
{
    struct recorder_flight *f = r->flight;
    bool asked = r->o->dump && atomic_exchange(r->o->dump, 0) != 0;
    if (asked && !f)
        recorder_say(r, true, "SIGUSR1: there is no flight recorder (--flight)");
    else if (asked && !r->spool)
        recorder_say(r, true, "SIGUSR1: nothing is recorded now");
    else if (asked && f->dump)
        recorder_say(r, true, "SIGUSR1: a dump is being written already");
    if (!f || !r->spool)
        return;
    if (asked)
        fire(r, &(struct flight_trigger){.finding = {.domain = -1}, .tsc = f->ring.newest.tsc});
    write_on(r, false);
}

/* ---- the trace ---- */

void recorder_flight_trace_begins(struct recorder *r)
{
    if (r->flight)
        flight_ring_begin(&r->flight->ring, r->o->flight.bytes_max, 0);
}

void recorder_flight_part_begins(struct recorder *r)
{
    if (r->flight)
        r->flight->lost_seen = 0;
}

void recorder_flight_sweep(struct recorder *r, uint64_t at, uint64_t tsc)
{
    struct recorder_flight *f = r->flight;
    if (!f)
        return;
    begin_is_known(r);
    flight_ring_sweep(&f->ring, (struct flight_place){at, tsc}, cycles(r, r->o->flight.age_ns));
    find_end(f);
    write_on(r, may_wait(r));
    hold(r);
}

/* The last sweep is whole unless the trace was cut in it. */
void recorder_flight_trace_ends(struct recorder *r, bool cut)
{
    struct recorder_flight *f = r->flight;
    if (!f || !f->dump)
        return;
    uint64_t bytes = spool_state(r->spool).bytes;
    if (!f->has_end && !cut && bytes - f->from.at <= f->bytes_max)
        f->to = (struct flight_place){bytes, f->ring.newest.tsc};
    if (!f->has_end)
        set_end(f, FLIGHT_AT_TRACE_END);
    write_on(r, true);
}
