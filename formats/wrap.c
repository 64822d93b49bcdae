#include "formats/wrap.h"

#include <stdlib.h>

#include "formats/safe_text.h"
#include "formats/utf8.h"

#define ROOM_LEAST 16 /* columns that indented text has at least */

/* The bytes of the character, or of the sequence that switches colours, at `s`, and its columns. `s` ends with a NUL. */
static size_t step(const char *s, size_t *columns)
{
    if (s[0] == '\033' && s[1] == '[') {
        size_t n = 2 + strcspn(s + 2, "m\n");
        *columns = 0;
        return n + (s[n] == 'm');
    }
    size_t n = utf8_length(s);
    *columns = n ? safe_width(s, n) : 1;
    return n ? n : 1;
}

size_t text_width(const char *text, size_t n)
{
    size_t width = 0, columns;
    for (size_t at = 0; at < n; width += columns)
        at += step(text + at, &columns);
    return width;
}

/* The bytes of `line` (n in all, wider than `width`) that stay on this line: up to the last blank that fits. */
static size_t bytes_that_fit(const char *line, size_t n, size_t width)
{
    size_t fit = 0, at = 0, used = 0, columns;
    bool begun = false; /* there is more than blanks */
    while (at < n) {
        size_t bytes = step(line + at, &columns);
        if (line[at] == ' ' && begun)
            fit = at;
        begun = begun || line[at] != ' ';
        if (used + columns > width)
            break;
        used += columns;
        at += bytes;
    }
    return fit ? fit : at ? at : 1;
}

static void wrap_line(struct buffer *b, const char *line, size_t n, size_t width, size_t indent)
{
    size_t room = width;
    while (text_width(line, n) > room) {
        size_t fit = bytes_that_fit(line, n, room), end = fit;
        while (end > 0 && line[end - 1] == ' ')
            end--;
        buffer_add(b, line, end);
        for (line += fit, n -= fit; n && *line == ' '; line++, n--)
            ;
        if (!n)
            return;
        buffer_text(b, "\n");
        buffer_fill(b, ' ', indent);
        room = width - indent;
    }
    buffer_add(b, line, n);
}

void wrap_lines(struct buffer *b, size_t from, unsigned width, unsigned indent)
{
    if (!width || b->failed || b->n == from)
        return;
    char *text = strndup(b->at + from, b->n - from);
    if (!text) {
        b->failed = true;
        return;
    }
    b->n = from;
    if (indent + ROOM_LEAST > width)
        indent = 0;
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        wrap_line(b, line, n, width, indent);
        line += n;
        if (*line) {
            buffer_text(b, "\n");
            line++;
        }
    }
    free(text);
}
