#include "account/checked_sum.h"
#include "account/tally.h"

const struct charge_idd *tally_idd_of(const struct charge_idd *idds, size_t n, const struct row *row)
{
    for (size_t i = 0; i < n; i++)
        if (life_compare(idds[i].domain, idds[i].life, row->domain, row->life) == 0)
            return &idds[i];
    return NULL;
}

static const char *idd_wrong(const struct charge_idd *idd)
{
    uint64_t charged = 0, sum = idd->charged_ns;
    for (size_t i = 0; i < idd->guests_n; i++)
        if (!add_to(&charged, idd->guests[i].charged_ns) ||
            idd->guests[i].measured_ns > idd->guests[i].charged_ns ||
            idd->guests[i].certain_ns > idd->guests[i].charged_ns - idd->guests[i].measured_ns)
            return "charges have more evidence than time";
    if (charged != idd->charged_ns || !add_to(&sum, idd->own_ns) || !add_to(&sum, idd->unattributed_ns) ||
        sum != idd->running_ns)
        return "what a driver domain ran is not what it is charged for";
    return NULL;
}

/* The rows of all domains. */
static const char *rows_wrong(const struct tally *t, const struct charge_idd *idds,
                              struct tally_totals *totals)
{
    const struct row *rows = aggregate_rows(&t->domains);
    for (size_t i = 0; i < t->domains.rows.n; i++) {
        const struct measures *m = rows[i].measures;
        uint64_t states = 0;
        for (int state = 0; state < RUNSTATES; state++)
            if (m->state_ns[state] < 0 || !add_to(&states, (uint64_t)m->state_ns[state]))
                return "a domain has more time than can be";
        const struct charge_idd *idd = tally_idd_of(idds, t->domains.idds.n, &rows[i]);
        uint64_t running = (uint64_t)m->state_ns[RUNSTATE_RUNNING];
        if (!add_to(&totals->running_ns, running))
            return "its domains ran longer than can be";
        if (idd && idd->running_ns > running)
            return "a driver domain is charged for what it did not run";
        totals->driver_ns += idd ? idd->running_ns : 0;
    }
    return NULL;
}

const char *tally_wrong(const struct tally *t, const struct recorded *r, const struct charge_idd *idds,
                        struct tally_totals *totals)
{
    uint64_t driver_ns = 0;
    *totals = (struct tally_totals){0};
    if (__builtin_mul_overflow(t->recorded_ns, (uint64_t)r->pcpus, &totals->capacity_ns) ||
        totals->capacity_ns > INT64_MAX)
        return "it is longer than can be";
    const char *wrong = rows_wrong(t, idds, totals);
    for (size_t i = 0; i < t->domains.idds.n && !wrong; i++) {
        wrong = idd_wrong(&idds[i]);
        if (!wrong && !add_to(&driver_ns, idds[i].running_ns))
            wrong = "its driver domains ran longer than can be";
    }
    if (wrong)
        return wrong;
    if (driver_ns != totals->driver_ns)
        return "a driver domain has no row";
    if (totals->running_ns > totals->capacity_ns || t->idle_ns > totals->capacity_ns - totals->running_ns)
        return "its pCPUs ran longer than they were recorded";
    return NULL;
}
