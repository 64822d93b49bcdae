#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

struct model {
    struct population population;
    struct runstates *runstates;
    struct quality quality;
    struct vcpu_view *vcpus;
    size_t vcpus_n;
    uint32_t *current; /* by pCPU */
    struct model_view view;
    uint64_t settled_ns;
    uint64_t unknown_ns; /* of guests' vCPUs, of states that have ended */
    uint64_t doubtful_ns;
    uint64_t hidden_ns; /* of those: known, and off any pCPU, where nothing proves it */
    uint64_t lived_ns;  /* of guests' vCPUs: their ends less their beginnings, */
    uint64_t living;    /* and how many have no end yet; sums modulo 2^64 */
    uint64_t ran_ns;    /* the same of running, idle vCPUs included */
    uint64_t running;
    unsigned pcpus; /* that wrote records */
    bool begun, ended;
    bool goes_on; /* the next batch holds more of what was read by the last one */
    bool shows_idle;
};

struct model *model_new(uint64_t start_ns)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->current = malloc(PCPUS_MAX * sizeof *m->current);
    population_init(&m->population);
    if (!m->current || !(m->runstates = runstates_new(&m->population, &m->quality, start_ns))) {
        model_free(m);
        return NULL;
    }
    memset(m->current, 0xff, PCPUS_MAX * sizeof *m->current); /* NOBODY */
    m->view.current = m->current;
    m->settled_ns = start_ns;
    return m;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    runstates_free(m->runstates);
    population_free(&m->population);
    free(m->vcpus);
    free(m->current);
    free(m);
}

void model_show_idle(struct model *m)
{
    m->shows_idle = true;
}

void model_wants(struct trace_options *trace)
{
    runstates_interest(&trace->interest);
}

/* What was read by now says, of the events that come and of those that do not. */
static void begin_reading(struct model *m, const struct event_batch *batch)
{
    if (!m->begun && !batch->has_runstates)
        runstates_use_switches(m->runstates);
    if (!m->begun)
        runstates_settled(m->runstates, m->settled_ns);
    m->begun = true;
    if (batch->damaged)
        runstates_distrust(m->runstates);
    runstates_tickled(m->runstates, batch->damaged ? 0 : batch->unseen_pcpus);
    if (batch->first_sweep_cut)
        runstates_unseen(m->runstates, 0);
    m->pcpus = batch->pcpus_n;
    runstates_use_cores(m->runstates, batch->cores);
}

/* Room for all vCPUs in the view. False: no memory. */
static bool make_views(struct model *m)
{
    if (m->vcpus_n >= m->population.vcpus_n)
        return true;
    if (!array_make_room(&m->vcpus, &m->vcpus_n, m->population.vcpus_n, sizeof *m->vcpus))
        return false;
    m->view.vcpus = m->vcpus;
    m->view.vcpus_n = m->vcpus_n;
    return true;
}

int model_take(struct model *m, const struct event_batch *batch, const struct clock *clock, struct error *err)
{
    if (!m->goes_on)
        begin_reading(m, batch);
    m->goes_on = batch->more;
    for (size_t i = 0; i < batch->n; i++) {
        const struct event *e = &batch->events[i];
        if (!runstates_event(m->runstates, e, clock_ns(clock, e->tsc), clock))
            return error_no_memory(err, "the states of vCPUs");
    }
    return make_views(m) ? 0 : error_no_memory(err, "the states of vCPUs");
}

uint64_t model_settle(struct model *m, const struct event_batch *batch, const struct clock *clock)
{
    uint64_t settled = event_batch_settled(batch);
    bool all = settled > 0 && !batch->more;
    m->settled_ns = all ? runstates_settled(m->runstates, clock_ns(clock, settled))
                        : runstates_settled_by_now(m->runstates);
    return m->settled_ns;
}

int model_end(struct model *m, uint64_t end_ns, struct error *err)
{
    if (!runstates_end(m->runstates, end_ns))
        return error_no_memory(err, "the states of vCPUs");
    m->ended = true;
    if (m->settled_ns < end_ns)
        m->settled_ns = end_ns;
    return 0;
}

/* ---- the view ---- */

