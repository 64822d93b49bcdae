#include "top_settings.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "config.h"
#include "formats/output.h"

#define SCHEMA    "xenmeter.top/1"
#define FILE_NAME "top.json"

static const char *const palettes[] = {"normal", "colour-blind", "monochrome", NULL};
static const char *const spans[] = {"both", "1s", "10s", NULL};
static const char *const sort_spans[] = {"1s", "10s", NULL};

/* ---- reading ---- */

/* The number of the word that the object has there; `otherwise`: it has none of them. */
static unsigned word_of(const json_t *o, const char *key, const char *const *words, unsigned otherwise)
{
    const char *word = json_string_value(json_object_get(o, key));
    int at = word ? name_index(words, word, strlen(word)) : -1;
    return at >= 0 ? (unsigned)at : otherwise;
}

static void read_view(struct view_choice *c, enum view view, const json_t *o)
{
    const char *columns = json_string_value(json_object_get(o, "columns"));
    const char *sort = json_string_value(json_object_get(o, "sort"));
    const struct column *by = sort ? column_find(view_kinds[view].relation, sort) : NULL;
    if (columns)
        view_choose(c, view, columns);
    if (by)
        c->sort = by;
    c->sort_span = word_of(o, "sort_span", sort_spans, c->sort_span);
    c->reversed = json_is_true(json_object_get(o, "reversed"));
}

static void read_settings(struct screen_settings *s, const json_t *o)
{
    const char *view = json_string_value(json_object_get(o, "view"));
    if (view && view_named(view) != VIEWS)
        s->view = view_named(view);
    s->palette = word_of(o, "palette", palettes, s->palette);
    s->spans = word_of(o, "spans", spans, s->spans);
    s->graph = json_is_true(json_object_get(o, "graph"));
    for (enum view v = 0; v < VIEWS; v++)
        read_view(&s->choices[v], v, json_object_get(json_object_get(o, "views"), view_kinds[v].name));
}

void top_settings_read(struct screen_settings *s)
{
    char path[PATH_MAX];
    bool failed;
    json_error_t why;
    char *text = config_path(FILE_NAME, path) ? config_text(path, &failed) : NULL;
    if (!text)
        return;
    json_t *o = json_loads(text, 0, &why);
    const char *schema = json_string_value(json_object_get(o, "schema"));
    if (schema && strcmp(schema, SCHEMA) == 0)
        read_settings(s, o);
    else
        complain("%s: these are no settings of top: it is not read", path);
    json_decref(o);
    free(text);
}

/* ---- writing ---- */

static json_t *view_of(const struct view_choice *c, enum view view)
{
    char columns[VIEW_COLUMNS * 24] = "";
    size_t n = 0;
    const struct relation *r = view_kinds[view].relation;
    for (size_t i = 0; i < c->n; i++)
        if (c->shown[c->order[i]] && n < sizeof columns)
            n += (size_t)snprintf(columns + n, sizeof columns - n, "%s%s", n ? "," : "",
                                  r->columns[c->order[i]].name);
    return json_pack("{s:s, s:s*, s:s, s:b}", "columns", columns, "sort", c->sort ? c->sort->name : NULL,
                     "sort_span", sort_spans[c->sort_span], "reversed", c->reversed);
}

static json_t *document(const struct screen_settings *s)
{
    json_t *views = json_object();
    for (enum view v = 0; v < VIEWS; v++)
        if (v != VIEW_CHARGES)
            json_object_set_new(views, view_kinds[v].name, view_of(&s->choices[v], v));
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "schema", SCHEMA, "view", view_kinds[s->view].name,
                     "palette", palettes[s->palette], "spans", spans[s->spans], "graph", s->graph, "views",
                     views);
}

/* The folders of the path are made if need be. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

void top_settings_write(const struct screen_settings *s)
{
    char path[PATH_MAX];
    struct error err = {0};
    if (!config_path(FILE_NAME, path))
        return;
    json_t *o = document(s);
    char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
    json_decref(o);
    make_folders(path);
    struct output *to = text ? output_open(path, &err) : NULL;
    if (to) {
        output_printf(to, "%s\n", text);
        commit(&to, path);
    } else {
        complain("%s: the settings are not kept: %s", path, text ? err.message : "not enough memory");
    }
    free(text);
}
