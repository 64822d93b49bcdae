#include "metrics/control/guard_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#define MS 1000000u
#define S  1000000000u

const char *const guard_io_names[] = {"network", "disk", NULL};

void guard_policy_init(struct guard_policy *p)
{
    *p = (struct guard_policy){.window_ns = 200 * MS,
                               .max_hold_ns = 30ull * S,
                               .settle_ns = 1 * S,
                               .probation_ns = 2ull * S,
                               .stale_ns = 3ull * S,
                               .hysteresis = {0, 100},
                               .min_certain = {0, 100},
                               .max_lost = {5, 100},
                               .actions = {"drop", "pause"}};
}

static void limit_free(struct guard_limit *l)
{
    free(l->guest.name);
    free(l->driver.name);
}

void guard_policy_free(struct guard_policy *p)
{
    for (size_t i = 0; i < p->n; i++)
        limit_free(&p->limits[i]);
    for (size_t i = 0; i < p->exempt_n; i++)
        free(p->exempt[i].name);
    free(p->limits);
    free(p->exempt);
}

int guard_policy_add(struct guard_policy *p, const struct guard_limit *limit, struct error *err)
{
    if (!array_make_room(&p->limits, &p->capacity, p->n + 1, sizeof *p->limits))
        return error_no_memory(err, "the limits");
    struct guard_limit added = *limit;
    added.guest.name = added.driver.name = NULL;
    if (subject_copy(&added.guest, &limit->guest, err) != 0 ||
        subject_copy(&added.driver, &limit->driver, err) != 0) {
        limit_free(&added);
        return -1;
    }
    p->limits[p->n++] = added;
    return 0;
}

int guard_policy_exempt(struct guard_policy *p, const struct subject *guest, struct error *err)
{
    if (!array_make_room(&p->exempt, &p->exempt_capacity, p->exempt_n + 1, sizeof *p->exempt))
        return error_no_memory(err, "the policy");
    if (subject_copy(&p->exempt[p->exempt_n], guest, err) != 0)
        return -1;
    p->exempt_n++;
    return 0;
}

/* ---- about whom the limits are ---- */

static bool same_limit(const struct guard_limit *a, const struct guard_limit *b)
{
    return a->every_guest == b->every_guest && a->every_driver == b->every_driver &&
           (a->every_guest || subject_same(&a->guest, &b->guest)) &&
           (a->every_driver || subject_same(&a->driver, &b->driver));
}

/* Where the limit is given, for messages. */
static const char *where_of(const struct guard_limit *l)
{
    return l->every_driver ? l->guest.where : l->driver.where;
}

static int resolve_limit(struct guard_limit *l, domain_name_of name_of, const void *names, struct error *err)
{
    if ((!l->every_guest && subject_resolve(&l->guest, name_of, names, err) != 0) ||
        (!l->every_driver && subject_resolve(&l->driver, name_of, names, err) != 0))
        return -1;
    if (!l->every_guest && subject_is(&l->guest, 0, name_of ? name_of(names, 0, 1) : NULL))
        return error_set(err, ERROR_USAGE, "%s: domain 0 is never acted on: give it no limit", where_of(l));
    return 0;
}

int guard_policy_resolve(struct guard_policy *p, domain_name_of name_of, const void *names, struct error *err)
{
    for (size_t i = 0; i < p->n; i++) {
        struct guard_limit *l = &p->limits[i];
        if (resolve_limit(l, name_of, names, err) != 0)
            return -1;
        for (size_t k = 0; k < i; k++)
            if (same_limit(&p->limits[k], l))
                return error_set(err, ERROR_USAGE, "%s: the same as %s: one of the two limits must go",
                                 where_of(l), where_of(&p->limits[k]));
    }
    for (size_t i = 0; i < p->exempt_n; i++)
        if (subject_resolve(&p->exempt[i], name_of, names, err) != 0)
            return -1;
    return 0;
}

/* How closely the limit is about both; 0: it is not. */
static int closeness(const struct guard_limit *l, struct guard_party guest, struct guard_party driver)
{
    bool of_guest = l->every_guest || subject_is(&l->guest, guest.domain, guest.name);
    bool of_driver = l->every_driver || subject_is(&l->driver, driver.domain, driver.name);
    return of_guest && of_driver ? 1 + 2 * !l->every_guest + !l->every_driver : 0;
}

const struct guard_limit *guard_policy_find(const struct guard_policy *p, struct guard_party guest,
                                            struct guard_party driver)
{
    const struct guard_limit *found = NULL;
    int best = 0;
    for (size_t i = 0; i < p->n; i++) {
        int close = closeness(&p->limits[i], guest, driver);
        found = close > best ? &p->limits[i] : found;
        best = close > best ? close : best;
    }
    return found;
}

bool guard_policy_concerns(const struct guard_policy *p, struct guard_party guest, bool others)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct guard_limit *l = &p->limits[i];
        if (l->every_guest ? others : subject_is(&l->guest, guest.domain, guest.name))
            return true;
    }
    return false;
}

bool guard_policy_exempts(const struct guard_policy *p, struct guard_party guest)
{
    for (size_t i = 0; i < p->exempt_n; i++)
        if (subject_is(&p->exempt[i], guest.domain, guest.name))
            return true;
    return false;
}

/* ---- actions ---- */

#define NUMBER_MAX 1000000000u

/* The number after the "="; NULL: there is none, or it is longer than any that can be doubled. */
static const char *number_in(const char *action)
{
    const char *number = strchr(action, '=');
    if (!number)
        return NULL;
    size_t n = strspn(++number, "0123456789");
    return n > 0 && n <= 10 && !number[n] ? number : NULL;
}

bool guard_action_has_number(const char *action)
{
    return number_in(action) != NULL;
}

void guard_action_at(char to[GUARD_ACTION_BYTES], const char *action, unsigned step)
{
    const char *text = number_in(action);
    uint64_t number = text ? strtoull(text, NULL, 10) : 0;
    uint64_t doubled = number << (step < GUARD_STEPS_MAX ? step : GUARD_STEPS_MAX);
    if (!text || number >= NUMBER_MAX)
        snprintf(to, GUARD_ACTION_BYTES, "%s", action);
    else
        snprintf(to, GUARD_ACTION_BYTES, "%.*s%llu", (int)(text - action), action,
                 (unsigned long long)(doubled < NUMBER_MAX ? doubled : NUMBER_MAX));
}
