/* ShareGuard in control of a simulated host. */
#include <string.h>

#include "guard_options.h"
#include "metrics/relation/guards.h"
#include "simulate_action.h"
#include "simulate_control.h"

static struct simulated_guard *guard_of(const void *controller)
{
    return (struct simulated_guard *)(uintptr_t)controller; /* its beginning */
}

static int check_actions(const struct simulated_guard *g, struct error *err)
{
    struct sim_hold all = sim_hold_nothing();
    for (int io = 0; io < GUARD_IOS; io++) {
        const char *action = g->rules.actions[io];
        if (*action && !simulated_action_add(&all, action, (enum guard_io)io))
            return error_set(err, ERROR_USAGE, "actions.%s: a simulated host knows %s and none",
                             guard_io_names[io], simulated_actions[io]);
    }
    if (all.cap_ppm != SIM_FREE && g->controller.control->scenario->scheduler == SCENARIO_NULL)
        return error_set(
            err, ERROR_USAGE,
            "actions: the scheduler null has no caps: take another action, or another scheduler");
    if (all.cap_ppm != SIM_FREE && g->controller.control->n > 1)
        return error_set(err, ERROR_USAGE,
                         "actions: cap and the ledger of --with debt= set the same parameter: take another "
                         "action");
    return 0;
}

/* Each limit is about domains of the scenario. */
static int check_domains(const struct simulated_guard *g, struct error *err)
{
    const struct scenario *s = g->controller.control->scenario;
    for (size_t i = 0; i < g->rules.n; i++) {
        const struct guard_limit *l = &g->rules.limits[i];
        if ((!l->every_guest && scenario_has(s, &l->guest, err) != 0) ||
            (!l->every_driver && scenario_has(s, &l->driver, err) != 0))
            return -1;
    }
    for (size_t i = 0; i < g->rules.exempt_n; i++)
        if (scenario_has(s, &g->rules.exempt[i], err) != 0)
            return -1;
    return 0;
}

static int prepare(struct simulated_controller *c, struct error *err)
{
    const struct guard_settings nothing_given = {0};
    struct simulated_guard *g = guard_of(c);
    if (guard_read_file(&g->rules, c->policy, &nothing_given, err) != 0 || check_actions(g, err) != 0 ||
        check_domains(g, err) != 0)
        return -1;
    return guard_policy_resolve(&g->rules, scenario_name_of, c->control->scenario, err);
}

/* How the guest of the row is held from now on. */
static struct sim_hold hold_of(const struct simulated_guard *g, const struct guard_row *row)
{
    struct sim_hold hold = sim_hold_nothing();
    char action[GUARD_ACTION_BYTES];
    for (int io = 0; io < GUARD_IOS && row->outcome.decision != GUARD_RELEASE; io++) {
        guard_action_at(action, g->rules.actions[io], row->step);
        if (row->io[io] && *action)
            simulated_action_add(&hold, action, (enum guard_io)io);
    }
    return hold;
}

static int act(const struct simulated_guard *g, const struct guard_row *row)
{
    struct simulated_control *c = g->controller.control;
    const struct sim_hold hold = hold_of(g, row);
    if (row->outcome.decision != GUARD_BLOCK && row->outcome.decision != GUARD_RELEASE &&
        row->outcome.why != WHY_STEP)
        return 0;
    return simulation_hold(c->host->simulation, (uint16_t)row->domain, (uint16_t)row->driver_domain, &hold,
                           c->delay_ns, &c->why);
}

static int take_rows(void *context, const struct interval *interval, const struct guard_row *rows, size_t n)
{
    struct simulated_guard *g = context;
    for (size_t i = 0; i < n; i++)
        if (act(g, &rows[i]) != 0)
            return -1;
    return controller_write(&g->controller, interval, rows, n);
}

static bool begin(struct simulated_controller *c)
{
    struct simulated_guard *g = guard_of(c);
    const struct guard_options guard = {.policy = &g->rules,
                                        .name_of = scenario_name_of,
                                        .names = c->control->scenario,
                                        .context = g,
                                        .rows = take_rows};
    if (!(g->guard = guard_new(&guard)))
        return false;
    guard_wants(g->guard, &c->meter);
    c->length_ns = g->rules.window_ns;
    return true;
}

static size_t memory(const void *controller)
{
    return guard_memory(guard_of(controller)->guard);
}

static const struct subject *missing(const struct simulated_controller *c)
{
    return guard_missing(guard_of(c)->guard);
}

static void release(struct simulated_controller *c)
{
    guard_free(guard_of(c)->guard);
    guard_policy_free(&guard_of(c)->rules);
}

const struct controller_kind simulated_guard_kind = {.relation = &relation_guards,
                                                     .option = "decisions",
                                                     .prepare = prepare,
                                                     .begin = begin,
                                                     .memory = memory,
                                                     .missing = missing,
                                                     .release = release};
