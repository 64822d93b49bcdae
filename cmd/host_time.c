#include "host_time.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/time_text.h"
#include "small_file.h"

#define FACTS_BYTES_MAX ((size_t)1 << 30)

/* ---- reading ---- */

/* It may be a pipe: it is read once. */
static int read_bytes(const char *path, struct buffer *text, struct error *err)
{
    static const struct small_file kind = {.cannot = "cannot read facts about the host",
                                           .too_large = "more than 1 GiB",
                                           .most = FACTS_BYTES_MAX};
    if (small_file_read(path, &kind, text, err) != 0)
        return -1;
    bool blank = true;
    for (size_t i = 0; i < text->n && blank; i++)
        blank = isspace((unsigned char)text->at[i]);
    return blank ? error_set(err, ERROR_FORMAT, "is empty: there are no facts about the host in it") : 0;
}

int host_facts_file(const char *path, struct buffer *text, struct error *err)
{
    struct host_facts facts = {0};
    int status = read_bytes(path, text, err);
    if (status == 0)
        status = host_facts_read(&facts, text->at, text->n, err);
    host_facts_free(&facts);
    return status;
}

static int read_file(struct host_time *t, const char *path, struct error *err)
{
    struct buffer text = {0};
    int status = read_bytes(path, &text, err);
    if (status == 0)
        status = host_facts_read(&t->facts, text.at, text.n, err);
    buffer_free(&text);
    return status;
}

int host_time_read(struct host_time *t, const struct options *o, struct archived *archived, const char **file,
                   struct error *err)
{
    *file = o->host_facts ? o->host_facts : o->input;
    if (o->host_facts)
        return read_file(t, o->host_facts, err);
    return archived ? archived_facts(archived, &t->facts, err) : 0;
}

void host_time_free(struct host_time *t)
{
    host_facts_free(&t->facts);
}

bool host_time_names(const struct host_time *t, struct domain_names **names)
{
    for (size_t i = t->facts.domains_n; i-- > 0;) { /* of each id the last one first */
        const struct fact_domain *d = &t->facts.domains[i];
        if (*d->name && !names_add(names, d->domain, d->name))
            return false;
    }
    return true;
}

const char *host_time_uuid(const void *host_time, int32_t domain, uint32_t life)
{
    const struct host_facts *facts = &((const struct host_time *)host_time)->facts;
    (void)life;
    for (size_t i = facts->domains_n; i-- > 0;)
        if ((int64_t)facts->domains[i].domain == domain && *facts->domains[i].uuid)
            return facts->domains[i].uuid;
    return NULL;
}

/* ---- moments ---- */

static bool utc_of(const void *context, uint64_t ns, int64_t *utc_ns)
{
    const struct host_time *t = context;
    return t->clock && host_facts_utc(&t->facts, t->clock->cpu_hz, clock_tsc(t->clock, ns), utc_ns, NULL);
}

static bool tsc_of(const void *context, uint64_t ns, uint64_t *tsc)
{
    const struct host_time *t = context;
    *tsc = t->clock ? clock_tsc(t->clock, ns) : 0;
    return t->clock != NULL;
}

const struct moments *host_time_moments(struct host_time *t, enum time_format format)
{
    t->moments = (struct moments){.format = format, .context = t, .utc = utc_of, .tsc = tsc_of};
    if (format == TIMES_LOCAL)
        tzset();
    return format == TIMES_RELATIVE ? NULL : &t->moments;
}

/* ---- times of day that are asked for ---- */

#define WHO_KNOWS                                                                                            \
    "no times of day are known of this trace; an archive of \"xenmeter record\" keeps them, and "            \
    "--host-facts FILE gives them"

int host_time_check(const struct host_time *t, const struct options *o, struct error *err)
{
    bool shown = o->time_format == TIMES_LOCAL || o->time_format == TIMES_UTC;
    if (t->facts.clocks_n > 0 || (!shown && !clock_span_given(&o->span)))
        return 0;
    if (strcmp(o->input, "-") != 0 && access(o->input, R_OK) != 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    return shown ? error_set(err, ERROR_USAGE, "--time-format: " WHO_KNOWS)
                 : error_set(err, ERROR_USAGE, "%s %.60s: " WHO_KNOWS, clock_span_option(&o->span),
                             o->span.text);
}

/* The clock of a file, which is read up to its first records. */
static int clock_of_file(const struct options *o, struct clock *clock, struct error *err)
{
    const struct trace_options options = {.cpu_hz = o->cpu_hz, .memory_limit = o->max_memory};
    struct event_batch batch;
    if (strcmp(o->input, "-") == 0)
        return error_set(err, ERROR_USAGE,
                         "%s %.60s: of standard input times of day cannot be chosen; give a file",
                         clock_span_option(&o->span), o->span.text);
    struct trace *trace = trace_open(o->input, &options, err);
    int status = trace ? trace_next(trace, &batch, err) : -1;
    if (status >= 0)
        *clock = *trace_clock(trace);
    trace_close(trace);
    return status < 0 ? -1 : 0;
}

static int find_clock(const struct archived *archived, const struct options *o, struct clock *clock,
                      struct error *err)
{
    if (!archived)
        return clock_of_file(o, clock, err);
    *clock = archived->summary.clock;
    if (o->cpu_hz > 0)
        clock_set(clock, clock->tsc_first, o->cpu_hz);
    return 0;
}

/* ns from the trace's start of a time of day; 0 before it. */
static int ns_of(const struct host_time *t, const struct clock *clock, const struct options *o,
                 int64_t utc_ns, uint64_t *ns, struct error *err)
{
    uint64_t tsc;
    if (!host_facts_tsc(&t->facts, clock->cpu_hz, utc_ns, &tsc))
        return error_set(err, ERROR_USAGE, "%s %.60s: too far from this trace", clock_span_option(&o->span),
                         o->span.text);
    *ns = clock_ns(clock, tsc);
    return 0;
}

static int before_begin(const struct options *o, int64_t begin_utc_ns, struct error *err)
{
    char begin[TIME_TEXT];
    time_text(begin, begin_utc_ns, o->time_format == TIMES_LOCAL);
    return error_set(err, ERROR_USAGE, "%s %.60s ends before the trace begins, at %s",
                     clock_span_option(&o->span), o->span.text, begin);
}

int host_time_span(const struct host_time *t, const struct archived *archived, struct options *o,
                   struct error *err)
{
    struct clock clock = {.tsc_first = 0};
    int64_t begin_ns = 0, from_ns = 0, to_ns = 0;
    const struct clock_span *s = &o->span;
    if (!clock_span_given(s))
        return 0;
    if (find_clock(archived, o, &clock, err) != 0)
        return -1;
    if (!host_facts_utc(&t->facts, clock.cpu_hz, clock.tsc_first, &begin_ns, NULL))
        return error_set(err, ERROR_USAGE, "%s %.60s: " WHO_KNOWS, clock_span_option(s), s->text);
    tzset();
    if (clock_span_resolve(s, o->time_format == TIMES_UTC, begin_ns, &from_ns, &to_ns, err) != 0 ||
        (s->from.given && ns_of(t, &clock, o, from_ns, &o->from_ns, err) != 0) ||
        (s->to.given && ns_of(t, &clock, o, to_ns, &o->to_ns, err) != 0))
        return -1;
    if (s->to.given && o->to_ns == 0)
        return before_begin(o, begin_ns, err);
    return o->to_ns && o->to_ns <= o->from_ns
               ? error_set(err, ERROR_USAGE, "%s %.60s: nothing of the trace lies between",
                           clock_span_option(s), s->text)
               : 0;
}
