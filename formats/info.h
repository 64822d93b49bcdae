/* The content of `xenmeter info`: what is in a trace, and how far it can be trusted. */
#ifndef XENMETER_FORMATS_INFO_H
#define XENMETER_FORMATS_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/output.h"
#include "formats/writer.h"
#include "parser/decode/xen_version.h"

struct info {
    struct report_summary summary; /* trace, clock, quality, judgement */
    struct xen_versions xen;
    const struct summary_domain *domains; /* without the idle domain, ordered */
    size_t domains_n;
    const struct summary_pcpu *pcpus;
    size_t pcpus_n;
    name_lookup name_of; /* may be NULL */
    const void *names;
    bool every_event; /* the table lists each event, not only the classes */
};

struct class_tally {
    uint64_t records, bytes;
};

/* How much there is of an event; the same is added to its class (CLASS_UNRECOGNISED for slot 0) in `classes`. */
struct class_tally info_tally(const struct quality *q, unsigned slot, struct class_tally classes[CLASSES]);

/* 0, or -1 when the output failed or memory ran out. */
int info_write_table(struct output *out, const struct info *info);
int info_write_json(struct output *out, const struct info *info);

#endif
