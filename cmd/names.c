/* Domain names: lines "ID NAME", or the saved output of "xl list" (name first, then the id). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define LINES_MAX 100000

struct domain_names {
    char *names[65536];
};

/* A part of a line. */
struct span {
    const char *at;
    size_t n;
};

static bool is_number(struct span s)
{
    return s.n > 0 && strspn(s.at, "0123456789") >= s.n;
}

static size_t without_blanks(const char *line, size_t end)
{
    while (end > 0 && isspace((unsigned char)line[end - 1]))
        end--;
    return end;
}

/* "-b----": a letter or a dash for each of six states, of which the fifth says why a domain was shut down. */
static bool is_state(struct span s)
{
    return s.n == 6 && strspn(s.at, "rbpscdwS?-") >= s.n && strspn(s.at, "r-") > 0;
}

/* "12.5" */
static bool is_time(struct span s)
{
    return s.n > 0 && isdigit((unsigned char)*s.at) && strspn(s.at, "0123456789.") >= s.n;
}

/*
 * A line of "xl list" ends with ID, memory, vCPUs, state and time; the text before them is the name, which may contain
 * blanks.
 */
static bool find_listed(const char *line, struct span *id, struct span *name)
{
    struct span fields[5]; /* the last five words, the last one first */
    size_t end = strlen(line);
    for (int i = 0; i < 5; i++) {
        size_t last = end = without_blanks(line, end);
        while (end > 0 && !isspace((unsigned char)line[end - 1]))
            end--;
        fields[i] = (struct span){line + end, last - end};
    }
    *id = fields[4];
    *name = (struct span){line, without_blanks(line, end)};
    return name->n > 0 && is_number(fields[4]) && is_number(fields[3]) && is_number(fields[2]) &&
           is_state(fields[1]) && is_time(fields[0]);
}

/* "ID NAME" */
static void find_plain(const char *line, struct span *id, struct span *name)
{
    *id = (struct span){line, strcspn(line, " \t\r\n")};
    const char *rest = line + id->n + (line[id->n] != '\0');
    rest += strspn(rest, "\r\n");
    name->at = rest + strspn(rest, " \t");
    name->n = strcspn(name->at, "\n");
    while (name->n > 0 &&
           name->at[name->n - 1] == '\r') /* one within a name is a part of it, as in a line of "xl list" */
        name->n--;
}

static bool take_line(struct domain_names *n, const char *line)
{
    struct span id, name;
    line += strspn(line, " \t\r\n");
    if (!*line || *line == '#' || (strncmp(line, "Name ", 5) == 0 && strstr(line, " ID ")))
        return true;
    if (!find_listed(line, &id, &name))
        find_plain(line, &id, &name);
    if (name.n == 0 || !is_number(id) || id.n > 5)
        return false;
    unsigned long domain = strtoul(id.at, NULL, 10);
    if (domain > 65535)
        return false;
    free(n->names[domain]);
    n->names[domain] = strndup(name.at, name.n);
    return n->names[domain] != NULL;
}

/* Reads and closes the file; NULL: opening it failed, with `errno` set. */
static struct domain_names *read_file(FILE *f, struct error *err)
{
    if (!f) {
        error_set(err, ERROR_IO, "cannot read domain names: %s", strerror(errno));
        return NULL;
    }
    struct domain_names *n = calloc(1, sizeof *n);
    char *line = NULL;
    size_t capacity = 0;
    bool fine = n != NULL;
    unsigned number = 0;
    errno = 0;
    for (; fine && number < LINES_MAX && getline(&line, &capacity, f) >= 0; number++)
        fine = take_line(n, line);
    if (!n || errno == ENOMEM)
        error_no_memory(err, "domain names");
    else if (!fine)
        error_set(err, ERROR_FORMAT, "line %u: not \"ID NAME\", nor a line of \"xl list\"", number);
    else if (number < LINES_MAX && !feof(f))
        error_set(err, ERROR_IO, "cannot read domain names: %s", strerror(errno));
    fine = fine && (number == LINES_MAX || feof(f));
    free(line);
    fclose(f);
    if (fine)
        return n;
    names_free(n);
    return NULL;
}

struct domain_names *names_read(const char *path, struct error *err)
{
    return read_file(fopen(path, "re"), err);
}

struct domain_names *names_read_text(const char *text, size_t n, struct error *err)
{
    return read_file(fmemopen((void *)(uintptr_t)text, n, "r"), err);
}

bool names_add(struct domain_names **names, uint32_t domain, const char *name)
{
    if (!*names && !(*names = calloc(1, sizeof **names)))
        return false;
    char **to = &(*names)->names[domain];
    return *to || (*to = strdup(name));
}

void names_free(struct domain_names *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < 65536; i++)
        free(n->names[i]);
    free(n);
}

const char *names_lookup(const void *names, int32_t domain, uint32_t life)
{
    (void)life;
    const struct domain_names *n = names;
    return n && domain >= 0 && domain < 65536 ? n->names[domain] : NULL;
}
