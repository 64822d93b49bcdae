#include "delays.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/min_max.h"

#define TICK_NS       100000000u /* an open wait is attributed up to each multiple of this */
#define TICKS_AT_ONCE 256        /* of a time in which nothing happens */

/* A stretch of a pCPU's time, since the last tick: who has it. */
struct run {
    uint64_t from_ns;
    uint64_t since_ns; /* when this vCPU took the pCPU: perhaps before the tick */
    uint32_t vcpu;     /* NOBODY: not known */
};

struct run_list {
    struct run *runs;
    size_t n, capacity;
};

/* A vCPU that waits. */
struct wait {
    uint64_t from_ns;      /* attributed up to here */
    uint64_t since_ns;     /* when it began */
    uint64_t cut_since_ns; /* of the delay that the last tick cut: when it began, */
    uint32_t cut_pair;     /* and whose it is; NOBODY: none was cut */
    uint32_t pairs;        /* the first of the vCPU's; NOBODY */
    uint16_t pcpu;         /* where the vCPU ran last; NO_PCPU: not known */
    bool open;
};

/* Part of a wait, whose culprit is known. */
struct stretch {
    uint64_t from_ns, to_ns;
    uint64_t since_ns; /* when the delay began: before from_ns if a tick cut it */
    uint32_t pair;
    bool ends; /* the delay ends here */
};

struct pair_of_delay {
    uint32_t victim;  /* vCPU */
    uint32_t culprit; /* incarnation; IDLE_CULPRIT, UNKNOWN_CULPRIT */
    uint32_t next;    /* of the same victim; NOBODY */
};

#define UNKNOWN_CULPRIT NOBODY
#define IDLE_CULPRIT    (NOBODY - 1)

struct delay_sum {
    uint64_t delayed_ns, count, max_ns, max_at_ns;
};

/* What of a stretch lies in one interval. */
struct part {
    uint64_t from_ns, to_ns;
    uint32_t stretch;
};

/* An open interval of one granularity. */
struct open_interval {
    uint64_t length_ns, start_ns, next_ns;
    struct delay_sum *sums; /* by pair */
    size_t sums_n;
    struct part *parts; /* of the stretches being booked, in time order once all are there */
    size_t parts_head, parts_n, capacity;
};

struct delays {
    struct delay_options options;
    struct run_list *pcpus; /* PCPUS_MAX */
    unsigned pcpus_n;       /* those beyond had nobody */
    struct wait *waits;     /* by vCPU */
    size_t waits_n;
    struct pair_of_delay *pairs;
    size_t pairs_n, pairs_capacity;
    struct stretch *stretches; /* since the last tick */
    size_t stretches_n, stretches_capacity;
    struct open_interval open[METER_GRANULARITIES];
    struct delay *rows;
    size_t rows_capacity;
    uint64_t tick_ns; /* the next one */
    bool over, failed, sink_ended;
};

struct delays *delays_new(const struct delay_options *options)
{
    struct delays *d = calloc(1, sizeof *d);
    if (!d || !(d->pcpus = calloc(PCPUS_MAX, sizeof *d->pcpus))) {
        free(d);
        return NULL;
    }
    d->options = *options;
    if (d->options.to_ns == 0)
        d->options.to_ns = UINT64_MAX;
    d->tick_ns = TICK_NS;
    for (size_t g = 0; g < options->granularities; g++) {
        struct open_interval *o = &d->open[g];
        o->length_ns = options->granularities_ns[g];
        o->start_ns = options->from_ns;
        o->next_ns = o->length_ns ? (options->from_ns / o->length_ns + 1) * o->length_ns : UINT64_MAX;
    }
    return d;
}

void delays_free(struct delays *d)
{
    if (!d)
        return;
    for (size_t p = 0; p < PCPUS_MAX; p++)
        free(d->pcpus[p].runs);
    for (size_t g = 0; g < d->options.granularities; g++) {
        free(d->open[g].sums);
        free(d->open[g].parts);
    }
    free(d->pcpus);
    free(d->waits);
    free(d->pairs);
    free(d->stretches);
    free(d->rows);
    free(d);
}

