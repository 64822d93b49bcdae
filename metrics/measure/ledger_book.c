/* What a transition adds. */
#include "ledger_cells.h"
#include "metrics/min_max.h"

static bool pcpu_wanted(const struct ledger *l, const struct account *a)
{
    return !l->options.pcpus_wanted || (a->pcpu != NO_PCPU && l->options.pcpus_wanted[a->pcpu]);
}

static void add_time(struct measures *m, const struct account *a, int64_t ns)
{
    if (a->idle) {
        m->idle_ns += a->state == RUNSTATE_RUNNING ? ns : 0;
        return;
    }
    m->state_ns[a->state] += ns;
    if (a->state == RUNSTATE_RUNNABLE) {
        if (a->wait_kind == WAIT_WAKE)
            m->wake_wait_ns += (uint64_t)ns;
        else if (a->wait_kind == WAIT_PREEMPT)
            m->preempt_wait_ns += (uint64_t)ns;
    }
}

/*
 * Of the last ns up to until_ns, as much as is dark: there something may have happened unseen, as off a pCPU nothing proves
 * that it was in its state.
 */
static void book_doubt(struct ledger *l, struct account *a, uint64_t until_ns, uint64_t ns)
{
    uint64_t dark_ns = dark_clock_ns(&l->dark, until_ns);
    if (a->doubts == 0)
        ns = dark_ns - a->dark_ns;
    a->dark_ns = dark_ns;
    if (ns == 0 || a->state == RUNSTATE_RUNNING || a->state == RUNSTATE_UNKNOWN || a->idle)
        return;
    a->doubtful = true;
    if (l->reporting)
        l->doubtful_ns += ns;
    for (struct measures *const *m = a->booked; *m; m++)
        (*m)->doubtful_ns += (int64_t)ns;
}

static inline __attribute__((always_inline)) void book_time(struct ledger *l, struct account *a,
                                                            uint64_t until_ns)
{
    if (until_ns <= a->since_ns)
        return;
    int64_t ns = (int64_t)(until_ns - a->since_ns);
    a->since_ns = until_ns;
    l->vcpu_ns += a->idle || !l->reporting ? 0 : (uint64_t)ns;
    l->ran_ns += a->idle || !l->reporting || a->state != RUNSTATE_RUNNING ? 0 : (uint64_t)ns;
    if (a->state == RUNSTATE_UNKNOWN && !a->idle && l->reporting)
        l->unknown_ns += (uint64_t)ns;
    for (struct measures *const *m = a->booked; *m; m++)
        add_time(*m, a, ns);
    if (l->dark.changed || a->doubts > 0)
        book_doubt(l, a, until_ns, (uint64_t)ns);
}

void ledger_book_time(struct ledger *l, struct account *a, uint64_t until_ns)
{
    book_time(l, a, until_ns);
}

void ledger_book_domain(struct domain_account *d, uint64_t until_ns)
{
    if (!d->begun || until_ns <= d->since_ns)
        return;
    if (d->cell)
        d->cell->live.domain_ns[d->state] += (int64_t)(until_ns - d->since_ns);
    d->since_ns = until_ns;
}

static void domain_moves(struct ledger *l, const struct account *a, uint64_t now_ns, int from, int to)
{
    if (!ledger_wants(l, BY_DOMAIN) || a->idle)
        return;
    struct domain_account *d = &l->domains[a->life];
    ledger_book_domain(d, now_ns);
    if (from >= 0)
        d->in_state[from]--;
    if (to >= 0)
        d->in_state[to]++;
    d->state = (uint8_t)domain_runstate_of(d->in_state);
}

static inline void sample(struct ledger *l, struct histogram *h, enum histogram_of of, uint64_t start_ns,
                          uint64_t now_ns)
{
    if (start_ns == NS_UNKNOWN)
        return;
    if (l->options.no_percentiles & of)
        histogram_count(h, now_ns - start_ns, now_ns);
    else if (!histogram_add(h, now_ns - start_ns, now_ns))
        l->out_of_memory = true;
}

