#include "metrics/control/debt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/control/members.h"
#include "metrics/control/repayment.h"
#include "metrics/measure/adding.h"

/* Whoever has a debt of its own. */
struct debtor {
    const char *name;             /* NULL: it is of one life of a domain id */
    const struct debt_rule *rule; /* NULL: none any more */
    struct repayment repayment;
    int32_t domain; /* who had the allowance that is in force, */
    uint32_t life;
    uint64_t in_force_ns;  /* of a feedback interval */
    uint32_t row;          /* in the interval at hand, from 1; 0: none */
    uint32_t row_member;   /* the number of the member that the row names */
    struct debt_row total; /* of all its rows */
};

/* Of a row of the meter. */
struct debt_seen {
    int32_t domain;
    uint32_t life, vcpus;
    uint64_t running_ns, unknown_ns, doubtful_ns;
};

struct debt {
    struct debt_options options;
    struct controlled_lives members;
    struct debtor *accounts;
    size_t accounts_n, accounts_capacity;
    size_t periods; /* of all accounts */
    bool *appeared; /* by the number of the rule */
    struct interval whole;
    bool begun; /* an interval was handed out */
    struct debt_seen *seen;
    size_t seen_n, seen_capacity;
    struct debt_row *rows; /* of the interval at hand */
    size_t rows_n, rows_capacity;
    uint32_t *row_accounts; /* of each row */
    size_t row_accounts_capacity;
    size_t others_n; /* of them, under the rule for others */
};

struct debt *debt_new(const struct debt_options *options)
{
    struct debt *d = calloc(1, sizeof *d);
    if (!d || !(d->appeared = calloc(options->policy->n + 1, sizeof *d->appeared))) {
        free(d);
        return NULL;
    }
    d->options = *options;
    return d;
}

void debt_free(struct debt *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->accounts_n; i++)
        repayment_free(&d->accounts[i].repayment);
    free(d->accounts);
    members_free(&d->members);
    free(d->appeared);
    free(d->seen);
    free(d->rows);
    free(d->row_accounts);
    free(d);
}

/* ---- accounts of domains ---- */

/* What the policy has for a domain that appears; NULL: nothing. */
static const struct debt_rule *rule_of(struct debt *d, int32_t domain, const char *name,
                                       const struct charge_idd *idds, size_t n)
{
    const struct debt_policy *p = d->options.policy;
    const struct debt_reserve *r = debt_policy_find(p, (uint16_t)domain, name);
    if (r) {
        d->appeared[r - p->reserves] = true;
        return &r->rule;
    }
    return p->for_others && !is_driver_domain(domain, idds, n) ? &p->others : NULL;
}

/* The account of the name, or a new one. NO_ACCOUNT: no memory. */
static uint32_t account_of(struct debt *d, const char *name, const struct debt_rule *rule)
{
    for (uint32_t i = 0; name && i < d->accounts_n; i++)
        if (d->accounts[i].name && strcmp(d->accounts[i].name, name) == 0) {
            d->accounts[i].rule = d->accounts[i].rule ? d->accounts[i].rule : rule;
            return i;
        }
    if (!array_make_room(&d->accounts, &d->accounts_capacity, d->accounts_n + 1, sizeof *d->accounts))
        return NO_ACCOUNT;
    struct debtor *a = &d->accounts[d->accounts_n];
    *a = (struct debtor){.name = name, .rule = rule, .domain = -1, .total.domain = -1};
    if (!repayment_init(&a->repayment, rule->spread))
        return NO_ACCOUNT;
    d->periods += rule->spread;
    return (uint32_t)d->accounts_n++;
}

/* The member for a life that appears. NULL: no memory. */
static const struct controlled_life *add_member(struct debt *d, int32_t domain, uint32_t life,
                                                const struct charge_idd *idds, size_t n)
{
    const struct debt_options *o = &d->options;
    const char *name = o->name_of ? o->name_of(o->names, domain, life) : NULL;
    const struct debt_rule *rule = rule_of(d, domain, name, idds, n);
    uint32_t account = rule ? account_of(d, name, rule) : NO_ACCOUNT;
    return rule && account == NO_ACCOUNT ? NULL : members_add(&d->members, domain, life, account);
}

