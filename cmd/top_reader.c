#include "top_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/io_clock.h"
#include "metrics/min_max.h"
#include "nothing.h"
#include "parser/thread.h"

#define ROWS_MEMBER    1 /* of the pipeline; delays, whose seconds are to be there before, are member 0 */
#define TOUCH_EVERY_NS 50000000u
#define RESULTS_NS     (60 * (uint64_t)SECOND_NS)
#define PENDING_MOST   3 /* seconds that later ones overtake: what they still lack does not come */

struct pending_second {
    struct second *second;
    struct pending_second *next;
};

/* ---- seconds on their way ---- */

/* The second that begins there; NULL: it was added already, or there is no memory. */
static struct second *second_of(struct top_reader *r, uint64_t start_ns, uint64_t end_ns)
{
    struct pending_second **at = &r->pending;
    if (start_ns < r->added_ns)
        return NULL;
    while (*at && (*at)->second->start_ns < start_ns)
        at = &(*at)->next;
    if (*at && (*at)->second->start_ns == start_ns) {
        (*at)->second->end_ns = min64((*at)->second->end_ns, end_ns);
        return (*at)->second;
    }
    struct pending_second *p = malloc(sizeof *p);
    struct second *s = second_new(start_ns, end_ns);
    if (!p || !s) {
        r->no_memory = true;
        free(p);
        second_free(s);
        return NULL;
    }
    s->watched = history_watched(r->history);
    *p = (struct pending_second){.second = s, .next = *at};
    *at = p;
    return s;
}

/* What is known of the trace up to the end of this second. False: no memory. */
static bool judge(struct top_reader *r, struct second *s)
{
    struct summary *summary = calloc(1, sizeof *summary);
    uint64_t of_ns = s->end_ns;
    if (!summary)
        return false;
    if (r->run.trace) {
        const struct meter *meter = pipeline_meter(r->run.pipeline, ROWS_MEMBER);
        trace_run_describe(&r->run, summary);
        of_ns = max64(pipeline_pass(r->run.pipeline)->settled_ns, r->read_ns);
        summary->quality.vcpu_ns = meter_vcpu_ns(meter);
        summary->quality.unknown_ns = meter_unknown_ns(meter);
        summary->quality.doubtful_ns = meter_doubtful_ns(meter);
        summary->quality.truncated_bytes = 0;                       /* it goes on */
        summary->quality.lost_records = r->lost += s->lost_records; /* not those that were read ahead */
        s->counted = true;
        s->records = summary->quality.records - r->records;
        r->records = summary->quality.records;
    } else {
        *summary = r->run.archived.summary;
        summary->quality.vcpu_ns = r->run.archived.vcpu_ns;
    }
    const struct clock *clock = &summary->clock;
    s->has_utc =
        host_facts_utc(&r->run.host.facts, clock->cpu_hz, clock_tsc(clock, s->end_ns), &s->utc_ns, NULL);
    verdict_judge(&s->judgement, &summary->quality, &summary->clock, of_ns, summary->trace.pcpus,
                  summary->trace.has_runstates);
    free(summary);
    return true;
}

/* Adds the first one. -1: the reader is to end. */
static int add_first(struct top_reader *r)
{
    struct pending_second *p = r->pending;
    struct second *s = p->second;
    r->pending = p->next;
    free(p);
    r->added_ns = s->end_ns;
    if (!judge(r, s) || !second_settle(s)) {
        second_free(s);
        r->no_memory = true;
        return -1;
    }
    history_add(r->history, s);
    if (r->paced)
        history_wait(r->history, r->lead_ns, &r->stop);
    return r->stop ? -1 : 0;
}

/* The seconds that have rows. */
static size_t count_rows(const struct pending_second *p)
{
    size_t n = 0;
    for (; p; p = p->next)
        n += (p->second->parts & PART_DOMAINS) != 0;
    return n;
}

static int add_complete(struct top_reader *r)
{
    while (r->pending) {
        unsigned parts = r->pending->second->parts & r->parts;
        if (parts != r->parts && (r->run.archived.from_results || count_rows(r->pending) <= PENDING_MOST))
            return 0;
        if (add_first(r) != 0)
            return -1;
    }
    return 0;
}

/* The source has ended: what came of the last seconds is all there is. */
static void add_rest(struct top_reader *r)
{
    while (r->pending && r->pending->second->parts & PART_DOMAINS && add_first(r) == 0)
        continue;
}

