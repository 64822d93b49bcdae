/* The list of commands. */
#include "command.h"

#include <string.h>

#include "cli.h"

#define COMMANDS_MAX 64

/* The section that COMMAND fills; the linker makes these names. */
extern const struct command *const entries_begin[] __asm__("__start_xenmeter_commands");
extern const struct command *const entries_end[] __asm__("__stop_xenmeter_commands");

const char *command_word(const struct command *c)
{
    const char *blank = strrchr(c->name, ' ');
    return blank ? blank + 1 : c->name;
}

static bool is_below(const struct command *c, const struct command *above)
{
    size_t n = strlen(above->name);
    const char *word = command_word(c);
    return n == 0 ? word == c->name : strncmp(c->name, above->name, n) == 0 && word == c->name + n + 1;
}

static bool is_before(const struct command *a, const struct command *b)
{
    return a->order != b->order ? a->order < b->order : strcmp(a->name, b->name) < 0;
}

const struct command *command_next(const struct command *above, const struct command *after)
{
    const struct command *next = NULL;
    for (const struct command *const *e = entries_begin; e != entries_end; e++)
        if (is_below(*e, above) && (!after || is_before(after, *e)) && (!next || is_before(*e, next)))
            next = *e;
    return next;
}

const struct command *command_find(const struct command *above, const char *word)
{
    const struct command *c = NULL;
    while ((c = command_next(above, c)) && strcmp(command_word(c), word) != 0)
        ;
    return c;
}

int command_unknown(const struct command *above, const char *word)
{
    const char *names[COMMANDS_MAX + 1] = {NULL};
    const struct command *c = NULL;
    for (size_t n = 0; n < COMMANDS_MAX && (c = command_next(above, c)); n++)
        names[n] = command_word(c);
    char near[SUGGESTION_BYTES];
    bool top = above == &xenmeter;
    complain("%s%s no command '%s'%s (xenmeter %s%s)", top ? "there" : above->name, top ? " is" : " has",
             word, suggestion(near, "; did you mean '", "'?", word, names), top ? "help" : above->name,
             top ? " lists them" : " --help");
    return EXIT_ERROR;
}

const struct option_spec *option_next(const struct option_spec *s)
{
    while (s->heading)
        s++;
    return s->name ? s : NULL;
}

const struct option_spec *command_option(const struct command *c, const char *name)
{
    const struct option_spec *s = c->options;
    for (; s && (s = option_next(s)); s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}
