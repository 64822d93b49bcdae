/*
 * Names and UUIDs of domains for xenmeter serve: from --names and --host-facts, else those that the toolstack has now, which a
 * thread of its own asks for again and again. What was known of an id stays known until something else is.
 */
#ifndef XENMETER_CMD_SERVE_NAMES_H
#define XENMETER_CMD_SERVE_NAMES_H

#include <stdint.h>

#include "host_time.h"
#include "record/domain_watch.h"

struct serve_names {
    const struct domain_names *names; /* --names, or of --host-facts or an archive; NULL: none */
    const struct host_time *host;     /* */
    struct domain_watch *watch;       /* NULL: nobody is asked */
    struct known_domain {
        uint32_t domain;
        char name[FACT_NAME], uuid[FACT_UUID];
    } * known; /* by number */
    size_t n, capacity;
};

/* Begins to ask the toolstack; `source`: see domain_watch_options. -1 with `err` filled. */
int serve_names_watch(struct serve_names *n, const char *source, struct error *err);
void serve_names_free(struct serve_names *n);

/* Takes what the toolstack has said since. -1 with `err` filled: no memory. */
int serve_names_update(struct serve_names *n, struct error *err);

/* Two name_lookup over a struct serve_names. */
const char *serve_names_name(const void *names, int32_t domain, uint32_t life);
const char *serve_names_uuid(const void *names, int32_t domain, uint32_t life);

#endif
