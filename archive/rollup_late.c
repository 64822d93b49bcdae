/* Late rows: of each vCPU or pCPU together, so that they come out granularity by granularity. */
#include <string.h>

#include "archive/rollup_internal.h"
#include "metrics/min_max.h"

/* ---- what came of one vCPU ---- */

static uint64_t length_of(const struct rollup *r, size_t kept)
{
    return r->kept[kept].length_ns;
}

static bool has_samples(const struct measures *m)
{
    return m->run.count || m->wait.count || m->block.count;
}

static bool are_alike(const struct rollup_late_run *a, const struct rollup_late_run *b)
{
    return memcmp(&a->measures, &b->measures, offsetof(struct measures, run)) == 0 &&
           a->charged == b->charged && (!a->charged || memcmp(&a->idd, &b->idd, sizeof a->idd) == 0);
}

/* The last interval's charge has come, or there is none: it joins a run. False: no room. */
static bool settle_last(struct rollup *r)
{
    struct rollup_late *late = &r->late;
    if (!late->pending)
        return true;
    struct rollup_late_run *runs = late->runs[late->kept];
    size_t n = late->runs_n[late->kept];
    struct rollup_late_run *run = n ? &runs[n - 1] : NULL;
    bool adjoins = run && run->start_ns + run->intervals * length_of(r, late->kept) == late->last.start_ns;
    if (adjoins && are_alike(run, &late->last)) {
        run->intervals++;
    } else if (n == LATE_RUNS) {
        return false;
    } else {
        runs[n] = late->last;
        late->runs_n[late->kept]++;
    }
    late->pending = false;
    return true;
}

/* ---- handing out ---- */

/* A longer late interval, put together of kept ones. */
struct longer {
    struct interval interval;
    bool any;
    struct measures measures;
    bool charged;
    struct charge_idd idd;
};

static int tell_longer(struct rollup *r, size_t index, struct longer *longer)
{
    struct row row = r->late.row;
    row.measures = &longer->measures;
    if (!longer->any)
        return r->status;
    longer->any = false;
    rollup_tell(r, index, &longer->interval, &row, 1);
    return longer->charged ? rollup_tell_charges(r, &longer->interval, &longer->idd, 1) : r->status;
}

/* Adds a kept late interval to the longer one it belongs to, which was handed out before. */
static int add_to_longer(struct rollup *r, size_t index, struct longer *longer, uint64_t start_ns,
                         const struct rollup_late_run *run)
{
    uint64_t length_ns = r->asked[index].length_ns, begun_ns = start_ns - start_ns % length_ns;
    if (longer->any && begun_ns + length_ns != longer->interval.end_ns && tell_longer(r, index, longer) != 0)
        return r->status;
    if (!longer->any) {
        longer->any = true;
        longer->charged = false;
        longer->interval = (struct interval){.granularity_ns = length_ns,
                                             .start_ns = max64(begun_ns, r->plan.from_ns),
                                             .end_ns = begun_ns + length_ns,
                                             .late = true};
        measures_clear(&longer->measures);
    }
    measures_merge(&longer->measures, &run->measures); /* no samples in it: needs no memory */
    if (longer->charged)
        charge_idd_merge(&longer->idd, &run->idd);
    else if (run->charged)
        longer->idd = run->idd;
    longer->charged = longer->charged || run->charged;
    return r->status;
}

/* Adds a kept late interval to the longer one that is still open. */
static int add_to_open(struct rollup *r, struct rollup_asked *a, const struct rollup_late_run *run)
{
    struct row row = r->late.row;
    row.measures = &run->measures;
    if (rollup_add_rows(r, a, &row, 1) == 0 && run->charged)
        rollup_add_charges(r, a, &run->idd, 1);
    return r->status;
}

static int tell_granularity(struct rollup *r, size_t index)
{
    struct rollup_asked *a = &r->asked[index];
    uint64_t step_ns = length_of(r, a->use);
    struct longer longer = {.any = false};
    measures_init(&longer.measures);
    for (size_t i = 0; i < r->late.runs_n[a->use]; i++) {
        const struct rollup_late_run *run = &r->late.runs[a->use][i];
        for (uint64_t j = 0; j < run->intervals && r->status == 0; j++) {
            uint64_t start_ns = run->start_ns + j * step_ns;
            if (start_ns >= a->start_ns)
                add_to_open(r, a, run);
            else
                add_to_longer(r, index, &longer, start_ns, run);
        }
    }
    return r->status == 0 ? tell_longer(r, index, &longer) : r->status;
}

