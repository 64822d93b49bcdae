#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "hidden.h"
#include "judge_internal.h"

/* ---- rows ---- */

static const struct truth_vcpu *find_vcpu(const struct judging *j, int domain, int life, int vcpu)
{
    for (size_t i = 0; i < j->r->vcpus_n; i++) {
        const struct truth_vcpu *v = &j->r->vcpus[i];
        if (v->domain == domain && v->vcpu == vcpu && (int)v->life == life)
            return v;
    }
    return NULL;
}

/* Without the records of births and deaths a reader cannot distinguish lives; a small ring loses some though the plan has no loss. */
static bool lives_blur(const struct judging *j, const struct place *p)
{
    bool missing = plan_damages(j->plan) || j->v->lost || j->v->unreported_tsc < UINT64_MAX;
    return number(p, "domain") > (double)j->plan->domains && missing;
}

static void judge_vcpu(struct judging *j, struct place *p)
{
    const struct truth_vcpu *v =
        find_vcpu(j, (int)number(p, "domain"), (int)number(p, "life"), (int)number(p, "vcpu"));
    struct sums sums = {0};
    if (lives_blur(j, p))
        return;
    if (!v) {
        judge_miss(j, p, "ghost", 0, "no such vCPU");
        return;
    }
    if (is_hidden(j->plan, j->v, v, p->from, p->to))
        return;
    sums_add(j, p, v, &sums);
    sums_check(j, p, &sums);
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
            sums_add(j, p, v, &sums);
    }
    if (number(p, "vcpus") != (double)sums.vcpus)
        judge_miss(j, p, "domain-vcpus", 0, "%.0f vCPUs, and %zu rows of vCPUs", number(p, "vcpus"),
                   sums.vcpus);
    else
        sums_check(j, p, &sums);
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
    p->tolerance_ns = judge_tolerance(j, 2, changes);
    if (all - p->length_ns > 1 || p->length_ns - all > 1)
        judge_miss(j, p, "pcpu-sum", all - p->length_ns, "running, idle and unknown sum to %.0f", all);
    if (judge_is_silent(j, p))
        return;
    judge_time(j, p, "running_ns", "pcpu-running", ran);
    judge_time(j, p, "idle_ns", "pcpu-idle", p->length_ns - ran);
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
        judge_is_silent(j, p))
        return;
    double ran = ran_on(j, p, (int)number(p, "domain"), &changes);
    p->tolerance_ns = judge_tolerance(j, (size_t)j->plan->vcpus, changes);
    double doubt = sum_of_domain(rows, number(p, "domain"), "doubtful_ns");
    double most = number(p, "running_ns") + sum_of_domain(rows, number(p, "domain"), "unknown_ns") + doubt;
    if (number(p, "running_ns") - doubt - ran > p->tolerance_ns || ran - most > p->tolerance_ns)
        judge_miss(j, p, "domain-pcpu-running", ran,
                   "running_ns %.0f, at most %.0f, doubtful %.0f; truth %.0f", number(p, "running_ns"), most,
                   doubt, ran);
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
        judge_miss(j, p, "negative", -unknown(p), "running_ns %.0f, unknown %.0f, doubtful %.0f",
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
        judge_miss(j, NULL, "verdict", 0, "there is none");
    else if (missing && strcmp(verdict, "good") == 0)
        judge_miss(j, NULL, "verdict-good", 0, "good, and %s", missing);
    else if (view_is_flawless(j->v, j->plan) && strcmp(verdict, "good") != 0)
        judge_miss(j, NULL, "verdict-bad", 0, "%s, and nothing is missing: %s", verdict,
                   json_string_value(json_array_get(json_object_get(quality, "why"), 0)));
}

static void judge_failure(struct judging *j, const struct answer *answer)
{
    /* What is left of the first sweep may be all before the first record of a guest; all records may be of one moment. */
    bool no_time = j->v->first_tsc == j->v->last_tsc;
    bool nothing_left = (no_time || j->plan->cut || j->v->names_nobody) && answer->status == 2;
    if (!nothing_left)
        judge_miss(j, NULL, "failed", 1e18, "exit status %d: %.180s", answer->status, answer->message);
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
                        .slack_ns = r->late_ns + (double)plan->skew_ns};
    memset(misses, 0, sizeof *misses);
    if (answer->status != 0 || !answer->report) {
        judge_failure(&j, answer);
        return true;
    }
    if (v->blends)
        return true;
    const json_t *reports = json_object_get(answer->report, "reports"),
                 *trace = json_object_get(answer->report, "trace");
    j.first_tsc = (uint64_t)json_integer_value(json_object_get(trace, "tsc_first"));
    double length_ns = json_number_value(json_object_get(trace, "duration_ns"));
    uint64_t end_tsc = j.first_tsc + (uint64_t)(length_ns / j.ns_per_cycle + 1);
    bool done = breadth_make(&breadth, r, v) && proofs_make(&j.proofs, plan, r, v, end_tsc);
    if (done && v->first_tsc) {
        for (size_t i = 0; i < json_array_size(reports); i++)
            judge_report(&j, reports, json_array_get(reports, i));
        judge_verdict(&j, json_object_get(answer->report, "quality"));
    }
    breadth_free(&breadth);
    return done;
}