/* Room for one element more; NULL: no memory, and everything ends. */
static void *room(struct delays *d, void *items, size_t *capacity, size_t n, size_t size)
{
    void *moved = array_reserve(items, capacity, n + 1, size);
    d->failed = d->failed || !moved;
    return moved;
}

/* ---- who has the pCPUs ---- */

static void note_run(struct delays *d, uint16_t pcpu, uint32_t vcpu, uint64_t now_ns)
{
    struct run_list *l = &d->pcpus[pcpu];
    if (l->n > 0 && l->runs[l->n - 1].vcpu == vcpu)
        return;
    if (l->n > 0 && l->runs[l->n - 1].from_ns == now_ns) {
        l->runs[l->n - 1] = (struct run){now_ns, now_ns, vcpu};
        return;
    }
    struct run *runs = room(d, l->runs, &l->capacity, l->n, sizeof *runs);
    if (!runs)
        return;
    l->runs = runs;
    l->runs[l->n++] = (struct run){now_ns, now_ns, vcpu};
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

/* ---- pairs ---- */

static uint32_t culprit_of(const struct model *m, uint32_t vcpu)
{
    if (vcpu == NOBODY)
        return UNKNOWN_CULPRIT;
    return model_view(m)->vcpus[vcpu].idle ? IDLE_CULPRIT : model_population(m)->vcpus[vcpu].life;
}

static uint32_t pair_of(struct delays *d, uint32_t victim, uint32_t culprit)
{
    uint32_t pair = d->waits[victim].pairs;
    while (pair != NOBODY && d->pairs[pair].culprit != culprit)
        pair = d->pairs[pair].next;
    if (pair != NOBODY)
        return pair;
    struct pair_of_delay *pairs = room(d, d->pairs, &d->pairs_capacity, d->pairs_n, sizeof *pairs);
    if (!pairs)
        return NOBODY;
    d->pairs = pairs;
    pair = (uint32_t)d->pairs_n++;
    d->pairs[pair] = (struct pair_of_delay){victim, culprit, d->waits[victim].pairs};
    d->waits[victim].pairs = pair;
    return pair;
}

/* ---- waits ---- */

static void note_stretch(struct delays *d, const struct stretch *s)
{
    struct stretch *stretches =
        room(d, d->stretches, &d->stretches_capacity, d->stretches_n, sizeof *stretches);
    if (!stretches)
        return;
    d->stretches = stretches;
    d->stretches[d->stretches_n++] = *s;
}

/* The delay that the last tick cut does not go on with this pair since that moment: it ended at the tick. */
static void end_cut_delay(struct delays *d, struct wait *w, uint32_t pair, uint64_t since_ns)
{
    if (w->cut_pair == NOBODY)
        return;
    if (w->cut_pair != pair || w->cut_since_ns != since_ns)
        note_stretch(d, &(struct stretch){w->from_ns, w->from_ns, w->cut_since_ns, w->cut_pair, true});
    w->cut_pair = NOBODY;
}

/* Attributes the wait up to until_ns to those who had the pCPU; `ends`: it ends there. */
static void attribute(struct delays *d, const struct model *m, uint32_t vcpu, uint16_t pcpu,
                      uint64_t until_ns, bool ends)
{
    static const struct run nobody = {0, 0, NOBODY};
    struct wait *w = &d->waits[vcpu];
    const struct run_list *l = pcpu == NO_PCPU ? NULL : &d->pcpus[pcpu];
    bool listed = l && l->n > 0;
    const struct run *runs = listed ? l->runs : &nobody;
    size_t n = listed ? l->n : 1;
    bool wanted = !d->options.pcpus_wanted || (pcpu != NO_PCPU && d->options.pcpus_wanted[pcpu]);
    for (size_t i = 0; i < n && w->from_ns < until_ns; i++) {
        uint64_t to_ns = i + 1 < n ? min64(runs[i + 1].from_ns, until_ns) : until_ns;
        if (to_ns <= w->from_ns)
            continue;
        uint32_t pair = pair_of(d, vcpu, culprit_of(m, runs[i].vcpu));
        uint64_t since_ns = max64(w->since_ns, runs[i].since_ns);
        bool over = ends || to_ns < until_ns;
        if (pair == NOBODY)
            return;
        end_cut_delay(d, w, pair, since_ns);
        if (wanted)
            note_stretch(d, &(struct stretch){w->from_ns, to_ns, since_ns, pair, over});
        if (!over && wanted) {
            w->cut_pair = pair;
            w->cut_since_ns = since_ns;
        }
        w->from_ns = to_ns;
    }
    w->open = !ends;
}

static void begin_wait(struct delays *d, uint32_t vcpu, uint16_t pcpu, uint64_t now_ns)
{
    struct wait *w = &d->waits[vcpu];
    w->open = true;
    w->pcpu = pcpu;
    w->from_ns = w->since_ns = now_ns;
    w->cut_pair = NOBODY;
}

/* ---- intervals ---- */

/* The stretch, cut at the ends of the intervals of one granularity, as parts. */
static void cut_stretch(struct delays *d, struct open_interval *o, uint32_t number)
{
    const struct stretch *s = &d->stretches[number];
    uint64_t from = max64(s->from_ns, d->options.from_ns), to = min64(s->to_ns, d->options.to_ns);
    if (s->from_ns > to || s->to_ns < from || from > to)
        return;
    do {
        uint64_t end = o->length_ns ? from - from % o->length_ns + o->length_ns : UINT64_MAX;
        struct part *parts = room(d, o->parts, &o->capacity, o->parts_n, sizeof *parts);
        if (!parts)
            return;
        o->parts = parts;
        o->parts[o->parts_n++] = (struct part){from, min64(end, to), number};
        from = min64(end, to);
    } while (from < to);
}

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    if (x->from_ns != y->from_ns)
        return x->from_ns < y->from_ns ? -1 : 1;
    return (x->stretch > y->stretch) - (x->stretch < y->stretch);
}

