#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include "parser/source/input.h"
#include "parser/decode/io_filter.h"
#include "parser/order/order.h"
#include "parser/decode/window.h"

#define BATCH_EVENTS         4096         /* a batch stays in the second-level cache */
#define HOLD_EVENTS          (512u << 10) /* decoded ahead at most, to measure the clock */
#define CLOCK_ERROR_PPM      50.0         /* the clock is known well enough to begin */
#define CLOCK_SAMPLES_MIN    32
#define CLOCK_SAMPLES_ENOUGH 4096
#define CLOCK_BYTES          (16u << 20) /* verbatim: read at most, to measure the clock */
#define SWITCHES_ENOUGH      16 /* without any runstate change between them: the mask left these out */
#define MEMORY_DEFAULT       (1ull << 30)

enum phase { PHASE_CLOCK, PHASE_READ, PHASE_TAKE, PHASE_LAST, PHASE_DONE };

struct trace {
    struct trace_options options;
    char *file;
    struct input *input;
    struct quality quality;
    struct decoder decoder;
    struct order order;
    struct clock clock;
    enum phase phase;
    size_t limit_events;
    uint64_t last_tsc;                    /* of the last event delivered */
    struct trace_tap tap;                 /* .bytes NULL: nobody listens */
    struct trace_resume resume;           /* if options.resume */
    struct event batch[BATCH_EVENTS + 1]; /* a record and its EVENT_MORE stay together */
};

struct trace *trace_open(const char *path, const struct trace_options *options, struct error *err)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t || !(t->file = strdup(path))) {
        free(t);
        error_no_memory(err, "reading the trace");
        return NULL;
    }
    t->options = *options;
    t->input = options->feed ? input_open_feed(options->feed, err) : input_open(path, err);
    if (!t->input || decoder_init(&t->decoder, t->input, &t->quality, err) != 0) {
        trace_close(t);
        return NULL;
    }
    if (options->tap) {
        t->tap = *options->tap;
        input_tap(t->input, &t->tap);
    }
    if (options->resume) {
        t->resume = *options->resume;
        t->decoder.has_runstates = true;
    }
    if (options->raw)
        decoder_want_raw(&t->decoder, options->pcpus);
    for (const unsigned *slot = io_slots; options->want_io && *slot != EVENT_UNRECOGNISED; slot++)
        t->options.want[*slot] = true;
    for (unsigned slot = options->raw ? 0 : 1; slot < EVENT_SLOTS; slot++)
        decoder_want(&t->decoder, slot, t->options.want[slot] || options->want_without_runstates[slot]);
    if (options->want_io)
        decoder_want_io(&t->decoder);
    input_stop_on(t->input, options->stop, options->wait_mask);
    uint64_t memory = options->memory_limit ? options->memory_limit : MEMORY_DEFAULT;
    /* Half for events in streams whose capacity doubles as they grow. */
    t->limit_events = (size_t)(memory / 2 / sizeof(struct event));
    return t;
}

void trace_close(struct trace *t)
{
    if (!t)
        return;
    decoder_free(&t->decoder);
    order_free(&t->order);
    input_close(t->input);
    free(t->file);
    free(t);
}

/* Fixes the start and the frequency: from here on cycles have a meaning in ns. */
static void set_clock(struct trace *t)
{
    struct clock *c = &t->clock;
    uint64_t first = t->decoder.tsc_first == UINT64_MAX ? 0 : t->decoder.tsc_first;
    if (t->options.cpu_hz > 0)
        c->cpu_hz = t->options.cpu_hz;
    else if (!t->options.cycles)
        clock_probe_estimate(&t->decoder.probe, c);
    clock_set(c, first, c->cpu_hz);
    if (t->options.resume)
        *c = t->resume.clock;
    decoder_settle(&t->decoder);
    if (t->decoder.has_runstates && !t->options.raw) {
        for (unsigned slot = 1; slot < EVENT_SLOTS; slot++)
            decoder_want(&t->decoder, slot, t->options.want[slot]);
    }
}

/* Enough was read to begin: the clock is known, and whether the trace holds runstate changes. */
static bool well_known(struct trace *t)
{
    struct clock_probe *p = &t->decoder.probe;
    if (!t->options.raw && !t->decoder.has_runstates && t->decoder.switches < SWITCHES_ENOUGH)
        return false;
    if (t->options.raw && t->quality.bytes >= CLOCK_BYTES)
        return true; /* of the few records that are wanted perhaps none is queued yet: they are not to wait for ever */
    if (t->options.cpu_hz > 0 || t->options.cycles || t->options.resume ||
        p->chains_n >= CLOCK_SAMPLES_ENOUGH)
        return true;
    /* An estimate sorts all samples: make one only when there are a good deal more of them. */
    if (p->chains_n < CLOCK_SAMPLES_MIN || p->chains_n < p->estimated_at + p->estimated_at / 8)
        return false;
    struct clock guess = {0};
    return clock_probe_estimate(p, &guess) && guess.error_ppm <= CLOCK_ERROR_PPM;
}

