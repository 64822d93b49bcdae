#include "host_plan.h"

#include <stdlib.h>
#include <string.h>

#include "sim/prng.h"
#include "sim/scenario.h"

const struct plan_field plan_fields[] = {
#define FIELD(name, shrinks, help) {#name, help, shrinks, offsetof(struct plan, name)},
#include "plan.def"
};
const size_t plan_fields_n = sizeof plan_fields / sizeof plan_fields[0];

/* At most about this many records: a run takes a second or less. */
enum { RECORDS_MOST = 400000 };

static int64_t between(struct prng *rng, int64_t low, int64_t high)
{
    return low + prng_below(rng, (uint64_t)(high - low) + 1);
}

static bool percent(struct prng *rng, uint32_t chance)
{
    return prng_chance(rng, chance * 10000);
}

static int64_t one_of(struct prng *rng, const int64_t *values, size_t n)
{
    return values[prng_below(rng, n)];
}
#define ONE_OF(rng, ...)                                                                                     \
    one_of(rng, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void draw_host(struct plan *p, struct prng *rng)
{
    p->pcpus = percent(rng, 3) ? 64 : percent(rng, 10) ? 1 : between(rng, 2, percent(rng, 50) ? 4 : 16);
    p->domains = percent(rng, 10) ? between(rng, 10, 30) : between(rng, 1, 6);
    p->vcpus = percent(rng, 60) ? between(rng, 1, 2) : between(rng, 3, 8);
    p->churn = percent(rng, 10) ? between(rng, 1, 3) : 0;
    p->mood =
        ONE_OF(rng, MOOD_USUAL, MOOD_USUAL, MOOD_USUAL, MOOD_USUAL, MOOD_QUIET, MOOD_BURNERS, MOOD_BUSY);
    p->pinned = percent(rng, 30);
    p->scheduler =
        p->pinned && percent(rng, 30) ? SCENARIO_NULL : between(rng, SCENARIO_CREDIT, SCENARIO_RTDS);
    p->caps = percent(rng, 30);
    p->io = percent(rng, 60) ? between(rng, 1, IO_ALL) : 0;
    p->paused = percent(rng, 60) ? between(rng, 1, p->domains) : 0;
    p->delayed = percent(rng, 15);
    p->khz = percent(rng, 70) ? ONE_OF(rng, 1000000, 2400000, 2595995, 3700001)
                              : ONE_OF(rng, 24000, 62500, 100000, 5800000);
    p->host_ms = between(rng, 50, percent(rng, 80) ? 600 : 2500);
}

static void draw_trace(struct plan *p, struct prng *rng)
{
    p->mix = ONE_OF(rng, 0, 1, 2, 2, 2, 2, 2, 3, 3, 4);
    p->old = percent(rng, 10);
    p->omit = p->mix != 3 && percent(rng, 20) ? between(rng, 1, 4) : 0;
    p->sweep_us = ONE_OF(rng, 1000, 10000, 20000, 100000, 100000, 100000, 400000);
    p->ring_kb = percent(rng, 90) ? 4096 : between(rng, 16, 256);
    p->skew_ns = percent(rng, 5) ? between(rng, 10, 2000) : 0;
}

static void draw_losses(struct plan *p, struct prng *rng)
{
    if (percent(rng, 25)) {
        p->loss_ppm = between(rng, 1000, 10000);
        p->pcpus = p->pcpus < 8 ? 8 : p->pcpus;
        p->losses = between(rng, 1, 10);
        return;
    }
    p->losses = between(rng, 1, percent(rng, 80) ? 4 : 40);
    p->loss_us = ONE_OF(rng, 50, 500, 5000, 20000, 100000);
    p->loss_from = percent(rng, 50) ? between(rng, 1, 2) : 0;
}

static void draw_damage(struct plan *p, struct prng *rng)
{
    uint32_t kind = prng_below(rng, 100);
    bool several = percent(rng, 10);
    if (kind < 15)
        return;
    if (kind < 55 || several)
        draw_losses(p, rng);
    if ((kind >= 55 && kind < 70) || (several && percent(rng, 40)))
        p->cut = between(rng, 1, 3);
    if ((kind >= 70 && kind < 87) || (several && percent(rng, 40)))
        p->unseen = between(rng, 1, p->pcpus > 4 && percent(rng, 70) ? p->pcpus / 4 : p->pcpus);
    if (kind >= 87) {
        p->hole_ms = between(rng, 2100, 4000);
        p->mood = MOOD_QUIET;
        p->sweep_us = percent(rng, 50) ? 100000 : 400000;
    }
}

/* The rest is drawn apart, so that the other hosts stay what they were. */
static void draw_joints(struct plan *p)
{
    struct prng rng;
    prng_seed(&rng, p->seed ^ 0x6a6f696e7473);
    uint32_t kind = prng_below(&rng, 100);
    if (kind >= 16)
        return;
    p->losses = p->cut = p->unseen = p->hole_ms = 0;
    if (kind < 3) {
        p->cut = 4;
    } else if (kind < 6) {
        p->joined = between(&rng, 1, percent(&rng, 50) ? p->pcpus : 8);
        p->cut = percent(&rng, 30);
    } else if (kind < 10) {
        p->pause_ms = between(&rng, 5, percent(&rng, 50) ? 200 : 1900);
    } else {
        p->shift_us = between(&rng, 1000, percent(&rng, 50) ? 10000 : 100000);
        p->shift_back = percent(&rng, 50);
    }
}

/* From numbers of their own: the other fields of a seed stay what they are. */
static void draw_lone(struct plan *p)
{
    struct prng rng;
    prng_seed(&rng, p->seed ^ 0x6c6f6e65);
    p->lone = percent(&rng, 3) ? between(&rng, 1, 2) : 0;
}

/* The same. */
static void draw_siblings(struct plan *p, uint64_t seed)
{
    struct prng rng;
    prng_seed(&rng, seed ^ 0x7369626c);
    if (!percent(&rng, 10))
        return;
    p->siblings = percent(&rng, 70) ? 2 : between(&rng, 3, 8);
    p->strided = percent(&rng, 30);
}

void plan_draw(struct plan *p, uint64_t seed)
{
    struct prng rng;
    memset(p, 0, sizeof *p);
    p->seed = seed;
    prng_seed(&rng, seed ^ 0x686f737473);
    draw_host(p, &rng);
    draw_trace(p, &rng);
    draw_damage(p, &rng);
    draw_joints(p);
    p->granularity_us = ONE_OF(&rng, 1000, 7000, 10000, 50000, 100000, 1000000);
    p->piped = percent(&rng, 20);
    draw_siblings(p, seed);
    draw_lone(p);
    plan_settle(p);
}

/* The field of that name; plan_fields_n: all of them, or none of them if there is no such name. */
static size_t find_field(const char *name, size_t length, bool *all)
{
    size_t i = 0;
    while (i < plan_fields_n &&
           (strlen(plan_fields[i].name) != length || strncmp(plan_fields[i].name, name, length) != 0))
        i++;
    *all = length == 3 && strncmp(name, "all", 3) == 0;
    return i;
}

bool plan_set(struct plan *p, const char *text)
{
    while (*text) {
        bool all;
        size_t length = strcspn(text, "="), i = find_field(text, length, &all);
        if ((i == plan_fields_n && !all) || text[length] != '=')
            return false;
        char *end;
        int64_t value = strtoll(text + length + 1, &end, 10);
        if (end == text + length + 1 || (*end && *end != ','))
            return false;
        for (size_t k = all ? 0 : i; k < (all ? plan_fields_n : i + 1); k++)
            *plan_value(p, &plan_fields[k]) = value;
        text = *end ? end + 1 : end;
    }
    return true;
}

static void keep_within(int64_t *value, int64_t low, int64_t high)
{
    *value = *value < low ? low : *value > high ? high : *value;
}

/* A rough guess of how many records a second of the host makes. */
static int64_t records_per_s(const struct plan *p)
{
    int64_t running = (1 + p->domains) * p->vcpus < p->pcpus ? (1 + p->domains) * p->vcpus : p->pcpus;
    int64_t each = p->mood == MOOD_QUIET ? 2000 : p->mood == MOOD_BUSY ? 150000 : 40000;
    if (p->mix < 2)
        each += p->mood == MOOD_QUIET ? 1000 : 100000;
    return running * each + 1;
}

/* Whole cores; what the host with core scheduling has not: old layouts, births, delays. */
static void settle_siblings(struct plan *p)
{
    keep_within(&p->siblings, 0, 16);
    if (p->siblings < 2) {
        p->siblings = p->strided = 0;
        return;
    }
    p->pcpus += (p->siblings - p->pcpus % p->siblings) % p->siblings;
    p->old = p->churn = p->delayed = p->skew_ns = 0;
    p->caps = p->io = p->paused = 0;
    p->joined = p->pause_ms = p->shift_us = 0;
    p->mix = p->mix < 2 ? 2 : p->mix;
}

/* Schedulers that Xen 4.6 had, caps of those that have them. */
static void settle_host(struct plan *p)
{
    keep_within(&p->scheduler, 0, SCENARIO_RTDS);
    keep_within(&p->io, 0, IO_ALL);
    keep_within(&p->paused, 0, p->domains);
    if (p->old && p->scheduler != SCENARIO_SEDF)
        p->scheduler = SCENARIO_CREDIT;
    /*
     * Of one that has used up its cap only runstate changes say so: Credit2 writes nothing else, and Credit the same records as
     * a toolstack that pauses and continues it meanwhile, the first of whose two wakes is none.
     */
    if (p->scheduler > SCENARIO_CREDIT2 || (p->mix == 4 && (p->scheduler == SCENARIO_CREDIT2 || p->paused)))
        p->caps = 0;
    if (p->domains < 2) /* a guest is left */
        p->io &= ~IO_SECOND_DRIVER;
}

void plan_settle(struct plan *p)
{
    keep_within(&p->pcpus, 1, 256);
    settle_siblings(p);
    keep_within(&p->domains, 1, 200);
    keep_within(&p->vcpus, 1, 12);
    settle_host(p);
    keep_within(&p->joined, 0, 64);
    keep_within(&p->unseen, 0, p->pcpus - 1);
    keep_within(&p->khz, 1000, 10000000);
    keep_within(&p->sweep_us, 200, 10000000);
    keep_within(&p->granularity_us, 100, INT64_MAX);
    keep_within(&p->ring_kb, 4, 1 << 20);
    if (p->losses && !p->abrupt) /* each of them takes a full ring */
        keep_within(&p->ring_kb, 4, 1024);
    p->ring_kb -= p->ring_kb % 4; /* whole pages */
    if (p->losses == 0)
        p->loss_ppm = 0;
    if (p->losses == 0 || p->loss_ppm)
        p->loss_us = p->loss_from = 0;
    if (p->mix == 3 || (p->mix == 4 && (p->omit == 2 || p->omit == 3)))
        p->omit =
            0; /* of no runstate changes and no switches, or no wakes, no state can be rebuilt; one mask has both */
    if (p->mix == 4) /* only their order says whether a wake found a vCPU that runs, blocks, or sleeps */
        p->skew_ns = p->delayed = 0;
    if (p->mix == 4)
        p->unseen =
            0; /* what an unread pCPU did to a vCPU contradicts no switch: nothing shows that it is there */
    if (p->mix == 3)
        p->churn = 0; /* no births in the trace */
    keep_within(&p->host_ms, 20, RECORDS_MOST * 1000LL / records_per_s(p) + 20);
    if (p->shift_us == 0)
        p->shift_back = 0;
    if (p->shift_us || p->pause_ms)
        p->losses = p->loss_us = p->loss_from = p->loss_ppm = p->hole_ms = 0;
    keep_within(&p->pause_ms, 0, p->host_ms / 2);
    keep_within(&p->lone, 0, 2);
    if (p->siblings || p->joined || p->shift_us || p->pause_ms || p->cut == 4)
        p->lone = 0;
    if (p->hole_ms) /* a pCPU that is not used may write in there */
        keep_within(&p->lone, 0, 1);
    if (p->lone) /* where times are damaged, contradictions prove nothing */
        p->unseen = 0;
    if (p->hole_ms) /* something before it, something after it */
        p->host_ms = p->hole_ms + 400 + (p->host_ms % 400);
    if (p->hole_ms || p->host_ms * 1000 / p->granularity_us > 200)
        keep_within(&p->granularity_us, p->host_ms * 5, INT64_MAX);
}

bool plan_damages(const struct plan *p)
{
    return p->losses || p->unseen || p->cut || p->hole_ms || p->pause_ms || p->shift_us || p->joined ||
           p->lone;
}

bool plan_has_one_lossy_pcpu(const struct plan *p)
{
    return p->loss_ppm && !p->cut && !p->unseen && !p->hole_ms;
}

bool plan_leaves_out(const struct plan *p, enum trace_event event)
{
    uint32_t part = trace_event_info[event].part;
    if ((p->mix == 3 && part != TRACE_SCHED_MIN) || (p->mix == 4 && part != TRACE_SCHED_VERBOSE))
        return true;
    switch (p->omit) {
    case 1:
        return event == TRC_SWITCH_INFPREV;
    case 2:
        return event >= TRC_SWITCH && event <= TRC_SWITCH_INFCONT;
    case 3:
        return event == TRC_WAKE || event == TRC_SLEEP;
    case 4:
        return part == TRACE_SCHED_CLASS;
    default:
        return false;
    }
}
