/* Reads the file that xenmeter-policy(5) describes. Messages name the place by its keys: "domains.web.share". */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "formats/table_cell.h"
#include "metrics/control/repayment.h"
#include "policy.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define WHERE_BYTES    160
#define KEYS_MAX       8

static const char *const policy_keys[] = {"feedback", "spread", "floor", "pcpus", "default", "domains", NULL};
static const char *const rule_keys[] = {"share", "slice", "period", "floor", "spread", NULL};

/* A place in the file. */
struct where {
    char text[WHERE_BYTES];
};

/* What is below a key of the place; both are safe to print. */
static struct where below(const struct where *above, const char *key)
{
    struct where w;
    char safe[4 * 48 + 1];
    cell_text(safe, key, 48);
    snprintf(w.text, sizeof w.text, "%.90s%s%.60s", above->text, *above->text ? "." : "", safe);
    return w;
}

/* ---- kinds of values ---- */

static int check_object(const json_t *value, const struct where *w, const char *const *keys,
                        struct error *err)
{
    const char *key, *at = *w->text ? w->text : "the policy";
    char near[SUGGESTION_BYTES], all[80] = "";
    const json_t *member;
    if (!json_is_object(value))
        return error_set(err, ERROR_FORMAT, "%s: wants an object: { ... }", at);
    for (size_t i = 0, n = 0; keys && keys[i]; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", keys[i]);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        struct where where = below(w, key);
        if (keys && name_index(keys, key, strlen(key)) < 0)
            return error_set(err, ERROR_FORMAT, "%s: there is no such key%s; there are %s", where.text,
                             suggestion(near, ", did you mean '", "'?", key, keys), all);
    }
    return 0;
}

/* The text of a member, NULL without it. -1 if it is something else. */
static int text_member(const json_t *object, const struct where *w, const char *key, const char *example,
                       const char **text, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    struct where where = below(w, key);
    *text = json_string_value(value);
    if (!value || *text)
        return 0;
    return error_set(err, ERROR_FORMAT, "%s: wants a text with its unit, for example \"%s\"", where.text,
                     example);
}

/* A whole number from 1 to `most`; *number stays without it. */
static int number_member(const json_t *object, const struct where *w, const char *key, unsigned most,
                         unsigned *number, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    struct where where = below(w, key);
    json_int_t n = json_integer_value(value);
    if (!value)
        return 0;
    if (!json_is_integer(value) || n < 1 || n > (json_int_t)most)
        return error_set(err, ERROR_FORMAT, "%s: wants a whole number from 1 to %u", where.text, most);
    *number = (unsigned)n;
    return 0;
}

static int floor_member(const json_t *object, const struct where *w, struct cpu_share *floor,
                        struct error *err)
{
    const char *text;
    struct where where = below(w, "floor");
    if (text_member(object, w, "floor", "10%", &text, err) != 0)
        return -1;
    return text ? policy_floor(where.text, text, floor, err) : 0;
}

/* ---- rules ---- */

static int length_member(const json_t *object, const struct where *w, const char *key, uint64_t *ns,
                         struct error *err)
{
    const char *text;
    struct where where = below(w, key);
    if (text_member(object, w, key, "10ms", &text, err) != 0)
        return -1;
    if (text && policy_length(text, strlen(text), ns) && *ns > 0)
        return 0;
    return error_set(err, ERROR_FORMAT, "%s: %s a length of time with its unit, for example \"10ms\"",
                     where.text, text ? "is not" : "is missing:");
}

static int share_member(const json_t *object, const struct where *w, struct cpu_share *share,
                        struct error *err)
{
    const char *text;
    struct where where = below(w, "share");
    if (text_member(object, w, "share", "60%", &text, err) != 0)
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
    if (length_member(object, w, "slice", &slice_ns, err) != 0 ||
        length_member(object, w, "period", &period_ns, err) != 0)
        return -1;
    return policy_slice(w->text, slice_ns, period_ns, share, err);
}

static int read_rule(const json_t *object, const struct where *w, const struct policy_settings *s,
                     struct debt_rule *rule, struct error *err)
{
    unsigned spread = s->spread;
    *rule = (struct debt_rule){.floor = s->floor};
    if (check_object(object, w, rule_keys, err) != 0 ||
        read_reservation(object, w, &rule->reservation, err) != 0 ||
        floor_member(object, w, &rule->floor, err) != 0 ||
        number_member(object, w, "spread", REPAYMENT_PERIODS_MAX, &spread, err) != 0)
        return -1;
    rule->spread = spread;
    return 0;
}

static int read_domain(struct debt_policy *p, const char *key, const json_t *object, const struct where *w,
                       const struct policy_settings *s, struct error *err)
{
    struct debt_reserve r = {.name = NULL};
    char *name = strdup(key);
    snprintf(r.where, sizeof r.where, "%.71s", w->text);
    int status = name ? policy_domain(w->text, name, &r, err) : error_no_memory(err, "the policy");
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
    if (check_object(domains, &w, NULL, err) != 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)domains, key, object)
    {
        struct where where = below(&w, key);
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
    if (text_member(policy, &top, "feedback", "500ms", &feedback, err) != 0 ||
        (feedback && policy_feedback("feedback", feedback, &s->feedback_ns, err) != 0) ||
        floor_member(policy, &top, &s->floor, err) != 0 ||
        number_member(policy, &top, "spread", REPAYMENT_PERIODS_MAX, &s->spread, err) != 0)
        return -1;
    return number_member(policy, &top, "pcpus", PCPUS_MAX, &s->host_pcpus, err);
}

static int read_policy(struct debt_policy *p, const json_t *policy, const struct policy_settings *given,
                       struct error *err)
{
    const struct where top = {""}, otherwise = {"default"};
    const json_t *domains = json_object_get(policy, "domains"), *others = json_object_get(policy, "default");
    struct policy_settings s = {0};
    if (check_object(policy, &top, policy_keys, err) != 0 || read_settings(policy, &s, err) != 0)
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

/* All of the file; NULL with `err` filled. */
static char *read_bytes(const char *path, size_t *n, struct error *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *bytes = f ? malloc(FILE_BYTES_MAX + 1) : NULL;
    *n = bytes ? fread(bytes, 1, FILE_BYTES_MAX + 1, f) : 0;
    if (!f || (bytes && ferror(f)))
        error_set(err, ERROR_IO, "cannot read the policy: %s", strerror(errno));
    else if (!bytes)
        error_no_memory(err, "the policy");
    else if (*n > FILE_BYTES_MAX)
        error_set(err, ERROR_FORMAT, "is larger than any policy: 1 MiB at most");
    bool fine = f && bytes && !ferror(f) && *n <= FILE_BYTES_MAX;
    if (f && f != stdin)
        fclose(f);
    if (fine)
        return bytes;
    free(bytes);
    return NULL;
}

int policy_read_file(struct debt_policy *p, const char *path, const struct policy_settings *given,
                     struct error *err)
{
    json_error_t why;
    char said[4 * 120 + 1];
    size_t n;
    char *bytes = read_bytes(path, &n, err);
    if (!bytes)
        return -1;
    json_t *policy = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
    free(bytes);
    if (!policy) {
        cell_text(said, why.text, 120);
        return error_on_line(err, (uint64_t)(why.line > 0 ? why.line : 1), "is not JSON: %s", said);
    }
    int status = read_policy(p, policy, given, err);
    json_decref(policy);
    return status;
}
