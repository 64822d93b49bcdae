#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "breadth.h"
#include "hidden.h"
#include "proofs.h"
#include "tally.h"

enum kind { BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU, BY_UNKNOWN };

struct judging {
    struct misses *misses;
    const struct plan *plan;
    const struct recording *r;
    const struct view *v;
    const struct breadth *breadth;
    struct proofs proofs; /* of unread pCPUs */
    uint64_t first_tsc;   /* as the program has it */
    double ns_per_cycle;
    double slack_ns; /* of each change of state: by so much records are off the instant */
};

struct place {
    enum kind by;
    uint64_t from, to; /* tsc */
    double length_ns;
    const json_t *row;
    const char *name;
    double tolerance_ns;
    bool whole; /* the row over the whole trace */
};

/* ---- what a row says ---- */

static bool has(const struct place *p, const char *column)
{
    return json_is_number(json_object_get(p->row, column));
}

static double number(const struct place *p, const char *column)
{
    return json_number_value(json_object_get(p->row, column));
}

static double unknown(const struct place *p)
{
    return number(p, "unknown_ns");
}

static double doubtful(const struct place *p)
{
    return number(p, "doubtful_ns");
}

__attribute__((format(printf, 5, 6))) static void
miss(struct judging *j, const struct place *p, const char *kind, double weight, const char *format, ...)
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

/* ---- bounds of times ---- */

static const char *const state_columns[] = {"running_ns", "runnable_ns", "blocked_ns", "offline_ns"};

static void check_time(struct judging *j, const struct place *p, const char *column, const char *kind,
                       double truth)
{
    double value = number(p, column);
    double below = value - doubtful(p) - truth, above = truth - (value + unknown(p) + doubtful(p));
    if (below > p->tolerance_ns || above > p->tolerance_ns)
        miss(j, p, kind, below > above ? below : above,
             "%s %.0f, unknown %.0f, doubtful %.0f; truth %.0f (%s by %.0f)", column, value, unknown(p),
             doubtful(p), truth, below > above ? "less" : "more", below > above ? below : above);
}

/*
 * Core scheduling shows by switches that contradict one another, again and again: in a few records it does not. A file that was
 * cut in its first sweep, or is of a host that hardly ever switches, has no more.
 */
static bool hides_cores(const struct judging *j)
{
    enum { SWITCHES_LEAST = 4 }; /* of each pCPU */
    return j->plan->siblings && j->v->switches < (uint64_t)SWITCHES_LEAST * j->r->pcpus_n;
}

/* What the records say is all that there is. */
static bool is_silent(const struct judging *j, const struct place *p)
{
    if (hides_cores(j))
        return true;
    bool proven = j->proofs.enough && (p->whole || p->from >= j->proofs.since_tsc);
    bool shows = (proven || j->v->has_partial_core) && !j->v->hides_partial_core;
    return p->to > j->v->unreported_tsc || (j->plan->unseen && !shows);
}

/* ---- bounds of counts and of the longest ---- */

static void check_most(struct judging *j, const struct place *p, const char *column, const char *kind,
                       double truth, double tolerance)
{
    if (has(p, column) && number(p, column) > truth + tolerance)
        miss(j, p, kind, number(p, column) - truth, "%s %.0f; truth %.0f", column, number(p, column), truth);
}

/* Where only switches are traced, why one happened is in other records: that these are missing must show. */
static void check_tally(struct judging *j, const struct place *p, const struct tally *t)
{
    if (hides_cores(j))
        return;
    bool goes_back =
        j->plan->shift_back && j->plan->sweep_us < 2 * j->plan->shift_us; /* as all was delivered */
    if ((j->plan->mix == 4 || j->plan->shift_us) && (goes_back || is_silent(j, p)))
        return;
    check_most(j, p, "executions", "count-executions", t->executions, 0);
    check_most(j, p, "wakes", "count-wakes", t->wakes, 0);
    check_most(j, p, "blocks", "count-blocks", t->blocks, 0);
    /* A wake whose late record lies between a vCPU's BLOCK and its switch undoes the block, as it would in Xen. */
    if (j->plan->mix != 4 || !j->plan->delayed)
        check_most(j, p, "preemptions", "count-preemptions", t->preempted, 0);
    if (p->whole) /* one that happened unseen shows later */
        check_most(j, p, "migrations", "count-migrations", t->migrations, 0);
    if (is_silent(j, p))
        return;
    check_most(j, p, "run_max_ns", "sample-run", t->run_max, p->tolerance_ns);
    check_most(j, p, "wait_max_ns", "sample-wait", t->wait_max, p->tolerance_ns);
    check_most(j, p, "block_max_ns", "sample-block", t->block_max, p->tolerance_ns);
}

