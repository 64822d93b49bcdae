/* Names of domains as the toolstack gives them, while `top` runs: a toolstack that hangs delays names, and nothing else. */
#ifndef XENMETER_CMD_TOP_NAMES_H
#define XENMETER_CMD_TOP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/error.h"

struct top_names;
struct domain_names;

/* Begins to look; `source` as domain_watch_options has it: NULL: xl. NULL with `err` filled. */
struct top_names *top_names_new(const char *source, struct error *err);

/* True: the names have changed; *names is them from now on, until the next call. Does not wait. */
bool top_names_take(struct top_names *n, const struct domain_names **names);

/* What failed in the last look; false: nothing did. */
bool top_names_failure(struct top_names *n, char *to, size_t size);

/* NULL is fine. A command that runs is killed. */
void top_names_free(struct top_names *n);

#endif
