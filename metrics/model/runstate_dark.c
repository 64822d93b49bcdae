/*
 * What lost records leave in the dark. blind.h says what that means; here it is decided, for each vCPU, what the records
 * on both sides of the dark say about the time between them.
 *
 * A vCPU that is off a pCPU changes unseen only while a pCPU is blind. So between two dark stretches it may be in another
 * state than its records say, for all of that time: one that it entered in the first and left in the second. If it looks
 * runnable, it may have been blocked: however long. If it looks blocked, it may have been runnable: as long as vCPUs of
 * this host wait, which the trace shows, or as its pCPU goes on with whom it runs. So a light that is longer than that ends the
 * doubt. That does not bound pauses: of one that began in the dark it is not known since when it was offline, and one that ended
 * in the dark may look as if it lasted. A pause whose both ends are lost, or a break of one, does not show: such time keeps its
 * state.
 */
#include "metrics/min_max.h"

#include "runstate_internal.h"

#define SETTLE_NS      1000000000u /* after a dark stretch: how long a contradiction may take to show, */
#define SETTLE_MOST_NS 5000000000u /* and the next record of a vCPU of which little is known */
#define CENSORED_WAIT  2           /* a wait that a dark stretch cuts off counts so many times as long */
#define WAITS_LONGEST  2 /* a wait is never longer than so many times the longest of many that were seen */

/* The longest of the waits of n records is the longest of all the less surely the fewer they are: it counts as longer by this / n. */
#define WAITS_RECORDS 512

bool runstates_near(const struct runstates *r, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t few_ns = r->wait_max_ns * WAITS_RECORDS / (r->unseen.records + 1);
    return to_ns - from_ns <= WAITS_LONGEST * r->wait_max_ns + few_ns;
}

/* ---- doubt beyond the dark itself ---- */

static void put_doubt(struct runstates *r, uint64_t time_ns, uint32_t vcpu, bool doubtful)
{
    runstates_put(
        r, time_ns,
        (struct transition){.kind = TRANSITION_DOUBT, .vcpu = vcpu, .pcpu = NO_PCPU, .value = doubtful});
}

void runstates_put_doubt(struct runstates *r, uint32_t vcpu, uint64_t from_ns, uint64_t to_ns)
{
    if (from_ns >= to_ns || to_ns <= r->settled_ns)
        return;
    put_doubt(r, from_ns, vcpu, true);
    put_doubt(r, to_ns, vcpu, false);
}

static void end_doubt(struct runstates *r, uint32_t vcpu, uint64_t at_ns)
{
    struct track *k = &r->tracks[vcpu];
    put_doubt(r, at_ns, vcpu, false);
    k->doubtful = false;
    r->doubtful_n--;
}

/*
 * Whoever became runnable since light_ns, and still is at dark_ns, waits: how long in all nobody knows, so twice as long as until
 * then counts.
 */
static void note_waits(struct runstates *r, uint64_t light_ns, uint64_t dark_ns)
{
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        const struct track *k = &r->tracks[v];
        bool waits = k->seen && !k->idle && k->state == RUNSTATE_RUNNABLE;
        if (waits && k->since_ns >= light_ns && k->since_ns < dark_ns)
            runstates_note_wait(r, CENSORED_WAIT * (dark_ns - k->since_ns), dark_ns);
    }
}

static void begin_doubt(struct runstates *r, uint32_t vcpu, uint64_t at_ns)
{
    put_doubt(r, at_ns, vcpu, true);
    r->tracks[vcpu].doubtful = true;
    r->doubtful_n++;
}

/*
 * Whether the pCPU where the vCPU ran last took no decision since then: whoever was woken before that may wait there all the time,
 * however long others of this host do.
 */
static bool is_held_up(const struct runstates *r, const struct track *k, uint64_t since_ns)
{
    uint32_t runs = k->pcpu == NO_PCPU ? NOBODY : r->pcpus[k->pcpu].current;
    return runs != NOBODY && !r->tracks[runs].idle && r->tracks[runs].since_ns <= since_ns;
}

