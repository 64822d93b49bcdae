#include "formats/json_clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/utf8.h"
#include "metrics/min_max.h"

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */
#define ESCAPE   6              /* bytes of \uXXXX */

/* The number of the escape \uXXXX that the text begins with; UINT32_MAX: it is none. */
static uint32_t escaped(const char *text, size_t n)
{
    char digits[5] = "", *end;
    if (n < ESCAPE || text[0] != '\\' || text[1] != 'u')
        return UINT32_MAX;
    memcpy(digits, text + 2, 4);
    unsigned long number = strtoul(digits, &end, 16);
    return end == digits + 4 && strspn(digits, "0123456789abcdefABCDEF") == 4 ? (uint32_t)number : UINT32_MAX;
}

/* Adds the escape that the text begins with. Returns its bytes. */
static size_t add_escape(struct buffer *to, const char *text, size_t n)
{
    uint32_t first = escaped(text, n);
    uint32_t second =
        first != UINT32_MAX && n >= 2 * ESCAPE ? escaped(text + ESCAPE, n - ESCAPE) : UINT32_MAX;
    bool high = first >= 0xd800 && first < 0xdc00, low = first >= 0xdc00 && first < 0xe000;
    bool pair = high && second >= 0xdc00 && second < 0xe000;
    size_t bytes = first == UINT32_MAX ? min64(n, 2) : pair ? 2 * ESCAPE : ESCAPE;
    if (first == 0 || low || (high && !pair))
        buffer_text(to, REPLACED);
    else
        buffer_add(to, text, bytes);
    return bytes;
}

/* Adds the character that the text begins with. Returns its bytes. */
static size_t add_character(struct buffer *to, const char *text, size_t n)
{
    char few[5] = "";
    memcpy(few, text, min64(n, 4));
    size_t bytes = utf8_length(few);
    if (bytes == 0 || (unsigned char)*text < ' ')
        buffer_text(to, REPLACED);
    else
        buffer_add(to, text, bytes);
    return bytes ? bytes : 1;
}

void json_clean(struct buffer *to, const char *text, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n;) {
        if (quoted && text[i] == '\\') {
            i += add_escape(to, text + i, n - i);
        } else if (quoted && text[i] != '"') {
            i += add_character(to, text + i, n - i);
        } else {
            quoted = quoted != (text[i] == '"');
            buffer_add(to, text + i++, 1);
        }
    }
}
