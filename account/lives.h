/* Who the domains of a capture were: facts about domain ids, whose incarnations the trace knows. */
#ifndef XENMETER_ACCOUNT_LIVES_H
#define XENMETER_ACCOUNT_LIVES_H

#include <signal.h>

#include "archive/archive.h"
#include "archive/host_facts.h"
#include "archive/summary.h"
#include "formats/buffer.h"
#include "parser/error.h"

/*
 * Whether the facts leave open who a domain of the summary was: it is not in them, or an id had several incarnations. Domain 0 is its
 * host's, whatever they have of it.
 */
bool lives_need_more(const struct host_facts *f, const struct summary *s);

/*
 * Appends a fact about each domain of the summary that is known: its `tsc` is the number of the incarnation. The last fact about an id
 * counts; where the id had several incarnations, the archive's intervals say when each was there, and the last fact that was learnt
 * meanwhile counts. -1 with `err` filled: damaged.
 */
int lives_identify(struct archive *a, const struct capture *p, const struct host_facts *f,
                   const struct summary *s, struct buffer *lives, struct error *err);

#endif
