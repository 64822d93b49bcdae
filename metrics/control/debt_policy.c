#include "metrics/control/debt_policy.h"

#include <stdlib.h>

#include "metrics/array.h"

void debt_policy_free(struct debt_policy *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->reserves[i].who.name);
    free(p->reserves);
}

int debt_policy_add(struct debt_policy *p, const struct debt_reserve *reserve, struct error *err)
{
    if (!array_make_room(&p->reserves, &p->capacity, p->n + 1, sizeof *p->reserves))
        return error_no_memory(err, "the reservations");
    struct debt_reserve *added = &p->reserves[p->n];
    added->rule = reserve->rule;
    if (subject_copy(&added->who, &reserve->who, err) != 0)
        return -1;
    p->n++;
    return 0;
}

/* ---- about whom the rules are ---- */

int debt_policy_resolve(struct debt_policy *p, domain_name_of name_of, const void *names, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct debt_reserve *r = &p->reserves[i];
        if (subject_resolve(&r->who, name_of, names, err) != 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (subject_same(&p->reserves[k].who, &r->who))
                return error_set(err, ERROR_USAGE,
                                 "%s: the same domain as %s: one of the two reservations must go",
                                 r->who.where, p->reserves[k].who.where);
    }
    return 0;
}

const struct debt_reserve *debt_policy_find(const struct debt_policy *p, uint16_t domain, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct debt_reserve *r = &p->reserves[i];
        if (subject_is(&r->who, domain, name))
            return r;
    }
    return NULL;
}

/* ---- whether the host has so much ---- */

uint64_t debt_policy_reserved_ns(const struct debt_policy *p)
{
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < p->n; i++) {
        uint64_t ns = cpu_share_ns(p->reserves[i].rule.reservation, p->feedback_ns);
        sum_ns = ns > UINT64_MAX - sum_ns ? UINT64_MAX : sum_ns + ns;
    }
    return sum_ns;
}

int debt_policy_check_sum(const struct debt_policy *p, uint64_t reserved_ns, size_t n, unsigned pcpus,
                          struct error *err)
{
    uint64_t all_ns = p->feedback_ns * pcpus;
    if (reserved_ns <= all_ns || reserved_ns - all_ns <= n) /* each was rounded */
        return 0;
    double whole = (double)p->feedback_ns;
    return error_set(
        err, ERROR_USAGE,
        "the reservations of %zu domain%s add up to %.2f %%, but %u pCPU%s %.0f %%: reserve less%s", n,
        n == 1 ? "" : "s", 100 * (double)reserved_ns / whole, pcpus, pcpus == 1 ? " has" : "s have",
        100.0 * pcpus, p->host_pcpus ? "" : ", or say how many pCPUs the host has (--host-pcpus)");
}