void ledger_end_execution(struct ledger *l, uint32_t vcpu, uint64_t now_ns, enum execution_end end)
{
    struct account *a = &l->accounts[vcpu];
    const struct vcpu_identity *who = &l->population->vcpus[vcpu];
    const struct incarnation *life = &l->population->incarnations[who->life];
    if (!l->options.executions || a->idle || !l->reporting || !ledger_hands_out(l) || !pcpu_wanted(l, a))
        return;
    bool whole = a->run_start != NS_UNKNOWN;
    uint64_t start = a->running_since;
    if (start < l->options.from_ns)
        start = l->options.from_ns;
    struct execution e = {
        .domain = life->domain,
        .life = life->number,
        .vcpu = who->id,
        .pcpu = a->pcpu == NO_PCPU ? -1 : a->pcpu,
        .start_ns = start,
        .end_ns = now_ns,
        .blocked_before_ns = whole ? a->blocked_before_ns : NS_UNKNOWN,
        .waited_ns = whole ? a->waited_ns : NS_UNKNOWN,
        .wait_kind = whole ? (enum wait_kind)a->wait_kind : WAIT_UNKNOWN,
        .ran_ns = now_ns - start,
        .allocated_ns = a->slice_ns == UINT32_MAX ? NS_UNKNOWN : a->slice_ns,
        .io_total = l->charging ? a->io_events : NS_UNKNOWN,
        .end = end,
    };
    if (l->options.sink.execution(l->options.sink.context, &e) != 0)
        l->sink_ended = true;
}

/* Each m where it is counted what the account does. */
#define FOR_COUNTED(a, m)                                                                                    \
    for (struct measures *const *at_ = (a)->booked + (a)->counted_from, *m; (m = *at_); at_++)

/* Where it is booked what the account does from now on. */
static void find_booked(struct ledger *l, struct account *a, uint32_t vcpu)
{
    uint8_t n = 0;
    a->cell[CELL_WHERE] = ledger_cell(l, CELL_WHERE, a->life, vcpu, a->pcpu);
    if (a->cell[CELL_WHERE])
        a->cell[CELL_WHERE]->visited = true;
    for (enum cell_kind kind = 0; kind < CELL_KINDS; kind++)
        if (a->cell[kind] && pcpu_wanted(l, a))
            a->booked[n++] = &a->cell[kind]->live;
    a->booked[n] = NULL;
    a->counted_from = a->idle && !l->options.idle_rows ? n : 0;
}

static void stop_running(struct ledger *l, uint32_t vcpu, struct account *a, const struct transition *t)
{
    static const enum execution_end ends[RUNSTATES] = {
        [RUNSTATE_RUNNING] = EXECUTION_LOST,    [RUNSTATE_RUNNABLE] = EXECUTION_PREEMPTED,
        [RUNSTATE_BLOCKED] = EXECUTION_BLOCKED, [RUNSTATE_OFFLINE] = EXECUTION_OFFLINE,
        [RUNSTATE_UNKNOWN] = EXECUTION_LOST,
    };
    enum execution_end end = ends[t->to];
    if (end == EXECUTION_PREEMPTED && a->yielded)
        end = EXECUTION_YIELDED;
    if (end == EXECUTION_OFFLINE && a->sleeping)
        end = EXECUTION_SLEPT;
    if (end != EXECUTION_LOST)
        FOR_COUNTED(a, m)
    sample(l, &m->run, HISTOGRAM_RUN, a->run_start, t->time_ns);
    ledger_end_execution(l, vcpu, t->time_ns, end);
    a->yielded = a->sleeping = false;
    a->io_events = 0;
}

static void count_dispatch(struct ledger *l, const struct account *a, struct measures *m, uint64_t now_ns,
                           bool migrated)
{
    m->executions++;
    m->migrations += migrated;
    sample(l, &m->wait, HISTOGRAM_WAIT, a->wait_start, now_ns);
    if (a->slice_ns == UINT32_MAX)
        return;
    m->allocated_ns += a->slice_ns;
    m->allocated_slices++;
    if (a->slice_ns < m->allocated_min_ns)
        m->allocated_min_ns = a->slice_ns;
    if (a->slice_ns > m->allocated_max_ns)
        m->allocated_max_ns = a->slice_ns;
}

static void dispatch(struct ledger *l, struct account *a, const struct transition *t)
{
    bool migrated = a->last_run_pcpu != NO_PCPU && a->last_run_pcpu != t->pcpu, any = false;
    a->waited_ns = a->wait_start == NS_UNKNOWN ? NS_UNKNOWN : t->time_ns - a->wait_start;
    a->run_start = t->time_ns;
    a->slice_ns = transition_slice_ns(t);
    FOR_COUNTED(a, m)
    {
        count_dispatch(l, a, m, t->time_ns, migrated);
        any = true;
    }
    if (any && l->charging)
        ledger_charge_dispatch(l, a->life);
}

