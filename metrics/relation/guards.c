/* The relation of ShareGuard's decisions (metrics/control/guard.h). */
#include "metrics/control/guard.h"
#include "metrics/relation/guards.h"
#include "metrics/relation/relation_table.h"

static struct value domain(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return domain_id(g->domain, g->life);
}

static struct value name(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return name_of(v, g->domain, g->life);
}

static struct value driver_domain(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return domain_id(g->driver_domain, g->driver_life);
}

static struct value limit_pct(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return decimal(100 * (double)g->limit.part / (double)g->limit.of);
}

static struct value charged_pct(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return share(v, of_u64(g->charged_ns));
}

static struct value average_pct(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return g->average_ns == NS_UNKNOWN ? none() : decimal((double)g->average_ns / 1e7);
}

static struct value certain_pct(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    double sure_ns = (double)g->measured_ns + (double)g->certain_ns;
    return g->charged_ns ? decimal(100 * sure_ns / (double)g->charged_ns) : none();
}

static struct value decision(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return g->total ? none() : text(guard_decision_names[g->outcome.decision]);
}

static struct value reason(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return *g->reason ? text(g->reason) : none();
}

static struct value action(const struct row_view *v)
{
    const struct guard_row *g = v->row;
    return *g->action ? text(g->action) : none();
}

static struct value carried_out(const struct row_view *v)
{
    const struct guard_action_row *g = v->row;
    return *g->carried_out ? text(g->carried_out) : none();
}

static struct value command(const struct row_view *v)
{
    const struct guard_action_row *g = v->row;
    return *g->command ? text(g->command) : none();
}

#define NS(M, ADDS)                             COLUMN_MEMBER(struct guard_row, M, U64, ADDS)
#define COLUMN_NS(M, TITLE, FLAGS, TABLE, HELP) COLUMN_HEAD(M, TITLE, NS, 0, FLAGS, TABLE, HELP)

/* clang-format off */
#define GUARD_COLUMNS \
    INTERVAL_COLUMNS(L), \
    {COLUMN_HEAD(domain, "domain", NONE, 0, KEY | LEFT | DOMAIN, D | L, "domain id of the guest"), .get = domain}, \
    {COLUMN_HEAD(life, "life", NONE, 0, KEY, 0, "1, 2, ...: tells apart the domains that had this id"), \
     COLUMN_KNOWN(struct guard_row, life, U32, NOT, 0)}, \
    {COLUMN_HEAD(name, "name", NONE, 0, KEY | LEFT | NAME, D | L, "name of the guest, if names were given"), .get = name}, \
    {COLUMN_HEAD(driver_domain, "at", NONE, 0, KEY | LEFT, D | L, "domain id of the driver domain"), .get = driver_domain}, \
    {COLUMN_HEAD(limit_pct, "limit", PERCENT, 2, 0, D | L, "what the guest may cost the driver domain, of one pCPU"), .get = limit_pct}, \
    {COLUMN_HEAD(charged_pct, "charged", PERCENT, 3, KEEP, D | L, "what the driver domain ran on its behalf, of the window"), .get = charged_pct}, \
    {COLUMN_HEAD(average_pct, "average", PERCENT, 3, 0, L, "charged since it was first over the limit"), .get = average_pct}, \
    {COLUMN_HEAD(certain_pct, "certain", PERCENT, 1, 0, D | L, "part of charged that is measured, or rests on events whose guest is certain"), \
     .get = certain_pct}, \
    {COLUMN_NS(charged_ns, "charged", 0, 0, "the same as charged_pct"), NS(charged_ns, SUM)}, \
    {COLUMN_NS(measured_ns, "measured", 0, 0, "part of charged that a driver domain's own kernel measured"), NS(measured_ns, SUM)}, \
    {COLUMN_NS(certain_ns, "certain", 0, 0, "part of charged that rests on events whose guest is certain"), NS(certain_ns, SUM)}, \
    {COLUMN_NS(inferred_ns, "inferred", 0, 0, "the rest of charged"), NS(inferred_ns, SUM)}, \
    {COLUMN_NS(unattributed_ns, "unattr.", OPTIONAL, D, "the driver domain's time that cannot be attributed: charged to nobody"), \
     NS(unattributed_ns, NOT)}, \
    {COLUMN_NS(unknown_ns, "unknown", ALARM, D, "the driver domain's time whose state is unknown or doubtful"), NS(unknown_ns, NOT)}, \
    {COLUMN_HEAD(windows, "windows", COUNT, 0, 0, D, "1; of the whole trace: windows in which it has a row"), \
     COLUMN_MEMBER(struct guard_row, windows, U64, SUM)}, \
    {COLUMN_HEAD(blocks, "blocks", COUNT, 0, 0, D, "1 if it is held from now on; of the whole trace: how often"), \
     COLUMN_MEMBER(struct guard_row, blocks, U64, SUM)}, \
    {COLUMN_NS(held_ns, "held", 0, D, "how long it was to be held"), NS(held_ns, SUM)}, \
    {COLUMN_HEAD(decision, "decision", NONE, 0, KEEP | LEFT, L, "pass, block, hold, release, wait or exempt"), .get = decision, .words = guard_decision_names}, \
    {COLUMN_HEAD(reason, "reason", NONE, 0, LEFT | WHOLE | TEXT, L, "why"), .get = reason}, \
    {COLUMN_HEAD(action, "action", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "what is to be done, by the names of the policy"), .get = action}

static const struct column columns[] = {GUARD_COLUMNS};

static const struct column action_columns[] = {
    GUARD_COLUMNS,
    {COLUMN_HEAD(carried_out, "carried out", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "with --hook: whether the hook is called, or why not"), .get = carried_out},
    {COLUMN_HEAD(command, "command", NONE, 0, KEEP | LEFT | WHOLE | TEXT, L, "with --hook: the call of the hook"), .get = command},
};
/* clang-format on */

const struct relation relation_guards = {
    .name = "guard",
    .title = "the decisions of ShareGuard",
    .table = "decisions",
    .none = "no guest with a limit cost a driver domain anything\n",
    .row_size = sizeof(struct guard_row),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
};

const struct relation relation_guard_actions = {
    .name = "guard",
    .title = "the decisions of ShareGuard, with --hook",
    .table = "decisions",
    .none = "no guest with a limit cost a driver domain anything\n",
    .row_size = sizeof(struct guard_action_row),
    .columns = action_columns,
    .columns_n = sizeof action_columns / sizeof *action_columns,
};
