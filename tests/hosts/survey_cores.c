/* Core scheduling: what the rings that were read say of cores, and what is missing of these. */
#include <stdlib.h>

#include "core_host.h"
#include "view_internal.h"

enum { IDLE = 32767 };

/* What a ring says of its core: it names the idle vCPU of a sibling that was not read, or misses switches again and again. */
static bool ring_shows(const struct making *m, uint32_t ring)
{
    enum { MISSED_LEAST = 2 };
    const struct seen_change *last = NULL;
    unsigned missed = 0;
    for (size_t i = 0; i < m->v->changes_n; i++) {
        const struct seen_change *c = &m->v->changes[i];
        if (c->pcpu != ring)
            continue;
        if (c->domain == IDLE && c->vcpu < m->r->pcpus_n && m->unseen[c->vcpu])
            return true;
        if (c->from == RUNSTATE_RUNNING && last)
            missed += c->domain != last->domain || c->vcpu != last->vcpu;
        last = c->to == RUNSTATE_RUNNING ? c : last;
    }
    return missed >= MISSED_LEAST;
}

/* Core scheduling: a core of which some rings were read, and others not, on which a vCPU ran. */
static void look_at_core(struct making *m, uint32_t core)
{
    bool read = false, unread = false, ran = false, shows = m->plan->mix == 4;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        if (core_of_pcpu(m->plan, pcpu) != core)
            continue;
        read |= !m->unseen[pcpu];
        unread |= m->unseen[pcpu];
        for (size_t i = 0; i < m->r->vcpus_n && !ran; i++)
            ran = truth_running_on(&m->r->vcpus[i], pcpu, m->v->first_tsc, m->v->last_tsc) > 0;
        shows |= !m->unseen[pcpu] && ring_shows(m, pcpu);
    }
    m->v->has_partial_core |= read && unread && ran;
    m->v->hides_partial_core |= read && unread && ran && !shows;
}

static int by_vcpu_and_time(const void *a, const void *b)
{
    const struct seen_change *x = a, *y = b;
    uint32_t p = (uint32_t)x->domain << 16 | x->vcpu, q = (uint32_t)y->domain << 16 | y->vcpu;
    if (p != q)
        return p < q ? -1 : 1;
    return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

static void link(bool *linked, uint32_t a, uint32_t b, uint32_t pcpus)
{
    if (a != b && a < pcpus && b < pcpus)
        linked[a] = linked[b] = true;
}

/*
 * Which pCPUs some record links to a sibling: it names the idle vCPU of another pCPU, or a vCPU begins to run in one ring and stops
 * in another. False: no memory.
 */
static bool find_links(const struct making *m, bool *linked)
{
    const struct view *v = m->v;
    struct seen_change *sorted = malloc((v->changes_n + 1) * sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < v->changes_n; i++)
        sorted[i] = v->changes[i];
    qsort(sorted, v->changes_n, sizeof *sorted, by_vcpu_and_time);
    for (size_t i = 0; i < v->changes_n; i++) {
        const struct seen_change *c = &sorted[i], *last = i ? c - 1 : c;
        bool same = last->domain == c->domain && last->vcpu == c->vcpu;
        if (c->domain == IDLE)
            link(linked, c->pcpu, c->vcpu, m->r->pcpus_n);
        else if (same && last->to == RUNSTATE_RUNNING && c->from == RUNSTATE_RUNNING)
            link(linked, last->pcpu, c->pcpu, m->r->pcpus_n);
    }
    free(sorted);
    return true;
}

/* Where pCPUs were not read, a pCPU that nothing links to a sibling may be one of those'. */
static bool add_unlinked(struct making *m)
{
    bool *linked = calloc(m->r->pcpus_n, sizeof *linked);
    bool done = linked && find_links(m, linked);
    for (uint32_t pcpu = 0; done && pcpu < m->r->pcpus_n; pcpu++)
        done = linked[pcpu] || gaps_add(&m->v->gaps, pcpu, 0, UINT64_MAX);
    free(linked);
    return done;
}

/* With core scheduling a ring has the records of all siblings: what one lacks all of them lack. */
static bool spread_to_siblings(struct making *m)
{
    size_t n = m->v->gaps.n;
    for (size_t i = 0; i < n; i++)
        for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
            const struct gap g = m->v->gaps.items[i];
            bool sibling = g.pcpu != ALL_PCPUS && g.pcpu != pcpu &&
                           core_of_pcpu(m->plan, g.pcpu) == core_of_pcpu(m->plan, pcpu);
            if (sibling && !gaps_add(&m->v->gaps, pcpu, g.from, g.to))
                return false;
        }
    return true;
}

bool view_survey_cores(struct making *m)
{
    for (int64_t core = 0; core < m->plan->pcpus / m->plan->siblings; core++)
        look_at_core(m, (uint32_t)core);
    bool unread = m->plan->unseen || m->plan->cut == 4; /* the file ends before the windows of some */
    return (!unread || add_unlinked(m)) && spread_to_siblings(m);
}
