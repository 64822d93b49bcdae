/* Reads the policy of a ledger of debts that xenmeter-policy(5) describes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "metrics/control/repayment.h"
#include "policy.h"
#include "policy_json.h"

static const char *const policy_keys[] = {"feedback", "spread", "floor", "pcpus", "default", "domains", NULL};
static const char *const rule_keys[] = {"share", "slice", "period", "floor", "spread", NULL};

static int floor_member(const json_t *object, const struct where *w, struct cpu_share *floor,
                        struct error *err)
{
    const char *text;
    struct where where = where_below(w, "floor");
    if (json_text_member(object, w, "floor", "10%", &text, err) != 0)
        return -1;
    return text ? policy_floor(where.text, text, floor, err) : 0;
}

/* ---- rules ---- */

static int share_member(const json_t *object, const struct where *w, struct cpu_share *share,
                        struct error *err)
{
    const char *text;
    struct where where = where_below(w, "share");
    if (json_text_member(object, w, "share", "60%", &text, err) != 0)
        return -1;
    if (text && policy_percent(text, strlen(text), false, share))
        return 0;
    return error_set(err, ERROR_FORMAT, "%s: is not a share of a pCPU above 0 %%, for example \"60%%\"",
                     where.text);
}

/* A share, or a slice and its period. */
static int read_reservation(const json_t *object, const struct where *w, struct cpu_share *share,
                            struct error *err)
{
    bool by_share = json_object_get(object, "share");
    bool by_slice = json_object_get(object, "slice") || json_object_get(object, "period");
    uint64_t slice_ns = 0, period_ns = 0;
    if (by_share == by_slice)
        return error_set(err, ERROR_FORMAT, "%s: wants %s\"share\", or \"slice\" and \"period\"", w->text,
                         by_share ? "only one of the two: " : "");
    if (by_share)
        return share_member(object, w, share, err);
    if (json_length_member(object, w, "slice", &slice_ns, err) != 0 ||
        json_length_member(object, w, "period", &period_ns, err) != 0)
        return -1;
    return policy_slice(w->text, slice_ns, period_ns, share, err);
}

static int read_rule(const json_t *object, const struct where *w, const struct policy_settings *s,
                     struct debt_rule *rule, struct error *err)
{
    unsigned spread = s->spread;
    *rule = (struct debt_rule){.floor = s->floor};
    if (json_check_object(object, w, rule_keys, err) != 0 ||
        read_reservation(object, w, &rule->reservation, err) != 0 ||
        floor_member(object, w, &rule->floor, err) != 0 ||
        json_number_member(object, w, "spread", REPAYMENT_PERIODS_MAX, &spread, err) != 0)
        return -1;
    rule->spread = spread;
    return 0;
}

static int read_domain(struct debt_policy *p, const char *key, const json_t *object, const struct where *w,
                       const struct policy_settings *s, struct error *err)
{
    struct debt_reserve r = {.who.name = NULL};
    char *name = strdup(key);
    snprintf(r.who.where, sizeof r.who.where, "%.71s", w->text);
    int status = name ? policy_domain(w->text, name, &r.who, err) : error_no_memory(err, "the policy");
    if (status == 0 && read_rule(object, w, s, &r.rule, err) != 0)
        status = -1;
    if (status == 0)
        status = debt_policy_add(p, &r, err);
    free(name);
    return status;
}

static int read_domains(struct debt_policy *p, const json_t *domains, const struct policy_settings *s,
                        struct error *err)
{
    const struct where w = {"domains"};
    const char *key;
    json_t *object;
    if (json_check_object(domains, &w, NULL, err) != 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)domains, key, object)
    {
        struct where where = where_below(&w, key);
        if (read_domain(p, key, object, &where, s, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the file ---- */

static int read_settings(const json_t *policy, struct policy_settings *s, struct error *err)
{
    const struct where top = {""};
    const char *feedback;
    if (json_text_member(policy, &top, "feedback", "500ms", &feedback, err) != 0 ||
        (feedback && policy_feedback("feedback", feedback, &s->feedback_ns, err) != 0) ||
        floor_member(policy, &top, &s->floor, err) != 0 ||
        json_number_member(policy, &top, "spread", REPAYMENT_PERIODS_MAX, &s->spread, err) != 0)
        return -1;
    return json_number_member(policy, &top, "pcpus", PCPUS_MAX, &s->host_pcpus, err);
}

static int read_policy(struct debt_policy *p, const json_t *policy, const struct policy_settings *given,
                       struct error *err)
{
    const struct where top = {""}, otherwise = {"default"};
    const json_t *domains = json_object_get(policy, "domains"), *others = json_object_get(policy, "default");
    struct policy_settings s = {0};
    if (json_check_object(policy, &top, policy_keys, err) != 0 || read_settings(policy, &s, err) != 0)
        return -1;
    policy_settle(&s, given);
    p->for_others = others != NULL;
    if ((others && read_rule(others, &otherwise, &s, &p->others, err) != 0) ||
        (domains && read_domains(p, domains, &s, err) != 0))
        return -1;
    if (p->n == 0 && !others)
        return error_set(
            err, ERROR_FORMAT,
            "there is no reservation in it: wants \"domains\": { \"1\": { \"share\": \"60%%\" } }, or "
            "\"default\"");
    return policy_complete(p, &s, err);
}

const char *policy_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "(standard input)" : path;
}

int policy_read_file(struct debt_policy *p, const char *path, const struct policy_settings *given,
                     struct error *err)
{
    json_t *policy = policy_json_read(path, err);
    if (!policy)
        return -1;
    int status = read_policy(p, policy, given, err);
    json_decref(policy);
    return status;
}