/* What a new policy has for an account, one of whose members this is. */
static const struct debt_rule *rule_anew(const struct debtor *a, const struct controlled_life *m,
                                         const struct debt_policy *policy, bool *appeared)
{
    const struct debt_reserve *r = debt_policy_find(policy, (uint16_t)m->domain, a->name);
    if (r)
        appeared[r - policy->reserves] = true;
    if (r)
        return &r->rule;
    return policy->for_others && m->domain != 0 && !a->total.driver_domain ? &policy->others : NULL;
}

bool debt_take_policy(struct debt *d, const struct debt_policy *policy)
{
    bool *appeared = calloc(policy->n + 1, sizeof *appeared);
    if (!appeared)
        return false;
    members_forget_others(&d->members);
    for (size_t i = 0; i < d->members.n; i++) {
        const struct controlled_life *m = &d->members.at[i];
        struct debtor *a = &d->accounts[m->account];
        a->rule = rule_anew(a, m, policy, appeared);
    }
    free(d->appeared);
    d->appeared = appeared;
    d->options.policy = policy;
    return true;
}

const struct debt_reserve *debt_missing(const struct debt *d)
{
    const struct debt_policy *p = d->options.policy;
    for (size_t i = 0; i < p->n; i++)
        if (!d->appeared[i])
            return &p->reserves[i];
    return NULL;
}

/* ---- an interval ---- */

static uint64_t less(uint64_t ns, uint64_t part_ns)
{
    return ns > part_ns ? ns - part_ns : 0;
}

static bool add_row(struct debt *d, uint32_t account)
{
    size_t n = d->rows_n + 1;
    if (!array_make_room(&d->rows, &d->rows_capacity, n, sizeof *d->rows) ||
        !array_make_room(&d->row_accounts, &d->row_accounts_capacity, n, sizeof *d->row_accounts))
        return false;
    d->rows[d->rows_n] = (struct debt_row){.domain = -1};
    d->row_accounts[d->rows_n] = account;
    d->accounts[account].row = (uint32_t)++d->rows_n;
    return true;
}

/* The account's row in the interval, which names the member that appeared last. NULL: no memory. */
static struct debt_row *row_of(struct debt *d, const struct controlled_life *m)
{
    struct debtor *a = &d->accounts[m->account];
    if (!a->row && !add_row(d, m->account))
        return NULL;
    struct debt_row *row = &d->rows[a->row - 1];
    if (row->domain < 0 || m->number > a->row_member) {
        a->row_member = m->number;
        row->domain = m->domain;
        row->life = m->life;
    }
    return row;
}

/* The row of a life; *row NULL: it has no reservation. -1: no memory. */
static int find_row(struct debt *d, int32_t domain, uint32_t life, const struct charge_idd *idds, size_t n,
                    struct debt_row **row)
{
    const struct controlled_life *m = members_find(&d->members, domain, life);
    *row = NULL;
    if (!m && !(m = add_member(d, domain, life, idds, n)))
        return -1;
    if (m->account == NO_ACCOUNT || !d->accounts[m->account].rule)
        return 0;
    return (*row = row_of(d, m)) ? 0 : -1;
}

static int add_rows(struct debt *d, const struct charge_idd *idds, size_t n)
{
    struct debt_row *row;
    for (size_t i = 0; i < d->seen_n; i++) {
        const struct debt_seen *s = &d->seen[i];
        if (find_row(d, s->domain, s->life, idds, n, &row) != 0)
            return -1;
        if (!row)
            continue;
        row->vcpus += s->vcpus;
        row->driver_domain |= is_driver_domain(s->domain, idds, n);
        row->running_ns = add_count(row->running_ns, s->running_ns);
        row->unknown_ns = add_count(row->unknown_ns, s->unknown_ns);
        row->doubtful_ns = add_count(row->doubtful_ns, s->doubtful_ns);
    }
    return 0;
}

static void add_charge(struct debt_row *row, const struct charge_guest *guest)
{
    row->charged_ns = add_count(row->charged_ns, guest->charged_ns);
    row->measured_ns = add_count(row->measured_ns, guest->measured_ns);
    row->certain_ns = add_count(row->certain_ns, guest->certain_ns);
    row->inferred_ns =
        add_count(row->inferred_ns, guest->charged_ns - guest->measured_ns - guest->certain_ns);
}

