/*
 * What a command knows of the trace's host beside the trace: names of domains and times of day, from a file (--host-facts) or from
 * the archive.
 */
#ifndef XENMETER_CMD_HOST_TIME_H
#define XENMETER_CMD_HOST_TIME_H

#include "archive/host_facts.h"
#include "archived.h"
#include "cli.h"
#include "metrics/relation/moments.h"

/* Appends the bytes of a file of facts to `text`, the caller's in both cases, and checks them. -1 with `err` filled. */
int host_facts_file(const char *path, struct buffer *text, struct error *err);

/* All zero: nothing is known. */
struct host_time {
    struct host_facts facts;
    /* Of the trace, from its first batch on, or as an archive keeps it; NULL: not yet known. The caller's to set. */
    const struct clock *clock;
    struct moments moments;
};

/*
 * Reads the facts, if there are any: those of the file that the options name, else those of the archive (NULL: the input is none), of
 * the timelines that are read. -1 with `err` filled, *file then names the file that is wrong.
 */
int host_time_read(struct host_time *t, const struct options *o, struct archived *archived, const char **file,
                   struct error *err);
void host_time_free(struct host_time *t);

/* How moments are shown, by --time-format; NULL: from the trace's start only. Points into *t. */
const struct moments *host_time_moments(struct host_time *t, enum time_format format);

/* Adds the names of domains to *names, which may be NULL, for ids that have none: of each id the last one. False: no memory. */
bool host_time_names(const struct host_time *t, struct domain_names **names);

/* A name_lookup over a struct host_time: the last UUID that is known of the domain; NULL: none is. */
const char *host_time_uuid(const void *host_time, int32_t domain, uint32_t life);

/* Whether times of day that the options ask for are known. -1 with `err` filled: they are not. */
int host_time_check(const struct host_time *t, const struct options *o, struct error *err);

/*
 * Makes from_ns and to_ns of *o of the times of day of --time: of an archive by its clock, of a file by reading its beginning. -1
 * with `err` filled.
 */
int host_time_span(const struct host_time *t, const struct archived *archived, struct options *o,
                   struct error *err);

#endif
