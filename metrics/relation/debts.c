/* The relation of the ledger of debts (metrics/control/debt.h). */
#include "metrics/control/debt.h"
#include "metrics/relation/debts.h"
#include "metrics/relation/relation_table.h"

static struct value domain(const struct row_view *v)
{
    const struct debt_row *d = v->row;
    return domain_id(d->domain, d->life);
}

static struct value name(const struct row_view *v)
{
    const struct debt_row *d = v->row;
    return name_of(v, d->domain, d->life);
}

static struct value action(const struct row_view *v)
{
    const struct debt_row *d = v->row;
    return *d->action ? text(d->action) : none();
}

static struct value decision(const struct row_view *v)
{
    const struct debt_action_row *d = v->row;
    return *d->decision ? text(d->decision) : none();
}

static struct value command(const struct row_view *v)
{
    const struct debt_action_row *d = v->row;
    return *d->command ? text(d->command) : none();
}

#define NS(M, ADDS)                             COLUMN_MEMBER(struct debt_row, M, U64, ADDS)
#define COLUMN_NS(M, TITLE, FLAGS, TABLE, HELP) COLUMN_HEAD(M, TITLE, NS, 0, FLAGS, TABLE, HELP)

/* clang-format off */
#define DEBT_COLUMNS \
    INTERVAL_COLUMNS(L), \
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | LEFT | DOMAIN, D | L, "domain id"), .get = domain}, \
    {COLUMN_HEAD(life, "life", NONE, 0, KEY, 0, "1, 2, ...: tells apart the domains that had this id"), \
     COLUMN_KNOWN(struct debt_row, life, U32, NOT, 0)}, \
    {COLUMN_HEAD(name, "name", NONE, 0, KEY | LEFT | NAME, D | L, "domain name, if names were given"), .get = name}, \
    {COLUMN_NS(reservation_ns, "reserved", 0, D | L, "its reservation in an interval of this length"), NS(reservation_ns, SUM)}, \
    {COLUMN_NS(floor_ns, "floor", 0, 0, "part of the reservation that no repayment touches"), NS(floor_ns, SUM)}, \
    {COLUMN_NS(opening_debt_ns, "opening debt", 0, D | L, "its debt at the beginning"), NS(opening_debt_ns, SUM)}, \
    {COLUMN_NS(charged_ns, "charged", KEEP, D | L, "driver domains' time on its behalf: added to the debt"), NS(charged_ns, SUM)}, \
    {COLUMN_NS(measured_ns, "measured", 0, 0, "part of charged that a driver domain's own kernel measured"), NS(measured_ns, SUM)}, \
    {COLUMN_NS(certain_ns, "certain", 0, 0, "part of charged that rests on events whose guest is certain"), NS(certain_ns, SUM)}, \
    {COLUMN_NS(inferred_ns, "inferred", 0, D | L, "the rest of charged"), NS(inferred_ns, SUM)}, \
    {COLUMN_NS(repaid_ns, "repaid", 0, D | L, "taken from the next interval, and from the debt"), NS(repaid_ns, SUM)}, \
    {COLUMN_NS(closing_debt_ns, "closing debt", KEEP, D | L, "its debt at the end: opening + charged - repaid"), NS(closing_debt_ns, SUM)}, \
    {COLUMN_NS(overdue_ns, "overdue", OPTIONAL, D, "part of the closing debt that was due, but the floor was reached"), NS(overdue_ns, SUM)}, \
    {COLUMN_NS(allowance_ns, "allowance", 0, L, "what it may run in the next feedback interval: reservation - repaid"), \
     COLUMN_KNOWN(struct debt_row, allowance_ns, U64, NOT, NS_UNKNOWN)}, \
    {COLUMN_NS(running_ns, "running", 0, D, "how long it ran itself"), NS(running_ns, SUM)}, \
    {COLUMN_NS(for_others_ns, "for others", OPTIONAL, D, "part of running: as a driver domain, on behalf of others"), NS(for_others_ns, SUM)}, \
    {COLUMN_NS(aggregate_ns, "aggregate", 0, D | L, "its aggregate use: running - for others + charged"), NS(aggregate_ns, SUM)}, \
    {COLUMN_NS(over_ns, "over", KEEP, D | L, "aggregate - reservation; below 0: it used less"), COLUMN_MEMBER(struct debt_row, over_ns, I64, SUM)}, \
    {COLUMN_NS(unknown_ns, "unknown", ALARM, D, "its vCPUs' time whose state is not known"), NS(unknown_ns, SUM)}, \
    {COLUMN_NS(doubtful_ns, "doubtful", ALARM, D, "its vCPUs' time whose state is doubtful"), NS(doubtful_ns, SUM)}, \
    {COLUMN_NS(unattributed_ns, "unattr.", 0, D | L, "driver domains' time that cannot be attributed: nobody's debt"), \
     NS(unattributed_ns, NOT)}, \
    {COLUMN_HEAD(action, "action", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "what would be set for the next interval, in per cent of a pCPU"), \
     .get = action}

static const struct column columns[] = {DEBT_COLUMNS};

static const struct column action_columns[] = {
    DEBT_COLUMNS,
    {COLUMN_HEAD(decision, "decision", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "with --apply: whether it is set, or why not"), .get = decision},
    {COLUMN_HEAD(command, "command", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "with --apply: what sets it"), .get = command},
};
/* clang-format on */

const struct relation relation_debts = {
    .name = "debt",
    .title = "the ledger of debts",
    .table = "debts",
    .none = "no domain with a reservation is in it\n",
    .row_size = sizeof(struct debt_row),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
};

const struct relation relation_debt_actions = {
    .name = "debt",
    .title = "the ledger of debts, with --apply",
    .table = "debts",
    .none = "no domain with a reservation is in it\n",
    .row_size = sizeof(struct debt_action_row),
    .columns = action_columns,
    .columns_n = sizeof action_columns / sizeof *action_columns,
};
