#include "json_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_BYTES_MIN 24   /* no object in a document is shorter */
#define BRACES_MAX       4096 /* in names */

/* ---- writing ---- */

json_t *json_of_u64(uint64_t n)
{
    char text[24];
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(text, sizeof text, "%" PRIu64, n);
    return json_string(text);
}

static json_t *of_bytes(const char *text)
{
    if (!text)
        return json_null();
    json_t *string = json_string(text);
    if (string)
        return string;
    struct buffer hex = {0};
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        buffer_printf(&hex, "%02x", *c);
    json_t *object = hex.failed ? NULL : json_object();
    json_put(&object, "hex", json_stringn(hex.at, hex.n));
    buffer_free(&hex);
    return object;
}

static json_t *of_bits(const struct stored_field *f, uint64_t bits)
{
    double real;
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I32:
    case SCALAR_I64:
        return json_integer((json_int_t)bits);
    case SCALAR_U32:
    case SCALAR_U64:
        return json_of_u64(bits);
    case SCALAR_REAL:
        memcpy(&real, &bits, sizeof real);
        return json_real(real);
    case SCALAR_FLAG:
        return json_boolean(bits);
    case SCALAR_NAME:
        return json_string(f->names[bits]);
    }
    return NULL;
}

/* ---- reading ---- */

void json_wrong(struct json_reading *r, const char *key, const char *what)
{
    if (!r->wrong)
        error_set(r->err, ERROR_FORMAT, "damaged %s: \"%s\" %s", r->name, key, what);
    r->wrong = true;
}

/* Refuses documents of tiny objects: their tree in memory would be many times the document's size. */
static bool is_dense(const char *text, size_t n)
{
    size_t objects = 0;
    for (size_t i = 0; i < n; i++)
        objects += text[i] == '{';
    return objects > n / OBJECT_BYTES_MIN + BRACES_MAX;
}

json_t *json_document(struct json_reading *r, const char *text, size_t n, size_t most, const char *schema,
                      struct members *members)
{
    json_error_t why;
    if (n > most || is_dense(text, n)) {
        r->wrong = true;
        error_set(r->err, ERROR_FORMAT, "damaged %s: too large", r->name);
        return NULL;
    }
    json_t *document = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!document) {
        r->wrong = true;
        error_set_at(r->err, ERROR_FORMAT, why.position < 0 ? 0 : (uint64_t)why.position, "damaged %s: %s",
                     r->name, why.text);
        return NULL;
    }
    *members = members_of(r, "schema", document);
    const char *found = json_string_value(members_take(members, "schema"));
    if (!r->wrong && (!found || strcmp(found, schema) != 0))
        json_wrong(r, "schema", "is not what this version reads");
    return document;
}

struct members members_of(struct json_reading *r, const char *key, json_t *value)
{
    if (!json_is_object(value))
        json_wrong(r, key, "is no object");
    return (struct members){.reading = r, .object = value, .at = json_object_iter(value)};
}

bool members_has(const struct members *m, const char *key)
{
    return m->at && strcmp(json_object_iter_key(m->at), key) == 0;
}

json_t *members_look(struct members *m, const char *key)
{
    if (!members_has(m, key))
        return NULL;
    json_t *value = json_object_iter_value(m->at);
    m->at = json_object_iter_next(m->object, m->at);
    return value;
}

json_t *members_take(struct members *m, const char *key)
{
    json_t *value = members_look(m, key);
    if (!value)
        json_wrong(m->reading, key, "is not in its place");
    return value;
}

void members_end(struct members *m)
{
    if (m->reading && m->at)
        json_wrong(m->reading, json_object_iter_key(m->at), "is unknown or out of place");
    if (!m->reading && !m->key)
        json_append(&m->parent->object, m->object);
    else if (!m->reading)
        json_put(&m->parent->object, m->key, m->object);
}

uint64_t json_to_u64(struct json_reading *r, const char *key, const json_t *value, uint64_t most)
{
    const char *text = json_string_value(value);
    uint64_t n = 0;
    bool fine = false;
    if (text)
        fine = strlen(text) == fields_digits(text, text + strlen(text), &n) && n > INT64_MAX;
    else if (json_is_integer(value) && json_integer_value(value) >= 0) {
        fine = true;
        n = (uint64_t)json_integer_value(value);
    }
    if (fine && n <= most)
        return n;
    json_wrong(r, key, "is not a number, or out of range");
    return 0;
}

uint64_t members_take_u64(struct members *m, const char *key, uint64_t most)
{
    return json_to_u64(m->reading, key, members_take(m, key), most);
}

