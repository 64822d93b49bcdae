/*
 * What an operator asks of the process that acts on a host, or of whoever does next: lines "VERB GUEST" in a file beside the state file.
 */
#ifndef XENMETER_ACT_REQUESTS_H
#define XENMETER_ACT_REQUESTS_H

#include <stdbool.h>

#include "act/host_guests.h"
#include "parser/error.h"

enum request_verb {
    REQUEST_RELEASE, /* give a guest back what it had, and leave it alone from now on, as long as this process lasts */
    REQUEST_EXEMPT, /* the same, and whoever acts later leaves it alone, too */
    REQUEST_CONTROL /* it is no longer exempt, nor left alone */
};

/* "release" "exempt" "control", by enum request_verb; ended by NULL. */
extern const char *const request_verbs[];

struct request {
    enum request_verb verb;
    char guest[ACT_NAME_BYTES]; /* an id or a name; "*": all that have something set */
};

/* Whether the guest of this id and name ("": not known) is meant. */
bool request_is_about(const struct request *r, unsigned domain, const char *name);

/* Adds a request for the state file `state`. -1 with `err` filled. */
int requests_add(const char *state, const struct request *r, struct error *err);

/* Takes all requests, in their order, out of the file, and hands each to `take`. */
void requests_take(const char *state, void (*take)(void *context, const struct request *r), void *context);

#endif
