/* What `xenmeter info` shows of the host, from facts about it. */
#ifndef XENMETER_CMD_INFO_HOST_H
#define XENMETER_CMD_INFO_HOST_H

#include "archive/host_facts.h"
#include "archive/summary.h"
#include "formats/info.h"

struct known_host {
    bool is_known; /* anything is */
    struct info_host host;
    struct info_span *spans; /* gaps, then reduced coverage */
};

/* Points into the facts. -1 with `err` filled; known_host_free in both cases. */
int known_host_make(struct known_host *k, const struct host_facts *f, const struct summary *s,
                    struct error *err);
void known_host_free(struct known_host *k);

#endif
