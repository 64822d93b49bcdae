#include <stdlib.h>
#include <string.h>

#include "weight_sums.h"

const unsigned kinds_of_layer[LAYERS] = {[LAYER_SENT] = KIND_BIT(IO_TX),
                                         [LAYER_RECEIVED] = KIND_BIT(IO_RX),
                                         [LAYER_DISK] = KIND_BIT(IO_READ) | KIND_BIT(IO_WRITE),
                                         [LAYER_ANY] = KIND_BIT(IO_KINDS) - 1,
                                         [LAYER_ALL] = KIND_BIT(IO_KINDS) - 1};

/* What threads do, by the name of the device that counts their time; others do anything. */
static const struct {
    const char *device;
    enum layer layer;
} works[] = {{"guest-rx", LAYER_SENT},
             {"dealloc", LAYER_RECEIVED},
             {"napi", LAYER_RECEIVED},
             {"blkback", LAYER_DISK},
             {"tapdisk", LAYER_DISK}};

/* ---- begin and end ---- */

static bool is_counted(const struct counters *c)
{
    for (size_t d = 0; c && d < c->devices_n; d++)
        if (counter_device_has_events(&c->devices[d]))
            return true;
    return false;
}

static unsigned kinds_of(const struct charge_options *options, unsigned methods)
{
    unsigned kinds = 0;
    if (charge_methods_are_automatic(methods))
        methods = is_counted(options->counters) ? CHARGE_PACKETS : ~(unsigned)CHARGE_PACKETS;
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        kinds |= methods & charge_method_of_kind[kind] ? KIND_BIT(kind) : 0;
    return kinds;
}

struct weight_fit *weight_fit_new(const struct charge_options *options, unsigned methods,
                                  const uint8_t *guests)
{
    struct weight_fit *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->options = options;
    f->guests = guests;
    f->kinds = kinds_of(options, methods);
    f->block_length = 1;
    return f;
}

void weight_fit_free(struct weight_fit *f)
{
    free(f);
}

bool weight_fit_is_possible(const struct charge_options *options)
{
    const struct counters *c = options->counters;
    for (size_t d = 0; c && d < c->devices_n; d++)
        if (c->devices[d].counts[COUNTER_CPU])
            return true;
    return options->dom0_trace != NULL;
}

/* ---- equations ---- */

/* An interval, as guests of a driver domain are looked at in it. */
struct moment {
    const struct clock *clock;
    uint64_t from_ns, to_ns;
    uint16_t idd;
    bool recorded; /* by the driver domain's kernel: there is no time of threads */
};

void weight_sums_merge(struct weight_sums *into, const struct weight_sums *from, double times)
{
    for (int layer = 0; layer < LAYERS; layer++)
        least_squares_merge(&into->layers[layer], &from->layers[layer], times);
    for (int kind = 0; kind < IO_KINDS; kind++)
        into->events[kind] += times * from->events[kind];
}

/* Blocks become twice as long, and half as many. */
static void join_blocks(struct weight_fit *f)
{
    for (unsigned b = 0; b < FIT_BLOCKS; b++) {
        struct weight_sums block = f->blocks[b];
        f->blocks[b] = (struct weight_sums){0};
        weight_sums_merge(&f->blocks[b / 2], &block, 1);
    }
    f->block_length *= 2;
}

static enum layer layer_of(const struct weight_fit *f, const char *device)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(works[i].device, device) == 0 && kinds_of_layer[works[i].layer] & f->kinds)
            return works[i].layer;
    return LAYER_ANY;
}

/* Whether the device counted anything in the moment. */
static bool counted(const struct counters *c, const struct moment *m, uint32_t device)
{
    for (unsigned kind = 0; kind < COUNTER_COUNTS; kind++)
        if (c->devices[device].counts[kind] &&
            counters_between(c, device, kind, m->from_ns, m->to_ns, m->clock) > 0)
            return true;
    return false;
}

/* Whether the readings of each of the guest's devices cover the moment, or have nothing of it. */
static bool is_covered(const struct weight_fit *f, const struct moment *m, uint16_t guest)
{
    const struct counters *c = f->options->counters;
    for (uint32_t d = counters_first(c, guest); d != NO_DEVICE; d = c->next[d])
        if (c->devices[d].idd == m->idd && !counters_cover(c, d, m->from_ns, m->to_ns, m->clock) &&
            counted(c, m, d))
            return false;
    return true;
}

/* Time of the guest's threads as it was counted, by layer. Its sum. */
static double thread_time(const struct weight_fit *f, const struct moment *m, uint16_t guest,
                          double time[LAYERS])
{
    const struct counters *c = m->recorded ? NULL : f->options->counters;
    double sum = 0;
    for (uint32_t d = counters_first(c, guest); d != NO_DEVICE; d = c->next[d]) {
        if (c->devices[d].idd != m->idd)
            continue;
        double ns = counters_cpu_between(c, d, m->from_ns, m->to_ns, m->clock, UINT32_MAX).ns;
        time[layer_of(f, c->devices[d].name)] += ns;
        sum += ns;
    }
    return sum;
}