/* ---- rows ---- */

static double states_sum(const struct place *p)
{
    double sum = unknown(p);
    for (int s = 0; s < RUNSTATE_COUNT; s++)
        sum += number(p, state_columns[s]);
    return sum;
}

/* Tolerance, times and counts of a row about these vCPUs. */
struct sums {
    double states[RUNSTATE_COUNT];
    double alive_ns, breadth_ns, open_ns;
    struct tally tally;
    size_t changes, vcpus;
};

static void add_vcpu(struct judging *j, const struct place *p, const struct truth_vcpu *v, struct sums *sums)
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

/* The instant of each change is rounded to whole ns, by the hypervisor in its payloads or by the reader. */
static double tolerance(const struct judging *j, size_t vcpus, size_t changes)
{
    return (double)vcpus * (4 + 2 * j->ns_per_cycle) + (1 + j->slack_ns) * (double)changes +
           2 * j->slack_ns * (double)vcpus;
}

/* Records that are missing without a report show by contradictions only: those do not say since when. */
static void check_breadth(struct judging *j, const struct place *p, double most)
{
    double said = unknown(p) + doubtful(p);
    if (said > most + p->tolerance_ns && !hides_cores(j) && j->v->unreported_tsc == UINT64_MAX &&
        !j->v->is_vague)
        miss(j, p, "breadth", said - most, "unknown %.0f + doubtful %.0f; missing records explain %.0f",
             unknown(p), doubtful(p), most);
}

static double blind_ns(const struct judging *j)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < j->v->gaps.n; i++)
        sum += j->v->gaps.items[i].to - j->v->gaps.items[i].from;
    return (double)sum * j->ns_per_cycle;
}

/* Whether vCPUs wait for less than half of the time between two losses, and before the first and after the last one. */
static bool waits_are_short(const struct judging *j, const struct place *p)
{
    double light_ns = p->length_ns / (2 * (double)j->plan->losses); /* at the ends: the losses are even */
    return tally_longest_wait(j->r, j->ns_per_cycle) * 2 < light_ns;
}

/*
 * One of eight pCPUs or more was blind for 1 % of the time or less: no vCPU has a larger share of unknown. But where vCPUs
 * wait for long, one that seems to sleep from one loss to the next may have waited; and where no change is recorded at one
 * side of a loss, nobody can say what the vCPU did there (open_ns).
 */
static void check_share(struct judging *j, const struct place *p, double open_ns)
{
    bool alone = plan_has_one_lossy_pcpu(j->plan) && !hides_cores(j) && j->v->unreported_tsc == UINT64_MAX;
    double said = unknown(p) + doubtful(p), most = blind_ns(j) + open_ns;
    if (alone && p->whole && said > most + p->tolerance_ns && waits_are_short(j, p))
        miss(j, p, "share", said - most, "unknown %.0f + doubtful %.0f; one pCPU was blind for %.0f",
             unknown(p), doubtful(p), blind_ns(j));
}