static void stop_running(struct model *m, uint32_t vcpu)
{
    const struct vcpu_view *v = &m->vcpus[vcpu];
    if (v->state == RUNSTATE_RUNNING && v->pcpu != NO_PCPU && m->current[v->pcpu] == vcpu)
        m->current[v->pcpu] = NOBODY;
}

/* How long the vCPU has been in a state that is not known. */
static uint64_t unknown_since(const struct vcpu_view *v, uint64_t now_ns)
{
    bool unknown = v->alive && !v->idle && v->state == RUNSTATE_UNKNOWN;
    return unknown && now_ns > v->since_ns ? now_ns - v->since_ns : 0;
}

/* Whether it is in a known state, and on no pCPU. */
static bool is_hidden(const struct vcpu_view *v)
{
    bool off_pcpu =
        v->state == RUNSTATE_RUNNABLE || v->state == RUNSTATE_BLOCKED || v->state == RUNSTATE_OFFLINE;
    return v->alive && !v->idle && off_pcpu;
}

static uint64_t doubtful_since(const struct model *m, const struct vcpu_view *v, uint64_t now_ns)
{
    return is_hidden(v) ? dark_clock_ns(&m->view.dark, now_ns) - v->dark_ns : 0;
}

/* All the time up to now was dark. */
static void doubt_past(struct model *m, uint64_t now_ns)
{
    m->doubtful_ns = m->hidden_ns;
    for (size_t i = 0; i < m->vcpus_n; i++) {
        struct vcpu_view *v = &m->vcpus[i];
        m->doubtful_ns += is_hidden(v) ? now_ns - v->since_ns : 0;
        v->dark_ns = dark_clock_ns(&m->view.dark, now_ns);
    }
}

/* As below, of a state that was not known, or where records were lost. */
static __attribute__((noinline)) void leave_unsure_state(struct model *m, struct vcpu_view *v,
                                                         uint64_t now_ns)
{
    if (v->state == RUNSTATE_UNKNOWN)
        m->unknown_ns += unknown_since(v, now_ns);
    m->hidden_ns += is_hidden(v) ? now_ns - v->since_ns : 0;
    if (m->view.dark.changed) {
        m->doubtful_ns += doubtful_since(m, v, now_ns);
        v->dark_ns = dark_clock_ns(&m->view.dark, now_ns);
    }
}

/* Its state ends. */
static inline void leave_state(struct model *m, struct vcpu_view *v, uint64_t now_ns)
{
    if (v->state == RUNSTATE_UNKNOWN || m->view.dark.changed)
        leave_unsure_state(m, v, now_ns);
    v->since_ns = now_ns;
}

static void change_state(struct model *m, const struct transition *t)
{
    struct vcpu_view *v = &m->vcpus[t->vcpu];
    stop_running(m, t->vcpu);
    if (v->state != t->to)
        leave_state(m, v, t->time_ns);
    v->state = t->to;
    if (t->pcpu != NO_PCPU)
        v->pcpu = t->pcpu;
    if (t->to == RUNSTATE_RUNNING && v->pcpu != NO_PCPU)
        m->current[v->pcpu] = t->vcpu;
}

/* A vCPU that ran, or did not, runs from now on, or does not. */
static inline void count_running(struct model *m, bool ran, bool runs, uint64_t now_ns)
{
    uint64_t more = (uint64_t)runs - (uint64_t)ran; /* 1, 0 or, modulo 2^64, -1 */
    m->running += more;
    m->ran_ns -= more * now_ns;
}

static void appear(struct model *m, const struct transition *t)
{
    const struct vcpu_identity *who = &m->population.vcpus[t->vcpu];
    struct vcpu_view *v = &m->vcpus[t->vcpu];
    bool idle = m->population.incarnations[who->life].domain == IDLE_DOMAIN;
    bool running = t->to == RUNSTATE_RUNNING && (!idle || m->shows_idle);
    *v = (struct vcpu_view){.since_ns = t->time_ns,
                            .dark_ns = dark_clock_ns(&m->view.dark, t->time_ns),
                            .pcpu = idle && who->id < PCPUS_MAX ? who->id
                                    : running                   ? t->pcpu
                                                                : NO_PCPU,
                            .state = t->to,
                            .alive = true,
                            .idle = idle};
    if (running && t->pcpu != NO_PCPU)
        m->current[t->pcpu] = t->vcpu;
    count_running(m, false, t->to == RUNSTATE_RUNNING, t->time_ns);
    m->living += !idle;
    m->lived_ns -= idle ? 0 : t->time_ns;
}

