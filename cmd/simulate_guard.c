/* ShareGuard in control of a simulated host. */
#include <string.h>

#include "guard_policy.h"
#include "metrics/relation/guards.h"
#include "policy.h"
#include "simulate_action.h"
#include "simulate_control.h"

static struct simulated_guard *guard_of(const void *controller)
{
    return (struct simulated_guard *)(uintptr_t)controller; /* its beginning */
}

/* What the simulated host can do about each kind of I/O. */
static const char *const possible[GUARD_IOS] = {"drop, rate=KBIT", "pause"};

static int check_actions(const struct guard_policy *p, struct error *err)
{
    struct simulated_action a;
    for (int io = 0; io < GUARD_IOS; io++)
        if (*p->actions[io] &&
            (!simulated_action_read(&a, p->actions[io]) || !(io == GUARD_NETWORK ? a.network : a.disk)))
            return error_set(err, ERROR_USAGE, "actions.%s: a simulated host knows %s and none",
                             guard_io_names[io], possible[io]);
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
    if (guard_read_file(&g->rules, c->policy, &nothing_given, err) != 0 ||
        check_actions(&g->rules, err) != 0 || check_domains(g, err) != 0)
        return -1;
    return guard_policy_resolve(&g->rules, scenario_name_of, c->control->scenario, err);
}

static int act(const struct simulated_guard *g, const struct guard_row *row)
{
    struct simulated_control *c = g->controller.control;
    bool block = row->outcome.decision == GUARD_BLOCK;
    struct simulated_action network = {0};
    if (*g->rules.actions[GUARD_NETWORK])
        simulated_action_read(&network, g->rules.actions[GUARD_NETWORK]);
    const struct simulation_held held = {.domain = (uint16_t)row->domain,
                                         .driver_domain = (uint16_t)row->driver_domain,
                                         .network = row->io[GUARD_NETWORK] && network.network,
                                         .bytes_per_s = block ? network.bytes_per_s : SIMULATION_FREE,
                                         .disk = row->io[GUARD_DISK] && *g->rules.actions[GUARD_DISK],
                                         .held = block};
    if (!block && row->outcome.decision != GUARD_RELEASE)
        return 0;
    return simulation_hold(c->host->simulation, &held, c->delay_ns, &c->why);
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