static void check_sums(struct judging *j, struct place *p, const struct sums *sums)
{
    static const char *const kinds[2][RUNSTATE_COUNT] = {
        {"domain-running", "domain-runnable", "domain-blocked", "domain-offline"},
        {"vcpu-running", "vcpu-runnable", "vcpu-blocked", "vcpu-offline"},
    };
    p->tolerance_ns = tolerance(j, sums->vcpus, sums->changes);
    double off = states_sum(p) - sums->alive_ns;
    bool begins_early = j->plan->shift_us && is_silent(j, p); /* by a stamp that went back */
    if (!begins_early && (off > p->tolerance_ns || -off > p->tolerance_ns))
        miss(j, p, "sum", off < 0 ? -off : off, "states sum to %.0f of %.0f", states_sum(p), sums->alive_ns);
    if (!is_silent(j, p))
        for (int s = 0; s < RUNSTATE_COUNT; s++)
            check_time(j, p, state_columns[s], kinds[p->by == BY_VCPU][s], sums->states[s]);
    check_tally(j, p, &sums->tally);
    if (p->by == BY_VCPU && j->plan->mix != 4) {
        check_breadth(j, p, sums->breadth_ns);
        check_share(j, p, sums->open_ns);
    }
}

static const struct truth_vcpu *find_vcpu(const struct judging *j, int domain, int life, int vcpu)
{
    for (size_t i = 0; i < j->r->vcpus_n; i++) {
        const struct truth_vcpu *v = &j->r->vcpus[i];
        if (v->domain == domain && v->vcpu == vcpu && (int)v->life == life)
            return v;
    }
    return NULL;
}

/* With records of births and deaths missing, lives cannot be told apart. */
static bool lives_blur(const struct judging *j, const struct place *p)
{
    return number(p, "domain") > (double)j->plan->domains && plan_damages(j->plan);
}

static void judge_vcpu(struct judging *j, struct place *p)
{
    const struct truth_vcpu *v =
        find_vcpu(j, (int)number(p, "domain"), (int)number(p, "life"), (int)number(p, "vcpu"));
    struct sums sums = {0};
    if (lives_blur(j, p))
        return;
    if (!v) {
        miss(j, p, "ghost", 0, "no such vCPU");
        return;
    }
    if (is_hidden(j->plan, j->v, v, p->from, p->to))
        return;
    add_vcpu(j, p, v, &sums);
    check_sums(j, p, &sums);
}

/* Over the vCPUs that it has: those with a row of their own in the same interval. */
static void judge_domain(struct judging *j, struct place *p, const json_t *vcpu_rows)
{
    struct sums sums = {0};
    if (lives_blur(j, p))
        return;
    for (size_t i = 0; i < json_array_size(vcpu_rows); i++) {
        const json_t *row = json_array_get(vcpu_rows, i);
        const struct place of = {.row = row};
        if (number(&of, "domain") != number(p, "domain") || number(&of, "life") != number(p, "life"))
            continue;
        const struct truth_vcpu *v =
            find_vcpu(j, (int)number(&of, "domain"), (int)number(&of, "life"), (int)number(&of, "vcpu"));
        if (v && is_hidden(j->plan, j->v, v, p->from, p->to))
            return;
        if (v)
            add_vcpu(j, p, v, &sums);
    }
    if (number(p, "vcpus") != (double)sums.vcpus)
        miss(j, p, "domain-vcpus", 0, "%.0f vCPUs, and %zu rows of vCPUs", number(p, "vcpus"), sums.vcpus);
    else
        check_sums(j, p, &sums);
}

/* Guests' running time there, all of them or one domain's. */
static double ran_on(const struct judging *j, const struct place *p, int domain, size_t *changes)
{
    double sum = 0;
    for (size_t i = 0; i < j->r->vcpus_n; i++) {
        const struct truth_vcpu *v = &j->r->vcpus[i];
        uint64_t ran = domain < 0 || v->domain == domain
                           ? truth_running_on(v, (uint32_t)number(p, "pcpu"), p->from, p->to)
                           : 0;
        sum += (double)ran * j->ns_per_cycle;
        *changes += ran ? truth_changes(v, p->from, p->to) : 0;
    }
    return sum;
}

