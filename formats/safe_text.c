#include "formats/safe_text.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "formats/utf8.h"

/* What is not safe: C0 and C1, soft hyphen, directions, what is invisible, line and paragraph separators, tags. */
static const struct {
    uint32_t from, to;
} unsafe[] = {{0, 0x1f},        {0x7f, 0x9f},       {0xad, 0xad},         {0x61c, 0x61c},   {0x180e, 0x180e},
              {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},     {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
              {0xe000, 0xf8ff}, {0xe0000, 0xe0fff}, {0xf0000, UINT32_MAX}};

/* The number of a character of n bytes. */
static uint32_t code_of(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    uint32_t code = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++)
        code = code << 6 | (u[i] & 0x3f);
    return code;
}

size_t safe_length(const char *s)
{
    if (*s >= ' ' && *s <= '~') /* as most are */
        return 1;
    size_t n = utf8_length(s);
    uint32_t code = n ? code_of(s, n) : 0;
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        if (code >= unsafe[i].from && code <= unsafe[i].to)
            return 0;
    return n;
}

static locale_t utf8_locale; /* 0: the C library has none */

static void make_locale(void)
{
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

unsigned safe_width(const char *s, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (n == 1)
        return 1;
    pthread_once(&once, make_locale);
    if (!utf8_locale)
        return 1;
    locale_t before = uselocale(utf8_locale);
    int width = wcwidth((wchar_t)code_of(s, n));
    uselocale(before);
    return width < 0 ? 1 : (unsigned)width;
}

char *safe_text(char *to, size_t size, const char *s)
{
    size_t at = 0;
    while (*s) {
        size_t n = safe_length(s), bytes = n ? n : 1;
        if (at + bytes >= size)
            break;
        memcpy(to + at, n ? s : "?", bytes);
        at += bytes;
        s += n ? n : utf8_length(s) ? utf8_length(s) : 1;
    }
    to[at] = '\0';
    return to;
}