/*
 * It was light from light_ns to dark_ns. Whoever slept all the time may have been runnable instead, if that was short. This
 * doubt lasts until a longer light, or the vCPU's next record.
 */
static void doubt_silent(struct runstates *r, uint64_t light_ns, uint64_t dark_ns)
{
    bool near = runstates_near(r, light_ns, dark_ns);
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        const struct track *k = &r->tracks[v];
        bool asleep = k->seen && !k->idle && runstates_is_asleep(k) && k->since_ns < light_ns;
        bool waits = asleep && (near || is_held_up(r, k, light_ns));
        if (k->doubtful && !waits && !runstates_is_paused(k))
            end_doubt(r, v, light_ns);
        else if (waits && !k->doubtful)
            begin_doubt(r, v, light_ns);
    }
}

/*
 * It is light again. Whoever was paused before may have been released in the dark, and be blocked since, however long; or it was
 * blocked, and is offline since an event came.
 */
static void doubt_paused(struct runstates *r, uint64_t light_ns)
{
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        const struct track *k = &r->tracks[v];
        bool paused = k->seen && !k->idle && runstates_is_paused(k) && k->since_ns < light_ns;
        if (paused && !k->doubtful)
            begin_doubt(r, v, light_ns);
    }
}

/*
 * The vCPU was runnable at from_ns and at to_ns, and perhaps between the two. If it was so, it waited through each light between them:
 * the longest of these is a wait that this host may have.
 */
static void note_light(struct runstates *r, uint64_t from_ns, uint64_t to_ns)
{
    const struct darkness *d = &r->darkness;
    uint64_t light_ns = from_ns, longest_ns = 0;
    for (uint64_t i = darkness_after(d, from_ns); i < d->n && light_ns < to_ns; i++) {
        const struct dark_stretch *s = darkness_stretch(d, i);
        uint64_t dark_ns = min64(s->from_ns, to_ns);
        longest_ns = max64(longest_ns, dark_ns - min64(light_ns, dark_ns));
        light_ns = s->to_ns;
    }
    runstates_note_wait(r, longest_ns, to_ns);
}

void runstates_confirm(struct runstates *r, uint32_t vcpu, uint64_t now_ns)
{
    struct track *k = &r->tracks[vcpu];
    const struct darkness *d = &r->darkness;
    uint64_t last_light_ns = d->blind_pcpus > 0 ? now_ns : darkness_stretch(d, d->n - 1)->to_ns;
    if (k->doubtful)
        end_doubt(r, vcpu, min64(last_light_ns, now_ns));
    struct dark_stretch gap;
    if (k->state == RUNSTATE_RUNNABLE && !k->idle && darkness_between(d, k->since_ns, now_ns, &gap)) {
        runstates_put_doubt(r, vcpu, gap.from_ns, gap.to_ns);
        note_light(r, k->since_ns, now_ns);
    }
}

/* It becomes dark at dark_ns, after light since light_ns; 0: since the beginning. */
static void begin_dark(struct runstates *r, uint64_t light_ns, uint64_t dark_ns)
{
    note_waits(r, light_ns, dark_ns);
    if (light_ns > 0)
        doubt_silent(r, light_ns, dark_ns);
}

/* ---- blind pCPUs ---- */

static void put_dark(struct runstates *r, uint64_t now_ns, enum dark_change change)
{
    runstates_put(
        r, now_ns,
        (struct transition){.kind = TRANSITION_DARK, .vcpu = NOBODY, .pcpu = NO_PCPU, .value = change});
}

