/* Sums of rows of a statement: by VM, by host, by tag. */
#include <stdlib.h>
#include <string.h>

#include "account/checked_sum.h"
#include "account/statement.h"
#include "metrics/array.h"
#include "metrics/min_max.h"

/* The numbers of a row that add up. */
static const size_t numbers[] = {
#define NUMBER(M) offsetof(struct account_row, M)
    NUMBER(existed_ns), NUMBER(vcpu_ns),         NUMBER(running_ns),  NUMBER(runnable_ns), NUMBER(blocked_ns),
    NUMBER(offline_ns), NUMBER(unknown_ns),      NUMBER(doubtful_ns), NUMBER(total_ns),    NUMBER(used_ns),
    NUMBER(charged_ns), NUMBER(measured_ns),     NUMBER(certain_ns),  NUMBER(inferred_ns), NUMBER(served_ns),
    NUMBER(own_ns),     NUMBER(unattributed_ns), NUMBER(executions),
#undef NUMBER
};

static uint64_t *number_of(struct account_row *row, size_t i)
{
    return (uint64_t *)((char *)row + numbers[i]);
}

static bool add_numbers(struct account_row *to, const struct account_row *from)
{
    struct account_row copy = *from;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!add_to(number_of(to, i), *number_of(&copy, i)))
            return false;
    for (int i = 0; i < IO_KINDS; i++)
        to->io[i] += from->io[i];
    return true;
}

static const struct account_before nothing_before = {NS_UNKNOWN, 0};

/* A VM is on one host at a time. Several VMs need not have their peaks together. NS_UNKNOWN where either is not known. */
static uint64_t peak_of(const struct account_row *sum, uint64_t a, uint64_t b)
{
    return !sum->vm || a == NS_UNKNOWN || b == NS_UNKNOWN ? NS_UNKNOWN : max64(a, b);
}

/* Makes room for n more. */
static bool make_room(struct account_spans *s, size_t n)
{
    return array_make_room(&s->at, &s->capacity, s->n + n, sizeof *s->at);
}

static void add_span(struct account_spans *s, int64_t begin_utc_ns, int64_t end_utc_ns)
{
    if (begin_utc_ns < end_utc_ns)
        s->at[s->n++] = (struct account_span){begin_utc_ns, end_utc_ns};
}

/* When the row's host was recorded, and when it was not. */
static bool add_spans(struct account_sum *s, const struct account_row *from)
{
    const struct account_host *host = from->host;
    int64_t at = from->period.begin_utc_ns;
    if (!make_room(&s->any, host->spans_n) || !make_room(&s->gaps, host->spans_n + 1))
        return false;
    for (size_t i = 0; i < host->spans_n; i++) {
        add_span(&s->any, host->spans[i].begin_utc_ns, host->spans[i].end_utc_ns);
        add_span(&s->gaps, at, host->spans[i].begin_utc_ns);
        at = host->spans[i].end_utc_ns;
    }
    add_span(&s->gaps, at, from->period.end_utc_ns);
    s->any.n = account_spans_merge(s->any.at, s->any.n, &from->period);
    s->gaps.n = account_spans_merge(s->gaps.at, s->gaps.n, &from->period);
    return true;
}

/*
 * Where not all hosts of a VM were recorded, only the time in which a recorded one had the VM is known to be covered: while the VM was
 * elsewhere, its host may be the one that was not recorded. False: no memory.
 */
static bool add_coverage(struct account_sum *s, const struct account_row *from, bool is_first)
{
    struct account_row *to = &s->row;
    bool is_one_vm = to->vm && from->domain >= 0;
    if (is_first || from->not_recorded_ns > s->most_missing_ns) {
        s->least_recorded_ns = from->recorded_ns;
        s->most_missing_ns = from->not_recorded_ns;
    }
    to->recorded_ns = s->least_recorded_ns;
    to->not_recorded_ns = s->most_missing_ns;
    if (!is_one_vm)
        return true;
    if (!add_spans(s, from))
        return false;
    if (to->host)
        return true;
    uint64_t length = (uint64_t)(to->period.end_utc_ns - to->period.begin_utc_ns);
    uint64_t any_ns = length - account_spans_lack(s->any.at, s->any.n, &to->period);
    uint64_t all_ns = account_spans_lack(s->gaps.at, s->gaps.n, &to->period);
    to->recorded_ns = max64(all_ns, min64(to->existed_ns, any_ns));
    to->not_recorded_ns = length - to->recorded_ns;
    return true;
}

