#include "xen_version.h"

#include <stdlib.h>
#include <string.h>

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

/* The scheduler that owns a scheduler-class event: bits 9-11 of its number (Xen public/trace.h). */
static const char *scheduler_of(uint32_t id)
{
    if ((id & 0xffff000u) != 0x00022000u)
        return NULL;
    switch (id >> 9 & 7) {
    case 0:
        return "credit";
    case 1:
        return "credit2";
    case 4:
        return "rtds";
    case 5:
        return "null";
    default:
        return NULL;
    }
}

void xen_versions_judge(struct xen_versions *v, const struct quality *q)
{
    *v = (struct xen_versions){0};
    uint64_t most = 0;
    for (unsigned slot = 1; slot < EVENT_SLOTS; slot++) {
        uint64_t records = 0;
        for (unsigned form = 0; form < 16; form++) {
            uint64_t n = q->events[slot].forms[form];
            const struct event_layout *layout = n ? event_layout(slot, form & 7) : NULL;
            unsigned from, to;
            records += n;
            if (!layout || !layout->since[0])
                continue;
            read_range(layout->since, &from, &to);
            if (from > v->from) {
                v->from = from;
                v->from_slot = slot;
            }
            if (to && (v->to == 0 || to < v->to)) {
                v->to = to;
                v->to_slot = slot;
            }
        }
        const char *scheduler = scheduler_of(event_info(slot)->id);
        if (scheduler && records > most) {
            most = records;
            v->scheduler = scheduler;
        }
    }
    v->contradictory = v->to && v->from > v->to;
}
