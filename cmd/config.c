#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define CONFIG_MOST  ((size_t)256 * 1024) /* bytes */
#define MESSAGE_MOST 1024
#define OPTIONS_MOST 128 /* rows of a command's table */

/* A file that is being read. */
struct config {
    struct options *options;
    const bool *given;
    const char *path;
    unsigned line;
    const struct command *section; /* NULL: none has begun */
    unsigned set_in[OPTIONS_MOST]; /* of the command that runs: the line that set the option; 0: none */
};

static int refuse(const struct config *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(const struct config *c, const char *format, ...)
{
    char text[MESSAGE_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    complain("%s:%u: %s", c->path, c->line, text);
    return -1;
}

/* ---- where it is ---- */

/* False: there can be none. */
static bool find_path(char path[PATH_MAX])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = -1;
    if (config && *config == '/') /* a relative one is to be ignored: XDG Base Directory Specification */
        n = snprintf(path, PATH_MAX, "%s/xenmeter/config", config);
    else if (home && *home == '/')
        n = snprintf(path, PATH_MAX, "%s/.config/xenmeter/config", home);
    return n > 0 && n < PATH_MAX;
}

/* In a directory with the sticky bit others can only add files. */
static bool is_roots_alone(const struct stat *s)
{
    bool is_sticky = S_ISDIR(s->st_mode) && s->st_mode & S_ISVTX;
    return s->st_uid == 0 && (!(s->st_mode & (S_IWGRP | S_IWOTH)) || is_sticky);
}

/* Whether nobody but root can change what the file says: it, or a directory above it. False with errno 0: others can; else it
 * cannot be found out. */
static bool only_root_can_write(const char *path, int fd)
{
    char real[PATH_MAX];
    struct stat s;
    if (fstat(fd, &s) != 0 || !realpath(path, real))
        return false;
    bool alone = is_roots_alone(&s);
    for (char *slash; alone && (slash = strrchr(real, '/'));) {
        *slash = '\0';
        if (stat(*real ? real : "/", &s) != 0)
            return false;
        alone = is_roots_alone(&s);
    }
    errno = 0;
    return alone;
}

/* The text, the caller's to free; NULL: there is none to be read, or it failed: *failed, and a message says why. */
static char *read_text(const char *path, bool *failed)
{
    *failed = false;
    FILE *f = fopen(path, "re");
    if (!f) {
        *failed = errno != ENOENT && errno != ENOTDIR && errno != EACCES;
        if (*failed)
            complain("%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    bool trusted = geteuid() != 0 || only_root_can_write(path, fileno(f));
    if (!trusted && errno != 0) {
        complain("%s: %s", path, strerror(errno));
        *failed = true;
    } else if (!trusted) {
        complain("%s is not read: others than root can write it or a folder above it", path);
    } else if (!(text = calloc(1, CONFIG_MOST + 2))) {
        complain("not enough memory");
        *failed = true;
    } else {
        size_t n = fread(text, 1, CONFIG_MOST + 1, f);
        *failed = ferror(f) || n > CONFIG_MOST || strlen(text) != n;
        if (*failed)
            complain("%s: this is no configuration file", path);
    }
    fclose(f);
    return text;
}

/* ---- what it says ---- */

/* Without blanks at both ends. */
static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return s;
}

/* "archive create": the command that takes options, or NULL. */
static const struct command *command_named(char *name)
{
    const struct command *c = &xenmeter;
    for (char *word, *rest = name; c && (word = strsep(&rest, " "));)
        c = command_find(c, word);
    return c && c->run && c->operands != OPERANDS_COMMAND ? c : NULL;
}

static int begin_section(struct config *c, char *line)
{
    size_t n = strlen(line);
    char name[64];
    if (line[n - 1] != ']')
        return refuse(c, "a section ends with ]");
    line[n - 1] = '\0';
    snprintf(name, sizeof name, "%s", trim(line + 1));
    c->section = command_named(name);
    if (c->section)
        return 0;
    const char *names[OPTIONS_MOST + 1] = {NULL};
    const struct command *below = NULL;
    for (size_t i = 0; i < OPTIONS_MOST && (below = command_next(&xenmeter, below)); i++)
        names[i] = below->name;
    char near[SUGGESTION_BYTES];
    return refuse(c, "no command '%.40s'%s", trim(line + 1),
                  suggestion(near, "; did you mean '", "'?", trim(line + 1), names));
}

static const struct option_spec *option_named(struct config *c, const char *key)
{
    const struct option_spec *s = command_option(c->section, key);
    if (s && s->set && strcmp(key, "no-config") != 0)
        return s;
    const char *names[OPTIONS_MOST + 1] = {NULL};
    size_t n = 0;
    for (s = c->section->options; n < OPTIONS_MOST && (s = option_next(s)); s++)
        names[n++] = s->name;
    char near[SUGGESTION_BYTES];
    refuse(c, "%s takes no '%.40s' here%s", c->section->name, key,
           suggestion(near, "; did you mean '", "'?", key, names));
    return NULL;
}

/* A flag is set by its name alone or by "yes"; *set: whether it is. */
static int read_flag(struct config *c, const char *key, const char *value, bool *set)
{
    *set = !value || strcmp(value, "yes") == 0;
    return *set || strcmp(value, "no") == 0 ? 0 : refuse(c, "%s is yes or no, not '%.60s'", key, value);
}

static bool is_flag_value(const char *value)
{
    return !value || strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
}

/* The format that the name of --output asks for on the command line comes before one of the file. */
static bool is_overruled(const struct config *c, const struct option_spec *s)
{
    const struct command *command = c->options->command;
    const struct option_spec *output = command_option(command, "output");
    return c->given[s - command->options] ||
           (strcmp(s->name, "format") == 0 && output && c->given[output - command->options]);
}

/* "KEY = VALUE" or "KEY". */
static int take_option(struct config *c, char *line)
{
    char *value = strchr(line, '=');
    bool set = true;
    struct error err = {0};
    if (!c->section)
        return refuse(c, "an option stands in the section of a command, for example [report]");
    if (value)
        *value++ = '\0';
    const char *key = trim(line);
    value = value ? trim(value) : NULL;
    const struct option_spec *s = option_named(c, key);
    if (!s)
        return -1;
    bool flag = !s->argument || (option_argument_may_lack(s) && is_flag_value(value));
    if (!flag && (!value || !*value))
        return refuse(c, "%s wants a value: %s = %s", key, key, s->argument);
    if (flag && read_flag(c, key, value, &set) != 0)
        return -1;
    if (flag)
        value = NULL;
    if (c->section != c->options->command)
        return 0;
    unsigned *line_of = &c->set_in[s - c->section->options];
    if (*line_of)
        return refuse(c, "%s is given twice, first in line %u", key, *line_of);
    *line_of = c->line;
    if (set && !is_overruled(c, s) && s->set(c->options, s, value, &err) != 0)
        return refuse(c, "%s", err.message);
    return 0;
}

static int take_line(struct config *c, char *line)
{
    line = trim(line);
    c->line++;
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    return *line == '[' ? begin_section(c, line) : take_option(c, line);
}

int config_apply(struct options *o, const bool *given)
{
    char path[PATH_MAX];
    bool failed;
    if (!find_path(path))
        return 0;
    struct config c = {.options = o, .given = given, .path = path};
    char *rest = o->config = read_text(path, &failed);
    if (failed)
        return -1;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (take_line(&c, line) != 0)
            return -1;
    return 0;
}