/* Time that was counted contains time without a pCPU: what was measured is shared out in its proportion. */
static void times_of(const struct weight_fit *f, const struct moment *m, const struct charge_guest *guest,
                     double time[LAYERS])
{
    double sum = thread_time(f, m, (uint16_t)guest->domain, time), measured = guest->charged_measured_ns;
    if (m->recorded || !(sum > 0))
        measured = 0;
    for (int layer = 0; layer < LAYER_ALL && sum > 0; layer++)
        time[layer] *= measured / sum;
    time[LAYER_ALL] = (double)guest->charged_ns;
    time[LAYER_ANY] += time[LAYER_ALL] - measured;
}

static void add_guest(struct weight_fit *f, const struct moment *m, const struct charge_guest *guest)
{
    double time[LAYERS] = {0};
    struct weight_sums s = {0};
    times_of(f, m, guest, time);
    for (unsigned kind = 0; kind < IO_KINDS; kind++)
        s.events[kind] = f->kinds & KIND_BIT(kind) ? (double)guest->events[kind] : 0;
    for (int layer = 0; layer < LAYERS; layer++)
        least_squares_add(&s.layers[layer], s.events, time[layer]);
    weight_sums_merge(&f->all, &s, 1);
    weight_sums_merge(&f->blocks[f->intervals / f->block_length], &s, 1);
    weight_sums_merge(&f->groups[(uint16_t)guest->domain % FIT_GROUPS], &s, 1);
    f->guests_ns += time[LAYER_ALL];
}

/* Whether two domains had this id in the interval: the counters do not tell them apart. Guests are ordered by id. */
static bool is_ambiguous(const struct charge_idd *idd, size_t g)
{
    return (g > 0 && idd->guests[g - 1].domain == idd->guests[g].domain) ||
           (g + 1 < idd->guests_n && idd->guests[g + 1].domain == idd->guests[g].domain);
}

/* Whether CPU times of the driver domain were read in the interval. */
static bool is_read(const struct weight_fit *f, const struct moment *m)
{
    const struct counters *c = f->options->counters;
    uint64_t ns;
    for (uint32_t d = 0; c && d < c->devices_n; d++)
        if (c->devices[d].idd == m->idd && c->devices[d].counts[COUNTER_CPU] &&
            counters_next(c, d, m->from_ns, m->clock, &ns) && ns <= m->to_ns)
            return true;
    return false;
}

/* Whether its time was measured throughout: by its kernel's recording, or CPU times. */
static bool is_measured(const struct weight_fit *f, struct moment *m)
{
    const struct counters *c = f->options->counters;
    const struct dom0_trace *t = f->options->dom0_trace;
    if (t && t->domain == m->idd) {
        int64_t from_ns, to_ns;
        dom0_trace_span(t, m->clock, &from_ns, &to_ns);
        m->recorded = true;
        return from_ns <= (int64_t)m->from_ns && to_ns >= (int64_t)m->to_ns;
    }
    for (uint32_t d = 0; c && d < c->devices_n; d++)
        if (c->devices[d].idd == m->idd && c->devices[d].counts[COUNTER_CPU] &&
            counters_cover(c, d, m->from_ns, m->to_ns, m->clock))
            return true;
    return false;
}

static bool add_idd(struct weight_fit *f, struct moment *m, const struct charge_idd *idd)
{
    m->idd = (uint16_t)idd->domain;
    m->recorded = false;
    if (!is_measured(f, m))
        return false;
    for (size_t g = 0; g < idd->guests_n; g++) {
        uint16_t guest = (uint16_t)idd->guests[g].domain;
        if ((!f->guests || f->guests[guest]) && !is_ambiguous(idd, g) && is_covered(f, m, guest))
            add_guest(f, m, &idd->guests[g]);
    }
    f->driver_ns += (double)idd->running_ns;
    return true;
}

void weight_fit_take(struct weight_fit *f, const struct clock *clock, const struct interval *interval,
                     const struct charge_idd *idds, size_t n)
{
    struct moment m = {.clock = clock, .from_ns = interval->start_ns, .to_ns = interval->end_ns};
    bool used = false, read = false;
    if (m.to_ns - m.from_ns != interval->granularity_ns)
        return; /* the trace begins or ends in it */
    if (f->intervals / f->block_length == FIT_BLOCKS)
        join_blocks(f);
    for (size_t i = 0; i < n; i++)
        if (add_idd(f, &m, &idds[i])) {
            used = true;
            read = read || m.recorded || is_read(f, &m);
        }
    f->intervals += used;
    f->without_reading += used && !read;
}