static int add_charges(struct debt *d, const struct charge_idd *idds, size_t n)
{
    struct debt_row *row;
    for (size_t i = 0; i < n; i++) {
        const struct charge_idd *idd = &idds[i];
        if (find_row(d, idd->domain, idd->life, idds, n, &row) != 0)
            return -1;
        if (row)
            row->for_others_ns = add_count(row->for_others_ns, idd->charged_ns);
        for (size_t k = 0; k < idd->guests_n; k++) {
            const struct charge_guest *g = &idd->guests[k];
            if (find_row(d, g->domain, g->life, idds, n, &row) != 0)
                return -1;
            if (row)
                add_charge(row, g);
        }
    }
    return 0;
}

/* ---- its end ---- */

/* What would be set for the next interval, in per cent of a pCPU. */
static void write_action(struct debt_row *row, uint64_t in_force_ns, uint64_t feedback_ns)
{
    const char *how = row->allowance_ns < in_force_ns ? "lower" : "raise";
    if (row->allowance_ns == in_force_ns)
        snprintf(row->action, sizeof row->action, "keep");
    else
        snprintf(row->action, sizeof row->action, "%s to %.3f%%", how,
                 100 * (double)row->allowance_ns / (double)feedback_ns);
}

/* Whoever had the allowance is gone: the next one begins with all of the reservation. */
static void take_over(struct debtor *a, const struct debt_row *row, uint64_t reservation_ns)
{
    if (a->domain == row->domain && a->life == row->life)
        return;
    a->domain = row->domain;
    a->life = row->life;
    a->in_force_ns = reservation_ns;
}

static void settle(struct debtor *a, struct debt_row *row, uint64_t feedback_ns)
{
    uint64_t reservation_ns = cpu_share_ns(a->rule->reservation, feedback_ns);
    uint64_t floor_ns = cpu_share_ns(a->rule->floor, reservation_ns);
    row->repaid_ns = repayment_settle(&a->repayment, reservation_ns - floor_ns);
    row->allowance_ns = reservation_ns - row->repaid_ns;
    take_over(a, row, reservation_ns);
    write_action(row, a->in_force_ns, feedback_ns);
    a->in_force_ns = row->allowance_ns;
}

static void close_row(struct debtor *a, struct debt_row *row, uint64_t length_ns, uint64_t feedback_ns)
{
    row->opening_debt_ns = a->repayment.debt_ns;
    repayment_charge(&a->repayment, row->charged_ns);
    row->reservation_ns = cpu_share_ns(a->rule->reservation, length_ns);
    row->floor_ns = cpu_share_ns(a->rule->floor, row->reservation_ns);
    row->settled = length_ns == feedback_ns;
    row->allowance_ns = NS_UNKNOWN;
    if (row->settled)
        settle(a, row, feedback_ns);
    else
        snprintf(row->action, sizeof row->action, "unsettled");
    row->closing_debt_ns = a->repayment.debt_ns;
    row->overdue_ns = a->repayment.overdue_ns;
    row->aggregate_ns = add_count(less(row->running_ns, row->for_others_ns), row->charged_ns);
    row->over_ns = (int64_t)(row->aggregate_ns - row->reservation_ns);
}

