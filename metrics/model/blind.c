#include "blind.h"

void darkness_init(struct darkness *d)
{
    d->first = d->n = 0;
    d->blind_pcpus = 0;
    d->forgotten = (struct dark_stretch){UINT64_MAX, 0};
}

static void forget_first(struct darkness *d)
{
    const struct dark_stretch *s = darkness_stretch(d, d->first++);
    d->forgotten.from_ns = min64(d->forgotten.from_ns, s->from_ns);
    d->forgotten.to_ns = max64(d->forgotten.to_ns, s->to_ns);
}

bool darkness_begin(struct darkness *d, uint64_t from_ns)
{
    bool apart = true;
    d->blind_pcpus++;
    for (; d->n > d->first && darkness_stretch(d, d->n - 1)->to_ns >= from_ns; d->n--) {
        from_ns = min64(from_ns, darkness_stretch(d, d->n - 1)->from_ns);
        apart = false;
    }
    if (d->n - d->first == DARK_STRETCHES)
        forget_first(d);
    d->ring[d->n++ % DARK_STRETCHES] = (struct dark_stretch){from_ns, UINT64_MAX};
    return apart;
}

void darkness_end(struct darkness *d, uint64_t to_ns)
{
    if (--d->blind_pcpus == 0)
        d->ring[(d->n - 1) % DARK_STRETCHES].to_ns = to_ns;
}

uint64_t darkness_after(const struct darkness *d, uint64_t ns)
{
    uint64_t low = d->first, high = d->n;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (darkness_stretch(d, middle)->to_ns > ns)
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
    uint64_t first = darkness_after(d, from_ns);
    cover(found, &d->forgotten, from_ns, to_ns);
    if (first < d->n) {
        uint64_t last = darkness_after(d, max64(to_ns, from_ns));
        cover(found, darkness_stretch(d, first), from_ns, to_ns);
        if (last > first)
            cover(found, darkness_stretch(d, last - 1), from_ns, to_ns);
        if (last < d->n)
            cover(found, darkness_stretch(d, last), from_ns, to_ns);
    }
    found->from_ns = max64(found->from_ns, from_ns);
    found->to_ns = min64(found->to_ns, to_ns);
    return found->from_ns < found->to_ns;
}

uint64_t darkness_earliest(const struct darkness *d, uint64_t after_ns)
{
    uint64_t first = darkness_after(d, after_ns);
    return first < d->n ? darkness_stretch(d, first)->from_ns : UINT64_MAX;
}

void dark_clock_snapshot(struct dark_clock *c, struct snapshot *s)
{
    SNAPSHOT_SPAN(s, c->dark_ns);
    SNAPSHOT_TIME(s, c->since_ns);
    SNAPSHOT(s, c->blind, INT32_MAX);
    SNAPSHOT_FLAG(s, c->changed);
}
