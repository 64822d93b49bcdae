/* What has begun and goes on, and whose rows there are: all that the rows of a later part of the time depend on. */
#include "ledger_cells.h"

static void account_snapshot(struct snapshot *s, struct account *a)
{
    SNAPSHOT_TIME(s, a->since_ns);
    SNAPSHOT_SPAN(s, a->dark_ns);
    SNAPSHOT_UNTIL(s, a->run_start);
    SNAPSHOT_UNTIL(s, a->wait_start);
    SNAPSHOT_UNTIL(s, a->block_start);
    SNAPSHOT_TIME(s, a->running_since);
    SNAPSHOT_SPAN(s, a->waited_ns);
    SNAPSHOT_SPAN(s, a->blocked_before_ns);
    SNAPSHOT(s, a->io_events, UINT64_MAX);
    SNAPSHOT(s, a->slice_ns, UINT32_MAX);
    SNAPSHOT_ID(s, a->pcpu, PCPUS_MAX);
    SNAPSHOT_ID(s, a->last_run_pcpu, PCPUS_MAX);
    SNAPSHOT(s, a->state, RUNSTATES - 1);
    SNAPSHOT(s, a->wait_kind, WAIT_PREEMPT);
    SNAPSHOT_FLAG(s, a->yielded);
    SNAPSHOT_FLAG(s, a->sleeping);
    SNAPSHOT_FLAG(s, a->doubtful);
    SNAPSHOT(s, a->doubts, UINT8_MAX);
}

static void restore_account(struct ledger *l, struct snapshot *s, uint32_t vcpu, struct account *a, bool idle)
{
    a->life = l->population->vcpus[vcpu].life;
    a->idle = l->population->incarnations[a->life].domain == IDLE_DOMAIN;
    a->alive = true;
    if (s->failed || (a->idle && !idle))
        return;
    if (!ledger_make_account(l, vcpu)) {
        s->failed = true;
        return;
    }
    l->accounts[vcpu] = *a;
    ledger_enter(l, vcpu, l->now_ns);
}

/* The accounts of those that exist; before a snapshot's part of the time nobody asks for the others. */
static void accounts_snapshot(struct ledger *l, struct snapshot *s, bool idle)
{
    size_t vcpus = l->population->vcpus_n;
    size_t n = snapshot_count(s, l->accounts_n < vcpus ? l->accounts_n : vcpus, vcpus);
    for (uint32_t v = 0; v < n; v++) {
        struct account account = {0}, *a = s->from ? &account : &l->accounts[v];
        SNAPSHOT_FLAG(s, a->alive);
        if (!a->alive)
            continue;
        account_snapshot(s, a);
        if (s->from)
            restore_account(l, s, v, a, idle);
    }
}

/*
 * How many vCPUs appeared on the pCPU of a slot, where the domain has a row; unless they were there, only meters that account
 * charges have that row.
 */
static void place_snapshot(struct ledger *l, struct snapshot *s, uint32_t life, uint32_t slot, bool idle)
{
    struct cell *cell = s->from ? NULL : l->domains[life].where.at[slot];
    uint32_t vcpus = cell ? cell->of[BY_DOMAIN_PCPU]->row.vcpus : 0;
    bool visited = cell && cell->visited;
    SNAPSHOT(s, slot, PCPUS_MAX);
    SNAPSHOT_FLAG(s, visited);
    SNAPSHOT(s, vcpus, VCPUS_MAX);
    bool shown = visited || l->charging;
    if (!s->from || s->failed || !shown || (!idle && l->population->incarnations[life].domain == IDLE_DOMAIN))
        return;
    cell = ledger_cell(l, CELL_WHERE, life, NOBODY, slot ? (uint16_t)(slot - 1) : NO_PCPU);
    if (cell && cell->of[BY_DOMAIN_PCPU])
        cell->of[BY_DOMAIN_PCPU]->row.vcpus = vcpus;
}

/* Where a domain that exists ever was, or was charged. */
static void places_snapshot(struct ledger *l, struct snapshot *s, uint32_t life, bool idle)
{
    static const struct cells nowhere;
    bool known = !s->from && life < l->domains_n;
    bool exists = known && (l->domains[life].begun || !l->population->incarnations[life].ended);
    const struct cells *where = exists ? &l->domains[life].where : &nowhere;
    bool charged = exists && l->domains[life].cell;
    size_t n = 0;
    SNAPSHOT_FLAG(s, charged);
    if (s->from && charged && l->charging && !s->failed)
        ledger_cell(l, CELL_WHO, life, NOBODY, NO_PCPU);
    for (uint32_t slot = 0; slot < where->n; slot++)
        n += where->at[slot] != NULL;
    n = snapshot_count(s, n, PCPUS_MAX + 1);
    for (size_t i = 0; s->from && i < n; i++)
        place_snapshot(l, s, life, 0, idle);
    for (uint32_t slot = 0; slot < where->n; slot++)
        if (where->at[slot])
            place_snapshot(l, s, life, slot, idle);
}

static void pcpus_snapshot(struct ledger *l, struct snapshot *s)
{
    const struct subjects *pcpus = &l->subjects[BY_PCPU];
    size_t n = snapshot_count(s, s->from ? 0 : pcpus->n, PCPUS_MAX);
    for (size_t i = 0; i < n; i++) {
        uint16_t pcpu = s->from ? 0 : (uint16_t)pcpus->list[i]->row.pcpu;
        SNAPSHOT(s, pcpu, PCPUS_MAX - 1);
        if (s->from && ledger_wants(l, BY_PCPU) && l->options.granularities > 0)
            ledger_add_pcpu(l, pcpu);
    }
}

void ledger_snapshot(struct ledger *l, struct snapshot *s, bool idle)
{
    SNAPSHOT_TIME(s, l->now_ns);
    dark_clock_snapshot(&l->dark, s);
    pcpus_snapshot(l, s);
    accounts_snapshot(l, s, idle);
    for (uint32_t life = 0; life < l->population->incarnations_n; life++)
        places_snapshot(l, s, life, idle);
    s->failed |= l->out_of_memory;
}
