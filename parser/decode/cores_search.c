/*
 * Siblings of pCPUs that were never idle, so that no ring names another one's idle vCPU. A vCPU that is said to run, by
 * one ring, is said to stop by that of the same pCPU, or of a sibling.
 */
#include <stdlib.h>

#include "window.h"

#define PLACES 16384 /* of the table of vCPUs, a power of two */

/* Where a vCPU was said to run last. */
struct place {
    uint32_t vcpu; /* dom << 16 | vcpu, plus 1; 0: none */
    uint16_t ring; /* PCPUS_MAX: not known */
};

struct search {
    struct decoder *d;
    size_t *at; /* by number of the pCPU in decoder.pcpus: the next event */
    struct place *places;
    unsigned places_n;
    struct vote {
        uint16_t ring;
        uint16_t times;
    } * votes; /* by pCPU number: for which other one, and how often in succession */
};

static struct place *place_of(struct search *s, uint32_t vcpu)
{
    uint32_t at = (vcpu ^ vcpu >> 13) & (PLACES - 1);
    while (s->places[at].vcpu && s->places[at].vcpu != vcpu + 1)
        at = (at + 1) & (PLACES - 1);
    if (!s->places[at].vcpu && s->places_n < PLACES / 2) {
        s->places[at] = (struct place){vcpu + 1, PCPUS_MAX};
        s->places_n++;
    }
    return s->places[at].vcpu ? &s->places[at] : NULL;
}

static void vote(struct search *s, uint16_t a, uint16_t b)
{
    const struct decoder *d = s->d;
    struct vote *v = &s->votes[b];
    *v = (struct vote){a, v->ring == a ? v->times + 1 : 1};
    bool several = d->streams[a]->together >= SWITCHES_SURE || d->streams[b]->together >= SWITCHES_SURE;
    if (several && v->times == SWITCHES_SURE)
        cores_join(&s->d->cores, a, b);
}

static void look_at(struct search *s, const struct event *e)
{
    bool change = e->slot == EVENT_RUNSTATE_CHANGE, goes_on = e->slot == EVENT_CONTINUE_RUNNING;
    bool known = (change || goes_on) && event_words(e) >= 1 && e->w[0] >> 16 != CORES_IDLE_DOMAIN;
    struct place *p = known ? place_of(s, e->w[0]) : NULL;
    bool stops = change && (e->header >> 8 & 3) == 0, begins = change && (e->header >> 4 & 3) == 0;
    if (!p)
        return;
    if (stops && p->ring != PCPUS_MAX && p->ring != e->pcpu)
        vote(s, p->ring, e->pcpu);
    if (stops)
        p->ring = PCPUS_MAX;
    if (begins || goes_on)
        p->ring = e->pcpu;
}

/* The earliest event that was not looked at; NULL: there is none. */
static const struct event *next_event(struct search *s)
{
    const struct decoder *d = s->d;
    const struct event *first = NULL;
    unsigned whose = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *stream = d->streams[d->pcpus[i]];
        const struct event *e = stream->events + s->at[i];
        if (s->at[i] < stream->n && (!first || e->tsc < first->tsc)) {
            first = e;
            whose = i;
        }
    }
    s->at[whose] += first != NULL;
    return first;
}

static void search(struct search *s)
{
    const struct event *e;
    for (unsigned i = 0; i < s->d->pcpus_n; i++)
        s->at[i] = s->d->streams[s->d->pcpus[i]]->head;
    while ((e = next_event(s))) {
        if (e->slot != EVENT_BLIND_BEGIN)
            look_at(s, e);
        for (unsigned i = 0; e->slot == EVENT_BLIND_BEGIN && i < PLACES; i++)
            s->places[i].ring = PCPUS_MAX; /* what was lost may be where any vCPU went */
    }
}

bool decoder_search_cores(struct decoder *d)
{
    struct search s = {.d = d,
                       .at = calloc(d->pcpus_n + 1, sizeof *s.at),
                       .places = calloc(PLACES, sizeof *s.places),
                       .votes = calloc(PCPUS_MAX, sizeof *s.votes)};
    bool memory = s.at && s.places && s.votes;
    if (memory)
        search(&s);
    free(s.at);
    free(s.places);
    free(s.votes);
    return memory;
}