static void judge_pcpu(struct judging *j, struct place *p)
{
    size_t changes = 0;
    double ran = ran_on(j, p, -1, &changes);
    double all = number(p, "running_ns") + number(p, "idle_ns") + unknown(p);
    p->tolerance_ns = tolerance(j, 2, changes);
    if (all - p->length_ns > 1 || p->length_ns - all > 1)
        miss(j, p, "pcpu-sum", all - p->length_ns, "running, idle and unknown sum to %.0f", all);
    if (is_silent(j, p))
        return;
    check_time(j, p, "running_ns", "pcpu-running", ran);
    check_time(j, p, "idle_ns", "pcpu-idle", p->length_ns - ran);
}

static double sum_of_domain(const json_t *rows, double domain, const char *column)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const struct place of = {.row = json_array_get(rows, i)};
        if (number(&of, "domain") == domain)
            sum += number(&of, column);
    }
    return sum;
}

/* Time of a domain that is not known has no pCPU, or the one where it was last seen: all of it may belong here. */
static void judge_domain_pcpu(struct judging *j, struct place *p, const json_t *rows)
{
    size_t changes = 0;
    if (!has(p, "pcpu") || lives_blur(j, p) || number(p, "domain") > (double)j->plan->domains ||
        is_silent(j, p))
        return;
    double ran = ran_on(j, p, (int)number(p, "domain"), &changes);
    p->tolerance_ns = tolerance(j, (size_t)j->plan->vcpus, changes);
    double doubt = sum_of_domain(rows, number(p, "domain"), "doubtful_ns");
    double most = number(p, "running_ns") + sum_of_domain(rows, number(p, "domain"), "unknown_ns") + doubt;
    if (number(p, "running_ns") - doubt - ran > p->tolerance_ns || ran - most > p->tolerance_ns)
        miss(j, p, "domain-pcpu-running", ran, "running_ns %.0f, at most %.0f, doubtful %.0f; truth %.0f",
             number(p, "running_ns"), most, doubt, ran);
}

/* ---- reports ---- */

static uint64_t tsc_of(const struct judging *j, const json_t *interval, const char *end)
{
    return j->first_tsc +
           (uint64_t)(json_number_value(json_object_get(interval, end)) / j->ns_per_cycle + 0.5);
}

static void name_row(char name[64], enum kind by, const struct place *p)
{
    if (by == BY_PCPU)
        snprintf(name, 64, "pCPU %.0f", number(p, "pcpu"));
    else if (by == BY_VCPU)
        snprintf(name, 64, "d%.0fv%.0f", number(p, "domain"), number(p, "vcpu"));
    else if (by == BY_DOMAIN)
        snprintf(name, 64, "d%.0f", number(p, "domain"));
    else
        snprintf(name, 64, "d%.0f on pCPU %.0f", number(p, "domain"), number(p, "pcpu"));
}

/* rows: all of the interval; vcpu_rows: those by vCPU of the same interval. */
static void judge_row(struct judging *j, struct place *p, const json_t *rows, const json_t *vcpu_rows)
{
    if (number(p, "running_ns") < 0 || unknown(p) < 0 || doubtful(p) < 0)
        miss(j, p, "negative", -unknown(p), "running_ns %.0f, unknown %.0f, doubtful %.0f",
             number(p, "running_ns"), unknown(p), doubtful(p));
    switch (p->by) {
    case BY_DOMAIN:
        judge_domain(j, p, vcpu_rows);
        break;
    case BY_VCPU:
        judge_vcpu(j, p);
        break;
    case BY_PCPU:
        judge_pcpu(j, p);
        break;
    case BY_DOMAIN_PCPU:
        judge_domain_pcpu(j, p, rows);
        break;
    default:
        break;
    }
}

static enum kind kind_of(const json_t *report)
{
    static const char *const names[] = {"domain", "vcpu", "pcpu", "domain-pcpu"};
    const char *by = json_string_value(json_object_get(report, "by"));
    for (int i = 0; by && i < BY_UNKNOWN; i++)
        if (strcmp(names[i], by) == 0)
            return (enum kind)i;
    return BY_UNKNOWN;
}

