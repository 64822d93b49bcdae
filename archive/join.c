#include "archive/join.h"

#include <stdlib.h>
#include <string.h>

#include "archive/aggregate.h"
#include "metrics/array.h"
#include "metrics/min_max.h"

#define DOMAINS 65536

struct join {
    struct meter_sink sink;
    uint64_t offset_ns;
    /* by domain id: incarnations in the captures before, but for the last one, which goes on */
    uint32_t before[DOMAINS];
    uint32_t seen[DOMAINS];      /* by domain id: the highest life so far */
    struct aggregate whole[BYS]; /* of the whole trace, by enum by; the charges are with those by domain */
    bool any_whole[BYS];
    struct row *rows; /* room for one interval's */
    struct measures *measures;
    size_t rows_capacity, measures_capacity;
    struct charge_idd *idds;
    size_t idds_capacity;
    struct charge_guest *guests;
    size_t guests_capacity;
    bool out_of_memory;
};

struct join *join_new(const struct meter_sink *sink)
{
    struct join *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->sink = *sink;
    for (int by = 0; by < BYS; by++)
        aggregate_init(&j->whole[by]);
    return j;
}

void join_free(struct join *j)
{
    if (!j)
        return;
    for (int by = 0; by < BYS; by++)
        aggregate_free(&j->whole[by]);
    free(j->rows);
    free(j->measures);
    free(j->idds);
    free(j->guests);
    free(j);
}

void join_begin_capture(struct join *j, uint64_t offset_ns)
{
    j->offset_ns = offset_ns;
    for (size_t domain = 0; domain < DOMAINS; domain++)
        j->before[domain] = j->seen[domain] ? j->seen[domain] - 1 : 0;
}

/* ---- times and incarnations ---- */

static uint64_t moved(const struct join *j, uint64_t ns)
{
    return ns > UINT64_MAX - j->offset_ns ? UINT64_MAX : ns + j->offset_ns;
}

static uint32_t life_of(struct join *j, int32_t domain, uint32_t life)
{
    if (domain < 0 || domain >= DOMAINS || life > UINT32_MAX - j->before[domain])
        return life;
    life += j->before[domain];
    if (life > j->seen[domain])
        j->seen[domain] = life;
    return life;
}

static struct interval interval_moved(const struct join *j, const struct interval *i)
{
    struct interval to = *i;
    to.start_ns = moved(j, i->start_ns);
    to.end_ns = moved(j, i->end_ns);
    return to;
}

/* ---- rows ---- */

static int no_memory(struct join *j)
{
    j->out_of_memory = true;
    return -1;
}

static bool room_for_rows(struct join *j, size_t n)
{
    struct row *rows = array_reserve(j->rows, &j->rows_capacity, n, sizeof *rows);
    struct measures *measures = array_reserve(j->measures, &j->measures_capacity, n, sizeof *measures);
    j->rows = rows ? rows : j->rows;
    j->measures = measures ? measures : j->measures;
    return n == 0 || (rows && measures);
}

/* The rows as they are on the timeline. Their histograms are shared with `rows`. */
static void move_rows(struct join *j, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct measures *m = &j->measures[i];
        j->rows[i] = rows[i];
        j->rows[i].life = life_of(j, rows[i].domain, rows[i].life);
        j->rows[i].measures = m;
        memcpy(m, rows[i].measures, sizeof *m);
        m->run.max_at = moved(j, m->run.max_at);
        m->wait.max_at = moved(j, m->wait.max_at);
        m->block.max_at = moved(j, m->block.max_at);
    }
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct join *j = context;
    struct interval to = interval_moved(j, interval);
    if (!room_for_rows(j, n))
        return no_memory(j);
    move_rows(j, rows, n);
    if (interval->granularity_ns != 0)
        return j->sink.interval(j->sink.context, &to, j->rows, n);
    j->any_whole[to.by] = true;
    return aggregate_add_rows(&j->whole[to.by], j->rows, n) ? 0 : no_memory(j);
}

static int take_execution(void *context, const struct execution *execution)
{
    struct join *j = context;
    struct execution to = *execution;
    to.start_ns = moved(j, to.start_ns);
    to.end_ns = moved(j, to.end_ns);
    to.life = life_of(j, to.domain, to.life);
    return j->sink.execution(j->sink.context, &to);
}

/* ---- charges ---- */

