/* What a recorder does, in a file of its folder, for `record --status`. */
#include "recorder_state.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/lock.h"
#include "formats/output.h"
#include "host/io_clock.h"
#include "record/recorder_flight.h"

#define STATUS_FILE     ".status.json"
#define STATUS_EVERY_NS 10000000000u

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *flight_of(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    const struct flight_ring *ring = &f->ring;
    struct flight_place oldest = flight_ring_oldest(ring);
    uint64_t span = r->spool && ring->newest.tsc > oldest.tsc ? ring->newest.tsc - oldest.tsc : 0;
    double hz = r->stream_clock.cpu_hz;
    json_t *o = json_object();
    json_object_set_new(o, "bytes_max", number(r->o->flight.bytes_max));
    json_object_set_new(o, "age_max_ns", number(r->o->flight.age_ns));
    json_object_set_new(o, "bytes", number(r->spool ? ring->newest.at - oldest.at : 0));
    json_object_set_new(o, "age_ns", number(hz > 0 ? (uint64_t)((double)span * (1e9 / hz)) : 0));
    json_object_set_new(o, "bound", json_string(flight_bound_names[ring->bound]));
    json_object_set_new(o, "dumps", number(f->dumps));
    json_object_set_new(o, "failed", number(f->failed));
    json_object_set_new(o, "held", number(f->held));
    json_object_set_new(o, "last", *f->last ? json_string(f->last) : json_null());
    return o;
}

static json_t *state_of(struct recorder *r)
{
    struct spool_state spool = r->spool ? spool_state(r->spool) : (struct spool_state){0};
    uint64_t cpu_ns = recorder_cpu_ns();
    int64_t now_ns = recorder_utc_now(r);
    json_t *o = json_object();
    json_object_set_new(o, "schema", json_string("xenmeter.recorder/1"));
    json_object_set_new(o, "pid", json_integer(getpid()));
    json_object_set_new(o, "host", json_string(r->o->host));
    json_object_set_new(o, "boot_id", json_string(r->boot_id));
    json_object_set_new(o, "utc_ns", json_integer(now_ns));
    json_object_set_new(o, "begun_utc_ns", json_integer(r->begun_utc_ns));
    json_object_set_new(o, "state",
                        json_string(r->stopping ? "stopping"
                                    : r->open   ? "recording"
                                                : "waiting"));
    json_object_set_new(o, "archive", r->open ? json_string(r->path) : json_null());
    json_object_set_new(o, "archives", number(r->parts));
    json_object_set_new(o, "stored_bytes", number(r->stored_bytes + recorder_open_bytes(r)));
    json_object_set_new(o, "trace_bytes", number(r->trace_bytes + spool.bytes));
    json_object_set_new(o, "waiting_bytes", number(spool.waiting));
    json_object_set_new(o, "records", number(r->records + r->open_records));
    json_object_set_new(o, "lost_records", number(r->lost_records + r->open_lost_records));
    json_object_set_new(o, "stalled_ns", number(r->stalled_ns + spool.stalled_ns));
    json_object_set_new(o, "counter_rows",
                        r->counts ? number(counter_log_state(r->counts).rows) : json_null());
    json_object_set_new(o, "restarts", number(r->restarts));
    json_object_set_new(o, "cpu_ns", number(cpu_ns));
    json_object_set_new(o, "rss_bytes", number(recorder_rss_bytes()));
    json_object_set_new(o, "clock",
                        json_string(r->clock && wall_clock_by_stream(r->clock) ? "stream" : "host"));
    json_object_set_new(o, "mask", r->reduced.mask ? number(r->reduced.mask) : json_null());
    json_object_set_new(
        o, "tracing_before",
        r->tracing.calls
            ? json_pack("{s:I, s:b}", "mask", (json_int_t)r->tracing.state.events, "on", r->tracing.state.on)
            : json_null());
    if (r->flight)
        json_object_set_new(o, "flight", flight_of(r));
    return o;
}

void recorder_status_write(struct recorder *r, bool now)
{
    uint64_t now_ns = io_clock_ns();
    char path[PATH_MAX];
    struct error err;
    if (!now && now_ns < r->status_at_ns + STATUS_EVERY_NS)
        return;
    r->status_at_ns = now_ns;
    snprintf(path, sizeof path, "%s/" STATUS_FILE, r->o->folder);
    json_t *state = state_of(r);
    char *text = json_dumps(state, JSON_INDENT(2));
    json_decref(state);
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* a link would be followed */
        unlink(path);
    struct output *out = text ? output_open(path, &err) : NULL;
    if (out) {
        output_printf(out, "%s\n", text);
        if (output_commit(out, &err) != 0)
            recorder_say(r, true, "%s: %s", path, err.message);
    }
    free(text);
}

static json_t *read_state(const char *folder, struct error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" STATUS_FILE, folder);
    FILE *f = fopen(path, "re");
    if (!f) {
        if (errno == ENOENT)
            error_set(err, ERROR_IO, "nobody has recorded to this folder: there is no " STATUS_FILE " in it");
        else
            error_set(err, ERROR_IO, STATUS_FILE ": cannot be opened: %s", strerror(errno));
        return NULL;
    }
    json_t *state = json_loadf(f, 0, NULL);
    fclose(f);
    if (json_is_object(state))
        return state;
    json_decref(state);
    error_set(err, ERROR_IO, STATUS_FILE ": is no state of a recorder");
    return NULL;
}

void recorder_status_tracing(const struct recorder *r, struct xen_trace_before *b)
{
    struct error ignored;
    const char *boot_id = "";
    json_int_t mask;
    int on;
    json_t *state = read_state(r->o->folder, &ignored);
    if (state &&
        json_unpack(state, "{s:s, s:{s:I, s:b}}", "boot_id", &boot_id, "tracing_before", "mask", &mask, "on",
                    &on) == 0 &&
        strcmp(boot_id, r->boot_id) == 0 && mask >= 0 && mask <= UINT32_MAX) {
        b->events = (uint32_t)mask;
        b->on = on;
    }
    json_decref(state);
}

int recorder_status(const char *folder, char **text, struct error *err)
{
    char path[PATH_MAX];
    json_t *state = read_state(folder, err);
    if (!state)
        return -1;
    snprintf(path, sizeof path, "%s/" STORE_LOCK, folder);
    if (access(path, R_OK | W_OK) == 0 && lock_owner(path) == 0) /* it may have been killed */
        json_object_set_new(state, "state", json_string("not running"));
    *text = json_dumps(state, JSON_INDENT(2));
    json_decref(state);
    return *text ? 0 : error_no_memory(err, "the state of the recorder");
}
