/* xenmeter help, and the text of --help. */
#include <string.h>

#include "cli.h"
#include "command.h"

#define WIDTH       80
#define HELP_COLUMN 26 /* of the text about an option */

struct help_options {
    struct options common;
    bool complete;
    const char *shell;
};

/* Prints text from `column` on; every further line is indented by as much. A newline in it begins a new line. */
static void put_wrapped(FILE *to, const char *text, int column)
{
    int at = column;
    while (*text) {
        int n = (int)strcspn(text, " \n");
        if (at > column && (at + 1 + n > WIDTH || text[-1] == '\n')) {
            fprintf(to, "\n%*s", column, "");
            at = column;
        }
        at += fprintf(to, "%s%.*s", at > column ? " " : "", n, text);
        text += n + (text[n] != '\0');
    }
    fputc('\n', to);
}

/* The lines of `text`, each after `before` and `name`. */
static void put_lines(FILE *to, const char *before, const char *name, const char *text)
{
    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn(text, "\n");
        fprintf(to, "%s%s%s%.*s\n", before, name, *name ? " " : "", (int)n, text);
    }
}

static void put_usage(FILE *to, const struct command *c)
{
    const char *more = strchr(c->usage, '\n');
    int first = more ? (int)(more - c->usage) : (int)strlen(c->usage);
    fprintf(to, "\nUsage: xenmeter %s%s%.*s\n", c->name, *c->name ? " " : "", first, c->usage);
    put_lines(to, "       xenmeter ", c->name, more ? more + 1 : "");
}

static void put_commands(FILE *to, const struct command *above)
{
    const struct command *c = command_next(above, NULL);
    if (c)
        fputs("\nCommands:\n", to);
    for (; c; c = command_next(above, c))
        fprintf(to, "  %-9s %s\n", command_word(c), c->summary);
}

static void put_option(FILE *to, const struct option_spec *s)
{
    int at = s->letter ? fprintf(to, "  -%c, --%s", s->letter, s->name) : fprintf(to, "      --%s", s->name);
    if (s->argument)
        at += fprintf(to, "%s%s", option_argument_may_lack(s) ? "" : " ", s->argument);
    if (at >= HELP_COLUMN) {
        fputc('\n', to);
        at = 0;
    }
    fprintf(to, "%*s", HELP_COLUMN - at, "");
    put_wrapped(to, s->help, HELP_COLUMN);
}

static void put_options(FILE *to, const struct option_spec *s)
{
    fputs(s->heading ? "\n" : "\nOptions\n", to);
    for (; s->name || s->heading; s++) {
        if (s->heading)
            fprintf(to, "%s\n", s->heading);
        else
            put_option(to, s);
    }
}

void help_print(const struct command *c, FILE *to)
{
    fprintf(to, "xenmeter%s%s - %s\n", *c->name ? " " : "", c->name, c->summary);
    put_usage(to, c);
    put_commands(to, c);
    if (c->text) {
        fputc('\n', to);
        put_wrapped(to, c->text, 0);
    }
    put_options(to, c->options);
    const char *usual = command_option(c, "strict")
                            ? "0 done, 1 with --strict: the verdict is not good, 2 error"
                            : "0 done, 2 error";
    if (c->run)
        fprintf(to, "\nExit status: %s.\n", c->status ? c->status : usual);
    fputs("\nExamples:\n", to);
    put_lines(to, "  ", "", c->examples);
}

/* ---- the command ---- */

static int run(const struct options *o)
{
    const struct help_options *h = (const struct help_options *)o;
    const struct command *c = &xenmeter, *below;
    if (h->complete)
        complete((const char *const *)o->inputs, o->inputs_n);
    else if (h->shell)
        fputs(completion_script(h->shell), stdout);
    if (h->complete || h->shell)
        return EXIT_DONE;
    for (size_t i = 0; i < o->inputs_n && command_next(c, NULL); c = below, i++)
        if (!(below = command_find(c, o->inputs[i])))
            return command_unknown(c, o->inputs[i]);
    help_print(c, stdout);
    return EXIT_DONE;
}

static int set_shell(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    if (!completion_script(text))
        return error_set(err, ERROR_USAGE, "--completion %.60s: bash or zsh", text);
    return set_text(o, s, text, err);
}

static const struct option_spec options[] = {
    OPTION(0, "completion", "SHELL", "the completion script for bash or zsh", .set = set_shell,
           .offset = offsetof(struct help_options, shell), .choices = "bash\nzsh"),
    OPTION(0, "complete", NULL, "what completes the last WORD of a command line; the scripts ask for it",
           .set = set_flag, .offset = offsetof(struct help_options, complete)),
    OPTIONS_END,
};

static const struct command command = {
    .order = 90,
    .name = "help",
    .summary = "the list of commands, or the help of one",
    .usage = "[COMMAND]\n--completion SHELL\n--complete -- WORD...",
    .examples = "xenmeter help archive create\n"
                "eval \"$(xenmeter help --completion bash)\"",
    .options = options,
    .operands = OPERANDS_COMMAND,
    .options_size = sizeof(struct help_options),
    .run = run,
};
COMMAND(command);
