/*
 * Two slices of one trace, cut at a moment, become one. Sums simply add. What straddles the cut does not: a period that
 * began in the first slice and ended in the second is one sample; a vCPU of which one slice has no record was, all
 * through it, in the state in which the other slice begins or ends.
 */
#include <stdlib.h>

#include "ledger.h"

struct join {
    struct ledger *to;
    struct population *population; /* of `to` */
    const struct ledger *later;
    uint64_t join_ns, end_ns;
    uint32_t *incarnations; /* life of `later` -> life of `to` */
};

/* The life that continues one of the later slice: the current one, unless it was born or reborn there. */
static uint32_t continued_life(struct join *j, uint32_t later_life)
{
    const struct incarnation *l = &j->later->population->incarnations[later_life];
    uint32_t current = population_life(j->population, l->domain);
    bool goes_on =
        l->number == 1 && !l->added && current != NOBODY && !j->population->incarnations[current].ended;
    if (!goes_on) {
        uint64_t birth =
            l->number == 1 && !l->added && current == NOBODY ? j->to->options.start_ns : l->birth_ns;
        current = population_begin_life(j->population, l->domain, birth, l->first_ns);
        if (current == NOBODY)
            return NOBODY;
        j->population->incarnations[current].added = l->added;
    }
    j->population->incarnations[current].ended = l->ended;
    j->population->incarnations[current].ended_ns = l->ended_ns;
    return current;
}

/* The period that began before the cut and ended at the head of the later slice is one sample. */
static void complete_period(struct join *j, struct account *a, const struct account *b)
{
    bool by_pcpu = j->to->options.by == BY_PCPU;
    struct cell *cell = a->cell;
    if (by_pcpu && a->state == RUNSTATE_RUNNABLE && b->head_dispatch_pcpu != NO_PCPU)
        cell = ledger_pcpu_cell(j->to, b->head_dispatch_pcpu); /* a wait belongs to the pCPU that ends it */
    if (!cell || a->idle || a->state != b->head_state)
        return;
    struct measures *m = &cell->live;
    uint64_t end = b->head_ns == NS_UNKNOWN ? j->end_ns : b->head_ns;
    uint64_t start = NS_UNKNOWN;
    struct histogram *h = NULL;
    switch (a->state) {
    case RUNSTATE_RUNNING:
        start = a->run_start;
        h = b->head_to == RUNSTATE_UNKNOWN ? NULL : &m->run;
        if (b->head_ns != NS_UNKNOWN && b->head_to == RUNSTATE_RUNNABLE && a->yielded && m->preemptions)
            m->preemptions--;
        break;
    case RUNSTATE_RUNNABLE:
        start = a->wait_start;
        h = b->head_to == RUNSTATE_RUNNING ? &m->wait : NULL;
        if (!by_pcpu) {
            if (a->wait_kind == WAIT_WAKE)
                m->wake_wait_ns += end - j->join_ns;
            else if (a->wait_kind == WAIT_PREEMPT)
                m->preempt_wait_ns += end - j->join_ns;
        }
        break;
    case RUNSTATE_BLOCKED:
        start = a->block_start;
        h = &m->block;
        if (by_pcpu && b->head_ns != NS_UNKNOWN && b->head_to == RUNSTATE_RUNNABLE)
            m->wakes++; /* the later slice did not know where it ran before, and counted it nowhere */
        break;
    default:
        break;
    }
    if (b->head_ns != NS_UNKNOWN && h && start != NS_UNKNOWN && !histogram_add(h, end - start, end))
        j->to->out_of_memory = true;
}

/* The account goes on where the later slice left it. */
static void continue_account(struct account *a, const struct account *b, uint64_t end_ns)
{
    bool changed = b->head_ns != NS_UNKNOWN;
    uint64_t head_ns = a->head_ns != NS_UNKNOWN ? a->head_ns : b->head_ns;
    uint8_t head_to = a->head_ns != NS_UNKNOWN ? a->head_to : b->head_to;
    uint16_t head_dispatch = a->head_dispatch_pcpu != NO_PCPU ? a->head_dispatch_pcpu : b->head_dispatch_pcpu;
    if (changed) {
        a->run_start = b->run_start;
        a->wait_start = b->wait_start;
        a->block_start = b->block_start;
        a->wait_kind = b->wait_kind;
        a->slice_ns = b->slice_ns;
        a->state = b->state;
        a->yielded = b->yielded;
    }
    if (b->pcpu != NO_PCPU)
        a->pcpu = b->pcpu;
    if (b->last_run_pcpu != NO_PCPU)
        a->last_run_pcpu = b->last_run_pcpu;
    a->alive = b->alive;
    a->since_ns = end_ns;
    a->head_ns = head_ns;
    a->head_to = head_to;
    a->head_dispatch_pcpu = head_dispatch;
}

