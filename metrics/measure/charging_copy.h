/* What the files of the charging stage's snapshot (charging.h: charging_snapshot) share. */
#ifndef XENMETER_METRICS_CHARGING_COPY_H
#define XENMETER_METRICS_CHARGING_COPY_H

#include "charging_state.h"
#include "metrics/model/snapshot.h"

/* A stage that is being saved, or restored, with its periods by number. */
struct copying {
    struct charging *c;
    struct snapshot *s;
    struct period **periods; /* restored; by number less 1 */
    size_t periods_n;
};

static inline bool copy_reads(const struct copying *k)
{
    return k->s->from != NULL;
}

static inline void copy_check(const struct copying *k, bool fine)
{
    k->s->failed |= !fine;
}

/* Who the driver domains and their guests are, who deals with whom, and what was learned of them; before all else. */
void charging_copy_parties(const struct copying *k);

#endif
