#include "blind.h"

/* Number of the oldest stretch that still has a place. */
static uint64_t oldest(const struct darkness *d)
{
    return d->n > DARK_STRETCHES ? d->n - DARK_STRETCHES : 0;
}

void darkness_init(struct darkness *d)
{
    d->n = 0;
    d->blind_pcpus = 0;
    d->forgotten = (struct dark_stretch){UINT64_MAX, 0};
}

bool darkness_begin(struct darkness *d, uint64_t from_ns)
{
    if (d->blind_pcpus++ > 0)
        return false;
    struct dark_stretch *last = d->n > 0 ? &d->ring[(d->n - 1) % DARK_STRETCHES] : NULL;
    if (last && last->to_ns == from_ns) { /* it goes on */
        last->to_ns = UINT64_MAX;
        return true;
    }
    struct dark_stretch *place = &d->ring[d->n % DARK_STRETCHES];
    if (d->n >= DARK_STRETCHES) {
        d->forgotten.from_ns = min64(d->forgotten.from_ns, place->from_ns);
        d->forgotten.to_ns = max64(d->forgotten.to_ns, place->to_ns);
    }
    *place = (struct dark_stretch){from_ns, UINT64_MAX};
    d->n++;
    return true;
}

bool darkness_end(struct darkness *d, uint64_t to_ns)
{
    if (--d->blind_pcpus > 0)
        return false;
    d->ring[(d->n - 1) % DARK_STRETCHES].to_ns = to_ns;
    return true;
}

/* Number of the first stretch that ends after ns; n: there is none. */
static uint64_t first_after(const struct darkness *d, uint64_t ns)
{
    uint64_t low = oldest(d), high = d->n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (d->ring[middle % DARK_STRETCHES].to_ns > ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void cover(struct dark_stretch *found, const struct dark_stretch *s, uint64_t from_ns, uint64_t to_ns)
{
    if (s->to_ns > from_ns && s->from_ns < to_ns) {
        found->from_ns = min64(found->from_ns, s->from_ns);
        found->to_ns = max64(found->to_ns, s->to_ns);
    }
}

bool darkness_between(const struct darkness *d, uint64_t from_ns, uint64_t to_ns, struct dark_stretch *found)
{
    *found = (struct dark_stretch){UINT64_MAX, 0};
    uint64_t first = first_after(d, from_ns), end = to_ns > 0 ? first_after(d, to_ns - 1) : first;
    cover(found, &d->forgotten, from_ns, to_ns);
    if (first < d->n)
        cover(found, &d->ring[first % DARK_STRETCHES], from_ns, to_ns);
    if (end > first) /* the last that ends before to, and the one that `to` lies in */
        cover(found, &d->ring[(end - 1) % DARK_STRETCHES], from_ns, to_ns);
    if (end < d->n)
        cover(found, &d->ring[end % DARK_STRETCHES], from_ns, to_ns);
    found->from_ns = max64(found->from_ns, from_ns);
    found->to_ns = min64(found->to_ns, to_ns);
    return found->from_ns < found->to_ns;
}

uint64_t darkness_earliest(const struct darkness *d, uint64_t after_ns)
{
    uint64_t first = first_after(d, after_ns);
    return first < d->n ? d->ring[first % DARK_STRETCHES].from_ns : UINT64_MAX;
}
