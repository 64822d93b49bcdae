#include "formats/utf8.h"

size_t utf8_length(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    /* The second byte's range leaves out overlong forms, surrogates and what is beyond U+10FFFF. */
    unsigned char low = 0x80, high = 0xbf;
    size_t n;
    if (u[0] < 0x80)
        return 1;
    if (u[0] >= 0xc2 && u[0] <= 0xdf) {
        n = 2;
    } else if (u[0] >= 0xe0 && u[0] <= 0xef) {
        n = 3;
        low = u[0] == 0xe0 ? 0xa0 : 0x80;
        high = u[0] == 0xed ? 0x9f : 0xbf;
    } else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
        n = 4;
        low = u[0] == 0xf0 ? 0x90 : 0x80;
        high = u[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
        if (u[i] < low || u[i] > high)
            return 0;
    return n;
}
