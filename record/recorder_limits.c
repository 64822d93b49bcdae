/* What recording itself may take: where it takes more of a CPU, less is recorded, in steps. */
#include "recorder_state.h"

#include <inttypes.h>
#include <stdio.h>

#include "host/io_clock.h"

#define MEASURED_NS 5000000000u /* CPU time is measured over so long; */
#define TOO_MUCH    2           /* so many times in a row it is too much before less is recorded */
#define PPM         1000000.0

/* From now on the events of this purpose are recorded: xentrace is started again for them. */
static void record_for(struct recorder *r, enum tracer_purpose purpose, const char *why)
{
    r->purpose = purpose;
    r->reduced = (struct fact_reduced){
        .tsc = r->newest_tsc, .utc_ns = recorder_utc_now(r), .mask = tracer_mask(purpose)};
    snprintf(r->reduced.why, sizeof r->reduced.why, "%s", why);
    fact_put(&r->lines, &(struct fact){.kind = FACT_REDUCED, .reduced = r->reduced});
    if (!*why)
        r->reduced.mask = 0; /* all that was asked for */
    tracer_set_mask(r->tracer, tracer_mask(purpose));
    snprintf(r->interruption, sizeof r->interruption, "xentrace was started again: %.80s",
             *why ? why : "all is recorded again");
    r->changes_mask = true;
    tracer_stop(r->tracer);
}

void recorder_limit_cpu(struct recorder *r)
{
    uint64_t now_ns = io_clock_ns(), cpu_ns = recorder_cpu_ns();
    char why[FACT_NAME];
    if (r->o->max_cpu_ppm == 0 || !r->tracer || r->changes_mask || now_ns < r->measured_at_ns + MEASURED_NS)
        return;
    double ppm = (double)(cpu_ns - r->measured_cpu_ns) / (double)(now_ns - r->measured_at_ns) * PPM;
    bool first = r->measured_at_ns == 0;
    r->measured_at_ns = now_ns;
    r->measured_cpu_ns = cpu_ns;
    r->too_much = !first && ppm > r->o->max_cpu_ppm ? r->too_much + 1 : 0;
    if (r->too_much < TOO_MUCH)
        return;
    r->too_much = 0;
    enum tracer_purpose less = tracer_narrower(r->purpose);
    snprintf(why, sizeof why, "recording took %.2f %% of a CPU, of %.2f %% allowed", ppm / 1e4,
             r->o->max_cpu_ppm / 1e4);
    if (less == r->purpose) {
        if (!r->said_least)
            recorder_say(r, true, "%s, and nothing less can be recorded", why);
        r->said_least = true;
        return;
    }
    recorder_say(r, true, "%s: from now on only what \"--for %s\" records", why, tracer_purpose_name(less));
    record_for(r, less, why);
}

void recorder_unlimit(struct recorder *r)
{
    if (!r->tracer || r->purpose == r->o->purpose)
        return;
    r->said_least = false;
    record_for(r, r->o->purpose, "");
}