static void drop_pending(struct top_reader *r)
{
    while (r->pending) {
        struct pending_second *p = r->pending;
        r->pending = p->next;
        second_free(p->second);
        free(p);
    }
}

/* ---- what the meters hand out ---- */

static int taken(struct top_reader *r, bool fine)
{
    r->no_memory |= !fine;
    if (r->no_memory || r->stop)
        return -1;
    return r->run.archived.from_results ? add_complete(r) : 0;
}

/* Now the quality of the trace is known up to the same moment as its rows. */
static int take_settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct top_reader *r = context;
    (void)pass;
    (void)settled_ns;
    (void)err;
    return r->no_memory ? -1 : add_complete(r);
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct top_reader *r = context;
    struct second *s = second_of(r, interval->start_ns, interval->end_ns);
    return taken(r, !s || second_take_rows(s, interval->by, rows, n));
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct top_reader *r = context;
    struct second *s = second_of(r, interval->start_ns, interval->end_ns);
    return taken(r, !s || second_take_charges(s, idds, n));
}

static int take_delays(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    struct top_reader *r = context;
    struct second *s = second_of(r, interval->start_ns, interval->end_ns);
    return taken(r, !s || second_take_delays(s, delays, n));
}

static int take_execution(void *context, const struct execution *e)
{
    struct top_reader *r = context;
    uint64_t start_ns = (e->end_ns > e->start_ns ? e->end_ns - 1 : e->end_ns) / SECOND_NS * SECOND_NS;
    struct second *s = second_of(r, start_ns, start_ns + SECOND_NS);
    r->no_memory |= s && !second_take_execution(s, e);
    return r->no_memory || r->stop ? -1 : 0;
}

/* Counts lost records where their loss ended; in the next second where that one is over. */
static void count_lost(struct top_reader *r, const struct event *e, const struct clock *clock)
{
    uint64_t start_ns = clock_ns(clock, e->tsc) / SECOND_NS * SECOND_NS;
    if (start_ns < r->added_ns)
        start_ns = r->added_ns;
    struct second *s = second_of(r, start_ns, start_ns + SECOND_NS);
    if (s)
        s->lost_records += e->w[0];
}

static int take_batch(void *context, const struct pass *pass, const struct event_batch *batch,
                      struct error *err)
{
    struct top_reader *r = context;
    uint64_t now_ns = batch->n > 0 ? io_clock_ns() : 0;
    (void)err;
    if (batch->n > 0)
        r->read_ns = clock_ns(pass->clock, batch->events[batch->n - 1].tsc);
    for (size_t i = 0; i < batch->n; i++)
        if (batch->events[i].slot == EVENT_BLIND_END)
            count_lost(r, &batch->events[i], pass->clock);
    if (now_ns > r->touched_ns + TOUCH_EVERY_NS) {
        r->touched_ns = now_ns;
        history_touch(r->history);
    }
    return 0;
}

/* ---- the work ---- */

static int choose(struct top_reader *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    struct counters *counters = NULL;
    bool trace = !a->archive || archived_trace_kept(a);
    r->options.from_ns = r->from_ns;
    r->options.to_ns = 0;
    r->meter =
        (struct meter_options){.bys = 1u << BY_DOMAIN | 1u << BY_VCPU | 1u << BY_PCPU,
                               .granularities_ns = {SECOND_NS},
                               .granularities = 1,
                               .executions = trace,
                               .from_ns = r->from_ns,
                               .no_percentiles = 0,
                               .sink = {r, take_interval, trace ? take_execution : NULL, take_charges, NULL}};
    r->parts = PART_DOMAINS | PART_VCPUS | PART_PCPUS | PART_CHARGES | (trace ? PART_DELAYS : 0);
    int status = a->archive ? archived_charge_options(a, &r->meter.charge, &counters, err)
                            : charge_options_of(&r->options, NULL, &r->meter.charge, err);
    counters_free(counters); /* a screen is about the trace alone */
    r->meter.charge.counters = NULL;
    r->meter.charge.wanted = true;
    if (status == 0 && a->archive)
        status = archived_choose(a, &r->meter, trace, err);
    return status;
}

