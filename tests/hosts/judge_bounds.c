#include "core_host.h"
#include "judge_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void judge_miss(struct judging *j, const struct place *p, const char *kind, double weight, const char *format,
                ...)
{
    struct misses *m = j->misses;
    size_t i = 0;
    m->n++;
    while (i < m->kept_n && strcmp(m->kept[i].kind, kind) != 0)
        i++;
    if (i == MISSES_KEPT || (i < m->kept_n && m->weight[i] >= weight))
        return;
    m->kept_n += i == m->kept_n;
    m->weight[i] = weight;
    struct miss *kept = &m->kept[i];
    snprintf(kept->kind, sizeof kept->kind, "%s", kind);
    int at = 0;
    if (p)
        at = snprintf(kept->text, sizeof kept->text, "%s [%.0f, %.0f) ns: ", p->name,
                      (double)(p->from - j->first_tsc) * j->ns_per_cycle,
                      (double)(p->to - j->first_tsc) * j->ns_per_cycle);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(kept->text + at, sizeof kept->text - (size_t)at, format, arguments);
    va_end(arguments);
}

/* ---- times ---- */

static const char *const state_columns[] = {"running_ns", "runnable_ns", "blocked_ns", "offline_ns"};

void judge_time(struct judging *j, const struct place *p, const char *column, const char *kind, double truth)
{
    double value = number(p, column);
    double below = value - doubtful(p) - truth, above = truth - (value + unknown(p) + doubtful(p));
    if (below > p->tolerance_ns || above > p->tolerance_ns)
        judge_miss(j, p, kind, below > above ? below : above,
                   "%s %.0f, unknown %.0f, doubtful %.0f; truth %.0f (%s by %.0f)", column, value, unknown(p),
                   doubtful(p), truth, below > above ? "less" : "more", below > above ? below : above);
}

bool judge_hides_cores(const struct judging *j)
{
    enum { SWITCHES_LEAST = 4 }; /* of each pCPU */
    return j->plan->siblings && j->v->switches < (uint64_t)SWITCHES_LEAST * j->r->pcpus_n;
}

bool judge_is_silent(const struct judging *j, const struct place *p)
{
    if (judge_hides_cores(j))
        return true;
    bool proven = j->proofs.enough && (p->whole || p->from >= j->proofs.since_tsc);
    bool shows = (proven || j->v->has_partial_core) && !j->v->hides_partial_core;
    return p->to > j->v->unreported_tsc || (j->plan->unseen && !shows);
}

/* ---- counts, and the longest ---- */

static void check_most(struct judging *j, const struct place *p, const char *column, const char *kind,
                       double truth, double tolerance)
{
    if (has(p, column) && number(p, column) > truth + tolerance)
        judge_miss(j, p, kind, number(p, column) - truth, "%s %.0f; truth %.0f", column, number(p, column),
                   truth);
}

/* Where only switches are traced, why one happened is in other records: that these are missing must show. */
static void check_tally(struct judging *j, const struct place *p, const struct tally *t)
{
    if (judge_hides_cores(j))
        return;
    bool goes_back =
        j->plan->shift_back && j->plan->sweep_us < 2 * j->plan->shift_us; /* as all was delivered */
    if ((j->plan->mix == 4 || j->plan->shift_us) && (goes_back || judge_is_silent(j, p)))
        return;
    check_most(j, p, "executions", "count-executions", t->executions, 0);
    check_most(j, p, "wakes", "count-wakes", t->wakes, 0);
    check_most(j, p, "blocks", "count-blocks", t->blocks, 0);
    check_most(j, p, "preemptions", "count-preemptions", t->preempted, 0);
    if (p->whole) /* one that happened unseen shows later */
        check_most(j, p, "migrations", "count-migrations", t->migrations, 0);
    if (judge_is_silent(j, p))
        return;
    check_most(j, p, "run_max_ns", "sample-run", t->run_max, p->tolerance_ns);
    check_most(j, p, "wait_max_ns", "sample-wait", t->wait_max, p->tolerance_ns);
    check_most(j, p, "block_max_ns", "sample-block", t->block_max, p->tolerance_ns);
}

/* ---- rows about vCPUs ---- */

static double sum_of_states(const struct place *p)
{
    double sum = unknown(p);
    for (int s = 0; s < RUNSTATE_COUNT; s++)
        sum += number(p, state_columns[s]);
    return sum;
}

void sums_add(struct judging *j, const struct place *p, const struct truth_vcpu *v, struct sums *sums)
{
    uint64_t margin = (uint64_t)((j->slack_ns * 3 + 2) / j->ns_per_cycle) + 2;
    for (int s = 0; s < RUNSTATE_COUNT; s++)
        sums->states[s] += (double)truth_cycles(v, (enum runstate)s, p->from, p->to) * j->ns_per_cycle;
    sums->alive_ns += (double)truth_alive(v, p->from, p->to) * j->ns_per_cycle;
    /* Of time before it was seen (before_seen_ns) it is only known how much was doubtful in all. */
    uint64_t from = number(p, "before_seen_ns") > 0 ? j->v->first_tsc : p->from;
    sums->breadth_ns +=
        (double)gaps_within(&j->breadth->vcpus[v - j->r->vcpus], from, p->to) * j->ns_per_cycle;
    sums->open_ns +=
        (double)gaps_within(&j->breadth->open[v - j->r->vcpus], p->from, p->to) * j->ns_per_cycle;
    sums->changes += truth_changes(v, p->from, p->to);
    sums->vcpus++;
    tally_add(&sums->tally, v, p->from > margin ? p->from - margin : 0, p->to + margin, j->ns_per_cycle);
}