/* The rows by vCPU of the same granularity's interval with the same number. */
static const json_t *vcpu_rows_of(const json_t *reports, const json_t *report, size_t interval)
{
    const json_t *granularity = json_object_get(report, "granularity_ns");
    for (size_t i = 0; i < json_array_size(reports); i++) {
        const json_t *other = json_array_get(reports, i);
        if (kind_of(other) == BY_VCPU && json_equal(json_object_get(other, "granularity_ns"), granularity))
            return json_object_get(json_array_get(json_object_get(other, "intervals"), interval), "rows");
    }
    return NULL;
}

static void judge_interval(struct judging *j, enum kind by, bool whole, const json_t *interval,
                           const json_t *vcpu_rows)
{
    const json_t *rows = json_object_get(interval, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char name[64];
        struct place p = {.by = by, .row = json_array_get(rows, i), .name = name, .whole = whole};
        p.from = tsc_of(j, interval, "start_ns");
        p.to = tsc_of(j, interval, "end_ns");
        p.length_ns = json_number_value(json_object_get(interval, "end_ns")) -
                      json_number_value(json_object_get(interval, "start_ns"));
        name_row(name, by, &p);
        judge_row(j, &p, rows, vcpu_rows);
    }
}

static void judge_report(struct judging *j, const json_t *reports, const json_t *report)
{
    enum kind by = kind_of(report);
    bool whole = json_integer_value(json_object_get(report, "granularity_ns")) == 0;
    const json_t *intervals = json_object_get(report, "intervals");
    for (size_t i = 0; i < json_array_size(intervals); i++)
        judge_interval(j, by, whole, json_array_get(intervals, i),
                       by == BY_DOMAIN ? vcpu_rows_of(reports, report, i) : NULL);
}

static void judge_verdict(struct judging *j, const json_t *quality)
{
    const char *verdict = json_string_value(json_object_get(quality, "verdict"));
    bool nothing_shows =
        j->v->is_unseen && (j->v->hides_partial_core || j->proofs.n + j->v->has_partial_core == 0);
    const char *missing = nothing_shows ? NULL : view_lacks(j->v);
    if (!verdict)
        miss(j, NULL, "verdict", 0, "there is none");
    else if (missing && strcmp(verdict, "good") == 0)
        miss(j, NULL, "verdict-good", 0, "good, and %s", missing);
    else if (view_is_flawless(j->v, j->plan) && strcmp(verdict, "good") != 0)
        miss(j, NULL, "verdict-bad", 0, "%s, and nothing is missing: %s", verdict,
             json_string_value(json_array_get(json_object_get(quality, "why"), 0)));
}

static void judge_failure(struct judging *j, const struct answer *answer)
{
    /* What is left of the first sweep may be all before the first record of a guest. */
    bool nothing_left = (j->v->first_tsc == 0 || j->plan->cut || j->v->names_nobody) && answer->status == 2;
    if (!nothing_left)
        miss(j, NULL, "failed", 1e18, "exit status %d: %.180s", answer->status, answer->message);
}

bool judge(struct misses *misses, const struct plan *plan, const struct recording *r, const struct view *v,
           const struct answer *answer)
{
    struct breadth breadth;
    struct judging j = {.misses = misses,
                        .plan = plan,
                        .r = r,
                        .v = v,
                        .breadth = &breadth,
                        .ns_per_cycle = 1e9 / (double)r->cpu_hz,
                        .slack_ns = (plan->delayed ? 3000 : 0) + (double)plan->skew_ns};
    memset(misses, 0, sizeof *misses);
    if (answer->status != 0 || !answer->report) {
        judge_failure(&j, answer);
        return true;
    }
    bool done = breadth_make(&breadth, r, v) && proofs_make(&j.proofs, plan, r, v);
    const json_t *reports = json_object_get(answer->report, "reports");
    j.first_tsc =
        (uint64_t)json_integer_value(json_object_get(json_object_get(answer->report, "trace"), "tsc_first"));
    if (done && v->first_tsc) {
        for (size_t i = 0; i < json_array_size(reports); i++)
            judge_report(&j, reports, json_array_get(reports, i));
        judge_verdict(&j, json_object_get(answer->report, "quality"));
    }
    breadth_free(&breadth);
    return done;
}
