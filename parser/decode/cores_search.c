/*
 * Siblings of pCPUs on a host with core scheduling, where no ring names another one's idle vCPU: some are never idle, others
 * always. A vCPU that is said to run, by one ring, is said to stop by that of the same pCPU, or of a sibling.
 */
#include <stdlib.h>
#include <string.h>

#include "record_format.h"
#include "decoder.h"

#ifndef PLACES       /* fuzz targets have few */
#define PLACES 16384 /* of the table of vCPUs, a power of two */
#endif
#define VOTES_KEPT 4 /* cores that may be a pCPU's */

/* Where a vCPU was said to run last. */
struct vcpu_place {
    uint32_t vcpu; /* dom << 16 | vcpu, plus 1; 0: none */
    uint16_t ring; /* PCPUS_MAX: not known */
};

/* The vCPU that runs on a pCPU, CURRENT_NONE: not known; and since when. */
struct runner {
    uint32_t vcpu;
    uint64_t tsc;
};

struct search {
    struct decoder *d;
    uint64_t upto;
    bool all_write; /* there is core scheduling, and no sibling that is known wrote nothing */
    unsigned blind; /* pCPUs that are, at the event that is looked at */
    size_t *at;     /* by number of the pCPU in decoder.pcpus: the next event */
    struct vcpu_place *places;
    unsigned places_n;
    struct votes {
        struct vote {
            uint16_t ring; /* for a sibling, */
            uint16_t times;
        } of[VOTES_KEPT]; /* the last ones first */
    } * votes;            /* by pCPU number */
    /* decoder_check_cores: */
    struct runner *runners; /* by pCPU number */
    uint64_t *
        wrong_tsc; /* by number of the core's leader: when another vCPU than its runner first stopped on a pCPU */
};

static struct vcpu_place *place_of(struct search *s, uint32_t vcpu)
{
    uint32_t at = (vcpu ^ vcpu >> 13) & (PLACES - 1);
    while (s->places[at].vcpu && s->places[at].vcpu != vcpu + 1)
        at = (at + 1) & (PLACES - 1);
    if (!s->places[at].vcpu && s->places_n < PLACES / 2) {
        s->places[at] = (struct vcpu_place){vcpu + 1, PCPUS_MAX};
        s->places_n++;
    }
    return s->places[at].vcpu ? &s->places[at] : NULL;
}

/* Counts that the core of `a` is that of `b`; returns how often that was so. */
static unsigned count_vote(struct search *s, uint16_t a, uint16_t b)
{
    const uint16_t *leader = s->d->cores.leader;
    struct vote *of = s->votes[b].of, found = {a, 1};
    unsigned i = 0;
    while (i < VOTES_KEPT - 1 && of[i].times > 0 && leader[of[i].ring] != leader[a])
        i++;
    if (of[i].times > 0 && leader[of[i].ring] == leader[a])
        found.times = of[i].times + 1;
    memmove(of + 1, of, i * sizeof *of);
    of[0] = found;
    return found.times;
}

static void vote(struct search *s, uint16_t a, uint16_t b)
{
    const struct decoder *d = s->d;
    unsigned times = count_vote(s, a, b), back = count_vote(s, b, a);
    /* On a host with core scheduling, of which all pCPUs are recorded, each has siblings: once will do for the last ones. */
    bool last = s->all_write && d->cores.of[a].n < 2 && d->cores.of[b].n < 2;
    if (last || times >= SWITCHES_SURE || back >= SWITCHES_SURE)
        cores_join(&s->d->cores, a, b);
}

