#include "formats/choice.h"

#include <stdlib.h>
#include <string.h>

#include "formats/nearest.h"

#define OF_SEVERAL (COLUMN_SEVERAL | COLUMN_TIMELINES)
#define OF_SOME    (OF_SEVERAL | COLUMN_TIMES) /* of use in some reports only */

static int unknown_column(const struct column_choice *c, const char *name, size_t length, struct error *err)
{
    if (length == 0)
        return error_set(err, ERROR_USAGE, "a column name is missing in the list; -c help lists them");
    if (length > NEAREST_LONGEST)
        return error_set(err, ERROR_USAGE, "unknown column \"%.*s...\"; -c help lists them", NEAREST_LONGEST,
                         name);
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->shown[i].relation->columns_n; k++) {
            const char *known = c->shown[i].relation->columns[k].name;
            size_t far = edit_distance(name, length, known);
            nearest = far < least ? known : nearest;
            least = far < least ? far : least;
        }
    return error_set(err, ERROR_USAGE, "unknown column \"%.*s\"; the nearest is %s, -c help lists them",
                     (int)length, name, nearest);
}

/* ---- choosing ---- */

static void add_field(struct column_choice *c, const char *name)
{
    for (size_t i = 0; i < c->fields_n; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): all below fields_n are set */
        if (strcmp(c->fields[i], name) == 0)
            return;
    c->fields[c->fields_n++] = name;
}

static void choose(struct column_choice *c, struct shown *s, const struct column *column)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->columns[i] == column)
            return;
    s->columns[s->n++] = column;
    add_field(c, column->name);
}

/* All that are of use. */
static void choose_all(struct column_choice *c, unsigned several)
{
    for (struct shown *s = c->shown; s < c->shown + c->n; s++)
        for (size_t i = 0; i < s->relation->columns_n; i++)
            if (!(s->relation->columns[i].flags & OF_SOME & ~several))
                choose(c, s, &s->relation->columns[i]);
}

/* All that name what a row is of, among several. */
static void choose_several(struct column_choice *c, unsigned several)
{
    for (struct shown *s = c->shown; s < c->shown + c->n; s++)
        for (size_t i = 0; i < s->relation->columns_n; i++)
            if (s->relation->columns[i].flags & several & OF_SEVERAL)
                choose(c, s, &s->relation->columns[i]);
}

static const struct column *find(const struct relation *relation, const char *name, size_t length)
{
    for (size_t i = 0; i < relation->columns_n; i++) {
        const char *known = relation->columns[i].name;
        if (strncmp(known, name, length) == 0 && known[length] == '\0')
            return &relation->columns[i];
    }
    return NULL;
}

/* False: no relation has such a column. */
static bool choose_name(struct column_choice *c, const char *name, size_t length)
{
    bool found = false;
    for (struct shown *s = c->shown; s < c->shown + c->n; s++) {
        const struct column *column = find(s->relation, name, length);
        if (column)
            choose(c, s, column);
        found |= column != NULL;
    }
    return found;
}

static int choose_list(struct column_choice *c, const char *list, unsigned several, struct error *err)
{
    for (const char *name = list;; name++) {
        size_t length = strcspn(name, ",");
        if (length == 3 && strncmp(name, "all", length) == 0)
            choose_all(c, several);
        else if (!choose_name(c, name, length))
            return unknown_column(c, name, length, err);
        name += length;
        if (!*name)
            return 0;
    }
}

static int choose_sort(struct column_choice *c, const char *sort, struct error *err)
{
    bool found = false;
    if (strchr(sort, ','))
        return error_set(err, ERROR_USAGE, "--sort %s: one column at a time", sort);
    for (struct shown *s = c->shown; s < c->shown + c->n; s++) {
        s->sort = column_find(s->relation, sort);
        s->other_order = !s->sort;
        found |= s->sort != NULL;
    }
    return found ? 0 : unknown_column(c, sort, strlen(sort), err);
}

int choice_make(struct column_choice *c, const struct relation *const *relations, size_t n, const char *list,
                const char *sort, unsigned several, struct error *err)
{
    size_t fields = 0;
    *c = (struct column_choice){.shown = calloc(n + 1, sizeof *c->shown), .given = list != NULL};
    for (; c->shown && c->n < n; c->n++) {
        c->shown[c->n].relation = relations[c->n];
        c->shown[c->n].columns = calloc(relations[c->n]->columns_n, sizeof(struct column *));
        if (!c->shown[c->n].columns)
            break;
        fields += relations[c->n]->columns_n;
    }
    c->fields = calloc(fields + 1, sizeof *c->fields);
    if (c->n < n || !c->fields)
        return error_no_memory(err, "the columns");
    choose_several(c, several);
    if (list && choose_list(c, list, several, err) != 0)
        return -1;
    if (!list)
        choose_all(c, several);
    return sort ? choose_sort(c, sort, err) : 0;
}

void choice_sort_for_table(struct column_choice *c)
{
    for (struct shown *s = c->shown; s < c->shown + c->n; s++)
        if (s->relation->table_sort)
            s->sort = column_find(s->relation, s->relation->table_sort);
}

void choice_free(struct column_choice *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->shown[i].columns);
    free(c->shown);
    free(c->fields);
    *c = (struct column_choice){0};
}

const struct shown *choice_find(const struct column_choice *c, const struct relation *relation)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->shown[i].relation == relation)
            return &c->shown[i];
    return NULL;
}
