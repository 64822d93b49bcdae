/* Answers what the shells ask, from the tables of options. */
#include "completion.h"

#include <string.h>

#include "archive/archive.h"
#include "cli.h"
#include "metrics/relation/relation.h"

/* ---- candidates ---- */

/* Whether the list that is being typed has the word of n characters already, before its last comma. */
static bool has_already(const struct completion *c, const char *word, size_t n)
{
    const char *end = c->list ? strrchr(c->typed, ',') : NULL;
    for (const char *p = c->typed; end && p <= end; p += strcspn(p, ",") + 1)
        if (strcspn(p, ",") == n && strncmp(p, word, n) == 0)
            return true;
    return false;
}

void complete_word(struct completion *c, const char *word, const char *help)
{
    if (!has_already(c, word, strlen(word)))
        printf("%s%s%s\n", word, help ? "\t" : "", help ? help : "");
}

/* Lines of completion.h. */
static void complete_choices(struct completion *c, const char *lines)
{
    for (size_t n; *lines; lines += n + (lines[n] != '\0')) {
        n = strcspn(lines, "\n");
        c->list = c->list || strncmp(lines, ":list", n) == 0;
        if (!has_already(c, lines, strcspn(lines, "\t\n")))
            printf("%.*s\n", (int)n, lines);
    }
}

void complete_formats(struct completion *c)
{
    for (const char *const *f = c->command->formats; f && *f; f++)
        complete_word(c, *f, NULL);
}

void complete_granularities(struct completion *c)
{
    if (!c->command->no_executions)
        complete_word(c, "execution", "every single execution");
}

void complete_columns(struct completion *c)
{
    const struct relation *const *relations = c->command->relations;
    for (size_t i = 0; relations[i]; i++)
        for (size_t k = 0, before; k < relations[i]->columns_n; k++) {
            const struct column *column = &relations[i]->columns[k];
            for (before = 0; before < i && !column_find(relations[before], column->name); before++)
                continue;
            if (before == i)
                complete_word(c, column->name, column->help);
        }
}

/* Names of events, each class before its first one. */
void complete_events(struct completion *c)
{
    bool seen[CLASSES] = {false};
    for (unsigned slot = EVENT_UNRECOGNISED + 1; slot < EVENT_SLOTS; slot++) {
        const struct event_info *e = event_info(slot);
        const char *class_name = event_class_name(e->class_id);
        if (!seen[e->class_id])
            complete_word(c, class_name, "all of the class");
        seen[e->class_id] = true;
        complete_word(c, e->name, class_name);
    }
}

/* The hosts of the archive among the words. */
void complete_hosts(struct completion *c)
{
    struct error err = {0};
    const struct capture *captures;
    const char *path = NULL;
    for (size_t i = 0; i < c->words_n && !path; i++) {
        size_t n = strlen(c->words[i]);
        path = n > 4 && strcmp(c->words[i] + n - 4, ".xma") == 0 ? c->words[i] : NULL;
    }
    struct archive *a = path ? archive_open(path, &err) : NULL;
    size_t n = a ? archive_captures(a, &captures) : 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(captures[i - 1].host, captures[i].host) != 0)
            complete_word(c, captures[i].host, NULL);
    archive_close(a);
}

/* ---- what is being typed ---- */

/* The option with a value that the word names: "-f", "--format". *attached: the value in the word, else NULL. */
static const struct option_spec *option_of(const struct command *c, const char *word, const char **attached)
{
    *attached = NULL;
    for (const struct option_spec *s = c->options; (s = option_next(s)); s++) {
        size_t n = strlen(s->name);
        const char *rest = NULL;
        if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, s->name, n) == 0 && strchr("=", word[2 + n]))
            rest = word + 2 + n;
        else if (s->letter && word[0] == '-' && word[1] == s->letter)
            rest = word + 2;
        if (!rest || !s->argument || (option_argument_may_lack(s) && !*rest))
            continue;
        if (*rest)
            *attached = rest + (word[1] == '-');
        return s;
    }
    return NULL;
}

/* A value that begins at c->typed, somewhere in `word`. */
static void complete_value(struct completion *c, const struct option_spec *s, const char *word)
{
    const char *comma = strrchr(c->typed, ',');
    const char *from = c->typed;
    c->list = s->choices && strncmp(s->choices, ":list", 5) == 0;
    if (c->list && comma)
        from = comma + 1;
    if (c->list && s->offer == complete_events && *from == '!')
        from++;
    if (from > word)
        printf(":prefix %zu\n", (size_t)(from - word));
    if (s->choices)
        complete_choices(c, s->choices);
    if (s->offer)
        s->offer(c);
}

static void complete_options(struct completion *c)
{
    for (const struct option_spec *s = c->command->options; s && (s = option_next(s)); s++) {
        char name[48], letter[3] = {'-', s->letter, '\0'};
        bool is_given = false;
        snprintf(name, sizeof name, "--%s", s->name);
        for (size_t i = 0; i + 1 < c->words_n; i++)
            is_given =
                is_given || strcmp(c->words[i], name) == 0 || (s->letter && strcmp(c->words[i], letter) == 0);
        if (is_given)
            continue;
        if (s->letter)
            complete_word(c, letter, s->help);
        complete_word(c, name, s->help);
    }
}

static void complete_commands(struct completion *c, const struct command *above)
{
    for (const struct command *below = NULL; (below = command_next(above, below));)
        complete_word(c, command_word(below), below->summary);
}

