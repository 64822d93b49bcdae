#include "blind.h"

#include "metrics/min_max.h"

/* Number of the oldest window that still has a place. */
static uint64_t oldest(const struct blind_windows *b)
{
    return b->n > BLIND_WINDOWS ? b->n - BLIND_WINDOWS : 0;
}

void blind_init(struct blind_windows *b)
{
    b->n = 0;
    b->forgotten = (struct blind_window){UINT64_MAX, 0};
}

uint64_t blind_begin(struct blind_windows *b, uint64_t from_ns)
{
    struct blind_window *place = &b->ring[b->n % BLIND_WINDOWS];
    if (b->n >= BLIND_WINDOWS) {
        b->forgotten.from_ns = min64(b->forgotten.from_ns, place->from_ns);
        b->forgotten.to_ns = max64(b->forgotten.to_ns, place->to_ns);
    }
    *place = (struct blind_window){from_ns, UINT64_MAX};
    return b->n++;
}

uint64_t blind_end(struct blind_windows *b, uint64_t number, uint64_t to_ns)
{
    if (number >= b->n || number < oldest(b))
        return 0;
    struct blind_window *w = &b->ring[number % BLIND_WINDOWS];
    w->to_ns = to_ns;
    return to_ns - w->from_ns;
}

static void cover(struct blind_window *found, const struct blind_window *w, uint64_t from_ns, uint64_t to_ns)
{
    if (w->to_ns > from_ns && w->from_ns < to_ns) {
        found->from_ns = min64(found->from_ns, w->from_ns);
        found->to_ns = max64(found->to_ns, w->to_ns);
    }
}

bool blind_between(const struct blind_windows *b, uint64_t from_ns, uint64_t to_ns,
                   struct blind_window *found)
{
    *found = (struct blind_window){UINT64_MAX, 0};
    for (uint64_t i = b->n; i-- > oldest(b);)
        cover(found, &b->ring[i % BLIND_WINDOWS], from_ns, to_ns);
    cover(found, &b->forgotten, from_ns, to_ns);
    found->from_ns = max64(found->from_ns, from_ns);
    found->to_ns = min64(found->to_ns, to_ns);
    return found->from_ns < found->to_ns;
}

uint64_t blind_earliest(const struct blind_windows *b, uint64_t after_ns)
{
    uint64_t earliest = UINT64_MAX;
    for (uint64_t i = b->n; i-- > oldest(b);) {
        const struct blind_window *w = &b->ring[i % BLIND_WINDOWS];
        if (w->to_ns > after_ns)
            earliest = min64(earliest, w->from_ns);
    }
    return earliest;
}