static void die(struct model *m, const struct transition *t)
{
    struct vcpu_view *v = &m->vcpus[t->vcpu];
    stop_running(m, t->vcpu);
    count_running(m, v->alive && v->state == RUNSTATE_RUNNING, false, t->time_ns);
    m->living -= v->alive && !v->idle;
    m->lived_ns += v->alive && !v->idle ? t->time_ns : 0;
    leave_state(m, v, t->time_ns);
    v->alive = false;
    v->state = RUNSTATE_OFFLINE;
}

static void keep_before(struct model *m, const struct vcpu_view *v)
{
    m->view.before = v->alive ? v->state : RUNSTATE_UNKNOWN;
    m->view.before_pcpu = v->alive ? v->pcpu : NO_PCPU;
}

/* As look(), of what is no change of state. */
static __attribute__((noinline)) bool look_otherwise(struct model *m, const struct transition *t)
{
    if (t->kind >= TRANSITION_IO) {
        if (t->kind == TRANSITION_DARK)
            dark_clock_change(&m->view.dark, t->value != DARK_ENDS, t->time_ns);
        if (t->kind == TRANSITION_DARK && t->value == DARK_ALL_ALONG)
            doubt_past(m, t->time_ns);
        return t->kind != TRANSITION_REMOVED;
    }
    struct vcpu_view *v = &m->vcpus[t->vcpu];
    if (v->idle && !m->shows_idle)
        return false;
    keep_before(m, v);
    if (t->kind == TRANSITION_APPEAR)
        appear(m, t);
    else if (t->kind == TRANSITION_DIE)
        die(m, t);
    return m->shows_idle || !v->idle;
}

/* Brings the view up to date. False: the transition is an idle vCPU's, and not to be handed out. */
static inline bool look(struct model *m, const struct transition *t)
{
    if (t->kind == TRANSITION_IO) /* most are, where hypercalls are recorded */
        return true;
    if (t->kind != TRANSITION_STATE)
        return look_otherwise(m, t);
    struct vcpu_view *v = &m->vcpus[t->vcpu];
    if (v->alive)
        count_running(m, v->state == RUNSTATE_RUNNING, t->to == RUNSTATE_RUNNING, t->time_ns);
    if (v->idle && !m->shows_idle) {
        v->state = t->to;
        return false;
    }
    keep_before(m, v);
    if (v->alive)
        change_state(m, t);
    return true;
}

const struct transition *model_next(struct model *m)
{
    const struct transition *t;
    if (m->settled_ns == 0 &&
        !m->ended) /* nothing is settled yet, and the rest of the very first moment may be in the next batch */
        return NULL;
    do
        t = runstates_take(m->runstates, m->settled_ns);
    while (t && !look(m, t));
    return t;
}

const struct model_view *model_view(const struct model *m)
{
    return &m->view;
}

const struct population *model_population(const struct model *m)
{
    return &m->population;
}

const struct quality *model_quality(struct model *m)
{
    uint64_t pcpu_ns = m->pcpus * m->settled_ns, ran_ns = m->ran_ns + m->running * m->settled_ns;
    m->quality.pcpu_unknown_ns = pcpu_ns > ran_ns ? pcpu_ns - ran_ns : 0;
    return &m->quality;
}

void model_count_from(struct model *m, uint64_t from_ns)
{
    runstates_count_from(m->runstates, from_ns);
}

void model_count_to(struct model *m, uint64_t to_ns)
{
    runstates_count_to(m->runstates, to_ns);
}

uint64_t model_blind_open_ns(const struct model *m, uint16_t pcpu)
{
    return runstates_blind_open_ns(m->runstates, pcpu);
}

const struct hole_count *model_holes(const struct model *m)
{
    return runstates_holes(m->runstates);
}

uint64_t model_blind_ns(const struct model *m, uint16_t pcpu)
{
    return runstates_blind_ns(m->runstates, pcpu);
}

