#include "archive/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_memory.h"
#include "formats/json_text.h"

#define OBJECT_BYTES_MIN 22   /* no object in a document is shorter, with its comma */
#define BRACES_MAX       4096 /* in names */
#define EVENT_BYTES      11   /* "0x0001f003" and the NUL */
#define EVENT_MOST       0x0fffffff

/* A document being read: its first error fills `err`; later errors are ignored. */
struct document_reading {
    const char *name;
    struct error *err;
    bool wrong;
    char *texts; /* the next one goes here: all of a document take less room than the document */
};

bool members_failed(const struct members *m)
{
    return m->reading && m->reading->wrong;
}

void members_wrong(struct members *m, const char *key, const char *what)
{
    struct document_reading *r = m->reading;
    if (r && !r->wrong)
        error_set(r->err, ERROR_FORMAT, "damaged %s: \"%s\" %s", r->name, key, what);
    if (r)
        r->wrong = true;
}

size_t members_no_memory(struct members *m)
{
    struct document_reading *r = m->reading;
    if (!r) {
        json_decref(m->object);
        m->object = NULL;
    } else if (!r->wrong) {
        error_no_memory(r->err, r->name);
        r->wrong = true;
    }
    return 0;
}

/* ---- values to JSON ---- */

static json_t *of_u64(uint64_t n)
{
    char text[24];
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(text, sizeof text, "%" PRIu64, n);
    return json_string(text);
}

static json_t *of_bytes(const uint8_t *bytes, size_t n)
{
    struct buffer hex = {0};
    for (size_t i = 0; i < n; i++)
        buffer_printf(&hex, "%02x", bytes[i]);
    json_t *value = hex.failed ? NULL : json_stringn(hex.at, hex.n);
    buffer_free(&hex);
    return value;
}

/* A string; {"hex":"..."} where it is not UTF-8; null for NULL. */
static json_t *of_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    json_t *object = json_object();
    json_put(&object, "hex", of_bytes((const uint8_t *)text, strlen(text)));
    return object;
}

static json_t *of_scalar(const struct stored_field *f, uint64_t bits)
{
    double real;
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I32:
    case SCALAR_I64:
        return json_integer((json_int_t)bits);
    case SCALAR_U32:
    case SCALAR_U64:
        return of_u64(bits);
    case SCALAR_REAL:
        memcpy(&real, &bits, sizeof real);
        return json_real(real);
    case SCALAR_FLAG:
        return json_boolean(bits);
    case SCALAR_NAME: /* not in documents */
        break;
    }
    return NULL;
}

static json_t *of_field(const struct stored_field *f, const void *at)
{
    char event[EVENT_BYTES];
    switch ((enum stored_form)f->form) {
    case STORED_TEXT:
        return of_text(*(const char *const *)at);
    case STORED_WORD:
        return json_string(at);
    case STORED_BYTES:
        return of_bytes(at, f->most);
    case STORED_EVENT:
        snprintf(event, sizeof event, "0x%08" PRIx32, *(const uint32_t *)at);
        return json_string(event);
    case STORED_U16:
        return json_integer(*(const uint16_t *)at);
    case STORED_SCALAR:
        break;
    }
    return NULL;
}

static void put_field(struct members *m, const struct stored_field *f, const void *of)
{
    if (f->form != STORED_SCALAR) {
        json_put(&m->object, f->key, of_field(f, (const char *)of + f->scalar.offset));
        return;
    }
    uint64_t bits = scalar_bits(&f->scalar, of);
    if (!scalar_is_absent(&f->scalar, bits))
        json_put(&m->object, f->key, of_scalar(f, bits));
}

/* ---- values from JSON ---- */

/* The next member's value if it has this key; else NULL, which is wrong if it is `wanted`. */
static json_t *take(struct members *m, const char *key, bool wanted)
{
    if (!members_has(m, key, false)) {
        if (wanted)
            members_wrong(m, key, "is not in its place");
        return NULL;
    }
    json_t *value = json_object_iter_value(m->at);
    m->at = json_object_iter_next(m->object, m->at);
    return value;
}

static uint64_t to_u64(struct members *m, const char *key, const json_t *value, uint64_t most)
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
    members_wrong(m, key, "is not a number, or out of range");
    return 0;
}

