/* The tables of keys.h as a JSON Schema. */
#include <stdio.h>

#include "sim/keys.h"

static const struct {
    const char *suffix;
    double ns;
} units[] = {{"_ns", 1}, {"_us", 1e3}, {"_ms", 1e6}, {"_s", 1e9}};
enum { UNITS = sizeof units / sizeof units[0] };

static json_t *number(const char *type, double least, double most)
{
    return json_pack("{s:s, s:f, s:f}", "type", type, "minimum", least, "maximum", most);
}

static json_t *choice(const struct key *key)
{
    json_t *all = json_array();
    for (size_t i = 0; key->choices[i]; i++)
        json_array_append_new(all, json_string(key->choices[i]));
    return json_pack("{s:o}", "enum", all);
}

static json_t *value(const struct key *key, json_t *others)
{
    switch (key->kind) {
    case KEY_COUNT:
        return number("integer", key->least, key->most);
    case KEY_NUMBER:
        return number("number", key->least, key->most);
    case KEY_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case KEY_TEXT:
        return json_pack("{s:s}", "type", "string");
    case KEY_CHOICE:
        return choice(key);
    case KEY_TIME:
    case KEY_OTHER:
        break;
    }
    return json_incref(json_object_get(others, key->name));
}

/* A time has one of four names, each with its unit. */
static int add_time(const struct key *key, json_t *properties, json_t *rules)
{
    json_t *one_of = json_array(), *none = json_array();
    int failed = 0;
    for (size_t i = 0; i < UNITS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", key->name, units[i].suffix);
        json_t *required = json_pack("{s:[s]}", "required", name);
        failed |= json_object_set_new(properties, name,
                                      number("number", key->least / units[i].ns, key->most / units[i].ns));
        failed |= json_array_append(none, required) | json_array_append_new(one_of, required);
    }
    if (!key->required)
        failed |= json_array_append_new(one_of, json_pack("{s:{s:O}}", "not", "anyOf", none));
    json_decref(none);
    return failed | json_array_append_new(rules, json_pack("{s:o}", "oneOf", one_of));
}

static int add(const struct key *key, json_t *others, json_t *properties, json_t *required, json_t *rules)
{
    if (key->kind == KEY_TIME)
        return add_time(key, properties, rules);
    if (key->required && json_array_append_new(required, json_string(key->name)) != 0)
        return -1;
    return json_object_set_new(properties, key->name, value(key, others));
}

json_t *keys_schema(const struct key *keys, json_t *others)
{
    json_t *properties = json_object(), *required = json_array(), *rules = json_array();
    int failed = !others;
    for (const struct key *k = keys; k->name && !failed; k++)
        failed = add(k, others, properties, required, rules);
    json_decref(others);
    json_t *schema = json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties, "required",
                               required, "additionalProperties", 0);
    if (schema && json_array_size(rules) > 0)
        failed |= json_object_set(schema, "allOf", rules);
    json_decref(rules);
    if (!failed)
        return schema;
    json_decref(schema);
    return NULL;
}

json_t *keys_list_schema(json_t *element, size_t most)
{
    return json_pack("{s:s, s:i, s:o}", "type", "array", "maxItems", (int)most, "items", element);
}
