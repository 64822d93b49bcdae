/*
 * Completion: the shells ask "xenmeter help --complete -- WORD..." for what may stand in the last WORD's place. The
 * answer is lines:
 *
 *     WORD [tab HELP]   a candidate
 *     :list             what follows are items of a list, between commas
 *     :prefix N         the first N characters of the last word stay; candidates continue it from there
 *     :file             any file
 *     :directory        any directory
 *     :archive          files *.xma*, or any file if there are none
 *
 * The choices of an option_spec are such lines, too.
 */
#ifndef XENMETER_CMD_COMPLETION_H
#define XENMETER_CMD_COMPLETION_H

#include "command.h"

/* A question of a shell. */
struct completion {
    const struct command *command;
    const char *const *words; /* after "xenmeter"; the last one is being typed */
    size_t words_n;
    const char *typed; /* the value, or the part of the last word, that is being typed */
    bool list;         /* it is a list, and what it has already is not offered */
};

/* Offers one word; `help` may be NULL. */
void complete_word(struct completion *c, const char *word, const char *help);

/* Values that are not constant, for option_spec.offer. */
void complete_formats(struct completion *c);
void complete_events(struct completion *c);
void complete_hosts(struct completion *c);
void complete_granularities(struct completion *c);
void complete_columns(struct completion *c); /* of the command's relations, each name once */

/* Answers the question: `words` are those after "xenmeter". */
void complete(const char *const *words, size_t n);

/* The script that asks, for "bash" or "zsh"; NULL: another shell. */
const char *completion_script(const char *shell);

#endif
