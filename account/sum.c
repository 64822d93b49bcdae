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

static bool add_spans(struct account_sum *s, const struct account_row *from)
{
    size_t n = from->host ? from->host->spans_n : 0;
    if (n == 0)
        return true;
    if (!array_make_room(&s->spans, &s->spans_capacity, s->spans_n + n, sizeof *s->spans))
        return false;
    memcpy(s->spans + s->spans_n, from->host->spans, n * sizeof *s->spans);
    s->spans_n = account_spans_merge(s->spans, s->spans_n + n, &from->period);
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
                                  .recorded_ns = from->recorded_ns,
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
    if (!add_numbers(to, from) || !histogram_merge(&into->wait, from->wait) || !add_spans(into, from))
        return false;
    to->not_recorded_ns = account_spans_lack(into->spans, into->spans_n, &to->period);
    if (!to->host)
        to->recorded_ns = (uint64_t)(to->period.end_utc_ns - to->period.begin_utc_ns) - to->not_recorded_ns;
    return true;
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
    free(s->spans);
    *s = (struct account_sum){.spans = NULL};
}
