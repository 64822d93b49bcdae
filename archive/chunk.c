#include "archive/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"

/* Header and padding. */
#define AROUND (2 * TAR_BLOCK)

size_t chunk_bytes_of(int level)
{
    return level <= 6 ? 4u << 20 : level <= 17 ? 8u << 20 : 16u << 20;
}

bool chunk_add(struct chunk *c, const uint8_t *bytes, size_t n)
{
    if (!c->content || c->capacity - c->n < n) {
        size_t capacity = c->capacity ? c->capacity * 2 : c->wanted + (c->wanted >> 2);
        while (capacity - c->n < n)
            capacity *= 2;
        uint8_t *larger = realloc(c->content, AROUND + capacity);
        if (!larger)
            return false;
        c->content = larger;
        c->capacity = capacity;
    }
    memcpy(c->content + TAR_BLOCK + c->n, bytes, n);
    c->n += n;
    return true;
}

uint8_t *chunk_take(struct chunk *c, size_t n)
{
    uint8_t *content = c->content, *next = malloc(AROUND + c->capacity);
    if (!next)
        return NULL;
    c->content = next;
    c->n -= n;
    memcpy(next + TAR_BLOCK, content + TAR_BLOCK + n, c->n);
    memset(content + TAR_BLOCK + n, 0, tar_bytes(n) - TAR_BLOCK - n);
    return content;
}

void chunk_free(struct chunk *c)
{
    free(c->content);
    *c = (struct chunk){0};
}