static void look_at(struct search *s, const struct event *e)
{
    bool change = e->slot == EVENT_RUNSTATE_CHANGE, goes_on = e->slot == EVENT_CONTINUE_RUNNING;
    bool known = (change || goes_on) && event_words(e) >= 1 && e->w[0] >> 16 != CORES_IDLE_DOMAIN;
    struct vcpu_place *p = known ? place_of(s, e->w[0]) : NULL;
    bool stops = change && (e->header >> 8 & 3) == 0, begins = change && (e->header >> 4 & 3) == 0;
    if (!p)
        return;
    if (stops && p->ring != PCPUS_MAX && p->ring != e->pcpu)
        vote(s, p->ring, e->pcpu);
    if (stops)
        p->ring = PCPUS_MAX;
    if (goes_on || (begins && p->ring == PCPUS_MAX))
        p->ring = e->pcpu;
    else if (begins) /* it was not said to stop: times are not exact */
        p->ring = PCPUS_MAX;
}

/* The earliest event that was not looked at; NULL: there is none up to the end. */
static const struct event *next_event(struct search *s)
{
    const struct decoder *d = s->d;
    const struct event *first = NULL;
    unsigned whose = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *stream = d->streams[d->pcpus[i]];
        const struct event *e = s->at[i] < stream->n ? stream->events + s->at[i] : NULL;
        if (e && e->tsc <= s->upto && (!first || e->tsc < first->tsc)) {
            first = e;
            whose = i;
        }
    }
    s->at[whose] += first != NULL;
    return first;
}

static void begin_pass(struct search *s)
{
    for (unsigned i = 0; i < s->d->pcpus_n; i++)
        s->at[i] = s->d->streams[s->d->pcpus[i]]->head;
}

/* Takes the beginning or the end of blind time; returns whether any pCPU is blind. */
static bool is_blind(struct search *s, const struct event *e)
{
    s->blind += e->slot == EVENT_BLIND_BEGIN;
    s->blind -= e->slot == EVENT_BLIND_END && s->blind > 0;
    return s->blind > 0 || e->slot == EVENT_BLIND_END;
}

static unsigned cores_of(const struct decoder *d)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        n += d->cores.leader[d->pcpus[i]] == d->pcpus[i];
    return n;
}

/* What is lost may be where any vCPU went. */
static void look_at_all(struct search *s)
{
    const struct event *e;
    bool known = true;
    begin_pass(s);
    while ((e = next_event(s))) {
        if (!is_blind(s, e)) {
            look_at(s, e);
            known = true;
            continue;
        }
        for (unsigned i = 0; known && i < PLACES; i++)
            s->places[i].ring = PCPUS_MAX;
        known = false;
    }
}

/* A ring named the pCPU's idle vCPU once: damage, unless the ring is a sibling for another reason, too. */
static void look_at_named(struct search *s)
{
    for (unsigned pcpu = 0; pcpu < PCPUS_MAX; pcpu++) {
        uint16_t ring = cores_named_by(&s->d->cores, pcpu);
        if (ring != PCPUS_MAX)
            vote(s, ring, (uint16_t)pcpu);
    }
}

/* Votes for two rings count together once these are known to be siblings: so it is gone over again. */
static void search(struct search *s)
{
    unsigned before, cores = cores_of(s->d);
    do {
        before = cores;
        memset(s->places, 0, PLACES * sizeof *s->places);
        memset(s->votes, 0, PCPUS_MAX * sizeof *s->votes);
        s->places_n = 0;
        look_at_named(s);
        look_at_all(s);
        cores = cores_of(s->d);
    } while (before != cores);
}

/*
 * Who stops running on a pCPU is who began to run there: else a sibling that is not known, or not read, has the switch between. If
 * that happened twice in a core, one after the other; once, the host may have slept.
 */
static void check_runner(struct search *s, const struct event *e)
{
    struct cores *c = &s->d->cores;
    bool change = e->slot == EVENT_RUNSTATE_CHANGE && event_words(e) >= 1;
    if (!change || c->of[e->pcpu].n < 2)
        return;
    uint16_t pcpu = cores_pcpu(c, e->pcpu, e->w[0] >> 16, e->w[0] & 0xffff);
    struct runner *runner = &s->runners[pcpu];
    uint64_t *wrong_tsc = &s->wrong_tsc[c->leader[pcpu]];
    if (runstate_old(e->header) == XEN_RUNNING) {
        bool wrong = runner->vcpu != CURRENT_NONE && runner->vcpu != e->w[0];
        if (wrong && *wrong_tsc <= runner->tsc && !c->partial[pcpu])
            cores_set_partial(c, pcpu);
        if (wrong && e->tsc < *wrong_tsc)
            *wrong_tsc = e->tsc;
        runner->vcpu = CURRENT_NONE;
    } else if (runstate_new(e->header) == XEN_RUNNING) {
        *runner = (struct runner){e->w[0], e->tsc};
    }
}

