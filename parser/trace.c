#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "parser/decode/old_numbers.h"
#include "parser/decode/record_actions.h"
#include "parser/decode/window.h"
#include "trace_state.h"

#define CLOCK_ERROR_PPM    35.0        /* the clock is known well enough to begin */
#define CLOCK_BYTES        (16u << 20) /* read at most, to measure the clock */
#define CHECK_SWEEPS       16          /* one sweep of so many checks the clock later, */
#define CHECK_FIRST_SWEEPS 8           /* and so many or more at first check one that is not measured */
#define CLOCK_POOR_PPM     3333.0      /* not sure to 1 %: the host's own measure is better */
#define RUNSTATES_ENOUGH   16          /* changes a pCPU: siblings would have shown by then */
#define MISSED_ENOUGH      256         /* the same, where switches are missing */
#define SIBLINGS_ENOUGH    4096 /* changes a pCPU: who its siblings are will not be known later, either */
#define SWITCHES_ENOUGH    16   /* a pCPU, and no runstate change: the mask left these out */
#define MEMORY_DEFAULT     (1ull << 30)

struct trace *trace_open(const char *path, const struct trace_options *options, struct error *err)
{
    struct trace *t = calloc(1, sizeof *t);
    bool marks = options->interest.tasks;
    if (t && marks)
        t->marks = malloc(PCPUS_MAX * sizeof *t->marks);
    if (t)
        t->batch = malloc(TRACE_BATCH_ROOM * sizeof *t->batch);
    if (!t || !t->batch || !(t->file = strdup(path)) || !clock_probe_init(&t->probe) ||
        (marks && !t->marks)) {
        trace_close(t);
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    t->options = *options;
    struct event_interest widened = options->interest;
    t->renames = old_numbers_widen(&widened);
    t->widened = memcmp(&widened, &options->interest, sizeof widened) != 0;
    t->input = options->feed ? input_open_feed(options->feed, err) : input_open(path, err);
    if (!t->input || decoder_init(&t->decoder, t->input, &t->quality, &widened, err) != 0) {
        trace_close(t);
        return NULL;
    }
    if (!order_init(&t->order, &t->decoder)) {
        trace_close(t);
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    if (options->tap) {
        t->tap = *options->tap;
        input_tap(t->input, &t->tap);
    }
    if (options->resume) {
        t->resume = *options->resume;
        t->decoder.pasts = t->resume.pasts;
        t->decoder.pasts_n = t->resume.pasts_n;
    }
    decoder_measure_clock(&t->decoder, !options->resume && !options->cycles);
    input_stop_on(t->input, options->stop, options->wait_mask);
    uint64_t memory = options->memory_limit ? options->memory_limit : MEMORY_DEFAULT;
    /* Half for events in streams whose capacity doubles as they grow. */
    t->limit_events = (size_t)(memory / 2 / sizeof(struct event));
    if (options->ahead && !(options->tap && options->tap->sweep) && !(t->ahead = ahead_new(t))) {
        trace_close(t);
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    return t;
}

void trace_close(struct trace *t)
{
    if (!t)
        return;
    ahead_free(t->ahead);
    free(t->marks);
    free(t->batch);
    decoder_free(&t->decoder);
    order_free(&t->order);
    clock_probe_free(&t->probe);
    currents_free(&t->currents);
    free(t->named);
    free(t->pasts);
    input_close(t->input);
    free(t->file);
    free(t);
}

static bool has_runstates(const struct trace *t)
{
    return t->options.resume || decoder_has_runstates(&t->decoder);
}

/* The frequency: as given, as measured if that is any good, as the host has it; else it is not known. */
static void choose_frequency(struct trace *t)
{
    struct clock *c = &t->clock;
    c->host_hz = t->options.host_hz;
    c->host_error_ppm = t->options.host_error_ppm;
    if (t->options.cpu_hz > 0) {
        c->cpu_hz = t->options.cpu_hz;
        return;
    }
    bool sure = clock_probe_estimate(&t->probe, c) && c->error_ppm <= CLOCK_POOR_PPM;
    if (!sure && c->host_hz > 0) {
        c->cpu_hz = c->host_hz;
        c->error_ppm = c->host_error_ppm;
        c->spread_ppm = 0;
        c->pairs = 0;
        c->measured = false;
        c->by_host = true;
    }
}

/* Fixes the start and the frequency: from here on cycles have a meaning in ns. 0, or -1: no memory. */
static int set_clock(struct trace *t, struct error *err)
{
    struct clock *c = &t->clock;
    uint64_t first = t->order.tsc_first == UINT64_MAX ? 0 : t->order.tsc_first;
    if (!t->options.cycles)
        choose_frequency(t);
    clock_set(c, first, c->cpu_hz);
    if (t->options.resume)
        *c = t->resume.clock;
    if (c->cpu_hz > 0 && order_use_clock(&t->order, c) != 0)
        return error_no_memory(err, "the order of events");
    bool goes_on = t->options.cpu_hz > 0 && t->decoder.measures_clock;
    decoder_measure_clock(&t->decoder, goes_on);
    decoder_want_without_runstates(&t->decoder, !has_runstates(t));
    decoder_name_siblings(&t->decoder, t->decoder.cores.largest > 0);
    if (!goes_on)
        clock_probe_restart(&t->probe);
    return 0;
}

static bool switches_seen(const struct trace *t)
{
    return t->options.resume ||
           decoder_runstates(&t->decoder) >= (uint64_t)RUNSTATES_ENOUGH * t->decoder.pcpus_n;
}

/* Up to where all events are queued. */
static uint64_t complete_upto(const struct trace *t)
{
    const struct order *o = &t->order;
    return o->watermark < o->model_end ? o->watermark : o->model_end;
}

/* Which pCPUs are scheduled together. Each look at all that was read comes after twice as many sweeps as the last one. */
static bool siblings_known(struct trace *t)
{
    struct decoder *d = &t->decoder;
    bool may_grow = decoder_cores_may_grow(d), may_show = decoder_cores_may_show(d);
    if ((may_grow || may_show) && (d->sweep & (d->sweep - 1)) == 0) {
        decoder_search_cores(d, complete_upto(t));
        may_grow = decoder_cores_may_grow(d);
    }
    if (may_show && decoder_runstates(d) < (uint64_t)MISSED_ENOUGH * d->pcpus_n)
        return false;
    bool due = !cores_shown(&d->cores) || decoder_siblings_due(d);
    return (due && !cores_unsettled(&d->cores) && !may_grow) ||
           decoder_runstates(d) >= (uint64_t)SIBLINGS_ENOUGH * d->pcpus_n;
}

static bool clock_is_known(struct trace *t)
{
    struct clock_probe *p = &t->probe;
    if (!t->decoder.measures_clock || t->options.cpu_hz > 0 || clock_probe_is_full(p))
        return true;
    if (!clock_probe_has_more(p))
        return false;
    struct clock guess = {0};
    return clock_probe_estimate(p, &guess) && guess.error_ppm <= CLOCK_ERROR_PPM;
}

/* Enough was read to begin: when the trace begins and the clock are known, and whether the trace holds runstate changes. */
static bool well_known(struct trace *t)
{
    if (!order_beginning_is_known(&t->order))
        return false;
    if (has_runstates(t) && (!switches_seen(t) || !siblings_known(t)))
        return false;
    if (!clock_is_known(t))
        return false;
    if (t->options.cpu_hz <= 0) /* the clock is the same for those who wait for more */
        decoder_measure_clock(&t->decoder, false);
    return !t->decoder.model || has_runstates(t) ||
           decoder_switches(&t->decoder) >= (uint64_t)SWITCHES_ENOUGH * t->decoder.pcpus_n;
}

/* The events that were decoded of a window, perhaps all of it: the clock and the order look at them. */
static void take_window(struct trace *t, bool ended)
{
    struct stream *s = t->decoder.current;
    size_t n = s->n;
    if (t->decoder.measures_clock)
        clock_probe_take(&t->probe, s);
    if (t->phase == PHASE_CLOCK && t->decoder.without_runstates && has_runstates(t))
        decoder_want_without_runstates(&t->decoder, false);
    t->decoder.queued -= n - s->n;
    order_window(&t->order, s, ended);
}

/*
 * Some later sweeps check the clock; not all, as that takes time. A clock that is not measured is checked by all sweeps until
 * they say enough: those of a quiet host say little, each.
 */
static void check_clock(struct trace *t)
{
    struct decoder *d = &t->decoder;
    bool checked = t->clock.check_pairs > 0 || clock_probe_is_full(&t->probe);
    bool first = !t->clock.measured && (d->sweep <= CHECK_FIRST_SWEEPS || (!checked && decoder_has_runs(d)));
    bool measure = d->sweep % CHECK_SWEEPS == 0 || first;
    if (t->phase == PHASE_CLOCK || !(t->clock.cpu_hz > 0) || t->options.resume ||
        measure == d->measures_clock)
        return;
    if (clock_probe_is_full(&t->probe)) {
        clock_probe_check(&t->probe, &t->clock);
        clock_probe_restart(&t->probe);
    } else {
        clock_probe_break(&t->probe);
    }
    decoder_measure_clock(d, measure);
}

static void check_at_end(struct trace *t)
{
    if (t->clock.cpu_hz > 0 && !t->options.resume)
        clock_probe_check(&t->probe, &t->clock);
}

/* The tap gets the beginning of a sweep. False: no memory. */
static bool tap_sweep(struct trace *t)
{
    const struct decoder *d = &t->decoder;
    bool whole = decoder_is_whole(d);
    size_t n = whole && d->interest.io ? d->pcpus_n : 0;
    if (n > t->pasts_capacity) {
        struct io_past *pasts = realloc(t->pasts, n * sizeof *pasts);
        if (!pasts)
            return false;
        t->pasts = pasts;
        t->pasts_capacity = n;
    }
    if (n > 0)
        decoder_pasts(d, t->pasts);
    t->tap.sweep(t->tap.context, t->quality.bytes - WINDOW_HEADER_LEN, t->order.tsc_last, whole, t->pasts, n);
    return true;
}

/* A sweep has ended: its successor's first window has begun. */
static int take_sweep(struct trace *t, struct error *err)
{
    if (order_sweep(&t->order) != 0)
        return error_no_memory(err, "the order of events");
    check_clock(t);
    return !t->tap.sweep || tap_sweep(t) ? 0 : error_no_memory(err, "what is known of the pCPUs");
}

/* 1: the events that were read can be delivered, as far as they are in order; 0: read on; -1 with `err` filled. */
static int take_status(struct trace *t, int status, struct error *err)
{
    bool clock = t->phase == PHASE_CLOCK;
    if (status != DECODER_SWEEP && status != DECODER_END)
        take_window(t, status == DECODER_WINDOW);
    switch (status) {
    case DECODER_WINDOW:
        return clock && t->quality.bytes >= CLOCK_BYTES && order_can_deliver(&t->order);
    case DECODER_SWEEP:
        if (take_sweep(t, err) != 0)
            return -1;
        return !clock || well_known(t);
    case DECODER_FULL:
        if (clock)
            return true;
        return error_set_at(err, ERROR_MEMORY, t->quality.bytes,
                            "%zu events wait for the end of a sweep: more than the memory limit allows "
                            "(--max-memory)",
                            t->decoder.queued);
    default:
        if (t->quality.windows == 0)
            return error_set(err, ERROR_FORMAT, "not a xentrace capture: it holds no window");
        if (order_end(&t->order, t->quality.truncated_bytes > 0 || input_cut_short(t->input)) != 0)
            return error_no_memory(err, "the end of the trace");
        if (!clock)
            check_at_end(t);
        return true;
    }
}

/* Up to where the trace goes, for who wants the model's events. */
static uint64_t end_of(const struct trace *t)
{
    const struct order *o = &t->order;
    return t->decoder.model && o->model_end < o->tsc_last ? o->model_end : o->tsc_last;
}

/* How much of the trace's end the model does not get because the input was cut. */
static uint64_t cut_ns(const struct trace *t)
{
    uint64_t last = t->decoder.model ? t->order.used_last : t->order.tsc_last;
    uint64_t last_ns = clock_ns(&t->clock, last), end_ns = clock_ns(&t->clock, end_of(t));
    return last_ns > end_ns ? last_ns - end_ns : 0;
}

static unsigned traits_of(const struct trace *t)
{
    unsigned known = t->options.resume ? t->resume.traits : 0;
    return t->renames || t->decoder.raw ? known | decoder_traits(&t->decoder) : 0;
}

/* Reads on until something can be delivered. */
static int read_on(struct trace *t, struct error *err)
{
    int status, ready;
    do {
        status = decoder_run(&t->decoder, t->limit_events, err);
        ready = status < 0 ? -1 : take_status(t, status, err);
    } while (ready == 0);
    if (ready < 0)
        return -1;
    bool siblings = cores_shown(&t->decoder.cores) || decoder_cores_may_show(&t->decoder);
    if (t->phase == PHASE_CLOCK && siblings &&
        (!decoder_search_cores(&t->decoder, complete_upto(t)) ||
         !decoder_check_cores(&t->decoder, complete_upto(t))))
        return error_no_memory(err, "which pCPUs are scheduled together");
    if (t->phase == PHASE_CLOCK) {
        if (set_clock(t, err) != 0)
            return -1;
        if (status == DECODER_END && t->options.cpu_hz > 0)
            check_at_end(t);
    }
    if (status == DECODER_END)
        t->quality.cut_ns = cut_ns(t);
    if (order_begin(&t->order) != 0)
        return error_no_memory(err, "the order of events");
    t->traits = traits_of(t);
    t->phase = status == DECODER_END ? PHASE_LAST : PHASE_TAKE;
    return 0;
}

/* Takes from the model what it has had already; returns how many events remain. */
static size_t drop_known(struct trace *t, size_t n)
{
    size_t kept = 0, i = 0;
    for (; i < n && t->batch[i].tsc <= t->resume.after_tsc; i++) {
        t->batch[i].flags &= (uint8_t)~EVENT_MODEL;
        if (t->batch[i].flags & EVENT_WANTED)
            t->batch[kept++] = t->batch[i];
    }
    if (kept < i)
        memmove(t->batch + kept, t->batch + i, (n - i) * sizeof *t->batch);
    return n - i + kept;
}

/* Names the current vCPUs of siblings in the batch. -1: no memory. */
static int name_siblings(struct trace *t, size_t *n, struct error *err)
{
    if (!t->named) {
        t->named = malloc(TRACE_NAMED_ROOM * sizeof *t->named);
        if (!t->named || !currents_init(&t->currents, &t->decoder.cores))
            return error_no_memory(err, "the vCPUs of siblings");
    }
    *n = currents_take(&t->currents, t->batch, *n, t->named);
    return 0;
}

/* pCPUs that should have written by now, and did not. */
static unsigned unseen_pcpus(const struct trace *t, bool siblings_due)
{
    const struct decoder *d = &t->decoder;
    unsigned tickled = tickled_unseen(&d->tickled, d->sweep, t->phase == PHASE_LAST);
    unsigned silent = siblings_due ? decoder_silent_siblings(d) : 0;
    return silent > tickled ? silent : tickled;
}

static void describe(struct trace *t, struct event_batch *batch, size_t n, bool more)
{
    struct decoder *d = &t->decoder;
    const struct quality *q = &t->quality;
    bool siblings_due = t->phase == PHASE_LAST || decoder_siblings_due(d);
    decoder_find_partial(d, d->model && !has_runstates(t), siblings_due);
    *batch = (struct event_batch){.events = t->named ? t->named : t->batch,
                                  .n = n,
                                  .pcpus = d->pcpus,
                                  .pcpus_n = d->pcpus_n,
                                  .has_runstates = has_runstates(t),
                                  .unseen_pcpus = unseen_pcpus(t, siblings_due),
                                  .damaged = q->skipped_places || q->tsc_backwards ||
                                             q->tsc_implausible > t->order.lone_doubted,
                                  .first_sweep_cut = t->order.first_sweep_cut,
                                  .marks = t->marks,
                                  .marks_n = t->marks_n,
                                  .cores = d->cores.largest || d->cores.partial_n ? &d->cores : NULL,
                                  .traits = t->traits,
                                  .end_tsc = t->phase == PHASE_LAST ? end_of(t) : 0,
                                  .watermark = t->delivered_tsc,
                                  .more = more};
}

int trace_read(struct trace *t, struct event_batch *batch, struct error *err)
{
    struct order *o = &t->order;
    decoder_drop_marks(&t->decoder);
    t->marks_n = 0;
    if (t->phase == PHASE_DONE)
        return 0;
    if ((t->phase == PHASE_CLOCK || t->phase == PHASE_READ) && read_on(t, err) != 0)
        return -1;
    size_t n = order_take(o, t->batch, BATCH_EVENTS);
    bool last = t->phase == PHASE_LAST, more = n >= BATCH_EVENTS;
    uint64_t upto = more ? t->batch[n - 1].tsc : last ? o->tsc_last : o->ready;
    t->decoder.queued -= n;
    if (upto > t->delivered_tsc)
        t->delivered_tsc = upto;
    if (t->options.resume)
        n = drop_known(t, n);
    if (t->renames && (t->widened || t->traits & TRAIT_OLD_NUMBERS))
        old_numbers_rename(t->batch, n, &t->options.interest, t->traits);
    if (t->decoder.raw && t->decoder.cores.largest && name_siblings(t, &n, err) != 0)
        return -1;
    if (t->marks)
        t->marks_n =
            decoder_take_marks(&t->decoder, t->options.resume ? t->resume.after_tsc + 1 : 0, t->marks);
    describe(t, batch, n, more);
    if (!more)
        t->phase = last ? PHASE_DONE : PHASE_READ;
    if (t->phase == PHASE_DONE && input_cut_short(t->input) && t->quality.truncated_bytes == 0)
        t->quality.truncated_bytes = 1; /* how many are missing is not known */
    return 1;
}

const struct quality *trace_read_quality(struct trace *t)
{
    struct quality *q = &t->quality;
    q->records = 0;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++)
            q->records += q->events[slot].forms[form];
    q->sweeps = t->decoder.sweep;
    q->core_pcpus = t->decoder.cores.largest;
    q->core_pcpus_unknown = decoder_cores_missing(&t->decoder);
    return q;
}

void trace_read_summary(const struct trace *t, struct trace_summary *s)
{
    const struct decoder *d = &t->decoder;
    const struct order *o = &t->order;
    memset(s, 0, sizeof *s);
    s->file = t->file;
    uint64_t done;
    input_position(t->input, &done, &s->file_bytes);
    bool timed = o->tsc_first != UINT64_MAX;
    s->tsc_first = timed ? o->tsc_first : 0;
    s->tsc_last = timed ? end_of(t) : 0;
    s->pcpus = d->pcpus_n;
    s->pcpu_highest = d->pcpus_n ? d->pcpus[d->pcpus_n - 1] : 0;
    s->has_runstates = has_runstates(t);
    s->compression = input_compression(t->input);
}

/* ---- the face, whether another thread reads ahead or not ---- */

int trace_next(struct trace *t, struct event_batch *batch, struct error *err)
{
    return t->ahead ? ahead_next(t->ahead, batch, err) : trace_read(t, batch, err);
}

void trace_settle(struct trace *t)
{
    if (t->ahead)
        ahead_settle(t->ahead);
}

const struct clock *trace_clock(const struct trace *t)
{
    return t->ahead ? ahead_clock(t->ahead) : &t->clock;
}

const struct quality *trace_quality(struct trace *t)
{
    const struct quality *delivered = t->ahead ? ahead_quality(t->ahead) : NULL;
    return delivered ? delivered : trace_read_quality(t);
}

void trace_summarise(const struct trace *t, struct trace_summary *s)
{
    if (!t->ahead || !ahead_summary(t->ahead, s))
        trace_read_summary(t, s);
}

void trace_position(const struct trace *t, uint64_t *done, uint64_t *size)
{
    if (!t->ahead || !ahead_position(t->ahead, done, size))
        input_position(t->input, done, size);
}