/* Records came, and nothing seemed lost; now it turns out that others were lost from from_ns on. */
static void explain(struct runstates *r, uint64_t from_ns)
{
    for (uint64_t i = unseen_oldest(&r->unseen); i < r->unseen.n; i++) {
        struct unexplained *u = &r->unseen.unexplained[i % UNEXPLAINED_MAX];
        bool first = u->kind == UNEXPLAINED_FIRST;
        if (u->vcpu == NOBODY || u->at_ns <= from_ns)
            continue;
        if (first && r->tracks[u->vcpu].first_ns > 0)
            continue;
        if (first && u->state != RUNSTATE_RUNNABLE)
            runstates_doubt_first(r, u->vcpu, (enum runstate)u->state, u->since_ns, u->at_ns);
        else
            runstates_put_state(r, first ? u->since_ns : max64(u->since_ns, from_ns), u->vcpu, u->state,
                                RUNSTATE_UNKNOWN, u->pcpu, UINT32_MAX);
        r->quality->inconsistent -= !first;
        unseen_explain(&r->unseen, u);
    }
    unseen_reconsider(&r->unseen);
}

void runstates_blind_begin(struct runstates *r, uint16_t pcpu, uint64_t from_ns)
{
    struct pcpu_track *p = &r->pcpus[pcpu];
    struct darkness *d = &r->darkness;
    if (p->blind_from_ns != BLIND_NONE)
        return;
    r->quality->blind_late_ns += r->settled_ns - min64(from_ns, r->settled_ns);
    from_ns = max64(from_ns, r->settled_ns);
    uint64_t light_ns = d->n > d->first ? darkness_stretch(d, d->n - 1)->to_ns : 0;
    if (darkness_begin(d, from_ns))
        begin_dark(r, light_ns, from_ns);
    p->blind_from_ns = from_ns;
    r->first_run_lost |= p->current == NOBODY && p->free_since == r->start_ns;
    put_dark(r, from_ns, DARK_BEGINS);
    explain(r, from_ns);
    if (r->use_switches && from_ns < r->front_ns)
        runstates_switch_doubt(r, from_ns);
    if (p->current == NOBODY)
        return;
    uint32_t vcpu = p->current;
    from_ns = max64(from_ns, r->tracks[vcpu].since_ns);
    runstates_lose(r, vcpu, from_ns, pcpu);
    runstates_vacate(r, vcpu, from_ns);
}

void runstates_blind_end(struct runstates *r, uint16_t pcpu, uint64_t now_ns)
{
    struct pcpu_track *p = &r->pcpus[pcpu];
    if (p->blind_from_ns == BLIND_NONE)
        return;
    uint64_t blind_ns = runstates_counted_ns(r, p->blind_from_ns, now_ns);
    r->quality->blind_ns += blind_ns;
    p->blind_ns += blind_ns;
    p->blind_from_ns = BLIND_NONE;
    darkness_end(&r->darkness, now_ns);
    put_dark(r, now_ns, DARK_ENDS);
    if (r->darkness.blind_pcpus == 0)
        doubt_paused(r, now_ns);
    if (p->current == NOBODY)
        p->free_since = now_ns;
}

/* ---- what was not recorded at all ---- */

/* It becomes dark at from_ns, not of a loss on a pCPU that records. */
static void darken(struct runstates *r, uint64_t from_ns, enum dark_change change)
{
    struct darkness *d = &r->darkness;
    uint64_t light_ns = d->n > d->first ? darkness_stretch(d, d->n - 1)->to_ns : 0;
    if (darkness_begin(d, from_ns))
        begin_dark(r, light_ns, from_ns);
    put_dark(r, from_ns, change);
}

/* From when on nothing is known of the vCPU: dark since its last record, and it does not look asleep. */
static bool is_open(const struct runstates *r, const struct track *k, uint64_t upto_ns, uint64_t *from_ns)
{
    struct dark_stretch gap;
    bool open = k->state == RUNSTATE_RUNNABLE || k->state == RUNSTATE_UNKNOWN;
    if (!open || !k->seen || k->idle || !darkness_between(&r->darkness, k->since_ns, upto_ns, &gap))
        return false;
    *from_ns = gap.from_ns;
    return true;
}