/* Hands out the runs there are. */
static int tell_runs(struct rollup *r)
{
    struct rollup_late *late = &r->late;
    for (size_t i = 0; i < r->plan.asked && r->status == 0; i++)
        tell_granularity(r, i);
    memset(late->runs_n, 0, sizeof late->runs_n);
    return r->status;
}

int rollup_late_end(struct rollup *r)
{
    struct rollup_late *late = &r->late;
    if (!late->any)
        return r->status;
    if (!settle_last(r)) {
        if (tell_runs(r) != 0)
            return r->status;
        settle_last(r);
    }
    late->any = false;
    return tell_runs(r);
}

/* ---- taking in ---- */

/* Whether an interval like that was handed out before. */
static bool is_known(const struct rollup *r, size_t kept, const struct interval *interval)
{
    uint64_t length_ns = length_of(r, kept), next_ns = r->kept[kept].next_ns;
    return length_ns > 0 && next_ns != NOT_SEEN && interval->end_ns <= next_ns &&
           interval->start_ns < interval->end_ns && interval->start_ns % length_ns == 0 &&
           interval->end_ns - interval->start_ns == length_ns;
}

/* Whether it is the same vCPU's next one: a meter tells them granularity by granularity, in the order of time. */
static bool goes_on(const struct rollup_late *late, size_t kept, const struct interval *interval,
                    const struct row *row)
{
    return row_compare(&late->row, row) == 0 &&
           (kept > late->kept || (kept == late->kept && interval->start_ns > late->last.start_ns));
}

/* A vCPU that joins others of its domain late leaves the domain's runstates alone, where there are intervals. */
static void judge(struct rollup *r, const struct measures *m)
{
    for (int state = 0; state < DOMAIN_RUNSTATES; state++)
        if (m->domain_ns[state])
            return;
    for (int state = 0; state < RUNSTATES; state++)
        if (m->state_ns[state])
            r->exact = false;
}

int rollup_late_take(struct rollup *r, size_t kept, const struct interval *interval, const struct row *rows,
                     size_t n)
{
    struct rollup_late *late = &r->late;
    if (r->plan.from_ns > 0 && (r->kept[kept].next_ns == NOT_SEEN || interval->start_ns < r->plan.from_ns))
        return 0;
    if (!is_known(r, kept, interval) || n > 1 || (n == 1 && has_samples(rows[0].measures)))
        return rollup_is_damaged(r);
    if (n == 0)
        return 0;
    r->of_use = true;
    if (r->straight)
        return rollup_tell(r, rollup_asked_index(r, kept), interval, rows, n);
    if (late->judged)
        judge(r, rows[0].measures);
    if (late->any && !goes_on(late, kept, interval, &rows[0]) && rollup_late_end(r) != 0)
        return r->status;
    if (!settle_last(r)) { /* no meter makes that many runs: out of order, but within bounds */
        if (tell_runs(r) != 0)
            return r->status;
        settle_last(r);
    }
    late->any = late->pending = true;
    late->row = rows[0];
    late->kept = kept;
    late->last = (struct rollup_late_run){
        .start_ns = interval->start_ns, .intervals = 1, .measures = *rows[0].measures};
    histogram_init(&late->last.measures.run); /* they may own empty pages that are not ours */
    histogram_init(&late->last.measures.wait);
    histogram_init(&late->last.measures.block);
    return 0;
}

int rollup_late_take_charges(struct rollup *r, const struct charge_idd *idds, size_t n)
{
    if (n > 1 || (n == 1 && idds[0].guests_n > 0))
        return rollup_is_damaged(r);
    if (n == 1 && r->late.pending) {
        r->late.last.charged = true;
        r->late.last.idd = idds[0];
        r->late.last.idd.guests = NULL;
    }
    return 0;
}