static int add_consumers(struct top_reader *r, struct error *err)
{
    const struct delay_options delays = {.granularities_ns = {SECOND_NS},
                                         .granularities = 1,
                                         .from_ns = r->from_ns,
                                         .context = r,
                                         .rows = take_delays};
    r->consumer = (struct consumer){.context = r,
                                    .rows = &r->meter,
                                    .from_ns = r->from_ns,
                                    .batch = take_batch,
                                    .settled = take_settled,
                                    .asks_quality = true};
    if (!(r->delays = delays_new(&delays)))
        return error_no_memory(err, "the delays");
    const struct consumer blame = delays_consumer(r->delays);
    return trace_run_add(&r->run, &blame, err) == 0 && trace_run_add(&r->run, &r->consumer, err) == 0 ? 0
                                                                                                      : -1;
}

static int read_trace(struct top_reader *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    r->run.feed = r->feed;
    r->run.stop = &r->stop;
    r->run.wait_mask = &r->wait_mask;
    r->run.control.stop_at_once = true;
    if (add_consumers(r, err) != 0 || trace_run_open(&r->run, false, NULL, err) != 0)
        return -1;
    if (a->archive && archived_enter(a, r->run.pipeline, NULL, err) != 0)
        return -1;
    history_set_state(r->history, SOURCE_READING, NULL);
    if (trace_run_go(&r->run, WHEN_NEVER, err) != 0)
        return -1;
    add_rest(r);
    if (r->added_ns == 0 && !r->stop) {
        struct quality *q = calloc(1, sizeof *q);
        if (!q)
            return error_no_memory(err, "the trace");
        pipeline_quality(r->run.pipeline, r->run.trace, q);
        nothing_to_report(&r->run, q, err);
        free(q);
        return -1;
    }
    return 0;
}

/* Results are kept by kind of row: a minute of all kinds at a time. */
static int read_results(struct top_reader *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    uint64_t from_ns = r->from_ns;
    int status = 0;
    history_set_state(r->history, SOURCE_READING, NULL);
    for (; status == 0 && !r->stop && from_ns < a->summary.end_ns; from_ns += RESULTS_NS) {
        r->options.from_ns = r->meter.from_ns = from_ns;
        r->options.to_ns = r->meter.to_ns = min64(from_ns + RESULTS_NS, a->summary.end_ns);
        status = archived_choose(a, &r->meter, false, err);
        if (status == 0)
            status = archived_replay(a, &r->meter, err);
        if (status == 0)
            add_rest(r);
    }
    return status;
}

static void *read_source(void *context)
{
    struct top_reader *r = context;
    struct error err = {0};
    int status = choose(r, &err);
    if (status == 0)
        status = r->run.archived.from_results ? read_results(r, &err) : read_trace(r, &err);
    if (r->no_memory)
        error_no_memory(&err, "the seconds of the screen");
    if (status == 0 || r->stop)
        history_set_state(r->history, SOURCE_ENDED, NULL);
    else
        history_set_state(r->history, SOURCE_FAILED,
                          err.code != ERROR_NONE ? err.message : "not enough memory");
    trace_run_end_pass(&r->run);
    delays_free(r->delays);
    r->delays = NULL;
    drop_pending(r);
    r->done = 1;
    return NULL;
}

/* ---- beginning and end ---- */

static void woken(int signal)
{
    (void)signal;
}

void top_reader_install_signal(void)
{
    struct sigaction action = {.sa_handler = woken};
    sigemptyset(&action.sa_mask);
    sigaction(READER_SIGNAL, &action, NULL);
}

bool top_reader_start(struct top_reader *r, uint64_t from_ns)
{
    sigfillset(&r->wait_mask);
    sigdelset(&r->wait_mask, READER_SIGNAL);
    r->stop = r->done = 0;
    r->from_ns = from_ns;
    r->added_ns = r->read_ns = r->lost = r->records = r->touched_ns = 0;
    r->no_memory = false;
    history_set_state(r->history, SOURCE_OPENING, NULL);
    r->started = thread_begin(&r->thread, "reader", read_source, r);
    return r->started;
}

bool top_reader_stop(struct top_reader *r, uint64_t most_ns)
{
    struct timespec until;
    if (!r->started)
        return true;
    r->stop = 1;
    history_wake(r->history);
    pthread_kill(r->thread, READER_SIGNAL);
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + most_ns;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    r->started = pthread_timedjoin_np(r->thread, NULL, &until) != 0;
    return !r->started;
}