static void complete_operand(struct completion *c, size_t words_before)
{
    const struct command *above = &xenmeter;
    switch (c->command->operands) {
    case OPERANDS_TRACE:
    case OPERANDS_TRACES:
    case OPERANDS_FILE:
        complete_choices(c, ":file");
        break;
    case OPERANDS_ARCHIVES:
        complete_choices(c, ":archive");
        break;
    case OPERANDS_COMMAND:
        for (size_t i = words_before; above && i + 1 < c->words_n; i++)
            above = command_find(above, c->words[i]);
        if (above)
            complete_commands(c, above);
        break;
    case OPERANDS_NONE:
        break;
    }
}

/*
 * What the last word is: the value of an option, an option, or an operand. bash cuts --option=value in three words: --option,
 * =, value.
 */
static void complete_argument(struct completion *c, size_t words_before)
{
    const char *last = c->words[c->words_n - 1], *attached;
    size_t before = c->words_n - 1; /* the index of the word that may name the option, plus one */
    const struct option_spec *s = option_of(c->command, last, &attached);
    if (s && attached) {
        c->typed = attached;
        complete_value(c, s, last);
        return;
    }
    if (strcmp(last, "=") == 0)
        last = "";
    else if (before > words_before && strcmp(c->words[before - 1], "=") == 0)
        before--;
    s = before > words_before ? option_of(c->command, c->words[before - 1], &attached) : NULL;
    c->typed = last;
    if (s && !attached)
        complete_value(c, s, last);
    else if (*last == '-')
        complete_options(c);
    else
        complete_operand(c, words_before);
}

void complete(const char *const *words, size_t n)
{
    struct completion c = {.command = &xenmeter, .words = words, .words_n = n, .typed = ""};
    const struct command *below;
    size_t at = 0;
    while (at + 1 < n && (below = command_find(c.command, words[at]))) {
        c.command = below;
        at++;
    }
    if (at < n && c.command->run) {
        if (at + 1 == n && *words[at] != '-')
            complete_commands(&c, c.command); /* a command that can do without those below it */
        complete_argument(&c, at);
    } else if (at + 1 == n) {
        complete_commands(&c, c.command);
        complete_options(&c);
    }
}

/* ---- the scripts ---- */

static const char bash_script[] =
    "# Completion of xenmeter for bash: xenmeter itself knows what may follow.\n"
    "_xenmeter_files() { # KIND ARGUMENT...: files as compgen lists them\n"
    "    case $1 in\n"
    "    :file) compgen -f \"${@:2}\" ;;\n"
    "    :directory) compgen -d \"${@:2}\" ;;\n"
    "    :archive) { compgen -f -X '!*.xma*' \"${@:2}\"; compgen -d \"${@:2}\"; } | grep . || compgen -f "
    "\"${@:2}\" ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_xenmeter() {\n"
    "    local line before='' last=${COMP_WORDS[COMP_CWORD]}\n"
    "    COMPREPLY=()\n"
    "    [ \"$last\" = = ] && last='' # bash cuts --option=value in three words\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :list) compopt -o nospace ;;\n"
    "        ':prefix '*)\n"
    "            before=${last:0:${line#:prefix }}\n"
    "            last=${last:${#before}}\n"
    "            ;;\n"
    "        :*)\n"
    "            compopt -o filenames\n"
    "            mapfile -t COMPREPLY < <(_xenmeter_files \"$line\" -P \"$before\" -- \"$last\")\n"
    "            ;;\n"
    "        *)\n"
    "            line=${line%%$'\\t'*}\n"
    "            [[ $line == \"$last\"* ]] && COMPREPLY+=(\"$before$line\")\n"
    "            ;;\n"
    "        esac\n"
    "    done < <(\"${COMP_WORDS[0]}\" help --complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _xenmeter xenmeter\n";

static const char zsh_script[] = "#compdef xenmeter\n"
                                 "# Completion of xenmeter for zsh: xenmeter itself knows what may follow.\n"
                                 "_xenmeter() {\n"
                                 "    local line word found=1\n"
                                 "    local -a question candidates\n"
                                 "    question=(\"${(@Q)words[2,CURRENT-1]}\" \"$PREFIX\")\n"
                                 "    for line in \"${(@f)$(_call_program words $words[1] help --complete -- "
                                 "\"${(@qq)question}\" 2>/dev/null)}\"; do\n"
                                 "        case $line in\n"
                                 "        '' | :list) ;;\n"
                                 "        ':prefix '*) compset -p ${line#:prefix } ;;\n"
                                 "        :file) _files && found=0 ;;\n"
                                 "        :directory) _files -/ && found=0 ;;\n"
                                 "        :archive) _files -g '*.xma*' && found=0 ;;\n"
                                 "        *)\n"
                                 "            word=${line%%$'\\t'*}\n"
                                 "            candidates+=(\"${word//:/\\\\:}${${line#$word}/#$'\\t'/:}\")\n"
                                 "            ;;\n"
                                 "        esac\n"
                                 "    done\n"
                                 "    (( $#candidates )) && _describe word candidates && found=0\n"
                                 "    return found\n"
                                 "}\n"
                                 "\n"
                                 "_xenmeter \"$@\"\n";

const char *completion_script(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        return bash_script;
    return strcmp(shell, "zsh") == 0 ? zsh_script : NULL;
}
