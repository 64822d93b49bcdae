#include "entry_past.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/measure/row.h"

#define VCPUS_KNOWN_MAX (16u << 10) /* at a time */
#define LIVES_TOLD_MAX  (64u << 10)

#define NO_WINDOW UINT64_MAX

bool past_init(struct past *p)
{
    memset(p, 0, sizeof *p);
    memset(p->open, 0xff, sizeof p->open);
    return population_init(&p->population) && (p->states = runstates_new(&p->population, &p->quality, 0));
}

void past_free(struct past *p)
{
    for (size_t i = 0; i < p->histories_capacity; i++)
        free(p->histories[i]);
    for (size_t i = 0; i < p->incarnations_capacity; i++)
        free(p->incarnations[i].ran_on);
    free(p->histories);
    free(p->incarnations);
    free(p->ended_lives);
    free(p->windows);
    runstates_free(p->states);
    population_free(&p->population);
}

static struct history *history_of(const struct past *p, uint32_t vcpu)
{
    return vcpu < p->histories_capacity ? p->histories[vcpu] : NULL;
}

/* ---- incarnations ---- */

static struct incarnation_past *incarnation_past(struct past *p, uint32_t life)
{
    struct incarnation_past *incarnations =
        array_reserve(p->incarnations, &p->incarnations_capacity, (size_t)life + 1, sizeof *incarnations);
    if (!incarnations) {
        p->no_memory = true;
        return NULL;
    }
    p->incarnations = incarnations;
    return &incarnations[life];
}

static void keep_ended(struct past *p, const struct seen_event *when, unsigned slot, uint16_t domain)
{
    struct seen_event *kept =
        array_reserve(p->ended_lives, &p->ended_lives_capacity, p->ended_lives_n + 1, sizeof *kept);
    if (!kept) {
        p->no_memory = true;
        return;
    }
    p->ended_lives = kept;
    kept += p->ended_lives_n++;
    *kept = *when;
    kept->event.slot = (uint8_t)slot;
    kept->event.header = 1u << 28;
    kept->event.w[0] = domain;
    p->beyond = p->beyond || p->ended_lives_n > LIVES_TOLD_MAX;
}

/* Keeps the events that make this life count: for the first life of a domain a DOM_REM suffices. */
static void life_ends(struct past *p, uint32_t number, const struct seen_event *t)
{
    const struct incarnation *life = &p->population.incarnations[number];
    struct incarnation_past *past = incarnation_past(p, number);
    if (!past)
        return;
    if (past->added || life->number > 1)
        keep_ended(p, &past->begun, EVENT_DOM_ADD, life->domain);
    keep_ended(p, t, EVENT_DOM_REM, life->domain);
    p->incarnations[number].over = true;
    free(p->incarnations[number].ran_on);
    p->incarnations[number].ran_on = NULL;
    p->incarnations[number].ran_on_n = 0;
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        uint32_t vcpu = life->vcpus[id];
        if (!history_of(p, vcpu))
            continue;
        free(p->histories[vcpu]);
        p->histories[vcpu] = NULL;
        p->histories_n--;
    }
}

static void ran_on(struct past *p, uint32_t life, uint16_t pcpu)
{
    struct incarnation_past *past = pcpu == NO_PCPU ? NULL : incarnation_past(p, life);
    if (!past)
        return;
    if (pcpu >= past->ran_on_n) {
        size_t n = (pcpu / 64u + 1) * 64u;
        uint8_t *bits = realloc(past->ran_on, n / 8);
        if (!bits) {
            p->no_memory = true;
            return;
        }
        memset(bits + past->ran_on_n / 8, 0, (n - past->ran_on_n) / 8);
        past->ran_on = bits;
        past->ran_on_n = n;
    }
    past->ran_on[pcpu / 8] |= (uint8_t)(1u << pcpu % 8);
}

/* ---- effects of an event ---- */

static void make_history(struct past *p, const struct transition *t, const struct seen_event *first)
{
    struct history **all =
        array_reserve(p->histories, &p->histories_capacity, (size_t)t->vcpu + 1, sizeof(struct history *));
    if (all)
        p->histories = all;
    struct history *h = all ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        p->no_memory = true;
        return;
    }
    free(all[t->vcpu]); /* a vCPU appears once */
    all[t->vcpu] = h;
    h->life = p->population.vcpus[t->vcpu].life;
    h->first = *first;
    h->appeared_running = t->to == RUNSTATE_RUNNING;
    h->state = t->to;
    h->pcpu = h->appeared_running ? t->pcpu : NO_PCPU;
    h->lost_in = NO_WINDOW;
    if (h->appeared_running)
        ran_on(p, h->life, t->pcpu);
    p->beyond = p->beyond || ++p->histories_n > VCPUS_KNOWN_MAX;
}

