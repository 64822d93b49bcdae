#include "tags.h"

#include <stdio.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

/* ---- fields of a line ---- */

/* Takes the field at *at, which ends up behind its comma, or at the line's NUL; *more: there was a comma. NULL: wrong quotes. */
static char *take_field(char **at, int *more)
{
    char *field = *at, *from = *at, *to = *at;
    if (*from == '"') {
        from++;
        for (;; from++) {
            if (!*from)
                return NULL;
            if (*from == '"' && *++from != '"')
                break;
            *to++ = *from;
        }
    } else {
        from += strcspn(from, ",\"");
        to = from;
    }
    if (*from && *from != ',')
        return NULL;
    *more = *from == ',';
    *at = from + *more;
    *to = '\0';
    return field;
}

/* Up to `most` fields. -1 with `err` filled. */
static int take_fields(char *line, size_t number, const char **fields, size_t most, size_t *n,
                       struct error *err)
{
    int more = 1;
    for (*n = 0; more; (*n)++) {
        const char *field = take_field(&line, &more);
        if (!field)
            return error_on_line(err, number, "quotes stand around a whole field, and are doubled within it");
        if (*n == most)
            return error_on_line(err, number, "has more than %zu fields", most);
        fields[*n] = field;
    }
    return 0;
}

/* ---- lines ---- */

static int read_header(struct tags *t, char *line, size_t number, struct error *err)
{
    const char *fields[TAGS_MAX + 1] = {NULL};
    size_t n = 0;
    if (take_fields(line, number, fields, TAGS_MAX + 1, &n, err) != 0)
        return -1;
    if (strcmp(fields[0], "vm") != 0 || n < 2)
        return error_on_line(err, number,
                             "wants the columns: vm, and the names of tags: \"vm,customer,project\"");
    for (size_t i = 1; i < n; i++) {
        if (!*fields[i] || tags_index(t, fields[i]) >= 0)
            return error_on_line(err, number, "column %zu has %s", i + 1,
                                 *fields[i] ? "the name of one before it" : "no name");
        t->names[t->names_n++] = fields[i];
    }
    return 0;
}

#define UUID_LENGTH 36

/* A UUID is the same in small and large letters; a name is not. */
static void fold_uuid(char *vm)
{
    if (strlen(vm) != UUID_LENGTH || strspn(vm, "0123456789abcdefABCDEF-") != UUID_LENGTH)
        return;
    for (; *vm; vm++)
        *vm = (char)tolower((unsigned char)*vm);
}

static int read_vm(struct tags *t, char *line, size_t number, struct error *err)
{
    const char *fields[TAGS_MAX + 1] = {NULL};
    size_t n = 0;
    if (take_fields(line, number, fields, t->names_n + 1, &n, err) != 0)
        return -1;
    if (n != t->names_n + 1)
        return error_on_line(err, number, "has %zu fields, the first line has %zu", n, t->names_n + 1);
    if (!*fields[0])
        return error_on_line(err, number, "names no VM");
    if (!array_make_room(&t->at, &t->capacity, t->n + 1, sizeof *t->at))
        return error_no_memory(err, "the tags");
    fold_uuid(line + (fields[0] - line));
    struct tagged *vm = &t->at[t->n++];
    *vm = (struct tagged){.line = number, .vm = fields[0]};
    memcpy(vm->values, fields + 1, t->names_n * sizeof *fields);
    return 0;
}

static int check_bytes(const char *line, size_t n, size_t number, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return error_on_line(err, number, "the byte 0x%02x is no text", c);
    }
    return 0;
}

static int read_lines(struct tags *t, char *at, struct error *err)
{
    for (size_t number = 1; *at; number++) {
        char *line = at, *end = at + strcspn(at, "\n");
        at = end + (*end == '\n');
        end -= end > line && end[-1] == '\r';
        *end = '\0';
        if (check_bytes(line, (size_t)(end - line), number, err) != 0)
            return -1;
        if (*line == '#' || line == end)
            continue;
        if ((t->names_n ? read_vm : read_header)(t, line, number, err) != 0)
            return -1;
    }
    return t->names_n
               ? 0
               : error_set(err, ERROR_FORMAT, "is empty: wants \"vm,customer\" and a line for each VM");
}

static int by_vm(const void *a, const void *b)
{
    const struct tagged *x = a, *y = b;
    int order = strcmp(x->vm, y->vm);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

int tags_read(struct tags *t, const char *text, size_t n, struct error *err)
{
    const char *nul = memchr(text, 0, n);
    *t = (struct tags){.text = malloc(n + 1)};
    if (!t->text)
        return error_no_memory(err, "the tags");
    memcpy(t->text, text, n);
    t->text[n] = '\0';
    /* Spreadsheets put it before UTF-8. */
    char *at = t->text + (strncmp(t->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    if (nul)
        return error_set(err, ERROR_FORMAT, "is no text");
    if (read_lines(t, at, err) != 0)
        return -1;
    if (t->n > 0)
        qsort(t->at, t->n, sizeof *t->at, by_vm);
    for (size_t i = 1; i < t->n; i++)
        if (strcmp(t->at[i].vm, t->at[i - 1].vm) == 0)
            return error_on_line(err, t->at[i].line, "the VM '%.80s' is in line %zu, too", t->at[i].vm,
                                 t->at[i - 1].line);
    return 0;
}

void tags_free(struct tags *t)
{
    free(t->text);
    free(t->at);
    *t = (struct tags){0};
}

/* ---- looking up ---- */

static int compare_vm(const void *key, const void *tagged)
{
    return strcmp(key, ((const struct tagged *)tagged)->vm);
}

static struct tagged *find_name(const struct tags *t, const char *vm_name)
{
    return *vm_name && t->n > 0 ? bsearch(vm_name, t->at, t->n, sizeof *t->at, compare_vm) : NULL;
}

static struct tagged *find_uuid(const struct tags *t, const char *vm_uuid)
{
    char uuid[UUID_LENGTH + 1];
    snprintf(uuid, sizeof uuid, "%s", vm_uuid);
    fold_uuid(uuid);
    return find_name(t, uuid);
}

const char *const *tags_of(const struct tags *t, const char *vm_uuid, const char *vm_name)
{
    const struct tagged *found = find_uuid(t, vm_uuid);
    found = found ? found : find_name(t, vm_name);
    return found ? found->values : NULL;
}

void tags_note(const struct tags *t, const char *vm_uuid, const char *vm_name, bool *seen)
{
    const struct tagged *const found[] = {find_uuid(t, vm_uuid), find_name(t, vm_name)};
    for (size_t i = 0; i < 2; i++)
        if (found[i])
            seen[found[i] - t->at] = true;
}

int tags_index(const struct tags *t, const char *name)
{
    for (size_t i = 0; i < t->names_n; i++)
        if (strcmp(t->names[i], name) == 0)
            return (int)i;
    return -1;
}
