/* The ledger's sums of charges: where they are booked, and where they are handed out from. */
#ifndef XENMETER_METRICS_LEDGER_SUMS_H
#define XENMETER_METRICS_LEDGER_SUMS_H

#include <string.h>

#include "ledger.h"

/* Those of a pair, made on first use. NULL: no memory. */
static inline struct charge_guest *guest_sums(struct ledger *l, struct charge_sums *s, uint32_t pair)
{
    bool made = pair < s->guests_n || ledger_reserve(l, &s->guests, &s->guests_n, pair, sizeof *s->guests);
    return made ? &s->guests[pair] : NULL;
}

/* The same of a driver domain. */
static inline struct charge_idd *idd_sums(struct ledger *l, struct charge_sums *s, uint32_t idd)
{
    bool made = idd < s->idds_n || ledger_reserve(l, &s->idds, &s->idds_n, idd, sizeof *s->idds);
    return made ? &s->idds[idd] : NULL;
}

static inline void clear_sums(struct charge_sums *s)
{
    if (s->guests)
        memset(s->guests, 0, s->guests_n * sizeof *s->guests);
    if (s->idds)
        memset(s->idds, 0, s->idds_n * sizeof *s->idds);
}

/* Where the sums of granularity g are. */
static inline struct charge_sums *sums_of(struct ledger *l, size_t g)
{
    return l->options.granularities > 1 ? &l->charges[g] : &l->charges_live;
}

#endif
