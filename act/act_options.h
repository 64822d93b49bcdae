/* How a controller's decisions are to reach a host. */
#ifndef XENMETER_ACT_ACT_OPTIONS_H
#define XENMETER_ACT_ACT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "act/governor.h"
#include "act/means.h"
#include "host/tell.h"

enum act_mode { ACT_OBSERVE, ACT_ADVISE, ACT_ENFORCE };

struct act_options {
    enum act_mode mode;
    const char *controller; /* "debt" */
    const struct act_means *means;
    const char *const *command; /* the first words of every command, ended by NULL: { "xl", NULL } */
    uint64_t limit_ns;          /* of one command */
    const char *state, *lock;   /* files */
    const char *host_lock;      /* a second lock, of all that act by the same command; NULL: none */
    const char *log;            /* file of the decisions; NULL: none */
    const char *kill_switch;    /* file; NULL: none */
    uint64_t interval_ns;       /* from one decision to the next */
    uint64_t stale_ns;          /* without records for so long, all is given back */
    struct governor_limits limits;
    /* Guests that are never touched, beside domain 0 and driver domains; `name`: "": not known. NULL: none. */
    bool (*protects)(const void *context, uint16_t domain, const char *name);
    const void *protects_context;
    host_teller *tell; /* from another thread, too */
    bool quiet;        /* report only what went wrong */
};

#endif
