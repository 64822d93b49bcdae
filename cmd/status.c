#include "status.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/csv_text.h"
#include "formats/json_memory.h"
#include "formats/safe_text.h"

#define NAME_BYTES 256

const char *const status_formats[] = {"text", "csv", "json", "jsonl", NULL};

/* ---- for people ---- */

static void write_text(struct buffer *b, long process, const struct state *s)
{
    char name[NAME_BYTES];
    if (process)
        buffer_printf(b, "process %ld acts\n", process);
    else
        buffer_printf(b, "nobody acts%s\n",
                      s->guests_n > 0 ? "; what is set was left by a process that died: --restore" : "");
    for (size_t i = 0; i < s->guests_n; i++) {
        const struct state_guest *g = &s->guests[i];
        safe_text(name, sizeof name, g->name);
        buffer_printf(b, *name ? "domain %u (%s): %s, before: %s\n" : "domain %u%s: %s, before: %s\n",
                      g->domain, name, g->set, g->former);
    }
    for (size_t i = 0; i < s->exempt_n; i++)
        buffer_printf(b, "exempt: %s\n", safe_text(name, sizeof name, s->exempt[i]));
}

/* ---- CSV ---- */

static void write_field(struct buffer *b, const char *text)
{
    char guarded[CSV_GUARDED_BYTES];
    csv_add_quoted(b, csv_guarded(guarded, text));
}

static bool is_id(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* A guest that is exempt is known by its id or by its name. */
static void write_csv(struct buffer *b, const struct state *s)
{
    buffer_text(b, "domain,name,set,before,exempt\n");
    for (size_t i = 0; i < s->guests_n; i++) {
        buffer_printf(b, "%u,", s->guests[i].domain);
        write_field(b, s->guests[i].name);
        buffer_text(b, ",");
        write_field(b, s->guests[i].set);
        buffer_text(b, ",");
        write_field(b, s->guests[i].former);
        buffer_text(b, ",0\n");
    }
    for (size_t i = 0; i < s->exempt_n; i++) {
        buffer_text(b, is_id(s->exempt[i]) ? "" : ",");
        write_field(b, s->exempt[i]);
        buffer_text(b, is_id(s->exempt[i]) ? ",,,,1\n" : ",,,1\n");
    }
}

/* ---- JSON ---- */

static json_t *text_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

static json_t *of_guest(const struct state_guest *g)
{
    return json_pack("{si so ss ss sb}", "domain", (int)g->domain, "name", text_or_null(g->name), "set",
                     g->set, "before", g->former, "exempt", 0);
}

static json_t *of_exempt(const char *guest)
{
    bool id = is_id(guest);
    return json_pack("{so so sn sn sb}", "domain", id ? json_integer(atoi(guest)) : json_null(), "name",
                     id ? json_null() : json_string(guest), "set", "before", "exempt", 1);
}

static json_t *of_all(const struct state *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->guests_n; i++)
        json_array_append_new(list, of_guest(&s->guests[i]));
    for (size_t i = 0; i < s->exempt_n; i++)
        json_array_append_new(list, of_exempt(s->exempt[i]));
    return list;
}

/* A document or a line; consumes `value`. */
static void write_value(struct buffer *b, json_t *value, size_t flags)
{
    char *text = json_memory_failed() ? NULL : json_dumps(value, flags);
    if (text)
        buffer_printf(b, "%s\n", text);
    b->failed |= !text;
    free(text);
    json_decref(value);
}

static void write_json(struct buffer *b, const char *controller, long process, const struct state *s)
{
    write_value(b,
                json_pack("{ss ss so so}", "schema", "xenmeter.status/1", "controller", controller, "process",
                          process ? json_integer(process) : json_null(), "guests", of_all(s)),
                JSON_INDENT(2));
}

static void write_jsonl(struct buffer *b, const struct state *s)
{
    json_t *list = of_all(s);
    b->failed |= json_memory_failed();
    for (size_t i = 0; i < json_array_size(list); i++)
        write_value(b, json_incref(json_array_get(list, i)), JSON_COMPACT);
    json_decref(list);
}

void status_write(struct buffer *to, const char *format, const char *controller, long process,
                  const struct state *state)
{
    json_memory_begin();
    if (strcmp(format, "csv") == 0)
        write_csv(to, state);
    else if (strcmp(format, "json") == 0)
        write_json(to, controller, process, state);
    else if (strcmp(format, "jsonl") == 0)
        write_jsonl(to, state);
    else
        write_text(to, process, state);
}
