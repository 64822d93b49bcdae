#include "archive/object.h"

#include <math.h>
#include <string.h>

void object_wrong(struct object *o, const char *key, const char *what)
{
    if (!o->failed)
        error_set(o->err, ERROR_FORMAT, "\"%s\" %s", key, what);
    o->failed = true;
}

struct object object_document(const char *text, size_t n, const char *schema, json_t **root,
                              struct error *err)
{
    struct object o = {.err = err};
    json_error_t why;
    *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    o.json = *root;
    if (!json_is_object(*root)) {
        o.failed = true;
        error_set(err, ERROR_FORMAT, "no JSON object: %.100s", *root ? "another value" : why.text);
    } else if (strcmp(object_text(&o, "schema"), schema) != 0 && !o.failed) {
        o.failed = true;
        error_set(err, ERROR_FORMAT, "its schema is \"%.40s\", not \"%s\"", object_text(&o, "schema"),
                  schema);
    }
    return o;
}

struct object object_in(struct object *of, const json_t *json)
{
    struct object o = {.json = json, .err = of->err, .failed = of->failed};
    if (!o.failed && !json_is_object(json))
        object_wrong(&o, "a list", "holds something that is no object");
    return o;
}

const json_t *object_member(struct object *o, const char *key)
{
    const json_t *json = o->failed ? NULL : json_object_get(o->json, key);
    if (!json)
        object_wrong(o, key, "is missing");
    return json;
}

/* Integers beyond int64 are strings of digits. */
static bool text_u64(const char *text, uint64_t *n)
{
    *n = 0;
    if (strlen(text) != strspn(text, "0123456789") || !*text)
        return false;
    for (; *text; text++)
        if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, (uint64_t)(*text - '0'), n))
            return false;
    return true;
}

uint64_t object_u64(struct object *o, const char *key, uint64_t most)
{
    const json_t *json = object_member(o, key);
    uint64_t n = 0;
    bool fine = json_is_integer(json) && json_integer_value(json) >= 0;
    if (fine)
        n = (uint64_t)json_integer_value(json);
    else
        fine = json_is_string(json) && text_u64(json_string_value(json), &n);
    if (json && (!fine || n > most))
        object_wrong(o, key, fine ? "is larger than it can be" : "is no whole number");
    return o->failed ? 0 : n;
}

double object_real(struct object *o, const char *key)
{
    const json_t *json = object_member(o, key);
    double x = json_is_number(json) ? json_number_value(json) : 0;
    if (json && ((!json_is_number(json) && !json_is_null(json)) || !isfinite(x) || x < 0))
        object_wrong(o, key, "is no number that it can be");
    return o->failed ? 0 : x;
}

bool object_flag(struct object *o, const char *key)
{
    const json_t *json = object_member(o, key);
    if (json && !json_is_boolean(json))
        object_wrong(o, key, "is neither true nor false");
    return !o->failed && json_is_true(json);
}

const char *object_text(struct object *o, const char *key)
{
    const json_t *json = object_member(o, key);
    if (json && !json_is_string(json))
        object_wrong(o, key, "is no text");
    return o->failed ? "" : json_string_value(json);
}

const json_t *object_list(struct object *o, const char *key)
{
    const json_t *json = object_member(o, key);
    if (json && !json_is_array(json))
        object_wrong(o, key, "is no list");
    return o->failed ? NULL : json;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void object_hex(struct object *o, const char *key, uint8_t *to, size_t n)
{
    const char *text = object_text(o, key);
    bool fine = strlen(text) == 2 * n;
    for (size_t i = 0; fine && i < n; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        fine = high >= 0 && low >= 0;
        to[i] = (uint8_t)(high * 16 + low);
    }
    if (!o->failed && !fine)
        object_wrong(o, key, "has the wrong number of hexadecimal digits, or others");
}
