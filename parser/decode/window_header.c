#include "window_header.h"

#include <string.h>

#include "parser/event.h"

#define WINDOW_MAX (1u << 30) /* a ring is at most 65535 pages */

bool window_header_plausible(const uint8_t *p, const uint8_t *end, bool prove)
{
    if (end - p < WINDOW_HEADER_LEN || load32(p) != WINDOW_HEADER)
        return false;
    uint32_t pcpu = load32(p + 4), bytes = load32(p + 8);
    if (pcpu >= PCPUS_MAX || bytes % 4 != 0 || bytes > WINDOW_MAX)
        return false;
    if (!prove)
        return true;
    p += WINDOW_HEADER_LEN;
    const uint8_t *window_end = (size_t)(end - p) > bytes ? p + bytes : end;
    for (int i = 0; i < WINDOW_PROOF_RECORDS && window_end - p >= 4; i++) {
        uint32_t h = load32(p);
        if (!event_possible(h) || h == WINDOW_HEADER)
            return false;
        p += record_bytes(h);
    }
    return true;
}

const uint8_t *window_header_within(const uint8_t *from, const uint8_t *to, const uint8_t *end)
{
    while (from < to && (from = memchr(from, WINDOW_HEADER & 0xff, (size_t)(to - from)))) {
        if (window_header_plausible(from, end, true))
            return from;
        from++;
    }
    return NULL;
}
