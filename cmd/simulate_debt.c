/* The ledger of debts (SEDF-DC) in control of a simulated host. */
#include "metrics/relation/debts.h"
#include "policy.h"
#include "simulate_control.h"

static struct simulated_ledger *ledger_of(const void *controller)
{
    return (struct simulated_ledger *)(uintptr_t)controller; /* its beginning */
}

/* Each rule is about a domain of the scenario. */
static int check_domains(const struct simulated_ledger *l, struct error *err)
{
    for (size_t i = 0; i < l->rules.n; i++)
        if (scenario_has(l->controller.control->scenario, &l->rules.reserves[i].who, err) != 0)
            return -1;
    return 0;
}

/* What is reserved, by name or by the rule for others, fits the host. */
static int check_sum(struct simulated_ledger *l, struct error *err)
{
    struct debt_policy *p = &l->rules;
    const struct scenario *s = l->controller.control->scenario;
    uint64_t reserved_ns = debt_policy_reserved_ns(p);
    size_t n = p->n;
    p->host_pcpus = (unsigned)s->pcpus;
    for (size_t i = 0; p->for_others && i < s->domain_count; i++) {
        const struct scenario_domain *d = &s->domains[i];
        if (d->id == 0 || d->driver ||
            debt_policy_find(p, (uint16_t)d->id, scenario_name_of(s, (int32_t)d->id, 1)))
            continue;
        reserved_ns += cpu_share_ns(p->others.reservation, p->feedback_ns);
        n++;
    }
    return debt_policy_check_sum(p, reserved_ns, n, p->host_pcpus, err);
}

static int prepare(struct simulated_controller *c, struct error *err)
{
    const struct policy_settings nothing_given = {0};
    struct simulated_ledger *l = ledger_of(c);
    if (policy_read_file(&l->rules, c->policy, &nothing_given, err) != 0 || check_domains(l, err) != 0 ||
        debt_policy_resolve(&l->rules, scenario_name_of, c->control->scenario, err) != 0)
        return -1;
    return check_sum(l, err);
}

static int act(const struct simulated_ledger *l, const struct debt_row *row)
{
    struct simulated_control *c = l->controller.control;
    return row->settled ? simulation_allow(c->host->simulation, (uint16_t)row->domain, row->allowance_ns,
                                           l->rules.feedback_ns, c->delay_ns, &c->why)
                        : 0;
}

static int take_rows(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct simulated_ledger *l = context;
    for (size_t i = 0; i < n; i++)
        if (act(l, &rows[i]) != 0)
            return -1;
    return controller_write(&l->controller, interval, rows, n);
}

static bool begin(struct simulated_controller *c)
{
    struct simulated_ledger *l = ledger_of(c);
    const struct debt_options debt = {.policy = &l->rules,
                                      .name_of = scenario_name_of,
                                      .names = c->control->scenario,
                                      .context = l,
                                      .rows = take_rows};
    if (!(l->debt = debt_new(&debt)))
        return false;
    debt_wants(l->debt, &c->meter);
    c->length_ns = l->rules.feedback_ns;
    return true;
}

static size_t memory(const void *controller)
{
    return debt_memory(ledger_of(controller)->debt);
}

static const struct subject *missing(const struct simulated_controller *c)
{
    const struct debt_reserve *r = debt_missing(ledger_of(c)->debt);
    return r ? &r->who : NULL;
}

static void release(struct simulated_controller *c)
{
    debt_free(ledger_of(c)->debt);
    debt_policy_free(&ledger_of(c)->rules);
}

const struct controller_kind simulated_ledger_kind = {.relation = &relation_debts,
                                                      .option = "ledger",
                                                      .prepare = prepare,
                                                      .begin = begin,
                                                      .memory = memory,
                                                      .missing = missing,
                                                      .release = release};