static void add_part(struct delays *d, struct open_interval *o, const struct part *part)
{
    const struct stretch *s = &d->stretches[part->stretch];
    if (s->pair >= o->sums_n) {
        struct delay_sum *sums = array_reserve(o->sums, &o->sums_n, (size_t)s->pair + 1, sizeof *sums);
        d->failed = d->failed || !sums;
        if (!sums)
            return;
        o->sums = sums;
    }
    struct delay_sum *sum = &o->sums[s->pair];
    sum->delayed_ns += part->to_ns - part->from_ns;
    if (!s->ends || part->to_ns != s->to_ns)
        return;
    uint64_t length_ns = s->to_ns - s->since_ns;
    sum->count++;
    if (length_ns > sum->max_ns) {
        sum->max_ns = length_ns;
        sum->max_at_ns = s->to_ns;
    }
}

static int compare_delays(const void *a, const void *b)
{
    const struct delay *x = a, *y = b;
    const int64_t keys[][2] = {{x->victim, y->victim},           {x->victim_life, y->victim_life},
                               {x->victim_vcpu, y->victim_vcpu}, {x->kind, y->kind},
                               {x->culprit, y->culprit},         {x->culprit_life, y->culprit_life}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static struct delay row_of(const struct delays *d, const struct population *p, uint32_t pair,
                           const struct delay_sum *sum)
{
    const struct pair_of_delay *who = &d->pairs[pair];
    const struct vcpu_identity *victim = &p->vcpus[who->victim];
    bool domain = who->culprit < IDLE_CULPRIT;
    const struct incarnation *v = &p->incarnations[victim->life],
                             *c = domain ? &p->incarnations[who->culprit] : NULL;
    return (struct delay){.victim = v->domain,
                          .victim_life = v->number,
                          .victim_vcpu = victim->id,
                          .kind = domain                         ? CULPRIT_DOMAIN
                                  : who->culprit == IDLE_CULPRIT ? CULPRIT_IDLE
                                                                 : CULPRIT_UNKNOWN,
                          .culprit = c ? c->domain : -1,
                          .culprit_life = c ? c->number : 0,
                          .delayed_ns = sum->delayed_ns,
                          .count = sum->count,
                          .max_ns = sum->max_ns,
                          .max_at_ns = sum->max_at_ns};
}

/* Hands out the open interval, which ends at end_ns, and begins the next one. */
static void close_interval(struct delays *d, const struct model *m, struct open_interval *o, uint64_t end_ns)
{
    const struct interval interval = {
        .granularity_ns = o->length_ns, .start_ns = o->start_ns, .end_ns = end_ns};
    size_t n = 0;
    struct delay *rows = room(d, d->rows, &d->rows_capacity, d->pairs_n, sizeof *rows);
    if (!rows)
        return;
    d->rows = rows;
    for (uint32_t pair = 0; pair < o->sums_n && pair < d->pairs_n; pair++)
        if (o->sums[pair].delayed_ns || o->sums[pair].count)
            rows[n++] = row_of(d, model_population(m), pair, &o->sums[pair]);
    qsort(rows, n, sizeof *rows, compare_delays);
    if (o->sums)
        memset(o->sums, 0, o->sums_n * sizeof *o->sums);
    o->start_ns = end_ns;
    if (o->length_ns)
        o->next_ns = end_ns - end_ns % o->length_ns + o->length_ns;
    if (!d->sink_ended && d->options.rows(d->options.context, &interval, rows, n) != 0)
        d->sink_ended = true;
}

static void add_parts_before(struct delays *d, struct open_interval *o, uint64_t until_ns)
{
    while (o->parts_head < o->parts_n && o->parts[o->parts_head].from_ns < until_ns)
        add_part(d, o, &o->parts[o->parts_head++]);
}

/* All waits are attributed up to until_ns: books the stretches, and hands out the intervals that end by then. */
static void book(struct delays *d, const struct model *m, uint64_t until_ns)
{
    size_t n = d->options.granularities;
    for (size_t g = 0; g < n; g++) {
        struct open_interval *o = &d->open[g];
        for (uint32_t s = 0; s < d->stretches_n; s++)
            cut_stretch(d, o, s);
        qsort(o->parts, o->parts_n, sizeof *o->parts, compare_parts);
    }
    for (uint64_t next = 0; !d->failed && !d->sink_ended;) {
        next = UINT64_MAX;
        for (size_t g = 0; g < n; g++)
            next = min64(next, d->open[g].next_ns);
        if (next > until_ns || next > d->options.to_ns)
            break;
        for (size_t g = 0; g < n; g++) {
            add_parts_before(d, &d->open[g], next);
            if (d->open[g].next_ns == next)
                close_interval(d, m, &d->open[g], next);
        }
    }
    for (size_t g = 0; g < n && !d->failed; g++) {
        add_parts_before(d, &d->open[g], UINT64_MAX);
        d->open[g].parts_head = d->open[g].parts_n = 0;
    }
    d->stretches_n = 0;
}

/* The part asked for ends here: hands out what is open, the whole last. */
static void finish(struct delays *d, const struct model *m, uint64_t end_ns)
{
    for (int whole = 0; whole < 2; whole++)
        for (size_t g = 0; g < d->options.granularities; g++) {
            struct open_interval *o = &d->open[g];
            bool partial = o->length_ns ? o->start_ns < end_ns : true;
            if ((o->length_ns == 0) == whole && partial && end_ns >= d->options.from_ns)
                close_interval(d, m, o, end_ns);
        }
    d->over = true;
}

/* ---- time ---- */

static void tick(struct delays *d, const struct model *m, uint64_t tick_ns)
{
    for (uint32_t v = 0; v < d->waits_n; v++)
        if (d->waits[v].open)
            attribute(d, m, v, d->waits[v].pcpu, tick_ns, false);
    book(d, m, tick_ns);
    forget_runs(d, tick_ns);
    if (tick_ns >= d->options.to_ns && !d->over)
        finish(d, m, d->options.to_ns);
}

/* Time passes up to now_ns, in which nothing happens; a long time goes by in steps, so that memory is bounded. */
static void pass_time(struct delays *d, const struct model *m, uint64_t now_ns)
{
    while (d->tick_ns <= now_ns && !d->over && !d->failed && !d->sink_ended) {
        uint64_t last_ns = min64(now_ns - now_ns % TICK_NS, d->tick_ns + TICKS_AT_ONCE * TICK_NS);
        tick(d, m, last_ns);
        d->tick_ns = last_ns + TICK_NS;
    }
}

static bool make_room(struct delays *d, const struct model_view *view)
{
    size_t before = d->waits_n;
    if (before >= view->vcpus_n)
        return true;
    struct wait *waits = array_reserve(d->waits, &d->waits_n, view->vcpus_n, sizeof *waits);
    d->failed = d->failed || !waits;
    if (!waits)
        return false;
    d->waits = waits;
    for (size_t v = before; v < d->waits_n; v++)
        d->waits[v].pairs = d->waits[v].cut_pair = NOBODY;
    return true;
}

static void note_pcpu(struct delays *d, const struct model_view *view, uint16_t pcpu, uint64_t now_ns)
{
    if (pcpu == NO_PCPU)
        return;
    if (pcpu >= d->pcpus_n)
        d->pcpus_n = pcpu + 1u;
    note_run(d, pcpu, view->current[pcpu], now_ns);
}

void delays_take(struct delays *d, const struct model *m, const struct transition *t)
{
    const struct model_view *view = model_view(m);
    bool changes = t->kind == TRANSITION_STATE || t->kind == TRANSITION_APPEAR || t->kind == TRANSITION_DIE;
    pass_time(d, m, t->time_ns);
    if (!changes || d->over || d->failed || !make_room(d, view))
        return;
    const struct vcpu_view *v = &view->vcpus[t->vcpu];
    bool waited = d->waits[t->vcpu].open, waits = v->alive && !v->idle && v->state == RUNSTATE_RUNNABLE;
    bool runs = v->alive && v->state == RUNSTATE_RUNNING;
    if (waited && !waits)
        attribute(d, m, t->vcpu, runs ? v->pcpu : d->waits[t->vcpu].pcpu, t->time_ns, true);
    if (view->before == RUNSTATE_RUNNING)
        note_pcpu(d, view, view->before_pcpu, t->time_ns);
    if (runs)
        note_pcpu(d, view, v->pcpu, t->time_ns);
    if (waits && !waited)
        begin_wait(d, t->vcpu, v->pcpu, t->time_ns);
}

static int check(const struct delays *d, struct error *err)
{
    if (d->failed)
        return error_set(err, ERROR_MEMORY, "no memory for %zu pairs of domains", d->pairs_n);
    return d->sink_ended ? -1 : 0;
}

int delays_advance(struct delays *d, const struct model *m, uint64_t settled_ns, struct error *err)
{
    pass_time(d, m, settled_ns);
    return check(d, err);
}

int delays_end(struct delays *d, const struct model *m, uint64_t end_ns, struct error *err)
{
    pass_time(d, m, end_ns);
    if (!d->over && !d->failed && !d->sink_ended) {
        tick(d, m, end_ns);
        if (!d->over)
            finish(d, m, end_ns);
    }
    return check(d, err);
}

bool delays_are_over(const struct delays *d)
{
    return d->over;
}
