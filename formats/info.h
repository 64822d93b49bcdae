/* The content of `xenmeter info`: what is in a trace, and how far it can be trusted. */
#ifndef XENMETER_FORMATS_INFO_H
#define XENMETER_FORMATS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/output.h"
#include "formats/writer.h"
#include "parser/decode/own_events.h"
#include "parser/decode/xen_version.h"

struct info {
    struct report_summary summary; /* trace, clock, quality, judgement */
    struct xen_versions xen;
    const struct own_events
        *own; /* a user's own; NULL: none. What they name is not unrecognised in the quality, */
    const struct quality *counted;        /* but is here, where all records are counted */
    const struct summary_domain *domains; /* without the idle domain, ordered */
    size_t domains_n;
    const struct summary_pcpu *pcpus;
    size_t pcpus_n;
    name_lookup name_of; /* may be NULL */
    const void *names;
    bool every_event; /* the table lists each event, not only the classes */
    unsigned width;   /* of the terminal in characters, where lines of the table are broken; 0: none are */
};

/* How much there is of an event, or of a class. */
struct info_tally {
    const char *name;
    uint32_t id; /* 0 of "unrecognised" and of classes */
    enum event_class class_id;
    uint64_t records, bytes;
};

#define INFO_TALLIES (EVENT_SLOTS + OWN_EVENTS_MOST)

/* All events that have records; returns how many. `classes`: how much there is of each class. */
size_t info_tallies(const struct info *info, struct info_tally events[INFO_TALLIES],
                    struct info_tally classes[CLASSES]);

/* 0, or -1 when the output failed or memory ran out. */
int info_write_table(struct output *out, const struct info *info);
int info_write_json(struct output *out, const struct info *info);

#endif
