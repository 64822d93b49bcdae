/* The ledger's cells: where a moment is booked, and which rows that is part of. */
#ifndef XENMETER_METRICS_LEDGER_CELLS_H
#define XENMETER_METRICS_LEDGER_CELLS_H

#include "ledger.h"

/* Where what a vCPU (NOBODY: its domain) does on a pCPU is booked; NULL: no row is about it, or memory ran out. */
struct cell *ledger_find_cell(struct ledger *l, enum cell_kind kind, uint32_t life, uint32_t vcpu,
                              uint16_t pcpu);
bool ledger_make_account(struct ledger *l, uint32_t vcpu);
/* A pCPU is seen first (BY_PCPU): makes its subject. */
void ledger_add_pcpu(struct ledger *l, uint16_t pcpu);
/* The life is over: so are its subjects by domain and pCPU. */
void ledger_end_domain_pcpus(struct ledger *l, uint32_t life);
/* Tells the sink what counts in the open intervals of these rows, though not in those handed out. */
void ledger_tell_before_seen(struct ledger *l, const struct before_seen *s);

/* As ledger_find_cell, quickly where that is possible. */
static inline struct cell *ledger_cell(struct ledger *l, enum cell_kind kind, uint32_t life, uint32_t vcpu,
                                       uint16_t pcpu)
{
    bool divided = ledger_wants(l, kind == CELL_WHO ? BY_VCPU : BY_DOMAIN_PCPU);
    if (kind == CELL_WHERE && !divided && !ledger_wants(l, BY_PCPU))
        return NULL;
    if (kind == CELL_WHO && !divided && life < l->domains_n && l->domains[life].cell)
        return l->domains[life].cell;
    return ledger_find_cell(l, kind, life, vcpu, pcpu);
}

#endif