void runstates_hole(struct runstates *r, uint64_t from_ns, uint64_t to_ns)
{
    const struct population *p = r->population;
    runstates_count_hole(r, from_ns, to_ns);
    darken(r, from_ns, DARK_BEGINS);
    for (uint32_t vcpu = 0; vcpu < p->vcpus_n; vcpu++) {
        struct track *k = &r->tracks[vcpu];
        uint64_t lost_ns = from_ns;
        k->woken = false;
        if (!k->seen || p->incarnations[p->vcpus[vcpu].life].ended)
            continue;
        runstates_vacate(r, vcpu, from_ns);
        if (k->doubtful)
            end_doubt(r, vcpu, from_ns);
        if (k->state != RUNSTATE_UNKNOWN && is_open(r, k, from_ns, &lost_ns))
            lost_ns = max64(lost_ns, r->settled_ns);
        if (k->state != RUNSTATE_UNKNOWN)
            runstates_put_state(r, lost_ns, vcpu, k->state, RUNSTATE_UNKNOWN, k->pcpu, UINT32_MAX);
        k->state = RUNSTATE_UNKNOWN;
        k->since_ns = from_ns;
        k->leaving_noted = false;
        k->leaving = k->pause = k->wakes = 0;
        k->woken_on = NO_PCPU;
    }
    darkness_end(&r->darkness, to_ns);
    put_dark(r, to_ns, DARK_ENDS);
    for (unsigned pcpu = 0; pcpu < PCPUS_MAX; pcpu++) {
        instant_break(&r->pcpus[pcpu].instant); /* switches are missing: the runs do not follow one another */
        if (r->pcpus[pcpu].current == NOBODY)
            r->pcpus[pcpu].free_since = to_ns;
    }
    r->hole_end_ns = to_ns;
}

void runstates_become_dark(struct runstates *r, uint64_t now_ns)
{
    uint64_t from_ns = now_ns - r->start_ns < BEGINNING_NS ? r->start_ns : now_ns;
    uint64_t dark_ns = max64(from_ns, r->settled_ns);
    r->first_run_lost |= from_ns == r->start_ns;
    darken(r, dark_ns, dark_ns > r->start_ns ? DARK_ALL_ALONG : DARK_BEGINS);
    explain(r, from_ns);
    r->quality->skew_max_ns = 0; /* what seemed to be skew may have been on that pCPU */
}

/* ---- contradictions ---- */

void runstates_take_back(struct runstates *r, uint32_t vcpu)
{
    r->quality->inconsistent -= unseen_take_back(&r->unseen, vcpu);
}

/* A record from state `old` that nothing explains, as far as is known by now. */
static void unexplained(struct runstates *r, const struct unexplained *u, enum runstate old)
{
    runstates_count_inconsistent(r, u->at_ns);
    unseen_note(&r->unseen, u, old, r->darkness.n == 0);
    runstates_prove_unseen(r, u->at_ns);
    if (unseen_muddled(&r->unseen))
        runstates_give_up(r);
}

static void contradicts(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old)
{
    struct track *k = &r->tracks[vcpu];
    const struct unexplained u = {
        .since_ns = k->since_ns, .at_ns = now_ns, .vcpu = vcpu, .pcpu = k->pcpu, .state = k->state};
    k->contradicted = true;
    unexplained(r, &u, old);
}

/*
 * The part of the gap in which the vCPU changed: not where it slept, before or after, too long to have been runnable. Of one that
 * was paused it is not known when that began, or ended.
 */