/* The state of a vCPU changes, by a record of its own or by the record of another vCPU. */
static void state_changes(struct past *p, const struct transition *t, const struct seen_event *cause,
                          bool own)
{
    struct history *h = history_of(p, t->vcpu);
    if (!h)
        return;
    h->backdated = h->backdated || (h->n == 0 && t->from == RUNSTATE_UNKNOWN && t->to == RUNSTATE_RUNNING);
    h->state = t->to;
    h->pcpu = t->pcpu;
    ran_on(p, h->life, t->pcpu);
    if (own || t->to != RUNSTATE_UNKNOWN)
        return;
    if (cause->event.slot != EVENT_BLIND_BEGIN) {
        h->displaced = true;
        return;
    }
    h->lost_in = p->windows_n - 1;
    h->lost_kept = false;
    p->windows[h->lost_in % BLIND_WINDOWS].victim = t->vcpu;
}

/* Passes the event to the runstate machine. `own`: domain << 16 | id of the vCPU of the event; UINT32_MAX: none. */
static void run(struct past *p, struct seen_event *t, uint32_t own)
{
    const struct transition *change;
    if (!runstates_event(p->states, &t->event, t->time_ns, &p->clock))
        p->no_memory = true;
    while ((change = runstates_take(p->states, UINT64_MAX))) {
        if (change->kind >= TRANSITION_IO)
            continue;
        const struct vcpu_identity *who = &p->population.vcpus[change->vcpu];
        uint32_t domain = p->population.incarnations[who->life].domain;
        switch (change->kind) {
        case TRANSITION_APPEAR:
            make_history(p, change, t);
            break;
        case TRANSITION_STATE:
            state_changes(p, change, t, own == (domain << 16 | who->id));
            break;
        case TRANSITION_SKEWED:
            t->skewed = true;
            break;
        default:
            break;
        }
    }
}

/* The same for an event that may begin or end a life of a domain. */
static void run_with_lives(struct past *p, struct seen_event *t, uint32_t domain, uint32_t own)
{
    struct population *all = &p->population;
    uint32_t before = population_life(all, (uint16_t)domain);
    bool over = before != NOBODY && all->incarnations[before].ended;
    run(p, t, own);
    uint32_t after = population_life(all, (uint16_t)domain);
    if (before != NOBODY && !over && all->incarnations[before].ended)
        life_ends(p, before, t);
    if (after == before)
        return;
    struct incarnation_past *life = incarnation_past(p, after);
    if (!life)
        return;
    life->begun = *t;
    life->added = own == UINT32_MAX && !all->incarnations[after].ended;
    if (all->incarnations[after].ended)
        life_ends(p, after, t);
}

/* The record changed the state at an instant before its time; a wake that gave way to it (runstate.c) has the same one. */
static void date(struct past *p, struct history *h, struct seen_event *t)
{
    uint64_t instant_ns = runstates_instant(p->states);
    t->event.w[3] = (uint32_t)(t->time_ns - instant_ns);
    t->time_ns = instant_ns;
    if (h->n > 0 && history_at(h, h->n - 1)->time_ns > instant_ns)
        history_date_last(h, instant_ns);
}

static void record(struct past *p, struct seen_event *t, uint32_t domain, uint32_t id)
{
    uint64_t inconsistent = p->quality.inconsistent, ignored = p->quality.ignored_records;
    struct incarnation *life = NULL;
    uint32_t vcpu = population_vcpu(&p->population, (uint16_t)domain, (uint16_t)id);
    if (vcpu != NOBODY)
        life = &p->population.incarnations[p->population.vcpus[vcpu].life];
    const struct history *h = life && !life->ended ? history_of(p, vcpu) : NULL;
    bool fits = h && h->state == t->old && (t->old != RUNSTATE_RUNNING || h->pcpu == t->event.pcpu);
    bool displaced = h && h->displaced, is_new = !h;
    t->before = h ? h->state : RUNSTATE_UNKNOWN;
    run_with_lives(p, t, domain, domain << 16 | id);
    if (t->old == RUNSTATE_RUNNING && t->event.slot == EVENT_RUNSTATE_CHANGE)
        p->switched_tsc[t->event.pcpu] = t->event.tsc;
    vcpu = population_vcpu(&p->population, (uint16_t)domain, (uint16_t)id);
    if (p->quality.ignored_records != ignored || !history_of(p, vcpu))
        return;
    if (t->event.slot == EVENT_RUNSTATE_CHANGE)
        date(p, p->histories[vcpu], t);
    bool odd = is_new || t->skewed || p->quality.inconsistent != inconsistent;
    t->fit = displaced ? FITS_UNKNOWN : odd ? FITS_NOT : fits ? FITS : FITS_GAP;
    history_add(p->histories[vcpu], t);
}

