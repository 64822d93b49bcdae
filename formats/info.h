/* The content of `xenmeter info`: what is in a trace, and how far it can be trusted. */
#ifndef XENMETER_FORMATS_INFO_H
#define XENMETER_FORMATS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "parser/decode/own_events.h"
#include "parser/decode/xen_version.h"

/* A span of time, ns since 1970; 0: not known. */
struct info_span {
    int64_t from_utc_ns, to_utc_ns;
    const char *why;
    uint32_t mask; /* of events that were recorded; of reduced coverage only */
};

/* What is known of the host beside the trace. Texts may be empty, numbers 0: not known. */
struct info_host {
    const char *host, *boot_id, *xen;
    uint32_t pcpus;
    bool timed; /* the times of day of the trace's beginning and end are known, */
    int64_t from_utc_ns, to_utc_ns;
    uint64_t error_ns;            /* at most so far off */
    const struct info_span *gaps; /* nothing was recorded */
    size_t gaps_n;
    const struct info_span *reduced; /* less was recorded */
    size_t reduced_n;
    /* What recording itself took since it began; */
    bool recorded; /* is known */
    uint64_t cpu_ns, rss_bytes, trace_bytes, lost_records, stalled_ns;
    uint32_t restarts;
};

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
    const struct info_host *host; /* NULL: nothing is known */
    bool local;                   /* times of day are local times, not UTC */
    bool every_event;             /* the table lists each event, not only the classes */
    unsigned width; /* of the terminal in characters, where lines of the table are broken; 0: none are */
};

/* Lines of the table about the host. */
void info_put_host(struct buffer *text, const struct info *info);

/* The object of the document about the host; null where nothing is known. NULL: no memory. The caller owns it. */
struct json_t *info_json_host(const struct info *info);

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