static void narrow(const struct runstates *r, struct dark_stretch *gap, enum runstate before,
                   enum runstate after)
{
    const struct darkness *d = &r->darkness;
    uint64_t end = darkness_after(d, gap->to_ns - 1);
    uint64_t light_ns = UINT64_MAX;
    if (before == RUNSTATE_OFFLINE || after == RUNSTATE_OFFLINE)
        return;
    for (uint64_t i = darkness_after(d, max64(gap->from_ns, r->settled_ns)); i <= end && i < d->n; i++) {
        const struct dark_stretch *s = darkness_stretch(d, i);
        bool apart = light_ns != UINT64_MAX && !runstates_near(r, light_ns, s->from_ns);
        if (apart && after == RUNSTATE_BLOCKED) {
            gap->to_ns = light_ns;
            return;
        }
        if (apart && before == RUNSTATE_BLOCKED)
            gap->from_ns = s->from_ns;
        light_ns = s->to_ns;
    }
}

/* The vCPU ran on the pCPU until now: and that since all is recorded there, as nobody began to run. */
static void narrow_run(const struct runstates *r, struct dark_stretch *gap, uint16_t pcpu, uint64_t now_ns)
{
    const struct pcpu_track *p = &r->pcpus[pcpu];
    if (p->current == NOBODY && !runstates_was_dark(r, pcpu, now_ns))
        gap->to_ns = min64(gap->to_ns, max64(gap->from_ns, p->free_since));
}

void runstates_contradiction(struct runstates *r, uint32_t vcpu, uint64_t now_ns, uint16_t pcpu,
                             enum runstate old)
{
    struct track *k = &r->tracks[vcpu];
    enum runstate tracked = k->state;
    struct dark_stretch gap;
    bool seen = tracked == RUNSTATE_RUNNING; /* where it runs no records are lost: it would be unknown */
    if (seen || !darkness_between(&r->darkness, k->since_ns, now_ns, &gap)) {
        if (tracked != RUNSTATE_UNKNOWN)
            contradicts(r, vcpu, now_ns, old);
        runstates_vacate(r, vcpu, now_ns);
        return;
    }
    if (!runstates_is_paused(k))
        narrow(r, &gap, tracked, old);
    if (old == RUNSTATE_RUNNING)
        narrow_run(r, &gap, pcpu, now_ns);
    if (k->doubtful)
        end_doubt(r, vcpu, gap.from_ns);
    if (tracked != RUNSTATE_UNKNOWN)
        runstates_put_state(r, gap.from_ns, vcpu, tracked, RUNSTATE_UNKNOWN, k->pcpu, UINT32_MAX);
    runstates_vacate(r, vcpu, gap.from_ns);
    k->state = RUNSTATE_UNKNOWN;
    if (gap.to_ns < now_ns)
        runstates_backdate(r, vcpu, gap.to_ns, now_ns, RUNSTATE_UNKNOWN, old, pcpu);
}

struct mend {
    uint32_t vcpu;
    uint64_t before_ns;
    enum runstate state;
    bool done;
};

static void mend_wait(void *context, struct transition *t)
{
    struct mend *m = context;
    bool waits = t->kind == TRANSITION_STATE && t->from == RUNSTATE_UNKNOWN && t->to == RUNSTATE_RUNNABLE;
    if (!waits || t->vcpu != m->vcpu || t->time_ns >= m->before_ns)
        return;
    t->to = m->state & 15;
    m->done = true;
}

bool runstates_seemed_to_wait(struct runstates *r, uint32_t vcpu, enum runstate old)
{
    const struct track *k = &r->tracks[vcpu];
    struct mend m = {.vcpu = vcpu, .before_ns = k->since_ns, .state = old};
    struct dark_stretch lost;
    bool dark = darkness_between(&r->darkness, k->slept_ns, k->since_ns, &lost);
    bool fitted = k->contradicted_ns != k->since_ns;
    if (!dark &&
        !r->unseen.known) /* it was woken as its records say: this wake is of a sleep that is yet to come */
        return false;
    if (dark)
        transitions_visit(&r->queue, k->slept_ns, mend_wait, &m);
    if (dark && fitted && !m.done) {
        runstates_put_state(r, lost.from_ns, vcpu, RUNSTATE_RUNNABLE, RUNSTATE_UNKNOWN, NO_PCPU, UINT32_MAX);
        if (lost.to_ns < k->since_ns)
            runstates_put_state(r, lost.to_ns, vcpu, RUNSTATE_UNKNOWN, old, NO_PCPU, UINT32_MAX);
    } else if (!dark && fitted) {
        const struct unexplained u = {k->slept_ns, k->since_ns, vcpu, NO_PCPU, RUNSTATE_RUNNABLE, 0};
        unexplained(r, &u, old);
    }
    return dark || fitted;
}

