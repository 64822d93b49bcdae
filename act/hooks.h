/*
 * hooks.h - one hook, and several at once: the words of a command are those of one hook, or of several with "+" between
 * them. The value of a
 * guest is then the action of each hook, "drop+low", "free+low".
 */
#ifndef XENMETER_ACT_HOOKS_H
#define XENMETER_ACT_HOOKS_H

#include "act/means.h"

#define HOOKS_MAX         4
#define HOOK_ACTION_BYTES 32
#define HOOK_FREE         "free" /* in place of an action: the guest is not held */

/* The hooks of a command. */
struct hook_list {
    const char *words[COMMAND_WORDS_MAX + 1];
    const char *const *at[HOOKS_MAX]; /* the first words of each, within `words`, ended by NULL */
    size_t n;
};

/* Cuts a command, whose words must last. -1 with `err` filled: more than HOOKS_MAX, or one without words. */
int hook_list_cut(struct hook_list *l, const char *const *command, struct error *err);

/* `r` with the command of hook number i. */
struct act_runner hook_runner(const struct hook_list *l, size_t i, const struct act_runner *r);

/* The action of hook number i in a value, or "free". */
void hook_part(const char *value, size_t i, char action[HOOK_ACTION_BYTES]);

/* Joins the actions of n hooks to a value, as hook_part() takes it apart; all "free": "free". */
void hook_join(char *value, size_t bytes, const char (*actions)[HOOK_ACTION_BYTES], size_t n);

/* ---- one hook, whose words `r` has ---- */

/* An action: a word of lower case, digits, '-', '.' and '=', or "free". */
bool hook_is_action(const char *text);

/* Asks which guests it could hold, and by what each is held, in no order. -1 with `err` filled; `guests` may have some then. */
int hook_list_guests(const struct act_runner *r, struct host_guests *guests, struct error *err);

/* Holds a guest by an action, or releases it ("free"); `wish` as struct act_means has it. */
int hook_set(const struct act_runner *r, uint16_t domain, const char *action, const struct act_wish *wish,
             struct error *err);

/* Renews what hook number i holds of n guests. */
int hook_renew(const struct act_runner *r, size_t i, const struct state_guest *guests, size_t n,
               struct error *err);

#endif
