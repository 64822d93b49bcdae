/*
 * By what a controller acts on guests: something that lists what is set for them, and sets it. A value is a text; what it
 * says is the means' affair (struct host_guest).
 */
#ifndef XENMETER_ACT_MEANS_H
#define XENMETER_ACT_MEANS_H

#include <stdbool.h>
#include <stdint.h>

#include "act/host_guests.h"
#include "act/runner.h"
#include "act/state.h"
#include "parser/error.h"

#define ACT_COMMAND_BYTES  384
#define ACT_EVIDENCE_BYTES 256
#define ACT_ACTION_BYTES   132      /* of four hooks */
#define ACT_FREE_PPM       1000000u /* the level of a guest that no hook holds */

/* What a controller wants a guest to have. */
struct act_wish {
    uint16_t domain;
    uint64_t level_ppm;                /* millionths of a pCPU; of a hook: below ACT_FREE_PPM it is held */
    uint32_t vcpus;                    /* that the trace shows */
    char name[ACT_NAME_BYTES];         /* "": not known */
    char action[ACT_ACTION_BYTES];     /* of a hook: "drop"; of several: "drop+low" (hooks.h) */
    double charged_pct, limit_pct;     /* of a hook: of the driver domain's CPU */
    char evidence[ACT_EVIDENCE_BYTES]; /* a JSON object, and a newline; "": none */
};

struct act_means {
    const char *name; /* in the state file: "credit2" */
    const void *context;
    /*
     * The value of a guest for which nothing is set, if there is such a value: then this is what guests get back, what was lost is
     * set again, and what is set must be renewed. NULL: there is none.
     */
    const char *neutral;
    /* Lists all guests. -1 with `err` filled. */
    int (*list)(const struct act_means *m, const struct act_runner *r, struct host_guests *guests,
                struct error *err);
    /* Sets a value; `wish`: for which it is, NULL: it is given back. -1 with `err` filled: it is not known what is set now. */
    int (*set)(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
               const struct act_wish *wish, struct error *err);
    /* Renews what is set for n guests, all at once; no others have anything. NULL: it lasts. -1 as above. */
    int (*renew)(const struct act_means *m, const struct act_runner *r, const struct state_guest *guests,
                 size_t n, struct error *err);
    /* The value of a wish; `known`: the guest as it was listed, NULL: it was not. */
    void (*value)(const struct act_means *m, const struct act_wish *wish, const struct host_guest *known,
                  char value[ACT_VALUE_BYTES]);
    /* The command that sets the value, as people read it; what does not fit is cut. */
    void (*text)(const struct act_means *m, const struct act_runner *r, uint16_t domain, const char *value,
                 char text[ACT_COMMAND_BYTES]);
    bool (*is_value)(const char *text); /* of a state file: whether it can be one */
};

/* By one hook or several, as xenmeter-hooks(7) has it: guests are "free", or held by actions (hooks.h). */
extern const struct act_means means_hook;

/* What a hook says of itself. */
struct hook_description {
    bool network, disk; /* kinds that it reaches */
    bool from, to;      /* directions */
    bool expires;       /* what it holds ends by itself */
    char actions[128];  /* separated by commas */
};

/* Asks a hook for it. -1 with `err` filled: it failed, or says nothing that makes sense. */
int hook_describe(const struct act_runner *r, struct hook_description *d, struct error *err);

/* Whether the hook has the action, which may have a value: "rate=800". */
bool hook_has_action(const struct hook_description *d, const char *action);

/* The means of that name in a state file; NULL: there are none. */
const struct act_means *means_named(const char *name);

/* By the parameters of one of Xen's schedulers: "credit" "credit2" "rtds". NULL: another name. */
const struct act_means *means_of_scheduler(const char *name);

#endif
