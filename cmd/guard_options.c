#include "guard_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "policy.h"
#include "policy_json.h"

static const char *const policy_keys[] = {"window",     "max_hold",    "settle",   "probation", "stale",
                                          "hysteresis", "min_certain", "max_lost", "actions",   "exempt",
                                          "default",    "domains",     "steps",    NULL};
static const char *const rule_keys[] = {"limit", "driver_domains", NULL};

/* ---- values ---- */

int guard_length(const char *where, const char *text, uint64_t *ns, struct error *err)
{
    if (policy_length(text, strlen(text), ns) && *ns >= GUARD_LENGTH_MIN_NS && *ns <= GUARD_LENGTH_MAX_NS)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: '%.40s' is not a length of time from 1ms to 1h, for example 200ms", where, text);
}

int guard_part(const char *where, const char *text, struct cpu_share *part, struct error *err)
{
    if (policy_percent(text, strlen(text), true, part) && part->part <= part->of)
        return 0;
    return error_set(err, ERROR_USAGE, "%s: '%.40s' is not a part from 0%% to 100%%, for example 50%%", where,
                     text);
}

static int read_limit(const char *where, const char *text, size_t n, struct cpu_share *limit,
                      struct error *err)
{
    if (policy_percent(text, n, false, limit) && limit->part <= limit->of)
        return 0;
    return error_set(
        err, ERROR_USAGE,
        "%s: '%.*s' is not a part of a driver domain's CPU above 0%% and up to 100%%, for example 5%%", where,
        n < 40 ? (int)n : 40, text);
}

/* ---- lists ---- */

static int take_protected(void *context, const char *item, size_t n, struct error *err)
{
    struct subject s = {.name = NULL};
    snprintf(s.where, sizeof s.where, "--protect %.*s", n < 50 ? (int)n : 50, item);
    char *key = strndup(item, n);
    int status = key ? policy_domain(s.where, key, &s, err) : error_no_memory(err, "the policy");
    if (status == 0)
        status = guard_policy_exempt(context, &s, err);
    free(key);
    return status;
}

/* What options give, and whether all of it makes sense together. */
static int complete_policy(struct guard_policy *p, const struct guard_settings *given, struct error *err)
{
    p->window_ns = given->window_ns ? given->window_ns : p->window_ns;
    p->max_hold_ns = given->max_hold_ns ? given->max_hold_ns : p->max_hold_ns;
    p->min_certain = given->min_certain.of ? given->min_certain : p->min_certain;
    if (given->protect && each_item(given->protect, take_protected, p, err) != 0)
        return -1;
    if (p->max_hold_ns < p->window_ns)
        return error_set(
            err, ERROR_USAGE,
            "max_hold: a guest is held for one window at least: shorten the window, or lengthen max_hold");
    return 0;
}

/* "3" "web" "*": the guest of a limit. */
static int take_guest(struct guard_limit *l, char *key, struct error *err)
{
    l->every_guest = strcmp(key, "*") == 0;
    return l->every_guest ? 0 : policy_domain(l->guest.where, key, &l->guest, err);
}

/* "3" or "3@2": at every driver domain, or at one. */
static int take_key(struct guard_limit *l, char *key, struct error *err)
{
    char *at = strrchr(key, '@');
    l->every_driver = !at;
    if (at) {
        *at = '\0';
        if (policy_domain(l->driver.where, at + 1, &l->driver, err) != 0)
            return -1;
    }
    return take_guest(l, key, err);
}

static int take_item(void *context, const char *item, size_t n, struct error *err)
{
    struct guard_policy *p = context;
    struct guard_limit l = {.limit = {0, 1}};
    const char *equals = memrchr(item, '=', n);
    size_t key_n = equals ? (size_t)(equals - item) : n;
    snprintf(l.guest.where, sizeof l.guest.where, "--limit %.*s", n < 50 ? (int)n : 50, item);
    l.driver = l.guest;
    if (!equals)
        return error_set(err, ERROR_USAGE, "%s: wants GUEST=PERCENT, for example 3=5%% or web=2%%",
                         l.guest.where);
    if (read_limit(l.guest.where, equals + 1, n - key_n - 1, &l.limit, err) != 0)
        return -1;
    char *key = strndup(item, key_n);
    int status = key ? take_key(&l, key, err) : error_no_memory(err, "the limits");
    if (status == 0)
        status = guard_policy_add(p, &l, err);
    free(key);
    return status;
}

