#include "tests/fuzz/debt_relation.h"

#include <inttypes.h>
#include <string.h>

#include "tests/fuzz/must.h"
#include "tests/unit/random.h"

#define FEEDBACK_NS 250000000u

/* The domain's last row; one of zeros at first. NULL: it is not watched. */
static struct debt_row *last_of(struct debts *d, const struct debt_row *row)
{
    for (size_t i = 0; i < d->last_n; i++)
        if (d->last[i].domain == row->domain && d->last[i].life == row->life)
            return &d->last[i];
    if (d->last_n == DEBTS_WATCHED)
        return NULL;
    d->last[d->last_n] = (struct debt_row){.domain = row->domain, .life = row->life};
    return &d->last[d->last_n++];
}

static void check_row(struct debts *d, const struct interval *interval, const struct debt_row *row)
{
    bool whole = interval->end_ns - interval->start_ns == FEEDBACK_NS;
    struct debt_row *last = last_of(d, row);
    MUST(!last || row->opening_debt_ns == last->closing_debt_ns,
         "domain %" PRId32 " begins with %" PRIu64 " ns, ended with %" PRIu64, row->domain,
         row->opening_debt_ns, last ? last->closing_debt_ns : 0);
    MUST(row->opening_debt_ns + row->charged_ns - row->repaid_ns == row->closing_debt_ns,
         "%" PRIu64 " + %" PRIu64 " - %" PRIu64 " is not %" PRIu64, row->opening_debt_ns, row->charged_ns,
         row->repaid_ns, row->closing_debt_ns);
    MUST(row->overdue_ns <= row->closing_debt_ns, "more is overdue than owed");
    MUST(row->measured_ns + row->certain_ns + row->inferred_ns == row->charged_ns, "grounds do not add up");
    MUST(row->settled == whole && (row->allowance_ns == NS_UNKNOWN) == !whole, "settled in %" PRIu64 " ns",
         interval->end_ns - interval->start_ns);
    MUST(whole ? row->allowance_ns == row->reservation_ns - row->repaid_ns &&
                     row->repaid_ns <= row->reservation_ns
               : row->repaid_ns == 0,
         "allowance %" PRIu64 " of %" PRIu64, row->allowance_ns, row->reservation_ns);
    MUST(row->for_others_ns <= row->running_ns, "%" PRIu64 " ns for others of %" PRIu64, row->for_others_ns,
         row->running_ns);
    if (last)
        *last = *row;
}

static int take_rows(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct debts *d = context;
    for (size_t i = 0; i < n; i++) {
        check_row(d, interval, &rows[i]);
        MUST(i == 0 || rows[i - 1].domain <= rows[i].domain, "rows are out of order");
    }
    return 0;
}

static struct debt_rule draw_rule(uint64_t *random)
{
    return (struct debt_rule){.reservation = {1 + random_below(random, 200), 100},
                              .floor = {random_below(random, 100), 100},
                              .spread = 1 + (uint32_t)random_below(random, 9)};
}

void debts_open(struct debts *d, uint64_t seed)
{
    struct error err = {0};
    uint64_t random = seed;
    *d = (struct debts){.policy = {.feedback_ns = FEEDBACK_NS, .for_others = true}};
    d->policy.others = draw_rule(&random);
    for (uint16_t domain = 0; domain < 2; domain++) {
        const struct debt_reserve one = {.who.domain = domain, .rule = draw_rule(&random)};
        MUST(debt_policy_add(&d->policy, &one, &err) == 0, "%s", err.message);
    }
    const struct debt_options options = {.policy = &d->policy, .context = d, .rows = take_rows};
    d->debt = debt_new(&options);
    MUST(d->debt, "no memory");
    memcpy(d->meter.charge.weights, charge_default_weights, sizeof d->meter.charge.weights);
    debt_wants(d->debt, &d->meter);
}

void debts_close(struct debts *d)
{
    debt_free(d->debt);
    debt_policy_free(&d->policy);
}

struct consumer debts_consumer(struct debts *d)
{
    return (struct consumer){.rows = &d->meter};
}
