#include "entry_line.h"

#include <string.h>

#include "metrics/relation/relation_table.h"

static const struct entry_line *line_of(const struct row_view *v)
{
    return v->row;
}

static struct value some_text(const char *s)
{
    return s && *s ? text(s) : none();
}

/* A VM without a name: its key, without what kind of key that is. */
static struct value vm_text(const struct entry *e)
{
    const char *colon = strchr(e->vm_key, ':');
    return text(*e->vm_name ? e->vm_name : colon ? colon + 1 : e->vm_key);
}

static struct value moment(int64_t utc_ns)
{
    return (struct value){.type = VALUE_TIME, .integer = utc_ns};
}

#define ENTRY_VALUE(NAME, EXPRESSION)                                                                        \
    static struct value NAME(const struct row_view *v) {                                                     \
        const struct entry_line *l = line_of(v);                                                             \
        return EXPRESSION;                                                                                   \
    }

ENTRY_VALUE(period_start, moment(l->entry.period.begin_utc_ns))
ENTRY_VALUE(period_end, moment(l->entry.period.end_utc_ns))
ENTRY_VALUE(entry_type, some_text(l->summed ? NULL : entry_type_names[l->entry.type]))
ENTRY_VALUE(belongs_to, some_text(l->summed ? NULL : l->of->label))
ENTRY_VALUE(host, some_text(l->entry.host))
ENTRY_VALUE(kind, some_text(bill_kind_names[l->entry.kind]))
ENTRY_VALUE(vm, vm_text(&l->entry))
ENTRY_VALUE(vm_uuid, some_text(l->entry.vm_uuid))
ENTRY_VALUE(tags, some_text(l->entry.tags))
ENTRY_VALUE(amount, exact_number(l->amount))
ENTRY_VALUE(currency, some_text(l->of->currency))
ENTRY_VALUE(verdict, some_text(l->entry.verdict))
ENTRY_VALUE(reason, some_text(l->summed ? NULL : l->of->reason))
ENTRY_VALUE(cause, some_text(l->summed ? NULL : l->of->cause))