/* A vCPU that both slices know. */
static void join_account(struct join *j, uint32_t vcpu, const struct account *b)
{
    struct account *a = &j->to->accounts[vcpu];
    if (a->state != b->head_state && a->state != RUNSTATE_UNKNOWN && b->head_state != RUNSTATE_UNKNOWN)
        j->to->quality->inconsistent++;
    complete_period(j, a, b);
    bool migrated = b->head_state != RUNSTATE_RUNNING && b->head_dispatch_pcpu != NO_PCPU &&
                    a->last_run_pcpu != NO_PCPU && a->last_run_pcpu != b->head_dispatch_pcpu;
    continue_account(a, b, j->end_ns);
    struct cell *cell =
        migrated && j->to->options.by == BY_PCPU ? ledger_pcpu_cell(j->to, b->head_dispatch_pcpu) : a->cell;
    if (migrated && cell && !a->idle)
        cell->live.migrations++;
    a->cell = ledger_cell_of(j->to, a, vcpu);
}

/* A vCPU that only the later slice knows: as it began there, it was before. */
static void add_account(struct join *j, uint32_t vcpu, const struct account *b, uint32_t life)
{
    struct ledger *l = j->to;
    if (!ledger_make_account(l, vcpu))
        return;
    struct account *a = &l->accounts[vcpu];
    *a = *b;
    a->life = life;
    a->cell = NULL;
    a->cell = ledger_cell_of(l, a, vcpu);
    uint64_t birth = j->population->incarnations[life].birth_ns;
    struct domain_account *d = &l->domains[life];
    bool first = !d->begun;
    if (a->cell && birth < j->join_ns) {
        if (l->options.by == BY_DOMAIN && !first && !a->idle)
            ledger_add_to_domain_runstates(&a->cell->live, b->head_state);
        struct account as_it_began = *a;
        ledger_add_state(l, &as_it_began, &a->cell->live, b->head_state, j->join_ns - birth, first);
    }
    if (a->cell && l->options.by != BY_PCPU && l->options.by != BY_VCPU)
        a->cell->row.vcpus++;
    d->begun = true;
}

static void join_accounts(struct join *j, bool *seen_later)
{
    const struct population *p = j->later->population;
    size_t known = j->to->accounts_n;
    for (uint32_t v = 0; v < p->vcpus_n && v < j->later->accounts_n && !j->to->out_of_memory; v++) {
        const struct account *b = &j->later->accounts[v];
        uint32_t life = j->incarnations[p->vcpus[v].life];
        if (b->head_state == 0 && b->head_ns == 0)
            continue; /* never appeared */
        uint32_t vcpu = population_new_vcpu(j->population, life, p->vcpus[v].id);
        if (vcpu == NOBODY) {
            j->to->out_of_memory = true;
            return;
        }
        bool before = vcpu < known && (j->to->accounts[vcpu].alive || j->to->accounts[vcpu].cell);
        if (vcpu < known)
            seen_later[vcpu] = true;
        if (before) {
            join_account(j, vcpu, b);
        } else {
            add_account(j, vcpu, b, life);
        }
    }
}

/* vCPUs that only the earlier slice knows stay as they were. Their domains' rows of the later slice learn of them. */
static void extend_silent(struct join *j, const bool *seen_later, size_t known)
{
    struct ledger *l = j->to;
    for (size_t v = 0; v < known; v++) {
        struct account *a = &l->accounts[v];
        const struct incarnation *life = a->alive ? &j->population->incarnations[a->life] : NULL;
        if (!life || seen_later[v])
            continue;
        ledger_book_time(l, a, life->ended ? life->ended_ns : j->end_ns);
        a->alive = !life->ended;
        if (life->ended && a->cell && l->options.by != BY_PCPU)
            a->cell->death_ns = life->ended_ns;
    }
}

