#include "ledger_cells.h"

#include <stdlib.h>
#include <string.h>

static void *no_memory(struct ledger *l)
{
    l->out_of_memory = true;
    return NULL;
}

/* ---- subjects ---- */

/* Where the key is or belongs. */
static size_t place_of(const struct subjects *s, const struct row *key)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (row_compare(&s->list[middle]->row, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ledger_tell_before_seen(struct ledger *l, const struct before_seen *s)
{
    const struct meter_sink *sink = &l->options.sink;
    if (sink->before_seen && ledger_hands_out(l) && sink->before_seen(sink->context, s) != 0)
        l->sink_ended = true;
}

/* A pCPU was silent so far. */
static void pcpu_appears(struct ledger *l, struct ledger_subject *s)
{
    s->seen_ns = l->now_ns;
    if (l->reporting && l->now_ns > 0)
        ledger_tell_before_seen(
            l, &(struct before_seen){
                   .row = s->row, .by = BY_PCPU, .state = RUNSTATE_UNKNOWN, .seen_ns = l->now_ns});
}

static struct ledger_subject *subject_of(struct ledger *l, enum by by, const struct row *key,
                                         uint64_t birth_ns, uint64_t death_ns)
{
    struct subjects *all = &l->subjects[by];
    size_t at = place_of(all, key);
    if (at < all->n && row_compare(&all->list[at]->row, key) == 0)
        return all->list[at];
    bool room = ledger_reserve(l, &all->list, &all->capacity, all->n, sizeof(struct ledger_subject *));
    struct ledger_subject *s = room ? calloc(1, sizeof *s) : NULL, **list = all->list;
    if (!s)
        return no_memory(l);
    *s = (struct ledger_subject){.row = *key, .birth_ns = birth_ns, .death_ns = death_ns};
    measures_init(&s->sum);
    memmove(&list[at + 1], &list[at], (all->n - at) * sizeof(struct ledger_subject *));
    list[at] = s;
    all->n++;
    l->memory += sizeof *s + sizeof(struct row);
    if (by == BY_PCPU)
        pcpu_appears(l, s);
    return s;
}

void ledger_add_pcpu(struct ledger *l, uint16_t pcpu)
{
    subject_of(l, BY_PCPU, &(struct row){.domain = -1, .vcpu = -1, .pcpu = pcpu, .vcpus = 1}, 0, UINT64_MAX);
}

void ledger_end_domain_pcpus(struct ledger *l, uint32_t life)
{
    const struct incarnation *of = &l->population->incarnations[life];
    const struct subjects *all = &l->subjects[BY_DOMAIN_PCPU];
    size_t at =
        place_of(all, &(struct row){.domain = of->domain, .life = of->number, .vcpu = -1, .pcpu = -1});
    for (; at < all->n && all->list[at]->row.domain == of->domain && all->list[at]->row.life == of->number;
         at++)
        all->list[at]->death_ns = l->now_ns;
}

/* ---- cells ---- */

/* The bys, as bits, whose rows have a part in the cell. */
static unsigned bys_of(const struct ledger *l, enum cell_kind kind, bool idle, uint32_t vcpu, uint32_t slot)
{
    unsigned bys = 0;
    if (kind == CELL_WHO && !idle)
        bys = 1u << BY_DOMAIN | (vcpu != NOBODY ? 1u << BY_VCPU : 0);
    else if (kind == CELL_WHERE)
        bys = (slot ? 1u << BY_PCPU : 0) | (!idle || l->options.idle_rows ? 1u << BY_DOMAIN_PCPU : 0);
    return l->options.granularities ? bys & l->options.bys : 0;
}

static bool join(struct ledger *l, struct cell *c, enum by by, const struct row *key,
                 const struct incarnation *of)
{
    bool lasts = by == BY_PCPU;
    struct ledger_subject *s =
        subject_of(l, by, key, lasts ? 0 : of->birth_ns, lasts || !of->ended ? UINT64_MAX : of->ended_ns);
    if (!s)
        return false;
    c->of[by] = s;
    bool changed = by == BY_PCPU && ledger_wants(l, BY_DOMAIN_PCPU); /* complete_pcpu: not those of both */
    bool alone = !changed && !s->only && !s->summed;
    s->only = alone ? c : NULL;
    s->summed = !alone;
    return true;
}

/* Makes the cell part of its rows. */
static bool join_subjects(struct ledger *l, struct cell *c, unsigned bys, uint32_t life, uint32_t vcpu,
                          int32_t pcpu)
{
    const struct incarnation *of = &l->population->incarnations[life];
    struct row domain = {.domain = of->domain, .life = of->number, .vcpu = -1, .pcpu = -1};
    struct row keys[BYS] = {domain, domain, {.domain = -1, .vcpu = -1, .pcpu = pcpu, .vcpus = 1}, domain};
    keys[BY_DOMAIN_PCPU].pcpu = pcpu;
    if (vcpu != NOBODY) {
        keys[BY_VCPU].vcpu = l->population->vcpus[vcpu].id;
        keys[BY_VCPU].vcpus = 1;
    }
    for (enum by by = 0; by < BYS; by++)
        if (bys & 1u << by && !join(l, c, by, &keys[by], of))
            return false;
    return true;
}

static struct cell *new_cell(struct ledger *l)
{
    size_t wide_n = l->options.granularities > 1 ? l->options.granularities : 0;
    bool room =
        ledger_reserve(l, &l->all_cells, &l->all_cells_capacity, l->all_cells_n, sizeof(struct cell *));
    struct cell *c = room ? calloc(1, sizeof *c) : NULL;
    if (!c || (wide_n && !(c->wide = calloc(wide_n, sizeof *c->wide)))) {
        free(c);
        return no_memory(l);
    }
    measures_init(&c->live);
    for (size_t g = 0; g < wide_n; g++)
        measures_init(&c->wide[g]);
    l->all_cells[l->all_cells_n++] = c;
    l->memory += sizeof *c + wide_n * sizeof *c->wide;
    return c;
}

static bool make_domain(struct ledger *l, size_t life)
{
    return ledger_reserve(l, &l->domains, &l->domains_n, life, sizeof *l->domains);
}

bool ledger_make_account(struct ledger *l, uint32_t vcpu)
{
    return make_domain(l, l->population->vcpus[vcpu].life) &&
           ledger_reserve(l, &l->accounts, &l->accounts_n, vcpu, sizeof *l->accounts);
}

/* Where the cell is kept; NULL: nowhere, or no memory. */
static struct cell **place(struct ledger *l, enum cell_kind kind, uint32_t life, uint32_t vcpu, uint32_t slot)
{
    if (life >= l->domains_n && !make_domain(l, life))
        return NULL;
    if (kind == CELL_WHO)
        return vcpu != NOBODY ? &l->accounts[vcpu].cell[CELL_WHO] : &l->domains[life].cell;
    struct cells *where = ledger_wants(l, BY_DOMAIN_PCPU) ? &l->domains[life].where : &l->where;
    return ledger_reserve(l, &where->at, &where->n, slot, sizeof(struct cell *)) ? &where->at[slot] : NULL;
}

struct cell *ledger_find_cell(struct ledger *l, enum cell_kind kind, uint32_t life, uint32_t vcpu,
                              uint16_t pcpu)
{
    uint32_t slot = kind == CELL_WHERE && pcpu != NO_PCPU ? pcpu + 1u : 0;
    bool idle = l->population->incarnations[life].domain == IDLE_DOMAIN;
    if (!ledger_wants(l, BY_VCPU))
        vcpu = NOBODY;
    unsigned bys = bys_of(l, kind, idle, vcpu, slot);
    struct cell **at = bys ? place(l, kind, life, vcpu, slot) : NULL;
    if (!at || *at)
        return at ? *at : NULL;
    struct cell *c = new_cell(l);
    if (!c || !join_subjects(l, c, bys, life, vcpu, (int32_t)slot - 1))
        return NULL;
    c->idle_row = idle && l->options.idle_rows;
    return *at = c;
}
