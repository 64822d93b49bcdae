#include "screen/view.h"

#include <string.h>

#include "metrics/measure/delays.h"
#include "screen/second.h"

#define NAME_BYTES 48

#define FROM_STATES                                                                                          \
    "RUNSTATE_CHANGE records, else SWITCH, WAKE, BLOCK; instants of switches by SWITCH_INFPREV "             \
    "(xenmeter-metrics(7))"

const struct view_kind view_kinds[VIEWS] = {
    [VIEW_DOMAINS] = {.name = "domains",
                      .title = "domains",
                      .key = 'd',
                      .relation = &relation_rows,
                      .by = BY_DOMAIN,
                      .parts = PART_DOMAINS,
                      .graph = true,
                      .keys = "domain,name",
                      .columns = "running_pct,runnable_pct,charged_pct,wait_p99_ns,total_pct,blocked_pct,"
                                 "executions_per_s,io_per_s,allocated_per_exec_ns",
                      .sort = "running_pct",
                      .command = "report -b domain",
                      .source = FROM_STATES},
    [VIEW_VCPUS] = {.name = "vcpus",
                    .title = "vCPUs (runnable: what the guest sees as steal time)",
                    .key = 'v',
                    .relation = &relation_rows,
                    .by = BY_VCPU,
                    .parts = PART_VCPUS | PART_DOMAINS,
                    .keys = "domain,name,vcpu",
                    .columns = "running_pct,runnable_pct,wait_p50_ns,wait_p99_ns,wait_max_ns,blocked_pct,"
                               "executions_per_s,run_mean_ns,migrations,wakes",
                    .sort = "runnable_pct",
                    .command = "report -b vcpu",
                    .source = FROM_STATES},
    [VIEW_PCPUS] = {.name = "pcpus",
                    .title = "pCPUs",
                    .key = 'c',
                    .relation = &relation_rows,
                    .by = BY_PCPU,
                    .parts = PART_PCPUS,
                    .keys = "pcpu",
                    .columns = "running_pct,idle_pct,unknown_pct,executions_per_s,run_mean_ns,wait_p99_ns,"
                               "wait_max_ns,migrations",
                    .sort = "pcpu",
                    .command = "report -b pcpu",
                    .source = FROM_STATES},
    [VIEW_EXECUTIONS] = {.name = "executions",
                         .title = "executions",
                         .key = 'e',
                         .relation = &relation_executions,
                         .parts = PART_EXECUTIONS,
                         .one_span = true,
                         .keys = "domain,name,vcpu,pcpu",
                         .columns = "start_ns,blocked_before_ns,waited_ns,wait_kind,ran_ns,allocated_ns,"
                                    "io_total,end",
                         .sort = "waited_ns",
                         .command = "report -g execution",
                         .source = "SWITCH and RUNSTATE_CHANGE records; slices of SWITCH_INFNEXT"},
    [VIEW_BLAME] = {.name = "blame",
                    .title = "who delayed whom",
                    .key = 'b',
                    .relation = &relation_delays,
                    .parts = PART_DELAYS,
                    .keys = "victim,victim_name,victim_vcpu,culprit,culprit_name",
                    .columns = "delayed_pct,delayed_ns,count,max_ns",
                    .sort = "delayed_ns",
                    .command = "blame",
                    .source = "who ran on the pCPU while the victim was runnable there (xenmeter-blame(1))"},
    [VIEW_CHARGES] =
        {.name = "charges",
         .title = "driver domains' CPU, % of one pCPU, by whom it was for",
         .key = 'm',
         .relation = &relation_charges,
         .parts = PART_CHARGES,
         .keys = "",
         .columns = "",
         .sort = "charged_pct",
         .command = "charge",
         .source = "grants, copies and notifications while the driver domain ran (xenmeter-charge(1))"},
};

bool view_list_next(const char **list, char *to, size_t size)
{
    size_t n = strcspn(*list, ",");
    if (!**list)
        return false;
    size_t kept = n < size ? n : size - 1;
    memcpy(to, *list, kept);
    to[kept] = '\0';
    *list += n + ((*list)[n] == ',');
    return true;
}

static size_t number_of(const struct relation *relation, const struct column *column)
{
    return (size_t)(column - relation->columns);
}

static void show(struct view_choice *c, size_t column)
{
    size_t i = 0;
    while (i < c->n && c->order[i] != column)
        i++;
    if (i == c->n)
        c->order[c->n++] = (unsigned)column;
    c->shown[column] = true;
}

bool view_offers(enum view view, const struct column *column)
{
    const struct view_kind *kind = &view_kinds[view];
    unsigned never = COLUMN_KEY | COLUMN_OF_INTERVAL | COLUMN_SEVERAL | COLUMN_TIMELINES | COLUMN_TIMES;
    return view != VIEW_CHARGES && !(column->flags & never) &&
           number_of(kind->relation, column) < VIEW_COLUMNS;
}

bool view_shows_always(enum view view, const char *column)
{
    const char *keys = view_kinds[view].keys;
    char name[NAME_BYTES];
    while (view_list_next(&keys, name, sizeof name))
        if (strcmp(name, column) == 0)
            return true;
    return false;
}

static const struct column *offered(enum view view, const char *name)
{
    const struct column *column = column_find(view_kinds[view].relation, name);
    return column && view_offers(view, column) ? column : NULL;
}

bool view_choose(struct view_choice *c, enum view view, const char *list)
{
    char name[NAME_BYTES];
    struct view_choice chosen = *c;
    chosen.n = 0;
    memset(chosen.shown, 0, sizeof chosen.shown);
    while (view_list_next(&list, name, sizeof name)) {
        const struct column *column = offered(view, name);
        if (column)
            show(&chosen, number_of(view_kinds[view].relation, column));
    }
    if (chosen.n == 0)
        return false;
    *c = chosen;
    return true;
}

void view_choose_defaults(struct view_choice *c, enum view view)
{
    *c = (struct view_choice){.n = 0};
    view_choose(c, view, view_kinds[view].columns);
    c->sort = column_find(view_kinds[view].relation, view_kinds[view].sort);
}

void view_toggle(struct view_choice *c, size_t column)
{
    if (c->shown[column])
        c->shown[column] = false;
    else
        show(c, column);
}

enum view view_named(const char *name)
{
    enum view view = 0;
    while (view < VIEWS && strcmp(view_kinds[view].name, name) != 0)
        view++;
    return view;
}

enum view view_of_key(int key)
{
    enum view view = 0;
    while (view < VIEWS && view_kinds[view].key != key)
        view++;
    return view;
}
