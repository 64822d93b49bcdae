/* Which row a moment belongs to. */
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#include "ledger.h"

static struct measures *make_wide(struct ledger *l)
{
    struct measures *wide = calloc(l->options.granularities, sizeof *wide);
    for (size_t g = 0; wide && g < l->options.granularities; g++)
        measures_init(&wide[g]);
    return wide;
}

static struct cell *new_cell(struct ledger *l, struct row key, uint64_t birth_ns)
{
    struct cell *c = calloc(1, sizeof *c);
    bool many = l->options.granularities > 1;
    if (c && many && !(c->wide = make_wide(l))) {
        free(c);
        c = NULL;
    }
    struct cell **cells =
        c ? array_reserve(l->cells, &l->cells_capacity, l->cells_n + 1, sizeof(struct cell *)) : NULL;
    if (cells) {
        l->cells = cells;
    } else if (c) {
        free(c->wide);
        free(c);
        c = NULL;
    }
    if (!c) {
        l->out_of_memory = true;
        return NULL;
    }
    c->row = key;
    c->birth_ns = birth_ns;
    c->death_ns = UINT64_MAX;
    measures_init(&c->live);
    size_t at = l->cells_n++;
    for (; at > 0 && row_compare(&key, &l->cells[at - 1]->row) < 0; at--)
        l->cells[at] = l->cells[at - 1];
    l->cells[at] = c;
    l->memory += sizeof *c + (many ? l->options.granularities * sizeof *c->wide : 0) + sizeof(struct row);
    return c;
}

static bool make_domain(struct ledger *l, size_t life)
{
    size_t domains_n = l->domains_n;
    struct domain_account *domains = array_reserve(l->domains, &l->domains_n, life + 1, sizeof *domains);
    if (domains)
        l->domains = domains;
    l->out_of_memory = l->out_of_memory || !domains;
    l->memory += (l->domains_n - domains_n) * sizeof *domains;
    return domains != NULL;
}

bool ledger_make_account(struct ledger *l, uint32_t vcpu)
{
    size_t accounts_n = l->accounts_n;
    bool domain = make_domain(l, l->population->vcpus[vcpu].life);
    struct account *accounts = array_reserve(l->accounts, &l->accounts_n, (size_t)vcpu + 1, sizeof *accounts);
    if (accounts)
        l->accounts = accounts;
    l->out_of_memory = l->out_of_memory || !accounts;
    l->memory += (l->accounts_n - accounts_n) * sizeof *accounts;
    return domain && accounts;
}

struct cell *ledger_pcpu_cell(struct ledger *l, uint16_t pcpu)
{
    if (!l->pcpu_cells[pcpu]) {
        struct row key = {.domain = -1, .vcpu = -1, .pcpu = pcpu, .vcpus = 1};
        l->pcpu_cells[pcpu] = new_cell(l, key, l->options.start_ns);
    }
    return l->pcpu_cells[pcpu];
}

static struct cell *domain_pcpu_cell(struct ledger *l, uint32_t of, uint16_t pcpu)
{
    struct domain_account *d = &l->domains[of];
    const struct incarnation *life = &l->population->incarnations[of];
    uint32_t index = pcpu == NO_PCPU ? 0 : pcpu + 1u;
    if (index >= d->pcpu_cells_n) {
        uint32_t n = index + 8;
        struct cell **cells = realloc(d->pcpu_cells, n * sizeof(struct cell *));
        if (!cells) {
            l->out_of_memory = true;
            return NULL;
        }
        memset(cells + d->pcpu_cells_n, 0, (n - d->pcpu_cells_n) * sizeof(struct cell *));
        l->memory += (n - d->pcpu_cells_n) * sizeof(struct cell *);
        d->pcpu_cells = cells;
        d->pcpu_cells_n = n;
    }
    if (!d->pcpu_cells[index]) {
        struct row key = {
            .domain = life->domain, .life = life->number, .vcpu = -1, .pcpu = (int32_t)index - 1};
        d->pcpu_cells[index] = new_cell(l, key, life->birth_ns);
    }
    return d->pcpu_cells[index];
}