uint64_t model_vcpu_ns(const struct model *m, uint64_t now_ns)
{
    return m->lived_ns + m->living * now_ns;
}

uint64_t model_unknown_ns(const struct model *m, uint64_t now_ns)
{
    uint64_t ns = m->unknown_ns;
    for (size_t v = 0; v < m->vcpus_n; v++)
        ns += unknown_since(&m->vcpus[v], now_ns);
    return ns;
}

uint64_t model_doubtful_ns(const struct model *m, uint64_t now_ns)
{
    uint64_t ns = m->doubtful_ns;
    for (size_t v = 0; v < m->vcpus_n; v++)
        ns += doubtful_since(m, &m->vcpus[v], now_ns);
    return ns;
}

bool model_shows_idle(const struct model *m)
{
    return m->shows_idle;
}

uint64_t model_settled(const struct model *m)
{
    return m->settled_ns;
}

uint32_t model_current(const struct model *m, uint16_t pcpu)
{
    uint32_t vcpu = runstates_current(m->runstates, pcpu);
    if (vcpu == NOBODY)
        return CURRENT_UNKNOWN;
    const struct vcpu_identity *who = &m->population.vcpus[vcpu];
    return (uint32_t)m->population.incarnations[who->life].domain << 16 | who->id;
}

size_t model_memory(const struct model *m)
{
    return population_memory(&m->population) + runstates_memory(m->runstates) + m->vcpus_n * sizeof *m->vcpus;
}

/* ---- snapshots ---- */

static void view_snapshot(struct model *m, uint32_t vcpu, struct snapshot *s)
{
    struct vcpu_view *v = &m->vcpus[vcpu];
    bool current = v->pcpu != NO_PCPU && m->current[v->pcpu] == vcpu;
    SNAPSHOT_TIME(s, v->since_ns);
    SNAPSHOT_SPAN(s, v->dark_ns);
    SNAPSHOT_ID(s, v->pcpu, PCPUS_MAX);
    SNAPSHOT(s, v->state, RUNSTATES - 1);
    SNAPSHOT_FLAG(s, v->alive);
    SNAPSHOT_FLAG(s, v->idle);
    SNAPSHOT_FLAG(s, current);
    if (current && v->pcpu != NO_PCPU && (m->shows_idle || !v->idle))
        m->current[v->pcpu] = vcpu;
}

static void sums_snapshot(struct model *m, struct snapshot *s)
{
    SNAPSHOT(s, m->unknown_ns, UINT64_MAX);
    SNAPSHOT(s, m->doubtful_ns, UINT64_MAX);
    SNAPSHOT(s, m->hidden_ns, UINT64_MAX);
    SNAPSHOT(s, m->lived_ns, UINT64_MAX);
    SNAPSHOT(s, m->living, UINT64_MAX);
    SNAPSHOT(s, m->ran_ns, UINT64_MAX);
    SNAPSHOT(s, m->running, UINT64_MAX);
}

static void model_snapshot(struct model *m, struct snapshot *s)
{
    population_snapshot(&m->population, s);
    SNAPSHOT_TIME(s, m->settled_ns);
    runstates_snapshot(m->runstates, s, m->settled_ns);
    s->now_ns = m->settled_ns; /* what was handed out is not later */
    sums_snapshot(m, s);
    dark_clock_snapshot(&m->view.dark, s);
    if (!s->failed && !make_views(m))
        s->failed = true;
    for (uint32_t v = 0; v < m->population.vcpus_n && !s->failed; v++)
        view_snapshot(m, v, s);
}

bool model_save(const struct model *m, struct snapshot *s)
{
    if (m->goes_on || !runstates_can_be_saved(m->runstates))
        return false;
    model_snapshot((struct model *)(uintptr_t)m, s); /* which leaves it as it is */
    return !s->failed;
}

void model_restore(struct model *m, struct snapshot *s, bool io_wanted)
{
    model_snapshot(m, s);
    if (!io_wanted)
        runstates_drop_io(m->runstates);
    m->begun = true;
    m->view.before = RUNSTATE_UNKNOWN;
    m->view.before_pcpu = NO_PCPU;
}
