#include "formats/csv_text.h"

#include <stdbool.h>
#include <string.h>

#include "formats/safe_text.h"

void csv_add_quoted(struct buffer *b, const char *s)
{
    if (!s[strcspn(s, ",\"\r\n")]) {
        buffer_text(b, s);
        return;
    }
    buffer_text(b, "\"");
    for (;;) {
        size_t n = strcspn(s, "\"");
        buffer_add(b, s, n);
        if (!s[n])
            break;
        buffer_text(b, "\"\"");
        s += n + 1;
    }
    buffer_text(b, "\"");
}

void csv_add_escaped(struct buffer *b, const char *s)
{
    for (size_t n; n = strcspn(s, "\t\n\r\\"), buffer_add(b, s, n), s[n]; s += n + 1)
        buffer_text(b, s[n] == '\t' ? "\\t" : s[n] == '\n' ? "\\n" : s[n] == '\r' ? "\\r" : "\\\\");
}

const char *csv_guarded(char to[CSV_GUARDED_BYTES], const char *s)
{
    bool is_formula = *s && strchr("=+-@", *s);
    *to = '\'';
    safe_text(to + is_formula, CSV_GUARDED_BYTES - is_formula, s);
    return to;
}
