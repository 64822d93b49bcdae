#include "sim/keys.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/nearest.h"

static const struct {
    const char *suffix;
    double ns;
} units[] = {{"_ns", 1}, {"_us", 1e3}, {"_ms", 1e6}, {"_s", 1e9}};
enum { DEPTH_MAX = 8, UNITS = sizeof units / sizeof units[0] };

/* ---- messages ---- */

/* "$.domains[1].slice_ms" */
static void path_text(const struct key_place *place, char *to, size_t room)
{
    const struct key_place *chain[DEPTH_MAX];
    size_t depth = 0, n = (size_t)snprintf(to, room, "$");
    for (; place && depth < DEPTH_MAX; place = place->above)
        chain[depth++] = place;
    while (depth > 0 && n < room) {
        place = chain[--depth];
        if (place->name)
            n += (size_t)snprintf(to + n, room - n, ".%s", place->name);
        else
            n += (size_t)snprintf(to + n, room - n, "[%zu]", place->index);
    }
}

int key_error(const struct key_place *place, struct error *err, const char *format, ...)
{
    char path[128], message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    path_text(place, path, sizeof path);
    return error_set(err, ERROR_FORMAT, "%s: %s", path, message);
}

/* "slice_ms" for a key of a time, else its name. */
static const char *shown_name(const struct key *key, char to[64])
{
    snprintf(to, 64, key->kind == KEY_TIME ? "%s_ms" : "%s", key->name);
    return to;
}

static int unknown_key(const char *name, const struct key_place *place, const struct key *keys,
                       struct error *err)
{
    const struct key *nearest = NULL;
    size_t best = strlen(name) / 3 + 2;
    char shown[64];
    for (const struct key *k = keys; k->name; k++) {
        if (k->kind == KEY_TIME && strcmp(name, k->name) == 0)
            return key_error(place, err,
                             "'%.40s' is a time without its unit: write %s_ns, %s_us, %s_ms or %s_s", name,
                             name, name, name, name);
        size_t distance = edit_distance(name, strlen(name), shown_name(k, shown));
        nearest = distance < best ? k : nearest;
        best = distance < best ? distance : best;
    }
    if (nearest)
        return key_error(place, err, "unknown key '%.40s'; did you mean '%s'?", name,
                         shown_name(nearest, shown));
    return key_error(place, err, "unknown key '%.40s': take it out, or see xenmeter-scenario(5) for the keys",
                     name);
}

/* ---- values ---- */

