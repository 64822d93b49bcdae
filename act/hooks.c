#include "act/hooks.h"
#include "formats/json_memory.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 32
#define SEPARATOR    "+"

/* ---- several ---- */

int hook_list_cut(struct hook_list *l, const char *const *command, struct error *err)
{
    size_t at = 0;
    *l = (struct hook_list){.n = 0};
    for (size_t i = 0; i < COMMAND_WORDS_MAX && command[i]; i++)
        l->words[i] = strcmp(command[i], SEPARATOR) == 0 ? NULL : command[i];
    for (bool more = true; more; at++) {
        if (l->n == HOOKS_MAX)
            return error_set(err, ERROR_USAGE, "--hook: at most %d hooks can be joined by +", HOOKS_MAX);
        if (!l->words[at])
            return error_set(err, ERROR_USAGE, "--hook: there must be a hook before and after each +");
        l->at[l->n++] = &l->words[at];
        while (l->words[at])
            at++;
        more = command[at] != NULL;
    }
    return 0;
}

struct act_runner hook_runner(const struct hook_list *l, size_t i, const struct act_runner *r)
{
    struct act_runner one = *r;
    one.command = l->at[i];
    return one;
}

void hook_part(const char *value, size_t i, char action[HOOK_ACTION_BYTES])
{
    for (; i > 0 && value; i--)
        value = strchr(value, '+') ? strchr(value, '+') + 1 : NULL;
    if (value && *value)
        snprintf(action, HOOK_ACTION_BYTES, "%.*s", (int)strcspn(value, "+"), value);
    else
        snprintf(action, HOOK_ACTION_BYTES, "%s", HOOK_FREE);
}

void hook_join(char *value, size_t bytes, const char (*actions)[HOOK_ACTION_BYTES], size_t n)
{
    bool held = false;
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        held |= strcmp(actions[i], HOOK_FREE) != 0;
    *value = '\0';
    for (size_t i = 0; i < n && length < bytes; i++)
        length += (size_t)snprintf(value + length, bytes - length, "%s%s", i > 0 ? "+" : "", actions[i]);
    if (!held)
        snprintf(value, bytes, "%s", HOOK_FREE);
}

/* ---- what one says of itself ---- */

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
    json_t *all = status == 0 ? json_parse(output.at, output.n, NULL) : NULL;
    *d = (struct hook_description){
        .network = names_word(json_object_get(all, "kinds"), "network"),
        .disk = names_word(json_object_get(all, "kinds"), "disk"),
        .from = names_word(json_object_get(all, "directions"), "from"),
        .to = names_word(json_object_get(all, "directions"), "to"),
        .expires = json_is_true(json_object_get(all, "expires")),
    };
    bool fine = json_integer_value(json_object_get(all, "contract")) == 1 &&
                take_actions(d, json_object_get(all, "actions"));
    buffer_free(&output);
    if (status == 0 && !all && json_memory_failed())
        status = error_no_memory(err, "the description of a hook");
    else if (status == 0 && !fine)
        status =
            error_set(err, ERROR_FORMAT,
                      "%.100s describe: is no description of a hook: see xenmeter-hooks(7)", r->command[0]);
    json_decref(all);
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

bool hook_is_action(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < HOOK_ACTION_BYTES && islower((unsigned char)*text) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-=.")] == '\0';
}

static int read_line(const char *line, struct host_guests *guests, struct error *err)
{
    char value[HOOK_ACTION_BYTES];
    unsigned domain;
    int name = 0;
    if (!*line)
        return 0;
    if (sscanf(line, "%5u %31s%n", &domain, value, &name) != 2 || domain > 0x7fef || !hook_is_action(value) ||
        (line[name] && line[name] != ' '))
        return error_set(err, ERROR_FORMAT, "the hook's list has a line that is not \"ID VALUE [NAME]\"");
    struct host_guest *g = host_guests_add(guests, (uint16_t)domain);
    if (!g)
        return error_no_memory(err, "the list of guests");
    snprintf(g->value, sizeof g->value, "%s", value);
    snprintf(g->name, sizeof g->name, "%s", line[name] ? line + name + 1 : "");
    return 0;
}

int hook_list_guests(const struct act_runner *r, struct host_guests *guests, struct error *err)
{
    const char *const words[] = {"list", NULL};
    struct buffer output = {0};
    int status = runner_run(r, words, NULL, &output, err);
    char *copy = status == 0 ? strndup(output.at ? output.at : "", output.n) : NULL, *rest = copy, *line;
    if (status == 0 && !copy)
        status = error_no_memory(err, "the list of guests");
    while (status == 0 && (line = strsep(&rest, "\n")))
        status = read_line(line, guests, err);
    free(copy);
    buffer_free(&output);
    return status;
}

/* ---- holding ---- */

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

int hook_set(const struct act_runner *r, uint16_t domain, const char *action, const struct act_wish *wish,
             struct error *err)
{
    char id[8], charged[NUMBER_BYTES], limit[NUMBER_BYTES];
    const char *name = or_dash(wish ? wish->name : NULL);
    snprintf(id, sizeof id, "%u", domain);
    snprintf(charged, sizeof charged, "%.3f", wish ? wish->charged_pct : 0);
    snprintf(limit, sizeof limit, "%.3f", wish ? wish->limit_pct : 0);
    const char *const hold[] = {"hold", id, name, "-", action, charged, limit, NULL};
    const char *const release[] = {"release", id, name, "-", NULL};
    return strcmp(action, HOOK_FREE) == 0 ? runner_run(r, release, NULL, NULL, err)
                                          : runner_run(r, hold, wish ? wish->evidence : NULL, NULL, err);
}

int hook_renew(const struct act_runner *r, size_t i, const struct state_guest *guests, size_t n,
               struct error *err)
{
    const char **words = calloc(n + 2, sizeof *words);
    char(*held)[HOOK_ACTION_BYTES + 16] = calloc(n + 1, sizeof *held);
    size_t k = 1;
    if (words)
        words[0] = "renew";
    for (size_t g = 0; words && held && g < n; g++) {
        char action[HOOK_ACTION_BYTES];
        hook_part(guests[g].set, i, action);
        if (strcmp(action, HOOK_FREE) == 0)
            continue;
        snprintf(held[g], sizeof *held, "%u:%s:-", guests[g].domain, action);
        words[k++] = held[g];
    }
    int status = words && held ? runner_run(r, words, NULL, NULL, err) : error_no_memory(err, "the hook");
    free(words);
    free(held);
    return status;
}
