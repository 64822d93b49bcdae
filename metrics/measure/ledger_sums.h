/* The ledger's sums of charges: where they are booked, and where they are handed out from. */
#ifndef XENMETER_METRICS_LEDGER_SUMS_H
#define XENMETER_METRICS_LEDGER_SUMS_H

#include <string.h>

#include "ledger.h"
#include "metrics/min_max.h"

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

/* The sums of numbers from here on are 0: room is made for more pairs than are known. */
static inline size_t guests_used(const struct ledger *l, const struct charge_sums *s)
{
    return l->charging ? min64(s->guests_n, l->charging->pairs_n) : 0;
}

/* The same of driver domains. */
static inline size_t idds_used(const struct ledger *l, const struct charge_sums *s)
{
    return l->charging ? min64(s->idds_n, l->charging->idds_n) : 0;
}

static inline void clear_sums(const struct ledger *l, struct charge_sums *s)
{
    if (s->guests)
        memset(s->guests, 0, guests_used(l, s) * sizeof *s->guests);
    if (s->idds)
        memset(s->idds, 0, idds_used(l, s) * sizeof *s->idds);
}

/* Where the sums of granularity g are. */
static inline struct charge_sums *sums_of(struct ledger *l, size_t g)
{
    return l->options.granularities > 1 ? &l->charges[g] : &l->charges_live;
}

#endif
