#include "snapshot_maker.h"

#include <stdlib.h>

#include "metrics/meter.h"
#include "metrics/model/io_pasts.h"

#define HELD_NS     100000000u  /* what is settled lies so far behind what was read only after lost records */
#define PATIENCE_NS 1500000000u /* so long it is waited for that to end: all that waits is in a snapshot */

struct snapshot_maker {
    struct snapshot_sink sink;
    struct meter *saver;                 /* NULL before the first batch */
    const struct charge_options *charge; /* NULL: without charges */
    const struct event_batch *batch;     /* which the saver is to take; NULL: it has */
    struct snapshot snapshot, charges,
        pasts;   /* with its part of charges, and with their part of what the place had */
    bool marked; /* a snapshot is wanted */
    uint32_t place;
    uint64_t tsc;
    uint64_t
        before_tsc; /* the model has all that is before it, and nothing else; 0: that cannot be said now */
};

struct snapshot_maker *snapshot_maker_new(const struct snapshot_sink *sink,
                                          const struct charge_options *charge)
{
    struct snapshot_maker *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->sink = *sink;
    m->charge = charge;
    return m;
}

void snapshot_maker_free(struct snapshot_maker *m)
{
    if (!m)
        return;
    meter_free(m->saver);
    free(m->snapshot.bytes);
    free(m->charges.bytes);
    free(m->pasts.bytes);
    free(m);
}

bool snapshot_maker_mark(struct snapshot_maker *m, uint32_t place, uint64_t tsc, const struct io_past *pasts,
                         size_t n)
{
    if (!m->saver || m->marked)
        return false;
    snapshot_write(&m->pasts, 0);
    io_pasts_save(&m->pasts, pasts, n);
    m->marked = true;
    m->place = place;
    m->tsc = tsc;
    return true;
}

size_t snapshot_maker_size(const struct snapshot_maker *m)
{
    return m->snapshot.n;
}

/* ---- the pass ---- */

static int begin(void *context, const struct pass *pass, struct error *err)
{
    struct snapshot_maker *m = context;
    m->saver = meter_new_saver(m->charge, pass->model, err);
    if (!m->saver)
        return CONSUMER_FAILED;
    meter_set_clock(m->saver, pass->clock);
    return CONSUMER_GOES_ON;
}

static bool restore(void *context, const struct snapshot *saved, const struct snapshot *charges, uint64_t tsc)
{
    struct snapshot_maker *m = context;
    struct snapshot rest = *saved;
    meter_snapshot(m->saver, &rest);
    return !rest.failed && meter_restore_charges(m->saver, charges, tsc);
}

static int take_batch(void *context, const struct pass *pass, const struct event_batch *batch,
                      struct error *err)
{
    struct snapshot_maker *m = context;
    (void)err;
    (void)pass;
    m->batch = batch;
    m->before_tsc = batch->more || batch->end_tsc > 0 ? 0 : batch->watermark;
    return CONSUMER_GOES_ON;
}

/* The saver takes the batch before its transitions, when the model has it. */
static void pass_on_batch(struct snapshot_maker *m, const struct pass *pass)
{
    if (m->batch)
        meter_take_batch(m->saver, m->batch, pass->clock);
    m->batch = NULL;
}

static int take_state(void *context, const struct pass *pass, const struct transition *t)
{
    struct snapshot_maker *m = context;
    pass_on_batch(m, pass);
    meter_take(m->saver, t);
    return CONSUMER_GOES_ON;
}

/* Whether the snapshot that is wanted can be made now. */
static bool is_due(const struct snapshot_maker *m, const struct pass *pass)
{
    if (!m->marked || m->before_tsc <= m->tsc)
        return false;
    uint64_t now_ns = clock_ns(pass->clock, m->before_tsc);
    return pass->settled_ns + HELD_NS > now_ns || clock_ns(pass->clock, m->tsc) + PATIENCE_NS < now_ns;
}

/* What only charges need: empty where they cannot be saved. */
static void save_charges(struct snapshot_maker *m, const struct pass *pass, uint64_t tsc)
{
    struct snapshot *s = &m->charges;
    snapshot_write(s, model_settled(pass->model));
    snapshot_put_part(s, &m->pasts);
    if (m->pasts.failed || !meter_save_charges(m->saver, s, tsc))
        s->n = 0;
}

static int take_snapshot(struct snapshot_maker *m, const struct pass *pass, struct error *err)
{
    struct snapshot *s = &m->snapshot;
    uint64_t tsc = m->before_tsc - 1;
    m->marked = false;
    save_charges(m, pass, tsc);
    snapshot_write(s, clock_ns(pass->clock, tsc));
    snapshot_put_part(s, &m->charges);
    if (!model_save(pass->model, s))
        return CONSUMER_GOES_ON;
    meter_snapshot(m->saver, s);
    return s->failed ? CONSUMER_GOES_ON
                     : m->sink.snapshot(m->sink.context, m->place, tsc, s->bytes, s->n, err);
}

static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct snapshot_maker *m = context;
    pass_on_batch(m, pass);
    if (meter_advance(m->saver, settled_ns, err) != 0)
        return CONSUMER_FAILED;
    return is_due(m, pass) ? take_snapshot(m, pass, err) : CONSUMER_GOES_ON;
}

static size_t memory(const void *context)
{
    const struct snapshot_maker *m = context;
    return m->saver ? meter_memory(m->saver) + m->snapshot.capacity + m->charges.capacity : 0;
}

struct consumer snapshot_maker_consumer(struct snapshot_maker *m)
{
    return (struct consumer){.context = m,
                             .states = true,
                             .begin = begin,
                             .restore = restore,
                             .batch = take_batch,
                             .state = take_state,
                             .settled = settled,
                             .memory = memory};
}