static void begin_wait(struct account *a, const struct transition *t)
{
    bool woken = t->from == RUNSTATE_BLOCKED || t->from == RUNSTATE_OFFLINE;
    bool known = t->from != RUNSTATE_UNKNOWN;
    a->wait_start = known ? t->time_ns : NS_UNKNOWN;
    a->wait_kind = woken ? WAIT_WAKE : known ? WAIT_PREEMPT : WAIT_UNKNOWN;
    if (!woken)
        a->blocked_before_ns = known ? 0 : NS_UNKNOWN;
}

static void end_block(struct ledger *l, struct account *a, const struct transition *t)
{
    bool woken = t->from == RUNSTATE_BLOCKED && (t->to == RUNSTATE_RUNNABLE || t->to == RUNSTATE_RUNNING);
    bool whole = woken && a->state == t->from && !a->doubtful && a->block_start != NS_UNKNOWN;
    FOR_COUNTED(a, m)
    {
        if (whole)
            sample(l, &m->block, HISTOGRAM_BLOCK, a->block_start, t->time_ns);
        m->wakes += woken;
    }
    a->blocked_before_ns = whole ? t->time_ns - a->block_start : NS_UNKNOWN;
}

/* How it came to run is not known. */
static void forget_wait(struct account *a)
{
    a->wait_start = a->blocked_before_ns = NS_UNKNOWN;
    a->wait_kind = WAIT_UNKNOWN;
}

static void begin_running(struct ledger *l, struct account *a, const struct transition *t)
{
    if (a->state != RUNSTATE_RUNNABLE || a->doubtful)
        forget_wait(a);
    if (t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING) {
        dispatch(l, a, t);
    } else {
        a->run_start = NS_UNKNOWN;
        a->slice_ns = UINT32_MAX;
    }
    if (a->state != RUNSTATE_RUNNING)
        a->running_since = t->time_ns;
    a->last_run_pcpu = a->pcpu;
}

static void change_state(struct ledger *l, const struct transition *t)
{
    struct account *a = &l->accounts[t->vcpu];
    enum runstate before = a->state;
    book_time(l, a, t->time_ns);
    if (t->from == RUNSTATE_RUNNING)
        FOR_COUNTED(a, m)
        {
            m->blocks += t->to == RUNSTATE_BLOCKED;
            m->preemptions += t->to == RUNSTATE_RUNNABLE && !a->yielded;
        }
    if (before == RUNSTATE_RUNNING && t->to != RUNSTATE_RUNNING) {
        stop_running(l, t->vcpu, a, t);
    } else if (before == RUNSTATE_RUNNING && t->pcpu != a->pcpu) {
        ledger_end_execution(l, t->vcpu, t->time_ns, EXECUTION_LOST); /* it runs, but not where it ran */
        a->running_since = t->time_ns;
    }
    if (before == RUNSTATE_BLOCKED || t->from == RUNSTATE_BLOCKED)
        end_block(l, a, t);
    if (a->doubtful || before == RUNSTATE_UNKNOWN)
        a->last_run_pcpu = NO_PCPU; /* it may have run elsewhere unseen */
    if (t->pcpu != NO_PCPU && t->pcpu != a->pcpu) {
        a->pcpu = t->pcpu;
        find_booked(l, a, t->vcpu);
    }
    if (t->to == RUNSTATE_RUNNABLE)
        begin_wait(a, t);
    if (t->to == RUNSTATE_BLOCKED)
        a->block_start = t->from == RUNSTATE_UNKNOWN ? NS_UNKNOWN : t->time_ns;
    if (t->to == RUNSTATE_RUNNING)
        begin_running(l, a, t);
    a->doubtful = a->doubtful && before == t->to;
    a->state = t->to;
    domain_moves(l, a, t->time_ns, before, t->to);
}

/* ---- before it was seen ---- */

/* Tells the sink whose rows it is about. */
static void tell(struct ledger *l, const struct cell *c, const struct before_seen *s)
{
    for (enum by by = 0; by < BYS; by++) {
        if (!c->of[by] || ((s->idle || by == BY_PCPU) && s->state != RUNSTATE_RUNNING))
            continue;
        struct before_seen of_row = *s;
        of_row.row = c->of[by]->row;
        of_row.by = by;
        of_row.first = s->first && by == BY_DOMAIN;
        of_row.driver_domain = s->driver_domain && by == BY_DOMAIN;
        ledger_tell_before_seen(l, &of_row);
    }
}

