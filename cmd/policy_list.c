/* Reads --reserve. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "policy.h"

struct list_reader {
    struct debt_policy *policy;
    struct debt_rule rule; /* but for the reservation */
};

/* "60%" or "10ms/100ms", in n characters. */
static int take_reservation(const char *where, const char *text, size_t n, struct cpu_share *share,
                            struct error *err)
{
    const char *slash = memchr(text, '/', n);
    uint64_t slice_ns = 0, period_ns = 0;
    if (policy_percent(text, n, false, share))
        return 0;
    if (slash && policy_length(text, (size_t)(slash - text), &slice_ns) &&
        policy_length(slash + 1, n - (size_t)(slash + 1 - text), &period_ns))
        return policy_slice(where, slice_ns, period_ns, share, err);
    return error_set(err, ERROR_USAGE,
                     "%s: wants DOMAIN=SHARE%% or DOMAIN=SLICE/PERIOD, for example 1=60%% or web=10ms/100ms",
                     where);
}

static int add_rule(struct list_reader *l, struct debt_reserve *r, char *key, struct error *err)
{
    if (strcmp(key, "*") == 0 && l->policy->for_others)
        return error_set(err, ERROR_USAGE, "%s: '*' was given before: one of the two must go", r->who.where);
    if (strcmp(key, "*") == 0) {
        l->policy->for_others = true;
        l->policy->others = r->rule;
        return 0;
    }
    return policy_domain(r->who.where, key, &r->who, err) == 0 ? debt_policy_add(l->policy, r, err) : -1;
}

static int take_item(void *context, const char *item, size_t n, struct error *err)
{
    struct list_reader *l = context;
    struct debt_reserve r = {.rule = l->rule};
    const char *equals = memrchr(item, '=', n);
    size_t key_n = equals ? (size_t)(equals - item) : n;
    snprintf(r.who.where, sizeof r.who.where, "--reserve %.*s", n < 50 ? (int)n : 50, item);
    if (take_reservation(r.who.where, item + key_n + (equals != NULL), equals ? n - key_n - 1 : 0,
                         &r.rule.reservation, err) != 0)
        return -1;
    char *key = strndup(item, key_n);
    int status = key ? add_rule(l, &r, key, err) : error_no_memory(err, "the reservations");
    free(key);
    return status;
}

int policy_read_list(struct debt_policy *p, const char *list, const struct policy_settings *given,
                     struct error *err)
{
    struct policy_settings settings = {0};
    policy_settle(&settings, given);
    struct list_reader l = {.policy = p, .rule = {.floor = settings.floor, .spread = settings.spread}};
    return each_item(list, take_item, &l, err) == 0 ? policy_complete(p, &settings, err) : -1;
}
