/* The counters that a recording keeps beside the trace. */
#include "recorder_state.h"

#define BEYOND_S 2.0 /* of a file: a reading that follows the newest record is of use, too */

int recorder_counts_begin(struct recorder *r, struct error *err)
{
    const struct recorder_options *o = r->o;
    const struct counter_log_options options = {.file = o->counts == COUNTS_FILE ? o->counts_file : NULL};
    struct error why = {0};
    if (o->counts == COUNTS_NONE || (o->counts == COUNTS_AUTO && o->input >= 0))
        return 0;
    r->counts = counter_log_new(&options, &why);
    if (r->counts)
        return 0;
    if (options.file)
        return error_set(err, ERROR_IO, "%.150s: %.150s", options.file, why.message);
    recorder_say(r, false, "no counters of devices are kept: %s", why.message);
    return 0;
}

/* What was read, but is of no archive, was not of this trace. */
void recorder_counts_end(struct recorder *r)
{
    if (r->counts && r->o->counts == COUNTS_FILE && r->parts > 0 && counter_log_state(r->counts).rows == 0)
        recorder_say(r, true, "%s: none of its readings is of the trace", r->o->counts_file);
    counter_log_free(r->counts);
    r->counts = NULL;
}

/* Says once that they cannot be had, and once that they can again. */
static void say_state(struct recorder *r)
{
    struct counter_log_state s = counter_log_state(r->counts);
    bool wrong = s.error.code != ERROR_NONE;
    if (wrong != r->counts_wrong)
        recorder_say(r, wrong, "counters of devices: %s", wrong ? s.error.message : "they are kept again");
    r->counts_wrong = wrong;
}

/* Where the part begins, as far as it is known. */
static uint64_t begin_of(const struct recorder *r)
{
    return r->link.moment_tsc           ? r->link.moment_tsc
           : r->stream_clock.cpu_hz > 0 ? r->stream_clock.tsc_first
                                        : 0;
}

void recorder_counts_take(struct recorder *r, bool first, struct buffer *lines)
{
    uint64_t until_tsc = UINT64_MAX;
    if (!r->counts)
        return;
    if (first)
        r->counts_await = true;
    if (r->counts_await)
        counter_log_begin(r->counts, begin_of(r));
    if (begin_of(r))
        r->counts_await = false;
    if (r->o->counts == COUNTS_FILE)
        until_tsc = r->newest_tsc + (uint64_t)(BEYOND_S * r->trace_clock.cpu_hz);
    say_state(r);
    if (wall_clock_by_stream(r->clock) && r->o->counts == COUNTS_AUTO) {
        if (!r->counts_foreign)
            recorder_say(
                r, true,
                "no counters of devices are kept: the time stamp counter of this domain is not the trace's");
        r->counts_foreign = true;
        return;
    }
    counter_log_take(r->counts, until_tsc, lines);
}
