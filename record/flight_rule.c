#include "record/flight_rule.h"

#include <stdio.h>

static const struct column lost_column = {
    .name = "lost", .help = "records that Xen lost, of all pCPUs", .unit = UNIT_COUNT};

const struct comparable flight_lost = {.name = "lost", .column = &lost_column, .kind = COMPARABLE_RATE};

static bool exceeds(const struct condition *rule, double value, double limit)
{
    return rule->kind == CONDITION_ABOVE ? value > limit : value < limit; /* never, if it is not known */
}

static void take(struct flight_finding *f, const struct row *row, const char *name, double value)
{
    f->value = value;
    f->domain = row->domain;
    f->life = row->life;
    f->unknown_ns = row->measures->state_ns[RUNSTATE_UNKNOWN];
    f->doubtful_ns = row->measures->doubtful_ns;
    snprintf(f->name, sizeof f->name, "%s", name ? name : "");
}

bool flight_rule_fires(const struct condition *rule, const struct flight_interval *i,
                       struct flight_finding *finding)
{
    const struct comparison_plan plan = {.by = BY_DOMAIN, .of = {rule->of}, .n = 1};
    struct row_view view = {
        .interval = i->interval, .by = BY_DOMAIN, .name_of = i->name_of, .names = i->names};
    struct side_row values;
    bool fires = false;
    *finding = (struct flight_finding){.rule = rule, .domain = -1, .value = (double)i->lost};
    if (rule->of == &flight_lost)
        return exceeds(rule, finding->value, rule->limit);
    for (size_t r = 0; r < i->n; r++) {
        view.row = &i->rows[r];
        side_row_of(&values, &plan, &view);
        if (!condition_is_about(rule, values.domain, values.name) ||
            !exceeds(rule, values.values[0], fires ? finding->value : rule->limit))
            continue;
        take(finding, view.row, values.name, values.values[0]);
        fires = true;
    }
    return fires;
}
