#include "formats/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "formats/utf8.h"

json_t *json_of_text(const char *s)
{
    if (!s)
        return json_null();
    json_t *string = json_string(s);
    if (string)
        return string;
    struct buffer clean = {0};
    while (*s) {
        size_t n = utf8_length(s);
        if (n)
            buffer_add(&clean, s, n);
        else
            buffer_text(&clean, "\xef\xbf\xbd");
        s += n ? n : 1;
    }
    if (!clean.failed)
        string = json_stringn(clean.at, clean.n);
    buffer_free(&clean);
    return string;
}

static bool is_plain(const char *s)
{
    while (*s >= ' ' && *s < 0x7f && *s != '"' && *s != '\\')
        s++;
    return !*s;
}

void json_add_text(struct buffer *b, const char *s)
{
    if (s && is_plain(s)) { /* nearly always, and in every execution */
        buffer_add(b, "\"", 1);
        buffer_text(b, s);
        buffer_add(b, "\"", 1);
        return;
    }
    json_t *string = json_of_text(s);
    char *escaped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    if (escaped)
        buffer_text(b, escaped);
    else
        b->failed = true;
    free(escaped);
    json_decref(string);
}

void json_add_member(struct buffer *b, const struct column *column, const struct row_view *view, bool first)
{
    buffer_text(b, first ? "\"" : ",\"");
    buffer_text(b, column->name);
    buffer_add(b, "\":", 2);
    writer_add_value(b, column, column_value(column, view), "null", json_add_text);
}

void json_add_row(struct buffer *b, const struct shown *shown, const struct row_view *view, uint16_t but)
{
    bool first = true;
    buffer_add(b, "{", 1);
    for (size_t c = 0; c < shown->n; c++)
        if (!(shown->columns[c]->flags & but)) {
            json_add_member(b, shown->columns[c], view, first);
            first = false;
        }
    buffer_add(b, "}", 1);
}
