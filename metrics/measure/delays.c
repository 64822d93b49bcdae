#include "delays.h"

#include <stdlib.h>

#include "delay_book.h"
#include "metrics/min_max.h"

#define TICK_NS           100000000u /* an open wait is attributed up to each multiple of this */
#define INTERVALS_AT_ONCE 1000       /* of a time in which nothing happens */

/* A stretch of a pCPU's time, since the last tick, and the vCPU that has it. */
struct pcpu_run {
    uint64_t from_ns;
    uint64_t since_ns; /* when this vCPU took the pCPU: perhaps before the tick */
    uint32_t vcpu;     /* NOBODY: not known */
    uint32_t culprit;  /* the number of its domain's incarnation (delay_sums.h) */
};

/* The first run is not later than any open wait's from_ns. */
struct run_list {
    struct pcpu_run *runs;
    size_t n, capacity;
};

/* A vCPU that waits. */
struct wait {
    uint64_t from_ns;      /* attributed up to here */
    uint64_t since_ns;     /* when it began */
    uint64_t cut_since_ns; /* of the delay that the last tick cut: when it began, */
    uint32_t cut_culprit;  /* and whose it is; NO_CULPRIT: none was cut */
    uint16_t pcpu;         /* where the vCPU ran last; NO_PCPU: not known */
    bool open;
};

struct delays {
    struct delay_book book;
    const uint8_t *pcpus_wanted; /* NULL: all */
    struct run_list *pcpus;      /* PCPUS_MAX */
    unsigned pcpus_n;            /* the pCPUs beyond had no run */
    struct wait *waits;          /* by vCPU */
    size_t waits_n;
    uint64_t tick_ns; /* the next one */
    unsigned
        blind; /* pCPUs whose records are being lost: nobody can say who delays whom, nor that a vCPU still waits */
    uint64_t step_ns; /* ticks in which nothing happens are passed at once up to this */
};

struct delays *delays_new(const struct delay_options *options)
{
    struct delays *d = calloc(1, sizeof *d);
    if (!d || !(d->pcpus = calloc(PCPUS_MAX, sizeof *d->pcpus))) {
        free(d);
        return NULL;
    }
    delay_book_init(&d->book, options);
    d->pcpus_wanted = options->pcpus_wanted;
    d->tick_ns = TICK_NS;
    d->step_ns = UINT64_MAX;
    for (size_t g = 0; g < options->granularities; g++)
        if (options->granularities_ns[g])
            d->step_ns =
                min64(d->step_ns, options->granularities_ns[g] * INTERVALS_AT_ONCE / TICK_NS * TICK_NS);
    return d;
}

void delays_free(struct delays *d)
{
    if (!d)
        return;
    for (size_t p = 0; p < PCPUS_MAX; p++)
        free(d->pcpus[p].runs);
    delay_book_free(&d->book);
    free(d->pcpus);
    free(d->waits);
    free(d);
}

/* ---- runs ---- */

static uint32_t culprit_of(const struct model *m, uint32_t vcpu)
{
    if (vcpu == NOBODY)
        return CULPRIT_NOT_KNOWN;
    return model_view(m)->vcpus[vcpu].idle ? (uint32_t)CULPRIT_IDLES
                                           : CULPRIT_LIFE + model_population(m)->vcpus[vcpu].life;
}

static void add_run(struct delays *d, struct run_list *l, struct pcpu_run run)
{
    if (delay_book_make_room(&d->book, &l->runs, &l->capacity, l->n + 1, sizeof *l->runs))
        l->runs[l->n++] = run;
}

/* The vCPU has the pCPU from now on. A run that would have no length is replaced by the next one. */
static void note_run(struct delays *d, const struct model *m, uint16_t pcpu, uint64_t now_ns)
{
    if (pcpu == NO_PCPU)
        return;
    struct run_list *l = &d->pcpus[pcpu];
    uint32_t vcpu = model_view(m)->current[pcpu];
    if (pcpu >= d->pcpus_n)
        d->pcpus_n = pcpu + 1u;
    if (l->n == 0)
        add_run(d, l, (struct pcpu_run){0, 0, NOBODY, CULPRIT_NOT_KNOWN});
    if (l->n > 0 && l->runs[l->n - 1].from_ns == now_ns)
        l->n--;
    if (l->n == 0 || l->runs[l->n - 1].vcpu != vcpu)
        add_run(d, l, (struct pcpu_run){now_ns, now_ns, vcpu, culprit_of(m, vcpu)});
}

