#include "currents.h"

#include <stdlib.h>

#include "parser/decode/record_format.h"

bool currents_init(struct currents *c, const struct cores *cores)
{
    *c = (struct currents){.cores = cores,
                           .current = malloc(PCPUS_MAX * sizeof *c->current),
                           .emitted = malloc(PCPUS_MAX * sizeof *c->emitted)};
    for (unsigned p = 0; c->current && c->emitted && p < PCPUS_MAX; p++) {
        c->current[p] = CURRENT_UNKNOWN;
        c->emitted[p] = CURRENT_NONE;
    }
    return c->current && c->emitted;
}

void currents_free(struct currents *c)
{
    free(c->current);
    free(c->emitted);
}

/* What the records of a pCPU say of its siblings is not known any more. */
static void forget_siblings(struct currents *c, uint16_t pcpu)
{
    struct core core = c->cores->of[pcpu];
    for (unsigned i = 0; i < core.n; i++)
        c->current[c->cores->pcpus[core.first + i]] = CURRENT_UNKNOWN;
}

/* What a record says of who was current when it was written or, `after`, who is from then on. */
static void learn(struct currents *c, const struct event *e, bool after)
{
    unsigned words = event_words(e);
    uint32_t vcpu = words ? e->w[0] : CURRENT_UNKNOWN; /* {vcpu:u16 dom:u16} */
    if (e->slot == EVENT_RUNSTATE_CHANGE && words) {
        unsigned state = after ? runstate_new(e->header) : runstate_old(e->header);
        if (state == XEN_RUNNING)
            c->current[cores_pcpu(c->cores, e->pcpu, vcpu >> 16, vcpu & 0xffff)] = vcpu;
    } else if (e->slot == EVENT_CONTINUE_RUNNING && words) {
        c->current[e->pcpu] = vcpu;
    } else if (e->slot == EVENT_BLIND_BEGIN && !after) {
        forget_siblings(c, e->pcpu);
    } else if (e->slot == EVENT_LOST_RECORDS && !after) {
        forget_siblings(c, e->pcpu);
        if (words >= 4) /* written by the one that is current when recording resumes: dom | vcpu << 16 */
            c->current[e->pcpu] = e->w[1] << 16 | e->w[1] >> 16;
    }
}

size_t currents_take(struct currents *c, const struct event *events, size_t n, struct event *to)
{
    size_t made = 0;
    bool kept = false;
    for (const struct event *e = events; e < events + n; e++) {
        if (e->slot >= EVENT_ATTACHED) {
            if (kept)
                to[made++] = *e;
            continue;
        }
        kept = e->slot != EVENT_CURRENT && e->flags & (EVENT_RAW | EVENT_MODEL);
        if (e->slot == EVENT_CURRENT)
            continue;
        learn(c, e, false);
        if (c->cores->partial[e->pcpu])
            c->current[e->pcpu] = CURRENT_UNKNOWN;
        if (kept && e->flags & EVENT_RAW && c->emitted[e->pcpu] != c->current[e->pcpu]) {
            uint32_t vcpu = c->emitted[e->pcpu] = c->current[e->pcpu];
            to[made++] = (struct event){
                .tsc = e->tsc, .pcpu = e->pcpu, .slot = EVENT_CURRENT, .flags = EVENT_RAW, .w = {vcpu}};
        }
        if (kept)
            to[made++] = *e;
        learn(c, e, true);
    }
    return made;
}