/* Adds the part of it that lies in the measures' time, from start_ns to end_ns. */
static void add_part(const struct before_seen *s, struct measures *m, bool domain, uint64_t start_ns,
                     uint64_t end_ns)
{
    uint64_t from_ns = max64(s->from_ns, start_ns), ns = end_ns - min64(end_ns, from_ns);
    if (domain)
        before_seen_add_to_domain(s, m->domain_ns, ns);
    else
        before_seen_add(s, m, end_ns - ns, end_ns);
}

/* To all of the open intervals: to the domain's runstates, or to the rest. */
static void add_to_cell(struct ledger *l, struct cell *c, const struct before_seen *s, bool domain)
{
    bool apart = l->granularities[l->finest_first[0]].fed_by == FED_BY_LIVE;
    for (size_t g = 0; c && g < l->options.granularities; g++) {
        const struct granularity *gr = &l->granularities[g];
        uint64_t end_ns = gr->fed_by == IS_LIVE       ? s->seen_ns
                          : gr->fed_by == FED_BY_LIVE ? l->live_ns
                                                      : l->granularities[gr->fed_by].start_ns;
        add_part(s, ledger_measures(l, c, g), domain, gr->start_ns, end_ns);
    }
    if (c && apart)
        add_part(s, &c->live, domain, l->live_ns, s->seen_ns);
}

/* The vCPU has been in its state since from_ns, which was not known: that time counts in the open intervals. */
static void add_before_seen(struct ledger *l, uint32_t vcpu, uint64_t from_ns, bool first)
{
    struct account *a = &l->accounts[vcpu];
    uint32_t idd = a->state == RUNSTATE_RUNNING && l->charging ? ledger_idd_of(l, a->life) : NOBODY;
    struct before_seen s = {.state = a->state,
                            .from_ns = max64(from_ns, l->options.from_ns),
                            .seen_ns = l->now_ns,
                            .idle = a->idle,
                            .first = first,
                            .driver_domain = idd != NOBODY};
    if (s.from_ns >= s.seen_ns || !l->reporting)
        return;
    before_seen_doubt(&s, &l->dark);
    l->doubtful_ns += s.doubtful_ns;
    if (!a->idle)
        l->vcpu_ns += s.seen_ns - s.from_ns;
    if (a->state == RUNSTATE_UNKNOWN && !a->idle)
        l->unknown_ns += s.seen_ns - s.from_ns;
    if (ledger_wants(l, BY_DOMAIN) && !a->idle)
        add_to_cell(l, l->domains[a->life].cell, &s, true);
    if (!pcpu_wanted(l, a))
        return;
    for (size_t g = 0; idd != NOBODY && g < l->options.granularities; g++)
        ledger_charges_before_seen(l, idd, g, s.seen_ns - max64(s.from_ns, l->granularities[g].start_ns));
    for (enum cell_kind kind = 0; kind < CELL_KINDS; kind++) {
        add_to_cell(l, a->cell[kind], &s, false);
        if (a->cell[kind])
            tell(l, a->cell[kind], &s);
    }
}

/* ---- transitions ---- */

/* One more vCPU of its domain. Returns whether it is the first. */
static bool join_domain(struct ledger *l, const struct account *a, uint64_t now_ns)
{
    struct domain_account *d = &l->domains[a->life];
    bool first = !d->begun;
    ledger_cell(l, CELL_WHO, a->life, NOBODY, NO_PCPU); /* for its runstates */
    if (first) {
        d->begun = true;
        d->since_ns = now_ns;
    }
    return first;
}

bool ledger_enter(struct ledger *l, uint32_t vcpu, uint64_t now_ns)
{
    struct account *a = &l->accounts[vcpu];
    a->cell[CELL_WHO] = ledger_cell(l, CELL_WHO, a->life, vcpu, a->pcpu);
    find_booked(l, a, vcpu);
    if (a->cell[CELL_WHO] && a->cell[CELL_WHO]->of[BY_DOMAIN])
        a->cell[CELL_WHO]->of[BY_DOMAIN]->row.vcpus++;
    bool first = join_domain(l, a, now_ns);
    domain_moves(l, a, now_ns, -1, a->state);
    return first;
}