#define ENTRY_NS(NAME, TITLE, FLAGS, TABLE, HELP)                                                            \
    {                                                                                                        \
        COLUMN_HEAD(NAME, TITLE, NS, 0, FLAGS, TABLE, HELP),                                                 \
            COLUMN_MEMBER(struct entry_line, entry.quantities[ENTRY_##NAME], I64, SUM)                       \
    }

/* clang-format off */
static const struct column columns[] = {
    {COLUMN_HEAD(period_start, "start", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "where the period begins, UTC"), .get = period_start},
    {COLUMN_HEAD(period_end, "end", NONE, 0, KEY | TEXT, 0, "where it ends, UTC; it is not part of it"), .get = period_end},
    {COLUMN_HEAD(entry, "entry", NONE, 0, KEY | LEFT | TEXT, L, "charge; reversal: takes back one; new: stands in for it; none: a sum"), .get = entry_type},
    {COLUMN_HEAD(belongs_to, "in", NONE, 0, KEY | LEFT | TEXT, L, "the period to which it belongs: of a correction, the one that was open"), .get = belongs_to},
    {COLUMN_HEAD(host, "host", NONE, 0, KEY | LEFT | TEXT, L, "the host's label"), .get = host},
    {COLUMN_HEAD(kind, "kind", NONE, 0, KEY | LEFT | TEXT, 0, "vm, driver-domain, idle, unknown"), .get = kind},
    {COLUMN_HEAD(vm, "VM", NONE, 0, KEY | LEFT | KEEP | TEXT, L, "its name, or else what tells it from others"), .get = vm},
    {COLUMN_HEAD(vm_uuid, "UUID", NONE, 0, KEY | LEFT | TEXT, 0, "UUID, if known"), .get = vm_uuid},
    {COLUMN_HEAD(tags, "tags", NONE, 0, LEFT | TEXT, 0, "its tags, as JSON"), .get = tags},
    ENTRY_NS(used_ns, "used", KEEP, L, "what it ran for itself"),
    ENTRY_NS(charged_ns, "charged", 0, L, "what driver domains ran for it"),
    ENTRY_NS(measured_ns, "measured", 0, 0, "part of charged that a driver domain's own kernel measured"),
    ENTRY_NS(certain_ns, "certain", 0, 0, "part of charged that rests on events whose guest is certain"),
    ENTRY_NS(inferred_ns, "inferred", 0, 0, "the rest of charged"),
    ENTRY_NS(served_ns, "served", 0, 0, "of a driver domain: what it ran for guests"),
    ENTRY_NS(own_ns, "own", 0, 0, "of a driver domain: what it ran for itself"),
    ENTRY_NS(unattributed_ns, "unattr.", 0, 0, "of a driver domain: what nobody knows for whom it ran"),
    ENTRY_NS(running_ns, "running", 0, 0, "on a pCPU"),
    ENTRY_NS(runnable_ns, "waited", 0, 0, "ready to run"),
    ENTRY_NS(blocked_ns, "blocked", 0, 0, "waiting for an event"),
    ENTRY_NS(offline_ns, "offline", 0, 0, "paused, or the vCPU was down"),
    ENTRY_NS(unknown_ns, "unknown", 0, 0, "nobody knows"),
    ENTRY_NS(doubtful_ns, "doubtful", 0, 0, "part of these times that lost records may contradict"),
    ENTRY_NS(vcpu_ns, "vCPU time", 0, 0, "all vCPUs in all states: what was reserved"),
    ENTRY_NS(existed_ns, "existed", 0, 0, "how long it was there, in recorded time"),
    ENTRY_NS(base_ns, "basis", 0, 0, "what it takes of the host's capacity by the basis"),
    {COLUMN_HEAD(overhead_share_ns, "overhead", NS, 0, 0, 0, "its share of driver domains' own and unattributed time"), COLUMN_MEMBER(struct entry_line, entry.quantities[ENTRY_overhead_ns], I64, SUM)},
    {COLUMN_HEAD(idle_share_ns, "idle", NS, 0, 0, 0, "its share of the host's idle time"), COLUMN_MEMBER(struct entry_line, entry.quantities[ENTRY_idle_ns], I64, SUM)},
    ENTRY_NS(capacity_ns, "capacity", KEEP, L, "its part of the host's capacity"),
    ENTRY_NS(recorded_ns, "recorded", 0, 0, "time of the period in which its host was recorded"),
    ENTRY_NS(not_recorded_ns, "not recorded", 0, 0, "the rest of the period"),
    {COLUMN_HEAD(executions, "executions", COUNT, 0, 0, 0, "dispatches"), COLUMN_MEMBER(struct entry_line, entry.quantities[ENTRY_executions], I64, SUM)},
    {COLUMN_HEAD(amount, "amount", NONE, 0, KEEP | TEXT, L, "what it costs"), .get = amount},
    {COLUMN_HEAD(currency, "currency", NONE, 0, KEEP | LEFT | TEXT, L, "of the amount"), .get = currency},
    {COLUMN_HEAD(verdict, "verdict", NONE, 0, LEFT | TEXT, L, "good, degraded or poor"), .get = verdict},
    {COLUMN_HEAD(reason, "reason", NONE, 0, LEFT | TEXT, 0, "of a correction: why, as it was given"), .get = reason},
    {COLUMN_HEAD(cause, "cause", NONE, 0, LEFT | TEXT, 0, "of a correction: what it rests on that differs"), .get = cause},
};
/* clang-format on */

const struct relation relation_entries = {
    .name = "entry",
    .title = "closed statements",
    .table = "entries",
    .row_size = sizeof(struct entry_line),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
    .plain = true, /* what it points to outlives all rows */
    .own_times = true,
    .own_periods = true,
};