/* The wake is counted, and no more. */
static void only_count_wake(void *context, struct transition *t)
{
    const struct mend *m = context;
    if (t->kind == TRANSITION_STATE && t->vcpu == m->vcpu && t->time_ns == m->before_ns &&
        t->to == RUNSTATE_RUNNABLE)
        t->kind = TRANSITION_SKEWED;
}

bool runstates_woke_before(struct runstates *r, uint32_t vcpu, uint64_t now_ns, enum runstate old)
{
    struct track *k = &r->tracks[vcpu];
    struct dark_stretch lost;
    bool woken = k->state == RUNSTATE_RUNNABLE && k->woken_on != NO_PCPU && k->woken_on != k->record_pcpu;
    bool ran = k->record_old == RUNSTATE_RUNNABLE && k->state_before == old;
    if (!woken || !ran || k->contradicted || old == RUNSTATE_RUNNING || old == RUNSTATE_RUNNABLE ||
        k->since_ns - k->contradicted_ns > SKEW_USUAL_NS ||
        darkness_between(&r->darkness, k->contradicted_ns, now_ns, &lost))
        return false;
    r->quality->skew_max_ns = max64(r->quality->skew_max_ns, k->since_ns - k->contradicted_ns);
    struct mend m = {.vcpu = vcpu, .before_ns = k->since_ns, .state = old};
    transitions_visit(&r->queue, k->since_ns - 1, only_count_wake, &m);
    m.before_ns = k->contradicted_ns;
    transitions_visit(&r->queue, k->noted_since_ns, mend_wait, &m);
    k->state = (uint8_t)old;
    k->since_ns = k->slept_ns;
    return true;
}

/* ---- until when ---- */

uint64_t runstates_hold(struct runstates *r, uint64_t watermark_ns, uint64_t most_ns)
{
    uint64_t recent_ns = watermark_ns - min64(watermark_ns, SETTLE_NS);
    uint64_t hold_ns = min64(most_ns, darkness_earliest(&r->darkness, recent_ns)), from_ns;
    if (darkness_earliest(&r->darkness, r->settled_ns) < hold_ns)
        for (uint32_t v = 0; v < r->population->vcpus_n; v++)
            if (is_open(r, &r->tracks[v], hold_ns, &from_ns) && from_ns >= r->settled_ns)
                hold_ns = min64(hold_ns, from_ns);
    uint64_t least_ns = watermark_ns - min64(watermark_ns, SETTLE_MOST_NS);
    return max64(hold_ns, min64(least_ns, most_ns));
}

void runstates_release(struct runstates *r, uint64_t settled_ns, bool end)
{
    const struct darkness *d = &r->darkness;
    uint64_t light_ns = darkness_stretch(d, d->n - 1)->to_ns, from_ns;
    if (end && light_ns < settled_ns)
        begin_dark(r, light_ns, settled_ns);
    if (darkness_earliest(d, r->settled_ns) >= settled_ns)
        return;
    for (uint32_t v = 0; v < r->population->vcpus_n; v++) {
        struct track *k = &r->tracks[v];
        if (k->state != RUNSTATE_RUNNABLE || !is_open(r, k, settled_ns, &from_ns))
            continue;
        runstates_put_state(r, from_ns, v, k->state, RUNSTATE_UNKNOWN, k->pcpu, UINT32_MAX);
        k->state = RUNSTATE_UNKNOWN;
        k->since_ns = from_ns;
    }
}
