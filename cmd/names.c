/* Domain names: lines "ID NAME", or the saved output of "xl list" (name first, then the id). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "host/xl_line.h"

#define LINES_MAX 100000

struct domain_names {
    char *names[65536];
};

/* A line of "xl list" ends with ID, memory, vCPUs, state and time. */
static bool find_listed(const char *line, uint64_t *id, struct span *name)
{
    const struct span all = {line, strlen(line)};
    const struct xl_line words = xl_line_cut(all);
    struct xl_domain domain;
    if (!xl_line_domain(&words, 0, &domain))
        return false;
    *id = domain.id;
    *name = xl_line_before(all, words.words[4]);
    return name->n > 0;
}

/* "ID NAME" */
static bool find_plain(const char *line, uint64_t *id, struct span *name)
{
    const struct span number = {line, strcspn(line, " \t\r\n")};
    const char *rest = line + number.n + (line[number.n] != '\0');
    rest += strspn(rest, "\r\n");
    name->at = rest + strspn(rest, " \t");
    name->n = strcspn(name->at, "\n");
    while (name->n > 0 &&
           name->at[name->n - 1] == '\r') /* one within a name is a part of it, as in a line of "xl list" */
        name->n--;
    return name->n > 0 && number.n <= 5 && span_number(number, 65536, id);
}

static bool take_line(struct domain_names *n, const char *line)
{
    uint64_t id;
    struct span name;
    line += strspn(line, " \t\r\n");
    if (!*line || *line == '#' || (strncmp(line, "Name ", 5) == 0 && strstr(line, " ID ")))
        return true;
    if (!find_listed(line, &id, &name) && !find_plain(line, &id, &name))
        return false;
    free(n->names[id]);
    n->names[id] = strndup(name.at, name.n);
    return n->names[id] != NULL;
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
