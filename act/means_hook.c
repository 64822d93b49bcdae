/* Hooks as means: see xenmeter-hooks(7). */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/means.h"

#define NEUTRAL      "free"
#define NUMBER_BYTES 32

/* ---- what it says of itself ---- */

static bool names_word(const json_t *list, const char *word)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *text = json_string_value(item);
        if (text && strcmp(text, word) == 0)
            return true;
    }
    return false;
}

static bool take_actions(struct hook_description *d, const json_t *list)
{
    size_t i, n = 0;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *text = json_string_value(item);
        if (!text || !*text || strpbrk(text, ",= ") || n + strlen(text) + 2 > sizeof d->actions)
            return false;
        n += (size_t)snprintf(d->actions + n, sizeof d->actions - n, "%s%s", n ? "," : "", text);
    }
    return n > 0;
}

int hook_describe(const struct act_runner *r, struct hook_description *d, struct error *err)
{
    const char *const words[] = {"describe", NULL};
    struct buffer output = {0};
    int status = runner_run(r, words, NULL, &output, err);
    json_t *all = status == 0 ? json_loadb(output.at ? output.at : "", output.n, 0, NULL) : NULL;
    *d = (struct hook_description){
        .network = names_word(json_object_get(all, "kinds"), "network"),
        .disk = names_word(json_object_get(all, "kinds"), "disk"),
        .from = names_word(json_object_get(all, "directions"), "from"),
        .to = names_word(json_object_get(all, "directions"), "to"),
        .expires = json_is_true(json_object_get(all, "expires")),
    };
    bool fine = json_integer_value(json_object_get(all, "contract")) == 1 &&
                take_actions(d, json_object_get(all, "actions"));
    json_decref(all);
    buffer_free(&output);
    if (status == 0 && !fine)
        status =
            error_set(err, ERROR_FORMAT,
                      "%.100s describe: is no description of a hook: see xenmeter-hooks(7)", r->command[0]);
    return status;
}

bool hook_has_action(const struct hook_description *d, const char *action)
{
    size_t n = strcspn(action, "=");
    for (const char *at = d->actions; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (n > 0 && strncmp(at, action, n) == 0 && (at[n] == ',' || !at[n]))
            return true;
    return false;
}

/* ---- the list: "ID VALUE [NAME]" ---- */

static bool is_value(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < ACT_ACTION_BYTES && islower((unsigned char)*text) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-=.")] == '\0';
}

static int by_domain(const void *a, const void *b)
{
    const struct host_guest *x = a, *y = b;
    return (x->domain > y->domain) - (x->domain < y->domain);
}

static int read_line(const char *line, struct host_guests *guests, struct error *err)
{
    char value[ACT_ACTION_BYTES];
    unsigned domain;
    int name = 0;
    if (!*line)
        return 0;
    if (sscanf(line, "%5u %31s%n", &domain, value, &name) != 2 || domain > 0x7fef || !is_value(value) ||
        (line[name] && line[name] != ' '))
        return error_set(err, ERROR_FORMAT, "the hook's list has a line that is not \"ID VALUE [NAME]\"");
    struct host_guest *g = host_guests_add(guests, (uint16_t)domain);
    if (!g)
        return error_no_memory(err, "the list of guests");
    snprintf(g->value, sizeof g->value, "%s", value);
    snprintf(g->name, sizeof g->name, "%s", line[name] ? line + name + 1 : "");
    return 0;
}

static int list(const struct act_means *m, const struct act_runner *r, struct host_guests *guests,
                struct error *err)
{
    const char *const words[] = {"list", NULL};
    struct buffer output = {0};
    (void)m;
    int status = runner_run(r, words, NULL, &output, err);
    char *copy = status == 0 ? strndup(output.at ? output.at : "", output.n) : NULL, *rest = copy, *line;
    if (status == 0 && !copy)
        status = error_no_memory(err, "the list of guests");
    while (status == 0 && (line = strsep(&rest, "\n")))
        status = read_line(line, guests, err);
    free(copy);
    buffer_free(&output);
    if (status != 0)
        host_guests_free(guests);
    else if (guests->n > 1)
        qsort(guests->at, guests->n, sizeof *guests->at, by_domain);
    return status;
}

/* ---- holding ---- */

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

static int set(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
               const struct act_wish *wish, struct error *err)
{
    char id[8], charged[NUMBER_BYTES], limit[NUMBER_BYTES];
    const char *name = or_dash(wish ? wish->name : NULL);
    snprintf(id, sizeof id, "%u", domain);
    snprintf(charged, sizeof charged, "%.3f", wish ? wish->charged_pct : 0);
    snprintf(limit, sizeof limit, "%.3f", wish ? wish->limit_pct : 0);
    const char *const hold[] = {"hold", id, name, "-", value, charged, limit, NULL};
    const char *const release[] = {"release", id, name, "-", NULL};
    return strcmp(value, m->neutral) == 0 ? runner_run(r, release, NULL, NULL, err)
                                          : runner_run(r, hold, wish ? wish->evidence : NULL, NULL, err);
}

static int renew(const struct act_means *m, const struct act_runner *r, const struct state_guest *guests,
                 size_t n, struct error *err)
{
    const char **words = calloc(n + 2, sizeof *words);
    char(*held)[ACT_ACTION_BYTES + 16] = calloc(n + 1, sizeof *held);
    size_t k = 1;
    (void)m;
    if (words)
        words[0] = "renew";
    for (size_t i = 0; words && held && i < n; i++) {
        snprintf(held[i], sizeof *held, "%u:%.31s:-", guests[i].domain, guests[i].set);
        words[k++] = held[i];
    }
    int status = words && held ? runner_run(r, words, NULL, NULL, err) : error_no_memory(err, "the hook");
    free(words);
    free(held);
    return status;
}

static void value_of(const struct act_means *m, const struct act_wish *wish, const struct host_guest *known,
                     char value[ACT_VALUE_BYTES])
{
    (void)known;
    snprintf(value, ACT_VALUE_BYTES, "%s", wish->level_ppm == 0 ? wish->action : m->neutral);
}

static void text_of(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
                    char text[ACT_COMMAND_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; r->command[i] && n < ACT_COMMAND_BYTES; i++)
        n += (size_t)snprintf(text + n, ACT_COMMAND_BYTES - n, "%s ", r->command[i]);
    bool releases = strcmp(value, m->neutral) == 0;
    if (n < ACT_COMMAND_BYTES)
        snprintf(text + n, ACT_COMMAND_BYTES - n, releases ? "release %u - -" : "hold %u - - %s", domain,
                 value);
}

const struct act_means means_hook = {.name = "hook",
                                     .neutral = NEUTRAL,
                                     .list = list,
                                     .set = set,
                                     .renew = renew,
                                     .value = value_of,
                                     .text = text_of,
                                     .is_value = is_value};