static void appear(struct ledger *l, const struct transition *t)
{
    if (!ledger_make_account(l, t->vcpu))
        return;
    struct account *a = &l->accounts[t->vcpu];
    uint32_t life = l->population->vcpus[t->vcpu].life;
    bool running = t->to == RUNSTATE_RUNNING;
    *a = (struct account){
        .since_ns = t->time_ns,
        .dark_ns = dark_clock_ns(&l->dark, t->time_ns),
        .run_start = NS_UNKNOWN,
        .running_since = t->value,
        .wait_start = NS_UNKNOWN,
        .block_start = NS_UNKNOWN,
        .waited_ns = NS_UNKNOWN,
        .blocked_before_ns = NS_UNKNOWN,
        .life = life,
        .slice_ns = UINT32_MAX,
        .pcpu = running ? t->pcpu : NO_PCPU,
        .last_run_pcpu = running ? t->pcpu : NO_PCPU,
        .state = t->to,
        .alive = true,
        .idle = l->population->incarnations[life].domain == IDLE_DOMAIN,
    };
    if (a->idle && l->population->vcpus[t->vcpu].id < PCPUS_MAX)
        a->pcpu = l->population->vcpus[t->vcpu].id; /* Xen: idle vCPU n belongs to pCPU n */
    bool first = ledger_enter(l, t->vcpu, t->time_ns);
    if (a->cell[CELL_WHERE] && a->cell[CELL_WHERE]->of[BY_DOMAIN_PCPU])
        a->cell[CELL_WHERE]->of[BY_DOMAIN_PCPU]->row.vcpus++;
    add_before_seen(l, t->vcpu, t->value, first);
}

static void die(struct ledger *l, const struct transition *t)
{
    struct account *a = &l->accounts[t->vcpu];
    if (a->state == RUNSTATE_RUNNING)
        ledger_end_execution(l, t->vcpu, t->time_ns, EXECUTION_OFFLINE);
    ledger_book_time(l, a, t->time_ns);
    domain_moves(l, a, t->time_ns, a->state, -1);
    a->alive = false;
    struct domain_account *d = &l->domains[a->life];
    uint32_t left = 0;
    for (int s = 0; s < RUNSTATES; s++)
        left += d->in_state[s];
    if (left == 0)
        d->begun = false;
    if (a->cell[CELL_WHO] && a->cell[CELL_WHO]->of[BY_VCPU])
        a->cell[CELL_WHO]->of[BY_VCPU]->death_ns = t->time_ns;
    if (left == 0 && d->cell)
        d->cell->of[BY_DOMAIN]->death_ns = t->time_ns;
    ledger_end_domain_pcpus(l, a->life);
}

/* A change whose record came too late to be booked in its place: only counted. */
static void count_skewed(struct account *a, const struct transition *t)
{
    if (a->idle)
        return;
    FOR_COUNTED(a, m)
    {
        m->wakes += t->from == RUNSTATE_BLOCKED && t->to == RUNSTATE_RUNNABLE;
        m->blocks += t->from == RUNSTATE_RUNNING && t->to == RUNSTATE_BLOCKED;
        m->preemptions += t->from == RUNSTATE_RUNNING && t->to == RUNSTATE_RUNNABLE;
    }
}

void ledger_book_change(struct ledger *l, const struct transition *t)
{
    l->now_ns = t->time_ns;
    if (t->kind == TRANSITION_APPEAR) {
        appear(l, t);
        return;
    }
    if (t->kind >= TRANSITION_IO) {
        if (t->kind == TRANSITION_PCPU)
            ledger_add_pcpu(l, t->pcpu);
        else
            ledger_book_io(l, t);
        return;
    }
    struct account *a = t->vcpu < l->accounts_n ? &l->accounts[t->vcpu] : NULL;
    if (!a || !a->alive)
        return;
    switch (t->kind) {
    case TRANSITION_STATE:
        change_state(l, t);
        break;
    case TRANSITION_YIELD:
        a->yielded = a->state == RUNSTATE_RUNNING;
        if (!a->idle)
            FOR_COUNTED(a, m)
        m->yields++;
        break;
    case TRANSITION_SLEEP:
        a->sleeping = true;
        break;
    case TRANSITION_GO_ON:
        a->yielded = a->sleeping = false;
        break;
    case TRANSITION_SKEWED:
        count_skewed(a, t);
        break;
    case TRANSITION_DOUBT:
        ledger_book_time(l, a, t->time_ns);
        a->doubts += t->value ? 1u : -1u;
        break;
    default:
        die(l, t);
        break;
    }
}
