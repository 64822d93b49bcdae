#include "sim/scenario_checks.h"

/* RTDS has one queue: what is reserved must fit into all pCPUs together. */
static int check_budgets(const struct scenario *s, const struct key_place *list, struct error *err)
{
    double share = 0;
    if (s->scheduler != SCENARIO_RTDS)
        return 0;
    for (size_t i = 0; i < s->domain_count; i++)
        share +=
            (double)s->domains[i].vcpus * (double)s->domains[i].budget_ns / (double)s->domains[i].period_ns;
    if (share > (double)s->pcpus + 1e-9)
        return key_error(list, err,
                         "have budgets of %.1f %% of a pCPU, and there are %zu pCPUs: lower the budgets",
                         100 * share, (size_t)s->pcpus);
    return 0;
}

/* Whether a domain is gone before the other one, of the same id, is created. */
static bool gone_before(const struct scenario_domain *d, const struct scenario_domain *other)
{
    return d->destroyed_ns != UINT64_MAX && d->destroyed_ns + SCENARIO_LIFE_NS <= other->created_ns;
}

static int check_ids(const struct scenario *s, const struct key_place *list, struct error *err)
{
    for (size_t i = 1; i < s->domain_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct key_place here = {list, NULL, s->domains[i].element};
            if (s->domains[i].id == s->domains[j].id && !gone_before(&s->domains[j], &s->domains[i]))
                return key_error(&here, err,
                                 "domain %zu is there already: give this one another id, or destroy the "
                                 "other one %u ms before",
                                 (size_t)s->domains[i].id, SCENARIO_LIFE_NS / 1000000);
        }
    return 0;
}

static int check_vcpus(const struct scenario *s, const struct key_place *list, struct error *err)
{
    uint64_t all = 0;
    for (size_t i = 0; i < s->domain_count; i++)
        all += s->domains[i].vcpus;
    if (all == 0)
        return key_error(list, err, "must have at least one domain");
    if (all > SCENARIO_ALL_VCPUS)
        return key_error(list, err, "have %zu vCPUs together; at most %d are possible", (size_t)all,
                         SCENARIO_ALL_VCPUS);
    return 0;
}

/*
 * SEDF has a run queue per pCPU: what is reserved there must fit. vCPUs that are not pinned are dealt out as the scheduler
 * does it (sched_sedf.c), so that the check is exact.
 */
static int check_reservations(const struct scenario *s, const struct key_place *list, struct error *err)
{
    double share[SCENARIO_PCPUS_MAX] = {0};
    size_t next = 0;
    if (s->scheduler != SCENARIO_SEDF)
        return 0;
    for (size_t i = 0; i < s->domain_count; i++)
        for (size_t v = 0; v < s->domains[i].vcpus; v++) {
            const struct scenario_domain *d = &s->domains[i];
            const struct key_place here = {list, NULL, d->element};
            size_t pcpu = d->pins[v] >= 0 ? (size_t)d->pins[v] : next++ % s->pcpus;
            share[pcpu] += (double)d->slice_ns / (double)d->period_ns;
            if (share[pcpu] > 1 + 1e-9)
                return key_error(&here, err,
                                 "with this domain %.1f %% of pCPU %zu are reserved: lower the slices there",
                                 100 * share[pcpu], pcpu);
        }
    return 0;
}

int scenario_check_domains(const struct scenario *s, const struct key_place *list, struct error *err)
{
    if (check_vcpus(s, list, err) != 0 || check_ids(s, list, err) != 0)
        return -1;
    return check_budgets(s, list, err) != 0 ? -1 : check_reservations(s, list, err);
}
