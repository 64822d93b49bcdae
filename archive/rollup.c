#include "archive/rollup.h"

#include <stdlib.h>

#include "archive/aggregate.h"
#include "metrics/min_max.h"

#define NOT_SEEN UINT64_MAX

/* A granularity that was kept. */
struct rollup_kept {
    uint64_t length_ns; /* 0: the whole trace */
    bool used;
    uint64_t next_ns; /* where its next interval begins; NOT_SEEN before the first */
};

/* A granularity that is asked for, and its open interval. */
struct rollup_asked {
    uint64_t length_ns;
    size_t use;                /* the kept one it is made of */
    uint64_t start_ns, end_ns; /* those before start_ns were handed out */
    bool complete;             /* waits for the others that end there */
    struct aggregate aggregate;
};

struct rollup {
    struct rollup_plan plan;
    enum by by;
    struct meter_sink sink;
    uint64_t to_ns; /* where the part asked for ends */
    struct rollup_kept kept[METER_GRANULARITIES];
    struct rollup_asked asked[METER_GRANULARITIES];
    bool straight;           /* what is of use is what is asked for, in its order */
    bool waiting;            /* at least one that is asked for is complete: it ends at reached_ns */
    bool done;               /* the part asked for is over */
    uint64_t reached_ns;     /* the end of the latest interval */
    bool of_use;             /* the last interval: */
    struct interval current; /* charges that come next are about it */
    struct rollup_times times;
    int status; /* not 0: nothing more comes out */
    bool damaged, out_of_memory;
};

/* ---- what can be made of what ---- */

/* Where the part of the trace that is asked for ends. */
static uint64_t to_ns_of(const struct rollup_plan *plan)
{
    return plan->to_ns ? min64(plan->to_ns, plan->end_ns) : plan->end_ns;
}

/* Whether intervals of this length, cut at `from` and `to`, are made of whole ones of the kept length. */
static bool fits(const struct rollup_plan *plan, uint64_t kept_ns, uint64_t asked_ns)
{
    bool to_the_end = to_ns_of(plan) == plan->end_ns;
    if (kept_ns == 0)
        return asked_ns == 0 && plan->from_ns == 0 && to_the_end;
    return asked_ns % kept_ns == 0 && plan->from_ns % kept_ns == 0 &&
           (to_the_end || plan->to_ns % kept_ns == 0);
}

static bool is_longer(uint64_t kept_ns, uint64_t than_ns)
{
    return than_ns != 0 && (kept_ns == 0 || kept_ns > than_ns);
}

bool rollup_possible(const struct rollup_plan *plan, size_t use[METER_GRANULARITIES])
{
    uint64_t to_ns = to_ns_of(plan);
    if (plan->kept > METER_GRANULARITIES || plan->asked > METER_GRANULARITIES)
        return false;
    if (plan->from_ns > 0 && plan->from_ns >= to_ns)
        return false;
    if (plan->executions && to_ns < plan->end_ns)
        return false;
    for (size_t i = 0; i < plan->asked; i++) {
        bool any = false;
        for (size_t k = 0; k < plan->kept; k++) {
            bool better = !any || is_longer(plan->kept_ns[k], plan->kept_ns[use[i]]);
            if (!better || !fits(plan, plan->kept_ns[k], plan->asked_ns[i]))
                continue;
            use[i] = k;
            any = true;
        }
        if (!any)
            return false;
    }
    return true;
}

/* ---- what it ends with ---- */

static int is_damaged(struct rollup *r)
{
    r->damaged = true;
    return r->status = -1;
}

static int no_memory(struct rollup *r)
{
    r->out_of_memory = true;
    return r->status = -1;
}

bool rollup_out_of_memory(const struct rollup *r)
{
    return r->out_of_memory;
}

bool rollup_damaged(const struct rollup *r)
{
    return r->damaged;
}

const struct rollup_times *rollup_times(const struct rollup *r)
{
    return &r->times;
}

/* ---- handing out ---- */

/* Adds, and stops at the ends of the range. */
static void add_sum(int64_t *sum, int64_t ns)
{
    if (__builtin_add_overflow(*sum, ns, sum))
        *sum = ns < 0 ? INT64_MIN : INT64_MAX;
}