/* "0", "1 us", "24 h": in the largest unit of which it is a whole number. */
static const char *length_text(char to[32], double ns)
{
    static const struct {
        double ns;
        const char *name;
    } lengths[] = {{3600e9, "h"}, {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t i = 0;
    while (fmod(ns, lengths[i].ns) > 0 && lengths[i].ns > 1)
        i++;
    snprintf(to, 32, ns > 0 ? "%.0f %s" : "%.0f", ns / lengths[i].ns, lengths[i].name);
    return to;
}

static const char *number_text(char to[32], double number)
{
    snprintf(to, 32, fabs(number) < 1e15 && number == floor(number) ? "%.0f" : "%.10g", number);
    return to;
}

static int out_of_range(const struct key_place *place, const struct key *key, struct error *err)
{
    char least[32], most[32];
    if (key->kind == KEY_TIME)
        return key_error(place, err, "must be from %s to %s", length_text(least, key->least),
                         length_text(most, key->most));
    return key_error(place, err, "must be from %s to %s", number_text(least, key->least),
                     number_text(most, key->most));
}

static int read_number(const json_t *value, const struct key_place *place, const struct key *key, double unit,
                       void *to, struct error *err)
{
    double number = json_number_value(value);
    if (!json_is_number(value))
        return key_error(place, err, "must be a number");
    if (key->kind == KEY_COUNT && !json_is_integer(value))
        return key_error(place, err, "must be a whole number");
    if (!(number * unit >= key->least && number * unit <= key->most))
        return out_of_range(place, key, err);
    if (key->kind == KEY_NUMBER)
        *(double *)to = number;
    else if (json_is_integer(value))
        *(uint64_t *)to = (uint64_t)json_integer_value(value) * (uint64_t)unit;
    else
        *(uint64_t *)to = (uint64_t)llround(number * unit);
    return 0;
}

static int read_choice(const json_t *value, const struct key_place *place, const struct key *key, int *to,
                       struct error *err)
{
    char all[160] = "";
    size_t n = 0;
    for (int i = 0; key->choices[i]; i++) {
        if (json_is_string(value) && strcmp(json_string_value(value), key->choices[i]) == 0) {
            *to = i;
            return 0;
        }
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s\"%s\"", i ? ", " : "", key->choices[i]);
    }
    return key_error(place, err, "must be one of %s", all);
}

static int read_value(const json_t *value, const struct key_place *place, const struct key *key, double unit,
                      void *to, struct error *err)
{
    switch (key->kind) {
    case KEY_COUNT:
    case KEY_TIME:
    case KEY_NUMBER:
        return read_number(value, place, key, unit, to, err);
    case KEY_FLAG:
        if (!json_is_boolean(value))
            return key_error(place, err, "must be true or false");
        *(bool *)to = json_is_true(value);
        return 0;
    case KEY_TEXT:
        if (!json_is_string(value))
            return key_error(place, err, "must be a text in quotes");
        *(const char **)to = json_string_value(value);
        return 0;
    case KEY_CHOICE:
        return read_choice(value, place, key, to, err);
    default:
        return 0;
    }
}

/* ---- keys ---- */

/* Whether the member is that key; its unit in ns, 1 where it has none. */
static bool matches(const struct key *key, const char *member, double *unit)
{
    size_t n = strlen(key->name);
    *unit = 1;
    if (strncmp(member, key->name, n) != 0)
        return false;
    if (key->kind != KEY_TIME)
        return member[n] == '\0';
    for (size_t i = 0; i < UNITS; i++) {
        *unit = units[i].ns;
        if (strcmp(member + n, units[i].suffix) == 0)
            return true;
    }
    return false;
}

const char *keys_given(const json_t *object, const struct key *keys, const char *name)
{
    const char *member;
    json_t *value;
    double unit;
    for (; keys->name && strcmp(keys->name, name) != 0; keys++)
        ;
    json_object_foreach((json_t *)(uintptr_t)object, member, value)
    {
        if (matches(keys, member, &unit))
            return member;
    }
    return NULL;
}

static int read_member(const char *member, const json_t *value, const struct key_place *place,
                       const struct key *keys, uint64_t *seen, void *to, struct error *err)
{
    for (const struct key *k = keys; k->name; k++) {
        double unit;
        if (!matches(k, member, &unit))
            continue;
        struct key_place here = {place, member, 0};
        uint64_t bit = (uint64_t)1 << (k - keys);
        if (*seen & bit)
            return key_error(&here, err, "is given twice, in two units: take one of them out");
        *seen |= bit;
        return read_value(value, &here, k, unit, (char *)to + k->offset, err);
    }
    return unknown_key(member, place, keys, err);
}

int keys_read(const json_t *object, const struct key_place *place, const struct key *keys, void *to,
              struct error *err)
{
    const char *member;
    json_t *value;
    uint64_t seen = 0;
    char shown[64];
    if (!json_is_object(object))
        return key_error(place, err, "must be an object: {...}");
    json_object_foreach((json_t *)(uintptr_t)object, member, value)
    {
        if (read_member(member, value, place, keys, &seen, to, err) != 0)
            return -1;
    }
    for (const struct key *k = keys; k->name; k++)
        if (k->required && !(seen >> (k - keys) & 1))
            return key_error(place, err, "'%s' is missing", shown_name(k, shown));
    return 0;
}

int keys_list(const json_t *object, const struct key_place *place, const char *name, size_t most,
              const json_t **list, struct error *err)
{
    struct key_place here = {place, name, 0};
    *list = json_object_get(object, name);
    if (!*list)
        return 0;
    if (!json_is_array(*list))
        return key_error(&here, err, "must be a list: [...]");
    if (json_array_size(*list) > most)
        return key_error(&here, err, "has %zu elements; at most %zu are possible", json_array_size(*list),
                         most);
    return 0;
}
