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

static bool is_number(const char *word)
{
    if (!*word)
        return false;
    for (; *word; word++)
        if (!isdigit((unsigned char)*word))
            return false;
    return true;
}

/*
 * A line of "xl list" ends with ID, memory, vCPUs, state and time; the text before them is the name, which may contain
 * blanks. Cuts the line into id and name.
 */
static bool cut_listed(char *line, char **id, char **name)
{
    char *fields[5]; /* the last five words, the last one first */
    size_t end = strlen(line);
    for (int i = 0; i < 5; i++) {
        while (end > 0 && isspace((unsigned char)line[end - 1]))
            end--;
        line[end] = '\0';
        while (end > 0 && !isspace((unsigned char)line[end - 1]))
            end--;
        fields[i] = line + end;
    }
    if (!is_number(fields[4]) || !is_number(fields[3]) || !is_number(fields[2]))
        return false;
    while (end > 0 && isspace((unsigned char)line[end - 1]))
        end--;
    line[end] = '\0';
    *id = fields[4];
    *name = line;
    return end > 0;
}

static bool take_line(struct domain_names *n, char *line)
{
    char *rest = NULL, *id = NULL, *name = NULL;
    line += strspn(line, " \t\r\n");
    if (!*line || *line == '#' || (strncmp(line, "Name ", 5) == 0 && strstr(line, " ID ")))
        return true;
    char *copy = strdup(line);
    if (!copy)
        return false;
    if (!cut_listed(line, &id, &name)) {
        memcpy(line, copy, strlen(copy) + 1);
        id = strtok_r(line, " \t\r\n", &rest);
        name = strtok_r(NULL, "\r\n", &rest);
        name = name ? name + strspn(name, " \t") : NULL;
    }
    free(copy);
    if (!id || !name || !*name || !is_number(id) || strlen(id) > 5)
        return false;
    unsigned long domain = strtoul(id, NULL, 10);
    if (domain > 65535)
        return false;
    free(n->names[domain]);
    n->names[domain] = strdup(name);
    return n->names[domain] != NULL;
}

/* Reads and closes the file; NULL: opening it failed, with `errno` set. */
static struct domain_names *read_file(FILE *f, struct error *err)
{
    struct domain_names *n = calloc(1, sizeof *n);
    if (!f || !n) {
        if (f) {
            error_no_memory(err, "domain names");
            fclose(f);
        } else {
            error_set(err, ERROR_IO, "cannot read domain names: %s", strerror(errno));
        }
        free(n);
        return NULL;
    }
    char *line = NULL;
    size_t capacity = 0;
    bool fine = true;
    unsigned number = 0;
    while (fine && number < LINES_MAX && getline(&line, &capacity, f) >= 0) {
        number++;
        fine = take_line(n, line);
    }
    if (!fine || ferror(f)) {
        error_set(err, ERROR_FORMAT, "line %u: not \"ID NAME\", nor a line of \"xl list\"", number);
        names_free(n);
        n = NULL;
    }
    free(line);
    fclose(f);
    return n;
}

struct domain_names *names_read(const char *path, struct error *err)
{
    return read_file(fopen(path, "re"), err);
}

struct domain_names *names_read_text(const char *text, size_t n, struct error *err)
{
    return read_file(fmemopen((void *)(uintptr_t)text, n, "r"), err);
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
