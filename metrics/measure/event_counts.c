#include "event_counts.h"

#include <search.h>
#include <stdlib.h>

#define UNRECOGNISED_KINDS 64

struct event_tally {
    uint64_t records, bytes;
};

struct group {
    uint64_t
        key; /* domain + 1 << 40 | vcpu + 1 << 20 | pcpu + 1; 0 in a part: does not apply, or not known */
    struct event_tally events[EVENT_SLOTS];
    struct event_tally *own;           /* of a user's own events; NULL: none was seen */
    struct unrecognised *unrecognised; /* UNRECOGNISED_KINDS of them; NULL: none was seen */
    unsigned kinds;
};

struct unrecognised {
    uint32_t number;
    struct event_tally tally;
};

struct event_counts {
    bool grouped;
    enum by by;
    uint64_t memory_limit;
    const struct own_events *own;
    void *tree; /* of groups, by key (tsearch) */
    size_t groups_n;
    /* The group of each pCPU's last record, and of whom that was. */
    struct {
        uint32_t current;
        struct group *group; /* NULL: none yet */
    } last[PCPUS_MAX];
    struct counted *list; /* while it is made */
    size_t list_n;
};

struct event_counts *event_counts_new(bool grouped, enum by by, uint64_t memory_limit,
                                      const struct own_events *own, struct error *err)
{
    struct event_counts *c = calloc(1, sizeof *c);
    if (!c) {
        error_no_memory(err, "the counts of events");
        return NULL;
    }
    c->grouped = grouped;
    c->by = by;
    c->memory_limit = memory_limit;
    c->own = own;
    return c;
}

static void free_group(void *group)
{
    free(((struct group *)group)->own);
    free(((struct group *)group)->unrecognised);
    free(group);
}

void event_counts_free(struct event_counts *c)
{
    if (!c)
        return;
    tdestroy(c->tree, free_group);
    free(c);
}

static int compare_keys(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static uint64_t key_of(const struct event_counts *c, const struct dump_record *r)
{
    bool known = r->current != CURRENT_UNKNOWN;
    uint64_t domain = known ? (r->current >> 16) + 1 : 0, vcpu = known ? (r->current & 0xffff) + 1 : 0;
    uint64_t pcpu = (uint64_t)r->pcpu + 1;
    if (!c->grouped)
        return 0;
    switch (c->by) {
    case BY_DOMAIN:
        return domain << 40;
    case BY_VCPU:
        return domain << 40 | vcpu << 20;
    case BY_PCPU:
        return pcpu;
    default:
        return domain << 40 | pcpu;
    }
}

static struct group *find_group(struct event_counts *c, uint64_t key, struct error *err)
{
    struct group **found = tfind(&(struct group){.key = key}, &c->tree, compare_keys);
    if (found)
        return *found;
    struct group *g = NULL;
    if (!c->memory_limit || (c->groups_n + 1) * sizeof *g <= c->memory_limit)
        g = calloc(1, sizeof *g);
    if (g)
        g->key = key;
    if (!g || !tsearch(g, &c->tree, compare_keys)) {
        free(g);
        error_set(err, ERROR_MEMORY,
                  "the counts of %zu groups need more than the memory limit (--max-memory)", c->groups_n + 1);
        return NULL;
    }
    c->groups_n++;
    return g;
}

static void add(struct event_tally *t, uint32_t header)
{
    t->records++;
    t->bytes += event_form_bytes(header >> 28, 1);
}

static int add_unrecognised(struct group *g, const struct dump_record *r)
{
    unsigned i = 0;
    if (!g->unrecognised && !(g->unrecognised = calloc(UNRECOGNISED_KINDS, sizeof *g->unrecognised)))
        return -1;
    while (i < g->kinds && g->unrecognised[i].number != r->w[NUMBER_WORD])
        i++;
    if (i == UNRECOGNISED_KINDS) {
        add(&g->events[EVENT_UNRECOGNISED], r->header);
        return 0;
    }
    if (i == g->kinds)
        g->unrecognised[g->kinds++].number = r->w[NUMBER_WORD];
    add(&g->unrecognised[i].tally, r->header);
    return 0;
}

static int add_own(struct group *g, const struct dump_record *r)
{
    if (!g->own && !(g->own = calloc(OWN_EVENTS_MOST, sizeof *g->own)))
        return -1;
    add(&g->own[r->slot - EVENT_SLOTS], r->header);
    return 0;
}

int event_counts_add(struct event_counts *c, const struct dump_record *r, struct error *err)
{
    struct group *g = c->last[r->pcpu].group;
    if (!g || c->last[r->pcpu].current != r->current) {
        g = find_group(c, key_of(c, r), err);
        if (!g)
            return -1;
        c->last[r->pcpu].group = g;
        c->last[r->pcpu].current = r->current;
    }
    if (r->slot == EVENT_UNRECOGNISED)
        return add_unrecognised(g, r) == 0 ? 0 : error_no_memory(err, "the counts of events");
    if (r->slot >= EVENT_SLOTS)
        return add_own(g, r) == 0 ? 0 : error_no_memory(err, "the counts of events");
    add(&g->events[r->slot], r->header);
    return 0;
}

/* ---- the list ---- */

static void list_tally(struct event_counts *c, const struct group *g, unsigned slot, uint32_t number,
                       const struct event_tally *t)
{
    if (t->records == 0)
        return;
    c->list_n++;
    if (!c->list)
        return; /* they are only counted yet */
    c->list[c->list_n - 1] = (struct counted){.domain = (int32_t)(g->key >> 40) - 1,
                                              .vcpu = (int32_t)(g->key >> 20 & 0xfffff) - 1,
                                              .pcpu = (int32_t)(g->key & 0xfffff) - 1,
                                              .slot = (uint16_t)slot,
                                              .number = number,
                                              .records = t->records,
                                              .bytes = t->bytes};
}

static int compare_counted(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->records != y->records)
        return x->records > y->records ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void list_group(const void *node, VISIT visit, void *context)
{
    struct event_counts *c = context;
    const struct group *g = *(struct group *const *)node;
    size_t from = c->list_n;
    if (visit != postorder && visit != leaf)
        return;
    for (unsigned slot = 0; slot < EVENT_SLOTS; slot++)
        list_tally(c, g, slot, slot == EVENT_UNRECOGNISED ? UINT32_MAX : event_info(slot)->id,
                   &g->events[slot]);
    for (unsigned i = 0; g->own && i < OWN_EVENTS_MOST; i++)
        if (g->own[i].records)
            list_tally(c, g, EVENT_SLOTS + i, own_slot_id(c->own, EVENT_SLOTS + i), &g->own[i]);
    for (unsigned i = 0; i < g->kinds; i++)
        list_tally(c, g, EVENT_UNRECOGNISED, g->unrecognised[i].number, &g->unrecognised[i].tally);
    if (c->list)
        qsort(c->list + from, c->list_n - from, sizeof *c->list, compare_counted);
}

struct counted *event_counts_list(struct event_counts *c, size_t *n)
{
    c->list = NULL;
    c->list_n = 0;
    twalk_r(c->tree, list_group, c);
    c->list = calloc(c->list_n + 1, sizeof *c->list);
    if (!c->list)
        return NULL;
    c->list_n = 0;
    twalk_r(c->tree, list_group, c);
    *n = c->list_n;
    return c->list;
}