static int tell(struct rollup *r, size_t index, const struct interval *interval, const struct row *rows,
                size_t n)
{
    for (size_t i = 0; index == 0 && i < n; i++) {
        for (int state = 0; state < RUNSTATES; state++)
            add_sum(&r->times.vcpu_ns, rows[i].measures->state_ns[state]);
        add_sum(&r->times.unknown_ns, rows[i].measures->state_ns[RUNSTATE_UNKNOWN]);
        add_sum(&r->times.doubtful_ns, rows[i].measures->doubtful_ns);
    }
    if (r->status == 0)
        r->status = r->sink.interval(r->sink.context, interval, rows, n);
    return r->status;
}

static int tell_charges(struct rollup *r, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    if (r->status == 0 && r->sink.charges)
        r->status = r->sink.charges(r->sink.context, interval, idds, n);
    return r->status;
}

/* The open interval ends at the next multiple of its length, or where the part asked for does. */
static void open_interval(struct rollup *r, struct rollup_asked *a, uint64_t start_ns)
{
    uint64_t left_ns = r->to_ns - start_ns;
    a->start_ns = start_ns;
    a->end_ns = r->to_ns;
    if (a->length_ns)
        a->end_ns = start_ns + min64(a->length_ns - start_ns % a->length_ns, left_ns);
    a->complete = false;
    aggregate_clear(&a->aggregate);
}

static int close_interval(struct rollup *r, size_t index)
{
    struct rollup_asked *a = &r->asked[index];
    struct interval interval = {
        .granularity_ns = a->length_ns, .start_ns = a->start_ns, .end_ns = a->end_ns, .by = r->by};
    const struct charge_idd *idds;
    if (!aggregate_charges(&a->aggregate, &idds))
        return no_memory(r);
    tell(r, index, &interval, aggregate_rows(&a->aggregate), a->aggregate.rows.n);
    interval.by = BY_DOMAIN;
    if (a->aggregate.charged)
        tell_charges(r, &interval, idds, a->aggregate.idds.n);
    open_interval(r, a, a->end_ns);
    return r->status;
}

/*
 * If intervals wait, all that ends at their boundary has come: hands them out, the whole trace last, as a meter does.
 * False: nothing more is to come.
 */
static bool pass_boundary(struct rollup *r)
{
    if (!r->waiting)
        return true;
    for (int whole = 0; whole < 2; whole++)
        for (size_t i = 0; i < r->plan.asked && r->status == 0; i++)
            if (r->asked[i].complete && (r->asked[i].length_ns == 0) == whole)
                close_interval(r, i);
    r->waiting = false;
    r->done = r->reached_ns >= r->to_ns;
    return r->status == 0 && !r->done;
}

/* ---- what was kept ---- */

static size_t kept_index(const struct rollup *r, uint64_t length_ns)
{
    for (size_t k = 0; k < r->plan.kept; k++)
        if (r->kept[k].used && r->kept[k].length_ns == length_ns)
            return k;
    return METER_GRANULARITIES;
}

static size_t asked_index(const struct rollup *r, size_t kept)
{
    size_t i = 0;
    while (r->asked[i].use != kept)
        i++;
    return i;
}

/* Whether it is the next interval of its granularity; those before the part asked for may be left out. */
static bool is_next(const struct rollup *r, const struct rollup_kept *k, const struct interval *interval)
{
    uint64_t start_ns = interval->start_ns, end_ns = r->plan.end_ns;
    if (k->length_ns == 0)
        return k->next_ns == NOT_SEEN && start_ns == 0 && interval->end_ns == end_ns;
    if (start_ns >= end_ns || start_ns % k->length_ns != 0 ||
        interval->end_ns != start_ns + min64(k->length_ns, end_ns - start_ns))
        return false;
    return k->next_ns == NOT_SEEN ? start_ns <= r->plan.from_ns : start_ns == k->next_ns;
}

/* What was added fits, or it does not. */
static int check_memory(struct rollup *r, bool added)
{
    size_t held = 0;
    for (size_t i = 0; i < r->plan.asked; i++)
        held += r->asked[i].aggregate.memory;
    if (!added || (r->plan.memory_limit && held > r->plan.memory_limit))
        return no_memory(r);
    return r->status;
}

