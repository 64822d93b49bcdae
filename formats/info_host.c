/* What `xenmeter info` shows of the host. */
#include <inttypes.h>
#include <jansson.h>

#include "formats/info.h"
#include "formats/json_text.h"
#include "formats/safe_text.h"
#include "formats/time_text.h"
#include "metrics/human.h"

#define NAME_BYTES  256
#define SPANS_SHOWN 8

/* ---- the table ---- */

static void put_time(struct buffer *text, const struct info *info, int64_t utc_ns)
{
    char time[TIME_TEXT];
    time_text(time, utc_ns, info->local);
    buffer_text(text, utc_ns ? time : "?");
}

static void put_boot(struct buffer *text, const struct info_host *h)
{
    char safe[NAME_BYTES];
    buffer_printf(text, "%-12s %s", "host", *h->host ? safe_text(safe, sizeof safe, h->host) : "-");
    if (*h->xen)
        buffer_printf(text, ", Xen %s", safe_text(safe, sizeof safe, h->xen));
    if (h->pcpus)
        buffer_printf(text, ", %" PRIu32 " pCPUs", h->pcpus);
    if (*h->boot_id)
        buffer_printf(text, ", boot %s", safe_text(safe, sizeof safe, h->boot_id));
    buffer_text(text, "\n");
}

static void put_span(struct buffer *text, const struct info *info)
{
    const struct info_host *h = info->host;
    char error[HUMAN_BYTES];
    if (!h->timed)
        return;
    buffer_printf(text, "%-12s ", "time");
    put_time(text, info, h->from_utc_ns);
    buffer_text(text, " to ");
    put_time(text, info, h->to_utc_ns);
    buffer_printf(text, ", +-%s\n", human_duration(error, h->error_ns));
}

static void put_spans(struct buffer *text, const struct info *info, const char *what,
                      const struct info_span *spans, size_t n)
{
    char safe[NAME_BYTES];
    for (size_t i = 0; i < n && i < SPANS_SHOWN; i++) {
        buffer_printf(text, "%-12s ", i ? "" : what);
        put_time(text, info, spans[i].from_utc_ns);
        buffer_text(text, " to ");
        if (spans[i].to_utc_ns)
            put_time(text, info, spans[i].to_utc_ns);
        else
            buffer_text(text, "the end");
        if (spans[i].mask)
            buffer_printf(text, ", events 0x%08" PRIx32, spans[i].mask);
        if (*spans[i].why)
            buffer_printf(text, ": %s", safe_text(safe, sizeof safe, spans[i].why));
        buffer_text(text, "\n");
    }
    if (n > SPANS_SHOWN)
        buffer_printf(text, "%-12s and %zu more\n", "", n - SPANS_SHOWN);
}

static void put_recorder(struct buffer *text, const struct info_host *h)
{
    char cpu[HUMAN_BYTES], memory[HUMAN_BYTES], trace[HUMAN_BYTES], count[HUMAN_BYTES], stalled[HUMAN_BYTES];
    if (!h->recorded)
        return;
    buffer_printf(text, "%-12s %s of CPU, %s of memory for %s of trace; %s records lost; stalled for %s",
                  "recording", human_duration(cpu, h->cpu_ns), human_bytes(memory, h->rss_bytes),
                  human_bytes(trace, h->trace_bytes), human_count(count, h->lost_records),
                  human_duration(stalled, h->stalled_ns));
    if (h->restarts)
        buffer_printf(text, "; xentrace began anew %" PRIu32 " time%s", h->restarts,
                      h->restarts == 1 ? "" : "s");
    buffer_text(text, "\n");
}

void info_put_host(struct buffer *text, const struct info *info)
{
    const struct info_host *h = info->host;
    if (!h)
        return;
    put_boot(text, h);
    put_span(text, info);
    put_spans(text, info, "gaps", h->gaps, h->gaps_n);
    put_spans(text, info, "reduced", h->reduced, h->reduced_n);
    put_recorder(text, h);
}

/* ---- JSON ---- */

static json_t *of_number(uint64_t n)
{
    return n <= INT64_MAX ? json_integer((json_int_t)n) : json_null();
}

static json_t *of_known(uint64_t n)
{
    return n ? of_number(n) : json_null();
}

static json_t *of_text(const char *s)
{
    return json_of_text(*s ? s : NULL);
}

static json_t *of_time(const struct info *info, int64_t utc_ns)
{
    char time[TIME_TEXT];
    time_text(time, utc_ns, info->local);
    return utc_ns ? json_string(time) : json_null();
}

static json_t *of_spans(const struct info *info, const struct info_span *spans, size_t n, bool masked)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *span = json_object();
        json_put(&span, "start_time", of_time(info, spans[i].from_utc_ns));
        json_put(&span, "end_time", of_time(info, spans[i].to_utc_ns));
        if (masked)
            json_put(&span, "mask", json_integer(spans[i].mask));
        json_put(&span, "why", of_text(spans[i].why));
        json_append(&list, span);
    }
    return list;
}

static json_t *of_recorder(const struct info_host *h)
{
    if (!h->recorded)
        return json_null();
    json_t *o = json_object();
    json_put(&o, "cpu_ns", of_number(h->cpu_ns));
    json_put(&o, "rss_bytes", of_number(h->rss_bytes));
    json_put(&o, "trace_bytes", of_number(h->trace_bytes));
    json_put(&o, "lost_records", of_number(h->lost_records));
    json_put(&o, "stalled_ns", of_number(h->stalled_ns));
    json_put(&o, "restarts", of_number(h->restarts));
    return o;
}

json_t *info_json_host(const struct info *info)
{
    const struct info_host *h = info->host;
    if (!h)
        return json_null();
    json_t *o = json_object();
    json_put(&o, "host", of_text(h->host));
    json_put(&o, "boot_id", of_text(h->boot_id));
    json_put(&o, "xen", of_text(h->xen));
    json_put(&o, "pcpus", of_known(h->pcpus));
    json_put(&o, "start_time", h->timed ? of_time(info, h->from_utc_ns) : json_null());
    json_put(&o, "end_time", h->timed ? of_time(info, h->to_utc_ns) : json_null());
    json_put(&o, "error_ns", h->timed ? of_number(h->error_ns) : json_null());
    json_put(&o, "gaps", of_spans(info, h->gaps, h->gaps_n, false));
    json_put(&o, "reduced", of_spans(info, h->reduced, h->reduced_n, true));
    json_put(&o, "recorder", of_recorder(h));
    return o;
}