static bool room_for_charges(struct join *j, const struct charge_idd *from, size_t n)
{
    size_t guests_n = 0;
    for (size_t i = 0; i < n; i++)
        guests_n += from[i].guests_n;
    struct charge_idd *idds = array_reserve(j->idds, &j->idds_capacity, n, sizeof *idds);
    struct charge_guest *guests = array_reserve(j->guests, &j->guests_capacity, guests_n, sizeof *guests);
    j->idds = idds ? idds : j->idds;
    j->guests = guests ? guests : j->guests;
    return (n == 0 || idds) && (guests_n == 0 || guests);
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct join *j = context;
    struct interval to = interval_moved(j, interval);
    size_t guests = 0;
    if (!room_for_charges(j, idds, n))
        return no_memory(j);
    for (size_t i = 0; i < n; i++) {
        j->idds[i] = idds[i];
        j->idds[i].life = life_of(j, idds[i].domain, idds[i].life);
        j->idds[i].guests = j->guests + guests;
        for (size_t g = 0; g < idds[i].guests_n; g++) {
            j->guests[guests] = idds[i].guests[g];
            j->guests[guests].life = life_of(j, idds[i].guests[g].domain, idds[i].guests[g].life);
            guests++;
        }
    }
    if (interval->granularity_ns != 0)
        return j->sink.charges(j->sink.context, &to, j->idds, n);
    return aggregate_add_charges(&j->whole[BY_DOMAIN], j->idds, n) ? 0 : no_memory(j);
}

struct meter_sink join_sink(struct join *j)
{
    return (struct meter_sink){.context = j,
                               .interval = j->sink.interval ? take_interval : NULL,
                               .execution = j->sink.execution ? take_execution : NULL,
                               .charges = j->sink.charges ? take_charges : NULL};
}

/* ---- the end ---- */

static int finish_charges(struct join *j, const struct interval *whole)
{
    struct aggregate *sums = &j->whole[BY_DOMAIN];
    const struct charge_idd *idds;
    if (!j->sink.charges || !sums->charged)
        return 0;
    if (!aggregate_charges(sums, &idds))
        return no_memory(j);
    return j->sink.charges(j->sink.context, whole, idds, sums->idds.n);
}

int join_finish(struct join *j, uint64_t end_ns)
{
    struct interval whole = {.end_ns = end_ns};
    int status = 0;
    for (int by = 0; by < BYS && status == 0; by++) {
        whole.by = (enum by)by;
        if (j->any_whole[by])
            status =
                j->sink.interval(j->sink.context, &whole, aggregate_rows(&j->whole[by]), j->whole[by].rows.n);
    }
    whole.by = BY_DOMAIN;
    return status == 0 ? finish_charges(j, &whole) : status;
}

bool join_out_of_memory(const struct join *j)
{
    return j->out_of_memory;
}

static void join_charges(struct charge_summary *into, const struct charge_summary *next, uint64_t offset_ns)
{
    for (int kind = 0; kind < IO_KINDS; kind++)
        into->events[kind] += next->events[kind];
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++) {
        into->inferred[kind] += next->inferred[kind];
        into->unassigned[kind] += next->unassigned[kind];
    }
    into->methods |= next->methods;
    into->idds = max64(into->idds, next->idds);
    into->idds_unseparated = max64(into->idds_unseparated, next->idds_unseparated);
    into->idds_own_given = max64(into->idds_own_given, next->idds_own_given);
    into->ran_ns += next->ran_ns;
    into->unattributed_ns += next->unattributed_ns;
    into->counted = into->counted && next->counted;
    into->devices_unknown += next->devices_unknown;
    into->devices_unused += next->devices_unused;
    if (into->cpu_impossible_ns == 0 && next->cpu_impossible_ns > 0)
        into->cpu_impossible_at_ns = offset_ns + next->cpu_impossible_at_ns;
    into->cpu_impossible_ns += next->cpu_impossible_ns;
}

void summary_join(struct summary *into, const struct summary *next)
{
    struct trace_summary *a = &into->trace;
    const struct trace_summary *b = &next->trace;
    uint64_t offset_ns = clock_ns(&into->clock, b->tsc_first);
    quality_merge(&into->quality, &next->quality, offset_ns);
    join_charges(&into->charges, &next->charges, offset_ns);
    a->tsc_last = b->tsc_last;
    a->pcpus = b->pcpus > a->pcpus ? b->pcpus : a->pcpus;
    a->pcpu_highest = b->pcpu_highest > a->pcpu_highest ? b->pcpu_highest : a->pcpu_highest;
    a->has_runstates = a->has_runstates && b->has_runstates;
    into->end_ns = offset_ns + next->end_ns;
}