static uint64_t to_real(struct json_reading *r, const char *key, const json_t *value)
{
    double real = json_number_value(value); /* jansson accepts finite numbers only */
    uint64_t bits;
    if (!json_is_number(value) || real < 0)
        json_wrong(r, key, "is not a number, or negative");
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

static uint64_t to_bits(struct json_reading *r, const struct stored_field *f, const json_t *value)
{
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I64:
        if (!json_is_integer(value))
            json_wrong(r, f->key, "is not a whole number");
        return (uint64_t)json_integer_value(value);
    case SCALAR_REAL:
        return to_real(r, f->key, value);
    case SCALAR_FLAG:
        if (!json_is_boolean(value))
            json_wrong(r, f->key, "is neither true nor false");
        return json_is_true(value);
    case SCALAR_NAME:
        for (uint64_t i = 0; i <= f->most; i++)
            if (f->names[i] && json_is_string(value) && strcmp(f->names[i], json_string_value(value)) == 0)
                return i;
        json_wrong(r, f->key, "is unknown");
        return 0;
    default:
        return json_to_u64(r, f->key, value, f->most);
    }
}

const char *members_take_text(struct members *m, const char *key)
{
    const char *text = json_string_value(members_take(m, key));
    if (!text)
        json_wrong(m->reading, key, "is no text");
    return text ? text : "";
}

json_t *members_take_array(struct members *m, const char *key, size_t most, size_t *n)
{
    json_t *array = members_take(m, key);
    *n = json_array_size(array);
    if (json_is_array(array) && *n <= most)
        return array;
    json_wrong(m->reading, key, "is no array, or has too many elements");
    *n = 0;
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *hex, uint8_t *byte)
{
    int high = hex_digit(hex[0]), low = high < 0 ? -1 : hex_digit(hex[1]);
    *byte = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    return low >= 0;
}

static const char *of_hex(struct json_reading *r, const char *key, const char *hex)
{
    char *text = r->texts;
    for (; *hex; hex += 2) {
        uint8_t byte;
        if (!read_hex(hex, &byte) || byte == 0) {
            json_wrong(r, key, "is not made of hexadecimal digits");
            return NULL;
        }
        *r->texts++ = (char)byte;
    }
    *r->texts++ = '\0';
    return text;
}

void members_take_hex(struct members *m, const char *key, uint8_t *to, size_t n)
{
    const char *text = members_take_text(m, key);
    bool fine = strlen(text) == 2 * n;
    for (size_t i = 0; fine && i < n; i++)
        fine = read_hex(text + 2 * i, &to[i]);
    if (!fine)
        json_wrong(m->reading, key, "has the wrong number of hexadecimal digits, or others");
}

/* Copies a text with a NUL to r->texts. NULL for null, and on error. */
static const char *to_bytes(struct json_reading *r, const char *key, const json_t *value)
{
    const char *hex = json_string_value(json_object_get(value, "hex"));
    if (hex && json_object_size(value) == 1)
        return of_hex(r, key, hex);
    const char *text = json_string_value(value);
    if (!text) {
        if (!json_is_null(value))
            json_wrong(r, key, "is no text");
        return NULL;
    }
    size_t n = json_string_length(value) + 1;
    char *copy = memcpy(r->texts, text, n); /* jansson refuses a NUL */
    r->texts += n;
    return copy;
}

/* ---- both directions ---- */

bool members_failed(const struct members *m)
{
    return m->reading && m->reading->wrong;
}

void members_wrong(struct members *m, const char *key, const char *what)
{
    if (m->reading)
        json_wrong(m->reading, key, what);
}

static void put_field(json_t **object, const struct stored_field *f, const void *of)
{
    uint64_t bits = scalar_bits(&f->scalar, of);
    if (!scalar_is_absent(&f->scalar, bits))
        json_put(object, f->key, of_bits(f, bits));
}

static void take_field(struct members *m, const struct stored_field *f, void *of)
{
    const json_t *value = f->scalar.always ? members_take(m, f->key) : members_look(m, f->key);
    scalar_set_bits(&f->scalar, of, value ? to_bits(m->reading, f, value) : f->scalar.absent);
}

void members_fields(struct members *m, const struct stored_field *fields, void *of)
{
    for (const struct stored_field *f = fields; f->key; f++)
        if (m->reading)
            take_field(m, f, of);
        else
            put_field(&m->object, f, of);
}

void members_number(struct members *m, const char *key, uint64_t *n, uint64_t most)
{
    if (m->reading)
        *n = members_take_u64(m, key, most);
    else
        json_put(&m->object, key, json_of_u64(*n));
}

void members_text(struct members *m, const char *key, const char **text)
{
    if (m->reading)
        *text = to_bytes(m->reading, key, members_take(m, key));
    else
        json_put(&m->object, key, of_bytes(*text));
}

struct members members_object(struct members *of, const char *key)
{
    if (of->reading)
        return members_of(of->reading, key, members_take(of, key));
    return (struct members){.object = json_object(), .parent = of, .key = key};
}

struct members members_list(struct members *of, const char *key, size_t most, size_t *n)
{
    json_t *array = of->reading ? members_take_array(of, key, most, n) : json_array();
    return (struct members){.reading = of->reading, .object = array, .parent = of, .key = key};
}

struct members members_element(struct members *list, size_t i)
{
    if (list->reading)
        return members_of(list->reading, list->key, json_array_get(list->object, i));
    return (struct members){.object = json_object(), .parent = list};
}