static struct cell *domain_cell(struct ledger *l, uint32_t of)
{
    struct domain_account *d = &l->domains[of];
    const struct incarnation *life = &l->population->incarnations[of];
    struct row key = {.domain = life->domain, .life = life->number, .vcpu = -1, .pcpu = -1};
    if (!d->cell)
        d->cell = new_cell(l, key, life->birth_ns);
    return d->cell;
}

struct cell *ledger_life_cell(struct ledger *l, uint32_t life, uint16_t pcpu)
{
    if (life >= l->domains_n && !make_domain(l, life))
        return NULL;
    switch (l->options.by) {
    case BY_DOMAIN:
        return domain_cell(l, life);
    case BY_PCPU:
        return ledger_pcpu_cell(l, pcpu);
    case BY_DOMAIN_PCPU:
        return domain_pcpu_cell(l, life, pcpu);
    default:
        return NULL;
    }
}

struct cell *ledger_cell_of(struct ledger *l, const struct account *a, uint32_t vcpu)
{
    const struct incarnation *life = &l->population->incarnations[a->life];
    struct row key = {.domain = life->domain, .life = life->number, .vcpu = -1, .pcpu = -1};
    if (l->options.granularities == 0 || (a->idle && l->options.by != BY_PCPU && !l->options.idle_rows))
        return NULL;
    switch (l->options.by) {
    case BY_DOMAIN:
        return domain_cell(l, a->life);
    case BY_VCPU:
        if (a->cell)
            return a->cell;
        key.vcpu = l->population->vcpus[vcpu].id;
        key.vcpus = 1;
        return new_cell(l, key, life->birth_ns);
    case BY_PCPU:
        return a->pcpu == NO_PCPU ? NULL : ledger_pcpu_cell(l, a->pcpu);
    case BY_DOMAIN_PCPU:
        return domain_pcpu_cell(l, a->life, a->pcpu);
    }
    return NULL;
}

bool ledger_init(struct ledger *l, const struct meter_options *options, const struct population *population)
{
    memset(l, 0, sizeof *l);
    l->options = *options;
    l->options.idle_rows = options->idle_rows && options->by == BY_DOMAIN_PCPU;
    l->population = population;
    l->now_ns = options->start_ns;
    l->end_ns = UINT64_MAX;
    if (l->options.to_ns == 0)
        l->options.to_ns = UINT64_MAX;
    uint64_t from = options->from_ns > options->start_ns ? options->from_ns : options->start_ns;
    l->reporting = from == options->start_ns;
    l->boundary_ns = l->options.to_ns;
    for (size_t g = 0; g < options->granularities; g++) {
        struct granularity *gr = &l->granularities[g];
        gr->length_ns = options->granularities_ns[g];
        gr->start_ns = from;
        gr->next_ns = gr->length_ns ? (from / gr->length_ns + 1) * gr->length_ns : UINT64_MAX;
        if (gr->next_ns < l->boundary_ns)
            l->boundary_ns = gr->next_ns;
    }
    if (!l->reporting)
        l->boundary_ns = from;
    l->pcpu_cells = calloc(PCPUS_MAX, sizeof(struct cell *));
    return l->pcpu_cells != NULL;
}

void ledger_free(struct ledger *l)
{
    ledger_charges_free(l);
    for (size_t i = 0; i < l->cells_n; i++) {
        measures_free(&l->cells[i]->live);
        for (size_t g = 0; l->cells[i]->wide && g < l->options.granularities; g++)
            measures_free(&l->cells[i]->wide[g]);
        free(l->cells[i]->wide);
        free(l->cells[i]);
    }
    for (size_t i = 0; i < l->domains_n; i++)
        free(l->domains[i].pcpu_cells);
    free(l->cells);
    free(l->accounts);
    free(l->domains);
    free(l->pcpu_cells);
    free(l->rows);
}
