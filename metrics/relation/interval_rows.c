#include "metrics/relation/relation_table.h"

/* ---- what the columns compute ---- */

static const struct row *row_of(const struct row_view *v)
{
    return v->row;
}

static const struct measures *measures_of(const struct row_view *v)
{
    return row_of(v)->measures;
}

/* A pCPU is running guests, idle or unknown; the other states are those of vCPUs. */
static struct value state(const struct row_view *v, enum runstate s)
{
    const struct measures *m = measures_of(v);
    if (v->by != BY_PCPU || s == RUNSTATE_RUNNING)
        return integer(m->state_ns[s]);
    return s == RUNSTATE_UNKNOWN ? integer(m->pcpu_unknown_ns) : none();
}

static struct value idle(const struct row_view *v)
{
    return v->by == BY_PCPU ? integer(measures_of(v)->idle_ns) : none();
}

static struct value together(const struct row_view *v, enum domain_runstate s)
{
    return v->by == BY_DOMAIN ? integer(measures_of(v)->domain_ns[s]) : none();
}

static struct value rate(const struct row_view *v, uint64_t n)
{
    uint64_t length = length_ns(v->interval);
    return length ? decimal((double)n * 1e9 / (double)length) : none();
}

/* A time per so many. */
static struct value per(struct value ns, uint64_t n)
{
    return ns.type == VALUE_INTEGER && ns.integer >= 0 ? mean((uint64_t)ns.integer, n) : none();
}

static struct value per_execution(const struct row_view *v, struct value ns)
{
    return per(ns, measures_of(v)->executions);
}

static struct value ratio(struct value n, uint64_t of)
{
    return n.type == VALUE_INTEGER && of ? decimal((double)n.integer / (double)of) : none();
}

/* Of a vCPU only notifications are known: the other events name the domain. */
static struct value io(const struct row_view *v, enum io_kind kind)
{
    return v->by != BY_VCPU || kind == IO_NOTIFY ? of_u64(measures_of(v)->io[kind]) : none();
}

static struct value io_sum(const struct row_view *v)
{
    const uint64_t *n = measures_of(v)->io;
    return v->by != BY_VCPU ? of_u64(n[IO_MAP] + n[IO_UNMAP] + n[IO_TRANSFER] + n[IO_NOTIFY]) : none();
}

static struct value io_rate(const struct row_view *v)
{
    struct value n = io_sum(v);
    return n.type == VALUE_INTEGER ? rate(v, (uint64_t)n.integer) : none();
}

static struct value blocked_per_io(const struct row_view *v)
{
    struct value n = io_sum(v);
    return n.type == VALUE_INTEGER ? per(state(v, RUNSTATE_BLOCKED), (uint64_t)n.integer) : none();
}

/* A trace does not show for which vCPU of a guest a driver domain worked. */
static struct value charged(const struct row_view *v)
{
    return v->by != BY_VCPU ? integer(measures_of(v)->charged_ns) : none();
}

/*
 * Of a pCPU, and of all domains together, what was charged while driver domains ran is part of the running time
 * already.
 */
static struct value aggregate(const struct row_view *v)
{
    const struct measures *m = measures_of(v);
    bool is_domain = (v->by == BY_DOMAIN || v->by == BY_DOMAIN_PCPU) && row_of(v)->domain >= 0;
    return is_domain ? integer(m->state_ns[RUNSTATE_RUNNING] + m->charged_ns) : none();
}

static struct value vcpus(const struct row_view *v)
{
    return v->by == BY_PCPU || v->by == BY_DOMAIN_PCPU ? none() : id_from_one(row_of(v)->vcpus);
}

static struct value percentile(const struct histogram *h, unsigned per_mille)
{
    return h->count ? of_u64(histogram_percentile(h, per_mille)) : none();
}

static struct value shortest(const struct histogram *h)
{
    return h->count ? of_u64(h->min) : none();
}

static struct value longest(const struct histogram *h)
{
    return h->count ? of_u64(h->max) : none();
}

static struct value longest_at(const struct histogram *h)
{
    return h->count ? of_u64(h->max_at) : none();
}

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    static struct value get_##NAME(const struct row_view *v) {                                               \
        const struct row *r = row_of(v);                                                                     \
        const struct measures *m = r->measures;                                                              \
        (void)m;                                                                                             \
        return VALUE;                                                                                        \
    }
#include "metrics/relation/interval_rows.def"

static const struct column columns[] = {
    TIMELINE_COLUMNS,
    BY_COLUMN,
    INTERVAL_COLUMNS(0),
    TIME_COLUMNS,
#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    {COLUMN_HEAD(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP), .get = get_##NAME},
#include "metrics/relation/interval_rows.def"
};

/* ---- sums ---- */

struct total {
    struct row row;
    struct measures measures;
};

/*
 * The row of sums is a row like the others, over the merged measures: times and counts add, the percentiles
 * are those of all samples together.
 */
static bool add_up(void *of, const struct rows *rows)
{
    struct total *total = of;
    if (!total->row.measures)
        measures_init(&total->measures);
    total->row = (struct row){.domain = -1, .vcpu = -1, .pcpu = -1, .measures = &total->measures};
    measures_clear(&total->measures);
    const struct row *at = rows->at;
    for (size_t r = 0; r < rows->n; r++) {
        if (!measures_merge(&total->measures, at[r].measures))
            return false;
        if (rows->by != BY_DOMAIN_PCPU) /* there a vCPU may be behind several rows */
            total->row.vcpus += at[r].vcpus;
    }
    return true;
}

static void total_free(void *total)
{
    measures_free(&((struct total *)total)->measures);
}

/* Neither time nor a charge: where time on some pCPUs only is counted, it was never there. */
static bool is_empty(const void *row)
{
    const struct measures *m = ((const struct row *)row)->measures;
    bool any = m->charged_ns != 0;
    for (int s = 0; s < RUNSTATES; s++)
        any |= m->state_ns[s] != 0;
    return !any;
}

const struct relation relation_rows = {
    .name = "row",
    .title = "rows (-c)",
    .table = "rows",
    .none = "nothing to show\n",
    .row_size = sizeof(struct row),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .by_subject = true,
    .table_sort = "runnable_ns",
    .add_up = add_up,
    .total_free = total_free,
    .total_size = sizeof(struct total),
    .is_empty = is_empty,
};
