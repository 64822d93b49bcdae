#include "xen_version.h"

#include <stdlib.h>
#include <string.h>

#include "old_numbers.h"

/* "4.17" at *text to 417; moves *text past it. 0: no version there. */
static unsigned read_version(const char **text)
{
    char *end;
    unsigned long major = strtoul(*text, &end, 10);
    if (end == *text || *end != '.')
        return 0;
    char *minor_end;
    unsigned long minor = strtoul(end + 1, &minor_end, 10);
    if (minor_end == end + 1 || minor > 99)
        return 0;
    *text = minor_end;
    return (unsigned)(major * 100 + minor);
}

/* "4.8+" "3.2-4.7" "<=4.21" "": the bounds, 0: no bound. */
static void read_range(const char *since, unsigned *from, unsigned *to)
{
    *from = *to = 0;
    if (strncmp(since, "<=", 2) == 0) {
        since += 2;
        *to = read_version(&since);
        return;
    }
    *from = read_version(&since);
    if (*since == '-') {
        since++;
        *to = read_version(&since);
    } else if (*since != '+') {
        *to = *from;
    }
}

/* ---- versions ---- */

static void narrow(struct xen_versions *v, const char *since, unsigned slot)
{
    unsigned from, to;
    read_range(since, &from, &to);
    if (from > v->from) {
        v->from = from;
        v->from_slot = slot;
    }
    if (to && (v->to == 0 || to < v->to)) {
        v->to = to;
        v->to_slot = slot;
    }
}

static void find_versions(struct xen_versions *v, const struct quality *by_number,
                          const struct quality *named)
{
    const char *since;
    size_t row = 0;
    unsigned old;
    for (unsigned slot = 1; slot < EVENT_SLOTS; slot++)
        for (unsigned form = 0; form < 16; form++) {
            /* Records that keep their names; of the others old_numbers_since tells. */
            uint64_t n = named->events[slot].forms[form] < by_number->events[slot].forms[form]
                             ? named->events[slot].forms[form]
                             : by_number->events[slot].forms[form];
            const struct event_layout *layout = n ? event_layout(slot, form & 7) : NULL;
            if (layout && layout->since[0])
                narrow(v, layout->since, slot);
        }
    while ((since = old_numbers_since(by_number, &row, &old)))
        narrow(v, since, old);
    v->contradictory = v->to && v->from > v->to;
}

/* ---- schedulers ---- */

#define STRAY_RECORDS 3 /* of a scheduler: so few may be damage that looks like records */

/* The events of each scheduler, by slot (Xen public/trace.h). */
static const struct {
    const char *name;
    unsigned first, last;
} schedulers[SCHEDULERS_MAX] = {
    {"credit", EVENT_CREDIT_SCHED_TASKLET, EVENT_CREDIT_STEAL_CHECK},
    {"credit2", EVENT_CREDIT2_TICK, EVENT_CREDIT2_RUNQ_CAND_CHECK},
    {"rtds", EVENT_RTDS_TICKLE, EVENT_RTDS_SCHEDULE},
    {"null", EVENT_NULL_PICKED_CPU, EVENT_NULL_TASKLET},
};

/* Records that have a layout that some version of Xen writes. */
static uint64_t records_of(const struct quality *q, unsigned first, unsigned last)
{
    uint64_t n = 0;
    for (unsigned slot = first; slot <= last; slot++)
        for (unsigned form = 0; form < 16; form++)
            n += event_layout(slot, form & 7) ? q->events[slot].forms[form] : 0;
    return n;
}

static void find_schedulers(struct xen_versions *v, const struct quality *named)
{
    uint64_t records[SCHEDULERS_MAX] = {0};
    for (unsigned i = 0; i < SCHEDULERS_MAX; i++) {
        uint64_t n = records_of(named, schedulers[i].first, schedulers[i].last);
        unsigned at = v->schedulers_n;
        if (n == 0)
            continue;
        for (; at > 0 && records[at - 1] < n; at--) {
            records[at] = records[at - 1];
            v->schedulers[at] = v->schedulers[at - 1];
        }
        records[at] = n;
        v->schedulers[at] = schedulers[i].name;
        v->schedulers_n++;
    }
    while (v->schedulers_n > 1 && records[v->schedulers_n - 1] <= STRAY_RECORDS)
        v->schedulers_n--;
}

void xen_versions_judge(struct xen_versions *v, const struct quality *q)
{
    struct quality named = *q;
    old_numbers_count(&named);
    *v = (struct xen_versions){0};
    find_versions(v, q, &named);
    find_schedulers(v, &named);
}