/* Of the first row. */
static void take_first(struct account_sum *s, const struct account_row *from)
{
    s->row = (struct account_row){.period = from->period,
                                  .vm = from->vm,
                                  .host = from->host,
                                  .domain = from->domain,
                                  .life = from->life,
                                  .weight = from->weight,
                                  .cap = from->cap,
                                  .why = from->why,
                                  .verdict = from->verdict};
    s->latest_utc_ns = INT64_MIN;
    histogram_init(&s->wait);
    s->row.wait = &s->wait;
}

/* Where the last recording of its host in this period ended. */
static int64_t last_moment(const struct account_row *r)
{
    return r->host && r->host->spans_n ? r->host->spans[r->host->spans_n - 1].end_utc_ns : INT64_MIN;
}

static void take_who(struct account_sum *s, const struct account_row *from)
{
    struct account_row *to = &s->row;
    if (to->vm && strcmp(to->vm->key, from->vm->key) != 0)
        to->vm = NULL;
    else if (to->vm && last_moment(from) >= s->latest_utc_ns)
        to->vm = from->vm;
    if (last_moment(from) >= s->latest_utc_ns)
        s->latest_utc_ns = last_moment(from);
    if (to->host != from->host || !to->vm) {
        to->host = to->host == from->host ? to->host : NULL;
        to->domain = -1;
        to->life = 0;
        to->weight = to->cap = 0;
    }
    if (from->verdict > to->verdict) {
        to->verdict = from->verdict;
        to->why = from->why;
    }
}

bool account_sum_add(struct account_sum *into, const struct account_row *from)
{
    struct account_row *to = &into->row;
    bool is_first = !to->wait;
    if (is_first)
        take_first(into, from);
    take_who(into, from);
    to->driver_domain |= from->driver_domain;
    /* One VM on several hosts is there once at a time; several VMs are there together. */
    to->vcpus = to->vm ? (from->vcpus > to->vcpus ? from->vcpus : to->vcpus) : to->vcpus + from->vcpus;
    to->memory_kib = to->vm ? (from->memory_kib > to->memory_kib ? from->memory_kib : to->memory_kib)
                            : to->memory_kib + from->memory_kib;
    to->peak_1s_ns = is_first ? from->peak_1s_ns : peak_of(to, to->peak_1s_ns, from->peak_1s_ns);
    to->peak_5min_ns = is_first ? from->peak_5min_ns : peak_of(to, to->peak_5min_ns, from->peak_5min_ns);
    to->before = to->vm && (is_first || into->all_hosts) ? into->all_hosts ? from->vm_before : from->before
                                                         : nothing_before;
    if (from->wait->count > 0 && (into->wait.count == 0 || from->wait->max > into->wait.max))
        to->wait_max_at_utc_ns = from->wait_max_at_utc_ns;
    return add_numbers(to, from) && histogram_merge(&into->wait, from->wait) &&
           add_coverage(into, from, is_first);
}

uint64_t account_compared_ns(const struct account_row *row)
{
    const struct account_before *b = &row->before;
    if (b->total_ns == NS_UNKNOWN || b->recorded_ns == 0 || row->recorded_ns == 0)
        return NS_UNKNOWN;
    uint128 scaled = (uint128)b->total_ns * row->recorded_ns / b->recorded_ns;
    return scaled > INT64_MAX ? NS_UNKNOWN : (uint64_t)scaled;
}

void account_sum_free(struct account_sum *s)
{
    if (s->row.wait)
        histogram_free(&s->wait);
    free(s->any.at);
    free(s->gaps.at);
    *s = (struct account_sum){.all_hosts = false};
}
