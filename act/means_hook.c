/* Hooks as means: see xenmeter-hooks(7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/hooks.h"

static bool is_value(const char *text)
{
    char action[HOOK_ACTION_BYTES];
    size_t parts = 1;
    for (const char *at = strchr(text, '+'); at; at = strchr(at + 1, '+'))
        parts++;
    for (size_t i = 0, length = 0; i < parts; i++) {
        size_t n = strcspn(text + length, "+");
        snprintf(action, sizeof action, "%.*s", (int)n, text + length);
        if (n >= HOOK_ACTION_BYTES || !hook_is_action(action))
            return false;
        length += n + 1;
    }
    return parts <= HOOKS_MAX;
}

/* ---- the list ---- */

static int by_domain(const void *a, const void *b)
{
    const struct host_guest *x = a, *y = b;
    return (x->domain > y->domain) - (x->domain < y->domain);
}

/* What hook number i holds the guests by becomes part of their values; those that only this hook knows are added. */
static int add_part(struct host_guests *all, const struct host_guests *part, size_t i, size_t hooks,
                    struct error *err)
{
    for (size_t g = 0; g < part->n; g++) {
        struct host_guest *to = host_guests_find(all, part->at[g].domain);
        char actions[HOOKS_MAX][HOOK_ACTION_BYTES];
        if (!to && !(to = host_guests_add(all, part->at[g].domain)))
            return error_no_memory(err, "the list of guests");
        for (size_t k = 0; k < hooks; k++)
            hook_part(to->value, k, actions[k]);
        hook_part(part->at[g].value, 0, actions[i]);
        hook_join(to->value, sizeof to->value, (const char(*)[HOOK_ACTION_BYTES])actions, hooks);
        if (!*to->name)
            snprintf(to->name, sizeof to->name, "%s", part->at[g].name);
    }
    return 0;
}

static int list(const struct act_means *m, const struct act_runner *r, struct host_guests *guests,
                struct error *err)
{
    struct hook_list hooks;
    (void)m;
    int status = hook_list_cut(&hooks, r->command, err);
    for (size_t i = 0; i < hooks.n && status == 0; i++) {
        const struct act_runner one = hook_runner(&hooks, i, r);
        struct host_guests part = {0};
        status = hook_list_guests(&one, &part, err);
        if (status == 0)
            status = add_part(guests, &part, i, hooks.n, err);
        host_guests_free(&part);
    }
    if (status != 0)
        host_guests_free(guests);
    else if (guests->n > 1)
        qsort(guests->at, guests->n, sizeof *guests->at, by_domain);
    return status;
}

/* ---- holding ---- */

/* All hooks are called, also after one that failed; `err` is of the first one that did. */
static int set(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
               const struct act_wish *wish, struct error *err)
{
    struct hook_list hooks;
    struct error why;
    (void)m;
    int status = hook_list_cut(&hooks, r->command, err);
    for (size_t i = 0; i < hooks.n; i++) {
        const struct act_runner one = hook_runner(&hooks, i, r);
        char action[HOOK_ACTION_BYTES];
        hook_part(value, i, action);
        if (hook_set(&one, domain, action, wish, status == 0 ? err : &why) != 0)
            status = -1;
    }
    return status;
}

static int renew(const struct act_means *m, const struct act_runner *r, const struct state_guest *guests,
                 size_t n, struct error *err)
{
    struct hook_list hooks;
    struct error why;
    (void)m;
    int status = hook_list_cut(&hooks, r->command, err);
    for (size_t i = 0; i < hooks.n; i++) {
        const struct act_runner one = hook_runner(&hooks, i, r);
        if (hook_renew(&one, i, guests, n, status == 0 ? err : &why) != 0)
            status = -1;
    }
    return status;
}

static void value_of(const struct act_means *m, const struct act_wish *wish, const struct host_guest *known,
                     char value[ACT_VALUE_BYTES])
{
    (void)known;
    snprintf(value, ACT_VALUE_BYTES, "%s", wish->level_ppm < ACT_FREE_PPM ? wish->action : m->neutral);
}

/* ---- as people read it ---- */

static size_t add_words(char text[ACT_COMMAND_BYTES], size_t n, const char *const *words)
{
    for (size_t i = 0; words[i] && n < ACT_COMMAND_BYTES; i++)
        n += (size_t)snprintf(text + n, ACT_COMMAND_BYTES - n, "%s ", words[i]);
    return n;
}

/* The calls of all hooks that hold the guest, or release it. */
static void text_of(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
                    char text[ACT_COMMAND_BYTES])
{
    struct hook_list hooks;
    struct error why;
    bool releases = strcmp(value, m->neutral) == 0;
    size_t n = 0;
    *text = '\0';
    if (hook_list_cut(&hooks, r->command, &why) != 0)
        return;
    for (size_t i = 0; i < hooks.n && n < ACT_COMMAND_BYTES; i++) {
        char action[HOOK_ACTION_BYTES];
        hook_part(value, i, action);
        if (!releases && strcmp(action, HOOK_FREE) == 0)
            continue;
        n += (size_t)snprintf(text + n, ACT_COMMAND_BYTES - n, "%s", n > 0 ? "; " : "");
        n = n < ACT_COMMAND_BYTES ? add_words(text, n, hooks.at[i]) : n;
        if (n < ACT_COMMAND_BYTES)
            n += (size_t)snprintf(text + n, ACT_COMMAND_BYTES - n,
                                  releases ? "release %u - -" : "hold %u - - %s", domain, action);
    }
}

const struct act_means means_hook = {.name = "hook",
                                     .neutral = HOOK_FREE,
                                     .list = list,
                                     .set = set,
                                     .renew = renew,
                                     .value = value_of,
                                     .text = text_of,
                                     .is_value = is_value};
