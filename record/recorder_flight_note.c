/* What a dump of the flight recorder is of, as its note has it. */
#include "formats/time_text.h"
#include "record/recorder_flight.h"

#define SCHEMA "xenmeter.flight/1"

static const char *const ends[] = {
    [FLIGHT_AFTER] = "after", [FLIGHT_AT_SIZE] = "size", [FLIGHT_AT_TRACE_END] = "trace_end"};

static json_t *whole(uint64_t n)
{
    return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

/* {"tsc": N, "utc": "2026-11-29T07:12:33.000000000Z"}; null where the time of day is not known. */
static json_t *moment(const struct recorder *r, uint64_t tsc)
{
    int64_t utc_ns;
    char text[TIME_TEXT];
    bool known = recorder_utc_of(r, tsc, &utc_ns);
    if (known)
        text[time_text(text, utc_ns, false)] = '\0';
    return json_pack("{so so}", "tsc", whole(tsc), "utc", known ? json_string(text) : json_null());
}

static const char *unit_of(const struct condition *rule)
{
    switch (comparable_unit(rule->of)) {
    case UNIT_NS:
        return "ns";
    case UNIT_PERCENT:
        return "%";
    case UNIT_PER_SECOND:
        return "/s";
    default:
        return "";
    }
}

/* Of whom a rule held. A name that is no UTF-8 is null. */
static void put_domain(json_t *o, const struct flight_finding *f)
{
    if (f->domain < 0)
        return;
    json_t *name = *f->name ? json_string(f->name) : NULL;
    json_object_set_new(o, "domain", json_integer(f->domain));
    json_object_set_new(o, "life", json_integer(f->life));
    json_object_set_new(o, "name", name ? name : json_null());
    json_object_set_new(o, "unknown_ns", whole(f->unknown_ns));
    json_object_set_new(o, "doubtful_ns", whole(f->doubtful_ns));
}

static json_t *reason(const struct recorder *r)
{
    const struct flight_trigger *t = &r->flight->trigger;
    const struct flight_finding *f = &t->finding;
    json_t *o = json_object();
    json_object_set_new(o, "rule", f->rule ? json_string(f->rule->text) : json_null());
    json_object_set_new(o, "signal", f->rule ? json_null() : json_string("SIGUSR1"));
    if (f->rule) {
        json_object_set_new(o, "column", json_string(f->rule->of->name));
        json_object_set_new(o, "value", json_real(f->value));
        json_object_set_new(o, "limit", json_real(f->rule->limit));
        json_object_set_new(o, "unit", json_string(unit_of(f->rule)));
        put_domain(o, f);
        json_object_set_new(o, "interval_start", moment(r, t->start_tsc));
    }
    json_object_set_new(o, "moment", moment(r, t->tsc));
    return o;
}

json_t *recorder_flight_note(const struct recorder *r)
{
    const struct recorder_flight *f = r->flight;
    json_t *o = json_object();
    json_object_set_new(o, "schema", json_string(SCHEMA));
    json_object_set_new(o, "host", json_string(r->o->host));
    json_object_set_new(o, "boot_id", json_string(r->boot_id));
    json_object_set_new(o, "tool", json_string(r->o->tool));
    json_object_set_new(o, "why", reason(r));
    /* all pCPUs have their records from `from` to `to` */
    json_object_set_new(o, "from", moment(r, f->from.tsc));
    json_object_set_new(o, "to", moment(r, f->to.tsc));
    json_object_set_new(o, "duration_ns", whole(recorder_flight_ns(r)));
    json_object_set_new(o, "bytes", whole(f->to.at - f->from.at));
    json_object_set_new(o, "trace_offset", whole(f->from.at));
    json_object_set_new(o, "begins_by", json_string(flight_bound_names[f->bound]));
    json_object_set_new(o, "ends_by", json_string(ends[f->end]));
    json_object_set_new(o, "cpu_hz", json_real(r->stream_clock.cpu_hz));
    json_object_set_new(o, "passed_over", whole(f->passed_over));
    return o;
}
