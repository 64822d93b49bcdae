/* The ledger of debts (SEDF-DC) in control of a simulated host. */
#include "metrics/relation/debts.h"
#include "policy.h"
#include "simulate_control.h"

/* Each rule is about a domain of the scenario. */
static int check_domains(const struct simulated_ledger *l, struct error *err)
{
    for (size_t i = 0; i < l->rules.n; i++)
        if (scenario_has(l->control->scenario, &l->rules.reserves[i].who, err) != 0)
            return -1;
    return 0;
}

/* What is reserved, by name or by the rule for others, fits the host. */
static int check_sum(struct simulated_ledger *l, struct error *err)
{
    struct debt_policy *p = &l->rules;
    const struct scenario *s = l->control->scenario;
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

int simulated_ledger_prepare(struct simulated_ledger *l, struct error *err)
{
    const struct policy_settings nothing_given = {0};
    struct error why = {0};
    int status = policy_read_file(&l->rules, l->policy, &nothing_given, &why);
    if (status == 0)
        status = check_domains(l, &why);
    if (status == 0)
        status = debt_policy_resolve(&l->rules, scenario_name_of, l->control->scenario, &why);
    if (status == 0)
        status = check_sum(l, &why);
    if (status != 0)
        error_set(err, why.code, "%s: %s", policy_name(l->policy), why.message);
    return status;
}

static int act(const struct simulated_ledger *l, const struct debt_row *row)
{
    struct simulated_control *c = l->control;
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
    return controller_rows_write(&l->rows, &relation_debts, interval, rows, n);
}

static size_t memory(const void *context)
{
    return debt_memory(context);
}

int simulated_ledger_join(struct simulated_ledger *l, struct pipeline *pipeline, struct error *err)
{
    const struct debt_options debt = {.policy = &l->rules,
                                      .name_of = scenario_name_of,
                                      .names = l->control->scenario,
                                      .context = l,
                                      .rows = take_rows};
    if (!(l->debt = debt_new(&debt)))
        return error_no_memory(err, "the ledger");
    if (charge_options_of(l->control->options, NULL, &l->meter.charge, err) != 0)
        return -1;
    debt_wants(l->debt, &l->meter);
    const struct consumer consumer = {.context = l->debt, .memory = memory, .rows = &l->meter};
    if (pipeline_add(pipeline, &consumer, err) != 0)
        return -1;
    return controller_rows_open(&l->rows, l->control, &relation_debts, &l->rules.feedback_ns, &l->meter, err);
}

const struct subject *simulated_ledger_missing(const struct simulated_ledger *l)
{
    const struct debt_reserve *missing = debt_missing(l->debt);
    return missing ? &missing->who : NULL;
}

void simulated_ledger_free(struct simulated_ledger *l)
{
    debt_free(l->debt);
    debt_policy_free(&l->rules);
}