static int gather(struct rollup *r, size_t kept, const struct interval *interval, const struct row *rows,
                  size_t n)
{
    if (r->straight)
        return tell(r, asked_index(r, kept), interval, rows, n);
    for (size_t i = 0; i < r->plan.asked; i++) {
        struct rollup_asked *a = &r->asked[i];
        if (a->use != kept)
            continue;
        if (check_memory(r, aggregate_add_rows(&a->aggregate, rows, n)) != 0)
            return r->status;
        a->complete = interval->end_ns >= a->end_ns;
        r->waiting = r->waiting || a->complete;
    }
    return 0;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct rollup *r = context;
    size_t kept = kept_index(r, interval->granularity_ns);
    r->of_use = false;
    if (r->status != 0 || r->done || kept == METER_GRANULARITIES)
        return r->status;
    if (interval->end_ns > r->reached_ns && !pass_boundary(r))
        return r->status;
    r->current = *interval;
    r->current.by = r->by;
    struct rollup_kept *k = &r->kept[kept];
    if (!is_next(r, k, interval) || interval->end_ns < r->reached_ns)
        return is_damaged(r);
    k->next_ns = r->reached_ns = interval->end_ns;
    r->of_use = interval->end_ns > r->plan.from_ns || r->plan.from_ns == 0;
    return r->of_use ? gather(r, kept, &r->current, rows, n) : 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct rollup *r = context;
    const struct interval *current = &r->current;
    size_t kept = kept_index(r, interval->granularity_ns);
    if (r->status != 0 || !r->of_use || kept == METER_GRANULARITIES)
        return r->status;
    if (interval->granularity_ns != current->granularity_ns || interval->start_ns != current->start_ns)
        return is_damaged(r);
    if (r->straight)
        return tell_charges(r, interval, idds, n);
    for (size_t i = 0; i < r->plan.asked && r->status == 0; i++)
        if (r->asked[i].use == kept)
            check_memory(r, aggregate_add_charges(&r->asked[i].aggregate, idds, n));
    return r->status;
}

/* Where the open interval of a kept granularity begins. */
static uint64_t open_ns(const struct rollup_kept *k)
{
    return k->next_ns == NOT_SEEN ? 0 : k->next_ns;
}

/* What an open interval has of it that the kept ones, handed out before it was seen, have not. */
static int add_before_seen(struct rollup *r, struct rollup_asked *a, const struct before_seen *s)
{
    uint64_t from_ns = max64(s->from_ns, a->start_ns), to_ns = min64(s->seen_ns, open_ns(&r->kept[a->use]));
    if (from_ns >= to_ns)
        return r->status;
    uint64_t ns = to_ns - from_ns;
    const struct charge_idd idd = {
        .domain = s->row.domain, .life = s->row.life, .running_ns = ns, .unattributed_ns = ns};
    struct measures *m = aggregate_row(&a->aggregate, &s->row);
    if (m && r->by == BY_DOMAIN && !s->idle)
        before_seen_add_to_domain(s, m->domain_ns, ns);
    if (m)
        before_seen_add(s, m, from_ns, to_ns);
    bool charged = s->driver_domain && r->sink.charges;
    return check_memory(r, m && (!charged || aggregate_add_charges(&a->aggregate, &idd, 1)));
}

/* Unknown time that no row of the first granularity has. */
static void count_unknown(struct rollup *r, const struct before_seen *s)
{
    const struct rollup_asked *a = &r->asked[0];
    uint64_t from_ns = max64(s->from_ns, r->plan.from_ns);
    uint64_t to_ns = min64(s->seen_ns, r->straight ? open_ns(&r->kept[a->use]) : a->start_ns);
    if (r->plan.asked > 0 && s->state == RUNSTATE_UNKNOWN && !s->idle && r->by != BY_PCPU && from_ns < to_ns)
        r->times.unknown_ns += (int64_t)(to_ns - from_ns);
}

static int take_before_seen(void *context, const struct before_seen *s)
{
    struct rollup *r = context;
    r->of_use = false;
    if (r->status != 0 || r->done || !pass_boundary(r))
        return r->status;
    count_unknown(r, s);
    for (size_t i = 0; i < r->plan.asked && !r->straight && r->status == 0; i++)
        add_before_seen(r, &r->asked[i], s);
    return r->status;
}

