/* The machine as a snapshot, where runstate changes are recorded and every pCPU writes for itself. */
#include "metrics/array.h"

#include "runstate_internal.h"

#define WAITING_MAX (64u << 10) /* transitions in a snapshot */

bool runstates_can_be_saved(const struct runstates *r)
{
    return r->settled_ns > r->start_ns && !r->use_switches && !r->cores && r->hole_end_ns == 0 &&
           !r->unseen.known && unseen_muddle(&r->unseen) == 0 && !r->queue.failed &&
           r->settles_at != UINT64_MAX && transitions_count(&r->queue) <= WAITING_MAX;
}

static void track_snapshot(struct snapshot *s, struct track *k)
{
    SNAPSHOT_TIME(s, k->since_ns);
    SNAPSHOT_TIME(s, k->slept_ns);
    SNAPSHOT_ID(s, k->pcpu, PCPUS_MAX);
    SNAPSHOT_ID(s, k->woken_on, PCPUS_MAX);
    SNAPSHOT(s, k->state, RUNSTATES - 1);
    SNAPSHOT_FLAG(s, k->seen);
    SNAPSHOT_FLAG(s, k->named);
    SNAPSHOT_FLAG(s, k->first_record);
    SNAPSHOT_FLAG(s, k->contradicted);
    SNAPSHOT_TIME(s, k->contradicted_ns);
    SNAPSHOT_TIME(s, k->noted_since_ns);
    SNAPSHOT(s, k->state_before, RUNSTATES - 1);
    SNAPSHOT(s, k->record_old, RUNSTATES - 1);
    SNAPSHOT_ID(s, k->record_pcpu, PCPUS_MAX);
    SNAPSHOT_FLAG(s, k->doubtful);
    SNAPSHOT_FLAG(s, k->leaving_noted);
}

static void tracks_snapshot(struct snapshot *s, struct runstates *r)
{
    const struct population *p = r->population;
    struct track *tracks = array_reserve(r->tracks, &r->tracks_n, p->vcpus_n, sizeof *tracks);
    if (!tracks && p->vcpus_n > 0) {
        s->failed = true;
        return;
    }
    r->tracks = tracks;
    r->doubtful_n = 0;
    for (size_t v = 0; v < p->vcpus_n; v++) {
        track_snapshot(s, &tracks[v]);
        tracks[v].idle = p->incarnations[p->vcpus[v].life].domain == IDLE_DOMAIN;
        r->doubtful_n += tracks[v].doubtful;
    }
}

/* Whether anything is known of the pCPU. */
static bool is_known(const struct runstates *r, const struct pcpu_track *p)
{
    return p->current != NOBODY || p->free_since != r->start_ns || p->blind_from_ns != BLIND_NONE ||
           p->blind_rings > 0 || p->blind_ns > 0 || p->woke_ns > 0 || p->io_ns > 0 || p->instant.seen_ns > 0;
}

static void pcpus_snapshot(struct snapshot *s, struct runstates *r)
{
    uint16_t known[PCPUS_MAX] = {0};
    size_t n = 0;
    for (uint16_t pcpu = 0; !s->from && pcpu < PCPUS_MAX; pcpu++)
        if (is_known(r, &r->pcpus[pcpu]))
            known[n++] = pcpu;
    n = snapshot_count(s, n, PCPUS_MAX);
    for (size_t i = 0; i < n; i++) {
        uint16_t pcpu = s->from ? 0 : known[i];
        SNAPSHOT(s, pcpu, PCPUS_MAX - 1);
        struct pcpu_track *p = &r->pcpus[pcpu];
        SNAPSHOT_ID(s, p->current, r->population->vcpus_n);
        SNAPSHOT_UNTIL(s, p->blind_from_ns);
        SNAPSHOT(s, p->blind_rings, UINT16_MAX);
        SNAPSHOT_SPAN(s, p->blind_ns);
        SNAPSHOT_TIME(s, p->woke_ns);
        SNAPSHOT_TIME(s, p->io_ns);
        SNAPSHOT_TIME(s, p->free_since);
        instant_snapshot(s, &p->instant);
    }
}

static void stretch_snapshot(struct snapshot *s, struct dark_stretch *d)
{
    SNAPSHOT_UNTIL(s, d->from_ns);
    SNAPSHOT_UNTIL(s, d->to_ns);
}

static void darkness_snapshot(struct snapshot *s, struct darkness *d)
{
    uint64_t n = snapshot_count(s, (size_t)(d->n - d->first), DARK_STRETCHES);
    if (s->from)
        d->n = n; /* places in the ring are counted anew */
    for (uint64_t i = d->n - n; i < d->n; i++)
        stretch_snapshot(s, &d->ring[i % DARK_STRETCHES]);
    stretch_snapshot(s, &d->forgotten);
    SNAPSHOT(s, d->blind_pcpus, PCPUS_MAX);
}

static void unexplained_snapshot(struct snapshot *s, struct unexplained *e, size_t vcpus_n)
{
    SNAPSHOT_TIME(s, e->since_ns);
    SNAPSHOT_TIME(s, e->at_ns);
    SNAPSHOT_ID(s, e->vcpu, vcpus_n);
    SNAPSHOT_ID(s, e->pcpu, PCPUS_MAX);
    SNAPSHOT(s, e->state, RUNSTATES - 1);
    SNAPSHOT(s, e->kind, UNEXPLAINED_OTHER);
}

static void unseen_snapshot(struct snapshot *s, struct unseen *u, size_t vcpus_n)
{
    SNAPSHOT(s, u->records, INT64_MAX);
    SNAPSHOT_FLAG(s, u->repeated);
    SNAPSHOT(s, u->proofs, INT64_MAX);
    SNAPSHOT(s, u->others, INT64_MAX);
    SNAPSHOT(s, u->late, INT64_MAX);
    SNAPSHOT_UNTIL(s, u->enough_ns);
    SNAPSHOT(s, u->tickled, PCPUS_MAX);
    uint64_t n = snapshot_count(s, (size_t)(u->n - unseen_oldest(u)), UNEXPLAINED_MAX);
    if (s->from)
        u->n = n;
    for (uint64_t i = u->n - n; i < u->n; i++)
        unexplained_snapshot(s, &u->unexplained[i % UNEXPLAINED_MAX], vcpus_n);
}

void runstates_snapshot(struct runstates *r, struct snapshot *s, uint64_t taken_ns)
{
    SNAPSHOT_TIME(s, r->settled_ns);
    s->failed |= r->settled_ns < taken_ns;
    SNAPSHOT_TIME(s, r->front_ns);
    SNAPSHOT_TIME(s, r->instant_ns);
    SNAPSHOT_SPAN(s, r->wait_max_ns);
    SNAPSHOT_FLAG(s, r->named_wait);
    SNAPSHOT_FLAG(s, r->damaged);
    SNAPSHOT_FLAG(s, r->first_run_lost);
    SNAPSHOT(s, r->settles_at, INT64_MAX);
    tracks_snapshot(s, r);
    pcpus_snapshot(s, r);
    transitions_snapshot(&r->queue, s, taken_ns, r->population->vcpus_n, r->population->incarnations_n);
    darkness_snapshot(s, &r->darkness);
    unseen_snapshot(s, &r->unseen, r->population->vcpus_n);
}

void runstates_drop_io(struct runstates *r)
{
    transitions_drop_io(&r->queue);
}