static uint64_t to_real(struct members *m, const struct stored_field *f, const json_t *value)
{
    double real = json_number_value(value); /* jansson accepts finite numbers only */
    uint64_t bits;
    if (!json_is_number(value) || real < 0)
        members_wrong(m, f->key, "is not a number, or negative");
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

static uint64_t to_scalar(struct members *m, const struct stored_field *f, const json_t *value)
{
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I64:
        if (!json_is_integer(value))
            members_wrong(m, f->key, "is not a whole number");
        return (uint64_t)json_integer_value(value);
    case SCALAR_REAL:
        return to_real(m, f, value);
    case SCALAR_FLAG:
        if (!json_is_boolean(value))
            members_wrong(m, f->key, "is neither true nor false");
        return json_is_true(value);
    default:
        return to_u64(m, f->key, value, f->most);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads 2 * n hexadecimal digits, and the NUL after them. */
static bool to_bytes(const char *hex, uint8_t *bytes, size_t n)
{
    if (strlen(hex) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Copies a text with a NUL to the reading's texts. NULL for null, and on error. */
static const char *to_text(struct members *m, const struct stored_field *f, const json_t *value)
{
    const char *hex = json_string_value(json_object_get(value, "hex")), *text = json_string_value(value);
    char *copy = m->reading->texts;
    size_t n = hex ? strlen(hex) / 2 : text ? strlen(text) : 0; /* jansson refuses a NUL */
    if (hex ? json_object_size(value) != 1 || !to_bytes(hex, (uint8_t *)copy, n) || memchr(copy, 0, n)
            : !text && !json_is_null(value))
        members_wrong(m, f->key, "is no text");
    if (m->reading->wrong || (!hex && !text))
        return NULL;
    if (text)
        memcpy(copy, text, n);
    copy[n] = '\0';
    m->reading->texts += n + 1;
    return copy;
}

static void to_field(struct members *m, const struct stored_field *f, void *at, const json_t *value)
{
    const char *text = json_string_value(value);
    if (f->form == STORED_TEXT) {
        *(const char **)at = to_text(m, f, value);
    } else if (f->form == STORED_WORD) {
        if (!text || strlen(text) >= f->most)
            members_wrong(m, f->key, "is no text, or too long");
        snprintf(at, f->most, "%s", text ? text : "");
    } else if (f->form == STORED_BYTES) {
        if (!text || !to_bytes(text, at, f->most))
            members_wrong(m, f->key, "has the wrong number of hexadecimal digits, or others");
    } else if (f->form == STORED_U16) {
        *(uint16_t *)at = (uint16_t)to_u64(m, f->key, value, f->most);
    } else {
        uint8_t bytes[4] = {0};
        bool fine = text && strncmp(text, "0x", 2) == 0 && to_bytes(text + 2, bytes, sizeof bytes);
        uint32_t event =
            (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
        if (!fine || event > EVENT_MOST)
            members_wrong(m, f->key, "is no event number");
        *(uint32_t *)at = event;
    }
}

static void take_field(struct members *m, const struct stored_field *f, void *of)
{
    const json_t *value = take(m, f->key, f->scalar.always);
    if (f->form != STORED_SCALAR)
        to_field(m, f, (char *)of + f->scalar.offset, value);
    else
        scalar_set_bits(&f->scalar, of, value ? to_scalar(m, f, value) : f->scalar.absent);
}

/* ---- both directions ---- */

bool members_has(const struct members *m, const char *key, bool there)
{
    return m->reading ? m->at && strcmp(json_object_iter_key(m->at), key) == 0 : there;
}

void members_fields(struct members *m, const struct stored_field *fields, void *of)
{
    for (const struct stored_field *f = fields; f->key; f++)
        if (m->reading)
            take_field(m, f, of);
        else
            put_field(m, f, of);
}

/* The members of an object that is read, `value`, or written. */
static struct members begin(const struct members *m, const char *key, json_t *value)
{
    struct members to = {.reading = m->reading, .object = m->reading ? value : json_object()};
    if (m->reading && !json_is_object(value))
        members_wrong(&to, key, "is no object");
    to.at = m->reading ? json_object_iter(value) : NULL;
    return to;
}

/* Nothing follows in an object that is read. */
static void end(struct members *m)
{
    if (m->reading && m->at)
        members_wrong(m, json_object_iter_key(m->at), "is unknown or out of place");
}

struct members members_object(struct members *m, const char *key)
{
    return begin(m, key, m->reading ? take(m, key, true) : NULL);
}

void members_end(struct members *m, struct members *of, const char *key)
{
    end(m);
    if (!m->reading)
        json_put(&of->object, key, m->object);
}

/* The array that is the next member, and how many it has: at most `most`. */
static json_t *take_array(struct members *m, const char *key, size_t *n, size_t most)
{
    json_t *array = take(m, key, true);
    *n = json_array_size(array);
    if (!json_is_array(array) || *n > most) {
        members_wrong(m, key, "is no list, or has too many elements");
        *n = 0;
    }
    return array;
}

void members_list(struct members *m, const char *key, const struct stored_field *fields,
                  struct stored_list *list)
{
    json_t *array = m->reading ? take_array(m, key, &list->n, list->most) : json_array();
    if (m->reading && !list->at && !(list->at = calloc(list->n + 1, list->size)))
        list->n = members_no_memory(m);
    for (size_t i = 0; i < list->n && !members_failed(m); i++) {
        struct members one = begin(m, key, json_array_get(array, i));
        members_fields(&one, fields, (char *)list->at + i * list->size);
        end(&one);
        if (!m->reading)
            json_append(&array, one.object);
    }
    if (!m->reading)
        json_put(&m->object, key, array);
}

void members_numbers(struct members *m, const char *key, uint64_t *to, size_t *n, size_t room, uint64_t most)
{
    json_t *array = m->reading ? take_array(m, key, n, room) : json_array();
    for (size_t i = 0; i < *n; i++)
        if (m->reading)
            to[i] = to_u64(m, key, json_array_get(array, i), most);
        else
            json_append(&array, of_u64(to[i]));
    if (!m->reading)
        json_put(&m->object, key, array);
}

void members_named(struct members *m, const char *key, const char *const *names, size_t n,
                   enum scalar_type type, void *values)
{
    struct members one = members_object(m, key);
    for (size_t i = 0; i < n; i++) {
        const struct stored_field fields[] = {
            {.scalar = {.type = (uint8_t)type, .always = true}, .key = names[i], .most = UINT64_MAX},
            FIELDS_END};
        members_fields(&one, fields, (uint64_t *)values + i);
    }
    members_end(&one, m, key);
}

void members_bits(struct members *m, const char *key, unsigned *bits, const char *const *names)
{
    size_t n = 0, bit = 0;
    json_t *array = m->reading ? take_array(m, key, &n, 32) : json_array();
    for (; names[bit] && !m->reading; bit++)
        if (*bits & 1u << bit)
            json_append(&array, json_string(names[bit]));
    for (size_t i = 0; i < n; i++, bit++) {
        const char *name = json_string_value(json_array_get(array, i));
        while (name && names[bit] && strcmp(names[bit], name) != 0)
            bit++;
        if (!name || !names[bit]) {
            members_wrong(m, key, "has a name that is unknown or out of place");
            return;
        }
        *bits |= 1u << bit;
    }
    if (!m->reading)
        json_put(&m->object, key, array);
}

/* ---- documents ---- */

void document_put(struct buffer *b, const struct document *d, const void *what)
{
    json_memory_begin();
    struct members m = {.object = json_object()};
    json_put(&m.object, "schema", json_string(d->schema));
    d->members(&m, (void *)(uintptr_t)what); /* writing changes nothing */
    char *text = m.object ? json_dumps(m.object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    buffer_text(b, text ? text : "");
    buffer_text(b, "\n");
    b->failed = b->failed || !text || json_memory_failed(); /* text may lack something then */
    free(text);
    json_decref(m.object);
}

/* Refuses documents of tiny objects: their tree in memory would be many times the document's size. */
static bool is_dense(const char *text, size_t n)
{
    size_t objects = 0;
    for (size_t i = 0; i < n; i++)
        objects += text[i] == '{';
    return objects > n / OBJECT_BYTES_MIN + BRACES_MAX;
}

json_t *document_parse(const struct document *d, const char *text, size_t n, struct error *err)
{
    json_error_t why;
    if (n > d->most || is_dense(text, n)) {
        error_set(err, ERROR_FORMAT, "damaged %s: too large", d->name);
        return NULL;
    }
    json_t *document = json_parse(text, n, &why);
    if (!document && json_memory_failed()) {
        error_no_memory(err, d->name);
        return NULL;
    }
    if (!document) {
        error_set_at(err, ERROR_FORMAT, why.position < 0 ? 0 : (uint64_t)why.position, "damaged %s: %s",
                     d->name, why.text);
        return NULL;
    }
    const char *schema = json_string_value(json_object_iter_value(json_object_iter(document)));
    if (schema && strcmp(schema, d->schema) == 0 &&
        strcmp(json_object_iter_key(json_object_iter(document)), "schema") == 0)
        return document;
    error_set(err, ERROR_FORMAT, "damaged %s: \"schema\" is not what this version reads, or not in its place",
              d->name);
    json_decref(document);
    return NULL;
}

int document_read(const struct document *d, const char *text, size_t n, void *what, char **texts,
                  struct error *err)
{
    struct document_reading r = {.name = d->name, .err = err};
    struct members m = {.reading = &r};
    if (texts)
        *texts = NULL;
    json_t *document = document_parse(d, text, n, err);
    if (!document)
        return -1;
    m = begin(&m, "schema", document);
    take(&m, "schema", true);
    if (texts && !(r.texts = *texts = malloc(n + 1)))
        members_no_memory(&m);
    else
        d->members(&m, what);
    end(&m);
    json_decref(document);
    return r.wrong ? -1 : 0;
}
