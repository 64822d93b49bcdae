#include "sim/arrivals.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

struct times {
    uint64_t *ns;
    size_t count, space;
};

static int add(struct times *t, uint64_t ns, struct error *err)
{
    if (t->count == ARRIVALS_MAX)
        return error_set(err, ERROR_FORMAT, "more than %u arrivals", ARRIVALS_MAX);
    if (t->count == t->space) {
        size_t space = t->space ? 2 * t->space : 1024;
        uint64_t *more = realloc(t->ns, space * sizeof *more);
        if (!more)
            return error_no_memory(err, "arrivals");
        t->ns = more;
        t->space = space;
    }
    t->ns[t->count++] = ns;
    return 0;
}

/* "1.25", and blanks around it. */
static int take_line(struct times *t, const char *line, uint64_t number, struct error *err)
{
    char *end;
    line += strspn(line, " \t\r\n");
    if (!*line || *line == '#')
        return 0;
    double seconds = strtod(line, &end);
    if (!isdigit((unsigned char)*line) || !(seconds * 1e9 <= (double)SCENARIO_DURATION_MAX) ||
        end[strspn(end, " \t\r\n")])
        return error_on_line(err, number, "not a time in seconds, such as 1.25");
    uint64_t ns = (uint64_t)llround(seconds * 1e9);
    if (t->count > 0 && ns < t->ns[t->count - 1])
        return error_on_line(err, number, "earlier than the line before: sort the file");
    return add(t, ns, err);
}

static int read_lines(FILE *f, struct times *t, struct error *err)
{
    char *line = NULL;
    size_t capacity = 0;
    int status = 0;
    for (uint64_t number = 1; status == 0 && getline(&line, &capacity, f) >= 0; number++)
        status = take_line(t, line, number, err);
    free(line);
    if (status == 0 && !feof(f)) /* getline had no memory, or could not read */
        return error_set(err, ERROR_IO, "cannot be read: %s", strerror(errno));
    if (status == 0 && t->count == 0)
        return error_set(err, ERROR_FORMAT, "has no arrivals");
    return status;
}

int arrivals_read(const char *folder, const char *path, uint64_t **times, size_t *n, struct error *err)
{
    struct times t = {0};
    char full[4096];
    int length = snprintf(full, sizeof full, "%s%s", *path == '/' ? "" : folder, path);
    FILE *f = length < (int)sizeof full ? fopen(full, "re") : NULL;
    if (!f)
        return error_set(err, ERROR_IO, "cannot read %.100s: %s", path, strerror(errno));
    int status = read_lines(f, &t, err);
    fclose(f);
    if (status == 0) {
        *times = t.ns;
        *n = t.count;
        return 0;
    }
    free(t.ns);
    return -1;
}