static int compare_rows(const void *a, const void *b)
{
    const struct debt_row *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

static void add_up(struct debt_row *total, const struct debt_row *row)
{
    uint64_t opening_debt_ns = total->domain < 0 ? row->opening_debt_ns : total->opening_debt_ns;
    struct debt_row sum = *row; /* who it is, and what it owes now */
    sum.opening_debt_ns = opening_debt_ns;
    sum.settled = false;
    sum.allowance_ns = NS_UNKNOWN;
    *sum.action = '\0';
    sum.reservation_ns = add_count(total->reservation_ns, row->reservation_ns);
    sum.floor_ns = add_count(total->floor_ns, row->floor_ns);
    sum.charged_ns = add_count(total->charged_ns, row->charged_ns);
    sum.measured_ns = add_count(total->measured_ns, row->measured_ns);
    sum.certain_ns = add_count(total->certain_ns, row->certain_ns);
    sum.inferred_ns = add_count(total->inferred_ns, row->inferred_ns);
    sum.repaid_ns = add_count(total->repaid_ns, row->repaid_ns);
    sum.running_ns = add_count(total->running_ns, row->running_ns);
    sum.for_others_ns = add_count(total->for_others_ns, row->for_others_ns);
    sum.aggregate_ns = add_count(total->aggregate_ns, row->aggregate_ns);
    sum.over_ns = add_ns(total->over_ns, row->over_ns);
    sum.unknown_ns = add_count(total->unknown_ns, row->unknown_ns);
    sum.doubtful_ns = add_count(total->doubtful_ns, row->doubtful_ns);
    sum.unattributed_ns = add_count(total->unattributed_ns, row->unattributed_ns);
    *total = sum;
}

static void close_rows(struct debt *d, const struct interval *interval, uint64_t unattributed_ns)
{
    d->others_n = 0;
    d->whole.start_ns = d->begun ? d->whole.start_ns : interval->start_ns;
    d->whole.end_ns = interval->end_ns;
    d->begun = true;
    for (size_t i = 0; i < d->rows_n; i++) {
        struct debtor *a = &d->accounts[d->row_accounts[i]];
        struct debt_row *row = &d->rows[i];
        d->others_n += a->rule == &d->options.policy->others;
        row->unattributed_ns = unattributed_ns;
        close_row(a, row, interval->end_ns - interval->start_ns, d->options.policy->feedback_ns);
        add_up(&a->total, row);
        a->row = 0;
    }
    if (d->rows_n > 1)
        qsort(d->rows, d->rows_n, sizeof *d->rows, compare_rows);
}

/* ---- what the meter hands out ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct debt *d = context;
    (void)interval;
    if (!array_make_room(&d->seen, &d->seen_capacity, n + 1, sizeof *d->seen))
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct measures *m = rows[i].measures;
        d->seen[i] = (struct debt_seen){.domain = rows[i].domain,
                                        .life = rows[i].life,
                                        .vcpus = rows[i].vcpus,
                                        .running_ns = (uint64_t)m->state_ns[RUNSTATE_RUNNING],
                                        .unknown_ns = (uint64_t)m->state_ns[RUNSTATE_UNKNOWN],
                                        .doubtful_ns = (uint64_t)m->doubtful_ns};
    }
    d->seen_n = n;
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct debt *d = context;
    uint64_t unattributed_ns = 0;
    d->rows_n = 0;
    if (add_rows(d, idds, n) != 0 || add_charges(d, idds, n) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        unattributed_ns = add_count(unattributed_ns, idds[i].unattributed_ns);
    close_rows(d, interval, unattributed_ns);
    return d->options.rows(d->options.context, interval, d->rows, d->rows_n);
}

void debt_wants(struct debt *d, struct meter_options *meter)
{
    meter->bys = 1u << BY_DOMAIN;
    meter->granularities_ns[0] = d->options.policy->feedback_ns;
    meter->granularities = 1;
    meter->no_slices = true;
    meter->charge.wanted = true;
    meter->sink = (struct meter_sink){d, take_interval, NULL, take_charges, NULL};
}

const struct debt_row *debt_totals(struct debt *d, struct interval *whole, size_t *n)
{
    if (!array_make_room(&d->rows, &d->rows_capacity, d->accounts_n + 1, sizeof *d->rows))
        return NULL;
    for (size_t i = 0; i < d->accounts_n; i++)
        d->rows[i] = d->accounts[i].total;
    if (d->accounts_n > 1)
        qsort(d->rows, d->accounts_n, sizeof *d->rows, compare_rows);
    *n = d->accounts_n;
    *whole = d->whole;
    return d->rows;
}

uint64_t debt_reserved_ns(const struct debt *d, size_t *n)
{
    const struct debt_policy *p = d->options.policy;
    uint64_t ns = debt_policy_reserved_ns(p);
    *n = p->n + d->others_n;
    for (size_t i = 0; i < d->others_n; i++)
        ns = add_count(ns, cpu_share_ns(p->others.reservation, p->feedback_ns));
    return ns;
}

size_t debt_memory(const struct debt *d)
{
    return d->members.capacity * sizeof *d->members.at + d->accounts_capacity * sizeof *d->accounts +
           d->periods * sizeof(uint64_t) + d->seen_capacity * sizeof *d->seen +
           d->rows_capacity * sizeof *d->rows + d->row_accounts_capacity * sizeof *d->row_accounts;
}
