/* The relation of delays: who had the pCPU that somebody else waited for (metrics/measure/delays.h). */
#include "metrics/measure/delays.h"
#include "metrics/relation/relation_table.h"

static const char *const kind_words[] = {"domain", "idle", "unknown", NULL};

static struct value victim(const struct row_view *v)
{
    const struct delay *d = v->row;
    return domain_id(d->victim, d->victim_life);
}

static struct value victim_name(const struct row_view *v)
{
    const struct delay *d = v->row;
    return name_of(v, d->victim, d->victim_life);
}

static struct value culprit(const struct row_view *v)
{
    const struct delay *d = v->row;
    return d->kind == CULPRIT_DOMAIN ? domain_id(d->culprit, d->culprit_life) : none_but(kind_words[d->kind]);
}

static struct value culprit_name(const struct row_view *v)
{
    const struct delay *d = v->row;
    return name_of(v, d->culprit, d->culprit_life);
}

static struct value delayed_share(const struct row_view *v)
{
    const struct delay *d = v->row;
    return share(v, of_u64(d->delayed_ns));
}

static struct value longest_at(const struct row_view *v)
{
    const struct delay *d = v->row;
    return d->count ? of_u64(d->max_at_ns) : none();
}

#define MEMBER(M, TYPE, ADDS) COLUMN_MEMBER(struct delay, M, TYPE, ADDS)

static const struct column columns[] = {
    INTERVAL_COLUMNS(0),
    TIME_COLUMNS,
    {COLUMN_HEAD(victim, "victim", NONE, 0, KEY | LEFT | DOMAIN, D, "the domain whose vCPU waited"),
     .get = victim},
    {COLUMN_HEAD(victim_life, "life", NONE, 0, KEY, 0, "1, 2, ...: tells apart the domains that had this id"),
     COLUMN_KNOWN(struct delay, victim_life, U32, NOT, 0)},
    {COLUMN_HEAD(victim_name, "victim name", NONE, 0, KEY | LEFT | NAME, D, "its name, if names were given"),
     .get = victim_name},
    {COLUMN_HEAD(victim_vcpu, "vcpu", NONE, 0, KEY, D, "the vCPU that waited"),
     MEMBER(victim_vcpu, I32, NOT)},
    {COLUMN_HEAD(culprit, "culprit", NONE, 0, KEY | LEFT, D,
                 "the domain that ran meanwhile; none: see culprit_kind"),
     .get = culprit},
    {COLUMN_HEAD(culprit_life, "life", NONE, 0, KEY, 0, "tells apart the domains that had this id"),
     COLUMN_KNOWN(struct delay, culprit_life, U32, NOT, 0)},
    {COLUMN_HEAD(culprit_name, "culprit name", NONE, 0, KEY | LEFT | NAME, D,
                 "its name, if names were given"),
     .get = culprit_name},
    {COLUMN_HEAD(culprit_kind, "kind", NONE, 0, KEY | LEFT, 0,
                 "domain; idle: the pCPU ran nobody; unknown: who ran is not known"),
     MEMBER(kind, NAME, NOT), .words = kind_words},
    {COLUMN_HEAD(delayed_ns, "delayed", NS, 0, KEEP, D,
                 "how long the culprit ran while the victim waited there"),
     MEMBER(delayed_ns, U64, SUM)},
    {COLUMN_HEAD(delayed_pct, "delayed", PERCENT, 3, KEEP, D, "delayed, of the interval"),
     .get = delayed_share},
    {COLUMN_HEAD(count, "delays", COUNT, 0, 0, D, "stretches of it that ended here"),
     MEMBER(count, U64, SUM)},
    {COLUMN_HEAD(max_ns, "longest", NS_EACH, 0, KEEP, D, "the longest stretch that ended here"),
     MEMBER(max_ns, U64, MAX)},
    {COLUMN_HEAD(max_at_ns, "longest at", INSTANT, 0, 0, 0,
                 "where the longest ended, from the trace's start"),
     .get = longest_at},
};

const struct relation relation_delays = {
    .name = "delays",
    .title = "delays",
    .table = "delays",
    .none = "nobody waited\n",
    .plain = true,
    .table_sort = "delayed_ns",
    .row_size = sizeof(struct delay),
    .columns = columns,
    .columns_n = sizeof columns / sizeof *columns,
};