/* A meter knows no execution that ended before the part asked for, and only the part of one that reaches into it. */
static int take_execution(void *context, const struct execution *execution)
{
    struct rollup *r = context;
    struct execution e = *execution;
    r->of_use = false;
    if (r->status != 0 || r->done || !pass_boundary(r))
        return r->status;
    if (e.end_ns < r->plan.from_ns)
        return 0;
    if (e.start_ns < r->plan.from_ns) {
        e.start_ns = r->plan.from_ns;
        e.ran_ns = e.end_ns - e.start_ns;
    }
    r->status = r->sink.execution(r->sink.context, &e);
    return r->status;
}

/* ---- the end ---- */

/* Whether a kept granularity lacks more than the last capture, which a meter that was stopped drops. */
static bool is_incomplete(const struct rollup *r, const struct rollup_kept *k)
{
    if (!k->used)
        return false;
    if (k->length_ns == 0)
        return k->next_ns == NOT_SEEN;
    uint64_t reached_ns = k->next_ns == NOT_SEEN ? r->plan.from_ns : k->next_ns;
    return reached_ns < r->to_ns && r->to_ns - reached_ns >= k->length_ns;
}

/* The whole trace as far as it is accounted, where its last capture is missing. */
static int close_whole(struct rollup *r)
{
    for (size_t i = 0; i < r->plan.asked && r->status == 0; i++) {
        struct rollup_asked *a = &r->asked[i];
        uint64_t reached_ns = r->kept[a->use].next_ns;
        if (a->length_ns || reached_ns == NOT_SEEN || reached_ns <= a->start_ns)
            continue;
        a->end_ns = reached_ns;
        close_interval(r, i);
    }
    return r->status;
}

int rollup_finish(struct rollup *r)
{
    if (r->status == 0)
        pass_boundary(r);
    if (r->status != 0)
        return r->status;
    for (size_t k = 0; k < r->plan.kept; k++)
        if (is_incomplete(r, &r->kept[k]))
            return is_damaged(r);
    return r->straight || r->done ? 0 : close_whole(r);
}

/* ---- the face ---- */

/*
 * Whether what is of use can be handed on as it comes: nothing is longer or cut, and the order is that of the kept
 * granularities, among those that end at boundaries as well as of the whole trace.
 */
static bool is_straight(const struct rollup *r)
{
    if (r->plan.from_ns > 0 || r->to_ns < r->plan.end_ns)
        return false;
    for (size_t i = 0; i < r->plan.asked; i++) {
        const struct rollup_asked *a = &r->asked[i];
        if (r->kept[a->use].length_ns != a->length_ns)
            return false;
        for (size_t before = 0; before < i; before++)
            if (a->length_ns == r->asked[before].length_ns ||
                (a->length_ns && r->asked[before].length_ns && r->asked[before].use > a->use))
                return false;
    }
    return true;
}

struct rollup *rollup_new(const struct rollup_plan *plan, enum by by, const struct meter_sink *sink)
{
    size_t use[METER_GRANULARITIES];
    struct rollup *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    if (!rollup_possible(plan, use)) {
        free(r);
        return NULL;
    }
    r->plan = *plan;
    r->by = by;
    r->sink = *sink;
    r->to_ns = to_ns_of(plan);
    for (size_t k = 0; k < plan->kept; k++)
        r->kept[k] = (struct rollup_kept){.length_ns = plan->kept_ns[k], .next_ns = NOT_SEEN};
    for (size_t i = 0; i < plan->asked; i++) {
        struct rollup_asked *a = &r->asked[i];
        a->length_ns = plan->asked_ns[i];
        a->use = use[i];
        r->kept[a->use].used = true;
        aggregate_init(&a->aggregate);
        open_interval(r, a, plan->from_ns);
    }
    r->straight = is_straight(r);
    return r;
}

void rollup_free(struct rollup *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->plan.asked; i++)
        aggregate_free(&r->asked[i].aggregate);
    free(r);
}

struct meter_sink rollup_sink(struct rollup *r)
{
    return (struct meter_sink){
        .context = r,
        .interval = take_interval,
        .execution = r->plan.executions && r->sink.execution ? take_execution : NULL,
        .charges = r->sink.charges ? take_charges : NULL,
        .before_seen = take_before_seen,
    };
}

void rollup_span(const struct rollup *r, uint64_t *from_ns, uint64_t *to_ns)
{
    *from_ns = r->plan.from_ns;
    *to_ns = r->to_ns;
}