/* Whoever has each pCPU at a tick has it from there on: what was before is attributed. */
static void forget_runs(struct delays *d, uint64_t tick_ns)
{
    for (unsigned p = 0; p < d->pcpus_n; p++) {
        struct run_list *l = &d->pcpus[p];
        if (l->n == 0)
            continue;
        l->runs[0] = l->runs[l->n - 1];
        l->runs[0].from_ns = tick_ns;
        l->n = 1;
    }
}

/* Number of the run that goes on at this time, or begins. */
static size_t run_at(const struct run_list *l, uint64_t ns)
{
    size_t low = 0, high = l->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (l->runs[middle].from_ns <= ns)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- waits ---- */

/* The delay that the last tick cut ended there after all. */
static void end_cut_delay(struct delays *d, uint32_t vcpu)
{
    struct wait *w = &d->waits[vcpu];
    if (w->cut_culprit != NO_CULPRIT)
        delay_book_add(&d->book, &(struct delay_stretch){w->from_ns, w->from_ns, w->cut_since_ns, vcpu,
                                                         w->cut_culprit, true});
    w->cut_culprit = NO_CULPRIT;
}

/* The wait goes on with this stretch, on a pCPU that was asked for or not. */
static void take_stretch(struct delays *d, struct wait *w, const struct delay_stretch *s, bool wanted)
{
    if (w->cut_culprit != s->culprit || w->cut_since_ns != s->since_ns)
        end_cut_delay(d, s->victim);
    w->cut_culprit = s->ends || !wanted ? (uint32_t)NO_CULPRIT : s->culprit;
    w->cut_since_ns = s->since_ns;
    w->from_ns = s->to_ns;
    if (wanted)
        delay_book_add(&d->book, s);
}

/* Attributes the wait up to until_ns to the vCPUs that had the pCPU; `ends`: the wait ends there. */
static void attribute(struct delays *d, uint32_t vcpu, uint16_t pcpu, uint64_t until_ns, bool ends)
{
    struct wait *w = &d->waits[vcpu];
    struct pcpu_run not_known = {0, 0, NOBODY, CULPRIT_NOT_KNOWN};
    struct run_list l = {&not_known, 1, 1};
    bool wanted = !d->pcpus_wanted || (pcpu != NO_PCPU && d->pcpus_wanted[pcpu]);
    if (d->blind == 0 && pcpu != NO_PCPU && d->pcpus[pcpu].n > 0)
        l = d->pcpus[pcpu];
    if (pcpu != w->pcpu) { /* what was attributed so far was another pCPU's */
        end_cut_delay(d, vcpu);
        w->since_ns = w->from_ns;
    }
    for (size_t i = run_at(&l, w->from_ns); w->from_ns < until_ns; i++) {
        bool relieved = i + 1 < l.n && l.runs[i + 1].from_ns <= until_ns;
        const struct delay_stretch s = {.from_ns = w->from_ns,
                                        .to_ns = relieved ? l.runs[i + 1].from_ns : until_ns,
                                        .since_ns = max64(w->since_ns, l.runs[i].since_ns),
                                        .victim = vcpu,
                                        .culprit = l.runs[i].culprit,
                                        .ends = ends || relieved};
        take_stretch(d, w, &s, wanted);
    }
    if (ends)
        end_cut_delay(d, vcpu);
    w->open = !ends;
}

static void begin_wait(struct delays *d, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    d->waits[vcpu] = (struct wait){.from_ns = now_ns, .since_ns = now_ns, .pcpu = pcpu, .open = true};
}

/* ---- time ---- */

static void tick(struct delays *d, const struct model *m, uint64_t tick_ns)
{
    for (uint32_t v = 0; v < d->waits_n; v++)
        if (d->waits[v].open)
            attribute(d, v, d->waits[v].pcpu, tick_ns, false);
    delay_book_hand_out(&d->book, model_population(m), tick_ns);
    forget_runs(d, tick_ns);
}

/*
 * Nothing happens from the last transition to now_ns, where more may happen: a tick at that very time is to come. A long
 * time goes by in steps, so that the intervals in it do not all wait to be handed out.
 */
static void pass_time(struct delays *d, const struct model *m, uint64_t now_ns)
{
    while (d->tick_ns < now_ns && !delay_book_is_closed(&d->book)) {
        uint64_t last_ns = now_ns - 1 - (now_ns - 1) % TICK_NS;
        if (last_ns - d->tick_ns > d->step_ns)
            last_ns = d->tick_ns + d->step_ns;
        tick(d, m, last_ns);
        d->tick_ns = last_ns + TICK_NS;
    }
}

/* It becomes dark, or light again: no delay goes on across that. */
static void change_light(struct delays *d, bool blind, uint64_t now_ns)
{
    bool changes = blind ? d->blind == 0 : d->blind == 1;
    for (uint32_t v = 0; changes && v < d->waits_n; v++) {
        struct wait *w = &d->waits[v];
        if (!w->open)
            continue;
        attribute(d, v, w->pcpu, now_ns, false);
        end_cut_delay(d, v);
        w->since_ns = now_ns;
    }
    d->blind += blind ? 1u : -1u;
}

static int take_transition(void *context, const struct pass *pass, const struct transition *t)
{
    struct delays *d = context;
    const struct model *m = pass->model;
    const struct model_view *view = model_view(m);
    bool changes = t->kind == TRANSITION_STATE || t->kind == TRANSITION_APPEAR || t->kind == TRANSITION_DIE;
    pass_time(d, m, t->time_ns);
    if (t->kind == TRANSITION_DARK)
        change_light(d, t->value != DARK_ENDS, t->time_ns);
    if (!changes || delay_book_is_closed(&d->book) ||
        !delay_book_make_room(&d->book, &d->waits, &d->waits_n, view->vcpus_n, sizeof *d->waits))
        return CONSUMER_GOES_ON;
    const struct vcpu_view *v = &view->vcpus[t->vcpu];
    bool waited = d->waits[t->vcpu].open, waits = v->alive && !v->idle && v->state == RUNSTATE_RUNNABLE;
    bool runs = v->alive && v->state == RUNSTATE_RUNNING;
    if (waited && !waits)
        attribute(d, t->vcpu, runs ? v->pcpu : d->waits[t->vcpu].pcpu, t->time_ns, true);
    if (view->before == RUNSTATE_RUNNING)
        note_run(d, m, view->before_pcpu, t->time_ns);
    if (runs)
        note_run(d, m, v->pcpu, t->time_ns);
    if (waits && !waited)
        begin_wait(d, t->vcpu, v->pcpu, t->time_ns);
    return CONSUMER_GOES_ON;
}

static int answer(const struct delays *d, struct error *err)
{
    if (d->book.failed)
        return error_no_memory(err, "delays");
    if (d->book.sink_ended)
        return CONSUMER_FAILED;
    return d->book.over ? CONSUMER_HAS_ENOUGH : CONSUMER_GOES_ON;
}

static int settle(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct delays *d = context;
    pass_time(d, pass->model, settled_ns);
    return answer(d, err);
}

static int end(void *context, const struct pass *pass, struct error *err)
{
    struct delays *d = context;
    pass_time(d, pass->model, pass->end_ns);
    if (!delay_book_is_closed(&d->book))
        tick(d, pass->model, pass->end_ns);
    delay_book_finish(&d->book, model_population(pass->model), pass->end_ns, true);
    return answer(d, err);
}

/* What lies after the last tick is not attributed, and is dropped. */
static int stop(void *context, const struct pass *pass, struct error *err)
{
    struct delays *d = context;
    delay_book_finish(&d->book, model_population(pass->model), d->tick_ns - TICK_NS, false);
    return answer(d, err);
}

static size_t memory(const void *context)
{
    const struct delays *d = context;
    return delay_book_memory(&d->book) + PCPUS_MAX * sizeof *d->pcpus;
}

struct consumer delays_consumer(struct delays *d)
{
    return (struct consumer){.context = d,
                             .states = true,
                             .from_ns = d->book.options.from_ns,
                             .state = take_transition,
                             .settled = settle,
                             .end = end,
                             .stop = stop,
                             .memory = memory};
}