/* Domain runstates of the later slice were booked without the vCPUs that have no record in it: adds them. */
static bool later_domain(struct join *j, const struct cell *c, uint32_t life, struct measures *m,
                         const bool *seen_later, size_t known)
{
    if (!measures_merge(m, &c->live))
        return false;
    if (j->to->options.by != BY_DOMAIN)
        return true;
    for (size_t v = 0; v < known; v++)
        if (j->to->accounts[v].alive && !seen_later[v] && j->to->accounts[v].life == life)
            ledger_add_to_domain_runstates(m, j->to->accounts[v].state);
    return true;
}

static struct cell *same_cell(struct join *j, const struct cell *c)
{
    for (size_t i = 0; i < j->to->cells_n; i++) {
        struct cell *own = j->to->cells[i];
        if (own->row.domain == c->row.domain && own->row.life == c->row.life &&
            own->row.vcpu == c->row.vcpu && own->row.pcpu == c->row.pcpu)
            return own;
    }
    return NULL;
}

/* Adds the measures of the later slice's rows. Their incarnations are numbered anew. */
static bool join_cells(struct join *j, const bool *seen_later, size_t known)
{
    for (size_t i = 0; i < j->later->cells_n; i++) {
        struct cell key = *j->later->cells[i];
        uint32_t life = NOBODY;
        for (uint32_t n = 0; key.row.domain >= 0 && n < j->later->population->incarnations_n; n++) {
            const struct incarnation *l = &j->later->population->incarnations[n];
            if (l->domain == key.row.domain && l->number == key.row.life)
                life = j->incarnations[n];
        }
        if (life != NOBODY)
            key.row.life = j->population->incarnations[life].number;
        struct cell *own = same_cell(j, &key);
        if (!own && key.row.domain < 0)
            own = ledger_pcpu_cell(j->to, (uint16_t)key.row.pcpu);
        if (!own)
            continue; /* a row without a vCPU: nothing was booked to it */
        struct measures m;
        measures_init(&m);
        bool fine = later_domain(j, &key, life, &m, seen_later, known) && measures_merge(&own->live, &m);
        measures_free(&m);
        if (!fine)
            return false;
        own->death_ns = key.death_ns;
    }
    return true;
}

/* A domain whose vCPUs have no record at all in the later slice stays in the state it was in. */
static void extend_silent_domains(struct join *j,
                                  const bool *later_lives) /* by life: a vCPU of it appeared */
{
    for (uint32_t d = 0; d < j->to->domains_n && d < j->population->incarnations_n; d++) {
        struct domain_account *account = &j->to->domains[d];
        const struct incarnation *life = &j->population->incarnations[d];
        if (!later_lives[d] && account->begun)
            ledger_book_domain(j->to, account, life->ended ? life->ended_ns : j->end_ns);
        account->since_ns = j->end_ns;
        account->begun = account->begun && !life->ended;
    }
}

bool ledger_join(struct ledger *l, struct population *population, const struct ledger *later,
                 uint64_t join_ns, uint64_t end_ns)
{
    struct join j = {.to = l, .population = population, .later = later, .join_ns = join_ns, .end_ns = end_ns};
    size_t lives_later = later->population->incarnations_n, known = l->accounts_n;
    j.incarnations = calloc(lives_later + 1, sizeof *j.incarnations);
    bool *seen_later = calloc(known + 1, sizeof *seen_later);
    bool *later_lives = calloc(population->incarnations_n + lives_later + 1, sizeof *later_lives);
    bool fine = j.incarnations && seen_later && later_lives;
    for (uint32_t n = 0; fine && n < lives_later; n++) {
        j.incarnations[n] = continued_life(&j, n);
        fine = j.incarnations[n] != NOBODY;
        if (fine)
            later_lives[j.incarnations[n]] = later->population->incarnations[n].population > 0;
    }
    if (fine) {
        join_accounts(&j, seen_later);
        fine = !l->out_of_memory && join_cells(&j, seen_later, known);
    }
    if (fine) {
        extend_silent(&j, seen_later, known);
        extend_silent_domains(&j, later_lives);
        l->now_ns = end_ns;
    }
    free(j.incarnations);
    free(seen_later);
    free(later_lives);
    return fine && !l->out_of_memory;
}