/* Reads one sweep and decides what can be handed on. */
static int read_sweep(struct trace *t, struct error *err)
{
    struct decoder *d = &t->decoder;
    size_t limit = t->phase == PHASE_CLOCK && t->limit_events > HOLD_EVENTS ? HOLD_EVENTS : t->limit_events;
    int status = decoder_run(d, limit, err);
    if (status < 0)
        return -1;
    if (status == DECODER_FULL && t->phase == PHASE_READ)
        return error_set_at(err, ERROR_MEMORY, t->quality.bytes,
                            "%zu events wait for the end of a sweep: more than the memory limit allows "
                            "(--max-memory)",
                            d->queued);
    if (status == DECODER_END && d->quality->windows == 0)
        return error_set(err, ERROR_FORMAT, "not a xentrace capture: it holds no window");
    if (status == DECODER_SWEEP) {
        order_sweep(&t->order, d);
        if (t->tap.sweep)
            t->tap.sweep(t->tap.context, t->quality.bytes - WINDOW_HEADER_LEN, d->tsc_last,
                         decoder_is_whole(d));
    }
    if (t->phase == PHASE_CLOCK) {
        if (status == DECODER_SWEEP && !well_known(t))
            return 0;
        set_clock(t);
    }
    uint64_t watermark = status == DECODER_END ? UINT64_MAX : t->order.watermark;
    if (order_begin(&t->order, d, watermark) != 0)
        return error_no_memory(err, "reading the trace");
    t->phase = status == DECODER_END ? PHASE_LAST : PHASE_TAKE;
    return 0;
}

/* Damaged time stamps can leave a stream out of order: what is delivered never goes back, whatever the bytes. */
static void keep_order(struct trace *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (t->batch[i].tsc < t->last_tsc) {
            t->batch[i].tsc = t->last_tsc;
            t->quality.tsc_backwards++;
        }
        t->last_tsc = t->batch[i].tsc;
    }
}

/* Leaves out what others have told of already; returns how many events remain. */
static size_t drop_replayed(struct trace *t, size_t n)
{
    size_t told = 0;
    while (t->options.resume && !t->options.raw && told < n && t->batch[told].tsc <= t->resume.after_tsc)
        told++;
    if (told > 0)
        memmove(t->batch, t->batch + told, (n - told) * sizeof *t->batch);
    return n - told;
}

int trace_next(struct trace *t, struct event_batch *batch, struct error *err)
{
    for (;;) {
        if (t->phase == PHASE_DONE)
            return 0;
        if (t->phase == PHASE_CLOCK || t->phase == PHASE_READ) {
            if (read_sweep(t, err) != 0)
                return -1;
            continue;
        }
        size_t n = order_take(&t->order, t->batch, BATCH_EVENTS);
        bool more = n >= BATCH_EVENTS;
        t->decoder.queued -= n;
        keep_order(t, n);
        n = drop_replayed(t, n);
        if (t->phase == PHASE_LAST && t->last_tsc > t->decoder.tsc_last)
            t->decoder.tsc_last = t->last_tsc;
        batch->events = t->batch;
        batch->n = n;
        batch->pcpus = t->decoder.pcpus;
        batch->pcpus_n = t->decoder.pcpus_n;
        batch->end_tsc = t->phase == PHASE_LAST ? t->decoder.tsc_last : 0;
        batch->has_runstates = t->decoder.has_runstates;
        batch->traits = t->decoder.traits;
        if (more) {
            batch->watermark = t->last_tsc;
            return 1;
        }
        /* The last of this sweep's batches: all up to the watermark is handed on. */
        bool last = t->phase == PHASE_LAST;
        batch->watermark = last ? t->decoder.tsc_last : t->order.watermark;
        if (batch->watermark < t->last_tsc)
            batch->watermark = t->last_tsc;
        t->decoder.emitted_tsc = batch->watermark;
        t->phase = last ? PHASE_DONE : PHASE_READ;
        if (last && input_cut_short(t->input) && t->quality.truncated_bytes == 0)
            t->quality.truncated_bytes = 1; /* how many are missing cannot be told */
        return 1;
    }
}

const struct clock *trace_clock(const struct trace *t)
{
    return &t->clock;
}

const struct quality *trace_quality(struct trace *t)
{
    struct quality *q = &t->quality;
    q->records = 0;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++)
            q->records += q->events[slot].forms[form];
    q->sweeps = t->decoder.sweep;
    return q;
}

void trace_summarise(const struct trace *t, struct trace_summary *s)
{
    const struct decoder *d = &t->decoder;
    memset(s, 0, sizeof *s);
    s->file = t->file;
    uint64_t done;
    input_position(t->input, &done, &s->file_bytes);
    bool timed = d->tsc_first != UINT64_MAX;
    s->tsc_first = timed ? d->tsc_first : 0;
    s->tsc_last = timed ? d->tsc_last : 0;
    s->pcpus = d->pcpus_n;
    s->pcpu_highest = d->pcpus_n ? d->pcpus[d->pcpus_n - 1] : 0;
    s->has_runstates = d->has_runstates;
    s->compression = input_compression(t->input);
}

void trace_position(const struct trace *t, uint64_t *done, uint64_t *size)
{
    input_position(t->input, done, size);
}