int guard_read_list(struct guard_policy *p, const char *list, const struct guard_settings *given,
                    struct error *err)
{
    guard_policy_init(p);
    return each_item(list, take_item, p, err) == 0 ? complete_policy(p, given, err) : -1;
}

/* ---- the file ---- */

static int length_key(const json_t *policy, const char *key, uint64_t *ns, struct error *err)
{
    const struct where top = {""};
    const char *text;
    if (json_text_member(policy, &top, key, "200ms", &text, err) != 0)
        return -1;
    return text ? guard_length(key, text, ns, err) : 0;
}

static int part_key(const json_t *policy, const char *key, struct cpu_share *part, struct error *err)
{
    const struct where top = {""};
    const char *text;
    if (json_text_member(policy, &top, key, "50%", &text, err) != 0)
        return -1;
    return text ? guard_part(key, text, part, err) : 0;
}

static int read_settings(struct guard_policy *p, const json_t *policy, struct error *err)
{
    const struct where top = {""};
    if (length_key(policy, "window", &p->window_ns, err) != 0 ||
        length_key(policy, "max_hold", &p->max_hold_ns, err) != 0 ||
        length_key(policy, "settle", &p->settle_ns, err) != 0 ||
        length_key(policy, "probation", &p->probation_ns, err) != 0 ||
        length_key(policy, "stale", &p->stale_ns, err) != 0)
        return -1;
    if (part_key(policy, "hysteresis", &p->hysteresis, err) != 0 ||
        part_key(policy, "min_certain", &p->min_certain, err) != 0)
        return -1;
    if (part_key(policy, "max_lost", &p->max_lost, err) != 0)
        return -1;
    return json_number_member(policy, &top, "steps", GUARD_STEPS_MAX, &p->steps, err);
}

/* A word that a hook or a simulated host knows. */
static bool is_action(const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.=", text[i]))
            return false;
    return n > 0 && n < GUARD_ACTION_BYTES;
}

static int read_actions(struct guard_policy *p, const json_t *actions, struct error *err)
{
    const struct where w = {"actions"};
    if (json_check_object(actions, &w, guard_io_names, err) != 0)
        return -1;
    for (int io = 0; io < GUARD_IOS; io++) {
        const char *text;
        struct where where = where_below(&w, guard_io_names[io]);
        if (json_text_member(actions, &w, guard_io_names[io], "drop", &text, err) != 0)
            return -1;
        if (text && !is_action(text))
            return error_set(err, ERROR_FORMAT,
                             "%s: is not the name of an action: a word such as drop, or none", where.text);
        if (text)
            snprintf(p->actions[io], sizeof p->actions[io], "%s", strcmp(text, "none") == 0 ? "" : text);
    }
    return 0;
}

static int check_steps(const struct guard_policy *p, struct error *err)
{
    for (int io = 0; io < GUARD_IOS; io++)
        if (guard_action_has_number(p->actions[io]))
            return 0;
    return p->steps == 0 ? 0
                         : error_set(err, ERROR_FORMAT,
                                     "steps: no action has a number that could be doubled, as rate=800 has");
}

static int read_exempt(struct guard_policy *p, const json_t *exempt, struct error *err)
{
    size_t i;
    const json_t *guest;
    if (!json_is_array(exempt))
        return error_set(err, ERROR_FORMAT, "exempt: wants a list of ids or names: [ \"web\", \"7\" ]");
    json_array_foreach(exempt, i, guest)
    {
        struct subject s = {.name = NULL};
        snprintf(s.where, sizeof s.where, "exempt[%zu]", i);
        char *key = json_is_string(guest) ? strdup(json_string_value(guest)) : NULL;
        int status = key ? policy_domain(s.where, key, &s, err)
                         : error_set(err, ERROR_FORMAT, "%s: wants a text: an id or a name", s.where);
        if (status == 0)
            status = guard_policy_exempt(p, &s, err);
        free(key);
        if (status != 0)
            return -1;
    }
    return 0;
}

/* ---- its limits ---- */