double judge_tolerance(const struct judging *j, size_t vcpus, size_t changes)
{
    return (double)vcpus * (4 + 2 * j->ns_per_cycle) + (1 + j->slack_ns) * (double)changes +
           2 * j->slack_ns * (double)vcpus;
}

/* Records that are missing without a report show by contradictions only: those do not say since when. */
static void check_breadth(struct judging *j, const struct place *p, double most)
{
    double said = unknown(p) + doubtful(p);
    if (said > most + p->tolerance_ns && !judge_hides_cores(j) && j->v->unreported_tsc == UINT64_MAX &&
        !j->v->is_vague)
        judge_miss(j, p, "breadth", said - most, "unknown %.0f + doubtful %.0f; missing records explain %.0f",
                   unknown(p), doubtful(p), most);
}

static double blind_ns(const struct judging *j)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < j->v->gaps.n; i++)
        sum += j->v->gaps.items[i].to - j->v->gaps.items[i].from;
    return (double)sum * j->ns_per_cycle;
}

/* Whether only one pCPU, or core, lost records: others' rings may have been full, too. */
static bool one_is_lossy(const struct judging *j)
{
    const struct gaps *g = &j->v->gaps;
    for (size_t i = 1; i < g->n; i++) {
        uint32_t a = g->items[i].pcpu, b = g->items[0].pcpu;
        if (a != b && (!j->plan->siblings || core_of_pcpu(j->plan, a) != core_of_pcpu(j->plan, b)))
            return false;
    }
    return plan_has_one_lossy_pcpu(j->plan);
}

/* The longest that a vCPU had waited at tsc, as far as the trace goes back. */
static uint64_t longest_at(const struct judging *j, uint64_t tsc)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < j->r->vcpus_n; i++) {
        const struct truth_vcpu *t = &j->r->vcpus[i];
        const struct truth_change *c = &t->changes[truth_at(t, tsc)];
        uint64_t since = c->tsc > j->v->first_tsc ? c->tsc : j->v->first_tsc;
        if (c->state == RUNSTATE_RUNNABLE && tsc > since && tsc - since > longest)
            longest = tsc - since;
    }
    return longest;
}

/*
 * As how long a reader has to count waits that a loss, or the end of the trace, cuts off: when they ended is not recorded, so
 * that they may have lasted as long again, however short the host knows them to be.
 */
static double longest_cut_off(const struct judging *j)
{
    uint64_t longest = longest_at(j, j->v->last_tsc);
    for (size_t i = 0; i < j->v->gaps.n; i++) {
        uint64_t waited = longest_at(j, j->v->gaps.items[i].from);
        longest = waited > longest ? waited : longest;
    }
    return 2 * (double)longest * j->ns_per_cycle;
}

/*
 * Whether vCPUs wait for less than half of the time between two losses, and before the first and after the last one; for less
 * than that where few waits are in such a time, so that the longest one need not be among them. With caps of Credit the same of
 * pauses: one pCPU begins and ends all of them, and may be the blind one.
 */
static bool waits_are_short(const struct judging *j, const struct place *p)
{
    enum { FEW_CHANGES = 512 };
    double lights = 2 * (double)j->plan->losses; /* at the ends: the losses are even */
    double light_ns = p->length_ns / lights, few = FEW_CHANGES * lights / (double)(j->v->changes_n + 1);
    double longest = tally_longest_wait(j->r, j->ns_per_cycle), cut_off = longest_cut_off(j);
    return (longest > cut_off ? longest : cut_off) * (2 + few) < light_ns &&
           (!j->plan->caps || tally_longest_pause(j->r, j->ns_per_cycle) * 2 < light_ns);
}

/*
 * One of eight pCPUs or more was blind for 1 % of the time or less: no vCPU has a larger share of unknown. But where vCPUs
 * wait for long, one that seems to sleep from one loss to the next may have waited; and where no change is recorded at one
 * side of a loss, nobody can say what the vCPU did there (open_ns).
 */
static void check_share(struct judging *j, const struct place *p, double open_ns)
{
    bool alone = one_is_lossy(j) && !judge_hides_cores(j) && j->v->unreported_tsc == UINT64_MAX;
    double said = unknown(p) + doubtful(p), most = blind_ns(j) + open_ns;
    if (alone && p->whole && said > most + p->tolerance_ns && waits_are_short(j, p))
        judge_miss(j, p, "share", said - most, "unknown %.0f + doubtful %.0f; one pCPU was blind for %.0f",
                   unknown(p), doubtful(p), blind_ns(j));
}

void sums_check(struct judging *j, struct place *p, const struct sums *sums)
{
    static const char *const kinds[2][RUNSTATE_COUNT] = {
        {"domain-running", "domain-runnable", "domain-blocked", "domain-offline"},
        {"vcpu-running", "vcpu-runnable", "vcpu-blocked", "vcpu-offline"},
    };
    p->tolerance_ns = judge_tolerance(j, sums->vcpus, sums->changes);
    double off = sum_of_states(p) - sums->alive_ns;
    bool begins_early = j->plan->shift_us && judge_is_silent(j, p); /* by a stamp that went back */
    if (!begins_early && (off > p->tolerance_ns || -off > p->tolerance_ns))
        judge_miss(j, p, "sum", off < 0 ? -off : off, "states sum to %.0f of %.0f", sum_of_states(p),
                   sums->alive_ns);
    if (!judge_is_silent(j, p))
        for (int s = 0; s < RUNSTATE_COUNT; s++)
            judge_time(j, p, state_columns[s], kinds[p->by == BY_VCPU][s], sums->states[s]);
    check_tally(j, p, &sums->tally);
    if (p->by == BY_VCPU && j->plan->mix != 4) {
        check_breadth(j, p, sums->breadth_ns);
        check_share(j, p, sums->open_ns);
    }
}