static void note(struct past *p, struct seen_event *t, enum history_note kind)
{
    const uint32_t *w = t->event.w;
    run(p, t, UINT32_MAX);
    if (event_words(&t->event) < 2 || w[0] >= 65536 || w[1] >= VCPUS_MAX)
        return;
    uint32_t vcpu = population_vcpu(&p->population, (uint16_t)w[0], (uint16_t)w[1]);
    struct history *h = history_of(p, vcpu);
    if (!h)
        return;
    h->notes[kind] = *t;
    h->noted[kind] = true;
}

/* ---- lost records ---- */

/* Makes room by dropping the oldest window. */
static void forget_window(struct past *p)
{
    const struct window *w = &p->windows[p->windows_n % BLIND_WINDOWS];
    uint64_t number = p->windows_n - BLIND_WINDOWS;
    struct history *h = history_of(p, w->victim);
    if (!w->ended)
        p->beyond = true; /* it never ended */
    if (h && h->lost_in == number) {
        h->lost[0] = w->begin;
        h->lost[1] = w->end;
        h->lost_kept = true;
    }
    if (number == 0)
        p->older[0] = p->older[1] = *w;
    else if (w->end.time_ns > p->older[1].end.time_ns)
        p->older[1] = *w;
}

static void blind_begins(struct past *p, struct seen_event *t)
{
    uint64_t *open = &p->open[t->event.pcpu];
    if (!p->windows && !(p->windows = calloc(BLIND_WINDOWS, sizeof *p->windows))) {
        p->no_memory = true;
        return;
    }
    if (*open != NO_WINDOW)
        p->beyond = true;
    if (p->windows_n >= BLIND_WINDOWS)
        forget_window(p);
    *open = p->windows_n++;
    p->windows[*open % BLIND_WINDOWS] = (struct window){.begin = *t, .victim = NOBODY};
    run(p, t, UINT32_MAX);
}

static void blind_ends(struct past *p, struct seen_event *t)
{
    uint64_t *open = &p->open[t->event.pcpu];
    if (*open == NO_WINDOW) {
        p->beyond = true;
    } else {
        struct window *w = &p->windows[*open % BLIND_WINDOWS];
        w->end = *t;
        w->ended = true;
        *open = NO_WINDOW;
    }
    if (t->event.w[1] == UINT32_MAX)
        run(p, t, UINT32_MAX);
    else
        record(p, t, t->event.w[1] & 0xffff, t->event.w[1] >> 16);
}

/* ---- events ---- */

void past_take(struct past *p, const struct event *e)
{
    struct seen_event t = {.event = *e, .serial = p->serial++, .time_ns = clock_ns(&p->clock, e->tsc)};
    if (p->beyond || p->no_memory || !(e->flags & EVENT_MODEL))
        return;
    switch (e->slot) {
    case EVENT_RUNSTATE_CHANGE:
        t.old = e->header >> 8 & 3;
        t.new = e->header >> 4 & 3;
        t.event.w[1] = event_slice(e);
        if (event_words(e) >= 1)
            record(p, &t, e->w[0] >> 16, e->w[0] & 0xffff);
        break;
    case EVENT_CONTINUE_RUNNING:
        if (event_words(e) >= 1)
            record(p, &t, e->w[0] >> 16, e->w[0] & 0xffff);
        break;
    case EVENT_BLIND_BEGIN:
        blind_begins(p, &t);
        break;
    case EVENT_BLIND_END:
        blind_ends(p, &t);
        break;
    case EVENT_DOM_ADD:
    case EVENT_DOM0_DOM_ADD:
    case EVENT_DOM_REM:
    case EVENT_DOM0_DOM_REM:
        if (event_words(e) >= 1 && e->w[0] < 65536)
            run_with_lives(p, &t, e->w[0], UINT32_MAX);
        break;
    case EVENT_YIELD:
        note(p, &t, NOTE_YIELD);
        break;
    case EVENT_SLEEP:
        note(p, &t, NOTE_SLEEP);
        break;
    default:
        break;
    }
}