/* The limit of `object` for the guest of `l`, at every driver domain. */
static int add_limit(struct guard_policy *p, struct guard_limit *l, const json_t *value,
                     const struct where *w, struct error *err)
{
    const char *text = json_string_value(value);
    if (!text)
        return error_set(err, ERROR_FORMAT, "%s: wants a text with its unit, for example \"5%%\"", w->text);
    if (read_limit(w->text, text, strlen(text), &l->limit, err) != 0)
        return -1;
    return guard_policy_add(p, l, err);
}

/* The limits at single driver domains. */
static int read_drivers(struct guard_policy *p, struct guard_limit *l, const json_t *drivers,
                        const struct where *w, struct error *err)
{
    const char *key;
    const json_t *value;
    if (json_check_object(drivers, w, NULL, err) != 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)drivers, key, value)
    {
        struct where where = where_below(w, key);
        struct guard_limit at = *l;
        char *name = strdup(key);
        at.every_driver = false;
        snprintf(at.driver.where, sizeof at.driver.where, "%.71s", where.text);
        int status =
            name ? policy_domain(where.text, name, &at.driver, err) : error_no_memory(err, "the limits");
        if (status == 0)
            status = add_limit(p, &at, value, &where, err);
        free(name);
        if (status != 0)
            return -1;
    }
    return 0;
}

static int read_rule(struct guard_policy *p, struct guard_limit *l, const json_t *object,
                     const struct where *w, struct error *err)
{
    const json_t *limit, *drivers;
    if (json_check_object(object, w, rule_keys, err) != 0)
        return -1;
    limit = json_object_get(object, "limit");
    drivers = json_object_get(object, "driver_domains");
    if (!limit && !drivers)
        return error_set(err, ERROR_FORMAT, "%s: wants a \"limit\", or \"driver_domains\" with limits",
                         w->text);
    struct where at_limit = where_below(w, "limit"), at_drivers = where_below(w, "driver_domains");
    l->every_driver = true;
    if (limit && add_limit(p, l, limit, &at_limit, err) != 0)
        return -1;
    return drivers ? read_drivers(p, l, drivers, &at_drivers, err) : 0;
}

static int read_domain(struct guard_policy *p, const char *key, const json_t *object, const struct where *w,
                       struct error *err)
{
    struct guard_limit l = {.every_guest = false};
    char *name = strdup(key);
    snprintf(l.guest.where, sizeof l.guest.where, "%.71s", w->text);
    int status = name ? policy_domain(w->text, name, &l.guest, err) : error_no_memory(err, "the limits");
    if (status == 0)
        status = read_rule(p, &l, object, w, err);
    free(name);
    return status;
}

static int read_domains(struct guard_policy *p, const json_t *domains, struct error *err)
{
    const struct where w = {"domains"};
    const char *key;
    const json_t *object;
    if (json_check_object(domains, &w, NULL, err) != 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)domains, key, object)
    {
        struct where where = where_below(&w, key);
        if (read_domain(p, key, object, &where, err) != 0)
            return -1;
    }
    return 0;
}

static int read_policy(struct guard_policy *p, const json_t *policy, const struct guard_settings *given,
                       struct error *err)
{
    const struct where top = {""}, otherwise = {"default"};
    const json_t *domains, *others, *actions, *exempt;
    struct guard_limit every = {.every_guest = true, .guest.where = "default"};
    if (json_check_object(policy, &top, policy_keys, err) != 0 || read_settings(p, policy, err) != 0)
        return -1;
    domains = json_object_get(policy, "domains");
    others = json_object_get(policy, "default");
    actions = json_object_get(policy, "actions");
    exempt = json_object_get(policy, "exempt");
    if ((others && read_rule(p, &every, others, &otherwise, err) != 0) ||
        (domains && read_domains(p, domains, err) != 0) || (actions && read_actions(p, actions, err) != 0) ||
        check_steps(p, err) != 0 || (exempt && read_exempt(p, exempt, err) != 0))
        return -1;
    if (p->n == 0)
        return error_set(err, ERROR_FORMAT,
                         "there is no limit in it: wants \"domains\": { \"3\": { \"limit\": \"5%%\" } }, or "
                         "\"default\"");
    return complete_policy(p, given, err);
}

int guard_read_file(struct guard_policy *p, const char *path, const struct guard_settings *given,
                    struct error *err)
{
    guard_policy_init(p);
    json_t *policy = policy_json_read(path, err);
    if (!policy)
        return -1;
    int status = read_policy(p, policy, given, err);
    json_decref(policy);
    return status;
}
