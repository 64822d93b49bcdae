#include "act/governor.h"

#include <stdlib.h>

#include "metrics/array.h"

#define HOUR_NS   3600000000000u
#define NO_LEVEL  UINT64_MAX /* nothing is set */
#define UNFLAPPED 4          /* a flap may miss the level by the fourth part of the swing */

const char *const governor_words[] = {"set",
                                      "keep",
                                      "hold: smaller than the step",
                                      "hold: within the dwell time",
                                      "hold: too many actions in an hour",
                                      "hold: records were lost",
                                      "hold: frozen",
                                      "freeze: it flaps",
                                      "release: records are lost"};

struct guest {
    uint16_t domain;
    bool frozen;
    uint64_t level_ppm;  /* in force */
    uint64_t before_ppm; /* the one before it; NO_LEVEL: there was none */
    uint64_t changed_ns;
    uint32_t flaps; /* in a row */
    uint32_t lossy; /* intervals in a row */
};

struct governor {
    struct governor_limits limits;
    struct guest *guests;
    size_t guests_n, guests_capacity;
    uint64_t *actions; /* when the last ones were: a ring of limits.actions times */
    size_t actions_at, actions_n, actions_capacity;
};

struct governor *governor_new(const struct governor_limits *limits)
{
    struct governor *g = calloc(1, sizeof *g);
    if (g)
        g->limits = *limits;
    return g;
}

void governor_free(struct governor *g)
{
    if (!g)
        return;
    free(g->guests);
    free(g->actions);
    free(g);
}

/* ---- the actions of an hour ---- */

/* Forgets what was longer ago than an hour. */
static void forget_old_actions(struct governor *g, uint64_t now_ns)
{
    while (g->actions_at < g->actions_n && now_ns - g->actions[g->actions_at] >= HOUR_NS)
        g->actions_at++;
}

static bool has_actions_left(struct governor *g, uint64_t now_ns)
{
    forget_old_actions(g, now_ns);
    return !g->limits.actions || g->actions_n - g->actions_at < g->limits.actions;
}

static bool count_action(struct governor *g, uint64_t now_ns)
{
    if (!g->limits.actions)
        return true;
    if (g->actions_at > g->limits.actions) { /* the front of the list is of no use any more */
        for (size_t i = g->actions_at; i < g->actions_n; i++)
            g->actions[i - g->actions_at] = g->actions[i];
        g->actions_n -= g->actions_at;
        g->actions_at = 0;
    }
    if (!array_make_room(&g->actions, &g->actions_capacity, g->actions_n + 1, sizeof *g->actions))
        return false;
    g->actions[g->actions_n++] = now_ns;
    return true;
}

/* ---- guests ---- */

static struct guest *find(const struct governor *g, uint16_t domain)
{
    for (size_t i = 0; i < g->guests_n; i++)
        if (g->guests[i].domain == domain)
            return &g->guests[i];
    return NULL;
}

static struct guest *guest_of(struct governor *g, uint16_t domain)
{
    struct guest *guest = find(g, domain);
    if (guest)
        return guest;
    if (!array_make_room(&g->guests, &g->guests_capacity, g->guests_n + 1, sizeof *g->guests))
        return NULL;
    g->guests[g->guests_n] =
        (struct guest){.domain = domain, .level_ppm = NO_LEVEL, .before_ppm = NO_LEVEL, .changed_ns = 0};
    return &g->guests[g->guests_n++];
}

void governor_forget(struct governor *g, uint16_t domain)
{
    struct guest *guest = find(g, domain);
    if (guest)
        *guest = g->guests[--g->guests_n];
}

void governor_forget_all(struct governor *g)
{
    g->guests_n = 0;
}

/* ---- flaps ---- */

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Whether a change to this level takes back the one before. */
static bool is_flap(const struct guest *guest, uint64_t level_ppm)
{
    if (guest->before_ppm == NO_LEVEL || guest->level_ppm == NO_LEVEL)
        return false;
    uint64_t swing = distance(guest->level_ppm, guest->before_ppm);
    return swing >= FLAP_STEP_PPM && distance(level_ppm, guest->before_ppm) <= swing / UNFLAPPED;
}

/* ---- judging ---- */

/* Why the guest stays as it is; GOVERN_SET: it need not. */
static enum verdict_of_governor why_not(struct governor *g, const struct guest *guest, uint64_t now_ns,
                                        uint64_t level_ppm, uint64_t top_ppm)
{
    const struct governor_limits *l = &g->limits;
    if (level_ppm == guest->level_ppm)
        return GOVERN_KEEP;
    if (guest->level_ppm != NO_LEVEL && distance(level_ppm, guest->level_ppm) < l->step_ppm &&
        level_ppm != top_ppm)
        return GOVERN_HOLD_STEP;
    if (guest->level_ppm != NO_LEVEL && now_ns - guest->changed_ns < l->dwell_ns)
        return GOVERN_HOLD_DWELL;
    return has_actions_left(g, now_ns) ? GOVERN_SET : GOVERN_HOLD_ACTIONS;
}

static enum verdict_of_governor judge_lossy(struct guest *guest)
{
    if (guest->lossy < LOSSY_RELEASES)
        guest->lossy++;
    if (guest->lossy < LOSSY_RELEASES || guest->level_ppm == NO_LEVEL)
        return GOVERN_HOLD_LOSSY;
    guest->level_ppm = guest->before_ppm = NO_LEVEL;
    guest->flaps = 0;
    guest->frozen = false;
    return GOVERN_RELEASE;
}

/* The guest is set to the level, or, if this is one flap too many, to the laxer of the two. */
static enum verdict_of_governor change(struct governor *g, struct guest *guest, uint64_t now_ns,
                                       uint64_t *level_ppm)
{
    guest->flaps = is_flap(guest, *level_ppm) ? guest->flaps + 1 : 0;
    guest->frozen = g->limits.flaps && guest->flaps >= g->limits.flaps;
    if (guest->frozen && guest->level_ppm > *level_ppm)
        *level_ppm = guest->level_ppm;
    guest->before_ppm = guest->level_ppm;
    guest->level_ppm = *level_ppm;
    guest->changed_ns = now_ns;
    return guest->frozen ? GOVERN_FREEZE : GOVERN_SET;
}

int governor_judge(struct governor *g, uint16_t domain, uint64_t now_ns, uint64_t *level_ppm,
                   uint64_t top_ppm, bool lossy)
{
    struct guest *guest = guest_of(g, domain);
    if (!guest)
        return -1;
    if (lossy)
        return (int)judge_lossy(guest);
    guest->lossy = 0;
    if (guest->frozen)
        return GOVERN_HOLD_FROZEN;
    if (*level_ppm < g->limits.least_ppm)
        *level_ppm = g->limits.least_ppm;
    enum verdict_of_governor verdict = why_not(g, guest, now_ns, *level_ppm, top_ppm);
    if (verdict != GOVERN_SET)
        return (int)verdict;
    if (!count_action(g, now_ns))
        return -1;
    return (int)change(g, guest, now_ns, level_ppm);
}
