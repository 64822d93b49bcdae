#include "archive/join.h"

#include <stdlib.h>

#include "archive/aggregate.h"

struct join {
    struct meter_sink sink;
    struct timeline_place place;
    struct aggregate whole[BYS]; /* of the whole trace, by enum by; the charges are with those by domain */
    bool any_whole[BYS];
    unsigned timeline; /* of the capture at hand */
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
    free(j);
}

struct timeline_place *join_begin_capture(struct join *j, uint64_t offset_ns, unsigned timeline, bool goes_on)
{
    j->timeline = timeline;
    j->place.offset_ns = offset_ns;
    for (size_t domain = 0; domain < RESULTS_DOMAINS && !goes_on; domain++)
        j->place.before[domain] = j->place.seen[domain] ? j->place.seen[domain] - 1 : 0;
    return &j->place;
}

static int no_memory(struct join *j)
{
    j->out_of_memory = true;
    return -1;
}

/* ---- a capture's results ---- */

static struct interval interval_moved(const struct join *j, const struct interval *i)
{
    struct interval to = *i;
    to.start_ns = timeline_ns(&j->place, i->start_ns);
    to.end_ns = timeline_ns(&j->place, i->end_ns);
    to.timeline = j->timeline;
    return to;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct join *j = context;
    struct interval to = interval_moved(j, interval);
    if (interval->granularity_ns != 0)
        return j->sink.interval(j->sink.context, &to, rows, n);
    j->any_whole[to.by] = true;
    return aggregate_add_rows(&j->whole[to.by], rows, n) ? 0 : no_memory(j);
}

static int take_execution(void *context, const struct execution *execution)
{
    const struct join *j = context;
    return j->sink.execution(j->sink.context, execution);
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct join *j = context;
    struct interval to = interval_moved(j, interval);
    if (interval->granularity_ns != 0)
        return j->sink.charges(j->sink.context, &to, idds, n);
    return aggregate_add_charges(&j->whole[BY_DOMAIN], idds, n) ? 0 : no_memory(j);
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

int join_finish(struct join *j, uint64_t end_ns, uint64_t gap_ns)
{
    struct interval whole = {.end_ns = end_ns, .gap_ns = gap_ns};
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
