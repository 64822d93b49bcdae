#include "policy_json.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "formats/json_memory.h"
#include "formats/table_cell.h"
#include "policy.h"
#include "small_file.h"

/* ---- the file ---- */

static const struct small_file policy_file = {.cannot = "cannot read the policy",
                                              .too_large = "is larger than any policy: 1 MiB at most",
                                              .most = (size_t)1 << 20,
                                              .standard_input = true};

json_t *json_text_read(const char *text, size_t n, const char *what, struct error *err)
{
    json_error_t why;
    char said[4 * 120 + 1];
    json_t *document = json_parse(text, n, &why);
    if (!document && json_memory_failed()) {
        error_no_memory(err, what);
    } else if (!document) {
        cell_text(said, why.text, 120);
        error_on_line(err, (uint64_t)(why.line > 0 ? why.line : 1), "is not JSON: %s", said);
    }
    return document;
}

json_t *policy_json_read(const char *path, struct error *err)
{
    struct buffer text = {0};
    int status = small_file_read(path, &policy_file, &text, err);
    json_t *policy = status == 0 ? json_text_read(text.at, text.n, "the policy", err) : NULL;
    buffer_free(&text);
    return policy;
}

/* ---- places ---- */

struct where where_below(const struct where *above, const char *key)
{
    struct where w;
    char safe[4 * 48 + 1];
    cell_text(safe, key, 48);
    snprintf(w.text, sizeof w.text, "%.90s%s%.60s", above->text, *above->text ? "." : "", safe);
    return w;
}

/* ---- kinds of values ---- */

int json_check_object(const json_t *value, const struct where *w, const char *const *keys, struct error *err)
{
    const char *key, *at = *w->text ? w->text : "the policy";
    char near[SUGGESTION_BYTES], all[240] = "";
    const json_t *member;
    if (!json_is_object(value))
        return error_set(err, ERROR_FORMAT, "%s: wants an object: { ... }", at);
    for (size_t i = 0, n = 0; keys && keys[i] && n < sizeof all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", keys[i]);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        struct where where = where_below(w, key);
        if (keys && name_index(keys, key, strlen(key)) < 0)
            return error_set(err, ERROR_FORMAT, "%s: there is no such key%s; there are %s", where.text,
                             suggestion(near, ", did you mean '", "'?", key, keys), all);
    }
    return 0;
}

int json_text_member(const json_t *object, const struct where *w, const char *key, const char *example,
                     const char **text, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    struct where where = where_below(w, key);
    *text = json_string_value(value);
    if (!value || *text)
        return 0;
    return error_set(err, ERROR_FORMAT, "%s: wants a text with its unit, for example \"%s\"", where.text,
                     example);
}

int json_number_member(const json_t *object, const struct where *w, const char *key, unsigned most,
                       unsigned *number, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    struct where where = where_below(w, key);
    json_int_t n = json_integer_value(value);
    if (!value)
        return 0;
    if (!json_is_integer(value) || n < 1 || n > (json_int_t)most)
        return error_set(err, ERROR_FORMAT, "%s: wants a whole number from 1 to %u", where.text, most);
    *number = (unsigned)n;
    return 0;
}

int json_length_member(const json_t *object, const struct where *w, const char *key, uint64_t *ns,
                       struct error *err)
{
    const char *text;
    struct where where = where_below(w, key);
    if (json_text_member(object, w, key, "10ms", &text, err) != 0)
        return -1;
    if (text && policy_length(text, strlen(text), ns) && *ns > 0)
        return 0;
    return error_set(err, ERROR_FORMAT, "%s: %s a length of time with its unit, for example \"10ms\"",
                     where.text, text ? "is not" : "is missing:");
}