static void forget_runners(struct search *s)
{
    for (unsigned i = 0; i < PCPUS_MAX; i++)
        s->runners[i].vcpu = CURRENT_NONE;
}

static void check(struct search *s)
{
    const struct event *e;
    bool known = false;
    begin_pass(s);
    while ((e = next_event(s))) {
        bool blind = is_blind(s, e);
        if (!blind)
            check_runner(s, e);
        if (blind && known)
            forget_runners(s);
        known = !blind;
    }
}

static uint64_t count_switches(const struct stream *s, bool runstates)
{
    uint64_t n = 0;
    for (size_t i = s->head; i < s->n; i++) {
        const struct event *e = &s->events[i];
        n += runstates ? e->slot == EVENT_RUNSTATE_CHANGE && runstate_new(e->header) == XEN_RUNNING
                       : e->slot == EVENT_SWITCH;
    }
    return n;
}

/* Whether the switches that rings miss are many, for one of them or all together. */
static void judge_missed(struct decoder *d)
{
    bool runstates = decoder_has_runstates(d);
    struct missed all = {0};
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        struct missed one = {s->missed, s->missed, count_switches(s, runstates)};
        all.missed += one.missed;
        all.again += one.missed > 0 ? one.missed - 1 : 0;
        all.switches += one.switches;
        if (s->missed > 0 && cores_missed_shows(&one))
            cores_set_shown(&d->cores, s);
    }
    for (unsigned i = 0; i < d->pcpus_n && cores_missed_shows(&all); i++)
        if (d->streams[d->pcpus[i]]->missed > 1)
            cores_set_shown(&d->cores, d->streams[d->pcpus[i]]);
}

static bool begin(struct search *s, struct decoder *d, uint64_t upto)
{
    *s = (struct search){.d = d,
                         .upto = upto,
                         .at = calloc(d->pcpus_n + 1, sizeof *s->at),
                         .places = calloc(PLACES, sizeof *s->places),
                         .votes = calloc(PCPUS_MAX, sizeof *s->votes),
                         .runners = calloc(PCPUS_MAX, sizeof *s->runners),
                         .wrong_tsc = malloc(PCPUS_MAX * sizeof *s->wrong_tsc)};
    for (unsigned i = 0; i < d->pcpus_n; i++)
        stream_settle(
            d->streams[d->pcpus[i]]); /* else what is found depends on which other events are wanted */
    s->all_write = d->cores.largest > 0 && decoder_silent_siblings(d) == 0;
    if (!s->at || !s->places || !s->votes || !s->runners || !s->wrong_tsc)
        return false;
    forget_runners(s);
    memset(s->wrong_tsc, 0xff, PCPUS_MAX * sizeof *s->wrong_tsc); /* never */
    return true;
}

static void end(struct search *s)
{
    free(s->at);
    free(s->places);
    free(s->votes);
    free(s->runners);
    free(s->wrong_tsc);
}

bool decoder_search_cores(struct decoder *d, uint64_t upto)
{
    struct search s;
    judge_missed(d);
    if (!cores_shown(&d->cores))
        return true;
    bool memory = begin(&s, d, upto);
    if (memory)
        search(&s);
    end(&s);
    return memory;
}

bool decoder_check_cores(struct decoder *d, uint64_t upto)
{
    struct search s;
    bool memory = begin(&s, d, upto);
    if (memory)
        check(&s);
    end(&s);
    return memory;
}
