/* What a transition adds. */
#include "ledger.h"
#include "metrics/min_max.h"

static bool pcpu_wanted(const struct ledger *l, const struct account *a)
{
    return !l->options.pcpus_wanted || (a->pcpu != NO_PCPU && l->options.pcpus_wanted[a->pcpu]);
}

void ledger_book_time(struct ledger *l, struct account *a, uint64_t until_ns)
{
    if (until_ns <= a->since_ns)
        return;
    int64_t ns = (int64_t)(until_ns - a->since_ns);
    a->since_ns = until_ns;
    if (a->state == RUNSTATE_UNKNOWN && !a->idle && l->reporting)
        l->unknown_ns += (uint64_t)ns;
    if (!a->cell || !pcpu_wanted(l, a))
        return;
    struct measures *m = &a->cell->live;
    if (a->idle) {
        if (a->state == RUNSTATE_RUNNING)
            m->idle_ns += ns;
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
    if (!(l->options.bys & 1u << BY_DOMAIN) || a->idle)
        return;
    struct domain_account *d = &l->domains[a->life];
    ledger_book_domain(d, now_ns);
    if (from >= 0)
        d->in_state[from]--;
    if (to >= 0)
        d->in_state[to]++;
    d->state = (uint8_t)domain_runstate_of(d->in_state);
}

static void sample(struct ledger *l, struct histogram *h, uint64_t start_ns, uint64_t now_ns)
{
    if (start_ns != NS_UNKNOWN && !histogram_add(h, now_ns - start_ns, now_ns))
        l->out_of_memory = true;
}

void ledger_end_execution(struct ledger *l, uint32_t vcpu, uint64_t now_ns, enum execution_end end)
{
    struct account *a = &l->accounts[vcpu];
    const struct vcpu_identity *who = &l->population->vcpus[vcpu];
    const struct incarnation *life = &l->population->incarnations[who->life];
    if (!l->options.executions || a->idle || !l->reporting || l->sink_ended || !pcpu_wanted(l, a))
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

static void stop_running(struct ledger *l, uint32_t vcpu, struct account *a, struct measures *m,
                         const struct transition *t)
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
    if (m && end != EXECUTION_LOST)
        sample(l, &m->run, a->run_start, t->time_ns);
    ledger_end_execution(l, vcpu, t->time_ns, end);
    a->yielded = a->sleeping = false;
    a->io_events = 0;
}

static void dispatch(struct ledger *l, struct account *a, struct measures *m, const struct transition *t)
{
    bool migrated = a->last_run_pcpu != NO_PCPU && a->last_run_pcpu != t->pcpu;
    a->waited_ns = a->wait_start == NS_UNKNOWN ? NS_UNKNOWN : t->time_ns - a->wait_start;
    a->run_start = t->time_ns;
    a->slice_ns = (uint32_t)t->value;
    if (!m)
        return;
    if (l->charging)
        ledger_charge_dispatch(l, a->life);
    m->executions++;
    m->migrations += migrated;
    sample(l, &m->wait, a->wait_start, t->time_ns);
    if (a->slice_ns != UINT32_MAX) {
        m->allocated_ns += a->slice_ns;
        m->allocated_slices++;
        if (a->slice_ns < m->allocated_min_ns)
            m->allocated_min_ns = a->slice_ns;
        if (a->slice_ns > m->allocated_max_ns)
            m->allocated_max_ns = a->slice_ns;
    }
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

/* Where this account's events count; NULL: nowhere. */
static struct measures *counted(const struct ledger *l, const struct account *a)
{
    bool has_row = a->cell && (!a->idle || l->options.idle_rows);
    return has_row && pcpu_wanted(l, a) ? &a->cell->live : NULL;
}

static void change_state(struct ledger *l, const struct transition *t)
{
    struct account *a = &l->accounts[t->vcpu];
    enum runstate before = a->state;
    ledger_book_time(l, a, t->time_ns);

    struct measures *m = counted(l, a);
    if (m && t->from == RUNSTATE_RUNNING) {
        m->blocks += t->to == RUNSTATE_BLOCKED;
        m->preemptions += t->to == RUNSTATE_RUNNABLE && !a->yielded;
    }
    if (before == RUNSTATE_RUNNING && t->to != RUNSTATE_RUNNING) {
        stop_running(l, t->vcpu, a, m, t);
    } else if (before == RUNSTATE_RUNNING && t->pcpu != a->pcpu) {
        ledger_end_execution(l, t->vcpu, t->time_ns, EXECUTION_LOST); /* it runs, but not where it ran */
        a->running_since = t->time_ns;
    }
    if (before == RUNSTATE_BLOCKED || t->from == RUNSTATE_BLOCKED) {
        bool woken = t->from == RUNSTATE_BLOCKED && (t->to == RUNSTATE_RUNNABLE || t->to == RUNSTATE_RUNNING);
        bool whole = woken && before == t->from && a->block_start != NS_UNKNOWN;
        if (m && whole)
            sample(l, &m->block, a->block_start, t->time_ns);
        if (m && woken)
            m->wakes++;
        a->blocked_before_ns = whole ? t->time_ns - a->block_start : NS_UNKNOWN;
    }
    if (t->pcpu != NO_PCPU && t->pcpu != a->pcpu) {
        a->pcpu = t->pcpu;
        a->cell = ledger_cell(l, a->life, t->vcpu, a->pcpu);
        m = counted(l, a);
    }
    if (t->to == RUNSTATE_RUNNABLE)
        begin_wait(a, t);
    if (t->to == RUNSTATE_BLOCKED)
        a->block_start = t->from == RUNSTATE_UNKNOWN ? NS_UNKNOWN : t->time_ns;
    if (t->to == RUNSTATE_RUNNING) {
        if (before != RUNSTATE_RUNNABLE)
            a->wait_start = NS_UNKNOWN;
        if (t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING) {
            dispatch(l, a, m, t);
        } else {
            a->run_start = NS_UNKNOWN;
            a->slice_ns = UINT32_MAX;
        }
        if (before != RUNSTATE_RUNNING)
            a->running_since = t->time_ns;
        a->last_run_pcpu = a->pcpu;
    }
    a->state = t->to;
    domain_moves(l, a, t->time_ns, before, t->to);
}

/* ---- before it was seen ---- */

void ledger_tell_before_seen(struct ledger *l, const struct before_seen *s)
{
    const struct meter_sink *sink = &l->options.sink;
    if (sink->before_seen && !l->sink_ended && sink->before_seen(sink->context, s) != 0)
        l->sink_ended = true;
}

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

/* The domain's runstates in the open interval of granularity g, a part of which may still be live. */
static void add_to_domain(struct ledger *l, struct cell *c, size_t g, const struct before_seen *s,
                          uint64_t ns)
{
    struct measures *m = ledger_measures(l, c, g);
    bool apart = m != &c->live; /* what is live will come to it as it is */
    int64_t sum[DOMAIN_RUNSTATES];
    for (int d = 0; d < DOMAIN_RUNSTATES; d++)
        sum[d] = m->domain_ns[d] + (apart ? c->live.domain_ns[d] : 0);
    before_seen_add_to_domain(s, sum, ns);
    for (int d = 0; d < DOMAIN_RUNSTATES; d++)
        m->domain_ns[d] = sum[d] - (apart ? c->live.domain_ns[d] : 0);
}

/* The vCPU has been in its state since from_ns, which was not known: that time counts in the open intervals. */
static void add_before_seen(struct ledger *l, uint32_t vcpu, uint64_t from_ns, bool first)
{
    struct account *a = &l->accounts[vcpu];
    struct domain_account *d = &l->domains[a->life];
    uint32_t idd = a->state == RUNSTATE_RUNNING && l->charging ? ledger_idd_of(l, a->life) : NOBODY;
    struct before_seen s = {.state = a->state,
                            .from_ns = max64(from_ns, l->options.from_ns),
                            .seen_ns = l->now_ns,
                            .idle = a->idle,
                            .first = first,
                            .driver_domain = idd != NOBODY};
    if (s.from_ns >= s.seen_ns || !l->reporting)
        return;
    if (a->state == RUNSTATE_UNKNOWN && !a->idle)
        l->unknown_ns += s.seen_ns - s.from_ns;
    bool counts = a->cell && pcpu_wanted(l, a);
    for (size_t g = 0; g < l->options.granularities; g++) {
        uint64_t ns = s.seen_ns - max64(s.from_ns, l->granularities[g].start_ns);
        if (d->cell && !a->idle)
            add_to_domain(l, d->cell, g, &s, ns);
        if (counts)
            before_seen_add(&s, ledger_measures(l, a->cell, g), ns);
        if (counts && idd != NOBODY)
            ledger_charges_before_seen(l, idd, g, ns);
    }
    if (counts)
        tell(l, a->cell, &s);
}

/* ---- transitions ---- */

/* One more vCPU of its domain. Returns whether it is the first. */
static bool join_domain(struct ledger *l, const struct account *a, uint64_t now_ns)
{
    struct domain_account *d = &l->domains[a->life];
    bool first = !d->begun;
    if (l->options.bys & 1u << BY_DOMAIN && !a->idle)
        d->cell = ledger_cell(l, a->life, NOBODY, NO_PCPU);
    if (first) {
        d->begun = true;
        d->since_ns = now_ns;
    }
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
    a->cell = ledger_cell(l, life, t->vcpu, a->pcpu);
    if (a->cell && a->cell->of[BY_DOMAIN])
        a->cell->of[BY_DOMAIN]->row.vcpus++;
    if (a->cell && a->cell->of[BY_DOMAIN_PCPU])
        a->cell->of[BY_DOMAIN_PCPU]->row.vcpus++;
    bool first = join_domain(l, a, t->time_ns);
    domain_moves(l, a, t->time_ns, -1, t->to);
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
    if (a->cell && a->cell->of[BY_VCPU])
        a->cell->of[BY_VCPU]->death_ns = t->time_ns;
    if (left == 0 && d->cell)
        d->cell->of[BY_DOMAIN]->death_ns = t->time_ns;
    ledger_end_domain_pcpus(l, a->life);
}

/* A change whose record came too late to be booked in its place: only counted. */
static void count_skewed(struct ledger *l, struct account *a, const struct transition *t)
{
    if (!a->cell || a->idle || !pcpu_wanted(l, a))
        return;
    struct measures *m = &a->cell->live;
    m->wakes += t->from == RUNSTATE_BLOCKED && t->to == RUNSTATE_RUNNABLE;
    m->blocks += t->from == RUNSTATE_RUNNING && t->to == RUNSTATE_BLOCKED;
    m->preemptions += t->from == RUNSTATE_RUNNING && t->to == RUNSTATE_RUNNABLE;
}

void ledger_book(struct ledger *l, const struct transition *t)
{
    ledger_advance(l, t->time_ns);
    if (l->done)
        return;
    l->now_ns = t->time_ns;
    if (t->kind == TRANSITION_APPEAR)
        appear(l, t);
    else if (t->kind == TRANSITION_PCPU)
        ledger_add_pcpu(l, t->pcpu);
    else if (t->kind >= TRANSITION_IO)
        ledger_book_io(l, t);
    if (t->kind >= TRANSITION_IO || t->kind == TRANSITION_APPEAR)
        return;
    struct account *a = t->vcpu < l->accounts_n ? &l->accounts[t->vcpu] : NULL;
    if (!a || !a->alive)
        return;
    switch (t->kind) {
    case TRANSITION_STATE:
        change_state(l, t);
        break;
    case TRANSITION_YIELD:
        a->yielded = a->state == RUNSTATE_RUNNING;
        if (a->cell && !a->idle && pcpu_wanted(l, a))
            a->cell->live.yields++;
        break;
    case TRANSITION_SLEEP:
        a->sleeping = true;
        break;
    case TRANSITION_GO_ON:
        a->yielded = a->sleeping = false;
        break;
    case TRANSITION_SKEWED:
        count_skewed(l, a, t);
        break;
    default:
        die(l, t);
        break;
    }
}
